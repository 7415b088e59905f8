//! What `kez-rs` asks as a reader, and what it remembers: stores and zones of these tests on this computer. SPEC §6.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::servers::{Dns, Web};
use support::{ALICE, Home};

/// Claim, chain that lists it, and the same chain after its revocation.
struct History {
    claim: String,
    id: String,
    key: String,
    listed: String,
    revoked: String,
    head: String,
}

fn history(name: &str, subject: &str) -> History {
    let writer = Home::with_alice(name);
    let claim = writer.ok(&["claim", "create", subject, "--format", "compact", "-q"], "");
    let (_, added) = writer.json(&["sigchain", "add", subject, "-q"], "");
    let listed = writer.ok(&["sigchain", "export", "-q"], "");
    let head = writer.ok(&["sigchain", "head", "-q"], "");
    writer.ok(&["sigchain", "revoke", subject, "-q"], "");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    History {
        claim: claim.trim().to_owned(),
        id: text(&added["data"]["chain"]),
        key: text(&added["data"]["primary"]),
        listed,
        revoked: writer.ok(&["sigchain", "export", "-q"], ""),
        head: head.trim().to_owned(),
    }
}

fn told(answer: &Value) -> (&str, &str) {
    (answer["data"]["status"].as_str().unwrap_or("error"), answer["data"]["reason"].as_str().unwrap_or_default())
}

#[test]
fn what_served_a_chain_is_asked_again_and_expected() {
    let (history, web, reader) = (history("expected-writer", "dns:a.example"), Web::start(), Home::new("expected"));
    let dns = Dns::start().address.to_string();
    let names = [history.id.as_str(), history.key.as_str()];
    web.serve_chain(&names, 200, &history.listed);
    let verify = |more: &[&str]| {
        let args = [&["verify", "file", "-", "--resolver", &dns], more].concat();
        reader.json(&args, &history.claim).1
    };
    assert_eq!(told(&verify(&["--store", &web.url()])).0, "valid");
    // Nobody names it any more; it says what happened since.
    web.serve_chain(&names, 200, &history.revoked);
    web.asked();
    assert_eq!(told(&verify(&["--offline"])), ("valid", ""));
    assert!(web.asked().is_empty());
    assert_eq!(told(&verify(&[])), ("revoked", "claim.revoked"));
    assert!(web.asked().contains(&format!("/v1/chains/{}", history.id)));
    // Its silence counts: what it had is not known to be gone.
    web.serve_chain(&names, 503, "");
    fs::remove_dir_all(reader.0.join("kez/rust/chains")).unwrap();
    assert_eq!(told(&verify(&[])), ("unreachable", "chain.unreachable"));
}

#[test]
fn what_a_chain_was_fetched_from_is_expected_too() {
    let (history, web, reader) = (history("fetched-writer", "dns:a.example"), Web::start(), Home::new("fetched"));
    web.serve_chain(&[&history.id, &history.key], 200, &history.listed);
    let start = Instant::now();
    let (code, answer) = reader.json(&["sigchain", "fetch", &history.key, "--store", &web.url()], "");
    assert_eq!((code, &answer["data"]["added"]), (0, &1.into()));
    assert!(start.elapsed() < Duration::from_secs(5), "it waited for its own lock");
    web.serve_chain(&[&history.id, &history.key], 200, &history.revoked);
    let dns = Dns::start().address.to_string();
    let (code, _) = reader.json(&["verify", "file", "-", "--resolver", &dns], &history.claim);
    assert_eq!(code, 11);
}

#[test]
fn heads_count_only_in_an_answer() {
    let (history, web, reader) = (history("heads-writer", "dns:a.example"), Web::start(), Home::new("heads"));
    let dns = Dns::start().address.to_string();
    web.serve_chain(&[&history.id, &history.key], 200, &history.listed);
    for (status, expected) in [(503, ("unreachable", "chain.stale")), (200, ("valid", ""))] {
        for name in [&history.id, &history.key] {
            web.say(&format!("/v1/chains/{name}/head"), status, &format!("{{\"heads\":[{}]}}", history.head));
        }
        let args = ["verify", "file", "-", "--fresh", "--resolver", &dns, "--store", &web.url()];
        assert_eq!(told(&reader.json(&args, &history.claim).1), expected, "{status}");
    }
}

#[test]
fn what_is_absent_is_told_as_revoked_where_the_last_primary_revoked_it() {
    let (history, dns, reader) = (history("absent-writer", "dns:a.example"), Dns::start(), Home::new("absent"));
    let (listed, revoked) = (reader.file("listed", &history.listed), reader.file("revoked", &history.revoked));
    let resolver = dns.address.to_string();
    let verify = |chain: &str, more: &[&str]| {
        let args = [&["verify", "id", "dns:a.example", "--resolver", &resolver, "--chain", chain], more].concat();
        let (exit, answer) = reader.json(&args, "");
        let (status, reason) = told(&answer);
        (exit, status.to_owned(), reason.to_owned())
    };
    let is = |exit: i32, status: &str, reason: &str| (exit, status.to_owned(), reason.to_owned());
    dns.say("a.example", &[]);
    // Nobody was proven here before.
    assert_eq!(verify(&revoked, &[]), is(14, "invalid", "proof.not_found"));
    dns.say("_kez.a.example", &[&history.claim]);
    assert_eq!(verify(&listed, &[]), is(0, "valid", ""));
    dns.say("_kez.a.example", &[]);
    // Any verdict but `revoked` changes nothing.
    assert_eq!(verify(&listed, &[]), is(14, "invalid", "proof.not_found"));
    assert_eq!(verify(&revoked, &["--accept-new-account"]), is(14, "invalid", "proof.not_found"));
    assert_eq!(verify(&revoked, &[]), is(11, "revoked", "claim.revoked"));
    // Where the text is there and is no proof, nothing is asked.
    dns.say("_kez.a.example", &["kez:z1:AAAA"]);
    assert_eq!(verify(&revoked, &[]).1, "invalid");
}

