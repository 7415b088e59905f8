//! `kez-rs claim`: signed texts that say an account is yours.

use clap::ArgMatches;
use kez_core::encoding::dns::{encode_dns, format_zone_line};
use kez_core::encoding::{encode_compact, encode_json, encode_markdown, parse_hint};
use kez_core::envelope::{Claim, Verified};
use kez_core::sigchain::{Chain, SubjectStatus};
use kez_core::{ClaimDraft, Code, Digest, Identity, KeyIdentity, Subject, System, Time, sign_claim};

use crate::context::Context;
use crate::json::object;
use crate::outcome::{Answer, Failure, Outcome, cannot};
use crate::{chains, home, signing};

/// Runs one of its commands.
pub fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    match name {
        "create" => create(context, matches),
        "dns" => dns(context, matches),
        "publish" => crate::publish_claim::publish(context, matches),
        "unpublish" => crate::unpublish::run(context, matches),
        _ => list(context, matches),
    }
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// A subject as people type it.
pub fn parse_subject(typed: &str) -> Outcome<Identity> {
    Identity::parse(typed).map_err(cannot("read the subject"))
}

fn create(context: &Context, matches: &ArgMatches) -> Outcome {
    let subject = parse_subject(text(matches, "subject").unwrap_or_default())?;
    let format = text(matches, "format").unwrap_or("markdown");
    let hint = hint(matches)?;
    if format == "dns" && subject.system() != System::Dns {
        return Err(Failure::usage(format!("Cannot write {subject} as DNS: expected a dns: subject")));
    }
    if hint.is_some() && !matches!(format, "markdown" | "dns") {
        return Err(Failure::usage(format!(
            "Cannot write a chain hint beside {format}: expected --format markdown or dns"
        )));
    }
    if format == "reference" {
        return reference(context, matches, &subject, false);
    }
    let expires_at = text(matches, "expires").map(|typed| parse_expiry(typed, context.now)).transpose()?;
    let claim = make(context, matches, subject, expires_at)?;
    answer(context, matches, &claim, format, hint, false)
}

fn make(
    context: &Context,
    matches: &ArgMatches,
    subject: Identity,
    expires_at: Option<Time>,
) -> Outcome<Verified<Claim>> {
    let signer = signing::signer(context, matches)?;
    let claim = sign_claim(&ClaimDraft { subject, created_at: context.now, expires_at }, &signer)?;
    context.store.keep_claim(&claim)?;
    Ok(claim)
}

fn hint(matches: &ArgMatches) -> Outcome<Option<&str>> {
    let Some(url) = text(matches, "chain-hint") else { return Ok(None) };
    match parse_hint(&format!("Chain: {url}")) {
        Some(_) => Ok(Some(url)),
        None => Err(Failure::usage("Cannot write the chain hint: expected an https:// URL of at most 2048 characters")),
    }
}

/// `--chain-hint`, where the command has that option.
pub fn hint_of(matches: &ArgMatches) -> Outcome<Option<String>> {
    match matches.try_contains_id("chain-hint") {
        Ok(true) => Ok(hint(matches)?.map(str::to_owned)),
        _ => Ok(None),
    }
}

/// `90d`, `2027-01-01`, or a time; in the past → `usage`.
pub fn parse_expiry(typed: &str, now: Time) -> Outcome<Time> {
    let bad =
        || Failure::usage("Cannot read --expires: expected 90d, 2027-01-01 or 2027-01-01T12:00:00Z in the future");
    let time = match parse_duration(typed) {
        Some(seconds) => Time::from_unix_seconds(now.unix_seconds().saturating_add(seconds)).ok(),
        None if typed.len() == 10 => Time::parse(&format!("{typed}T00:00:00Z")).ok(),
        None => Time::parse_in_claim(typed).ok(),
    };
    time.filter(|time| *time > now).ok_or_else(bad)
}

/// `15m`, `8h`, `90d`, `2w`, `1y` in seconds.
pub fn parse_duration(typed: &str) -> Option<u64> {
    let unit = typed.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        'y' => 31_536_000,
        _ => return None,
    };
    let count = typed.strip_suffix(unit)?;
    // No sign and no zero before it: one way to write a time.
    let is_count = count.bytes().all(|byte| byte.is_ascii_digit()) && (count == "0" || !count.starts_with('0'));
    let count = count.parse::<u32>().ok().filter(|_| is_count)?;
    Some(u64::from(count) * seconds)
}

