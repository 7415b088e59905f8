//! Health of platforms (VER-14), chains on relays (NOSTR-10), and how long relays are waited for (NOSTR-5).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use kez_channels::nostr::{RelayChains, chain_documents};
use kez_channels::{ChainSource, Channel, Options, Outcome, Publication, find_channel};
use kez_core::digest::sha256;
use kez_core::{Code, Identity, KeyIdentity, Suite, System, hex};
use serde_json::{Value, json};
use support::Table;
use zeroize::Zeroizing;

const NOW: u64 = 1_800_000_000;
const REFERENCE: &str = "kez:r1:abababababababababababababababababababababababababababababababab";

fn options(table: &Table) -> Options {
    Options { now: NOW, relays: table.relays(), ..Options::default() }
}

async fn look(identity: &str, input: Value) -> Publication {
    let identity = Identity::parse_canonical(identity).unwrap();
    let table = Table::new(&input);
    let channel = find_channel(identity.system()).unwrap();
    channel.look(identity.value(), &table, &options(&table)).await.publication
}

fn code(publication: &Publication) -> Option<Code> {
    publication.outcome.code()
}

#[test]
fn every_system_but_a_bare_key_has_a_channel() {
    for system in System::ALL {
        assert_eq!(find_channel(system).is_none(), system == System::Ed25519, "{}", system.as_str());
    }
    let url = "https://example.org/.well-known/kez-sigchain.jsonl".parse().unwrap();
    assert_eq!(Channel::Dns.chain_source("example.org"), Some(ChainSource::Document(url)));
}

/// The same absence beside a platform that is well, and one that is not.
async fn check_canary(identity: &str, absence: Value, well: Value, unwell: Value) {
    for (canary, expected) in [(well, Code::ProofNotFound), (unwell, Code::ChannelDown)] {
        let publication = look(identity, json!({"web": [absence, canary]})).await;
        assert_eq!(code(&publication), Some(expected), "{identity} {canary}");
    }
    let publication = look(identity, json!({"web": [absence]})).await;
    assert_eq!(code(&publication), Some(Code::ChannelDown), "{identity}");
}

#[tokio::test]
async fn absence_needs_a_platform_that_is_well() {
    assert_eq!(code(&look("dns:example.org", json!({})).await), Some(Code::ProofNotFound));
    let gone = |url: &str| json!({"url": url, "status": 404});
    let livez = |status: u16| json!({"url": "https://chat.example/livez", "status": status});
    let handle = gone("https://chat.example/v1/handles/alice");
    check_canary("kez:alice@chat.example", handle, livez(200), livez(503)).await;
    let user = |id: u32| json!({"url": "https://api.github.com/users/github", "body": {"id": id}});
    let gists = gone("https://api.github.com/users/jason/gists?per_page=100");
    check_canary("github:jason", gists, user(9_919), user(9_918)).await;
    let info = |body: Value| json!({"url": "https://a.example/.well-known/nodeinfo", "body": body});
    let finger = gone("https://a.example/.well-known/webfinger?resource=acct%3Abob%40a.example");
    check_canary("ap:bob@a.example", finger.clone(), info(json!({"links": []})), info(json!({"links": 1}))).await;
    let no_info = gone("https://a.example/.well-known/nodeinfo");
    check_canary("ap:bob@a.example", finger, no_info, info(json!([]))).await;
    let plc = "https://plc.directory/did:plc:z72i7hdynmk6r22z27h6tvur";
    let document = |name: &str| json!({"url": plc, "body": {"alsoKnownAs": [format!("at://{name}")]}});
    let handle = gone("https://b.example/.well-known/atproto-did");
    check_canary("bluesky:b.example", handle, document("bsky.app"), document("other.app")).await;
}

#[tokio::test]
async fn what_was_found_needs_no_canary() {
    let records = json!({"txt": {"_kez.example.org": [REFERENCE]}});
    assert_eq!(code(&look("dns:example.org", records).await), None);
}

