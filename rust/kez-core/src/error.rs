//! The one error of this crate: a code of SPEC §12 and a sentence for people.

use std::borrow::Cow;
use std::fmt;

pub use crate::codes::Code;

/// What a function of this crate gives, or why it refuses.
pub type Result<T> = std::result::Result<T, KezError>;

/// A refusal. Programs look at the code, people at the message, which never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KezError {
    code: Code,
    message: Cow<'static, str>,
}

impl KezError {
    /// The message is one sentence without its full stop: `expected X, got Y`.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> KezError {
        KezError { code, message: message.into() }
    }

    /// The code of SPEC §12, the same in every implementation.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence for people; it may change at any time.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same refusal under another code, where SPEC reports it so (JSONL-1, CHAIN-17).
    pub fn with_code(self, code: Code) -> KezError {
        KezError { code, ..self }
    }
}

impl fmt::Display for KezError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for KezError {}

/// Refuses: shorter than `Err(KezError::new(…))`, and reads as what it does.
pub(crate) fn refuse<T>(code: Code, message: impl Into<Cow<'static, str>>) -> Result<T> {
    Err(KezError::new(code, message))
}