/// The text of a claim in a form, with a line feed after it.
pub fn encode(claim: &Verified<Claim>, format: &str, hint: Option<&str>) -> Outcome<String> {
    let text = match format {
        "json" => encode_json(claim)?,
        "compact" => encode_compact(claim)?,
        "dns" => with_hint_line(claim, hint)?,
        _ => return Ok(encode_markdown(claim, hint)?),
    };
    Ok(text + "\n")
}

fn with_hint_line(claim: &Verified<Claim>, hint: Option<&str>) -> Outcome<String> {
    let line = encode_dns(claim)?;
    let Some(url) = hint else { return Ok(line) };
    let domain = claim.payload().subject.known()?.value();
    Ok(format!("{line}\n{}", format_zone_line(domain, &format!("Chain: {url}"))?))
}

fn answer(
    context: &Context,
    matches: &ArgMatches,
    claim: &Verified<Claim>,
    format: &str,
    hint: Option<&str>,
    reused: bool,
) -> Outcome {
    let text = encode(claim, format, hint)?;
    let file = write_out(matches, &text)?;
    let payload = claim.payload();
    // Lines of compact text and of zones are told without the line feed that files have.
    let told = if matches!(format, "json" | "markdown") { text.as_str() } else { text.trim_end() };
    let data = object! {
        "subject" => subject_text(&payload.subject), "primary" => payload.primary, "format" => format, "text" => told,
        "file" => file, "digest" => claim.digest(), "created_at" => payload.created_at,
        "expires_at" => payload.expires_at, "reused" => reused,
    };
    Ok(Answer::new("kez.claim/1", data, human(context, file, &text)))
}

fn human(context: &Context, file: Option<&str>, text: &str) -> String {
    match file {
        Some(path) if !context.quiet => format!("wrote {path}\n"),
        Some(_) => String::new(),
        None => text.to_owned(),
    }
}

/// `--out`: the path, where there is one. A file that is there is left without `--force`.
pub fn write_out<'a>(matches: &'a ArgMatches, text: &str) -> Outcome<Option<&'a str>> {
    let Some(path) = matches.get_one::<String>("out") else { return Ok(None) };
    home::write(std::path::Path::new(path), text.as_bytes(), !matches.get_flag("force"))?;
    Ok(Some(path))
}

fn reference(context: &Context, matches: &ArgMatches, subject: &Identity, is_zone: bool) -> Outcome {
    let key = signing::acting_key(context, matches)?;
    let held = context.store.chains()?;
    let chain = chains::find_of_key(&held, &key)?.ok_or_else(|| {
        Failure::new(Code::ChainUnknown, format!("Cannot find a chain of {key} on this computer"))
            .hint("kez-rs sigchain add SUBJECT begins one; kez-rs sigchain import FILE brings one here.")
    })?;
    if !matches!(chain.subject(subject), SubjectStatus::Active(_)) {
        return Err(Failure::new(
            Code::ClaimNotInChain,
            format!("Cannot refer to the chain: it does not list {subject}"),
        )
        .hint(format!("kez-rs sigchain add {subject}")));
    }
    let reference = format!("kez:r1:{}", chain.id().to_hex());
    let text = if is_zone { format_zone_line(subject.value(), &reference)? } else { reference };
    let file = write_out(matches, &format!("{text}\n"))?;
    let data = object! {
        "subject" => subject, "primary" => chain.state().primary(), "format" => "reference", "text" => text,
        "file" => file, "chain" => chain.id(),
    };
    Ok(Answer::new("kez.claim/1", data, human(context, file, &format!("{text}\n"))))
}

