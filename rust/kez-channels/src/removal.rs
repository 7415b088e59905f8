//! A person's own text without the proofs in it: everything else stays as it was written. SPEC NET-6.

use kez_core::Identity;
use kez_core::encoding::{Candidate, find_candidates, parse_hint};

use crate::finding::Sight;

/// What an encoder writes around a proof for people. MD-5.
const HEADER_LINES: [&str; 7] = [
    "# KEZ claim: ",
    "The holder of the key below says: ",
    "Subject: ",
    "Primary: ",
    "Created: ",
    "Expires: ",
    "Chain: ",
];

/// Whether a text holds a proof of this account, or a reference.
pub fn holds(text: &str, account: &Identity) -> bool {
    Sight::of(text).is_some_and(|sight| sight.settles(account))
}

/// Whether there is nothing in it but proofs of this account.
pub fn is_proof_alone(text: &str, account: &Identity) -> bool {
    holds(text, account) && without_proofs(text, account).trim().is_empty()
}

/// Whether there is nothing in it but proofs of this account, and the lines that are written around them: no word of its
/// owner's would be lost with it.
pub fn is_proof_document(text: &str, account: &Identity) -> bool {
    let is_header = |line: &str| line.trim().is_empty() || HEADER_LINES.iter().any(|start| line.starts_with(start));
    holds(text, account) && without_proofs(text, account).lines().all(is_header)
}

/// The text without proofs of this account: whole fences, tokens, and the line of a hint right after one.
pub fn without_proofs(text: &str, account: &Identity) -> String {
    if text.trim_start().starts_with('{') && holds(text, account) {
        return String::new();
    }
    let mut kept: Vec<String> = Vec::new();
    let mut lines = text.split('\n');
    let mut is_after_proof = false;
    while let Some(line) = lines.next() {
        let was_after_proof = std::mem::take(&mut is_after_proof);
        if let Some(fence) = Fence::opened_by(line) {
            let mut block = vec![line];
            for next in lines.by_ref() {
                block.push(next);
                if fence.is_closed_by(next) {
                    break;
                }
            }
            let block = block.join("\n");
            is_after_proof = fence.is_ours && holds(&block, account);
            if !is_after_proof {
                kept.push(block);
            }
        } else if was_after_proof && parse_hint(line.trim_end_matches('\r')).is_some() {
            // It said where the chain of that proof lies.
        } else if holds(line, account) {
            let rest = without_tokens(line, account);
            is_after_proof = true;
            if !rest.trim().is_empty() {
                kept.push(rest);
            }
        } else {
            kept.push(line.to_owned());
        }
    }
    kept.join("\n").trim_end().to_owned()
}

fn without_tokens(line: &str, account: &Identity) -> String {
    let mut rest = line.to_owned();
    for candidate in find_candidates(line.as_bytes()).map(|found| found.candidates).unwrap_or_default() {
        let Candidate::Text(token) = candidate else { continue };
        if holds(&token, account) {
            rest = rest.replacen(&token, "", 1);
        }
    }
    rest
}

/// MD-2, as far as it takes to know where it ends.
struct Fence {
    mark: char,
    count: usize,
    is_ours: bool,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Fence> {
        let (mark, count, info) = run(line)?;
        let is_ours = info.split_whitespace().next() == Some("kez");
        (mark != '`' || !info.contains('`')).then_some(Fence { mark, count, is_ours })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        run(line).is_some_and(|(mark, count, rest)| mark == self.mark && count >= self.count && rest.trim().is_empty())
    }
}

/// 0 to 3 spaces and three or more backticks or tildes: which, how many, and what follows.
fn run(line: &str) -> Option<(char, usize, &str)> {
    let marks = line.trim_start_matches(' ');
    let mark = marks.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = marks.trim_start_matches(mark);
    let count = marks.len() - rest.len();
    (line.len() - marks.len() <= 3 && count >= 3).then_some((mark, count, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Identity {
        Identity::parse("github:alice").unwrap()
    }

    fn reference() -> String {
        format!("kez:r1:{}", "0".repeat(64))
    }

    #[test]
    fn what_stands_beside_a_proof_stays() {
        let token = reference();
        let cases = [
            (format!("I am I.\n\n{token}\nChain: https://a.example/c"), "I am I."),
            (format!("see {token} there\nbye"), "see  there\nbye"),
            (format!("~~~ kez\n{token}\n~~~~\nbye"), "bye"),
            (format!("`````kez\n{token}\n``````\nbye"), "bye"),
            ("Chain: https://a.example/c\nbye".to_owned(), "Chain: https://a.example/c\nbye"),
        ];
        for (text, rest) in cases {
            assert_eq!(without_proofs(&text, &account()), rest, "{text}");
        }
        let other = format!("```text\n{token}\n```");
        assert_eq!(without_proofs(&other, &account()), other, "no proof stands in somebody's fence");
    }

    #[test]
    fn a_document_of_a_proof_holds_no_word_of_its_owners() {
        let block = format!("# KEZ claim: github:alice\n\nSubject: github:alice\n\n```kez\n{}\n```\n", reference());
        assert!(is_proof_document(&block, &account()) && !is_proof_alone(&block, &account()));
        assert!(!is_proof_document(&format!("{block}\nMy notes.\n"), &account()));
        assert!(!is_proof_document("Subject: github:alice", &account()), "without a proof");
    }
}
