//! Commands that write: chains into stores, folders and zones; proofs to GitHub; what is followed. Each with small servers of
//! its own on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/publish.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Home, Running, Store, serve};

#[test]
fn a_chain_goes_into_every_store_that_answers() {
    let home = Home::new("stores", "ed25519");
    home.ok(&["sigchain", "add", "github:alice"]);
    home.ok(&["sigchain", "add", "dns:a.example"]);
    let (one, other) = (Arc::new(Store::default()), Arc::new(Store::default()));
    let (first, second) = (one.start(), other.start());
    let stores = ["--store", &first, "--store", "http://127.0.0.1:1", "--store", &second];
    let data = home.ok(&[&["sigchain", "publish"][..], &stores].concat());
    let places = data["places"].as_array().unwrap();
    let states: Vec<_> = places.iter().map(|it| (it["state"].as_str().unwrap(), it["sent"].clone())).collect();
    assert_eq!(states, [("whole", json!(2)), ("failed", json!(0)), ("whole", json!(2))]);
    assert_eq!((&places[1]["code"], &places[1]["missing"]), (&json!("net.refused"), &json!(2)));
    assert_eq!((&places[0]["place"], &places[0]["head_until"]), (&json!(first), &data["head"]["expires_at"]));
    assert_eq!(one.heads.lock().unwrap().len(), 1);
    assert_eq!(*one.lines.lock().unwrap(), *other.lines.lock().unwrap());
    let (code, _) = home.json(&["sigchain", "publish", "--store", "http://127.0.0.1:1"], "");
    assert_eq!(code, 5);
    let (code, answer) = home.json(&["sigchain", "publish"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
}

#[test]
fn sync_brings_what_a_store_has_to_all_others() {
    let (one, other) = (Home::new("sync-one", "ed25519"), Home::new("sync-other", "ed25519"));
    let (left, right) = (Arc::new(Store::default()), Arc::new(Store::default()));
    let (first, second) = (left.start(), right.start());
    one.ok(&["sigchain", "add", "github:alice"]);
    one.ok(&["sigchain", "publish", "--store", &first]);
    other.ok(&["sigchain", "fetch", "--store", &first]);
    other.ok(&["sigchain", "add", "dns:a.example"]);
    other.ok(&["sigchain", "publish", "--store", &first]);
    one.settings(&format!("stores = [\"{first}\", \"{second}\"]"));
    let data = one.ok(&["sigchain", "sync"]);
    assert_eq!((&data["brought"], &data["head"]["seq"]), (&json!(1), &json!(1)));
    assert_eq!(data["places"][1]["sent"], 2);
    assert_eq!(*left.lines.lock().unwrap(), *right.lines.lock().unwrap());
}

#[test]
fn a_chain_lies_on_the_web_and_in_zones() {
    let home = Home::new("web", "ed25519");
    home.ok(&["sigchain", "add", "dns:a.example"]);
    let (code, answer) = home.json(&["sigchain", "publish", "--to", "web"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
    let folder = home.0.join("www");
    fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let url = "https://a.example/x.jsonl";
    let data = home.ok(&["sigchain", "publish", "--web", &folder, "--to", "dns", "--url", url]);
    assert_eq!(data["zone"], json!([format!("_kez.a.example. 3600 IN TXT \"Chain: {url}\"")]));
    let path = data["places"][0]["place"].as_str().unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_to_string(path).unwrap(), home.ok(&["sigchain", "export"])["text"].as_str().unwrap());
    assert_eq!(home.ok(&["sigchain", "publish", "--web", &folder])["places"][0]["sent"], 0);
}

#[test]
fn watch_tells_what_is_new() {
    let (owner, reader) = (Home::new("watch-owner", "ed25519"), Home::new("watch-reader", "ed25519"));
    let store = Arc::new(Store::default());
    let url = store.start();
    let chain = owner.ok(&["sigchain", "add", "github:alice"])["chain"].as_str().unwrap().to_owned();
    owner.ok(&["sigchain", "publish", "--store", &url]);
    let mut watch = Running::start(reader.command(&["sigchain", "watch", &chain, "--store", &url]));
    let first = watch.line();
    assert_eq!((&first["schema"], &first["data"]["events"]), (&json!("kez.chain_change/1"), &json!([])));
    owner.ok(&["sigchain", "revoke", "github:alice"]);
    owner.ok(&["sigchain", "publish", "--store", &url]);
    let second = watch.line();
    assert_eq!((&second["data"]["store"], &second["data"]["events"][0]["op"]), (&json!(url), &json!("revoke")));
    let (code, answer) = reader.json(&["sigchain", "watch", &chain, "--store", "http://127.0.0.1:1"], "");
    assert_eq!((code, &answer["error"]["code"]), (5, &json!("chain.unreachable")));
}

fn gist(id: &str, content: &str) -> Value {
    json!({
        "id": id, "owner": {"login": "Jason", "id": 77}, "public": true, "description": "kez",
        "files": {"kez.md": {"size": content.len(), "content": content}},
    })
}

/// GitHub with the account 77, jason, and the token `good`. No gist can be changed there.
fn github(gists: &Arc<Mutex<Vec<Value>>>) -> String {
    let gists = Arc::clone(gists);
    serve(move |asked, _| {
        let mut gists = gists.lock().unwrap();
        let user = json!({"login": "Jason", "id": 77});
        let is_owner = asked.headers.get("authorization").is_some_and(|it| it == "Bearer good");
        let path = asked.path.split('?').next().unwrap();
        let (status, answer) = match (asked.method.as_str(), path) {
            ("GET", "/user") if is_owner => (200, user),
            ("GET", "/users/github") => (200, json!({"login": "github", "id": 9919})),
            ("GET", "/users/jason/gists") => (200, json!(*gists)),
            ("POST", "/gists") if is_owner => {
                let sent: Value = serde_json::from_str(&asked.body).unwrap();
                assert_eq!(sent["public"], true);
                let content = sent["files"]["kez.md"]["content"].as_str().unwrap();
                let made = gist(&format!("aa{}", gists.len() + 1), content);
                gists.push(made.clone());
                (201, made)
            }
            ("DELETE", "/gists/aa1") if is_owner => {
                gists.clear();
                (204, Value::Null)
            }
            ("GET", "/repos/jason/jason") => (404, json!({})),
            ("GET", path) => match gists.iter().find(|it| path == format!("/gists/{}", it["id"].as_str().unwrap())) {
                Some(gist) => (200, gist.clone()),
                None => (401, json!({})),
            },
            _ => (401, json!({})),
        };
        Some((status, "application/json", if status == 204 { String::new() } else { answer.to_string() }))
    })
}

#[test]
fn a_proof_goes_to_github_and_comes_away_again() {
    let home = Home::new("github", "ed25519");
    home.settings(&format!("[hosts]\n\"api.github.com\" = \"{}\"", github(&Arc::default())));
    let (good, bad) = (home.0.join("good"), home.0.join("bad"));
    for (path, token) in [(&good, "good\n"), (&bad, "bad\n")] {
        fs::write(path, token).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let publish = |account: &str, token: &std::path::Path| {
        let token = token.display().to_string();
        home.json(&["claim", "publish", account, "--credential-file", &token, "--wait", "0"], "")
    };
    let (code, answer) = home.json(&["claim", "publish", "github:jason", "--place", "post"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
    for (account, token) in [("github:jason", &bad), ("github:other", &good)] {
        let (code, answer) = publish(account, token);
        assert_eq!((code, &answer["error"]["code"]), (4, &json!("publish.credentials")));
    }
    assert_eq!(home.ok(&["claim", "list"])["claims"], json!([]));
    let (code, answer) = publish("github:jason", &good);
    assert_eq!(code, 0, "{answer}");
    let data = &answer["data"];
    assert_eq!((&data["place"], &data["form"]), (&json!("gist"), &json!("markdown")));
    let listed = &data["events"][0]["payload"];
    assert_eq!((&listed["subject_id"], &listed["proof"]), (&json!("77"), &data["claim"]));
    assert_eq!((&data["verdict"]["status"], &data["verdict"]["flags"]), (&json!("valid"), &json!([])));
    let (_, again) = publish("github:jason", &good);
    assert_eq!((&again["data"]["claim"], &again["data"]["events"]), (&data["claim"], &json!([])));
    let token = good.display().to_string();
    let unpublish = ["claim", "unpublish", "github:jason", "--credential-file", &token, "--wait", "0"];
    assert_eq!(home.ok(&unpublish)["still_seen"], false);
    assert_eq!(home.ok(&unpublish)["outcomes"], json!([]));
}

/// GH-9: only a file with a claim is replaced; a reference in it may be what other accounts stand on.
#[test]
fn a_gist_with_a_reference_is_left_alone() {
    let home = Home::new("reference", "ed25519");
    let gists = Arc::default();
    home.settings(&format!("[hosts]\n\"api.github.com\" = \"{}\"", github(&gists)));
    let token = home.0.join("good");
    fs::write(&token, "good\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let claim = home.ok(&["claim", "create", "github:jason", "--format", "markdown"]);
    let chain = home.ok(&["sigchain", "add", "dns:a.example"])["chain"].as_str().unwrap().to_owned();
    let reference = chain.replace("sha256:", "kez:r1:");
    let with_claim = format!("{}\n{reference}\n", claim["text"].as_str().unwrap());
    for content in [with_claim, reference] {
        *gists.lock().unwrap() = vec![gist("aa1", &content)];
        let token = token.display().to_string();
        let publish = ["claim", "publish", "github:jason", "--credential-file", &token, "--wait", "0"];
        let data = home.ok(&publish);
        assert_eq!(data["outcomes"][0]["accepted"], true);
        let gists = gists.lock().unwrap();
        assert_eq!((gists.len(), &gists[0]["files"]["kez.md"]["content"]), (2, &json!(content)));
    }
}

#[test]
fn places_that_nobody_can_write_to_are_named() {
    let home = Home::new("unsupported", "ed25519");
    let subject = "kez:alice@a.example";
    let (code, answer) = home.json(&["claim", "publish", subject], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("channel.unsupported")), "{subject}");
    let (code, answer) = home.json(&["claim", "unpublish", "dns:a.example"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("channel.unsupported")));
}

#[test]
fn settings_are_checked_as_a_whole() {
    let home = Home::new("settings", "ed25519");
    for (text, code) in [
        ("stores = \"x\"", "usage"),
        ("relays = [\"https://a.example\"]", "usage"),
        ("[hosts]\n\"a_.example\" = \"http://127.0.0.1\"", "usage"),
        ("nonsense = 1", "usage"),
        ("[profiles.work]\nprofile = \"x\"", "usage"),
        ("plain = ", "input.unreadable"),
    ] {
        home.settings(text);
        assert_eq!(home.json(&["identity", "list"], "").1["error"]["code"], code, "{text}");
    }
    home.settings("profile = \"work\"\n[profiles.work]\nstores = [\"http://127.0.0.1:1\"]");
    assert_eq!(home.ok(&["identity", "list"])["identities"], json!([]));
    let (code, answer) = home.json(&["verify", "id", "dns:a.example", "--timeout", "121"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
    let (code, answer) = home.json(&["verify", "id", "dns:a.example", "--watch", "4"], "");
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
}

#[test]
fn a_graph_is_drawn_in_the_form_that_is_asked_for() {
    let home = Home::new("drawn", "ed25519");
    home.ok(&["sigchain", "add", "github:alice"]);
    for (file, start) in [("a.svg", "<svg "), ("a.html", "<!doctype html>"), ("a.dot", "graph kez {")] {
        let data = home.ok(&["graph", "--offline", "--out", file]);
        assert_eq!(data["file"], file);
        let drawn = fs::read_to_string(home.0.join(file)).unwrap();
        assert!(drawn.starts_with(start) && drawn.contains("github:alice"), "{drawn}");
    }
    assert_eq!(home.json(&["graph", "--offline", "--svg"], "").0, 2);
}
