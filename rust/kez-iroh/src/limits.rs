//! All bounds of the process. Sizes are bytes unless the name says otherwise.

use std::time::Duration;

/// A line from the engine; the longest is a `fetch` of a folder.
pub const MAX_LINE: usize = 16 * 1024 * 1024;
/// Files of one import, one set or one fetch.
pub const MAX_FILES: usize = 50_000;
/// Depth of folders that an import follows, and components of a target path.
pub const MAX_DEPTH: usize = 64;
/// A component of a target path, in UTF-8.
pub const MAX_NAME: usize = 255;
/// A target path relative to its folder, in UTF-8.
pub const MAX_PATH: usize = 2_048;
/// Sets that are offered at once.
pub const MAX_SETS: usize = 10_000;
/// Endpoints of one set.
pub const MAX_PEERS: usize = 10_000;
/// Providers of one fetch.
pub const MAX_PROVIDERS: usize = 64;
/// Addresses of one provider.
pub const MAX_ADDRESSES: usize = 32;
/// Fetches at once.
pub const MAX_JOBS: usize = 64;
/// A name that the engine gives to a set or a job: letters, digits, `-`, `_`.
pub const MAX_LABEL: usize = 64;

/// Streams that a peer may have open in one connection; QUIC itself holds the rest back.
pub const MAX_STREAMS: u32 = 16;
/// Requests that are answered at once for one peer, over all its connections.
pub const MAX_PEER_REQUESTS: usize = 32;
/// Connections of one peer.
pub const MAX_PEER_CONNECTIONS: usize = 4;
/// Connections of all peers.
pub const MAX_CONNECTIONS: usize = 256;
/// Handshakes that are under way.
pub const MAX_HANDSHAKES: usize = 64;
/// Requests of one peer in `REQUEST_WINDOW`.
pub const MAX_WINDOW_REQUESTS: u32 = 60_000;
/// See `MAX_WINDOW_REQUESTS`.
pub const REQUEST_WINDOW: Duration = Duration::from_secs(60);
/// Ranges of one request; a peer that resumes asks for one at a time.
pub const MAX_REQUEST_RANGES: usize = 64;
/// A request has to be here this soon after its stream was opened.
pub const REQUEST_READ: Duration = Duration::from_secs(10);
/// A handshake has to end this soon.
pub const HANDSHAKE: Duration = Duration::from_secs(15);
/// A peer that takes no byte for this long is let go.
pub const SEND_STALL: Duration = Duration::from_secs(60);

/// Window of one stream. QUIC's code ends the whole connection when more than 1,024 packets of a stream wait to be read (noq 1.4, as
/// quinn-rs/quinn#2809 describes), which a slow disk or a rate that was asked for brings about: a window holds fewer than half of that.
pub const STREAM_WINDOW: u32 = 512 * 1024;
/// Window of one connection, and what is sent without an acknowledgement.
pub const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The unit of verification of iroh-blobs: a part of a file starts and ends at a multiple of it.
pub const GROUP: u64 = 16 * 1024;
/// What one request asks for at most.
pub const SEGMENT: u64 = 8 * 1024 * 1024;
/// Requests to one provider at once.
pub const PULLS: usize = 12;
/// Verified bytes that are gathered before they are written.
pub const WRITE_BUFFER: usize = 512 * 1024;
/// Less than this is not taken from a provider that is slow, but all that is left.
pub const SPLIT: u64 = 1024 * 1024;
/// What a provider has not moved for this long, another one without work fetches.
pub const STUCK: Duration = Duration::from_secs(2);
/// A provider that sends no byte for this long has its request given to another.
pub const RECEIVE_STALL: Duration = Duration::from_secs(45);
/// How long the reason for the end of a connection is waited for.
pub const CLOSE_REASON: Duration = Duration::from_millis(300);
/// How long a connection is tried.
pub const CONNECT: Duration = Duration::from_secs(20);
/// Longest pause between two tries to reach a provider.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// A provider that refuses is asked this often, since its allow-list may be on its way.
pub const REFUSALS: u32 = 3;
/// A provider whose bytes were wrong this often is asked no more, though it is the only one.
pub const FAULTS: u32 = 3;
/// How often what was written is made to last and noted in the journal. What a kill takes is what this time brought, and what was on
/// its way to the disk.
pub const SYNC_EVERY: Duration = Duration::from_millis(200);
/// Free space that is left alone.
pub const SPACE_MARGIN: u64 = 1024 * 1024;

/// Shortest time between two progress events of one job, and of one peer.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Without a byte for this long a fetch says that it waits.
pub const QUIET: Duration = Duration::from_secs(3);
/// Files of one `serving` event.
pub const MAX_SHOWN: usize = 8;
/// Refusals that are told in one second.
pub const MAX_REFUSALS_TOLD: u32 = 10;
/// Lines that wait for the engine to read them.
pub const OUTPUT_QUEUE: usize = 256;
/// How long an orderly end may take.
pub const STOP: Duration = Duration::from_secs(5);
/// How often what nothing protects any more is deleted from the store.
pub const SWEEP_EVERY: Duration = Duration::from_secs(300);
