//! The process of an agent: the command `agent-process`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ArgMatches;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use kez_channels::nostr::signing::{EventSigner as _, check_event};
use kez_core::envelope::check_statement;
use kez_core::{Json, Signer as _, hex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::folder::LOCK;
use super::protocol::{Ask, MAX_LINE_BYTES, line};
use super::start::{MAX_SECONDS, READY};
use crate::json::object;
use crate::keys::Secret;
use crate::{home, random};

/// Bytes of the key as it comes.
const MAX_KEY_BYTES: usize = 4_096;
/// Questions at once.
const MAX_CONNECTIONS: usize = 16;
/// How long one question may take to come and be answered.
pub(super) const QUESTION_TIME: Duration = Duration::from_secs(2);
/// How long it waits where no connection can be taken: too many files are open, and each closes within `QUESTION_TIME`.
const ACCEPT_TIME: Duration = Duration::from_millis(100);
/// How often the clock is looked at, which goes on while a computer sleeps, as timers do not; and the socket.
const LOOK_TIME: Duration = Duration::from_secs(1);

struct Agent {
    secret: Secret,
    until: u64,
    /// Somebody asked for the end.
    ended: Notify,
}

/// Takes a key from stdin, and holds it until its time is over or somebody ends it. It prints one line: that it listens, or
/// why it does not.
pub fn run(matches: &ArgMatches) -> ExitCode {
    match try_run(matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Who started it may have left.
            drop(say(&why));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{text}\n").as_bytes())?;
    stdout.flush()
}

fn try_run(matches: &ArgMatches) -> Result<(), String> {
    let socket = matches.get_one::<PathBuf>("socket").ok_or("expected a socket")?;
    let until = matches.get_one::<u64>("until").ok_or("expected a time")?;
    close_off();
    let bytes = home::stdin().and_then(|stdin| home::read_bounded(stdin, MAX_KEY_BYTES)).ok().flatten();
    let secret = bytes.as_ref().and_then(|bytes| Secret::of_text(std::str::from_utf8(bytes).ok()?));
    let secret = secret.ok_or("expected a key on stdin")?;
    drop(bytes);
    let agent = Arc::new(Agent { secret, until: *until, ended: Notify::new() });
    // What is there now, and with it the key, is not written to swap. All of it is more than the limit that most systems give
    // (`ulimit -l`), so that it is usually done for root only. What is allocated later is not bound by it, so that no
    // allocation fails for it.
    let _ = rustix::mm::mlockall(rustix::mm::MlockAllFlags::CURRENT);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let held = runtime.block_on(hold(agent, socket));
    // With it go the tasks that still held the key: it is wiped when the last of them is dropped.
    drop(runtime);
    held.map_err(|error| error.to_string())
}

/// Away from the terminal, and from everybody who looks into processes: no core files, no tracing by the same user.
fn close_off() {
    use rustix::process::{Resource, Rlimit, setrlimit, setsid};
    // What a system does not know of these it cannot give; nothing of them keeps the key from being used.
    let _ = setsid();
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

async fn hold(agent: Arc<Agent>, socket: &Path) -> std::io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    let own = fs::metadata(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    say(READY)?;
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let answering = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(ACCEPT_TIME).await;
                continue;
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { continue };
            let agent = Arc::clone(&agent);
            tokio::spawn(async move {
                // Who is too slow, or leaves, has no answer.
                drop(timeout(QUESTION_TIME, agent.answer(stream)).await);
                drop(place);
            });
        }
    };
    tokio::select! {
        () = answering => {}
        // Who asked for the end holds the lock, and takes the socket away itself; unless it did not wait.
        () = agent.ended.notified() => remove_own(socket, &own),
        () = agent.over(|| is_own(socket, &own)) => remove_own(socket, &own),
        () = any(&mut signals) => remove_own(socket, &own),
    }
    Ok(())
}

/// The first of some signals; never where none can be heard.
async fn any(signals: &mut [std::io::Result<Signal>]) {
    let mut heard: FuturesUnordered<_> = signals.iter_mut().flatten().map(Signal::recv).collect();
    match heard.next().await {
        Some(_) => {}
        None => std::future::pending().await,
    }
}

/// Whether this agent's socket is where it was put: without it nobody can end the agent, or use it.
fn is_own(socket: &Path, own: &fs::Metadata) -> bool {
    fs::symlink_metadata(socket).is_ok_and(|it| (it.dev(), it.ino()) == (own.dev(), own.ino()))
}

/// Takes the socket away, unless a later agent's is there, or may be soon.
fn remove_own(socket: &Path, own: &fs::Metadata) {
    // Where the folder is gone, it is not made again.
    let lock = || home::lock_within(&socket.parent()?.join(LOCK), Duration::ZERO).ok();
    let held = if is_own(socket, own) { lock() } else { None };
    if held.is_some() && is_own(socket, own) {
        drop(fs::remove_file(socket));
    }
}

impl Agent {
    /// Seconds that are left, never more than can be asked for.
    fn seconds_left(&self) -> u64 {
        self.until.saturating_sub(now()).min(MAX_SECONDS)
    }

    /// When the time is over, by the clock and by a timer that nobody can set back, or the agent cannot be reached any more.
    async fn over(&self, is_reachable: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(self.seconds_left());
        while Instant::now() < end && self.seconds_left() > 0 && is_reachable() {
            sleep(LOOK_TIME).await;
        }
    }

    /// One question of the same user; others are not heard.
    async fn answer(&self, mut stream: UnixStream) -> std::io::Result<()> {
        if stream.peer_cred()?.uid() != home::our_user() {
            return Ok(());
        }
        let question = read_line(&mut stream).await?;
        let ask = question.as_deref().and_then(Ask::read);
        let answer = match &ask {
            Some(Ask::Lock) => self.answer_to(&Ask::Lock),
            _ if self.seconds_left() == 0 => error("the time is over"),
            Some(ask) => self.answer_to(ask),
            None => error("not a question"),
        };
        let written = stream.write_all(line(&answer).as_bytes()).await;
        if ask == Some(Ask::Lock) {
            self.ended.notify_one();
            // It is closed by the end of the process, which whoever asked waits for.
            std::mem::forget(stream.into_std());
        }
        written
    }

    fn answer_to(&self, ask: &Ask) -> Json {
        let key = &self.secret.key;
        let signature = match ask {
            Ask::Who => return object! { "identity" => key.key(), "until" => self.until },
            Ask::Lock => return object! { "locked" => true },
            Ask::Sign(text) => match check_statement(text, key.key(), now()) {
                Ok(()) => key.sign(text.as_bytes()).ok(),
                Err(refusal) => return error(refusal.message()),
            },
            Ask::Event(text) => match check_event(text, key.key(), now()) {
                Ok(()) => random::bytes().ok().and_then(|auxiliary| key.sign_event(text, &auxiliary).ok()),
                Err(refusal) => return error(refusal.message()),
            },
        };
        match signature {
            Some(signature) => object! { "signature" => hex::encode(&signature) },
            None => error("cannot sign"),
        }
    }
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn error(message: &str) -> Json {
    object! { "error" => message }
}

/// Up to the end of a line or of the input; none where it is too long.
async fn read_line(stream: &mut UnixStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut read = Vec::new();
    let mut part = [0; 4_096];
    loop {
        let count = stream.read(&mut part).await?;
        let part = part.get(..count).unwrap_or_default();
        let end = part.iter().position(|byte| *byte == b'\n');
        read.extend_from_slice(part.get(..end.unwrap_or(count)).unwrap_or_default());
        if read.len() > MAX_LINE_BYTES {
            return Ok(None);
        }
        if count == 0 || end.is_some() {
            return Ok(Some(read));
        }
    }
}
