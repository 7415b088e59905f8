//! The guarded network against servers of these tests: NET-1, NET-2, NET-4, NET-5.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod server;
mod sockets;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kez_channels::net::{JSON, Redirects, Request, Response};
use kez_channels::{Channel, Guarded, Net, NetError, Options, Outcome, ResolverSettings, Rights, Settings, Url};
use kez_core::Code;
use server::{Script, Server, answer, start_dns};

/// A network in which `social.example` is this server.
fn network(address: SocketAddr) -> Guarded {
    let base = Url::parse(&format!("http://{address}")).unwrap();
    Guarded::new(Settings { base_urls: BTreeMap::from([("social.example".to_owned(), base)]), ..dead_resolver() })
        .unwrap()
}

/// Nobody answers about names.
fn dead_resolver() -> Settings {
    Settings { resolver: ResolverSettings::parse("127.0.0.1:9").unwrap(), ..Settings::default() }
}

fn request(path: &str) -> Request {
    Request::get(Url::parse(&format!("https://social.example{path}")).unwrap())
}

async fn say(bytes: Vec<u8>) -> Result<Response, NetError> {
    say_to(bytes, request("/")).await
}

async fn say_to(bytes: Vec<u8>, request: Request) -> Result<Response, NetError> {
    let server = Server::start(move |_| Script::Say(bytes.clone())).await;
    network(server.address).fetch(&request).await
}

fn code(result: Result<Response, NetError>) -> Code {
    result.map(|response| response.status).unwrap_err().code
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_is_what_the_server_said() {
    let response = say(answer("200 OK", "X-A: b\r\n", "hello")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!((response.header("x-a"), response.url.as_str()), (Some("b"), "https://social.example/"));
}

#[tokio::test]
async fn bodies_are_bounded_on_the_wire() {
    let response = say(answer("200 OK", "", vec![b'a'; 262_144])).await.unwrap();
    assert_eq!(response.body.len(), 262_144);
    assert_eq!(code(say(answer("200 OK", "", vec![b'a'; 262_145])).await), Code::LimitBody);
    // Without a length, and in chunks.
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 500_000]].concat();
    assert_eq!(code(say(endless).await), Code::LimitBody);
    let chunks =
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), b"1\r\na\r\n".repeat(300_000)].concat();
    assert_eq!(code(say(chunks).await), Code::LimitBody);
    // Beside a status that is no success the body does not matter.
    let response = say(answer("500 No", "", vec![b'a'; 262_145])).await.unwrap();
    assert_eq!((response.status, response.body.len()), (500, 0));
}

#[tokio::test]
async fn bodies_are_bounded_when_they_are_decompressed() {
    let coded = |bytes: &[u8]| answer("200 OK", "Content-Encoding: gzip\r\n", gzip(bytes));
    assert_eq!(say(coded(b"hello")).await.unwrap().body, b"hello");
    assert_eq!(say(coded(&vec![0; 1_048_576])).await.unwrap().body.len(), 1_048_576);
    assert_eq!(code(say(coded(&vec![0; 1_048_577])).await), Code::LimitBody);
    assert_eq!(code(say(coded(&vec![0; 200_000_000])).await), Code::LimitBody);
    let cut = gzip(b"hello")[..12].to_vec();
    assert_eq!(code(say(answer("200 OK", "Content-Encoding: gzip\r\n", cut)).await), Code::NetHttp);
    assert_eq!(code(say(answer("200 OK", "Content-Encoding: br\r\n", "x")).await), Code::NetHttp);
    let twice = answer("200 OK", "Content-Encoding: gzip\r\nContent-Encoding: br\r\n", gzip(b"hello"));
    assert_eq!(code(say(twice).await), Code::NetHttp);
}

#[tokio::test]
async fn another_media_type_is_refused_before_the_body_is_read() {
    let json = Request { media: JSON, ..request("/") };
    let server = Server::start(|_| {
        Script::SayAndWait(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n".to_vec())
    })
    .await;
    let start = Instant::now();
    assert_eq!(code(network(server.address).fetch(&json).await), Code::NetContentType);
    assert!(start.elapsed() < Duration::from_secs(2));
    let response = say_to(answer("404 No", "content-type: text/html\r\n", "x"), json).await.unwrap();
    assert_eq!(response.status, 404);
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    assert_eq!(code(say(b"hello\r\n\r\n".to_vec()).await), Code::NetHttp);
    assert_eq!(code(say(Vec::new()).await), Code::NetRefused);
    assert_eq!(code(say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec()).await), Code::NetRefused);
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(200_000)).into_bytes();
    assert_eq!(code(say(long_head).await), Code::NetHttp);
    let interim = |count| [b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count), answer("200 OK", "", "x")].concat();
    assert_eq!(say(interim(8)).await.unwrap().status, 200);
    assert_eq!(code(say(interim(9)).await), Code::NetHttp);
}

