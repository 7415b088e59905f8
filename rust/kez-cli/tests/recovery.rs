//! The committed key takes over, whatever a thief of the primary key wrote. SPEC FORK-1.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use kez_core::sigchain::{Chain, Graph, Signing, append, commitment, read_document, write_jsonl};
use kez_core::{Identity, KeyIdentity, Op, Time};
use serde_json::{Value, json};
use support::forge::{PHONE, SAFE, forged, key, signer};
use support::{ALICE, Home};

/// A home with alice and the keys safe and laptop, and the key of safe.
fn home_with_safe(name: &str) -> (Home, KeyIdentity) {
    let home = Home::with_alice(name);
    home.ok(&["identity", "restore", "safe", "--mnemonic", "-", "--no-passphrase"], SAFE);
    home.ok(&["identity", "new", "laptop", "--no-passphrase"], "");
    home.ok(&["sigchain", "add", "github:alice"], "");
    let safe = home.ok(&["identity", "show", "safe", "--id"], "");
    (home, KeyIdentity::parse_canonical(safe.trim()).unwrap())
}

/// What a thief of alice's key makes of her chain.
fn stolen(document: &str, ops: impl IntoIterator<Item = Op>) -> String {
    forged(document, ALICE, ops)
}

fn subject(text: &str) -> Identity {
    Identity::parse(text).unwrap()
}

#[test]
fn a_committed_key_that_a_thief_revoked_takes_over() {
    let (home, safe) = home_with_safe("recovery");
    let reader = Home::with_alice("recovery-reader");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let theft = [
        Op::RevokeDevice { keys: vec![safe.clone()], keep: vec![] },
        Op::Revoke { subject: subject("github:alice") },
        Op::Add { subject: subject("dns:thief.example"), subject_id: None, proof: None },
    ];
    let document = stolen(&home.ok(&["sigchain", "export"], ""), theft);
    for home in [&home, &reader] {
        home.ok(&["sigchain", "import", "-"], &document);
    }
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "--yes"], "");
    assert_eq!(code, 0, "{answer}");
    let (data, warnings) = (&answer["data"], answer["warnings"].as_array().unwrap());
    assert_eq!((&data["events"][0]["seq"], &data["primary"]), (&json!(2), &json!(safe.as_str())));
    assert_eq!((&data["status"], &data["contested"]), (&json!("ok"), &json!(true)));
    assert!(warnings.iter().any(|it| it.as_str().unwrap().contains("event 2 revoked the key")), "{answer}");
    // What the thief revoked stays revoked until it is lifted: a device of the new key would be suspended.
    home.ok(&["identity", "use", "safe"], "");
    let (_, shown) = home.json(&["sigchain", "settle"], "");
    let revocations = shown["data"]["revocations"].as_array().unwrap();
    let revocations: Vec<&str> = revocations.iter().map(|it| it["digest"].as_str().unwrap()).collect();
    assert_eq!(revocations.len(), 2);
    home.ok(&[&["sigchain", "settle", "--lift"], &revocations[..]].concat(), "");
    home.ok(&["sigchain", "add-device", "laptop"], "");
    reader.ok(&["sigchain", "import", "-"], &home.ok(&["sigchain", "export"], ""));
    let shown = |home: &Home| {
        let (_, answer) = home.json(&["sigchain", "show"], "");
        let data = &answer["data"];
        let subjects: Vec<Value> =
            data["subjects"].as_array().unwrap().iter().map(|it| it["subject"].clone()).collect();
        (data["primary"].clone(), data["status"].clone(), data["devices"][0]["suspended"].clone(), json!(subjects))
    };
    let expected = (json!(safe.as_str()), json!("ok"), json!(false), json!(["github:alice"]));
    assert_eq!((shown(&home), shown(&reader)), (expected.clone(), expected));
}

/// There is no event from which it could follow.
#[test]
fn a_key_that_was_revoked_before_it_was_committed_to_cannot_take_over() {
    let (home, safe) = home_with_safe("recovery-late");
    let theft = [Op::RevokeDevice { keys: vec![safe.clone()], keep: vec![] }, Op::SetNext { next: commitment(&safe) }];
    let document = stolen(&home.ok(&["sigchain", "export"], ""), theft);
    home.ok(&["sigchain", "import", "-"], &document);
    let (code, answer) = home.json(&["sigchain", "rotate", "safe"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &json!("chain.key_reuse")), "{answer}");
}

