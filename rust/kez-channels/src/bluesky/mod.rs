//! `bluesky:` — profile and posts of an account of atproto. The handle is a name; the DID stays. SPEC §7.5.

mod did;
mod facets;
mod handle;
pub mod publish;
mod records;

use kez_core::Code;

use crate::net::read::no_answer;
use crate::net::{Net, NetError};
use crate::publication::{Evidence, Look, Options, Outcome, Publication};
use did::{Did, fetch_document};
use handle::{Lead, resolve};
use records::Place;

/// An account that is always there. BSKY-11.
const CANARY_DID: &str = "did:plc:z72i7hdynmk6r22z27h6tvur";
const CANARY_NAME: &str = "bsky.app";

/// The texts of the account that a handle leads to.
pub async fn collect<N: Net>(handle: &str, net: &N, options: &Options) -> Publication {
    let mut look = Look::default();
    let did = match resolve(handle, net, &mut look.evidence).await {
        Lead::To(did) => did,
        Lead::Several => return look.finish(Outcome::Invalid(Code::AccountOneSided)),
        Lead::Unknown(error) => return look.finish(Outcome::of_error(&error)),
        Lead::Nowhere => {
            let outcome = nowhere(handle, net, options, &mut look.evidence).await;
            return look.finish(outcome);
        }
    };
    look.account_id = Some(did.as_str().to_owned());
    let outcome = look_at(handle, &did, net, options, &mut look).await;
    // BSKY-5: what another account than the known one does not show was taken away with the name.
    let is_another = options.known_account_id.as_deref().is_some_and(|known| known != did.as_str());
    look.finish(match outcome {
        Outcome::Absent if is_another => Outcome::Invalid(Code::AccountChanged),
        outcome => outcome,
    })
}

/// The document of Bluesky's own account.
pub async fn canary<N: Net>(net: &N, options: &Options) -> (String, Result<(), NetError>) {
    let health = async {
        let did = Did::parse(CANARY_DID).ok_or_else(|| NetError::new(Code::Internal, "expected a DID"))?;
        let answer = fetch_document(&did, net, options.now).await?;
        match answer.value.as_ref().and_then(did::name).as_deref() == Some(CANARY_NAME) {
            true => Ok(()),
            false => Err(no_answer(&answer.response)),
        }
    };
    (format!("https://plc.directory/{CANARY_DID}"), health.await)
}

/// The handle leads to no account: has the known one another name now? BSKY-5.
async fn nowhere<N: Net>(handle: &str, net: &N, options: &Options, evidence: &mut Vec<Evidence>) -> Outcome {
    let Some(known) = options.known_account_id.as_deref().and_then(Did::parse) else { return Outcome::Absent };
    let Ok(answer) = fetch_document(&known, net, options.now).await else { return Outcome::Absent };
    evidence.push(Evidence::answer(&answer.response));
    let document = answer.value.filter(|document| document.text("id") == Some(known.as_str()));
    match document.as_ref().and_then(did::name) {
        Some(name) if name != handle => {
            evidence.push(Evidence::fault(known.as_str(), Code::AccountRenamed, format!("is named {name} now")));
            Outcome::Invalid(Code::AccountRenamed)
        }
        _ => Outcome::Absent,
    }
}

/// BSKY-4, BSKY-6, BSKY-10: keeps what is there, and says what is the case where there is nothing.
async fn look_at<N: Net>(handle: &str, did: &Did, net: &N, options: &Options, look: &mut Look) -> Outcome {
    let answer = match fetch_document(did, net, options.now).await {
        Ok(answer) => answer,
        Err(error) => {
            look.evidence.push(Evidence::error(did.as_str(), &error));
            return Outcome::of_error(&error);
        }
    };
    look.evidence.push(Evidence::answer(&answer.response));
    let Some(document) = answer.value else { return Outcome::Absent };
    if document.text("id") != Some(did.as_str()) {
        return Outcome::Invalid(Code::AccountId);
    }
    let name = did::name(&document);
    if name.as_deref() != Some(handle) {
        let name = name.unwrap_or_else(|| "nothing".to_owned());
        let note = format!("the account calls itself {name}");
        look.evidence.push(Evidence::fault(did.as_str(), Code::AccountOneSided, note));
        return Outcome::Invalid(Code::AccountOneSided);
    }
    let Some(server) = did::server(&document, did) else { return Outcome::Absent };
    let seen = Place { net, did, server: &server, now: options.now }.look(look).await;
    match (seen.error, seen.is_foreign) {
        (Some(error), _) => Outcome::of_error(&error),
        (None, true) => Outcome::Invalid(Code::AccountOwner),
        (None, false) => Outcome::Absent,
    }
}
