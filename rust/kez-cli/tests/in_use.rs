//! After `sigchain rotate` commands act as the new key, where they acted as the old one.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use support::{ALICE, Home};

fn home(name: &str) -> Home {
    let home = Home::with_alice(name);
    for name in ["safe", "other"] {
        home.ok(&["identity", "new", name, "--no-passphrase"], "");
    }
    home.ok(&["sigchain", "add", "github:alice"], "");
    home
}

fn in_use(home: &Home) -> String {
    let listed = home.ok(&["identity", "list"], "");
    let line = listed.lines().find(|line| line.starts_with('*')).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn the_new_key_is_that_of_the_identity_in_use() {
    let home = home("in-use-after");
    home.ok(&["sigchain", "rotate", "safe"], "");
    assert_eq!(in_use(&home), "safe");
    home.ok(&["sigchain", "add", "dns:a.example"], "");
    home.ok(&["--identity", "safe", "sigchain", "rotate", "other"], "");
    assert_eq!(in_use(&home), "other");
}

#[test]
fn the_identity_in_use_stays_where_another_one_rotated() {
    let home = home("in-use-stays");
    home.ok(&["identity", "use", "other"], "");
    home.ok(&["--identity", "alice", "sigchain", "rotate", "safe"], "");
    assert_eq!(in_use(&home), "other");
}

/// A device is that of the same person after it as before.
#[test]
fn a_device_that_rotates_in_the_committed_key_stays_in_use() {
    let home = home("in-use-device-stays");
    home.ok(&["sigchain", "add-device", "other"], "");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    home.ok(&["identity", "use", "other"], "");
    home.ok(&["sigchain", "rotate", "safe"], "");
    assert_eq!(in_use(&home), "other");
}

/// As the same key by its words.
#[test]
fn a_key_that_was_passed_is_that_of_the_identity_in_use_too() {
    let home = home("in-use-words");
    home.ok(&["sigchain", "rotate", "safe", "--mnemonic", "-"], ALICE);
    assert_eq!(in_use(&home), "safe");
}
