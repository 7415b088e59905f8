#![forbid(unsafe_code)]
//! Reads questions from standard input and writes their answers to standard output until the input ends.

use std::io::{self, BufReader, BufWriter, stdin, stdout};
use std::process::ExitCode;
use std::thread;

/// Room for the deepest question, also in a build without optimisation.
const STACK_BYTES: usize = 1 << 26;

fn main() -> ExitCode {
    // What a panic says goes into the answer; standard error stays quiet.
    std::panic::set_hook(Box::new(|_| ()));
    let answering = thread::Builder::new().stack_size(STACK_BYTES).spawn(answer);
    let answered = answering.and_then(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))));
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kez-lines: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> io::Result<()> {
    let questions = BufReader::with_capacity(1 << 16, stdin().lock());
    kez_lines::answer_lines(questions, BufWriter::new(stdout().lock()))
}
