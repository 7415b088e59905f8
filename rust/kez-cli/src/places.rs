//! Where a chain is to be put, by the options of `kez-rs sigchain publish`. DNS-5, NOSTR-10.

use std::path::PathBuf;

use clap::ArgMatches;
use kez_channels::Url;
use kez_core::encoding::dns::format_zone_line;
use kez_core::encoding::parse_hint;
use kez_core::sigchain::{Chain, SubjectStatus};
use kez_core::{Code, Identity, System};

use crate::append::{text, texts};
use crate::context::Context;
use crate::credentials::nostr_key;
use crate::key::Key;
use crate::outcome::{Failure, Outcome};
use crate::upload::store_name;
use crate::world::World;

/// Where the chain goes.
pub struct Places {
    /// Stores.
    pub stores: Vec<Url>,
    /// The file below the folder of a web server.
    pub web: Option<PathBuf>,
    /// Whether lines for zones are wanted.
    pub is_zone: bool,
    /// Whether relays get it.
    pub is_nostr: bool,
}

impl Places {
    /// By the options: `usage`.
    pub fn read(world: &World, name: &str, matches: &ArgMatches) -> Outcome<Places> {
        let is_sync = name == "sync";
        let option = |name: &str| if is_sync { None } else { text(matches, name) };
        let to = if is_sync { Vec::new() } else { texts(matches, "to") };
        let has_store = matches.get_many::<String>("store").is_some();
        let is_to_stores = has_store || to.contains(&"sig") || to.is_empty() && option("web").is_none();
        let web = option("web").map(PathBuf::from);
        let places = Places {
            stores: if is_to_stores { world.stores().to_vec() } else { Vec::new() },
            is_zone: to.contains(&"dns"),
            is_nostr: to.contains(&"nostr"),
            web: web.clone().map(|folder| folder.join(".well-known/kez-sigchain.jsonl")),
        };
        if to.contains(&"web") && web.is_none() {
            let message = "Cannot publish on the web: expected --web DIR, the folder that your web server serves";
            return Err(Failure::usage(message));
        }
        if option("url").is_some() && !places.is_zone {
            return Err(Failure::usage("Cannot use --url without --to dns"));
        }
        if option("credential-file").is_some() && !places.is_nostr {
            return Err(Failure::usage("Cannot use --credential-file without --to nostr"));
        }
        if let Some(folder) = web.filter(|folder| !folder.is_dir()) {
            let shown = folder.display();
            let message = format!("Cannot use --web {shown}: expected the folder that your web server serves");
            return Err(Failure::usage(message));
        }
        if is_to_stores && places.stores.is_empty() {
            return Err(nowhere(is_sync));
        }
        Ok(places)
    }
}

fn nowhere(is_sync: bool) -> Failure {
    let hint = "--store https://sig.example.org, or stores = [\"…\"] in config.toml";
    match is_sync {
        true => Failure::usage("Cannot sync: expected a store").hint(hint),
        false => Failure::usage("Cannot publish the chain: expected a place")
            .hint(format!("A store: {hint}\nOr --web DIR, --to dns, --to nostr")),
    }
}

/// A line for the zone of every domain that the chain lists.
pub fn zone_lines(places: &Places, matches: &ArgMatches, chain: &Chain) -> Outcome<Vec<String>> {
    let domains = listed(chain, System::Dns);
    if domains.is_empty() {
        return Err(Failure::usage("Cannot write lines for a zone: your chain lists no domain")
            .hint("kez-rs sigchain add dns:example.org"));
    }
    let of_store =
        |store: &Url| (store.scheme() == "https").then(|| format!("{}/v1/chains/{}", store_name(store), chain.id()));
    let url = match text(matches, "url") {
        Some(url) => Some(url.to_owned()),
        None => places.stores.first().and_then(of_store),
    };
    let url = url.filter(|url| parse_hint(&format!("Chain: {url}")).is_some()).ok_or_else(|| {
        Failure::usage("Cannot write lines for a zone: expected --url, an https:// URL where your chain lies")
    })?;
    let line = |domain: &&Identity| Ok(format_zone_line(domain.value(), &format!("Chain: {url}"))?);
    domains.iter().map(line).collect()
}

fn listed(chain: &Chain, system: System) -> Vec<&Identity> {
    let is_listed =
        |subject: &&Identity| subject.system() == system && matches!(chain.subject(subject), SubjectStatus::Active(_));
    chain.subjects().into_iter().filter(is_listed).collect()
}

/// The nostr key whose relays readers ask: the primary, or one that the chain lists.
pub fn author_of(context: &Context, matches: &ArgMatches, chain: &Chain) -> Outcome<Key> {
    let primary = chain.state().primary().identity();
    let own = Some(primary).filter(|primary| primary.system() == System::Nostr);
    let keys: Vec<&Identity> = own.into_iter().chain(listed(chain, System::Nostr)).collect();
    let Some(first) = keys.first() else {
        return Err(Failure::usage("Cannot publish on nostr: your chain names no nostr key")
            .hint("Readers ask the relays of the identity's own nostr key, or of one that it lists: kez-rs claim publish nostr:npub1…"));
    };
    let mut failure = None;
    for key in &keys {
        match nostr_key(context, matches, key) {
            Ok(secret) => return Ok(secret),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| Failure::new(Code::KeyNotHeld, format!("Cannot write as {first}"))))
}
