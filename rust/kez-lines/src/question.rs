//! Members of a case.

use serde_json::Value;

use crate::outcome::Fault;

/// A member that must be there.
pub fn member<'a>(case: &'a Value, name: &str) -> Result<&'a Value, Fault> {
    case.get(name).ok_or_else(|| Fault(format!("no member {name}")))
}

/// A text.
pub fn text<'a>(case: &'a Value, name: &str) -> Result<&'a str, Fault> {
    member(case, name)?.as_str().ok_or_else(|| Fault(format!("{name} is no text")))
}

/// A list.
pub fn list<'a>(case: &'a Value, name: &str) -> Result<&'a [Value], Fault> {
    member(case, name)?.as_array().map(Vec::as_slice).ok_or_else(|| Fault(format!("{name} is no list")))
}

/// A list of texts; none where the member is absent.
pub fn texts<'a>(case: &'a Value, name: &str) -> Result<Vec<&'a str>, Fault> {
    if case.get(name).is_none() {
        return Ok(Vec::new());
    }
    let not_text = || Fault(format!("{name} holds something else than texts"));
    list(case, name)?.iter().map(|element| element.as_str().ok_or_else(not_text)).collect()
}

/// A count.
pub fn count(case: &Value, name: &str) -> Result<u64, Fault> {
    member(case, name)?.as_u64().ok_or_else(|| Fault(format!("{name} is no count")))
}

/// `true`; absent is `false`.
pub fn flag(case: &Value, name: &str) -> bool {
    case.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A text that may be absent or null.
pub fn optional_text<'a>(case: &'a Value, name: &str) -> Result<Option<&'a str>, Fault> {
    match case.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(case, name).map(Some),
    }
}

/// The bytes of `hex`, else those of `text`.
pub fn input(case: &Value) -> Result<Vec<u8>, Fault> {
    match case.get("hex") {
        Some(_) => bytes(case, "hex"),
        None => Ok(text(case, "text")?.as_bytes().to_vec()),
    }
}

/// Bytes in hex of any length.
pub fn bytes(case: &Value, name: &str) -> Result<Vec<u8>, Fault> {
    let (pairs, rest) = text(case, name)?.as_bytes().as_chunks::<2>();
    let whole = rest.is_empty().then(|| pairs.iter().map(byte).collect::<Option<Vec<u8>>>());
    whole.flatten().ok_or_else(|| Fault(format!("{name} is no hex")))
}

fn byte(pair: &[u8; 2]) -> Option<u8> {
    let text = std::str::from_utf8(pair).ok()?;
    u8::from_str_radix(text, 16).ok().filter(|_| !text.starts_with('+'))
}
