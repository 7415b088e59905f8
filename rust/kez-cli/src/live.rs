//! What is told while a command goes on: one object a line with `--json`, else lines for people.

use std::io::Write as _;

use kez_core::Code;

use crate::context::Context;
use crate::outcome::{Answer, Failure, Outcome, envelope};

/// Prints this answer now.
pub fn tell(context: &Context, answer: Answer) -> Outcome<()> {
    let text = match context.json {
        true => envelope(&Ok(answer), &[]),
        false => crate::paint::paint(&answer.human, context.has_colours(&std::io::stdout())),
    };
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::new(Code::Internal, format!("Cannot write to stdout: {error}")))
}

/// A sentence about the work itself, on stderr and not with `--quiet`.
pub fn progress(context: &Context, text: &str) {
    if !context.quiet {
        // Where nobody reads it, nothing is lost.
        let _ = writeln!(std::io::stderr(), "kez: {text}");
    }
}
