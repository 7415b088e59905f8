//! What the engine is told when something cannot be done.

use serde::Serialize;

/// `code` is of the closed list in PROTOCOL.md; `message` says what failed and why, `hint` what to do next.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Refusal {
    /// `area.reason`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// One sentence, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What a file system said about `what`: `disk.full` where there is no room, else `code`.
    pub fn io(code: &'static str, what: &str, cause: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            return Self::new("disk.full", format!("Cannot {what}: the disk is full"))
                .hint("What was received is kept. Make room and start the same job again");
        }
        Self::new(code, format!("Cannot {what}: {cause}"))
    }
}
