//! What writes into the place of an account, with the credentials of its owner. SPEC NET-6.

use clap::ArgMatches;
use kez_channels::nostr::publish::{Author, Place, RelayOutcome, publish_proof, unpublish};
use kez_channels::writing::Removed;
use kez_channels::{NetError, Token, ap, bluesky, github};
use kez_core::encoding::{encode_compact, encode_markdown};
use kez_core::envelope::{Claim, Verified};
use kez_core::{Code, Identity, Json, System};

use crate::context::Context;
use crate::credentials::{github_token, nostr_key, place_token};
use crate::json::object;
use crate::key::{Key, with_key};
use crate::outcome::{Failure, Outcome};
use crate::random;
use crate::world::World;

/// What one place said.
#[derive(Clone, Debug)]
pub struct PlaceOutcome {
    /// Where.
    pub url: String,
    /// Whether it took it.
    pub accepted: bool,
    /// Why not; what it did not take beside it.
    pub note: Option<String>,
}

impl PlaceOutcome {
    /// A row of `outcomes`.
    pub fn to_json(&self) -> Json {
        object! { "url" => self.url, "accepted" => self.accepted, "note" => self.note }
    }

    /// For people.
    pub fn line(&self) -> String {
        match (self.accepted, &self.note) {
            (true, None) => format!("✓ {}  accepted\n", self.url),
            (true, Some(note)) => format!("✓ {}  accepted; {note}\n", self.url),
            (false, note) => format!("✗ {}  {}\n", self.url, note.as_deref().unwrap_or("refused")),
        }
    }
}

impl From<RelayOutcome> for PlaceOutcome {
    fn from(outcome: RelayOutcome) -> PlaceOutcome {
        let RelayOutcome { url, accepted, note, .. } = outcome;
        PlaceOutcome { url: url.as_str().trim_end_matches('/').to_owned(), accepted, note }
    }
}

/// Who writes, and where.
pub enum Writer {
    /// The owner of the zone, by hand.
    Zone,
    /// The key itself.
    Nostr {
        /// What signs for it.
        key: Key,
        /// Which of its places.
        place: Place,
    },
    /// A token of the account.
    Github {
        /// Whose.
        account: Identity,
        /// The token.
        token: kez_channels::Token,
        /// What is beside a proof.
        hint: Option<String>,
    },
    /// What has only room for a reference.
    Short {
        /// Whose.
        account: Identity,
        /// Which of its places.
        place: &'static str,
        /// App password or access token.
        token: Token,
        /// What is beside a proof.
        hint: Option<String>,
        /// Once the server accepted the token.
        door: Option<Door>,
    },
}

/// The way into an account that has only room for a reference.
pub enum Door {
    /// A session of an app password.
    Bluesky(bluesky::publish::Session),
    /// An access token.
    Ap(ap::publish::Owner),
}

impl From<Removed> for PlaceOutcome {
    fn from(removed: Removed) -> PlaceOutcome {
        PlaceOutcome { url: removed.url, accepted: removed.left.is_none(), note: removed.left.map(str::to_owned) }
    }
}

impl Writer {
    /// The writer with its credentials: `input.missing`, `key.not_held`.
    pub fn new(context: &Context, matches: &ArgMatches, subject: &Identity, place: &'static str) -> Outcome<Writer> {
        match subject.system() {
            System::Nostr => {
                let place = match place {
                    "note" => Place::Note,
                    "profile" => Place::Profile,
                    _ => Place::AppData,
                };
                Ok(Writer::Nostr { key: nostr_key(context, matches, subject)?, place })
            }
            System::Github => Ok(Writer::Github {
                account: subject.clone(),
                token: github_token(context, matches, subject)?,
                hint: matches.try_get_one::<String>("chain-hint").ok().flatten().cloned(),
            }),
            System::Bluesky | System::Ap => {
                let hint = crate::claim::hint_of(matches)?;
                if hint.is_some() && place == "field" {
                    let message = "Cannot write a chain hint into a field: expected --place bio or post";
                    return Err(Failure::usage(message));
                }
                let token = place_token(context, matches, subject)?;
                Ok(Writer::Short { account: subject.clone(), place, token, hint, door: None })
            }
            _ => Ok(Writer::Zone),
        }
    }

