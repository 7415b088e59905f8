//! One look at an account: its gists, page by page, then other files, then the README. SPEC GH-3 to GH-7.

use kez_core::Code;
use url::Url;

use super::api::{API, Api, Owner, next_page};
use super::gist::{Budget, File, Gist, files_of_named, files_of_rest};
use crate::finding::Sight;
use crate::json::Value;
use crate::limits::{MAX_CONFIRMED_GISTS, MAX_FILE_BYTES, MAX_GIST_PAGES, MAX_SCANNED_FILES};
use crate::net::{Net, NetError, Redirects};
use crate::publication::{Evidence, Look, Outcome};

/// What is known so far.
pub struct Search<'a, N> {
    api: Api<'a, N>,
    login: &'a str,
    /// What was kept.
    pub look: Look,
    /// The account that has the login.
    pub owner: Option<Owner>,
    gists: Vec<Gist>,
    asked: Vec<String>,
    budget: Budget,
    error: Option<NetError>,
    limit: Option<NetError>,
    is_foreign: bool,
    is_too_much: bool,
}

impl<'a, N: Net> Search<'a, N> {
    /// Nothing is known yet.
    pub const fn new(api: Api<'a, N>, login: &'a str, look: Look) -> Search<'a, N> {
        Search {
            api,
            login,
            look,
            owner: None,
            gists: Vec::new(),
            asked: Vec::new(),
            budget: Budget::new(),
            error: None,
            limit: None,
            is_foreign: false,
            is_too_much: false,
        }
    }

    /// Looks, and says what is the case where no candidate was found. None: nobody has the login.
    pub async fn run(&mut self) -> Option<Outcome> {
        let first = Url::parse(&format!("{API}/users/{}/gists?per_page=100", self.login)).ok()?;
        let mut next = Some(first);
        for page in 0..MAX_GIST_PAGES {
            let Some(url) = next.take() else { break };
            match self.api.get_url(url.clone(), Redirects::SameHost).await {
                Ok(answer) => {
                    self.look.evidence.push(Evidence::answer(&answer.response));
                    if page == 0 && answer.value.is_none() && answer.response.status != 200 {
                        return None;
                    }
                    next = next_page(&answer.response);
                    let named = self.read_page(answer.value.as_ref().unwrap_or(&Value::Null));
                    self.confirm_named(named).await;
                }
                Err(error) if page == 0 => {
                    self.look.evidence.push(Evidence::error(url.as_str(), &error));
                    return Some(Outcome::of_error(&error));
                }
                Err(error) => self.note_error(url.as_str(), error),
            }
            if self.is_over() {
                return Some(self.result());
            }
        }
        self.scan_rest().await;
        if !self.is_over() {
            self.look_at_readme().await;
        }
        Some(self.result())
    }

    /// Whether nothing else is looked at: a candidate was found, or the limit was met (GH-2).
    fn is_over(&self) -> bool {
        self.look.has_candidates() || self.limit.is_some()
    }

    /// GH-7, where there is no candidate.
    fn result(&mut self) -> Outcome {
        let unreachable =
            |error: NetError| Outcome::Unreachable { code: error.code, retry_after_seconds: error.retry_after_seconds };
        match self.limit.take().or(self.error.take()) {
            Some(error) => unreachable(error),
            None if self.is_foreign => Outcome::Invalid(Code::AccountOwner),
            None if self.is_too_much => Outcome::Invalid(Code::LimitCandidates),
            None => Outcome::Absent,
        }
    }

    /// Keeps the own public gists of a page; those of them that say kez, in the order of GH-4.
    fn read_page(&mut self, page: &Value) -> Vec<Gist> {
        let mut named = Vec::new();
        for gist in page.as_list().unwrap_or_default().iter().filter_map(Gist::read) {
            if gist.owner.is(self.login) && self.owner.is_none() {
                self.owner = Some(gist.owner.clone());
            }
            if !self.is_own(&gist.owner) {
                self.note_foreign(&gist);
            } else if gist.is_public {
                named.extend(gist.is_named.then(|| gist.clone()));
                self.gists.push(gist);
            }
        }
        named.sort_by_key(Gist::order_of_named);
        named
    }

    fn is_own(&self, owner: &Owner) -> bool {
        owner.is(self.login) && self.owner.as_ref().is_none_or(|known| known.id == owner.id)
    }

    async fn confirm_named(&mut self, named: Vec<Gist>) {
        for gist in named {
            if self.asked.len() >= MAX_CONFIRMED_GISTS || self.limit.is_some() {
                return;
            }
            let files = files_of_named(&gist, &mut self.budget);
            if !files.is_empty() {
                self.confirm(&gist, &files).await;
            }
        }
    }

    /// GH-4 after the last page.
    async fn scan_rest(&mut self) {
        let gists = std::mem::take(&mut self.gists);
        let rest: Vec<_> = gists.iter().filter(|gist| !self.asked.contains(&gist.id)).collect();
        let files = files_of_rest(&rest, MAX_SCANNED_FILES, &mut self.budget);
        let (mut with_candidate, mut without_url): (Vec<&Gist>, Vec<&Gist>) = (Vec::new(), Vec::new());
        for (gist, file) in &files {
            let list = match &file.raw_url {
                None => &mut without_url,
                Some(url) if self.scan(url).await => &mut with_candidate,
                Some(_) => continue,
            };
            // A gist stands once in a list, in the order of its files.
            if !list.iter().any(|it| it.id == gist.id) {
                list.push(gist);
            }
        }
        self.is_too_much = with_candidate.len() > MAX_CONFIRMED_GISTS;
        without_url.retain(|gist| !with_candidate.iter().any(|it| it.id == gist.id));
        for gist in with_candidate.into_iter().chain(without_url).take(MAX_CONFIRMED_GISTS) {
            if self.limit.is_some() {
                return;
            }
            let of_gist = files.iter().filter(|(owner, _)| owner.id == gist.id).map(|(_, file)| file.clone());
            self.confirm(gist, &of_gist.collect::<Vec<_>>()).await;
        }
    }

    /// Whether the raw host shows something like a proof there. It is none until its gist is confirmed.
    async fn scan(&mut self, url: &Url) -> bool {
        if self.limit.is_some() {
            return false;
        }
        match self.api.raw(url.clone()).await {
            Ok(answer) => {
                self.look.evidence.push(Evidence::answer(&answer.response));
                answer.value.is_some_and(|text| Sight::of(&text).is_some())
            }
            Err(error) => {
                self.note_error(url.as_str(), error);
                false
            }
        }
    }

    /// GH-5: keeps these files of the gist, if GitHub itself answers for it.
    async fn confirm(&mut self, gist: &Gist, files: &[File]) {
        self.asked.push(gist.id.clone());
        let path = format!("/gists/{}", gist.id);
        let answer = match self.api.get(&path, Redirects::SameHost).await {
            Ok(answer) => answer,
            Err(error) => return self.note_error(&format!("{API}{path}"), error),
        };
        self.look.evidence.push(Evidence::answer(&answer.response));
        let Some(value) = answer.value else { return };
        let owner = value.get("owner").and_then(Owner::read);
        if value.text("id") != Some(&gist.id) || !owner.is_some_and(|owner| self.is_own(&owner)) {
            return self.note_foreign(gist);
        }
        if !value.is_true("public") {
            return self.note(gist, "is not public");
        }
        if value.get("fork_of").is_some_and(|origin| *origin != Value::Null) {
            return self.note(gist, "is a fork; a fork does not count: make a new gist");
        }
        for file in files {
            if let Some(text) = self.content(gist, &value, file).await {
                self.look.keep(&text, &gist.page());
            }
            if self.limit.is_some() {
                return;
            }
        }
    }

    /// The content that the confirmation gives, or names a place for.
    async fn content(&mut self, gist: &Gist, confirmed: &Value, file: &File) -> Option<String> {
        let value = confirmed.get("files")?.get(&file.name)?;
        let is_text = value.text("encoding").is_none_or(|encoding| encoding == "utf-8");
        match value.text("content") {
            Some(text) if !value.is_true("truncated") => {
                (is_text && text.len() <= MAX_FILE_BYTES).then(|| text.to_owned())
            }
            _ => {
                let url = super::api::raw_url(value.text("raw_url")?, &gist.owner.login, &gist.id)?;
                match self.api.raw(url.clone()).await {
                    Ok(answer) => answer.value,
                    Err(error) => {
                        self.note_error(url.as_str(), error);
                        None
                    }
                }
            }
        }
    }

    /// GH-6.
    async fn look_at_readme(&mut self) {
        let login = self.login;
        let path = format!("/repos/{login}/{login}");
        let repository = match self.api.get(&path, Redirects::SameHost).await {
            Ok(answer) => answer,
            Err(error) => return self.note_error(&format!("{API}{path}"), error),
        };
        self.look.evidence.push(Evidence::answer(&repository.response));
        let Some(repository) = repository.value else { return };
        let owner = repository.get("owner").and_then(Owner::read).filter(|owner| self.is_own(owner));
        let Some(owner) = owner else {
            self.is_foreign = true;
            let note = format!("repository {login}/{login} belongs to another account now");
            return self.look.evidence.push(Evidence::fault(format!("{API}{path}"), Code::AccountOwner, note));
        };
        let is_profile = repository.get("owner").is_some_and(|owner| owner.text("type") == Some("User"))
            && repository.text("name").is_some_and(|name| name.eq_ignore_ascii_case(login))
            && repository.is_false("private")
            && repository.is_false("fork");
        self.owner = Some(owner);
        if !is_profile {
            return;
        }
        let path = format!("{path}/readme");
        match self.api.get(&path, Redirects::Never).await {
            Ok(answer) => {
                self.look.evidence.push(Evidence::answer(&answer.response));
                if let Some(text) = answer.value.as_ref().and_then(readme_text) {
                    self.look.keep(&text, &format!("https://github.com/{login}/{login}"));
                }
            }
            Err(error) => self.note_error(&format!("{API}{path}"), error),
        }
    }

    /// A place that did not answer might have held a proof; one that is no text, or too long, held none. GH-7.
    fn note_error(&mut self, source: &str, error: NetError) {
        self.look.evidence.push(Evidence::error(source, &error));
        match error.code {
            Code::NetRateLimit => self.limit = self.limit.take().or(Some(error)),
            Code::TextUtf8 | Code::LimitBody => {}
            _ => self.error = self.error.take().or(Some(error)),
        }
    }

    fn note_foreign(&mut self, gist: &Gist) {
        self.is_foreign = true;
        let note = format!("gist {} belongs to another account", gist.id);
        self.look.evidence.push(Evidence::fault(gist.page(), Code::AccountOwner, note));
    }

    fn note(&mut self, gist: &Gist, what: &str) {
        self.look.evidence.push(Evidence::note(gist.page(), format!("gist {} {what}", gist.id)));
    }
}

/// The text of a README, base64 in lines.
fn readme_text(value: &Value) -> Option<String> {
    let is_file = value.text("type") == Some("file") && value.text("encoding") == Some("base64");
    let is_short =
        value.integer("size").and_then(|size| usize::try_from(size).ok()).is_some_and(|it| it <= MAX_FILE_BYTES);
    (is_file && is_short).then_some(())?;
    let content = value.text("content")?.replace('\n', "");
    let bytes = data_encoding::BASE64.decode(content.as_bytes()).ok()?;
    String::from_utf8(bytes).ok()
}
