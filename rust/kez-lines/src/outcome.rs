//! Outcomes as JSON, and the fault of a question that has none.

use std::fmt;

use kez_core::KezError;
use serde_json::{Value, json};

/// The question is not one of the protocol: an unknown suite, a member that is missing. It is told as a crash.
#[derive(Debug)]
pub struct Fault(pub(crate) String);

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// An outcome, or why there is none.
pub type Answer = Result<Value, Fault>;

/// `{"ok": …}` or `{"code": …}`.
pub fn of<T: Into<Value>>(result: kez_core::Result<T>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value.into() }),
        Err(error) => refused(&error),
    }
}

/// `{"code": …}`
pub fn refused(error: &KezError) -> Value {
    json!({ "code": error.code().as_str() })
}
