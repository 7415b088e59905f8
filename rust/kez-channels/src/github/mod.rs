//! `github:` — public gists of the account's own making, and its profile README. SPEC §7.3.

mod api;
mod gist;
mod look;
pub mod publish;

use kez_core::Code;

use crate::net::{Net, NetError, Redirects};
use crate::publication::{Evidence, Look, Options, Outcome, Publication};
use api::{API, Api, Owner};
use look::Search;

/// An account that is always there, and its number. GH-9.
const CANARY: (&str, i64) = ("github", 9_919);

/// The texts of the account with this login.
pub async fn collect<N: Net>(login: &str, net: &N, options: &Options) -> Publication {
    let mut search = Search::new(Api { net, options }, login, Look::default());
    let outcome = search.run().await;
    let Search { mut look, owner, .. } = search;
    look.account_id = owner.as_ref().map(|owner| owner.id.to_string());
    let outcome = match outcome {
        None => when_nobody(login, net, options, &mut look).await,
        Some(Outcome::Absent) if !look.has_candidates() => when_absent(login, owner, net, options, &mut look).await,
        Some(outcome) => outcome,
    };
    look.finish(outcome)
}

/// `GET /users/github`.
pub async fn canary<N: Net>(net: &N, options: &Options) -> (String, Result<(), NetError>) {
    let path = format!("/users/{}", CANARY.0);
    let source = format!("{API}{path}");
    let health = match (Api { net, options }).get(&path, Redirects::SameHost).await {
        Ok(answer) if answer.value.as_ref().and_then(|value| value.integer("id")) == Some(CANARY.1) => Ok(()),
        Ok(_) => Err(NetError::new(Code::NetStatus, "an account that is always there is missing")),
        Err(error) => Err(error),
    };
    (source, health)
}

/// GH-8: nobody has the login. Has the known account another one?
async fn when_nobody<N: Net>(login: &str, net: &N, options: &Options, look: &mut Look) -> Outcome {
    match other_login(login, net, options, look).await {
        true => Outcome::Invalid(Code::AccountRenamed),
        false => Outcome::Absent,
    }
}

/// GH-8: somebody has the login, and shows no proof. Is it the known account?
async fn when_absent<N: Net>(
    login: &str,
    owner: Option<Owner>,
    net: &N,
    options: &Options,
    look: &mut Look,
) -> Outcome {
    let Some(known) = known_number(options) else { return Outcome::Absent };
    let is_another = match owner {
        Some(owner) => owner.id != known,
        None => other_login(login, net, options, look).await,
    };
    if is_another { Outcome::Invalid(Code::AccountChanged) } else { Outcome::Absent }
}

/// Whether the known account is there under another login.
async fn other_login<N: Net>(login: &str, net: &N, options: &Options, look: &mut Look) -> bool {
    let Some(known) = known_number(options) else { return false };
    let path = format!("/user/{known}");
    let Ok(answer) = (Api { net, options }).get(&path, Redirects::SameHost).await else { return false };
    look.evidence.push(Evidence::answer(&answer.response));
    let owner = answer.value.as_ref().and_then(Owner::read).filter(|owner| owner.id == known && !owner.is(login));
    if let Some(owner) = &owner {
        let note = format!("account {known} is github:{} now", owner.login.to_ascii_lowercase());
        look.evidence.push(Evidence::note(format!("{API}{path}"), note));
    }
    owner.is_some()
}

fn known_number(options: &Options) -> Option<i64> {
    options.known_account_id.as_deref()?.parse().ok()
}