    /// What the text is written as.
    pub const fn form(&self) -> &'static str {
        match self {
            Writer::Zone => "dns",
            Writer::Nostr { place: Place::Note, .. } | Writer::Github { .. } => "markdown",
            Writer::Nostr { .. } => "compact",
            Writer::Short { .. } => "reference",
        }
    }

    /// Checks the credentials before anything is signed: `publish.credentials`, `account.changed`. NET-6.
    pub async fn open(self, context: &Context, world: &World, known: Option<&str>) -> Outcome<Writer> {
        if let Writer::Short { account, place, token, hint, .. } = self {
            let door = open_door(context, world, &account, &token, known).await?;
            return Ok(Writer::Short { account, place, token, hint, door });
        }
        let (Writer::Github { account, token, .. }, Some(net)) = (&self, world.net()) else { return Ok(self) };
        let id = github::publish::check(account.value(), token, net, context.now.unix_seconds());
        let id = id.await.map_err(|error| cannot_write(account, error))?;
        check_number(account, &id, known)?;
        Ok(self)
    }

    /// Writes a reference to a chain. Where it stands.
    pub async fn write_reference(&self, context: &Context, world: &World, reference: &str) -> Outcome<PlaceOutcome> {
        let (Writer::Short { account, place, hint, door: Some(door), .. }, Some(net)) = (self, world.net()) else {
            return Err(Failure::new(Code::Internal, "Cannot write a reference there"));
        };
        let text = hint.as_ref().map_or_else(|| reference.to_owned(), |url| format!("{reference}\nChain: {url}"));
        let written = match (door, *place) {
            (Door::Bluesky(session), "post") => session.write_post(account, &text, &context.now.to_string(), net).await,
            (Door::Bluesky(session), _) => session.write_profile(account, &text, net).await,
            (Door::Ap(owner), "post") => owner.write_post(account, &text, net).await,
            (Door::Ap(owner), "bio") => owner.write_bio(account, &text, net).await,
            (Door::Ap(owner), _) => owner.write_field(account, &text, net).await,
        };
        let url = written.map_err(|error| cannot_write(account, error))?;
        Ok(PlaceOutcome { url, accepted: true, note: None })
    }

    /// The permanent number of the account whose server accepted the token.
    pub fn account_id(&self) -> Option<String> {
        match self {
            Writer::Short { door: Some(Door::Bluesky(session)), .. } => Some(session.id().to_owned()),
            Writer::Short { door: Some(Door::Ap(owner)), .. } => Some(owner.id().to_owned()),
            _ => None,
        }
    }

    /// Ends what [`Writer::open`] began. BSKY-12.
    pub async fn close(&self, world: &World) {
        if let (Writer::Short { door: Some(Door::Bluesky(session)), .. }, Some(net)) = (self, world.net()) {
            session.close(net).await;
        }
    }

    /// Writes the proof.
    pub async fn write(&self, context: &Context, world: &World, claim: &Verified<Claim>) -> Outcome<Vec<PlaceOutcome>> {
        let Some(net) = world.net() else { return Ok(Vec::new()) };
        match self {
            Writer::Zone | Writer::Short { .. } => Ok(Vec::new()),
            Writer::Nostr { key, place } => {
                let text = match place {
                    Place::Note => encode_markdown(claim, None)?,
                    _ => encode_compact(claim)?,
                };
                let (auxiliary, now, options) = (random::bytes()?, context.now.unix_seconds(), world.options(None));
                let publish = async |key: &Key| {
                    publish_proof(&Author::new(key, auxiliary, now), *place, &text, net, &options).await
                };
                let written = with_key(context, key, publish).await?;
                let account = kez_core::Signer::key(key).identity().clone();
                told(context, &account, written.map_err(|error| cannot_write(&account, error))?)
            }
            Writer::Github { account, token, hint } => {
                let text = encode_markdown(claim, hint.as_deref())?;
                let written = github::publish::publish(account, &text, token, net, context.now.unix_seconds()).await;
                let url = written.map_err(|error| cannot_write(account, error))?;
                Ok(vec![PlaceOutcome { url, accepted: true, note: None }])
            }
        }
    }

    /// Takes every proof of the account away.
    pub async fn remove(&self, context: &Context, world: &World) -> Outcome<Vec<PlaceOutcome>> {
        let Some(net) = world.net() else { return Ok(Vec::new()) };
        match self {
            Writer::Zone | Writer::Short { door: None, .. } => Ok(Vec::new()),
            Writer::Short { account, door: Some(door), .. } => {
                let removed = match door {
                    Door::Bluesky(session) => session.unpublish(account, net).await,
                    Door::Ap(owner) => owner.unpublish(account, net).await,
                };
                Ok(removed.map_err(|error| cannot_write(account, error))?.into_iter().map(Into::into).collect())
            }
            Writer::Nostr { key, .. } => {
                let account = kez_core::Signer::key(key).identity().clone();
                let (auxiliary, now, options) = (random::bytes()?, context.now.unix_seconds(), world.options(None));
                let remove = async |key: &Key| unpublish(&Author::new(key, auxiliary, now), net, &options).await;
                let removed = with_key(context, key, remove).await?;
                Ok(removed.map_err(|error| cannot_write(&account, error))?.into_iter().map(Into::into).collect())
            }
            Writer::Github { account, token, .. } => {
                let removed = github::publish::unpublish(account, token, net, context.now.unix_seconds()).await;
                Ok(removed.map_err(|error| cannot_write(account, error))?.into_iter().map(Into::into).collect())
            }
        }
    }
}

