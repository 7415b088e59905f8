//! Questions to whoever sits at the terminal. What is answered never reaches stdout.

use std::io::Write as _;

use kez_core::Code;
use zeroize::Zeroizing;

use crate::outcome::{Failure, Outcome};

fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Without a terminal no answer comes either.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn cancelled(what: &str) -> Failure {
    Failure::new(Code::InputCancelled, format!("Cancelled: {what}"))
}

/// A secret, which is not shown.
pub fn secret(question: &str) -> Outcome<Zeroizing<String>> {
    say(question);
    let answer = rpassword::read_password().map(Zeroizing::new);
    answer.map_err(|_| cancelled("the input ended before the answer"))
}

/// A line.
pub fn line(question: &str) -> Outcome<String> {
    say(question);
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(count) if count > 0 => Ok(answer.trim().to_owned()),
        _ => Err(cancelled("the input ended before the answer")),
    }
}

/// Goes on only after a yes; `otherwise` says what stays as it is.
pub fn yes(question: &str, otherwise: &str) -> Outcome<()> {
    let answer = line(&format!("{question} [y/N] "))?;
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(cancelled(otherwise)),
    }
}

/// A new passphrase, typed twice.
pub fn new_passphrase() -> Outcome<Zeroizing<String>> {
    loop {
        let first = secret("Passphrase to protect the key: ")?;
        if first.is_empty() {
            say("Type a passphrase, or leave with Ctrl-C and pass --no-passphrase.\n");
            continue;
        }
        if *secret("The same again: ")? == *first {
            return Ok(first);
        }
        say("That was something else.\n");
    }
}

/// Shows a text on a screen of its own, until Enter is pressed.
pub fn show_for_a_while(text: &str) -> Outcome<()> {
    let shown = Zeroizing::new(format!("\u{1b}[?1049h\u{1b}[2J\u{1b}[H{text}"));
    let answer = line(&shown);
    say("\u{1b}[2J\u{1b}[H\u{1b}[?1049l");
    answer.map(drop)
}
