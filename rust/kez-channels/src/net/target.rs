//! Which URLs are asked, and where: schemes, hosts, ports, base URLs, redirects. SPEC NET-1, NET-5.

use std::collections::BTreeMap;

use kez_core::{Code, names};
use url::{Host, Url};

use super::{NetError, Rights};

/// Base URLs by the hosts that they stand for, named as in URLs.
pub type BaseUrls = BTreeMap<String, Url>;

/// Where a request really goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What is asked, on its way to the server.
    pub url: Url,
    /// The host under which it counts, whatever its base URL.
    pub host: String,
    /// Whether the address may be private.
    pub is_private_allowed: bool,
    base: Option<Url>,
}

impl Target {
    /// Where the request for this URL goes: `net.url`, `net.host`, `net.port`.
    pub fn plan(url: &Url, rights: Rights, base_urls: &BaseUrls) -> Result<Target, NetError> {
        if !matches!(url.scheme(), "https" | "http" | "wss" | "ws") {
            return Err(NetError::new(Code::NetUrl, "expected a URL of https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NetError::new(Code::NetUrl, "expected a URL without user and password"));
        }
        let Some(host) = url.host_str() else {
            return Err(NetError::new(Code::NetHost, "expected a URL with a host"));
        };
        let host = host.to_owned();
        if let Some(base) = base_urls.get(&host).filter(|_| url.port().is_none()) {
            let url = under_base(url, base)?;
            return Ok(Target { url, host, is_private_allowed: true, base: Some(base.clone()) });
        }
        if rights == Rights::Reader && is_taken_as_it_is(url) {
            return Ok(Target { url: url.clone(), host, is_private_allowed: true, base: None });
        }
        check_public(url)?;
        Ok(Target { url: url.clone(), host, is_private_allowed: false, base: None })
    }

    /// The URL that a redirect means, in the names of hosts. A place that is not configured cannot redirect to a host
    /// that is: `net.redirect`.
    pub fn redirect(&self, location: &str, base_urls: &BaseUrls) -> Result<Url, NetError> {
        let mut next = self.url.join(location).map_err(|_| NetError::new(Code::NetRedirect, "expected a URL"))?;
        next.set_fragment(None);
        if let Some(rest) = self.base.as_ref().and_then(|base| below_base(&next, base)) {
            let text = format!("https://{}{rest}", self.host);
            return Url::parse(&text).map_err(|_| NetError::new(Code::NetRedirect, "expected a URL"));
        }
        let is_configured = next.host_str().is_some_and(|host| base_urls.contains_key(host));
        match is_configured && self.base.is_none() {
            true => Err(NetError::new(Code::NetRedirect, "expected no redirect to a host of the settings")),
            false => Ok(next),
        }
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.url.scheme(), "https" | "wss")
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }
}

/// What a reader may name that no text may: relays, and stores by an address, by `localhost` or with another port. A store
/// by its domain at the usual port is a place of the internet like others, wherever its name leads.
fn is_taken_as_it_is(url: &Url) -> bool {
    match url.host() {
        _ if matches!(url.scheme(), "ws" | "wss") => true,
        Some(Host::Domain(name)) => name == "localhost" || !matches!(url.port_or_known_default(), Some(80 | 443)),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => true,
    }
}

/// What a stranger's text may name. Without TLS only what is fetched, and never a WebSocket (NET-5): what lies there proves
/// itself, and nothing secret is sent.
fn check_public(url: &Url) -> Result<(), NetError> {
    if !matches!(url.scheme(), "https" | "http" | "wss") {
        return Err(NetError::new(Code::NetUrl, "expected a URL of https"));
    }
    if let Some(Host::Domain(name)) = url.host()
        && !names::is_domain(name)
    {
        return Err(NetError::new(Code::NetHost, format!("expected a domain, got {name}")));
    }
    match url.port_or_known_default() {
        Some(80 | 443) => Ok(()),
        _ => Err(NetError::new(Code::NetPort, "expected port 443 or 80")),
    }
}

/// The URL with the base in the place of its origin; a WebSocket stays one.
fn under_base(url: &Url, base: &Url) -> Result<Url, NetError> {
    let mut under = base.clone();
    under.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
    under.set_query(url.query());
    under.set_fragment(None);
    let scheme = match (url.scheme(), base.scheme()) {
        ("ws" | "wss", "http") => "ws",
        ("ws" | "wss", _) => "wss",
        (_, scheme) => scheme,
    };
    under.set_scheme(scheme).map_err(|()| NetError::new(Code::NetUrl, "expected a base URL of http or https"))?;
    Ok(under)
}

/// Path and query below the base.
fn below_base<'a>(url: &'a Url, base: &Url) -> Option<&'a str> {
    let is_same_place = url.scheme() == base.scheme()
        && url.host() == base.host()
        && url.port_or_known_default() == base.port_or_known_default();
    let rest = url[url::Position::BeforePath..].strip_prefix(base.path().trim_end_matches('/'))?;
    (is_same_place && rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn bases() -> BaseUrls {
        BTreeMap::from([("api.example.com".to_owned(), url("http://127.0.0.1:99/api/"))])
    }

    #[test]
    fn a_stranger_names_only_public_places() {
        for (text, code) in [
            ("http://a.example:8080/", Code::NetPort),
            ("http://localhost/", Code::NetHost),
            ("ftp://a.example/", Code::NetUrl),
            ("file:///etc/passwd", Code::NetUrl),
            ("https://user@a.example/", Code::NetUrl),
            ("https://:pw@a.example/", Code::NetUrl),
            ("https://localhost/", Code::NetHost),
            ("https://a/", Code::NetHost),
            ("https://a.example./", Code::NetHost),
            ("https://a_b.example/", Code::NetHost),
            ("https://a.example:8443/", Code::NetPort),
            ("https://127.0.0.1:22/", Code::NetPort),
            ("wss://a.example:7777/", Code::NetPort),
            ("ws://a.example/", Code::NetUrl),
        ] {
            let plan = Target::plan(&url(text), Rights::Stranger, &BaseUrls::new());
            assert_eq!(plan.map_err(|error| error.code), Err(code), "{text}");
        }
        for text in [
            "https://a.example/",
            "https://a.example:80/",
            "http://a.example/",
            "http://a.example:443/",
            "wss://a.example/",
            "https://1.1.1.1/",
        ] {
            let plan = Target::plan(&url(text), Rights::Stranger, &BaseUrls::new()).unwrap();
            assert!(!plan.is_private_allowed, "{text}");
        }
        assert!(
            Target::plan(&url("ws://127.0.0.1:7777/"), Rights::Reader, &BaseUrls::new()).unwrap().is_private_allowed
        );
    }

    #[test]
    fn a_reader_names_private_stores_as_what_they_are() {
        let is_private =
            |text: &str| Target::plan(&url(text), Rights::Reader, &BaseUrls::new()).unwrap().is_private_allowed;
        for text in
            ["http://127.0.0.1/", "https://[::1]/", "http://localhost/", "https://a.example:8443/", "ws://a.example/"]
        {
            assert!(is_private(text), "{text}");
        }
        for text in ["https://a.example/", "http://a.example/", "https://a.example:80/"] {
            assert!(!is_private(text), "{text}");
        }
    }

    #[test]
    fn a_base_url_takes_the_place_of_its_host_at_the_usual_port_alone() {
        let plan = Target::plan(&url("https://api.example.com/x?y"), Rights::Stranger, &bases()).unwrap();
        assert_eq!((plan.url.as_str(), plan.host.as_str()), ("http://127.0.0.1:99/api/x?y", "api.example.com"));
        let socket = Target::plan(&url("wss://api.example.com/x"), Rights::Stranger, &bases()).unwrap();
        assert_eq!(socket.url.as_str(), "ws://127.0.0.1:99/api/x");
        let other_port = Target::plan(&url("https://api.example.com:80/x"), Rights::Stranger, &bases()).unwrap();
        assert!(!other_port.is_private_allowed);
    }

    #[test]
    fn redirects_below_a_base_url_mean_its_host() {
        let plan = Target::plan(&url("https://api.example.com/x"), Rights::Stranger, &bases()).unwrap();
        let means = |location| plan.redirect(location, &bases()).unwrap().to_string();
        assert_eq!(means("/api/y?z"), "https://api.example.com/y?z");
        assert_eq!(means("http://127.0.0.1:99/api/y#f"), "https://api.example.com/y");
        assert_eq!(means("http://127.0.0.1:99/apix/y"), "http://127.0.0.1:99/apix/y");
        assert_eq!(means("https://api.example.com/y"), "https://api.example.com/y");
        let stranger = Target::plan(&url("https://evil.example/x"), Rights::Stranger, &bases()).unwrap();
        assert_eq!(stranger.redirect("https://api.example.com/y", &bases()).unwrap_err().code, Code::NetRedirect);
        assert_eq!(stranger.redirect("//b.example/y", &bases()).unwrap().as_str(), "https://b.example/y");
    }
}
