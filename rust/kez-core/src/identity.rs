//! Identities: `system:value`. SPEC §1.

use std::fmt;

use crate::error::{Code, KezError, Result, refuse};
use crate::limits::MAX_IDENTITY_BYTES;
use crate::names;
use crate::suite::Suite;

/// What an identity is of. The list is that of SPEC §1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// An Ed25519 key.
    Ed25519,
    /// A BIP-340 key, as nostr writes it.
    Nostr,
    /// A domain.
    Dns,
    /// A GitHub login.
    Github,
    /// A Bluesky handle.
    Bluesky,
    /// An ActivityPub account.
    Ap,
    /// An account of a KEZ chat server.
    Kez,
}

impl System {
    /// Every system, in the order of SPEC §1.
    pub const ALL: [System; 7] =
        [System::Ed25519, System::Nostr, System::Dns, System::Github, System::Bluesky, System::Ap, System::Kez];

    /// The name in its canonical spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            System::Ed25519 => "ed25519",
            System::Nostr => "nostr",
            System::Dns => "dns",
            System::Github => "github",
            System::Bluesky => "bluesky",
            System::Ap => "ap",
            System::Kez => "kez",
        }
    }

    /// The suite of a key system; none for accounts and domains.
    pub const fn suite(self) -> Option<Suite> {
        match self {
            System::Ed25519 => Some(Suite::Ed25519),
            System::Nostr => Some(Suite::Nostr),
            _ => None,
        }
    }

    /// The system that people mean by this name, folded already. `mastodon` is another name of `ap`.
    fn from_folded(name: &str) -> Option<System> {
        if name == "mastodon" {
            return Some(System::Ap);
        }
        System::ALL.into_iter().find(|system| system.as_str() == name)
    }
}

/// An identity in its canonical spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    text: String,
    system: System,
}

impl Identity {
    /// Typed input, canonicalised. The codes of ID-2, in its order.
    pub fn parse(typed: &str) -> Result<Identity> {
        let (name, value) = split(typed)?;
        let Some(system) = System::from_folded(&name.to_ascii_lowercase()) else {
            return refuse(Code::IdentityUnsupported, "expected an identity of a known system");
        };
        let value = canonical_value(system, value)?;
        Ok(Identity { text: format!("{}:{value}", system.as_str()), system })
    }

    /// An identity that is canonical already, else `identity.not_canonical` after the codes of ID-2. ID-6.
    pub fn parse_canonical(text: &str) -> Result<Identity> {
        let identity = Identity::parse(text)?;
        if identity.text != text {
            return refuse(Code::IdentityNotCanonical, format!("expected {identity}, got another spelling of it"));
        }
        Ok(identity)
    }

    pub(crate) fn of_key(suite: Suite, value: &str) -> Identity {
        let system = suite.system();
        Identity { text: format!("{}:{value}", system.as_str()), system }
    }

    /// What it is of.
    pub const fn system(&self) -> System {
        self.system
    }

    /// What stands after the first `:`.
    pub fn value(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, value)| value)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// ID-5: what a claim says it is about. Another spelling and an unknown system are kept as they were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An identity of a known system, canonicalised; the claim may spell it otherwise.
    Known(Identity),
    /// An identity of a system that this version does not know, as received.
    Unsupported(String),
}

impl Subject {
    /// The codes of ID-2 except `identity.unsupported`, which is a value here. ID-5.
    pub fn parse(received: &str) -> Result<Subject> {
        match Identity::parse(received) {
            Ok(identity) => Ok(Subject::Known(identity)),
            Err(error) if error.code() == Code::IdentityUnsupported => Ok(Subject::Unsupported(received.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// The identity, or `identity.unsupported`: it is reported, never guessed.
    pub fn known(&self) -> Result<&Identity> {
        match self {
            Subject::Known(identity) => Ok(identity),
            Subject::Unsupported(_) => {
                refuse(Code::IdentityUnsupported, "expected a subject of a system that this version knows")
            }
        }
    }
}

/// ID-7: an identity of a key system, with its 32 bytes. Whether they are a sound key is asked when a signature is checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentity {
    identity: Identity,
    suite: Suite,
    public_key: [u8; 32],
}

impl KeyIdentity {
    /// A canonical key identity: the codes of ID-2, `identity.not_canonical`, then `schema.value` for an account. ID-7.
    pub fn parse_canonical(text: &str) -> Result<KeyIdentity> {
        KeyIdentity::from_identity(Identity::parse_canonical(text)?)
    }

    /// An identity of another system → `schema.value`. ID-7.
    pub fn from_identity(identity: Identity) -> Result<KeyIdentity> {
        let Some(suite) = identity.system().suite() else {
            return refuse(Code::SchemaValue, format!("expected a key, got {identity}"));
        };
        let public_key = suite.parse_public_key(identity.value())?;
        Ok(KeyIdentity { identity, suite, public_key })
    }

    /// The identity of 32 public key bytes.
    pub fn from_public_key(suite: Suite, public_key: [u8; 32]) -> KeyIdentity {
        let identity = Identity::of_key(suite, &suite.format_public_key(&public_key));
        KeyIdentity { identity, suite, public_key }
    }

    /// It as an identity like any other.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How it signs.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The 32 bytes.
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        self.identity.as_str()
    }
}

impl fmt::Display for KeyIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.identity.fmt(out)
    }
}

impl fmt::Debug for KeyIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// ID-2 up to the system. Messages do not repeat the text: it may be a secret key that was typed (ID-8).
fn split(text: &str) -> Result<(&str, &str)> {
    if text.len() > MAX_IDENTITY_BYTES {
        return refuse(Code::LimitSize, "expected an identity of at most 256 bytes");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse(Code::IdentityCharset, "expected an identity of characters from ! to ~");
    }
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name, value)),
        _ => refuse(Code::IdentitySyntax, "expected system:value, as github:alice"),
    }
}

fn canonical_value(system: System, value: &str) -> Result<String> {
    if let Some(suite) = system.suite() {
        // Key values are not folded: two spellings of one key would be two names of it.
        suite.parse_public_key(value)?;
        return Ok(value.to_owned());
    }
    let folded = value.to_ascii_lowercase();
    let without_at = folded.strip_prefix('@').unwrap_or(&folded);
    let (fits, value) = match system {
        System::Dns => {
            let domain = folded.strip_suffix('.').unwrap_or(&folded);
            (names::is_domain(domain), domain)
        }
        System::Github => (names::is_github_login(&folded), folded.as_str()),
        System::Bluesky => (names::is_domain(without_at), without_at),
        System::Ap => (names::is_ap_account(without_at), without_at),
        System::Kez => (names::is_kez_account(without_at), without_at),
        System::Ed25519 | System::Nostr => (false, value),
    };
    match fits {
        true => Ok(value.to_owned()),
        false => {
            Err(KezError::new(Code::IdentitySyntax, format!("expected the value of a {} identity", system.as_str())))
        }
    }
}
