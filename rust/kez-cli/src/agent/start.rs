//! Starting an agent: the key goes over a pipe, never through arguments, the environment or a file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use kez_core::{Code, Signer as _};

use super::client::end;
use super::folder::Folder;
use crate::context::Context;
use crate::keys::{self, Secret};
use crate::outcome::{Failure, Outcome};

/// How long a key stays unlocked at most.
pub const MAX_SECONDS: u64 = 86_400;

/// What an agent says when it listens; else it says why it does not.
pub(super) const READY: &str = "ready";
/// How long that may take.
const START_TIME: Duration = Duration::from_secs(10);
/// The most of it that is read.
const MAX_SAID_BYTES: u64 = 400;

/// Starts the agent of an identity in place of an earlier one; it lives on its own until then, in Unix seconds.
pub fn start(context: &Context, name: &str, secret: &Secret, until: u64) -> Outcome<()> {
    let folder = Folder::of(context);
    folder.make()?;
    let _lock = folder.lock()?;
    // Somebody may have removed it while the passphrase was being read.
    if keys::find(context, name)?.key != *secret.key.key() {
        return Err(Failure::new(Code::KeyNotHeld, format!("Cannot unlock {name}: it has another key now")));
    }
    let socket = folder.socket(name);
    end(&socket, name)?;
    let failed = |why: &str| Failure::new(Code::Internal, format!("Cannot start the agent of {name}: {why}"));
    let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
    let mut child = Command::new(program)
        .arg("agent-process")
        .arg(&socket)
        .arg(until.to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    let said = hand_over(&mut child, secret);
    if said.as_deref() == Ok(READY) {
        return Ok(());
    }
    drop(child.kill());
    drop(child.wait());
    // It had no time to take its socket away, if it had one.
    drop(std::fs::remove_file(&socket));
    match said {
        Ok(why) if !why.is_empty() => Err(failed(&why)),
        Ok(_) => Err(failed("it ended at once")),
        Err(why) => Err(failed(why)),
    }
}

/// What it says once it has the key. It signs, and so needs no words.
fn hand_over(child: &mut Child, secret: &Secret) -> Result<String, &'static str> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Err("no pipe") };
    let text = Secret { key: secret.key.clone(), entropy: None }.to_text();
    // Where it does not take the key it says why, or nothing.
    drop(stdin.write_all(text.as_bytes()));
    drop(stdin);
    first_line(stdout).ok_or("it does not listen after ten seconds")
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, line) = channel();
    thread::spawn(move || {
        let mut said = String::new();
        drop(BufReader::new(stdout.take(MAX_SAID_BYTES)).read_line(&mut said));
        // Nobody waits any more once the time is over.
        drop(sender.send(said));
    });
    let said = line.recv_timeout(START_TIME).ok()?;
    Some(said.trim_end().chars().filter(|it| !it.is_control()).collect())
}
