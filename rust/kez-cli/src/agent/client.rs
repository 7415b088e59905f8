//! The side of the commands: finds an agent, has it sign, ends it.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kez_channels::nostr::signing::EventSigner;
use kez_core::{Code, Json, KeyIdentity, KezError, Signer, hex};

use super::folder::Folder;
use super::process::QUESTION_TIME;
use super::protocol::Ask;
use crate::context::Context;
use crate::home;
use crate::outcome::{Failure, Outcome};

/// How long an agent is waited for: all its places may be taken by questions that do not come.
const ANSWER_TIME: Duration = QUESTION_TIME.saturating_mul(5);
/// The most that an answer has.
const MAX_ANSWER_BYTES: u64 = 4_096;
/// The most of an agent's reason that is shown.
const MAX_REASON_CHARS: usize = 200;

/// A key that an agent holds.
#[derive(Clone, Debug)]
pub struct AgentKey {
    socket: PathBuf,
    key: KeyIdentity,
    /// Of its identity on this computer.
    pub name: String,
    /// Unix seconds.
    pub until: u64,
}

/// The agent that holds this key under this name.
pub fn find(context: &Context, name: &str, key: &KeyIdentity) -> Option<AgentKey> {
    let folder = Folder::of(context);
    if !home::was_name(name) || !folder.check().unwrap_or(false) {
        return None;
    }
    let socket = folder.socket(name);
    let Said::Answer(answer) = ask(&socket, &Ask::Who) else { return None };
    let members = answer.as_object()?;
    let until = match members.get("until")? {
        Json::Number(until) if *until >= 0.0 => *until as u64,
        _ => return None,
    };
    let is_its = members.get("identity")?.as_str() == Some(key.as_str());
    is_its.then(|| AgentKey { socket, key: key.clone(), name: name.to_owned(), until })
}

/// The names for which there may be an agent: `store.permissions`.
pub fn names(context: &Context) -> Outcome<Vec<String>> {
    Folder::of(context).names()
}

/// Ends the agent of this name; whether there was one. Nothing of it stays, not even its process. `store.permissions` where somebody else may have
/// put what is there, `store.busy` where the agent does not answer.
pub fn lock(context: &Context, name: &str) -> Outcome<bool> {
    let folder = Folder::of(context);
    if !home::was_name(name) || !folder.check()? {
        return Ok(false);
    }
    let _lock = folder.lock()?;
    end(&folder.socket(name), name)
}

/// The same, by whoever holds the lock of the folder. The socket of an agent that may be alive stays where it is: without
/// it nobody would find the agent again.
pub(super) fn end(socket: &Path, name: &str) -> Outcome<bool> {
    // It may have come to its end just now.
    let said = match ask(socket, &Ask::Lock) {
        Said::Nothing => ask(socket, &Ask::Lock),
        said => said,
    };
    match said {
        Said::Nobody => home::remove(socket).map(|_| false),
        Said::Answer(answer) if is_end(&answer) => home::remove(socket).map(|_| true),
        Said::Answer(_) | Said::Refusal(_) | Said::Nothing | Said::Silence => {
            let message = format!("Cannot lock {name}: its agent does not answer, and holds the key still");
            let hint = format!(
                "Try again in some seconds. Else end the process with these arguments: agent-process {}",
                socket.display()
            );
            Err(Failure::new(Code::StoreBusy, message).hint(hint))
        }
    }
}

fn is_end(answer: &Json) -> bool {
    answer.as_object().and_then(|answer| answer.get("locked")) == Some(&Json::Bool(true))
}

/// What came of a question.
#[derive(Debug)]
enum Said {
    /// An answer to it.
    Answer(Json),
    /// Why it is not answered.
    Refusal(String),
    /// No agent is there.
    Nobody,
    /// It closed the connection.
    Nothing,
    /// It did not take the question or give an answer in its time.
    Silence,
}

fn ask(socket: &Path, question: &Ask) -> Said {
    // The folder is nobody else's, so that what is in it was put there by its user.
    match fs::symlink_metadata(socket) {
        Ok(metadata) if metadata.file_type().is_socket() && metadata.uid() == home::our_user() => {}
        Ok(_) => return Said::Nobody,
        Err(error) if error.kind() == ErrorKind::NotFound => return Said::Nobody,
        // There may be one.
        Err(_) => return Said::Silence,
    }
    match converse(socket, question) {
        Ok(answer) => read(&answer),
        // Nobody listens at it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Said::Nobody,
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Said::Nothing,
        Err(_) => Said::Silence,
    }
}

fn converse(socket: &Path, question: &Ask) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    stream.set_write_timeout(Some(ANSWER_TIME))?;
    stream.write_all(question.write().as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// It does not wait for a place in the queue (`WouldBlock`): who leaves one full answers nobody.
fn connect(path: &Path) -> std::io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
    let stream = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&stream, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&stream, true)?;
    connect(&stream, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn read(answer: &[u8]) -> Said {
    let Some(Ok(answer)) = answer.strip_suffix(b"\n").map(kez_core::json::parse) else { return Said::Nothing };
    let Some(members) = answer.as_object() else { return Said::Nothing };
    match members.get("error") {
        None => Said::Answer(answer),
        Some(reason) => {
            let reason = reason.as_str().unwrap_or_default().chars().filter(|it| !it.is_control());
            Said::Refusal(reason.take(MAX_REASON_CHARS).collect())
        }
    }
}

impl AgentKey {
    fn signature(&self, question: &Ask) -> Result<[u8; 64], KezError> {
        let refuse = |why: &str| Err(KezError::new(Code::KeyLocked, format!("the agent of {} {why}", self.name)));
        match ask(&self.socket, question) {
            Said::Answer(answer) => {
                let text = answer.as_object().and_then(|answer| answer.get("signature")?.as_str());
                text.and_then(hex::decode).map_or_else(|| refuse("gave no signature"), Ok)
            }
            Said::Refusal(reason) => refuse(&format!("does not sign this: {reason}")),
            Said::Nobody | Said::Nothing => refuse("ended"),
            Said::Silence => refuse("does not answer"),
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

    #[test]
    fn who_cannot_be_asked_is_not_nobody() {
        let place = std::env::temp_dir().join(format!("kez-ask-{}", std::process::id()));
        drop(fs::remove_dir_all(&place));
        fs::create_dir(&place).unwrap();
        let (path, lost) = (place.join("a.sock"), place.join("loop"));
        std::os::unix::fs::symlink("loop", &lost).unwrap();
        let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        listen(&listener, 0).unwrap();
        let waiting: Vec<_> = (0..8).filter_map(|_| connect(&path).ok()).collect();
        let said = [&path, &lost.join("a.sock"), &place.join("none")].map(|path| ask(path, &Ask::Who));
        drop(waiting);
        fs::remove_dir_all(&place).unwrap();
        assert!(matches!(said, [Said::Silence, Said::Silence, Said::Nobody]), "{said:?}");
    }
}
