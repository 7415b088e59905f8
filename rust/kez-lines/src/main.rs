#![forbid(unsafe_code)]
//! Reads questions from standard input and writes their answers to standard output until the input ends.

use std::io::{BufReader, BufWriter, stdin, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    // What a panic says goes into the answer; standard error stays quiet.
    std::panic::set_hook(Box::new(|_| ()));
    let questions = BufReader::with_capacity(1 << 16, stdin().lock());
    match kez_lines::answer_lines(questions, BufWriter::new(stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kez-lines: {error}");
            ExitCode::FAILURE
        }
    }
}
