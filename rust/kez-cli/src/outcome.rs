//! What a command comes to: an answer or a failure, and the exit code of each. docs/json.md, `kez help exit-codes`.

use std::fmt;
use std::panic::Location;

use kez_core::canonical::canonicalize;
use kez_core::{Code, Json, KezError};

use crate::json::{ToJson as _, object};

/// What a command that ran prints. Recovery words may be in it.
pub struct Answer {
    /// `kez.….1`
    pub schema: &'static str,
    /// With `--json`.
    pub data: Json,
    /// Without.
    pub human: String,
    /// Verdicts have codes of their own.
    pub exit: u8,
}

impl Answer {
    /// An answer with the exit code 0.
    pub fn new(schema: &'static str, data: Json, human: impl Into<String>) -> Answer {
        Answer { schema, data, human: human.into(), exit: 0 }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Answer({}, {})", self.schema, self.exit)
    }
}

/// Why a command did not run to its end.
#[derive(Debug)]
pub struct Failure {
    error: KezError,
    hint: Option<String>,
    exit: Option<u8>,
    origin: Option<&'static Location<'static>>,
}

/// What commands give.
pub type Outcome<T = Answer> = Result<T, Failure>;

impl Failure {
    /// `message` is a whole sentence without its full stop: `Cannot X: expected Y, got Z`.
    #[track_caller]
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { error: KezError::new(code, message.into()), hint: None, exit: None, origin: Some(Location::caller()) }
    }

    /// The command was not written as it should be.
    #[track_caller]
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Code::Usage, message)
    }

    /// What to do next, at most two lines.
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// The same, as a fault of what was typed: exit code 2.
    pub fn typed(self) -> Failure {
        Failure { exit: Some(2), ..self }
    }

    /// The same, as something that just failed: exit code 1.
    pub fn plain(self) -> Failure {
        Failure { exit: Some(1), ..self }
    }

    /// Its code.
    pub const fn code(&self) -> Code {
        self.error.code()
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        self.exit.unwrap_or_else(|| exit_of(self.error.code()))
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        self.error.message()
    }

    fn data(&self) -> Json {
        let error = object! { "code" => self.code(), "message" => self.message() };
        match &self.hint {
            Some(hint) => crate::json::with(error, "hint", hint),
            None => error,
        }
    }

    /// Where it came from, for `--debug`.
    pub fn origin(&self) -> String {
        self.origin.map(|it| format!("  at {it}\n")).unwrap_or_default()
    }

    /// For people.
    pub fn human(&self) -> String {
        let mut text = format!("kez: {} [{}]\n", self.message(), self.code());
        for line in self.hint.iter().flat_map(|hint| hint.lines()) {
            text.push_str(&format!("hint: {line}\n"));
        }
        text
    }
}

impl From<KezError> for Failure {
    fn from(error: KezError) -> Failure {
        Failure { error, hint: None, exit: None, origin: None }
    }
}

/// `what` that could not be done, before the sentence of the core.
pub fn cannot(what: &str) -> impl Fn(KezError) -> Failure + '_ {
    move |error| Failure::new(error.code(), format!("Cannot {what}: {}", error.message()))
}

/// The exit code of an error.
pub fn exit_of(code: Code) -> u8 {
    match code {
        Code::Usage | Code::InputMissing | Code::KeyEncoding | Code::NetUrl => 2,
        Code::InputCancelled => 3,
        Code::LimitWork | Code::PublishCredentials => 4,
        Code::PublishUnconfirmed | Code::ChannelDown | Code::FileRefused => 5,
        // VER-2: what makes a verdict `unreachable`.
        Code::ChainUnreachable | Code::ChainWithheld | Code::ChainRollback => 5,
        Code::ChainRequired | Code::ChainStale => 5,
        Code::KeyWeak | Code::FileOffer | Code::FilePresence | Code::FileManifest | Code::FileRollback => 10,
        Code::ClaimRevoked => 11,
        Code::ClaimExpired => 12,
        Code::ChainFork | Code::ChatFork | Code::ChatSenderFork | Code::DirectorySplit | Code::FileFork => 13,
        Code::ProofNotFound => 14,
        Code::ChainUnknown => 1,
        _ => match code.as_str().split('.').next().unwrap_or_default() {
            "identity" | "mnemonic" | "channel" => 2,
            "key" | "auth" => 4,
            "net" => 5,
            "text" | "json" | "schema" | "envelope" | "event" | "time" | "signature" | "encoding" | "zstd"
            | "proof" | "claim" | "account" | "chain" | "head" | "limit" | "chat" | "directory" => 10,
            _ => 1,
        },
    }
}

/// The one line of `--json`.
pub fn envelope(outcome: &Outcome, warnings: &[String]) -> String {
    let (schema, name, body) = match outcome {
        Ok(answer) => (answer.schema, "data", answer.data.clone()),
        Err(failure) => ("kez.error/1", "error", failure.data()),
    };
    let text = |value: &Json| canonicalize(value).unwrap_or_else(|_| "null".to_owned());
    format!(
        "{{\"schema\":{},\"ok\":{},\"{name}\":{},\"warnings\":{}}}\n",
        text(&schema.to_json()),
        outcome.is_ok(),
        text(&body),
        text(&Json::Array(warnings.iter().map(|it| it.to_json()).collect())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_of_is_the_published_table() {
        let published = include_str!("../../../docs/exit-codes.json");
        let lines: Vec<&str> = published.lines().filter(|line| line.starts_with("  ")).collect();
        let own = |code: &Code| format!("  \"{}\": {}", code.as_str(), exit_of(*code));
        let own: Vec<String> = Code::ALL.iter().map(own).collect();
        assert_eq!(lines.iter().map(|line| line.trim_end_matches(',')).collect::<Vec<_>>(), own);
    }

    #[test]
    fn what_is_printed_is_not_shown_to_who_debugs() {
        let answer = Answer::new("kez.mnemonic/1", "zoo".to_json(), "zoo");
        assert_eq!(format!("{answer:?}"), "Answer(kez.mnemonic/1, 0)");
    }

    #[test]
    fn what_was_typed_ends_with_2_and_what_readers_would_refuse_with_1() {
        assert_eq!(Failure::new(Code::LimitSize, "x").typed().exit(), 2);
        assert_eq!(Failure::new(Code::ChainKeyReuse, "x").plain().exit(), 1);
    }
}