#[tokio::test]
async fn silence_and_slowness_end() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let silent = Server::start(|_| Script::SayAndWait(Vec::new())).await;
    let half = {
        let head = head.clone();
        Server::start(move |_| Script::SayAndWait(head.clone())).await
    };
    let slow = Server::start(move |_| Script::Trickle(head.clone())).await;
    let time = async |server: &Server| {
        let start = Instant::now();
        assert_eq!(code(network(server.address).fetch(&request("/")).await), Code::NetTimeout);
        start.elapsed().as_secs_f64()
    };
    let (silent, half, slow) = tokio::join!(time(&silent), time(&half), time(&slow));
    assert!((2.5..6.0).contains(&silent) && (2.5..6.0).contains(&half), "{silent} {half}");
    assert!((9.5..13.0).contains(&slow), "{slow}");
}

#[tokio::test]
async fn redirects_are_bounded_and_checked_anew() {
    let server = Server::start(|request| {
        let path = request.split(' ').nth(1).unwrap();
        let to = match path {
            "/0" => return Script::Say(answer("200 OK", "", "there")),
            "/private" => "http://127.0.0.1:22/".to_owned(),
            "/address" => "https://127.0.0.1/".to_owned(),
            "/metadata" => "https://169.254.169.254/".to_owned(),
            "/port" => "https://other.example:8080/".to_owned(),
            "/file" => "file:///etc/passwd".to_owned(),
            "/name" => "https://localhost/".to_owned(),
            "/elsewhere" => "https://other.example/".to_owned(),
            "/loop" => "/loop".to_owned(),
            _ => format!("/{}", path[1..].parse::<u32>().unwrap() - 1),
        };
        Script::Say(answer("302 Found", &format!("location: {to}\r\n"), ""))
    })
    .await;
    let net = network(server.address);
    let get = async |path: &str| net.fetch(&request(path)).await;
    let response = get("/3").await.unwrap();
    assert_eq!((response.url.as_str(), response.body.as_slice()), ("https://social.example/0", b"there".as_slice()));
    for (path, expected) in [
        ("/4", Code::NetRedirectLimit),
        ("/loop", Code::NetRedirectLimit),
        ("/private", Code::NetRedirect),
        ("/address", Code::NetAddress),
        ("/metadata", Code::NetAddress),
        ("/port", Code::NetPort),
        ("/file", Code::NetRedirect),
        ("/name", Code::NetHost),
        // The resolver is dead: it was asked.
        ("/elsewhere", Code::NetTimeout),
    ] {
        assert_eq!(code(get(path).await), expected, "{path}");
    }
    assert_eq!(code(net.fetch(&request("/elsewhere").redirects(Redirects::SameHost)).await), Code::NetRedirect);
    assert_eq!(code(net.fetch(&request("/1").redirects(Redirects::Never)).await), Code::NetRedirect);
    assert!(net.fetch(&request("/1").redirects(Redirects::SameHost)).await.is_ok());
}

#[tokio::test]
async fn a_place_of_the_readers_cannot_lead_to_another_one() {
    let inner = Server::start(|_| Script::Say(answer("200 OK", "", "secret"))).await;
    for to in ["https://social.example/".to_owned(), format!("http://{}/", inner.address)] {
        let outer = Server::start(move |_| Script::Say(answer("302 Found", &format!("location: {to}\r\n"), ""))).await;
        let url = Url::parse(&format!("http://{}/", outer.address)).unwrap();
        let named = Request { rights: Rights::Reader, ..Request::get(url.clone()) };
        assert!(matches!(code(network(inner.address).fetch(&named).await), Code::NetRedirect | Code::NetPort));
        assert_eq!(code(network(inner.address).fetch(&Request::get(url)).await), Code::NetPort);
    }
    assert_eq!(inner.asked(), 0);
}