#[test]
fn nothing_is_left_behind_unasked() {
    let (home, safe) = home_with_safe("recovery-asked");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let add = |name: &str| Op::Add { subject: subject(name), subject_id: None, proof: None };
    let theft = [Op::RevokeDevice { keys: vec![safe], keep: vec![] }, add("dns:a.example"), add("dns:b.example")];
    let document = stolen(&home.ok(&["sigchain", "export"], ""), theft);
    home.ok(&["sigchain", "import", "-"], &document);
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "-q"], "");
    let error = &answer["error"];
    assert_eq!((code, &error["code"]), (2, &json!("input.missing")), "{answer}");
    assert!(
        error["message"].as_str().unwrap().contains("the 3 events (1 revoke_device, 2 add) after event 1"),
        "{error}"
    );
    assert!(error["hint"].as_str().unwrap().contains("--yes"), "{error}");
    assert_eq!(home.ok(&["sigchain", "export"], ""), document);
    let shown = home.ok(&["sigchain", "show"], "");
    assert!(shown.contains("which event 2 revoked: kez-rs sigchain rotate goes back to before that"), "{shown}");
}

/// A home in which the thief of alice's device phone burned the key safe that she committed to, and she revoked phone.
fn home_with_thief(name: &str) -> (Home, KeyIdentity) {
    let (home, safe) = home_with_safe(name);
    home.ok(&["identity", "restore", "phone", "--mnemonic", "-", "--no-passphrase"], PHONE);
    let phone = home.ok(&["identity", "show", "phone", "--id"], "");
    home.ok(&["sigchain", "add-device", "phone"], "");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let theft = [Op::RevokeDevice { keys: vec![safe], keep: vec![] }];
    let document = forged(&home.ok(&["sigchain", "export"], ""), PHONE, theft);
    home.ok(&["sigchain", "import", "-"], &document);
    home.ok(&["sigchain", "revoke-device", "phone"], "");
    home.ok(&["sigchain", "revoke", "github:alice"], "");
    (home, KeyIdentity::parse_canonical(phone.trim()).unwrap())
}

#[test]
fn a_revoked_device_that_comes_back_with_the_committed_key_is_named() {
    let (home, phone) = home_with_thief("recovery-device");
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "--yes", "-q"], "");
    assert_eq!(code, 0, "{answer}");
    let (data, warnings) = (&answer["data"], answer["warnings"].as_array().unwrap());
    assert_eq!(data["suspended"], json!([phone.as_str()]));
    let left = ["revoke_device", "revoke_device", "revoke"].into_iter().zip(3..);
    let left: Vec<Value> = left.map(|(op, seq)| json!({ "seq": seq, "op": op })).collect();
    assert_eq!(data["left_behind"], json!(left));
    let named = format!("revoke-device {phone}");
    assert!(warnings.iter().any(|it| it.as_str().unwrap().contains(&named)), "{answer}");
    // It is as it says: what phone signs counts.
    let add = Op::Add { subject: subject("github:mallory"), subject_id: None, proof: None };
    let document = forged(&home.ok(&["sigchain", "export"], ""), PHONE, [add]);
    home.ok(&["identity", "use", "safe"], "");
    assert_eq!(home.run(&["sigchain", "import", "-"], &document).code, 0);
    home.ok(&["sigchain", "revoke-device", "phone"], "");
}

#[test]
fn a_revoked_device_stays_revoked_where_the_revocations_are_kept() {
    let (home, phone) = home_with_thief("recovery-kept");
    let before = home.ok(&["sigchain", "export"], "");
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "--yes", "--keep-revocations"], "");
    assert_eq!((code, &answer["data"]["suspended"]), (0, &json!([])), "{answer}");
    let events = answer["data"]["events"].as_array().unwrap();
    let events: Vec<Value> = events.iter().map(|it| json!([it["op"], it["payload"]["keys"]])).collect();
    assert_eq!(events, [json!(["rotate", null]), json!(["revoke_device", [phone.as_str()]]), json!(["revoke", null])]);
    // Nor does it follow the rotation itself: that is an event of a device against two of the primary.
    let rotated = home.ok(&["sigchain", "export"], "");
    let until_rotation: String = rotated.lines().take(4).map(|line| format!("{line}\n")).collect();
    let add = Op::Add { subject: subject("github:mallory"), subject_id: None, proof: None };
    home.ok(&["identity", "use", "safe"], "");
    for document in [before, forged(&until_rotation, PHONE, [add])] {
        home.ok(&["sigchain", "import", "-"], &document);
    }
    let (_, shown) = home.json(&["sigchain", "show"], "");
    let data = &shown["data"];
    assert_eq!((&data["devices"], &data["status"]), (&json!([]), &json!("ok")));
    let subjects = data["subjects"].as_array().unwrap();
    assert_eq!(subjects.iter().map(|it| it["subject"].as_str().unwrap()).collect::<Vec<_>>(), ["github:alice"]);
    assert_eq!(subjects[0]["status"], "revoked");
}

