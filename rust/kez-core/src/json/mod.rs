//! JSON values, and the exact decoder of SPEC §3.2. Floats exist only for the canonicaliser (§3.3): the decoder refuses them.

mod scan;
mod strings;

use std::collections::BTreeMap;

use crate::error::Result;
use crate::text::decode_utf8;

/// The members of an object by name. The order in which they were written means nothing.
pub type Object = BTreeMap<String, Json>;

/// A JSON value. A decoded number is an integer within ±(2^53−1), which a double holds exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(f64),
    /// A string
    String(String),
    /// An array
    Array(Vec<Json>),
    /// An object
    Object(Object),
}

impl Json {
    /// An object of these members; of two with one name the later one.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::String(text)
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Json {
        Json::Number(f64::from(number))
    }
}

/// Bytes to a value: `text.utf8`, `text.bom`, then §3.2. The caller has checked the size.
pub fn parse(bytes: &[u8]) -> Result<Json> {
    parse_text(decode_utf8(bytes)?)
}

/// Text to a value by the scan of SPEC §3.2: `json.*`, `limit.depth`, `limit.members`, the first fault from the left.
pub fn parse_text(text: &str) -> Result<Json> {
    scan::Scanner::new(text).document()
}
