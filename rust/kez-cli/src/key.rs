//! A key that signs: its secret is here, or an agent holds it.

use kez_channels::NetError;
use kez_channels::nostr::signing::EventSigner;
use kez_core::{Code, KeyIdentity, KezError, SecretKey, Signer};

use crate::agent::{self, AgentKey};
use crate::context::Context;
use crate::keys;
use crate::outcome::{Failure, Outcome};

/// What commands sign with.
#[derive(Clone, Debug)]
pub enum Key {
    /// Its secret is in this process.
    Here(SecretKey),
    /// Another process signs.
    Agent(AgentKey),
}

impl Key {
    fn signer(&self) -> &dyn EventSigner {
        match self {
            Key::Here(key) => key,
            Key::Agent(key) => key,
        }
    }
}

/// The key itself where an agent holds it: for what no agent signs. `key.locked`, `key.unlock`, `key.not_held`
pub fn at_hand(context: &Context, key: Key) -> Outcome<Key> {
    match key {
        Key::Here(_) => Ok(key),
        Key::Agent(agent) => {
            let why = format!("the agent of {} does not sign what gives a key authority", agent.name);
            open(context, &agent, &why)
        }
    }
}

/// The same key a while after it was found: an agent may have ended since. `key.locked`, `key.unlock`, `key.not_held`
pub fn renewed(context: &Context, key: &Key) -> Outcome<Key> {
    match key {
        Key::Agent(held) if agent::find(context, &held.name, held.key()).is_none() => {
            open(context, held, &format!("the agent of {} ended", held.name))
        }
        _ => Ok(key.clone()),
    }
}

fn open(context: &Context, agent: &AgentKey, why: &str) -> Outcome<Key> {
    let identity = keys::find(context, &agent.name)?;
    // Somebody may have put another one there since the agent was found.
    if identity.key != *agent.key() {
        return Err(Failure::new(Code::KeyNotHeld, format!("Cannot sign: {} has another key now", agent.name)));
    }
    let opened = keys::open(context, &identity).map_err(|failure| match failure.code() {
        Code::KeyLocked => Failure::new(Code::KeyLocked, format!("Cannot sign: {why}"))
            .hint("Pass --passphrase-file FILE or --passphrase-fd N, or set KEZ_PASSPHRASE."),
        _ => failure,
    });
    Ok(Key::Here(opened?.key))
}

/// Does work with a key, and with the passphrase where its agent does not sign this: profiles, deletions and chains of
/// nostr, and what another key of the same person signed. Nothing may have been sent before all is signed. `key.locked`,
/// `key.unlock`, `key.not_held`
pub async fn with_key<T>(
    context: &Context,
    key: &Key,
    work: impl AsyncFn(&Key) -> Result<T, NetError>,
) -> Outcome<Result<T, NetError>> {
    let done = work(key).await;
    let (Key::Agent(agent), Err(refusal)) = (key, &done) else { return Ok(done) };
    if refusal.code != Code::KeyLocked {
        return Ok(done);
    }
    Ok(work(&open(context, agent, &refusal.message)?).await)
}

impl Signer for Key {
    fn key(&self) -> &KeyIdentity {
        self.signer().key()
    }

    fn sign(&self, signed: &[u8]) -> Result<[u8; 64], KezError> {
        self.signer().sign(signed)
    }
}

impl EventSigner for Key {
    fn sign_event(&self, serialisation: &str, auxiliary: &[u8; 32]) -> Result<[u8; 64], KezError> {
        self.signer().sign_event(serialisation, auxiliary)
    }
}
