//! What can be checked without a key is checked before anybody is asked for its passphrase, or for a yes.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use serde_json::json;
use support::agents::locked_home;
use support::{ALICE, Home};

/// Of the command without the passphrase.
fn refuses(home: &Home, args: &[&str], (exit, code): (i32, &str)) {
    let (got, answer) = home.json(&[&["sigchain"], args].concat(), "");
    assert_eq!((got, &answer["error"]["code"]), (exit, &json!(code)), "{args:?}: {answer}");
}

/// With the keys safe and laptop, laptop as a device, and another account.
fn locked(name: &str) -> (Home, String) {
    let (home, passphrase) = locked_home(name, ALICE, "ed25519");
    for name in ["safe", "laptop"] {
        home.ok(&["identity", "new", name, "--no-passphrase"], "");
    }
    for args in [["add", "github:alice"], ["add-device", "laptop"]] {
        home.ok(&["sigchain", args[0], args[1], "--passphrase-file", &passphrase], "");
    }
    (home, passphrase)
}

#[test]
fn a_locked_key_is_not_the_first_thing_that_is_in_the_way() {
    let (home, passphrase) = locked("checks-locked");
    refuses(&home, &["revoke", "dns:a.example"], (4, "key.locked"));
    refuses(&home, &["revoke-device", "safe"], (2, "usage"));
    refuses(&home, &["revoke-device", "alice"], (1, "chain.authority"));
    refuses(&home, &["add-device", "laptop"], (1, "chain.key_in_use"));
    refuses(&home, &["rotate", "laptop"], (1, "chain.key_in_use"));
    refuses(&home, &["rotate", "safe", "--next", "laptop"], (1, "chain.key_in_use"));
    refuses(&home, &["set-next", "laptop", "--yes"], (1, "chain.key_in_use"));
    refuses(&home, &["settle", "--keep", &format!("sha256:{}", "0".repeat(64))], (1, "chain.unknown"));
    home.ok(&["sigchain", "set-next", "safe", "--yes", "--passphrase-file", &passphrase], "");
    home.ok(&["identity", "new", "other", "--no-passphrase"], "");
    refuses(&home, &["set-next", "other"], (1, "chain.next_in_force"));
    refuses(&home, &["rotate", "other"], (1, "chain.prerotation"));
    // What the chain says already needs no key.
    home.ok(&["sigchain", "add", "github:alice"], "");
}

#[test]
fn a_fork_is_told_before_a_key_is_opened() {
    let (home, passphrase) = locked("checks-fork");
    let other = Home::with_alice("checks-fork-other");
    other.ok(&["sigchain", "import", "-"], &home.ok(&["sigchain", "export"], ""));
    home.ok(&["sigchain", "add", "dns:a.example", "--passphrase-file", &passphrase], "");
    other.ok(&["sigchain", "add", "dns:b.example"], "");
    home.ok(&["sigchain", "import", "-"], &other.ok(&["sigchain", "export"], ""));
    for args in [
        ["add", "dns:c.example"],
        ["revoke", "dns:a.example"],
        ["add-device", "safe"],
        ["revoke-device", "unknown"],
        ["set-next", "safe"],
        ["rotate", "safe"],
    ] {
        refuses(&home, &args, (13, "chain.fork"));
    }
}
