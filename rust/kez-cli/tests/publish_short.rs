//! References into the profile of a Bluesky account and into a field of a fediverse account, each with a small server of its
//! own on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/publish.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::{Home, serve};

const DID: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";

fn credential(home: &Home, name: &str) -> String {
    let path = home.0.join(name);
    fs::write(&path, format!("{name}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// Handle, directory of DIDs, and server of one account in one; what was asked of it.
fn pds(asked_for: Arc<Mutex<Vec<String>>>) -> String {
    let record =
        Arc::new(Mutex::new(json!({"$type": "app.bsky.actor.profile", "displayName": "A", "description": "hi"})));
    serve(move |asked, _| {
        let mut record = record.lock().unwrap();
        let path = asked.path.split('?').next().unwrap().trim_start_matches("/xrpc/").to_owned();
        let bearer = asked.headers.get("authorization").map_or("", String::as_str);
        if asked.method == "POST" {
            asked_for.lock().unwrap().push(format!("{path} {bearer}"));
        }
        let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let document = json!({"id": DID, "alsoKnownAs": ["at://alice.example"], "service": [{
            "id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://pds.example"}]});
        let (status, answer) = match path.as_str() {
            "/.well-known/atproto-did" => return Some((200, "text/plain", DID.to_owned())),
            "com.atproto.repo.getRecord" => {
                (200, json!({"uri": format!("at://{DID}/app.bsky.actor.profile/self"), "cid": "c", "value": *record}))
            }
            "com.atproto.repo.listRecords" => (200, json!({"records": []})),
            "com.atproto.server.createSession" if sent["password"] == "good" && sent["identifier"] == DID => {
                (200, json!({"did": DID, "accessJwt": "access", "refreshJwt": "refresh"}))
            }
            "com.atproto.repo.putRecord" if bearer == "Bearer access" && sent["swapRecord"] == "c" => {
                *record = sent["record"].clone();
                assert_eq!(record["displayName"], "A");
                (200, json!({}))
            }
            "com.atproto.server.deleteSession" if bearer == "Bearer refresh" => (200, json!({})),
            // The canary.
            "/did:plc:z72i7hdynmk6r22z27h6tvur" => {
                (200, json!({"id": "did:plc:z72i7hdynmk6r22z27h6tvur", "alsoKnownAs": ["at://bsky.app"]}))
            }
            path if path.starts_with("/did:plc:") => (200, document),
            _ => (401, json!({})),
        };
        Some((status, "application/json", answer.to_string()))
    })
}

#[test]
fn a_reference_goes_into_a_bluesky_profile_and_comes_away_again() {
    let home = Home::new("bluesky", "ed25519");
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let url = pds(Arc::clone(&asked_for));
    home.settings(&format!(
        "[hosts]\n\"alice.example\" = \"{url}\"\n\"plc.directory\" = \"{url}\"\n\"pds.example\" = \"{url}\""
    ));
    let (good, bad) = (credential(&home, "good"), credential(&home, "bad"));
    let publish = ["claim", "publish", "bluesky:alice.example", "--wait", "0", "--credential-file"];
    let (code, answer) = home.json(&[&publish[..], &[&bad]].concat(), "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("publish.credentials")), "{answer}");
    let data = home.ok(&[&publish[..], &[&good]].concat());
    assert_eq!((&data["form"], &data["claim"]), (&json!("reference"), &Value::Null));
    assert_eq!(data["events"][0]["payload"]["subject_id"], DID);
    assert_eq!(data["verdict"]["status"], "valid", "{data}");
    assert_eq!(asked_for.lock().unwrap().last().unwrap(), "com.atproto.server.deleteSession Bearer refresh");
    let again = home.ok(&[&publish[..], &[&good]].concat());
    assert_eq!(again["events"], json!([]));
    let unpublish = ["claim", "unpublish", "bluesky:alice.example", "--wait", "0", "--credential-file", &good];
    assert_eq!(home.ok(&unpublish)["still_seen"], false);
    assert_eq!(home.ok(&unpublish)["outcomes"], json!([]));
}

fn fediverse() -> String {
    let fields = Arc::new(Mutex::new(vec![("Site".to_owned(), "x".to_owned())]));
    serve(move |asked, _| {
        let mut fields = fields.lock().unwrap();
        let id = "https://social.example/users/alice";
        let activity = "application/activity+json";
        let is_owner = asked.headers.get("authorization").is_some_and(|it| it == "Bearer good");
        let (kind, answer) = match asked.path.split('?').next().unwrap() {
            "/.well-known/webfinger" => (
                "application/jrd+json",
                json!({"subject": "acct:alice@social.example",
                "links": [{"rel": "self", "type": activity, "href": id}]}),
            ),
            "/.well-known/nodeinfo" => ("application/json", json!({"links": []})),
            "/users/alice" => {
                let shown =
                    fields.iter().map(|(name, value)| json!({"type": "PropertyValue", "name": name, "value": value}));
                let shown: Vec<Value> = shown.collect();
                (activity, json!({"id": id, "type": "Person", "preferredUsername": "alice", "attachment": shown}))
            }
            "/api/v1/accounts/verify_credentials" if is_owner => {
                let held: Vec<Value> =
                    fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
                (
                    "application/json",
                    json!({"id": "7", "username": "alice", "uri": id, "source": {"note": "", "fields": held}}),
                )
            }
            "/api/v1/accounts/update_credentials" if is_owner && asked.method == "PATCH" => {
                let pairs: Vec<&str> = asked.body.split('&').map(|pair| pair.split_once('=').unwrap().1).collect();
                let pairs = pairs.chunks(2).map(|it| (it[0].to_owned(), it[1].replace("%3A", ":")));
                *fields = pairs.filter(|(name, _)| !name.is_empty()).collect();
                ("application/json", json!({}))
            }
            "/api/v1/accounts/7/statuses" if is_owner => ("application/json", json!([])),
            _ => return Some((401, "application/json", "{}".to_owned())),
        };
        Some((200, kind, answer.to_string()))
    })
}

#[test]
fn a_reference_goes_into_a_field_and_comes_away_again() {
    let home = Home::new("fediverse", "ed25519");
    home.settings(&format!("[hosts]\n\"social.example\" = \"{}\"", fediverse()));
    let (good, bad) = (credential(&home, "good"), credential(&home, "bad"));
    let publish = ["claim", "publish", "ap:alice@social.example", "--wait", "0", "--credential-file"];
    let (code, answer) = home.json(&[&publish[..], &[&bad]].concat(), "");
    assert_eq!((code, &answer["error"]["code"]), (4, &json!("publish.credentials")), "{answer}");
    let data = home.ok(&[&publish[..], &[&good]].concat());
    assert_eq!((&data["place"], &data["form"]), (&json!("field"), &json!("reference")));
    assert_eq!(data["events"][0]["payload"]["subject_id"], "https://social.example/users/alice");
    assert_eq!(data["verdict"]["status"], "valid", "{data}");
    let unpublish = ["claim", "unpublish", "ap:alice@social.example", "--wait", "0", "--credential-file", &good];
    assert_eq!(home.ok(&unpublish)["still_seen"], false);
    assert_eq!(home.ok(&unpublish)["outcomes"], json!([]));
}