#[test]
fn a_chain_id_is_one_before_it_becomes_a_part_of_a_url() {
    let (web, reader) = (Web::start(), Home::new("names"));
    let args = ["sigchain", "fetch", "sha256:../../../secret", "--from", &web.url()];
    assert_eq!(reader.json(&args, "").0, 2);
    assert!(web.asked().is_empty());
}

#[test]
fn secrets_that_were_typed_in_the_wrong_place_are_not_repeated() {
    let (home, web) = (Home::with_alice("typed"), Web::start());
    let nsec = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5";
    let hex = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa";
    let store = format!("http://alice:{hex}@{}/", web.address);
    for secret in [nsec, &nsec.to_uppercase(), hex, ALICE] {
        for args in [
            vec!["identity", "show", secret],
            vec!["identity", "use", secret],
            vec!["identity", "new", secret, "--no-passphrase"],
            vec!["identity", "remove", secret, "--yes"],
            vec!["--identity", secret, "sigchain", "show"],
            vec!["--profile", secret, "identity", "list"],
            vec!["sigchain", "show", secret],
            vec!["sigchain", "add-device", secret],
            vec!["sigchain", "fetch", secret],
            vec!["graph", secret, "--offline"],
            vec!["verify", "id", secret],
            vec!["verify", "file", secret],
            vec!["claim", "create", secret],
            vec!["claim", "create", "dns:a.example", "--key-file", secret],
            vec!["claim", "create", "dns:a.example", "--passphrase-file", secret, "--nsec", secret],
            vec!["identity", "from-mnemonic", "--mnemonic", secret],
            vec!["verify", "id", "dns:a.example", "--store", &store],
            vec!["sigchain", "fetch", "--from", &store],
            vec!["sigchain", "fetch", "--from", &format!("{store}a.jsonl")],
        ] {
            for is_json in [false, true] {
                let args = if is_json { [&args[..], &["--json"]].concat() } else { args.clone() };
                let ran = home.run(&args, "");
                let said = format!("{}{}", ran.stdout, ran.stderr).to_lowercase();
                assert!(ran.code != 0, "{args:?}");
                for part in [nsec, hex, "legal winner"] {
                    assert!(!said.contains(part), "{args:?}: {said}");
                }
            }
        }
    }
    assert!(fs::read_dir(home.0.join("kez/keys")).unwrap().count() == 2, "alice and the lock");
    assert!(web.asked().is_empty());
}

#[test]
fn words_are_read_from_a_socket_too() {
    let home = Home::new("socket");
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut ours, ALICE.as_bytes()).unwrap();
    drop(ours);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kez-rs"))
        .args(["identity", "from-mnemonic", "--mnemonic", "-"])
        .env("KEZ_HOME", &home.0)
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"ed25519:"));
}

#[test]
fn damage_beside_the_keys_is_told() {
    let home = Home::with_alice("damaged-keys");
    fs::write(home.0.join("kez/current"), [0xff, b'\n']).unwrap();
    let (code, answer) = home.json(&["sigchain", "show"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &"store.corrupt".into()));
    home.ok(&["identity", "use", "alice"], "");
    fs::write(home.0.join("kez/identities/alice.json"), "{}").unwrap();
    let (_, answer) = home.json(&["identity", "list"], "");
    assert_eq!(answer["error"]["code"], "store.corrupt");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("restore"));
    fs::remove_dir_all(home.0.join("kez/identities")).unwrap();
    fs::write(home.0.join("kez/identities"), "").unwrap();
    let (_, answer) = home.json(&["identity", "list"], "");
    assert_eq!(answer["error"]["code"], "input.unreadable");
}

#[test]
fn a_proof_that_cannot_be_read_is_not_one_that_was_never_there() {
    let (history, dns, reader) = (history("proven-writer", "dns:a.example"), Dns::start(), Home::new("proven"));
    dns.say("_kez.a.example", &[&history.claim]);
    let resolver = dns.address.to_string();
    let verify = || reader.json(&["verify", "id", "dns:a.example", "--resolver", &resolver], "");
    assert_eq!(told(&verify().1).0, "valid");
    let path = reader.0.join("kez/rust/proven.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("ed25519:", "ed25519;")).unwrap();
    let (code, answer) = verify();
    assert_eq!((code, &answer["error"]["code"]), (1, &"store.corrupt".into()));
    assert!(answer["error"]["hint"].as_str().unwrap().contains("move it away"));
}
