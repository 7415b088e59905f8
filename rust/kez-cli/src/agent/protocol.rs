//! What commands and an agent say to each other: one JSON object a line, one question and one answer a connection.
//!
//! | question | answer |
//! |---|---|
//! | `{"ask":"who"}` | `{"identity":"…","until":SECONDS}` |
//! | `{"ask":"sign","text":"…"}`: the canonical payload of a statement, or the text of a proof of possession | `{"signature":"HEX"}` |
//! | `{"ask":"event","text":"…"}`: the serialisation of a nostr event | `{"signature":"HEX"}` |
//! | `{"ask":"lock"}` | `{"locked":true}`; the connection is closed by the end of the process |
//!
//! Everything else is answered by `{"error":"…"}`. There is no question whose answer is a secret.

use kez_core::Json;
use kez_core::canonical::canonicalize;

/// The most that a question may have: an event of 65,536 bytes, escaped once more.
pub const MAX_LINE_BYTES: usize = 262_144;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whose key is held, and until when.
    Who,
    /// A signature over a statement.
    Sign(String),
    /// A signature over the id of an event.
    Event(String),
    /// An end.
    Lock,
}

impl Ask {
    /// A line without its end.
    pub fn read(line: &[u8]) -> Option<Ask> {
        let value = kez_core::json::parse(line).ok()?;
        let members = value.as_object()?;
        let text = || members.get("text")?.as_str().map(str::to_owned);
        match (members.get("ask")?.as_str()?, members.len()) {
            ("who", 1) => Some(Ask::Who),
            ("lock", 1) => Some(Ask::Lock),
            ("sign", 2) => Some(Ask::Sign(text()?)),
            ("event", 2) => Some(Ask::Event(text()?)),
            _ => None,
        }
    }

    /// The same as a line with its end.
    pub fn write(&self) -> String {
        let value = match self {
            Ask::Who => Json::object([("ask", "who".into())]),
            Ask::Lock => Json::object([("ask", "lock".into())]),
            Ask::Sign(text) => Json::object([("ask", "sign".into()), ("text", text.as_str().into())]),
            Ask::Event(text) => Json::object([("ask", "event".into()), ("text", text.as_str().into())]),
        };
        line(&value)
    }
}

/// A value as a line with its end.
pub fn line(value: &Json) -> String {
    canonicalize(value).unwrap_or_else(|_| "{}".to_owned()) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_as_they_are_written() {
        for ask in [Ask::Who, Ask::Lock, Ask::Sign("{\"a\":\"\\n\"}".to_owned()), Ask::Event("[0]".to_owned())] {
            assert_eq!(Ask::read(ask.write().trim_end().as_bytes()), Some(ask));
        }
        for nonsense in
            ["", "{", "[]", "{\"ask\":\"sign\"}", "{\"ask\":\"secret\"}", "{\"ask\":\"who\",\"x\":1}", "\u{0}"]
        {
            assert_eq!(Ask::read(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
