//! Publishing on nostr, over relays in memory: what is written is what readers find. SPEC NOSTR-7, NOSTR-8, NOSTR-10.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kez_channels::net::{Net, NetError, Request, Response, Rights, Socket};
use kez_channels::nostr::publish::{Author, Place, publish_chain, publish_proof, unpublish};
use kez_channels::nostr::{RelayChains, chain_documents};
use kez_channels::{Options, Outcome, Relay, Url, find_channel};
use kez_core::{Code, SecretKey, Signer as _, Suite, System};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const NOW: u64 = 1_800_000_000;

/// Relays that keep everything; `refusing` takes nothing, `keeping` no deletions, `silent` answers nothing.
#[derive(Clone, Default)]
struct Relays(Arc<Mutex<Vec<(String, Value)>>>);

struct Talk {
    relays: Relays,
    host: String,
    waiting: VecDeque<String>,
}

impl Net for Relays {
    type Socket = Talk;

    async fn fetch(&self, _: &Request) -> Result<Response, NetError> {
        Err(NetError::new(Code::NetRefused, "nothing is here"))
    }

    async fn txt(&self, _: &str) -> Result<Vec<Vec<u8>>, NetError> {
        Ok(Vec::new())
    }

    async fn open(&self, url: &Url, rights: Rights) -> Result<Talk, NetError> {
        assert_eq!(rights, Rights::Reader);
        let host = url.host_str().unwrap().to_owned();
        match host.as_str() {
            _ if host.starts_with("silent") => Err(NetError::new(Code::NetTimeout, "no answer")),
            _ => Ok(Talk { relays: self.clone(), host, waiting: VecDeque::new() }),
        }
    }
}

impl Socket for Talk {
    async fn send(&mut self, text: String) -> Result<(), NetError> {
        let message: Value = serde_json::from_str(&text).unwrap();
        let mut kept = self.relays.0.lock().unwrap();
        if message[0] == "EVENT" {
            if self.host == "mute" && message[1]["kind"] == 5 {
                return Ok(());
            }
            let is_taken = match self.host.as_str() {
                "refusing" => false,
                "keeping" => message[1]["kind"] != 5,
                _ => true,
            };
            if is_taken {
                kept.push((self.host.clone(), message[1].clone()));
            }
            self.waiting.push_back(json!(["NOTICE", "hello"]).to_string());
            self.waiting.push_back(json!(["OK", message[1]["id"], is_taken, "blocked: pay first"]).to_string());
            return Ok(());
        }
        for filter in message.as_array().unwrap().iter().skip(2) {
            let is_wanted = |event: &Value| {
                let is_kind = filter["kinds"].as_array().unwrap().contains(&event["kind"]);
                let name = filter.get("#d").map(|names| names[0].clone());
                is_kind && name.is_none_or(|name| event["tags"][0] == json!(["d", name]))
            };
            for (_, event) in kept.iter().filter(|(host, event)| *host == self.host && is_wanted(event)) {
                self.waiting.push_back(json!(["EVENT", "kez", event]).to_string());
            }
        }
        self.waiting.push_back(json!(["EOSE", "kez"]).to_string());
        Ok(())
    }

    async fn next(&mut self) -> Result<String, NetError> {
        self.waiting.pop_front().ok_or_else(|| NetError::new(Code::NetRefused, "the relay closed the connection"))
    }
}

fn key() -> SecretKey {
    SecretKey::from_bytes(Suite::Nostr, Zeroizing::new([7; 32])).unwrap()
}

