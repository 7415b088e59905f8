//! `kez-rs` as people run it, each test in a home of its own: words, key files, claims, chains, marks. What both command
//! lines must have in common is in the cross-test.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use support::{ALICE, Home};

const ALICE_KEY: &str = "ed25519:cc99d06b15ccb83a5ca43f25dd3d27f50638c1c6fbe3a822352da3e07156ce03";
const PHONE: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";

#[test]
fn a_key_file_opens_with_its_passphrase_alone() {
    let home = Home::new("passphrase");
    let (right, wrong) = (home.file("right", "correct horse\n"), home.file("wrong", "battery staple\n"));
    home.ok(&["identity", "restore", "alice", "--mnemonic", "-", "--passphrase-file", &right], ALICE);
    let file = fs::read_to_string(home.0.join("kez/keys/alice.age")).unwrap();
    assert!(file.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    let claim = ["claim", "create", "github:alice", "--passphrase-file"];
    let (code, answer) = home.json(&[&claim[..], &[&wrong]].concat(), "");
    assert_eq!((code, &answer["error"]["code"]), (4, &"key.unlock".into()));
    let (code, answer) = home.json(&claim[..3], "");
    assert_eq!((code, &answer["error"]["code"]), (4, &"key.locked".into()));
    let (code, answer) = home.json(&[&claim[..], &[&right]].concat(), "");
    assert_eq!((code, &answer["data"]["primary"]), (0, &ALICE_KEY.into()));
}

#[test]
fn secrets_in_arguments_are_refused_and_not_repeated() {
    let home = Home::new("arguments");
    let ran = home.run(&["identity", "from-mnemonic", "--mnemonic", ALICE, "--json"], "");
    assert_eq!(ran.code, 2);
    assert!(!ran.stdout.contains("legal"), "{}", ran.stdout);
}

#[test]
fn a_key_file_that_others_may_read_is_not_used() {
    let home = Home::with_alice("permissions");
    let path = home.0.join("kez/keys/alice.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, answer) = home.json(&["claim", "create", "github:alice"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &"store.permissions".into()));
}

#[test]
fn a_claim_in_every_form_verifies() {
    let home = Home::with_alice("forms");
    for form in ["json", "compact", "markdown", "dns"] {
        let text = home.ok(&["claim", "create", "dns:a.example", "--format", form, "-q"], "");
        let (code, answer) = home.json(&["verify", "file", "-", "--offline"], &text);
        assert_eq!((code, &answer["data"]["status"]), (0, &"valid".into()), "{form}");
        assert_eq!(answer["data"]["flags"], serde_json::json!(["no_chain", "unpublished"]));
    }
}

#[test]
fn what_a_reader_saw_cannot_be_taken_back() {
    let (writer, reader) = (Home::with_alice("writer"), Home::new("reader"));
    let claim = writer.ok(&["claim", "create", "github:alice", "--format", "json", "-q"], "");
    writer.ok(&["sigchain", "add", "github:alice", "-q"], "");
    let short = reader.file("short.jsonl", &writer.ok(&["sigchain", "export", "-q"], ""));
    writer.ok(&["sigchain", "revoke", "github:alice", "-q"], "");
    let long = reader.file("long.jsonl", &writer.ok(&["sigchain", "export", "-q"], ""));
    let verify = |path: &str| reader.json(&["verify", "file", "-", "--offline", "--chain", path], &claim);
    assert_eq!(verify(&short).0, 0);
    assert_eq!(verify(&long).0, 11);
    let (code, answer) = verify(&short);
    assert_eq!((code, &answer["data"]["reason"]), (11, &"claim.revoked".into()));
    assert!(answer["data"]["flags"].as_array().unwrap().contains(&"rollback".into()));
}

#[test]
fn a_fork_refuses_appends_until_it_is_settled() {
    let (one, other) = (Home::with_alice("one"), Home::with_alice("other"));
    one.ok(&["sigchain", "add", "github:alice", "-q"], "");
    other.ok(&["sigchain", "import", "-"], &one.ok(&["sigchain", "export"], ""));
    one.ok(&["sigchain", "add", "dns:a.example", "-q"], "");
    other.ok(&["sigchain", "add", "dns:b.example", "-q"], "");
    one.ok(&["sigchain", "import", "-"], &other.ok(&["sigchain", "export"], ""));
    let (code, answer) = one.json(&["sigchain", "add", "dns:c.example"], "");
    assert_eq!((code, &answer["error"]["code"]), (13, &"chain.fork".into()));
    let (_, answer) = one.json(&["sigchain", "settle"], "");
    let kept = answer["data"]["splits"][0]["successors"][0]["digest"].as_str().unwrap().to_owned();
    one.ok(&["sigchain", "settle", "--keep", &kept], "");
    let (_, answer) = one.json(&["sigchain", "add", "dns:c.example"], "");
    assert_eq!((&answer["data"]["status"], &answer["data"]["contested"]), (&"ok".into(), &true.into()));
}

#[test]
fn a_device_speaks_for_the_chain_until_it_is_revoked() {
    let home = Home::with_alice("devices");
    home.ok(&["identity", "restore", "phone", "--mnemonic", "-", "--no-passphrase"], PHONE);
    home.ok(&["sigchain", "add-device", "phone", "-q"], "");
    home.ok(&["--identity", "phone", "sigchain", "add", "github:alice", "-q"], "");
    home.ok(&["sigchain", "revoke-device", "phone", "-q"], "");
    let (code, answer) = home.json(&["--identity", "phone", "sigchain", "add", "dns:a.example"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &"chain.not_authorised".into()));
    let (code, answer) = home.json(&["graph", "--offline"], "");
    assert_eq!((code, &answer["data"]["accounts"][0]["subject"]), (0, &"github:alice".into()));
}

#[test]
fn a_copy_of_a_record_stands_for_no_other_key_file() {
    let home = Home::with_alice("copied");
    let identities = home.0.join("kez/identities");
    fs::copy(identities.join("alice.json"), identities.join("alice-old.json")).unwrap();
    for args in [&["identity", "remove", "alice-old", "--yes"][..], &["identity", "use", "alice-old"]] {
        let (code, answer) = home.json(args, "");
        assert_eq!((code, &answer["error"]["code"]), (1, &"store.corrupt".into()), "{answer}");
        let (message, hint) = (answer["error"]["message"].as_str().unwrap(), answer["error"]["hint"].as_str().unwrap());
        assert!(message.ends_with("it is the record of alice") && !hint.contains("restore"), "{answer}");
    }
    assert!(home.0.join("kez/keys/alice.key").exists());
    home.ok(&["claim", "create", "github:alice"], "");
}

#[test]
fn damage_of_the_store_is_named() {
    let home = Home::with_alice("damage");
    home.ok(&["sigchain", "add", "github:alice", "-q"], "");
    let folder = home.0.join("kez/rust/chains");
    let path = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("kez.sigchain.event", "kez.sigchain.evenx")).unwrap();
    let (code, answer) = home.json(&["sigchain", "show"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &"store.corrupt".into()));
}