/// They would be the owner's own then, for good.
#[test]
fn what_a_thief_revoked_is_not_signed_again() {
    let (home, safe) = home_with_safe("recovery-thief");
    home.ok(&["identity", "restore", "phone", "--mnemonic", "-", "--no-passphrase"], PHONE);
    let key_of = |name: &str| home.ok(&["identity", "show", name, "--id"], "").trim().to_owned();
    let (laptop, phone) = (key_of("laptop"), key_of("phone"));
    for device in ["laptop", "phone"] {
        home.ok(&["sigchain", "add-device", device], "");
    }
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    let theft = [
        Op::RevokeDevice { keys: vec![safe, KeyIdentity::parse_canonical(&laptop).unwrap()], keep: vec![] },
        Op::Revoke { subject: subject("dns:hers.example") },
    ];
    let document = forged(&home.ok(&["sigchain", "export"], ""), PHONE, theft);
    home.ok(&["sigchain", "import", "-"], &document);
    home.ok(&["sigchain", "revoke-device", "phone"], "");
    // What holds already is not said twice.
    for command in ["revoke", "add", "revoke"] {
        home.ok(&["sigchain", command, "github:alice"], "");
    }
    let (code, asked) = home.json(&["sigchain", "rotate", "safe", "--keep-revocations"], "");
    let hint = asked["error"]["hint"].as_str().unwrap();
    assert_eq!((code, &asked["error"]["code"]), (2, &json!("input.missing")), "{asked}");
    let thief = format!("event 4 (revoke_device by {phone}), event 5 (revoke by {phone})");
    assert!(hint.contains("Signed again: event 6 (revoke_device by") && hint.contains(&thief), "{hint}");
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "--yes", "--keep-revocations"], "");
    assert_eq!((code, &answer["data"]["suspended"]), (0, &json!([])), "{answer}");
    let events = answer["data"]["events"].as_array().unwrap();
    let events: Vec<Value> = events.iter().map(|it| json!([it["op"], it["payload"]["keys"]])).collect();
    assert_eq!(events, [json!(["rotate", null]), json!(["revoke_device", [phone]]), json!(["revoke", null])]);
    assert!(answer["warnings"].to_string().contains(&thief), "{answer}");
    let (_, shown) = home.json(&["sigchain", "show", "safe"], "");
    assert_eq!(shown["data"]["devices"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown["data"]["devices"][0]["key"], &shown["data"]["subjects"][0]["status"]),
        (&json!(laptop), &json!("revoked"))
    );
}

/// What took the key out of reach need not be a revocation of it, nor the first event that did.
#[test]
fn the_rotation_follows_the_last_event_at_which_the_committed_key_could() {
    let (home, safe) = home_with_safe("recovery-last");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    home.ok(&["identity", "restore", "phone", "--mnemonic", "-", "--no-passphrase"], PHONE);
    home.ok(&["sigchain", "add-device", "phone"], "");
    let phone = key(PHONE);
    // Other programs take the committed key as a device, and what added it takes it away.
    let document = home.ok(&["sigchain", "export"], "");
    let mut events = read_document(document.as_bytes()).events;
    let ops = [
        (PHONE, Op::AddDevice { key: safe.clone(), pop: [0; 64] }),
        (ALICE, Op::RevokeDevice { keys: vec![phone], keep: vec![] }),
    ];
    for (words, op) in ops {
        let graph = Graph::of(events.iter().cloned());
        let chain = Chain::of(&graph, graph.geneses()[0]).unwrap();
        let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
        let signing = Signing { signer: &signer(words), new_key: Some(&signer(SAFE)), created_at };
        events.push(append(&chain, op, signing).unwrap());
    }
    home.ok(&["sigchain", "import", "-"], &write_jsonl(&events));
    let (code, answer) = home.json(&["sigchain", "rotate", "safe", "--yes"], "");
    assert_eq!(code, 0, "{answer}");
    let (data, warning) = (&answer["data"], answer["warnings"].to_string());
    assert_eq!((&data["events"][0]["seq"], &data["primary"]), (&json!(3), &json!(safe.as_str())));
    assert!(warning.contains("event 3 made a device of the key that you committed to"), "{warning}");
}

/// It would contradict its own first rotation, and nothing decides between two of them.
#[test]
fn a_rotation_never_goes_back_to_before_the_last_one() {
    let (home, safe) = home_with_safe("recovery-again");
    home.ok(&["sigchain", "set-next", "safe", "--yes"], "");
    home.ok(&["sigchain", "rotate", "safe"], "");
    home.ok(&["identity", "use", "safe"], "");
    let committed = [Op::SetNext { next: commitment(&safe) }];
    let document = forged(&home.ok(&["sigchain", "export"], ""), SAFE, committed);
    home.ok(&["sigchain", "import", "-"], &document);
    let (code, answer) = home.json(&["sigchain", "rotate", "safe"], "");
    assert_eq!((code, &answer["error"]["code"]), (1, &json!("chain.key_in_use")), "{answer}");
}
