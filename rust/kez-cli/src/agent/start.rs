//! Starting an agent: the key goes over a pipe, never through arguments, the environment or a file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use kez_core::Code;

use super::client::end;
use super::folder::Folder;
use crate::context::Context;
use crate::keys::Secret;
use crate::outcome::{Failure, Outcome};

/// How long a key stays unlocked at most.
pub const MAX_SECONDS: u64 = 86_400;

/// What an agent says when it listens.
pub(super) const READY: &str = "ready\n";

/// Starts the agent of an identity in place of an earlier one; it lives on its own until then, in Unix seconds.
pub fn start(context: &Context, name: &str, secret: &Secret, until: u64) -> Outcome<()> {
    let folder = Folder::of(context);
    folder.make()?;
    let _lock = folder.lock()?;
    let socket = folder.socket(name);
    end(&socket)?;
    let failed = |error: std::io::Error| Failure::new(Code::Internal, format!("Cannot start the agent: {error}"));
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .arg("agent-process")
        .arg(&socket)
        .arg(until.to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    match hand_over(&mut child, secret) {
        true => Ok(()),
        false => {
            drop(child.kill());
            drop(child.wait());
            Err(Failure::new(Code::Internal, format!("Cannot start the agent of {name}: it ended at once")))
        }
    }
}

/// Whether it took the key and listens. It signs, and so needs no words.
fn hand_over(child: &mut Child, secret: &Secret) -> bool {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return false };
    let text = Secret { key: secret.key.clone(), entropy: None }.to_text();
    if stdin.write_all(text.as_bytes()).is_err() {
        return false;
    }
    drop(stdin);
    let mut said = String::new();
    let read = BufReader::new(stdout.take(64)).read_line(&mut said);
    read.is_ok() && said == READY
}
