//! `ap:` — fields, bio and pinned posts of an account of ActivityPub. Hosts have to name each other. SPEC §7.6.

mod document;
mod html;
mod posts;
pub mod publish;
mod secure;
mod tree;
mod webfinger;

use kez_core::{Code, Identity};
use url::Url;

use crate::finding::Sight;
use crate::json::Value;
use crate::net::read::{is_present, judge_json, not_json};
use crate::net::{Net, NetError, Redirects, Request};
use crate::publication::{Evidence, Look, Options, Outcome, Publication};
use document::{Fetched, fetch, fetch_open, is_actor, own_id, profile_texts, text_of};
use posts::Pinned;
use webfinger::{Finger, ask, https_url, is_same_url, subject_domain};

/// The texts of `user@host`.
pub async fn collect<N: Net>(value: &str, net: &N, options: &Options) -> Publication {
    let mut look = Look::default();
    let Some((user, host)) = value.split_once('@') else {
        return look.finish(Outcome::Invalid(Code::IdentitySyntax));
    };
    let seeker = Seeker { value, user, host, net, options };
    let outcome = seeker.look(&mut look).await;
    look.finish(outcome)
}

/// `nodeinfo` of the host: many hosts that only forward WebFinger have none. AP-12.
pub async fn canary<N: Net>(value: &str, net: &N, options: &Options) -> (String, Result<(), NetError>) {
    let host = value.split_once('@').map_or(value, |(_, host)| host);
    let source = format!("https://{host}/.well-known/nodeinfo");
    let health = async {
        let url = Url::parse(&source).map_err(|_| NetError::new(Code::NetUrl, "expected a host"))?;
        let response = net.fetch(&Request { accept: "application/json", ..Request::get(url) }).await?;
        if matches!(response.status, 404 | 410) {
            return Ok(());
        }
        is_present(&response, options.now)?;
        let answer = judge_json(response, options.now)?;
        match answer.value.as_ref().and_then(|value| value.list("links")) {
            Some(_) => Ok(()),
            None => Err(not_json(&answer.response)),
        }
    };
    let health = health.await;
    (source, health)
}

struct Seeker<'a, N> {
    value: &'a str,
    user: &'a str,
    host: &'a str,
    net: &'a N,
    options: &'a Options,
}

/// An actor that is the account.
struct Actor {
    id: Url,
    document: Value,
}

