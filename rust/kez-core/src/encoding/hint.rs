//! Hints: an unsigned line that says where a chain lies. SPEC FIND-4.

use crate::limits::{MAX_HINT_BYTES, MAX_HINTS};

/// Where the line of a hint begins; case counts.
pub const PREFIX: &str = "Chain: ";

/// The URL of a line `Chain: https://…`, with something after `https://`: printable ASCII without spaces, at most 2,048
/// bytes, nothing after it.
pub fn parse_hint(line: &str) -> Option<&str> {
    let url = line.strip_prefix(PREFIX)?;
    let rest = url.strip_prefix("https://")?;
    let fits = !rest.is_empty() && url.len() <= MAX_HINT_BYTES && rest.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(url)
}

/// Keeps the first four; others are ignored.
pub fn keep_hint(hints: &mut Vec<String>, url: &str) {
    if hints.len() < MAX_HINTS {
        hints.push(url.to_owned());
    }
}