fn dns(context: &Context, matches: &ArgMatches) -> Outcome {
    let typed = text(matches, "domain").unwrap_or_default();
    let subject = parse_subject(&if typed.starts_with("dns:") { typed.to_owned() } else { format!("dns:{typed}") })?;
    if matches.get_flag("reference") {
        return reference(context, matches, &subject, true);
    }
    let expires_at = text(matches, "expires").map(|typed| parse_expiry(typed, context.now)).transpose()?;
    let hint = hint(matches)?;
    let key = signing::acting_key(context, matches)?;
    let earlier = earlier(context, &key, &subject)?;
    if let Some(claim) = earlier.filter(|_| !matches.get_flag("new") && expires_at.is_none()) {
        return answer(context, matches, &claim, "dns", hint, true);
    }
    answer(context, matches, &make(context, matches, subject, expires_at)?, "dns", hint, false)
}

/// The newest claim of this key for the account that was made here and serves.
pub fn earlier(context: &Context, key: &KeyIdentity, subject: &Identity) -> Outcome<Option<Verified<Claim>>> {
    let held = context.store.chains()?;
    let serves = |claim: &Verified<Claim>| {
        let payload = claim.payload();
        payload.primary == *key
            && payload.subject.known().is_ok_and(|it| it == subject)
            && state(context, &held, claim).0 == "valid"
    };
    Ok(context.store.claims()?.into_iter().rfind(serves))
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Known(subject) => subject.to_string(),
        Subject::Unsupported(text) => text.clone(),
    }
}

/// Whether a claim serves, and whether the chain names it.
fn state(
    context: &Context,
    held: &std::collections::BTreeMap<Digest, Chain>,
    claim: &Verified<Claim>,
) -> (&'static str, bool) {
    let payload = claim.payload();
    let chain = chains::find_of_key(held, &payload.primary).ok().flatten();
    let subject = payload.subject.known().ok();
    let status = chain.zip(subject).map(|(chain, subject)| (chain, subject, chain.subject(subject)));
    let listed = matches!(&status, Some((.., SubjectStatus::Active(listing))) if listing.proof == Some(claim.digest()));
    let state = match status {
        _ if payload.expires_at.is_some_and(|expires_at| context.now >= expires_at) => "expired",
        Some((.., SubjectStatus::Revoked)) => "revoked",
        Some((chain, subject, SubjectStatus::Active(_))) if !listed && chain.was_revoked(subject) => "replaced",
        _ => "valid",
    };
    (state, listed)
}

fn list(context: &Context, matches: &ArgMatches) -> Outcome {
    let held = context.store.chains()?;
    let format = text(matches, "format");
    let mut claims = context.store.claims()?;
    claims.reverse();
    claims.sort_by_key(|claim| std::cmp::Reverse(claim.payload().created_at));
    let (mut rows, mut table, mut texts) = (Vec::new(), String::new(), String::new());
    for claim in &claims {
        let payload = claim.payload();
        let (state, listed) = state(context, &held, claim);
        let mut row = object! {
            "subject" => subject_text(&payload.subject), "primary" => payload.primary, "digest" => claim.digest(),
            "created_at" => payload.created_at, "expires_at" => payload.expires_at, "state" => state, "listed" => listed,
        };
        if let Some(format) = format {
            let form = match (format, state) {
                ("reference", "valid") => listed_reference(&held, &payload.primary),
                (_, "valid") => encode(claim, format, None).ok(),
                _ => None,
            };
            texts.push_str(form.as_deref().unwrap_or_default());
            row = crate::json::with(row, "text", form.map(|form| form.trim_end().to_owned()));
        }
        let in_chain = if listed { "listed" } else { "not listed" };
        table.push_str(&format!("{}  {state}  {in_chain}  {}\n", subject_text(&payload.subject), payload.created_at));
        rows.push(row);
    }
    let human = if format.is_some() { texts } else { table };
    let mut data = object! { "claims" => rows };
    if let Some(path) = write_out(matches, &human)? {
        data = crate::json::with(data, "file", path);
        return Ok(Answer::new("kez.claims/1", data, ""));
    }
    Ok(Answer::new("kez.claims/1", data, human))
}

fn listed_reference(held: &std::collections::BTreeMap<Digest, Chain>, key: &KeyIdentity) -> Option<String> {
    let chain = chains::find_of_key(held, key).ok().flatten()?;
    Some(format!("kez:r1:{}\n", chain.id().to_hex()))
}
