//! Whether a place shows a proof.

use kez_channels::{Look, Outcome as Sight};
use kez_core::encoding::{Proof, decode_candidate, find_candidates};
use kez_core::{Code, Digest, Identity};

use crate::outcome::{Failure, Outcome};

fn proofs(look: &Look) -> Vec<Proof> {
    let Sight::Found { candidates, .. } = &look.publication.outcome else { return Vec::new() };
    let found = candidates.iter().filter_map(|it| find_candidates(it.text.as_bytes()).ok());
    found.flat_map(|found| found.candidates).filter_map(|it| decode_candidate(&it).ok()).collect()
}

/// Whether it shows this claim.
pub fn shows(look: &Look, digest: &Digest) -> bool {
    proofs(look).iter().any(|proof| matches!(proof, Proof::Claim(claim) if claim.digest() == *digest))
}

/// Whether it shows a reference to this chain.
pub fn refers(look: &Look, chain: &Digest) -> bool {
    proofs(look).iter().any(|proof| matches!(proof, Proof::Reference(reference) if reference.chain == *chain))
}

/// Whether it shows any proof of this account.
pub fn shows_any(look: &Look, subject: &Identity) -> bool {
    proofs(look).iter().any(|proof| match proof {
        Proof::Claim(claim) => claim.payload().subject.known().is_ok_and(|it| it == subject),
        Proof::Reference(_) => true,
    })
}

/// The account's number where the place shows the claim, else `publish.unconfirmed`.
pub fn confirmed(subject: &Identity, look: Look, digest: &Digest) -> Outcome<Option<String>> {
    confirmed_if(subject, shows(&look, digest), look)
}

/// The same for any kind of proof.
pub fn confirmed_if(subject: &Identity, is_shown: bool, look: Look) -> Outcome<Option<String>> {
    if is_shown {
        return Ok(look.publication.account_id);
    }
    let why = match look.publication.outcome.code() {
        Some(code) => format!("it was published, and its place says {code}"),
        None => "it was published, and its place shows another proof".to_owned(),
    };
    Err(Failure::new(Code::PublishUnconfirmed, format!("Cannot confirm the proof of {subject}: {why}"))
        .hint("Run the same command again later: it writes nothing anew, and looks again."))
}
