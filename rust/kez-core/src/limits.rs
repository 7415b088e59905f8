//! Every bound of the protocol. SPEC §11.

/// Bytes of a text handed to a decoder (`limit.size`).
pub const MAX_TEXT_BYTES: usize = 1_048_576;
/// Bytes of the JSON of one envelope (`limit.size`), and of what a compact text decompresses to (`limit.decompressed`).
pub const MAX_ENVELOPE_JSON_BYTES: usize = 65_536;
/// Bytes of JCS of one envelope, and of a line of a chain (`limit.size`).
pub const MAX_ENVELOPE_BYTES: usize = 4_000;
/// Bytes of an identity (`limit.size`).
pub const MAX_IDENTITY_BYTES: usize = 256;
/// Bytes of recovery words as typed (`mnemonic.length`).
pub const MAX_MNEMONIC_BYTES: usize = 2_048;
/// Nesting of JSON; the outermost value is 1 (`limit.depth`).
pub const MAX_JSON_DEPTH: usize = 8;
/// Nesting of what is canonicalised (`json.not_plain`), JCS-2.
pub const MAX_CANONICAL_DEPTH: usize = 64;
/// Members of one object (`limit.members`).
pub const MAX_JSON_MEMBERS: usize = 64;
/// The largest integer that JSON may hold, and the smallest negated (`json.number`).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;
/// Candidates in one text (`limit.candidates`).
pub const MAX_CANDIDATES: usize = 8;
/// TXT records under one name (`limit.candidates`).
pub const MAX_TXT_RECORDS: usize = 16;
/// Hints in one text; others are ignored.
pub const MAX_HINTS: usize = 4;
/// Bytes of the URL of a hint; longer ones are ignored.
pub const MAX_HINT_BYTES: usize = 2_048;
/// Bytes of a zstd window (`limit.window`).
pub const MAX_ZSTD_WINDOW_BYTES: u64 = 1_048_576;
/// Bytes of one zstd block (`zstd.frame`), RFC 8878 §3.1.1.2.4.
pub const MAX_ZSTD_BLOCK_BYTES: usize = 131_072;
/// Characters after `kez:z1:` (`limit.decompressed`): base64url of what the cap can need.
pub const MAX_COMPACT_CHARS: usize = 87_382;
/// Characters after `kez:zc1:` (`limit.decompressed`).
pub const MAX_COMPACT_CHAIN_CHARS: usize = 11_184_811;
/// Bytes of a chain document (`limit.chain`).
pub const MAX_CHAIN_BYTES: usize = 8_388_608;
/// Events of a chain document and of a path (`limit.chain`).
pub const MAX_CHAIN_EVENTS: usize = 10_000;
/// From this `seq` on only what takes back or replaces keys, by the owner (CHAIN-9, `limit.chain`).
pub const RESERVED_FROM_SEQ: u64 = 9_000;
/// Valid events of one chain united by a reader (`limit.chain`).
pub const MAX_UNITED_EVENTS: usize = 20_000;
/// Active devices (`limit.devices`).
pub const MAX_ACTIVE_DEVICES: usize = 32;
/// Active subjects (`limit.claims`).
pub const MAX_ACTIVE_SUBJECTS: usize = 256;
/// Entries of `keys`, `keep`, `reject` (`schema.value`).
pub const MAX_LIST_ENTRIES: usize = 32;
/// Characters of `subject_id` and of a text of §2.3 (`schema.value`).
pub const MAX_SHORT_TEXT_CHARS: usize = 512;
/// Addresses of a `presence` (`schema.value`).
pub const MAX_PRESENCE_ADDRESSES: usize = 32;
/// Seconds that another clock may be ahead (`time.future`).
pub const CLOCK_SKEW_SECONDS: u64 = 300;
/// Seconds that a head lives at most (`time.order`).
pub const MAX_HEAD_SECONDS: u64 = 7 * 86_400;
/// Seconds that a device credential or a session of the chat lives at most (`time.order`).
pub const MAX_CREDENTIAL_SECONDS: u64 = 90 * 86_400;
/// Seconds that a presence lives at most (`time.order`).
pub const MAX_PRESENCE_SECONDS: u64 = 600;
/// Bytes of one character-string of a TXT record (RFC 1035 §3.3).
pub const MAX_TXT_STRING_BYTES: usize = 255;
/// Bytes of the root document of shared files (`limit.size`).
pub const MAX_FILE_ROOT_BYTES: usize = 65_536;
/// Sections of a root document (`limit.entries`).
pub const MAX_FILE_SECTIONS: usize = 32;
/// Pages of all sections of a root document together (`limit.entries`).
pub const MAX_FILE_PAGES: usize = 64;
/// Bytes of a page of shared files, when it is open (`limit.size`).
pub const MAX_FILE_PAGE_BYTES: usize = 2_097_152;
/// Entries of a page of shared files (`limit.entries`).
pub const MAX_FILE_PAGE_ENTRIES: usize = 1_024;
/// Bytes of a path of a shared file (`file.name`).
pub const MAX_FILE_PATH_BYTES: usize = 1_024;
/// Components of a path of a shared file (`file.name`).
pub const MAX_FILE_PATH_DEPTH: usize = 32;
