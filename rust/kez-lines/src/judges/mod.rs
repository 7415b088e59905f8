//! The judges by suite.

mod chain;
mod decoding;
mod files;
mod places;
mod proof;
mod replay;
mod stream;
#[path = "../../../kez-channels/tests/support/mod.rs"]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the network of the channels' own tests: a case that it cannot read is no case"
)]
mod table;
mod verdict;

use serde_json::Value;

use crate::outcome::{Answer, Fault};

/// The outcome of a case of a suite.
pub fn judge(suite: &str, case: &Value) -> Answer {
    match suite {
        "identities" => decoding::identity(case),
        "json" => decoding::json(case),
        "canonical-json" => decoding::canonical_json(case),
        "times" => decoding::times(case),
        "ed25519" => decoding::ed25519(case),
        "schnorr" => decoding::schnorr(case),
        "envelopes" => decoding::envelope(case),
        "encodings" => proof::encoding(case),
        "mnemonics" => proof::mnemonic(case),
        "chain-documents" => chain::document(case),
        "sigchain-link" => chain::link(case),
        "sigchain-replay" | "sigchain-forks" => replay::replay(case),
        "verdicts" => verdict::verdict(case),
        "nostr-chains" => places::nostr_chain(case),
        "shared-files" => files::shared_files(case),
        "streams" => stream::stream(case),
        _ if suite.starts_with("channel-") => places::publication(suite, case),
        _ => Err(Fault(format!("no suite {suite}"))),
    }
}