fn options(hosts: &[&str]) -> Options {
    let relay = |host: &&str| Relay { url: Url::parse(&format!("ws://{host}/")).unwrap(), is_suggested: false };
    Options { now: NOW, relays: hosts.iter().map(relay).collect(), ..Options::default() }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// The texts that a reader finds.
async fn found(relays: &Relays, options: &Options) -> Vec<String> {
    let key = key();
    let seen = find_channel(System::Nostr).unwrap().collect(key.key().identity().value(), relays, options).await;
    match seen.outcome {
        Outcome::Found { candidates, .. } => candidates.into_iter().map(|it| it.text).collect(),
        Outcome::Absent => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn reference(digit: &str) -> String {
    format!("kez:r1:{}", digit.repeat(64))
}

#[test]
fn a_proof_is_found_where_it_was_published_until_it_is_taken_back() {
    let (relays, options, key) = (Relays::default(), options(&["one", "refusing"]), key());
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let said = publish_proof(&author, Place::AppData, &reference("a"), &relays, &options).await.unwrap();
        assert_eq!(said.iter().map(|it| it.accepted).collect::<Vec<_>>(), [true, false]);
        assert_eq!(said[1].note.as_deref(), Some("refused: blocked: pay first"));
        assert_eq!(found(&relays, &options).await, [reference("a")]);
        // The same again is the same event; another text replaces it, one second later.
        publish_proof(&author, Place::AppData, &reference("a"), &relays, &options).await.unwrap();
        publish_proof(&author, Place::AppData, &reference("b"), &relays, &options).await.unwrap();
        let events: Vec<Value> = relays.0.lock().unwrap().iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(events[0], events[1]);
        assert_eq!((&events[2]["created_at"], &events[2]["tags"]), (&json!(NOW + 1), &json!([["d", "kez"]])));
        publish_proof(&author, Place::Note, &reference("c"), &relays, &options).await.unwrap();
        publish_proof(&author, Place::Note, &reference("d"), &relays, &options).await.unwrap();
        assert_eq!(found(&relays, &options).await, [reference("b"), reference("d")]);
        unpublish(&author, &relays, &options).await.unwrap();
        assert_eq!(found(&relays, &options).await, Vec::<String>::new());
        assert_eq!(unpublish(&author, &relays, &options).await.unwrap(), []);
        publish_proof(&author, Place::AppData, &reference("b"), &relays, &options).await.unwrap();
        assert_eq!(found(&relays, &options).await, [reference("b")]);
    });
}

#[test]
fn a_profile_that_was_not_seen_is_not_overwritten() {
    let (relays, key) = (Relays::default(), key());
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let refused = publish_proof(&author, Place::Profile, &reference("a"), &relays, &options(&["one"])).await;
        assert_eq!(refused.unwrap_err().code, Code::PublishRefused);
        let most_are_silent = options(&["one", "silent-a", "silent-b"]);
        let refused = publish_proof(&author, Place::Profile, &reference("a"), &relays, &most_are_silent).await;
        assert_eq!(refused.unwrap_err().code, Code::PublishRefused);
        let refused = unpublish(&author, &relays, &most_are_silent).await;
        assert_eq!(refused.unwrap_err().code, Code::PublishRefused);
        assert!(relays.0.lock().unwrap().is_empty());
    });
}

#[test]
fn a_chain_is_found_under_a_name_of_its_own() {
    let (relays, options, key) = (Relays::default(), options(&["one", "silent-a", "silent-b"]), key());
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let said = publish_chain(&author, "kez:zc1:AA", &relays, &options).await.unwrap();
        assert_eq!(said.iter().map(|it| it.accepted).collect::<Vec<_>>(), [true, false, false]);
        let npub = key.key().identity().value();
        let found = chain_documents(npub, &relays, &options).await;
        assert_eq!(found, RelayChains::Found(vec!["kez:zc1:AA".to_owned()]));
        let refused = publish_chain(&author, &"a".repeat(70_000), &relays, &options).await;
        assert_eq!(refused.unwrap_err().code, Code::PublishTooLong);
        let nobody = publish_chain(&author, "kez:zc1:AA", &relays, &self::options(&["silent"])).await;
        assert_eq!(nobody.unwrap_err().code, Code::NetTimeout);
    });
}

