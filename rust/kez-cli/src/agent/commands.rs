//! `kez-rs identity unlock` and `lock`. `kez.unlock/1`, `kez.lock/1`

use clap::ArgMatches;
use kez_core::Time;

use super::{MAX_SECONDS, lock as lock_one, names, start};
use crate::claim::parse_duration;
use crate::context::Context;
use crate::json::object;
use crate::keys::{self, Identity};
use crate::outcome::{Answer, Failure, Outcome};

/// Where neither the option nor a setting says otherwise.
const USUAL_SECONDS: u64 = 15 * 60;
/// What such a time is.
const EXPECTED: &str = "expected a time such as 15m or 8h, at most 24h";

/// How long a key stays unlocked, as it is typed: none where it is not such a time.
pub fn parse_seconds(typed: &str) -> Option<u64> {
    parse_duration(typed).filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
}

/// Runs `unlock`.
pub fn unlock(context: &Context, matches: &ArgMatches, identity: &Identity) -> Outcome {
    let seconds = match matches.get_one::<String>("for") {
        None => match &context.settings.unlock_for {
            None => USUAL_SECONDS,
            Some(typed) => parse_seconds(typed)
                .ok_or_else(|| Failure::usage(format!("Cannot use unlock_for of config.toml: {EXPECTED}")))?,
        },
        Some(typed) => parse_seconds(typed).ok_or_else(|| Failure::usage(format!("Cannot use --for: {EXPECTED}")))?,
    };
    let secret = keys::open(context, identity)?;
    let until = context.later()?.unix_seconds().saturating_add(seconds);
    start(context, &identity.name, &secret, until)?;
    let data = object! { "name" => identity.name, "identity" => identity.key, "unlocked_until" => until };
    let name = &identity.name;
    let human = format!("{name} is unlocked until {}. To end it now: kez-rs identity lock {name}\n", shown(until));
    Ok(Answer::new("kez.unlock/1", data, human))
}

/// Runs `lock`: one name, or all.
pub fn lock(context: &Context, name: Option<&str>) -> Outcome {
    let all = match name {
        Some(name) => {
            keys::check_known_name(name)?;
            vec![name.to_owned()]
        }
        None => names(context)?,
    };
    let (mut locked, mut failures) = (Vec::new(), Vec::new());
    // One that cannot be ended keeps no other unlocked.
    for name in all {
        match lock_one(context, &name) {
            Ok(true) => locked.push(name),
            Ok(false) => {}
            Err(failure) => failures.push(failure),
        }
    }
    let mut failures = failures.into_iter();
    if let Some(failure) = failures.next() {
        failures.for_each(|other| context.warn(other.message()));
        if !locked.is_empty() {
            context.warn(format!("locked: {}", locked.join(", ")));
        }
        return Err(failure);
    }
    let human = match locked.as_slice() {
        [] => "Nothing was unlocked.\n".to_owned(),
        names => format!("Locked: {}.\n", names.join(", ")),
    };
    Ok(Answer::new("kez.lock/1", object! { "locked" => locked }, human))
}

/// A time for people, in UTC as all that is shown here.
pub fn shown(until: u64) -> String {
    Time::from_unix_seconds(until).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_unlocked_for_a_day_at_most() {
        for (typed, seconds) in [
            ("3s", Some(3)),
            ("15m", Some(900)),
            ("8h", Some(28_800)),
            ("24h", Some(86_400)),
            ("1d", Some(86_400)),
            ("25h", None),
            ("30d", None),
            ("0m", None),
            ("15", None),
            ("", None),
            ("-1m", None),
            ("+15m", None),
            ("015m", None),
            ("15M", None),
        ] {
            assert_eq!(parse_seconds(typed), seconds, "{typed}");
        }
    }
}
