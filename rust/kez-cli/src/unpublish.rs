//! `kez-rs claim unpublish`: every proof of the account away from its place. SPEC NOSTR-8, GH-9. `kez.unpublish/1`

use clap::ArgMatches;
use kez_channels::{Look, Outcome as Sight};
use kez_core::{Code, System};

use crate::append::text;
use crate::context::Context;
use crate::json::object;
use crate::outcome::{Answer, Failure, Outcome};
use crate::publish_listing::pinned;
use crate::publish_place::{check_place, wait_seconds, wait_until};
use crate::seen::shows_any;
use crate::verify::block_on;
use crate::world::World;
use crate::writer::{PlaceOutcome, Writer};
use crate::{claim, signing};

/// Runs `unpublish`.
pub fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let subject = claim::parse_subject(text(matches, "subject").unwrap_or_default())?;
    if subject.system() == System::Dns {
        let message = format!("Cannot unpublish {subject}: a zone is edited by its owner alone");
        return Err(Failure::new(Code::ChannelUnsupported, message).hint(format!(
            "Remove the TXT record _kez.{} from the zone.\nIf the domain is not to be yours any more: kez-rs sigchain revoke {subject}",
            subject.value()
        )));
    }
    let place = check_place(&subject, matches)?;
    let wait = wait_seconds(matches, &subject)?;
    let world = World::new(context, matches, false)?;
    let key = signing::acting_key(context, matches)?;
    let writer = Writer::new(context, matches, &subject, place)?;
    block_on(async {
        let known = pinned(context, &key, &subject)?;
        let accepted = if matches.get_flag("accept-new-account") { None } else { known };
        let writer = writer.open(context, &world, accepted.as_deref()).await?;
        let removed = writer.remove(context, &world).await;
        writer.close(&world).await;
        let outcomes = removed?;
        let is_gone = |look: &Look| matches!(look.publication.outcome, Sight::Absent);
        let look = wait_until(context, &world, &subject, wait, is_gone).await?;
        let still_seen = match &look.publication.outcome {
            Sight::Absent => Some(false),
            Sight::Found { .. } => Some(shows_any(&look, &subject)),
            _ => None,
        };
        let data = object! {
            "subject" => subject, "outcomes" => outcomes.iter().map(PlaceOutcome::to_json).collect::<Vec<_>>(),
            "still_seen" => still_seen,
        };
        let (exit, line) = match still_seen {
            Some(false) => (0, format!("✓ {subject} shows no proof of yours\n")),
            Some(true) => (1, format!("✗ {subject} still shows a proof of yours\n")),
            None => (5, format!("? {subject} does not answer\n")),
        };
        let human = outcomes.iter().map(PlaceOutcome::line).collect::<String>() + &line;
        Ok(Answer { exit, ..Answer::new("kez.unpublish/1", data, human) })
    })
}
