//! A process that holds a key for a while and signs with it, so that commands do not ask for a passphrase.
//!
//! It is this program again, with the hidden command `agent-process`. It gets the key over a pipe and answers lines at a
//! socket of its user's alone (`protocol.rs`). It never hands a secret out: what a command cannot do with signatures alone
//! (words, another passphrase) still asks. It is not the agent of `kez`: each program has its own.

mod client;
pub mod commands;
mod folder;
mod process;
mod protocol;
mod start;

pub use client::{AgentKey, find, lock, names};
pub use process::run;
pub use start::{MAX_SECONDS, start};