impl<N: Net> Seeker<'_, N> {
    /// Keeps what is there; what is the case where nothing is.
    async fn look(&self, look: &mut Look) -> Outcome {
        let answer = match ask(self.value, self.host, self.net, self.options.now).await {
            Ok(answer) => answer,
            Err(error) => return self.fail(look, &error),
        };
        look.evidence.push(Evidence::answer(&answer.response));
        let Some(finger) = answer.value else { return self.gone(look).await };
        let Some(actor) = finger.actor.clone() else { return self.gone(look).await };
        let fetched = match fetch(actor.clone(), Redirects::Anywhere, self.net, self.options.now).await {
            Ok(fetched) => fetched,
            Err(error) => return self.fail(look, &error),
        };
        match fetched {
            Fetched::Signed => self.look_by_api(&finger, &actor, look).await,
            Fetched::Open(answer) => {
                look.evidence.push(Evidence::answer(&answer.response));
                let Some(document) = answer.value.filter(is_actor) else { return Outcome::Absent };
                let Some(id) = own_id(&document, &answer.response.url) else {
                    return Outcome::Invalid(Code::AccountId);
                };
                self.look_at_actor(&finger, &Actor { id, document }, look).await
            }
        }
    }

    /// AP-5 to AP-9.
    async fn look_at_actor(&self, finger: &Finger, actor: &Actor, look: &mut Look) -> Outcome {
        look.account_id = Some(actor.id.to_string());
        let is_named = |name: &str| self.is_user_of(name, finger);
        if !text_of(&actor.document, "preferredUsername").into_iter().any(is_named) {
            return self.one_sided(look, "the actor calls itself otherwise");
        }
        if let Err(outcome) = self.check_hosts(finger, &actor.id, look).await {
            return outcome;
        }
        let is_settled = self.keep_all(profile_texts(&actor.document), &actor.id, look);
        let mut error = None;
        if let Some(featured) = actor.document.get("featured").filter(|_| !is_settled) {
            let pinned = Pinned { net: self.net, actor: &actor.id, now: self.options.now };
            error = pinned.look(featured, look).await;
        }
        match error {
            // AP-9: of a suspended account nothing is shown, its posts neither.
            Some(error) if !actor.document.is_true("suspended") => Outcome::of_error(&error),
            _ => self.nothing_in(actor, look),
        }
    }

    /// AP-10. The number is *self*, and AP-5 (a) is met.
    async fn look_by_api(&self, finger: &Finger, actor: &Url, look: &mut Look) -> Outcome {
        let account = match secure::lookup(self.user, actor, &finger.pages, self.net, self.options.now).await {
            Ok(account) => account,
            Err(error) => return self.fail(look, &error),
        };
        look.account_id = Some(actor.to_string());
        if let Err(outcome) = self.check_hosts(finger, actor, look).await {
            return outcome;
        }
        if self.keep_all(account.texts(), actor, look) {
            return Outcome::Absent;
        }
        match account.look_at_posts(actor, self.net, self.options.now, look).await {
            Ok(()) => self.number_changed(actor).unwrap_or(Outcome::Absent),
            Err(error) => self.fail(look, &error),
        }
    }

    /// AP-5 (b) and (c).
    async fn check_hosts(&self, finger: &Finger, actor: &Url, look: &mut Look) -> Result<(), Outcome> {
        let subject = finger.subject.as_deref();
        let other = subject.filter(|subject| *subject != self.value && !is_same_url(subject, actor));
        if let Some(other) = other {
            let Some(domain) = subject_domain(other).filter(|_| finger.is_account) else {
                return Err(self.one_sided(look, "the subject is no account"));
            };
            self.confirm(other, domain, finger, actor, look).await?;
        }
        let actor_host = actor.host_str().unwrap_or_default();
        let came_from_actor = finger.host == actor_host && subject == Some(self.value);
        match actor_host == self.host || came_from_actor {
            true => Ok(()),
            false => self.confirm(self.value, actor_host, finger, actor, look).await,
        }
    }

    async fn confirm(
        &self,
        account: &str,
        host: &str,
        finger: &Finger,
        actor: &Url,
        look: &mut Look,
    ) -> Result<(), Outcome> {
        let answer = match ask(account, host, self.net, self.options.now).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.fail(look, &error)),
        };
        look.evidence.push(Evidence::answer(&answer.response));
        let subjects = [Some(self.value), finger.subject.as_deref()];
        match answer.value.is_some_and(|answer| answer.confirms(actor, &subjects)) {
            true => Ok(()),
            false => Err(self.one_sided(look, &format!("{host} does not confirm the account"))),
        }
    }

    /// Keeps the texts of a profile; whether one of them settles it, so that posts are not looked at.
    fn keep_all(&self, texts: Vec<String>, found_at: &Url, look: &mut Look) -> bool {
        let account = Identity::parse_canonical(&format!("ap:{}", self.value)).ok();
        let mut is_settled = false;
        for text in texts {
            let Some(sight) = Sight::of(&text) else { continue };
            is_settled |= account.as_ref().is_some_and(|account| sight.settles(account));
            look.keep_sight(&text, found_at.as_str(), sight);
        }
        is_settled
    }

    /// AP-11 for an account that shows no candidate.
    fn nothing_in(&self, actor: &Actor, look: &mut Look) -> Outcome {
        if let Some(outcome) = self.number_changed(&actor.id) {
            return outcome;
        }
        if let Some(moved_to) = actor.document.get("movedTo").filter(|it| **it != Value::Null && self.known().is_some())
        {
            return self.renamed(look, moved_to.as_text().unwrap_or("another place"));
        }
        Outcome::Absent
    }

    fn number_changed(&self, id: &Url) -> Option<Outcome> {
        self.known().filter(|known| known != id).map(|_| Outcome::Invalid(Code::AccountChanged))
    }

    /// AP-11 after an absence by AP-2: is the known account there under another name?
    async fn gone(&self, look: &mut Look) -> Outcome {
        let Some(known) = self.known() else { return Outcome::Absent };
        let Ok(answer) = fetch_open(known.clone(), Redirects::Anywhere, self.net, self.options.now).await else {
            return Outcome::Absent;
        };
        look.evidence.push(Evidence::answer(&answer.response));
        let lies_at = answer.response.url;
        let is_known = |document: &Value| is_actor(document) && own_id(document, &lies_at).as_ref() == Some(&known);
        let Some(document) = answer.value.filter(is_known) else { return Outcome::Absent };
        if let Some(moved_to) = document.get("movedTo").filter(|it| **it != Value::Null) {
            return self.renamed(look, moved_to.as_text().unwrap_or("another place"));
        }
        match text_of(&document, "preferredUsername").first() {
            Some(name) if !name.eq_ignore_ascii_case(self.user) => self.renamed(look, name),
            _ => Outcome::Absent,
        }
    }

    fn known(&self) -> Option<Url> {
        self.options.known_account_id.as_deref().and_then(https_url)
    }

    /// AP-5 (a).
    fn is_user_of(&self, name: &str, finger: &Finger) -> bool {
        let by_subject = finger.subject.as_deref().and_then(|subject| subject.split_once('@'));
        let is = |user: &str| name.to_ascii_lowercase() == user;
        is(self.user) || by_subject.is_some_and(|(user, _)| is(user))
    }

    fn one_sided(&self, look: &mut Look, note: &str) -> Outcome {
        look.evidence.push(Evidence::fault(self.value, Code::AccountOneSided, note));
        Outcome::Invalid(Code::AccountOneSided)
    }

    fn renamed(&self, look: &mut Look, name: &str) -> Outcome {
        look.evidence.push(Evidence::fault(self.value, Code::AccountRenamed, format!("is {name} now")));
        Outcome::Invalid(Code::AccountRenamed)
    }

    fn fail(&self, look: &mut Look, error: &NetError) -> Outcome {
        look.evidence.push(Evidence::error(self.value, error));
        Outcome::of_error(error)
    }
}