/// An event of the key whose secret is 32 bytes of 42, and the key.
fn event(created_at: u64, kind: u32, tags: Value, content: &str) -> (Value, String) {
    let secret = Zeroizing::new([0x42; 32]);
    let key = Suite::Nostr.public_key(&secret).unwrap();
    let pubkey = hex::encode(&key);
    let text = serde_json::to_string(&json!([0, pubkey, created_at, kind, tags, content])).unwrap();
    let sig = Suite::Nostr.sign(&secret, text.as_bytes()).unwrap();
    let event = json!({"id": hex::encode(&sha256(&text)), "pubkey": pubkey, "created_at": created_at, "kind": kind,
        "tags": tags, "content": content, "sig": hex::encode(&sig)});
    (event, KeyIdentity::from_public_key(Suite::Nostr, key).identity().to_string())
}

fn chain(created_at: u64, content: &str) -> Value {
    event(created_at, 30_078, json!([["d", "kez-sigchain"]]), content).0
}

fn key() -> String {
    event(NOW, 1, json!([]), "").1
}

#[tokio::test]
async fn relays_without_the_canary_are_down_but_for_ones_own() {
    for (own, expected) in [(false, Code::ChannelDown), (true, Code::ProofNotFound)] {
        let relays = json!({"relays": [{"url": "wss://a.example", "events": [], "own": own}]});
        assert_eq!(code(&look(&key(), relays).await), Some(expected));
    }
}

#[tokio::test]
async fn a_suggested_relay_needs_the_canary_whoever_named_it() {
    let relays = json!({"relays": [{"url": "wss://nos.lol", "events": [], "own": true}]});
    assert_eq!(code(&look(&key(), relays).await), Some(Code::ChannelDown));
}

/// An account of ActivityPub: what WebFinger says beside *self*, and what the actor says beside its name.
async fn look_at_bob(subject: &str, actor: Value) -> Publication {
    let id = "https://a.example/users/bob";
    let kind = "application/activity+json";
    let mut document = json!({"id": id, "type": "Person", "preferredUsername": "bob", "attachment": []});
    document.as_object_mut().unwrap().extend(actor.as_object().unwrap().clone());
    let finger = |host: &str, account: &str| {
        json!({
            "url": format!("https://{host}/.well-known/webfinger?resource=acct%3A{account}"),
            "body": {"subject": subject, "links": [{"rel": "self", "type": kind, "href": id}]},
        })
    };
    look(
        "ap:bob@a.example",
        json!({"web": [
            finger("a.example", "bob%40a.example"), finger("b.example", "bob%40b.example"),
            {"url": id, "headers": {"content-type": kind}, "body": document},
            {"url": "https://a.example/.well-known/nodeinfo", "status": 404},
        ]}),
    )
    .await
}

#[tokio::test]
async fn a_subject_is_another_account_only_by_acct() {
    assert_eq!(code(&look_at_bob("acct:bob@b.example", json!({})).await), Some(Code::ProofNotFound));
    assert_eq!(code(&look_at_bob("bob@b.example", json!({})).await), Some(Code::AccountOneSided));
    assert_eq!(code(&look_at_bob("bob@a.example", json!({})).await), Some(Code::ProofNotFound));
}

#[tokio::test]
async fn a_text_by_languages_takes_the_place_of_a_missing_one() {
    let by_language = |name: &str| json!({"preferredUsername": null, "preferredUsernameMap": {"en": name}});
    assert_eq!(code(&look_at_bob("acct:bob@a.example", by_language("Bob")).await), Some(Code::ProofNotFound));
    assert_eq!(code(&look_at_bob("acct:bob@a.example", by_language("eve")).await), Some(Code::AccountOneSided));
}

#[tokio::test]
async fn posts_of_a_suspended_account_need_not_be_there() {
    let featured = json!({"featured": "https://a.example/featured"});
    assert_eq!(code(&look_at_bob("acct:bob@a.example", featured.clone()).await), Some(Code::NetRefused));
    let mut suspended = featured;
    suspended["suspended"] = json!(true);
    assert_eq!(code(&look_at_bob("acct:bob@a.example", suspended).await), Some(Code::ProofNotFound));
}

#[tokio::test]
async fn a_collection_without_items_of_its_own_has_those_of_its_first_page() {
    let post = json!({"attributedTo": "https://a.example/users/bob", "content": REFERENCE});
    let featured = json!({"orderedItems": null, "items": null, "first": {"orderedItems": post}});
    assert_eq!(code(&look_at_bob("acct:bob@a.example", json!({"featured": featured})).await), None);
}

