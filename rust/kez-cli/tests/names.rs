//! Names of identities and profiles: those of earlier versions are not locked out.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;

use serde_json::json;
use support::agents::{Unlocked, agents, folder, locked_home, unlock};
use support::{ALICE, Home};

/// alice under a name of an earlier version.
fn rename(home: &Home, name: &str) {
    let kez = home.0.join("kez");
    let record = fs::read_to_string(kez.join("identities/alice.json")).unwrap();
    fs::write(kez.join(format!("identities/{name}.json")), record.replace("\"alice\"", &format!("\"{name}\"")))
        .unwrap();
    fs::remove_file(kez.join("identities/alice.json")).unwrap();
    fs::rename(kez.join("keys/alice.age"), kez.join(format!("keys/{name}.age"))).unwrap();
    fs::write(kez.join("current"), format!("{name}\n")).unwrap();
}

#[test]
fn an_identity_of_an_earlier_version_is_not_locked_out() {
    for (number, name) in ["work-", "_a", "con"].into_iter().enumerate() {
        let (home, passphrase) = locked_home(&format!("names{number}"), ALICE, "ed25519");
        let home = Unlocked(home);
        rename(&home.0, name);
        let ok = |args: &[&str]| home.0.ok(&[args, &["--passphrase-file", &passphrase]].concat(), "");
        assert!(ok(&["identity", "list"]).contains(name));
        ok(&["identity", "show", name]);
        assert!(ok(&["identity", "mnemonic", name, "--reveal-words"]).contains("winner"));
        ok(&["claim", "create", "github:alice"]);
        unlock(&home.0, &passphrase, &[name]);
        let (_, locked) = home.0.json(&["identity", "lock"], "");
        assert_eq!(locked["data"]["locked"], json!([name]));
        unlock(&home.0, &passphrase, &[name]);
        home.0.ok(&["identity", "restore", name, "--mnemonic", "-", "--passphrase-file", &passphrase], ALICE);
        home.0.ok(&["identity", "remove", name, "--yes"], "");
        assert!(agents(&folder(&home.0).join(format!("{name}.sock"))).is_empty());
        assert!(!home.0.0.join(format!("kez/keys/{name}.age")).exists());
    }
}

#[test]
fn a_profile_of_an_earlier_version_is_not_locked_out() {
    let home = Home::with_alice("profile-before");
    let new = ["--profile", "x_", "identity", "new", "--no-passphrase"];
    assert_eq!(home.run(&new, "").code, 2);
    fs::create_dir_all(home.0.join("kez/profiles/x_")).unwrap();
    home.ok(&new, "");
    home.ok(&["--profile", "x_", "identity", "show", "--id"], "");
}

#[test]
fn a_new_name_is_told_the_whole_rule() {
    let home = Home::with_alice("names-new");
    for args in [["identity", "new", "work-"], ["identity", "show", "work-"], ["identity", "new", "con"]] {
        let (code, answer) = home.json(&args, "");
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
        assert!(
            message.contains("begin and end with a letter or digit, and are no device name of Windows"),
            "{message}"
        );
    }
}
