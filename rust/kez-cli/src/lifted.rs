//! What `kez-rs sigchain revoke-device` lifts: revocations of branches that lost have no effect any more, whoever wanted
//! them. SPEC FORK-6.

use kez_core::sigchain::Lift;
use kez_core::{Code, Json, KeyIdentity};

use crate::ask;
use crate::context::Context;
use crate::json::{object, with};
use crate::outcome::{Answer, Failure, Outcome};

/// Goes on only after a yes where it lifts more than revocations of these devices, which somebody named: `input.missing`
/// where nobody can be asked, `input.cancelled` after a no.
pub fn ask_to_lift(context: &Context, lift: &Lift, kept: &[KeyIdentity]) -> Outcome<()> {
    let devices: Vec<KeyIdentity> = lift.devices.iter().filter(|key| !kept.contains(key)).cloned().collect();
    let asked = Lift { devices, subjects: lift.subjects.clone() };
    if asked.is_empty() {
        return Ok(());
    }
    let what = format!("That lifts revocations of branches that lost, yours among them: {}", counted(&asked));
    if context.may_ask() {
        return ask::yes(&format!("{what}.\nGo on?"), "nothing was signed");
    }
    let message = "Cannot revoke: that lifts other revocations, and nobody can be asked";
    let next = "To lift them: --yes. What is to stay revoked: a device is named too; an account is revoked again after that, \
        with kez-rs sigchain revoke.";
    Err(Failure::new(Code::InputMissing, message).hint(format!("{what}.\n{next}")))
}

/// Such as `ed25519:… is suspended no more; github:alice is revoked no more`.
fn counted(lift: &Lift) -> String {
    let devices = lift.devices.iter().map(|key| format!("{key} is suspended no more"));
    let subjects = lift.subjects.iter().map(|subject| format!("{subject} is revoked no more"));
    devices.chain(subjects).collect::<Vec<_>>().join("; ")
}

/// The answer with what was lifted, which is warned of too.
pub fn told(context: &Context, answer: Answer, lift: &Lift) -> Answer {
    if !lift.is_empty() {
        context.warn(format!("revocations of branches that lost were lifted: {}", counted(lift)));
    }
    let data: Json = object! { "devices" => lift.devices, "subjects" => lift.subjects };
    Answer { data: with(answer.data, "lifted", data), ..answer }
}