#[tokio::test]
async fn a_limit_of_the_raw_host_is_a_limit() {
    let owner = json!({"login": "jason", "id": 7});
    let raw = "https://gist.githubusercontent.com/jason/a1/raw/notes.md";
    let files = json!({"notes.md": {"raw_url": raw, "size": 9}});
    let gists = json!([{"id": "a1", "owner": owner, "public": true, "files": files}]);
    let publication = look(
        "github:jason",
        json!({"web": [
            {"url": "https://api.github.com/users/jason/gists?per_page=100", "body": gists},
            {"url": raw, "status": 403, "headers": {"content-type": "text/plain"}, "body": "You hit a RATE LIMIT"},
            {"url": "https://api.github.com/users/github", "body": {"id": 9_919}},
            {"url": "https://api.github.com/repos/jason/jason", "status": 404},
        ]}),
    )
    .await;
    assert_eq!(publication.outcome, Outcome::Unreachable { code: Code::NetRateLimit, retry_after_seconds: Some(60) });
}

async fn documents(relays: Value) -> RelayChains {
    let table = Table::new(&json!({"relays": relays}));
    chain_documents(key().strip_prefix("nostr:").unwrap(), &table, &options(&table)).await
}

#[tokio::test]
async fn chains_on_relays_are_all_that_differ_and_the_newest_first() {
    let relay = |name: &str, events: Value| json!({"url": format!("wss://{name}.example"), "events": events});
    let closed = |name: &str| json!({"url": format!("wss://{name}.example"), "ends": "closed"});
    let found = documents(json!([
        relay("a", json!([chain(NOW - 9, "old"), chain(NOW - 5, ""), chain(NOW - 8, "old")])),
        relay("b", json!([chain(NOW - 1, "new"), event(NOW, 30_078, json!([["d", "kez"]]), "no chain").0])),
        closed("c"),
    ]));
    assert_eq!(found.await, RelayChains::Found(vec!["new".to_owned(), "old".to_owned()]));
    assert_eq!(documents(json!([relay("a", json!([])), closed("c")])).await, RelayChains::Absent);
    for relays in [json!([relay("a", json!([])), closed("b"), closed("c")]), json!([])] {
        assert!(matches!(documents(relays).await, RelayChains::Unanswered(_)));
    }
    let five: Vec<_> = (0..5).map(|number| chain(NOW - number, &format!("{number}"))).collect();
    let RelayChains::Found(four) = documents(json!([relay("a", json!(five))])).await else { panic!() };
    assert_eq!(four, ["0", "1", "2", "3"]);
}

async fn time(events: Value, ends: &str, expected: Option<Code>) -> Duration {
    let relays = json!([{"url": "wss://a.example", "events": events}, {"url": "wss://b.example", "ends": ends}]);
    let table = Table::new(&json!({"relays": relays}));
    let (start, key) = (Instant::now(), key());
    let publication = Channel::Nostr.collect(key.strip_prefix("nostr:").unwrap(), &table, &options(&table)).await;
    assert_eq!(code(&publication), expected);
    start.elapsed()
}

#[tokio::test]
async fn a_proof_waits_a_second_for_other_relays_and_absence_four() {
    let with_proof = event(NOW, 1, json!([]), REFERENCE).0;
    let (proof, absence, quick) = tokio::join!(
        time(json!([with_proof]), "hangs", None),
        time(json!([]), "hangs", Some(Code::ProofNotFound)),
        time(json!([]), "refuses", Some(Code::ProofNotFound)),
    );
    assert!((900..3_000).contains(&proof.as_millis()), "{proof:?}");
    assert!((3_900..6_000).contains(&absence.as_millis()), "{absence:?}");
    assert!(quick.as_millis() < 900, "{quick:?}");
}

#[tokio::test]
async fn hints_beside_a_proof_are_kept() {
    let text = format!("{REFERENCE}\nChain: https://a.example/chain");
    let relays = json!({"relays": [{"url": "wss://a.example", "events": [event(NOW, 1, json!([]), &text).0]}]});
    let Outcome::Found { chain_hints, .. } = look(&key(), relays).await.outcome else { panic!() };
    assert_eq!(chain_hints, ["https://a.example/chain"]);
}