/// NET-6: the number is compared before the password or token leaves this computer.
async fn open_door(
    context: &Context,
    world: &World,
    account: &Identity,
    token: &Token,
    known: Option<&str>,
) -> Outcome<Option<Door>> {
    let Some(net) = world.net() else { return Ok(None) };
    let (value, now) = (account.value(), context.now.unix_seconds());
    let failed = |error| cannot_write(account, error);
    if account.system() == System::Bluesky {
        let found = bluesky::publish::Account::find(value, net, now).await.map_err(failed)?;
        check_number(account, found.id(), known)?;
        return Ok(Some(Door::Bluesky(found.log_in(token, net).await.map_err(failed)?)));
    }
    let found = ap::publish::find(value, net, now).await.map_err(failed)?;
    check_number(account, found.id(), known)?;
    let owner = ap::publish::Owner::open(value, found, token.clone(), net).await.map_err(failed)?;
    Ok(Some(Door::Ap(owner)))
}

fn check_number(account: &Identity, id: &str, known: Option<&str>) -> Outcome<()> {
    match known {
        Some(known) if known != id => Err(Failure::new(
            Code::AccountChanged,
            format!("Cannot write as {account}: it is account {id}, and your chain lists account {known}"),
        )
        .hint("If both are yours: --accept-new-account.")),
        _ => Ok(()),
    }
}

/// What the relays said: a failure where none took it, a warning where only one did.
fn told(context: &Context, account: &Identity, outcomes: Vec<RelayOutcome>) -> Outcome<Vec<PlaceOutcome>> {
    let outcomes: Vec<PlaceOutcome> = outcomes.into_iter().map(Into::into).collect();
    match outcomes.iter().filter(|outcome| outcome.accepted).count() {
        0 => {
            let notes: Vec<&str> = outcomes.iter().filter_map(|outcome| outcome.note.as_deref()).collect();
            let message = format!("Cannot publish {account}: no relay took it. {}", notes.join("; "));
            Err(Failure::new(Code::PublishRefused, message))
        }
        1 => {
            context.warn("only one relay accepted the proof: fewer than two are easily lost");
            Ok(outcomes)
        }
        _ => Ok(outcomes),
    }
}

fn cannot_write(account: &Identity, error: NetError) -> Failure {
    Failure::new(error.code, format!("Cannot write as {account}: {}", error.message))
}