#[test]
fn a_relay_that_is_silent_about_a_deletion_has_what_takes_the_place_of_the_proof() {
    let (relays, options, key) = (Relays::default(), options(&["mute"]), key());
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        publish_proof(&author, Place::AppData, &reference("a"), &relays, &options).await.unwrap();
        let said = unpublish(&author, &relays, &options).await.unwrap();
        assert!(said[0].accepted, "{said:?}");
        assert_eq!(said[0].note.as_deref(), Some("the deletion: the relay closed the connection"));
        assert_eq!(found(&relays, &options).await, Vec::<String>::new());
    });
}

#[test]
fn a_relay_that_takes_no_deletions_says_so() {
    let (relays, options, key) = (Relays::default(), options(&["keeping"]), key());
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let said = publish_proof(&author, Place::AppData, &reference("a"), &relays, &options).await.unwrap();
        assert_eq!((said[0].accepted, &said[0].note), (true, &None));
        let said = unpublish(&author, &relays, &options).await.unwrap();
        assert_eq!(
            (said[0].accepted, said[0].note.as_deref()),
            (true, Some("the deletion refused: blocked: pay first"))
        );
    });
}

/// A profile of the key on the relay `one`, as it would have written it.
fn profile(relays: &Relays, about: &str) {
    put(relays, 0, &json!([["t", "x"]]), &json!({ "about": about, "name": "alice" }).to_string());
}

/// An event of the key.
fn put(relays: &Relays, kind: u64, tags: &Value, content: &str) {
    let key = key();
    let author = key.key().public_key().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let serialisation = json!([0, author, NOW, kind, tags, content]).to_string();
    let id = kez_core::digest::sha256(&serialisation);
    let sig = kez_core::suite::sign_bip340(key.expose(), &id, &[1; 32]).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let event = json!({"id": hex(&id), "pubkey": author, "created_at": NOW, "kind": kind, "tags": tags,
        "content": content, "sig": hex(&sig)});
    relays.0.lock().unwrap().push(("one".to_owned(), event));
}

#[test]
fn a_proof_that_no_reader_finds_in_a_profile_is_not_there() {
    let key = key();
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let relays = Relays::default();
        profile(&relays, &format!("```text\nI write.\n\n{}", reference("a")));
        let refused = publish_proof(&author, Place::Profile, &reference("a"), &relays, &options(&["one"])).await;
        assert_eq!(refused.unwrap_err().code, Code::PublishRefused);
        let relays = Relays::default();
        profile(&relays, &format!("I write.\n\n{}", reference("a")));
        publish_proof(&author, Place::Profile, &reference("a"), &relays, &options(&["one"])).await.unwrap();
        let events: Vec<Value> = relays.0.lock().unwrap().iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(events[0], events[1], "given again as it is");
        publish_proof(&author, Place::Profile, &reference("b"), &relays, &options(&["one"])).await.unwrap();
        let last = relays.0.lock().unwrap().last().unwrap().1.clone();
        assert_eq!((&last["tags"], &last["created_at"]), (&json!([["t", "x"]]), &json!(NOW + 1)));
    });
}

#[test]
fn a_profile_that_its_key_deleted_is_not_written_again() {
    let key = key();
    let author = Author::new(&key, [1; 32], NOW);
    run(async {
        let relays = Relays::default();
        profile(&relays, &format!("I write.\n\n{}", reference("a")));
        let address =
            format!("0:{}:", key.key().public_key().iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        put(&relays, 5, &json!([["a", address]]), "");
        for text in [reference("a"), reference("b")] {
            let refused = publish_proof(&author, Place::Profile, &text, &relays, &options(&["one"])).await;
            assert_eq!(refused.unwrap_err().code, Code::PublishRefused);
        }
        assert_eq!(unpublish(&author, &relays, &options(&["one"])).await.unwrap(), []);
        assert_eq!(relays.0.lock().unwrap().len(), 2);
    });
}
