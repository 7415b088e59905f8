//! A network that is a table: what every place answers, as `vectors/channel-*.json` write it.

use std::collections::{HashMap, VecDeque};

use kez_channels::net::{Net, NetError, Request, Response, Rights, Socket, policy};
use kez_channels::{Relay, Url};
use kez_core::Code;
use serde_json::Value;

#[derive(Default)]
pub struct Table {
    web: HashMap<String, Value>,
    txt: HashMap<String, Vec<String>>,
    relays: Vec<Value>,
}

impl Table {
    pub fn new(input: &Value) -> Table {
        let list = |name: &str| input[name].as_array().cloned().unwrap_or_default();
        let web = list("web").into_iter().map(|page| (page["url"].as_str().unwrap().to_owned(), page)).collect();
        let txt = input["txt"].as_object().into_iter().flatten().map(|(name, records)| {
            let texts = records.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
            (name.clone(), texts)
        });
        Table { web, txt: txt.collect(), relays: list("relays") }
    }

    pub fn relays(&self) -> Vec<Relay> {
        let url = |relay: &Value| Url::parse(relay["url"].as_str().unwrap()).unwrap();
        self.relays.iter().map(|relay| Relay { url: url(relay), is_suggested: relay["own"] != true }).collect()
    }
}

fn refused() -> NetError {
    NetError::new(Code::NetRefused, "nothing is here")
}

impl Net for Table {
    type Socket = TableSocket;

    async fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        let page = self.web.get(request.url.as_str()).ok_or_else(refused)?;
        let url = page["finalUrl"].as_str().map_or(request.url.clone(), |url| Url::parse(url).unwrap());
        if url != request.url {
            policy::check_redirect(request, &request.url, &url)?;
        }
        let status = page["status"].as_u64().unwrap_or(200) as u16;
        let mut headers: Vec<_> = page["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
            .collect();
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        policy::check_media_type(request, status, &headers)?;
        let body = match &page["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            json => serde_json::to_vec(json).unwrap(),
        };
        if body.len() > request.max_decoded_bytes {
            return Err(NetError::new(Code::LimitBody, "too long"));
        }
        Ok(Response { status, url, headers, body })
    }

    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, NetError> {
        Ok(self.txt.get(name).into_iter().flatten().map(|text| bytes_of(text)).collect())
    }

    async fn open(&self, url: &Url, _rights: Rights) -> Result<TableSocket, NetError> {
        let is_it = |relay: &&Value| Url::parse(relay["url"].as_str().unwrap()).as_ref() == Ok(url);
        let relay = self.relays.iter().find(is_it).filter(|relay| relay["ends"] != "refuses").ok_or_else(refused)?;
        let events = relay["events"].as_array().cloned().unwrap_or_default();
        Ok(TableSocket { events, ends: relay["ends"].as_str().map(str::to_owned), messages: VecDeque::new() })
    }
}

/// A relay that sends its events for every question.
pub struct TableSocket {
    events: Vec<Value>,
    ends: Option<String>,
    messages: VecDeque<String>,
}

impl Socket for TableSocket {
    async fn send(&mut self, text: String) -> Result<(), NetError> {
        let question: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(question[0], "REQ");
        assert!(question.as_array().unwrap()[2..].iter().all(|filter| filter["authors"].is_array()));
        for event in &self.events {
            self.messages.push_back(serde_json::json!(["EVENT", question[1], event]).to_string());
        }
        match self.ends.as_deref() {
            None | Some("eose") => self.messages.push_back(serde_json::json!(["EOSE", question[1]]).to_string()),
            Some("closed" | "hangs") => {}
            Some(other) => panic!("ends {other}"),
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<String, NetError> {
        match (self.messages.pop_front(), self.ends.as_deref()) {
            (Some(message), _) => Ok(message),
            (None, Some("hangs")) => std::future::pending().await,
            (None, _) => Err(NetError::new(Code::NetRefused, "closed")),
        }
    }
}

/// A record of the vectors: one character for a byte.
fn bytes_of(record: &str) -> Vec<u8> {
    record.chars().map(|it| u8::try_from(it).unwrap()).collect()
}
