#![forbid(unsafe_code)]
//! The questions of the cross-test and how kez-core answers them: one judge a suite, from a case to its outcome.
//! `crosstest/PROTOCOL.md`.

mod judges;
mod lines;
mod outcome;
mod question;

pub use judges::judge;
pub use lines::answer_lines;
pub use outcome::Fault;
