//! Proofs in running text. SPEC MD-4.

use super::{compact, reference};

/// The tokens of a line, from left to right.
pub fn find_tokens(line: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (start, token) = next_token(line, from)?;
        from = start + token.len();
        Some(token)
    })
}

/// The first token that begins at byte `from` or later, and where.
fn next_token(line: &str, mut from: usize) -> Option<(usize, &str)> {
    loop {
        let start = from + line.get(from..)?.find("kez:")?;
        let (before, text) = line.split_at_checked(start)?;
        if let Some(token) = token_at(text).filter(|_| may_precede(before)) {
            return Some((start, token));
        }
        from = start + 1;
    }
}

/// Nothing, white space, or one of the marks that people put before a token.
fn may_precede(before: &str) -> bool {
    let last = before.chars().next_back();
    last.is_none_or(|character| matches!(character, '\t' | '\r' | ' ' | '(' | '[' | '<' | '"' | '\'' | '`'))
}

fn token_at(text: &str) -> Option<&str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if let Some(value) = text.strip_prefix(compact::PREFIX) {
        return text.strip_suffix(value.trim_start_matches(is_part));
    }
    let value = text.strip_prefix(reference::PREFIX)?;
    let rest = value.trim_start_matches(|character| is_part(character) || matches!(character, '@' | '.'));
    text.strip_suffix(rest).map(|token| token.trim_end_matches('.'))
}
