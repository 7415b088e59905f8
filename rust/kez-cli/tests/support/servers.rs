//! A web server and a DNS server that say what a test wants.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// Its status, header lines and body.
type Page = (u16, &'static str, String);
/// What a test does while somebody waits for an answer.
type Hook = Box<dyn FnOnce() + Send>;

/// Pages by their path; 404 where there is none.
#[derive(Clone)]
pub struct Web {
    pub address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// What is done when somebody asks next.
    pub when_asked: Arc<Mutex<Option<Hook>>>,
}

impl Web {
    pub fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let web = Web { address, pages: Arc::default(), asked: Arc::default(), when_asked: Arc::default() };
        let server = web.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { continue };
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                for line in lines.by_ref() {
                    if line.is_err() || line.is_ok_and(|line| line.is_empty()) {
                        break;
                    }
                }
                if let Some(hook) = server.when_asked.lock().unwrap().take() {
                    hook();
                }
                let page = server.pages.lock().unwrap().get(&path).cloned();
                let (status, headers, body) = page.unwrap_or((404, "", String::new()));
                server.asked.lock().unwrap().push(path);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        web
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn say(&self, path: &str, status: u16, body: &str) {
        self.pages.lock().unwrap().insert(path.to_owned(), (status, "", body.to_owned()));
    }

    pub fn say_json(&self, path: &str, body: &str) {
        let page = (200, "content-type: application/json\r\n", body.to_owned());
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// A chain under these names, as a store serves it.
    pub fn serve_chain(&self, names: &[&str], status: u16, document: &str) {
        for name in names {
            self.say(&format!("/v1/chains/{name}"), status, document);
            self.say(&format!("/v1/chains/{name}/forks"), status, "");
        }
    }

    /// The paths that were asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// TXT records by name; NXDOMAIN where there are none.
#[derive(Clone)]
pub struct Dns {
    pub address: SocketAddr,
    records: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

impl Dns {
    pub fn start() -> Dns {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let dns = Dns { address: socket.local_addr().unwrap(), records: Arc::default() };
        let server = dns.clone();
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((_, from)) = socket.recv_from(&mut buffer) {
                drop(socket.send_to(&server.answer(&buffer), from));
            }
        });
        dns
    }

    pub fn say(&self, name: &str, records: &[&str]) {
        let records = records.iter().map(|record| (*record).to_owned()).collect();
        self.records.lock().unwrap().insert(name.to_owned(), records);
    }

    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let (mut end, mut name) = (12, String::new());
        while question[end] != 0 {
            let next = end + usize::from(question[end]) + 1;
            name += &format!("{}.", String::from_utf8_lossy(&question[end + 1..next]).to_lowercase());
            end = next;
        }
        let is_txt = question[end + 2] == 16;
        let records = self.records.lock().unwrap().get(name.trim_end_matches('.')).cloned();
        let code = if records.is_none() { 3 } else { 0 };
        let records = records.filter(|_| is_txt).unwrap_or_default();
        let mut message = question[..2].to_vec();
        message.extend([0x81, 0x80 | code, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        message.extend_from_slice(&question[12..end + 5]);
        for record in records {
            let strings = record.as_bytes().chunks(255).flat_map(|part| [&[part.len() as u8], part].concat());
            let data: Vec<u8> = strings.collect();
            message.extend([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60]);
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(data);
        }
        message
    }
}
