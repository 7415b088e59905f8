//! Waiting until a record of a zone is seen: by the zone's own name servers, and by the public resolvers that most readers ask.
//! docs/guides/dns.md

use std::io::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use futures_util::future::join_all;
use kez_channels::{Guarded, Net as _, ResolverSettings, Settings};
use kez_core::encoding::dns::encode_dns;
use kez_core::encoding::{Proof, decode_candidate, find_in_records};
use kez_core::envelope::{Claim, Verified};
use kez_core::{Code, Json};
use tokio::time::{Instant, sleep};

use crate::append::text;
use crate::context::Context;
use crate::json::object;
use crate::live;
use crate::outcome::{Failure, Outcome};
use crate::world::World;

/// Most readers hear it from one of these.
const PUBLIC: [&str; 3] = ["1.1.1.1", "8.8.8.8", "9.9.9.9"];
/// Name servers of a zone that are asked at most.
const MAX_NAME_SERVERS: usize = 8;

/// Who is asked for the record.
struct Server {
    name: String,
    role: &'static str,
    net: Option<Guarded>,
    state: &'static str,
    /// Looks in a row without an answer.
    silent: u32,
}

/// What every server showed at the end, and a resolver that showed it; `publish.unconfirmed` where none did.
pub async fn wait_for(
    context: &Context,
    matches: &ArgMatches,
    world: &World,
    claim: &Verified<Claim>,
    wait: u64,
) -> Outcome<(Vec<Json>, Option<Guarded>)> {
    let subject = claim.payload().subject.known()?;
    let line = encode_dns(claim)?;
    if context.json {
        live::progress(context, "this line belongs into the zone");
        live::progress(context, &line);
    } else {
        // The line is told again by the hint of a failure.
        let _ = writeln!(std::io::stdout(), "{line}");
        live::progress(
            context,
            &format!("this line belongs into the zone; looking until it is seen, for {wait} s at most"),
        );
    }
    let mut servers = servers(context, matches, world, subject.value()).await?;
    let name = format!("_kez.{}", subject.value());
    let end = Instant::now() + Duration::from_secs(wait);
    let mut pause = Duration::from_secs(5);
    loop {
        let looked = join_all(servers.iter().map(|server| look(server, &name, claim))).await;
        for (server, state) in servers.iter_mut().zip(looked) {
            if server.state != state {
                live::progress(context, &sentence(&server.name, state));
            }
            server.silent = if state == "unreachable" { server.silent + 1 } else { 0 };
            server.state = state;
        }
        let is_shown = servers.iter().any(|server| server.state == "shown");
        let is_done = servers.iter().all(|server| server.state == "shown" || server.silent >= 2);
        if is_shown && is_done || Instant::now() + pause > end {
            return finish(context, servers, subject.as_str());
        }
        live::progress(context, &format!("looking again in {} s", pause.as_secs()));
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}

fn sentence(server: &str, state: &str) -> String {
    match state {
        "shown" => format!("{server} shows it"),
        "absent" => format!("{server} does not show it yet"),
        _ => format!("{server} does not answer"),
    }
}

fn finish(context: &Context, servers: Vec<Server>, subject: &str) -> Outcome<(Vec<Json>, Option<Guarded>)> {
    let rows = servers.iter().map(|server| {
        object! {
            "server" => server.name, "role" => server.role.to_owned(), "state" => server.state.to_owned(),
            "wait_seconds" => Json::Null,
        }
    });
    let rows: Vec<Json> = rows.collect();
    let first = servers.first().map(|server| sentence(&server.name, server.state)).unwrap_or_default();
    for server in servers.iter().filter(|server| server.state != "shown") {
        context.warn(sentence(&server.name, server.state));
    }
    match servers.into_iter().find(|server| server.state == "shown") {
        Some(server) => Ok((rows, server.net)),
        None => {
            context.forget_warnings();
            let message = format!("Cannot confirm the proof of {subject}: {first}");
            Err(Failure::new(Code::PublishUnconfirmed, message)
                .hint("Is it in the zone? kez-rs claim dns prints the line.\nRun the same command again later."))
        }
    }
}

async fn servers(context: &Context, matches: &ArgMatches, world: &World, domain: &str) -> Outcome<Vec<Server>> {
    let mut servers = Vec::new();
    match text(matches, "name-server") {
        Some(typed) => {
            let settings = ResolverSettings::parse(typed).filter(|_| !typed.starts_with("https:"));
            let settings =
                settings.ok_or_else(|| Failure::usage("Cannot use --name-server: expected 1.2.3.4 or [::1]:53"))?;
            servers.push(server(typed, "authoritative", Some(settings)));
        }
        None => {
            for (name, settings) in name_servers(world, domain).await {
                servers.push(server(&name, "authoritative", settings));
            }
            if servers.is_empty() {
                servers.push(server(&format!("the zone of {domain}"), "authoritative", None));
            }
        }
    }
    let suggested = || PUBLIC.iter().map(|it| (*it).to_owned()).collect();
    for typed in context.settings.public_resolvers.clone().unwrap_or_else(suggested) {
        servers.push(server(&typed, "public", ResolverSettings::parse(&typed)));
    }
    Ok(servers)
}

fn server(name: &str, role: &'static str, resolver: Option<ResolverSettings>) -> Server {
    let net = resolver.and_then(|resolver| Guarded::new(Settings { resolver, ..Settings::default() }).ok());
    Server { name: name.to_owned(), role, net, state: "", silent: 0 }
}

/// The name servers of the zone that the domain is in, and the addresses of each that are public: any domain can name
/// others.
async fn name_servers(world: &World, domain: &str) -> Vec<(String, Option<ResolverSettings>)> {
    let Some(net) = world.net() else { return Vec::new() };
    let mut zone = domain;
    loop {
        let names = net.name_servers(zone).await.unwrap_or_default();
        if !names.is_empty() {
            let found = names.into_iter().take(MAX_NAME_SERVERS).map(|name| async move {
                let addresses = net.public_addresses(&name).await.unwrap_or_default();
                let servers: Vec<String> = addresses.iter().map(|address| format!("[{address}]")).collect();
                let settings = if servers.is_empty() { None } else { ResolverSettings::parse(&servers.join(",")) };
                (name, settings)
            });
            return join_all(found).await;
        }
        match zone.split_once('.') {
            Some((_, parent)) if parent.contains('.') => zone = parent,
            _ => return Vec::new(),
        }
    }
}

async fn look(server: &Server, name: &str, claim: &Verified<Claim>) -> &'static str {
    let Some(net) = &server.net else { return "unreachable" };
    let Ok(records) = net.txt(name).await else { return "unreachable" };
    let texts = records.iter().filter_map(|record| str::from_utf8(record).ok());
    let found = find_in_records(texts).unwrap_or_default();
    let mut proofs = found.candidates.iter().filter_map(|candidate| decode_candidate(candidate).ok());
    let is_ours = |proof: Proof| matches!(proof, Proof::Claim(it) if it.digest() == claim.digest());
    if proofs.any(is_ours) { "shown" } else { "absent" }
}
