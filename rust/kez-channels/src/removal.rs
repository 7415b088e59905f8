//! A person's own text without the proofs in it: everything else stays as it was written. SPEC NET-6.

use kez_core::encoding::{Candidate, Proof, decode_candidate, find_candidates, parse_hint};
use kez_core::{Identity, Subject};

use crate::finding::Sight;

/// What an encoder writes for people above a claim, and may go on with how to check it. MD-5.
const SENTENCE: &str = "The holder of the key below says: this account is mine.";

/// Whether a text holds a proof of this account, or a reference.
pub fn holds(text: &str, account: &Identity) -> bool {
    Sight::of(text).is_some_and(|sight| sight.settles(account))
}

/// Whether a text holds a reference, whoever's: it may be what another proof of the account stands on.
pub fn refers(text: &str) -> bool {
    let found = find_candidates(text.as_bytes()).map(|found| found.candidates).unwrap_or_default();
    found.iter().any(|candidate| matches!(decode_candidate(candidate), Ok(Proof::Reference(_))))
}

/// Whether there is nothing in it but proofs of this account.
pub fn is_proof_alone(text: &str, account: &Identity) -> bool {
    holds(text, account) && without_proofs(text, account).trim().is_empty()
}

/// Whether there is nothing in it but proofs of this account, and what is written for people about these very claims: no word
/// of its owner's would be lost with it. GH-9
pub fn is_proof_document(text: &str, account: &Identity) -> bool {
    let written = lines_for_people(text, account);
    let is_written = |line: &str| {
        let line = line.trim_end();
        line.is_empty() || parse_hint(line).is_some() || written.iter().any(|it| it == line)
    };
    holds(text, account) && without_proofs(text, account).lines().all(is_written)
}

fn lines_for_people(text: &str, account: &Identity) -> Vec<String> {
    let found = find_candidates(text.as_bytes()).map(|found| found.candidates).unwrap_or_default();
    let mut lines = Vec::new();
    for proof in found.iter().filter_map(|candidate| decode_candidate(candidate).ok()) {
        let Proof::Claim(claim) = proof else { continue };
        if !matches!(&claim.payload().subject, Subject::Known(subject) if subject == account) {
            continue;
        }
        let payload = claim.json().get("payload").and_then(|payload| payload.as_object());
        let said = |name: &str| payload.and_then(|payload| payload.get(name)?.as_str()).unwrap_or_default();
        let subject = said("subject");
        lines.extend([
            format!("# KEZ claim: {subject}"),
            SENTENCE.to_owned(),
            format!("{SENTENCE} Check it with `kez verify id {subject}`."),
        ]);
        let members =
            [("Subject", "subject"), ("Primary", "primary"), ("Created", "created_at"), ("Expires", "expires_at")];
        lines.extend(members.map(|(title, name)| format!("{title}: {}", said(name))));
    }
    lines
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
    use kez_core::encoding::encode_markdown;
    use kez_core::{ClaimDraft, SecretKey, Suite, Time, sign_claim};

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
    fn a_reference_is_seen_beside_other_text() {
        for text in [reference(), format!("I am I.\n\n{}@sig.example\n", reference())] {
            assert!(refers(&text), "{text}");
        }
        for text in ["", "kez:r1:0", "I am I."] {
            assert!(!refers(text), "{text}");
        }
    }

    #[test]
    fn a_document_of_a_proof_holds_no_word_of_its_owners() {
        let key = SecretKey::from_bytes(Suite::Ed25519, zeroize::Zeroizing::new([7; 32])).unwrap();
        let created_at = Time::from_unix_seconds(1_800_000_000).unwrap();
        let draft = ClaimDraft { subject: account(), created_at, expires_at: None };
        let block = encode_markdown(&sign_claim(&draft, &key).unwrap(), Some("https://a.example/c")).unwrap();
        assert!(is_proof_document(&block, &account()) && !is_proof_alone(&block, &account()));
        let of_kez = block.replace("is mine.", "is mine. Check it with `kez verify id github:alice`.");
        assert!(is_proof_document(&of_kez, &account()));
        let other = ClaimDraft { subject: Identity::parse("dns:a.example").unwrap(), created_at, expires_at: None };
        let other = encode_markdown(&sign_claim(&other, &key).unwrap(), None).unwrap();
        for text in [format!("{block}\n{other}"), format!("{other}\n{block}")] {
            assert!(!is_proof_document(&text, &account()), "a claim of another account beside it");
        }
        for line in ["My notes.", "Subject: my cats", "Created: in 1990", "Chain: of thoughts", "# KEZ claim: I wrote"]
        {
            assert!(!is_proof_document(&format!("{block}\n{line}\n"), &account()), "{line}");
        }
        assert!(!is_proof_document("Subject: github:alice", &account()), "without a proof");
    }
}
