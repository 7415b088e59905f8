//! Where a proof is published, and how long it is looked for there. SPEC NET-6.

use std::time::Duration;

use clap::ArgMatches;
use kez_channels::{Look, find_channel};
use kez_core::{Code, Identity, System};
use tokio::time::{Instant, sleep};

use crate::append::text;
use crate::context::Context;
use crate::live;
use crate::outcome::{Failure, Outcome};
use crate::world::World;

/// The place of `--place`, else the usual one: `usage`, and `channel.unsupported` where nothing here can write.
pub fn check_place(subject: &Identity, matches: &ArgMatches) -> Outcome<&'static str> {
    let typed = matches.try_get_one::<String>("place").ok().flatten().map(String::as_str);
    let has_credentials = text(matches, "credential-file").is_some();
    let places: &[&'static str] = match subject.system() {
        System::Dns if typed.is_some() || has_credentials => {
            let message = "Cannot use --place and --credential-file for a domain: its zone is edited by hand";
            return Err(Failure::usage(message));
        }
        System::Dns => &["zone"],
        System::Nostr => &["app-data", "profile", "note"],
        System::Github => &["gist"],
        System::Kez => {
            let message = format!("Cannot publish {subject}: nothing here can write to its place");
            return Err(Failure::new(Code::ChannelUnsupported, message)
                .hint("Its chat server publishes it when the handle is registered."));
        }
        System::Ed25519 => {
            let message = format!("Cannot look at {subject}: it is a key, and keys have no place of their own");
            return Err(Failure::new(Code::ChannelUnsupported, message)
                .hint("Accounts are looked at: dns:, github:, nostr:, bluesky:, ap:, kez:."));
        }
        System::Bluesky => &["profile", "post"],
        System::Ap => &["field", "bio", "post"],
    };
    let has_name_server = matches.try_get_one::<String>("name-server").ok().flatten().is_some();
    if has_name_server && subject.system() != System::Dns {
        let message = format!("Cannot use --name-server for {subject}: expected a domain, dns:…");
        return Err(Failure::usage(message));
    }
    let chosen = match typed {
        None => places.first(),
        Some(typed) => places.iter().find(|place| **place == typed),
    };
    chosen.copied().ok_or_else(|| {
        let expected = places.join(", ");
        Failure::usage(format!("Cannot publish {subject} there: expected --place {expected}"))
    })
}

/// `--wait`
pub fn wait_seconds(matches: &ArgMatches, subject: &Identity) -> Outcome<u64> {
    let usual = if subject.system() == System::Dns { 600 } else { 60 };
    let Some(typed) = text(matches, "wait") else { return Ok(usual) };
    let seconds = typed.parse::<u64>().ok().filter(|seconds| *seconds <= 86_400);
    seconds.ok_or_else(|| Failure::usage("Cannot use --wait: expected 0 to 86400 seconds"))
}

/// Looks until it is as wanted, or the time is over.
pub async fn wait_until(
    context: &Context,
    world: &World,
    subject: &Identity,
    wait: u64,
    is_as_wanted: impl Fn(&Look) -> bool,
) -> Outcome<Look> {
    let unsupported = || Failure::new(Code::ChannelUnsupported, format!("Cannot look at {subject}"));
    let channel = find_channel(subject.system()).ok_or_else(unsupported)?;
    let end = Instant::now() + Duration::from_secs(wait);
    let mut pause = Duration::from_secs(2);
    loop {
        let now = context.refreshed()?;
        let world = world.at(&now);
        let net = world.net().ok_or_else(unsupported)?;
        let look = channel.look(subject.value(), net, &world.options(None)).await;
        if is_as_wanted(&look) || Instant::now() + pause > end {
            return Ok(look);
        }
        live::progress(context, &format!("{subject} does not show it yet"));
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}
