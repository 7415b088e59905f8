//! A relay on loopback: it takes every event, and gives those of the kinds and names that it is asked for.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, accept};

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Clone, Default)]
pub struct Relay {
    pub events: Arc<Mutex<Vec<Value>>>,
    /// What is done when somebody asks next.
    pub when_asked: Arc<Mutex<Option<Hook>>>,
}

impl Relay {
    /// Its URL.
    pub fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let relay = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let relay = relay.clone();
                thread::spawn(move || relay.talk(stream.unwrap()));
            }
        });
        url
    }

    pub fn kinds(&self) -> Vec<u64> {
        self.events.lock().unwrap().iter().map(|event| event["kind"].as_u64().unwrap()).collect()
    }

    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut socket = accept(stream).ok()?;
        while let Ok(message) = socket.read() {
            let Ok(value) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
            for answer in self.answers(&value) {
                socket.send(Message::text(answer.to_string())).ok()?;
            }
        }
        Some(())
    }

    fn answers(&self, message: &Value) -> Vec<Value> {
        match message[0].as_str() {
            Some("EVENT") => {
                self.events.lock().unwrap().push(message[1].clone());
                vec![json!(["OK", message[1]["id"], true, ""])]
            }
            Some("REQ") => {
                if let Some(hook) = self.when_asked.lock().unwrap().take() {
                    hook();
                }
                let filters = &message.as_array().unwrap()[2..];
                let events = self.events.lock().unwrap();
                let wanted = events.iter().filter(|event| filters.iter().any(|filter| is_wanted(event, filter)));
                let mut answers: Vec<Value> = wanted.map(|event| json!(["EVENT", message[1], event])).collect();
                answers.push(json!(["EOSE", message[1]]));
                answers
            }
            _ => Vec::new(),
        }
    }
}

fn is_wanted(event: &Value, filter: &Value) -> bool {
    let holds = |list: &Value, item: &Value| list.as_array().is_some_and(|list| list.contains(item));
    let is_named =
        || event["tags"].as_array().unwrap().iter().any(|tag| tag[0] == "d" && holds(&filter["#d"], &tag[1]));
    holds(&filter["kinds"], &event["kind"]) && (filter["#d"].is_null() || is_named())
}
