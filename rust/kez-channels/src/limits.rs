//! Every bound of SPEC §7. Bounds of the protocol itself are in `kez_core::limits`.

use std::time::Duration;

/// Bytes of a body on the wire, unless a rule names another number (NET-1, `limit.body`).
pub const MAX_WIRE_BYTES: usize = 262_144;
/// Bytes of a body after decompression (NET-1, `limit.body`).
pub const MAX_DECODED_BYTES: usize = 1_048_576;
/// Bytes of a chain document, on the wire and decoded (NET-1).
pub const MAX_CHAIN_BODY_BYTES: usize = kez_core::limits::MAX_CHAIN_BYTES;
/// Bytes of the head of an answer, interim answers apart (`net.http`).
pub const MAX_HEAD_BYTES: usize = 65_536;
/// Redirects that are followed (NET-1, `net.redirect_limit`).
pub const MAX_REDIRECTS: usize = 3;
/// Interim answers (1xx) before the answer (NET-1, `net.http`).
pub const MAX_INTERIM_ANSWERS: usize = 8;
/// A whole exchange, redirects and name look-ups included (NET-1, `net.timeout`).
pub const TOTAL_TIME: Duration = Duration::from_secs(10);
/// Without a byte (NET-1, `net.timeout`).
pub const SILENCE: Duration = Duration::from_secs(3);
/// Without a byte on a stream (NET-7): a store says something every 30 s (STORE-11).
pub const STREAM_SILENCE: Duration = Duration::from_secs(60);
/// Requests and WebSockets at one host at once (NET-2).
pub const MAX_REQUESTS_PER_HOST: usize = 2;
/// Addresses of a host that are tried.
pub const MAX_ADDRESSES: usize = 4;
/// Seconds that a host is closed where it does not say for how long (NET-4).
pub const DEFAULT_WAIT_SECONDS: u64 = 60;
/// Seconds that a host is closed at most (NET-4).
pub const MAX_WAIT_SECONDS: u64 = 86_400;
/// Bytes of one message of a WebSocket (NET-5).
pub const MAX_MESSAGE_BYTES: usize = 131_072;
/// Bytes of a WebSocket in all, control frames included (NET-5).
pub const MAX_SOCKET_BYTES: usize = 1_048_576;
/// Bytes of a line of a stream (NET-7).
pub const MAX_STREAM_LINE_BYTES: usize = 524_288;
/// Bytes of a stream in a minute (NET-7).
pub const MAX_STREAM_MINUTE_BYTES: usize = 4_194_304;
/// Nesting of JSON of platforms (SPEC §7.5).
pub const MAX_FOREIGN_JSON_DEPTH: usize = 512;
/// TXT records under one name (DNS-4).
pub const MAX_TXT_RECORDS: usize = kez_core::limits::MAX_TXT_RECORDS;

/// Bytes of a page of gists on the wire (GH-3).
pub const MAX_PAGE_WIRE_BYTES: usize = 1_048_576;
/// Bytes of a page of gists decoded (GH-3).
pub const MAX_PAGE_DECODED_BYTES: usize = 4_194_304;
/// Pages of gists (GH-3).
pub const MAX_GIST_PAGES: usize = 3;
/// Gists that are confirmed because they say kez, and as many because of what was scanned (GH-4).
pub const MAX_CONFIRMED_GISTS: usize = 4;
/// Files of a confirmed gist that says kez (GH-4).
pub const MAX_FILES_PER_GIST: usize = 8;
/// Files of other gists (GH-4).
pub const MAX_SCANNED_FILES: usize = 16;
/// Bytes of one file, and of a README (GH-4, GH-6).
pub const MAX_FILE_BYTES: usize = 262_144;
/// Bytes of all files of one look (GH-4).
pub const MAX_LOOK_BYTES: usize = 1_048_576;
/// Bytes of a refusal that are searched for "rate limit" (GH-2).
pub const MAX_REFUSAL_BYTES: usize = 4_096;

/// Relays that are asked (NOSTR-1).
pub const MAX_RELAYS: usize = 16;
/// Events of one relay (NOSTR-1).
pub const MAX_EVENTS: usize = 256;
/// Tags of an event (NOSTR-2).
pub const MAX_TAGS: usize = 1_000;
/// Bytes of the serialisation of an event (NOSTR-2).
pub const MAX_EVENT_BYTES: usize = 65_536;
/// Seconds that a claim serves on at least, in an event that another process asks for (NOSTR-7).
pub const MIN_PROOF_SECONDS: u64 = 86_400;
/// Notes, and posts, that count (NOSTR-3, BSKY-6).
pub const MAX_POSTS: usize = 50;
/// Texts of a key with a candidate that are looked at (NOSTR-4).
pub const MAX_NOSTR_TEXTS: usize = 16;
/// After the first open connection to a relay (NOSTR-5).
pub const RELAYS_TIME: Duration = Duration::from_secs(4);
/// After a whole answer while a text with a candidate is known (NOSTR-5).
pub const RELAYS_GRACE: Duration = Duration::from_secs(1);
/// Versions of a chain on relays (NOSTR-10).
pub const MAX_RELAY_CHAINS: usize = 4;

/// Bytes of a DID (BSKY-1).
pub const MAX_DID_BYTES: usize = 2_048;
/// Members of `alsoKnownAs`, `service`, facets of a post, links of WebFinger (BSKY-4, BSKY-7, AP-1).
pub const MAX_MEMBERS: usize = 64;

/// Characters of an actor's URL (AP-1, AP-4).
pub const MAX_ACTOR_URL_CHARS: usize = 512;
/// Fields of a profile (AP-6).
pub const MAX_FIELDS: usize = 32;
/// Pinned posts (AP-7).
pub const MAX_PINNED: usize = 20;
/// Values of a map by languages (AP-3).
pub const MAX_LANGUAGES: usize = 8;
/// Nesting of HTML elements (AP-8).
pub const MAX_HTML_DEPTH: usize = 256;
/// `pre` elements whose content is a text of its own (AP-8).
pub const MAX_PRE_TEXTS: usize = 8;

/// Bytes of a record of a chat server, both ways (KEZ-1).
pub const MAX_RECORD_BYTES: usize = 16_384;
/// Hints of all texts of one account (FIND-4).
pub const MAX_ACCOUNT_HINTS: usize = 16;
