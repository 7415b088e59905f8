//! The side of the commands: finds an agent, has it sign, ends it.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kez_channels::nostr::signing::EventSigner;
use kez_core::{Code, Json, KeyIdentity, KezError, Signer, hex};

use super::folder::Folder;
use super::protocol::Ask;
use crate::context::Context;
use crate::home;
use crate::outcome::Outcome;

/// How long an agent is waited for.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// The most that an answer has.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// A key that an agent holds.
#[derive(Clone, Debug)]
pub struct AgentKey {
    socket: PathBuf,
    key: KeyIdentity,
    /// Unix seconds.
    pub until: u64,
}

/// The agent that holds this key under this name.
pub fn find(context: &Context, name: &str, key: &KeyIdentity) -> Option<AgentKey> {
    let folder = Folder::of(context);
    if !home::is_name(name) || !folder.is_trusted() {
        return None;
    }
    let socket = folder.socket(name);
    let answer = ask(&socket, &Ask::Who)?;
    let members = answer.as_object()?;
    let until = match members.get("until")? {
        Json::Number(until) if *until >= 0.0 => *until as u64,
        _ => return None,
    };
    let is_its = members.get("identity")?.as_str() == Some(key.as_str());
    is_its.then(|| AgentKey { socket, key: key.clone(), until })
}

/// The names for which there may be an agent.
pub fn names(context: &Context) -> Vec<String> {
    Folder::of(context).names()
}

/// Ends the agent of this name; whether there was one. Nothing of it stays.
pub fn lock(context: &Context, name: &str) -> Outcome<bool> {
    let folder = Folder::of(context);
    if !home::is_name(name) || !folder.is_trusted() {
        return Ok(false);
    }
    let _lock = folder.lock()?;
    end(&folder.socket(name))
}

/// The same, by whoever holds the lock of the folder.
pub(super) fn end(socket: &Path) -> Outcome<bool> {
    let was_there = ask(socket, &Ask::Lock).is_some();
    home::remove(socket)?;
    Ok(was_there)
}

/// None where nobody answers as an agent does.
fn ask(socket: &Path, question: &Ask) -> Option<Json> {
    // The folder is nobody else's, so that what is in it was put there by its user.
    let metadata = std::fs::symlink_metadata(socket).ok()?;
    if !metadata.file_type().is_socket() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER_TIME)).ok()?;
    stream.set_write_timeout(Some(ANSWER_TIME)).ok()?;
    stream.write_all(question.write().as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).ok()?;
    let answer = kez_core::json::parse(answer.strip_suffix(b"\n")?).ok()?;
    answer.as_object()?.get("error").is_none().then_some(answer)
}

impl AgentKey {
    fn signature(&self, question: &Ask) -> Result<[u8; 64], KezError> {
        let answer = ask(&self.socket, question);
        let text = answer.as_ref().and_then(|answer| answer.as_object()?.get("signature")?.as_str());
        text.and_then(hex::decode).ok_or_else(|| {
            KezError::new(Code::KeyLocked, format!("the agent of {} ended, or does not sign this", self.key))
        })
    }
}

impl Signer for AgentKey {
    fn key(&self) -> &KeyIdentity {
        &self.key
    }

    fn sign(&self, signed: &[u8]) -> Result<[u8; 64], KezError> {
        let text = std::str::from_utf8(signed).map_err(|_| KezError::new(Code::TextUtf8, "expected UTF-8"))?;
        self.signature(&Ask::Sign(text.to_owned()))
    }
}

impl EventSigner for AgentKey {
    fn sign_event(&self, serialisation: &str, _auxiliary: &[u8; 32]) -> Result<[u8; 64], KezError> {
        self.signature(&Ask::Event(serialisation.to_owned()))
    }
}
