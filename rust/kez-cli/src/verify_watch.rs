//! `kez-rs verify id --watch`: looks again and again, and says what changed.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgMatches;
use futures_util::future::join_all;
use kez_core::{Identity, Json};

use crate::context::Context;
use crate::judge::judge_account;
use crate::outcome::{Failure, Outcome};
use crate::told::Told;
use crate::world::World;
use crate::{live, verify};

/// The seconds of `--watch`, if it was given.
pub fn seconds(matches: &ArgMatches) -> Outcome<Option<u64>> {
    let Some(typed) = matches.get_one::<String>("watch") else { return Ok(None) };
    let seconds = typed.parse::<u64>().ok().filter(|seconds| (5..=86_400).contains(seconds));
    seconds.map(Some).ok_or_else(|| Failure::usage("Cannot use --watch: expected 5 to 86400 seconds"))
}

/// Runs it, until it is interrupted.
pub fn run(context: &Context, matches: &ArgMatches, subjects: &[Identity], seconds: u64) -> Outcome {
    let world = World::new(context, matches, false)?;
    verify::block_on(async {
        let mut last: BTreeMap<&Identity, [Json; 4]> = BTreeMap::new();
        loop {
            let now = context.refreshed()?;
            let world = world.at(&now);
            let look = |subject: &Identity| {
                let question = verify::question(matches, Some(subject.clone()));
                let (now, world) = (&now, &world);
                async move { judge_account(now, world, &question?).await }
            };
            let told = join_all(subjects.iter().map(look)).await;
            for (subject, told) in subjects.iter().zip(told) {
                let told = told?;
                let essence = essence(&told);
                if last.insert(subject, essence.clone()) != Some(essence) {
                    live::tell(context, verify::answer(&told))?;
                }
            }
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    })
}

/// What has to change to be told: status, reason, key, chain.
fn essence(told: &Told) -> [Json; 4] {
    let members = told.data.as_object();
    let member = |name: &str| members.and_then(|members| members.get(name).cloned()).unwrap_or(Json::Null);
    let chain = member("chain").as_object().and_then(|chain| chain.get("id").cloned()).unwrap_or(Json::Null);
    [member("status"), member("reason"), member("primary"), chain]
}