#[tokio::test]
async fn a_host_that_asks_to_wait_is_left_alone() {
    let server = Server::start(|_| Script::Say(answer("429 No", "retry-after: 30\r\n", ""))).await;
    let net = network(server.address);
    assert_eq!(net.fetch(&request("/")).await.unwrap().status, 429);
    let error = net.fetch(&request("/")).await.unwrap_err();
    assert_eq!(error.code, Code::NetRateLimit);
    assert!((28..=30).contains(&error.retry_after_seconds.unwrap()));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn two_requests_at_once_for_each_host() {
    let server = Server::start(|_| Script::Late(Duration::from_millis(150), answer("200 OK", "", "x"))).await;
    let net = network(server.address);
    let requests = (0..6).map(|_| async { net.fetch(&request("/")).await.unwrap() });
    assert_eq!(futures_util::future::join_all(requests).await.len(), 6);
    assert_eq!(server.at_once.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn addresses_are_checked_after_the_name_was_looked_up() {
    let a = |address: [u8; 4]| (1, address.to_vec());
    let loopback = (28, std::net::Ipv6Addr::LOCALHOST.octets().to_vec());
    for (records, expected) in [
        (vec![a([127, 0, 0, 1])], Code::NetAddress),
        (vec![a([1, 1, 1, 1]), a([10, 0, 0, 1])], Code::NetAddress),
        (vec![a([1, 1, 1, 1]), loopback], Code::NetAddress),
        (vec![a([169, 254, 169, 254])], Code::NetAddress),
        (vec![], Code::NetDns),
    ] {
        let dns = start_dns(0, records).await;
        let resolver = ResolverSettings::parse(&dns.to_string()).unwrap();
        let net = Guarded::new(Settings { resolver, ..Settings::default() }).unwrap();
        let error = net.fetch(&Request::get(Url::parse("https://evil.example/").unwrap())).await.unwrap_err();
        assert_eq!(error.code, expected, "{error}");
        assert_eq!(error.no_address, expected == Code::NetDns);
    }
}

#[tokio::test]
async fn txt_joins_strings_and_tells_absence_from_silence() {
    let record = (16, [&[3], b"kez".as_slice(), &[4], b":z1:"].concat());
    for (code, records, expected) in [
        (0, vec![record], Ok(vec![b"kez:z1:".to_vec()])),
        (0, vec![], Ok(vec![])),
        (3, vec![], Ok(vec![])),
        (2, vec![], Err(Code::NetDns)),
        (5, vec![], Err(Code::NetDns)),
    ] {
        let dns = start_dns(code, records).await;
        let resolver = ResolverSettings::parse(&dns.to_string()).unwrap();
        let net = Guarded::new(Settings { resolver, ..Settings::default() }).unwrap();
        assert_eq!(net.txt("_kez.example.org").await.map_err(|error| error.code), expected, "rcode {code}");
    }
    assert_eq!(Guarded::new(dead_resolver()).unwrap().txt("a.example").await.unwrap_err().code, Code::NetTimeout);
}

#[tokio::test]
async fn bytes_of_a_record_stay_what_they_are() {
    let dns = start_dns(0, vec![(16, vec![6, b'k', b'E', b'z', b':', 0xff, 0xfe])]).await;
    let resolver = ResolverSettings::parse(&dns.to_string()).unwrap();
    let net = Guarded::new(Settings { resolver, ..Settings::default() }).unwrap();
    assert_eq!(net.txt("_kez.example.org").await.unwrap(), [b"kEz:\xff\xfe".to_vec()]);
    // Each byte is a character: DNS-1 says that it is ours, and it decodes to nothing.
    let publication = Channel::Dns.collect("example.org", &net, &Options::default()).await;
    let Outcome::Found { candidates, .. } = publication.outcome else { panic!("{:?}", publication.outcome) };
    assert_eq!(candidates.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(), ["kEz:\u{ff}\u{fe}"]);
}

#[tokio::test]
async fn records_that_are_no_text_and_not_ours_are_ignored() {
    let reference = format!("kez:r1:{}", "ab".repeat(32));
    let ours = [&[reference.len() as u8], reference.as_bytes()].concat();
    for (records, expected) in [(vec![vec![2, 0xff, 0xfe]], "absent"), (vec![vec![2, 0xff, 0xfe], ours], "found")] {
        let dns = start_dns(0, records.into_iter().map(|record| (16, record)).collect()).await;
        let resolver = ResolverSettings::parse(&dns.to_string()).unwrap();
        let net = Guarded::new(Settings { resolver, ..Settings::default() }).unwrap();
        let outcome = Channel::Dns.collect("example.org", &net, &Options::default()).await.outcome;
        assert_eq!(matches!(outcome, Outcome::Found { .. }), expected == "found", "{outcome:?}");
        assert_eq!(outcome == Outcome::Absent, expected == "absent", "{outcome:?}");
    }
}

#[tokio::test]
async fn a_server_over_https_does_not_hide_the_others() {
    let dns = start_dns(0, vec![(16, vec![3, b'k', b'e', b'z'])]).await;
    // Nobody is at this port; the name of the host is looked up by everybody alike.
    let resolver = ResolverSettings::parse(&format!("https://localhost:9/dns-query,{dns}")).unwrap();
    let net = Guarded::new(Settings { resolver, ..Settings::default() }).unwrap();
    assert_eq!(net.txt("a.example").await.unwrap(), [b"kez".to_vec()]);
}
