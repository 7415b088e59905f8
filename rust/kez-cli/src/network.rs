//! The way to the network and whom it leads to, by options, environment and settings. `kez help environment`

use std::time::Duration;

use clap::ArgMatches;
use kez_channels::publication::{Relay, suggested_relays};
use kez_channels::{Guarded, NetError, ResolverSettings, Settings, Token, Url};
use kez_core::Code;

use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::settings::{relay_url, store_url};

/// A variable that is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A URL of a store, which may be plain or private: the reader named it. It is not repeated, for it may hold a password.
pub fn parse_url(text: &str) -> Outcome<Url> {
    store_url(text).ok_or_else(|| {
        Failure::usage("Cannot ask the store: expected an http or https URL without user, password, ? and #")
    })
}

/// A URL below that of a store. Each part stays one, whatever is in it.
pub fn below(store: &Url, parts: &[&str]) -> Result<Url, NetError> {
    let mut url = store.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => segments.pop_if_empty().extend(parts),
        Err(()) => return Err(NetError::new(Code::NetUrl, "expected a URL that others can be below")),
    };
    Ok(url)
}

/// The items of a list that commas separate.
pub fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// `--timeout`
fn total_time(matches: &ArgMatches) -> Outcome<Option<Duration>> {
    let Some(typed) = matches.try_get_one::<String>("timeout").ok().flatten() else { return Ok(None) };
    let seconds = typed.parse::<f64>().ok().filter(|seconds| (0.1..=120.0).contains(seconds));
    let seconds = seconds.ok_or_else(|| Failure::usage("Cannot use --timeout: expected 0.1 to 120 seconds"))?;
    Ok(Some(Duration::from_secs_f64(seconds)))
}

/// The network of the options, the environment and the settings, in this order.
pub fn network(context: &Context, matches: &ArgMatches) -> Outcome<Guarded> {
    let servers =
        matches.try_get_one::<String>("resolver").ok().flatten().cloned().or_else(|| variable("KEZ_RESOLVER"));
    let resolver = match servers {
        None => context.settings.resolver.clone().unwrap_or_default(),
        Some(text) => ResolverSettings::parse(&text)
            .ok_or_else(|| Failure::usage("Cannot use the resolver: expected 1.2.3.4, [::1]:53 or https://…"))?,
    };
    let settings = Settings {
        resolver,
        base_urls: context.settings.hosts.clone(),
        total_time: total_time(matches)?,
        ..Settings::default()
    };
    Guarded::new(settings)
        .map_err(|error| Failure::new(error.code, format!("Cannot use the network: {}", error.message)))
}

/// The relays that are asked.
pub fn relays(context: &Context) -> Outcome<Vec<Relay>> {
    let urls = match variable("KEZ_RELAYS") {
        Some(text) => {
            let urls = split(&text).iter().map(|url| relay_url(url)).collect::<Option<Vec<Url>>>();
            urls.ok_or_else(|| Failure::usage("Cannot use KEZ_RELAYS: expected wss:// URLs"))?
        }
        None => context.settings.relays.clone(),
    };
    match urls.is_empty() {
        true => Ok(suggested_relays()),
        false => Ok(urls.into_iter().map(|url| Relay { url, is_suggested: false }).collect()),
    }
}

/// A token for GitHub, which is never needed to read.
pub fn github_token() -> Option<Token> {
    variable("GH_TOKEN").or_else(|| variable("GITHUB_TOKEN")).and_then(Token::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_below_a_store_stays_there() {
        let store = parse_url("http://127.0.0.1:1/base/").unwrap();
        let at = |name: &str| below(&store, &["v1", "chains", name]).unwrap().to_string();
        assert_eq!(at("sha256:00"), "http://127.0.0.1:1/base/v1/chains/sha256:00");
        assert_eq!(at("a/../b?c#d%2f"), "http://127.0.0.1:1/base/v1/chains/a%2F..%2Fb%3Fc%23d%252f");
    }

    #[test]
    fn urls_with_secrets_are_refused_and_not_repeated() {
        for text in
            ["https://user:hunter2@a.example/", "https://hunter2@a.example/", "https://a.example/?hunter2", "hunter2"]
        {
            let failure = parse_url(text).unwrap_err();
            assert_eq!((failure.code(), failure.human().contains("hunter2")), (Code::Usage, false), "{text}");
        }
    }
}
