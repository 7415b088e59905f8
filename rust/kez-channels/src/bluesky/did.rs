//! DIDs and the documents of accounts. SPEC BSKY-1, BSKY-3, BSKY-4.

use kez_core::{Code, names};
use url::{Host, Url};

use crate::json::Value;
use crate::limits::{MAX_DECODED_BYTES, MAX_DID_BYTES, MAX_MEMBERS, MAX_WIRE_BYTES};
use crate::net::read::{Answer, json};
use crate::net::{Media, Net, NetError, Redirects, Request};

/// What a document of a DID may be served as.
const MEDIA: &[Media] = &[
    Media::of("application/json"),
    Media::of("application/did+json"),
    Media::of("application/did+ld+json"),
    Media::of("application/ld+json"),
];

/// `did:`, a method, and an identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Did(String);

impl Did {
    /// BSKY-1: at most 2,048 bytes.
    pub fn parse(text: &str) -> Option<Did> {
        let (method, id) = text.strip_prefix("did:")?.split_once(':')?;
        let is_method = (1..=32).contains(&method.len()) && method.bytes().all(|it| it.is_ascii_lowercase());
        let is_id_byte = |it: u8| it.is_ascii_alphanumeric() || b"._:%-".contains(&it);
        let is_id = !id.is_empty() && id.bytes().all(is_id_byte) && !id.ends_with([':', '%']);
        (text.len() <= MAX_DID_BYTES && is_method && is_id).then(|| Did(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a parameter of a query, `:` escaped too.
    pub fn encoded(&self) -> String {
        let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
        self.0.bytes().map(|it| if is_plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
    }

    /// Where its document lies; another method than plc and web → `identity.unsupported`. BSKY-3.
    pub fn document_url(&self) -> Result<Url, NetError> {
        let unsupported =
            || NetError::new(Code::IdentityUnsupported, format!("expected a DID of atproto, got {}", self.0));
        let text = match self.0.strip_prefix("did:").and_then(|rest| rest.split_once(':')) {
            Some(("plc", id)) if id.len() == 24 && id.bytes().all(|it| matches!(it, b'a'..=b'z' | b'2'..=b'7')) => {
                format!("https://plc.directory/{}", self.0)
            }
            Some(("web", domain)) if names::is_domain(domain) => format!("https://{domain}/.well-known/did.json"),
            _ => return Err(unsupported()),
        };
        Url::parse(&text).map_err(|_| unsupported())
    }
}

/// The document of a DID; none is absence.
pub async fn fetch_document<N: Net>(did: &Did, net: &N, now: u64) -> Result<Answer<Value>, NetError> {
    let request = Request { media: MEDIA, ..Request::json(did.document_url()?) };
    let request = request.redirects(Redirects::SameHost).bounded(MAX_WIRE_BYTES, MAX_DECODED_BYTES);
    json(net, &request, now).await
}

/// The name that the account gives itself: the first of `alsoKnownAs` that is one, folded. BSKY-4.
pub fn name(document: &Value) -> Option<String> {
    let known_as = document.list("alsoKnownAs")?.iter().take(MAX_MEMBERS);
    known_as
        .filter_map(|member| member.as_text()?.strip_prefix("at://"))
        .map(str::to_ascii_lowercase)
        .find(|name| names::is_domain(name))
}

/// The account's own server, an https origin. BSKY-4.
pub fn server(document: &Value, did: &Did) -> Option<Url> {
    let full_id = format!("{}#atproto_pds", did.as_str());
    let service = document
        .list("service")?
        .iter()
        .take(MAX_MEMBERS)
        .find(|service| matches!(service.text("id"), Some(id) if id == "#atproto_pds" || id == full_id))?;
    if service.text("type") != Some("AtprotoPersonalDataServer") {
        return None;
    }
    let text = service.text("serviceEndpoint")?;
    let url = Url::parse(text).ok()?;
    let is_origin = url.scheme() == "https"
        && matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)))
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    is_origin.then_some(url)
}
