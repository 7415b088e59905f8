//! The grammars of names: domains, logins, handles. SPEC §1. All take text that is folded already.

/// *domain*: two or more labels, at most 253 characters, the last beginning with a letter.
pub fn is_domain(text: &str) -> bool {
    let begins_with_letter = |label: &str| label.starts_with(|first: char| first.is_ascii_lowercase());
    text.len() <= 253
        && text.split('.').all(is_label)
        && text.rsplit_once('.').is_some_and(|(_, last)| begins_with_letter(last))
}

/// Where a chat server is: a domain or the word `localhost`.
pub fn is_host(text: &str) -> bool {
    text == "localhost" || is_domain(text)
}

/// A GitHub login: 1 to 39 of `a-z 0-9 -`, no `-` first, last or twice in a row.
pub fn is_github_login(text: &str) -> bool {
    text.len() <= 39 && text.split('-').all(|part| !part.is_empty() && part.bytes().all(is_alphanumeric))
}

/// `user@domain` of ActivityPub.
pub fn is_ap_account(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, domain)| is_ap_user(user) && is_domain(domain))
}

/// `handle@host` of a KEZ chat server.
pub fn is_kez_account(text: &str) -> bool {
    text.split_once('@').is_some_and(|(handle, host)| is_handle(handle) && is_host(host))
}

/// `^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$`, 3 to 30 characters.
pub fn is_handle(text: &str) -> bool {
    (3..=30).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.split(['-', '_']).all(|part| !part.is_empty() && part.bytes().all(is_alphanumeric))
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| is_alphanumeric(byte) || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `[a-z0-9_]`, or that, any of `[a-z0-9_.-]`, and that; at most 64.
fn is_ap_user(text: &str) -> bool {
    let is_end = |byte: u8| is_alphanumeric(byte) || byte == b'_';
    let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
        return false;
    };
    text.len() <= 64
        && is_end(first)
        && is_end(last)
        && text.bytes().all(|byte| is_end(byte) || matches!(byte, b'.' | b'-'))
}

const fn is_alphanumeric(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9')
}
