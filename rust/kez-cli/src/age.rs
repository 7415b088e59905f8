//! Key files that a passphrase opens: age version 1 with one scrypt recipient, armored. C2SP age.md.

use data_encoding::{BASE64, BASE64_NOPAD};
use kez_core::Code;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use scrypt::{Params, scrypt};
use zeroize::Zeroizing;

use crate::outcome::{Failure, Outcome};
use crate::random;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const VERSION: &str = "age-encryption.org/v1";
const LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
/// 2^18 blocks of 1 KiB: about a second, 256 MiB.
const LOG_N: u8 = 18;
/// More work than this is not done for a file (`limit.work`).
const MAX_LOG_N: u8 = 20;
/// A key file is one chunk of the payload.
const CHUNK_BYTES: usize = 65_536;

/// The armored file of this content.
pub fn encrypt(content: &[u8], passphrase: &str) -> Outcome<String> {
    let file_key: Zeroizing<[u8; 16]> = Zeroizing::new(random::bytes()?);
    let (salt, nonce): ([u8; 16], [u8; 16]) = (random::bytes()?, random::bytes()?);
    let mut body = room_for_tag(file_key.as_slice());
    seal(&*wrap_key(passphrase, &salt, LOG_N)?, [0; 12], &mut body)?;
    let unsigned =
        format!("{VERSION}\n-> scrypt {} {LOG_N}\n{}\n---", BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&body));
    let mac = hmac::sign(&mac_key(&file_key)?, unsigned.as_bytes());
    let mut payload = room_for_tag(content);
    seal(&*derive(&file_key, &nonce, b"payload")?, last_chunk(), &mut payload)?;
    let mut file = format!("{unsigned} {}\n", BASE64_NOPAD.encode(mac.as_ref())).into_bytes();
    file.extend_from_slice(&nonce);
    file.extend_from_slice(&payload);
    Ok(armor(&file))
}

/// The content of an armored file: a wrong passphrase and damage are one, `key.unlock`.
pub fn decrypt(armored: &str, passphrase: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let file = dearmor(armored).ok_or_else(damaged)?;
    let header = Header::read(&file).ok_or_else(damaged)?;
    if header.log_n > MAX_LOG_N {
        let text =
            format!("Cannot unlock the key: expected a work factor of at most {MAX_LOG_N}, got {}", header.log_n);
        return Err(Failure::new(Code::LimitWork, text));
    }
    let wrapped = open(&*wrap_key(passphrase, &header.salt, header.log_n)?, [0; 12], &header.body)?;
    let file_key = Zeroizing::new(<[u8; 16]>::try_from(wrapped.as_slice()).map_err(|_| damaged())?);
    hmac::verify(&mac_key(&file_key)?, header.unsigned, &header.mac).map_err(|_| damaged())?;
    let (nonce, payload) = header.payload.split_first_chunk::<16>().ok_or_else(damaged)?;
    if payload.len() > CHUNK_BYTES {
        return Err(damaged());
    }
    open(&*derive(&file_key, nonce, b"payload")?, last_chunk(), payload)
}

/// A copy that does not grow, and so leaves none behind, where its tag is appended.
fn room_for_tag(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut copy = Zeroizing::new(Vec::with_capacity(content.len() + CHACHA20_POLY1305.tag_len()));
    copy.extend_from_slice(content);
    copy
}

struct Header<'a> {
    salt: [u8; 16],
    log_n: u8,
    body: Vec<u8>,
    /// What the MAC covers: up to and with `---`.
    unsigned: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Option<Header<'a>> {
        let end = file.windows(5).position(|window| window == b"\n--- ")?;
        let (unsigned, rest) = file.split_at_checked(end + 4)?;
        let line_end = rest.iter().position(|byte| *byte == b'\n')?;
        let (mac, payload) = rest.split_at_checked(line_end)?;
        let text = std::str::from_utf8(unsigned).ok()?;
        let [VERSION, recipient, body, "---"] = text.split('\n').collect::<Vec<_>>()[..] else { return None };
        let (salt, log_n) = recipient.strip_prefix("-> scrypt ")?.split_once(' ')?;
        Some(Header {
            salt: BASE64_NOPAD.decode(salt.as_bytes()).ok()?.try_into().ok()?,
            log_n: log_n.parse().ok().filter(|it: &u8| it.to_string() == log_n)?,
            body: BASE64_NOPAD.decode(body.as_bytes()).ok()?,
            unsigned,
            mac: BASE64_NOPAD.decode(mac.strip_prefix(b" ")?).ok()?,
            payload: payload.get(1..)?,
        })
    }
}

fn wrap_key(passphrase: &str, salt: &[u8; 16], log_n: u8) -> Outcome<Zeroizing<[u8; 32]>> {
    let params = Params::new(log_n, 8, 1).map_err(|_| damaged())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt(passphrase.as_bytes(), &[LABEL, salt].concat(), &params, key.as_mut_slice()).map_err(|_| damaged())?;
    Ok(key)
}

fn mac_key(file_key: &[u8; 16]) -> Outcome<hmac::Key> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, derive(file_key, b"", b"header")?.as_slice()))
}

fn derive(file_key: &[u8; 16], salt: &[u8], info: &[u8]) -> Outcome<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(file_key);
    let infos = [info];
    let expanded = secret.expand(&infos, hkdf::HKDF_SHA256).map_err(|_| damaged())?;
    expanded.fill(key.as_mut_slice()).map_err(|_| damaged())?;
    Ok(key)
}

/// STREAM: the counter 0, and the mark of the last chunk.
const fn last_chunk() -> [u8; 12] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
}

fn cipher(key: &[u8; 32]) -> Outcome<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| damaged())?))
}

fn seal(key: &[u8; 32], nonce: [u8; 12], content: &mut Vec<u8>) -> Outcome<()> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key)?.seal_in_place_append_tag(nonce, Aad::empty(), content).map_err(|_| damaged())
}

fn open(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Outcome<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key)?.open_in_place(nonce, Aad::empty(), &mut content).map_err(|_| damaged())?.len();
    content.truncate(length);
    Ok(content)
}

fn armor(file: &[u8]) -> String {
    let encoded = BASE64.encode(file);
    let mut text = format!("{BEGIN}\n");
    let mut rest = encoded.as_str();
    while let Some((line, after)) = rest.split_at_checked(rest.len().min(64)).filter(|(line, _)| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push('\n');
    text
}

fn dearmor(text: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let encoded: String = body.lines().map(str::trim).collect();
    BASE64.decode(encoded.as_bytes()).ok()
}

fn damaged() -> Failure {
    Failure::new(Code::KeyUnlock, "Cannot unlock the key: the passphrase is wrong or the key file is damaged")
}
