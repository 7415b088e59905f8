//! What an agent does not sign, and the passphrase signs instead.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use kez_core::Time;
use serde_json::{Value, json};
use support::agents::{NOSTR_WORDS, Unlocked, agents, ask_to_sign, folder, locked_home, socket, unlock};
use support::relay::Relay;
use support::servers::Web;
use support::{ALICE, Home};

/// Without the passphrase, and with it.
fn needs_passphrase(home: &Home, passphrase: &str, args: &[&str]) -> Value {
    let (code, answer) = home.json(args, "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("key.locked")), "{args:?}: {answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("the agent of alice does not sign"), "{message}");
    let (code, answer) = home.json(&[args, &["--passphrase-file", passphrase]].concat(), "");
    assert_eq!(code, 0, "{args:?}: {answer}");
    answer["data"].clone()
}

#[test]
fn what_gives_a_key_authority_needs_the_passphrase() {
    let (home, passphrase) = locked_home("authority", ALICE, "ed25519");
    let home = Unlocked(home);
    for name in ["phone", "safe", "other"] {
        home.0.ok(&["identity", "new", name, "--no-passphrase"], "");
    }
    home.0.ok(&["identity", "use", "alice"], "");
    unlock(&home.0, &passphrase, &["alice"]);
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    needs_passphrase(&home.0, &passphrase, &["sigchain", "add-device", "phone"]);
    home.0.ok(&["sigchain", "revoke-device", "phone"], "");
    needs_passphrase(&home.0, &passphrase, &["sigchain", "rotate", "safe"]);
    let (home, passphrase) = locked_home("commitment", ALICE, "ed25519");
    let home = Unlocked(home);
    home.0.ok(&["identity", "new", "safe", "--no-passphrase"], "");
    unlock(&home.0, &passphrase, &["alice"]);
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    needs_passphrase(&home.0, &passphrase, &["sigchain", "set-next", "safe", "--yes"]);
}

/// What it revoked has its say back.
#[test]
fn a_former_primary_is_revoked_with_the_passphrase() {
    let (home, passphrase) = locked_home("former", ALICE, "ed25519");
    let home = Unlocked(home);
    home.0.ok(&["identity", "new", "old", "--no-passphrase"], "");
    let old = ["--identity", "old", "sigchain"];
    home.0.ok(&[&old[..], &["add", "dns:a.example"]].concat(), "");
    home.0.ok(&[&old[..], &["rotate", "alice", "--passphrase-file", &passphrase]].concat(), "");
    unlock(&home.0, &passphrase, &["alice"]);
    home.0.ok(&["identity", "use", "alice"], "");
    needs_passphrase(&home.0, &passphrase, &["sigchain", "revoke-device", "old"]);
}

/// Of two histories the one that somebody else wrote may be kept, or a revocation lifted.
#[test]
fn a_settlement_needs_the_passphrase() {
    let (home, passphrase) = locked_home("settle", ALICE, "ed25519");
    let (home, other) = (Unlocked(home), Home::with_alice("settle-other"));
    unlock(&home.0, &passphrase, &[]);
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    other.ok(&["sigchain", "import", "-"], &home.0.ok(&["sigchain", "export"], ""));
    home.0.ok(&["sigchain", "add", "dns:c.example"], "");
    home.0.ok(&["sigchain", "revoke", "dns:a.example"], "");
    other.ok(&["sigchain", "add", "dns:b.example"], "");
    home.0.ok(&["sigchain", "import", "-"], &other.ok(&["sigchain", "export"], ""));
    // To look at them needs no key.
    let (_, shown) = home.0.json(&["sigchain", "settle"], "");
    let successors = shown["data"]["splits"][0]["successors"].as_array().unwrap();
    let theirs = successors.iter().find(|it| it["events"][0]["payload"]["subject"] == "dns:b.example").unwrap();
    let keep = ["sigchain", "settle", "--keep", theirs["digest"].as_str().unwrap()];
    needs_passphrase(&home.0, &passphrase, &keep);
    let (_, shown) = home.0.json(&["sigchain", "settle"], "");
    let revocation = shown["data"]["revocations"][0]["digest"].as_str().unwrap();
    let data = needs_passphrase(&home.0, &passphrase, &["sigchain", "settle", "--lift", revocation]);
    assert_eq!((&data["status"], &data["events"][0]["op"]), (&json!("ok"), &json!("settle")));
}

/// Readers take them when their time has come, and nobody can ask the agent any more.
#[test]
fn a_head_or_a_claim_of_the_future_is_not_signed() {
    let (home, passphrase) = locked_home("future", ALICE, "ed25519");
    let home = Unlocked(home);
    unlock(&home.0, &passphrase, &[]);
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    let claim = home.0.ok(&["claim", "create", "dns:a.example", "--format", "json", "-q"], "");
    let head = home.0.ok(&["sigchain", "head"], "");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (text, member) in [(claim, "created_at"), (head, "issued_at")] {
        let mut payload = serde_json::from_str::<Value>(&text).unwrap()["payload"].clone();
        for (at, is_signed) in [(now, true), (now + 600, false)] {
            payload[member] = json!(Time::from_unix_seconds(at).unwrap().to_string());
            // serde_json keeps members sorted, as JCS wants them.
            let answer = ask_to_sign(&socket(&home.0), &payload.to_string());
            assert_eq!(answer["signature"].is_string(), is_signed, "{payload}: {answer}");
        }
    }
}

/// A home with a nostr key that an agent holds, and its relay.
fn on_nostr(name: &str) -> (Unlocked, String, Relay, String) {
    let (home, passphrase) = locked_home(name, NOSTR_WORDS, "nostr");
    let relay = Relay::default();
    fs::write(home.0.join("kez/config.toml"), format!("relays = [\"{}\"]\n", relay.start())).unwrap();
    let home = Unlocked(home);
    let account = unlock(&home.0, &passphrase, &[])["identity"].as_str().unwrap().to_owned();
    (home, passphrase, relay, account)
}

#[test]
fn a_proof_goes_to_relays_without_the_passphrase_and_comes_away_with_it() {
    let (home, passphrase, relay, account) = on_nostr("relays");
    home.0.ok(&["claim", "publish", &account, "--wait", "0"], "");
    assert_eq!(relay.kinds(), [30_078]);
    let unpublish = ["claim", "unpublish", &account, "--wait", "0"];
    let data = needs_passphrase(&home.0, &passphrase, &unpublish);
    assert_eq!((&data["still_seen"], relay.kinds()), (&json!(false), vec![30_078, 30_078, 5]));
}

/// What has the agents of this home end.
fn locking(home: &Home) -> Box<dyn FnOnce() + Send> {
    let mut lock = Command::new(env!("CARGO_BIN_EXE_kez-rs"));
    lock.args(["identity", "lock"]).env_clear().env("KEZ_HOME", home.0.join("kez"));
    Box::new(move || assert!(lock.status().unwrap().success()))
}

/// The account is looked at between the first use of the agent and the claim.
#[test]
fn a_claim_whose_agent_ended_on_the_way_is_signed_with_the_passphrase() {
    let (home, passphrase) = locked_home("claimed", ALICE, "ed25519");
    let (home, web) = (Unlocked(home), Web::start());
    web.say_json("/user", r#"{"login":"jason","id":77}"#);
    web.say_json("/users/jason/gists", "[]");
    let settings = format!("[hosts]\n\"api.github.com\" = \"http://{}\"\n", web.address);
    fs::write(home.0.0.join("kez/config.toml"), settings).unwrap();
    let token = home.0.file("token", "good\n");
    let publish = ["claim", "publish", "github:jason", "--credential-file", &token, "--wait", "0"];
    let ended = |more: &[&str]| {
        unlock(&home.0, &passphrase, &[]);
        web.when_asked.lock().unwrap().replace(locking(&home.0));
        let (code, answer) = home.0.json(&[&publish, more].concat(), "");
        assert!(!socket(&home.0).exists());
        let is_signed = web.asked().iter().any(|path| path == "/gists");
        (code, answer["error"]["code"] == "key.locked", is_signed)
    };
    assert_eq!(ended(&[]), (4, true, false));
    // The rest of it is no such server as GitHub.
    let (_, is_locked, is_signed) = ended(&["--passphrase-file", &passphrase]);
    assert_eq!((is_locked, is_signed), (false, true));
}

#[test]
fn a_proof_whose_agent_ended_on_the_way_is_listed_with_the_passphrase() {
    let (home, passphrase, relay, account) = on_nostr("ended");
    let lock_when_asked = || drop(relay.when_asked.lock().unwrap().replace(locking(&home.0)));
    let publish = ["claim", "publish", &account, "--wait", "0"];
    lock_when_asked();
    let (code, answer) = home.0.json(&publish, "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("key.locked")), "{answer}");
    assert!(answer["error"]["hint"].as_str().unwrap().contains("--passphrase-file"), "{answer}");
    unlock(&home.0, &passphrase, &[]);
    lock_when_asked();
    let (code, answer) = home.0.json(&[&publish[..], &["--passphrase-file", &passphrase]].concat(), "");
    assert_eq!((code, &answer["data"]["events"][0]["op"]), (0, &json!("add")), "{answer}");
    assert!(!socket(&home.0).exists());
}

#[test]
fn a_chain_goes_to_relays_with_the_passphrase() {
    let (home, passphrase, relay, _) = on_nostr("chain");
    home.0.ok(&["sigchain", "add", "dns:a.example"], "");
    let data = needs_passphrase(&home.0, &passphrase, &["sigchain", "publish", "--to", "nostr"]);
    assert_eq!((&data["places"][0]["state"], relay.kinds()), (&json!("whole"), vec![30_078]));
}

#[test]
fn a_key_that_came_in_place_of_the_agents_signs_nothing() {
    let (home, passphrase, relay, account) = on_nostr("exchanged");
    home.0.ok(&["identity", "new", "bob", "--no-passphrase", "--key-type", "nostr"], "");
    home.0.ok(&["claim", "publish", &account, "--wait", "0"], "");
    let identities = home.0.0.join("kez/identities");
    let exchange = move || {
        let record = fs::read_to_string(identities.join("bob.json")).unwrap();
        fs::write(identities.join("alice.json"), record.replace("\"bob\"", "\"alice\"")).unwrap();
    };
    relay.when_asked.lock().unwrap().replace(Box::new(exchange));
    let unpublish = ["claim", "unpublish", &account, "--wait", "0", "--passphrase-file", &passphrase];
    let (code, answer) = home.0.json(&unpublish, "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("key.not_held")), "{answer}");
    assert_eq!(relay.kinds(), [30_078]);
}

#[test]
fn who_was_locked_is_told_although_another_was_not() {
    let (home, passphrase) = locked_home("two", ALICE, "ed25519");
    let home = Unlocked(home);
    let words = ["--mnemonic", "-", "--key-type", "nostr", "--passphrase-file", &passphrase];
    home.0.ok(&[&["identity", "restore", "bob"], &words[..]].concat(), NOSTR_WORDS);
    for name in ["alice", "bob"] {
        unlock(&home.0, &passphrase, &[name]);
    }
    let stopped = agents(&socket(&home.0)).pop().unwrap();
    assert!(Command::new("kill").args(["-STOP", &stopped]).status().unwrap().success());
    let (code, answer) = home.0.json(&["identity", "lock"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &json!("store.busy")));
    assert!(answer["warnings"].as_array().unwrap().contains(&json!("locked: bob")), "{answer}");
    assert!(agents(&folder(&home.0).join("bob.sock")).is_empty());
}
