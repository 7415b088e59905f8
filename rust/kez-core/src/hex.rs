//! Hex: exactly the stated length, lower case. SPEC HEX-1.

/// Lower-case hex of any bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }));
        }
    }
    text
}

/// The N bytes that the text stands for; none if it has another length or another character. SPEC HEX-1.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (nibble(high)? << 4) | nibble(low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_takes_only_its_length_in_lower_case() {
        assert_eq!(decode::<2>("00ff"), Some([0, 255]));
        assert_eq!(encode(&[0, 0x9a, 255]), "009aff");
        for text in ["", "0", "00f", "00fF", "00f ", "00ff0", "00ff00", "é0f"] {
            assert_eq!(decode::<2>(text), None, "{text}");
        }
    }
}
