//! Which keys, chains and hints a publication names. SPEC VER-5, VER-6.

use kez_channels::limits::MAX_ACCOUNT_HINTS;
use kez_core::encoding::{Proof, decode_candidate, find_candidates};
use kez_core::verify::Publication;
use kez_core::{Digest, Identity, KeyIdentity, Subject};

/// The keys and chains that the candidates name, their hints, and their claims.
#[derive(Default)]
pub struct Named {
    /// Primaries of claims whose signature is right.
    pub keys: Vec<KeyIdentity>,
    /// Chains of references.
    pub ids: Vec<Digest>,
    /// URLs beside them, in the order of the texts.
    pub hints: Vec<String>,
    /// What each claim is about, by its digest.
    pub subjects: Vec<(Digest, String)>,
}

impl Named {
    /// Of all its texts, and the hints that the channel found, in their order. Nothing is asked about what is no proof of the
    /// account that is asked for (VER-3): a text without a right signature sends nobody anywhere.
    pub fn of(publication: &Publication, hints: Vec<String>, asked: Option<&Identity>) -> Named {
        let mut named = Named::default();
        let (mut beside, mut stray): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for placed in &publication.candidates {
            let Ok(found) = find_candidates(placed.text.as_bytes()) else { continue };
            let proofs = found.candidates.iter().filter_map(|candidate| decode_candidate(candidate).ok());
            // Each is kept, so no `any`.
            let count = proofs.filter(|proof| named.keep(proof, asked)).count();
            if count > 0 { &mut beside } else { &mut stray }.extend(found.hints);
        }
        let has_proof = !named.keys.is_empty() || !named.ids.is_empty();
        // Those of a zone or a record stand in no text, and are beside any proof of the place.
        let counts = |hint: &String| has_proof && (beside.contains(hint) || !stray.contains(hint));
        let of_texts = hints.into_iter().filter(counts).chain(beside.iter().cloned());
        let mut hints: Vec<String> = Vec::new();
        of_texts.for_each(|hint| add(&mut hints, hint));
        hints.truncate(MAX_ACCOUNT_HINTS);
        // REF-1: a host that a reference names is a hint, and none of the lines that are counted.
        for host in std::mem::take(&mut named.hints).into_iter().take(MAX_ACCOUNT_HINTS) {
            add(&mut hints, host);
        }
        Named { hints, ..named }
    }

    /// Whether it counts. Nothing of a claim is used before its signature was checked (DEC-2).
    fn keep(&mut self, proof: &Proof, asked: Option<&Identity>) -> bool {
        match proof {
            Proof::Claim(claim) => {
                let Ok(claim) = claim.clone().verify() else { return false };
                let subject = match &claim.payload().subject {
                    Subject::Known(subject) if asked.is_none_or(|asked| asked == subject) => subject.to_string(),
                    Subject::Unsupported(text) if asked.is_none() => text.clone(),
                    Subject::Known(_) | Subject::Unsupported(_) => return false,
                };
                self.keys.push(claim.payload().primary.clone());
                self.subjects.push((claim.digest(), subject));
            }
            Proof::Reference(reference) => {
                if let Some(host) = &reference.host {
                    self.hints.push(format!("https://{host}/v1/chains/{}", reference.chain));
                }
                self.ids.push(reference.chain);
            }
        }
        true
    }
}

fn add(hints: &mut Vec<String>, hint: String) {
    if !hints.contains(&hint) {
        hints.push(hint);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use kez_core::encoding::{encode_compact, encode_markdown};
    use kez_core::verify::{PlacedText, PublicationStatus};
    use kez_core::{ClaimDraft, SecretKey, Suite, Time, sign_claim};

    const ID: &str = "6262626262626262626262626262626262626262626262626262626262626262";

    fn claim(subject: &str) -> kez_core::envelope::Verified<kez_core::Claim> {
        let signer = SecretKey::from_bytes(Suite::Ed25519, zeroize::Zeroizing::new([7; 32])).unwrap();
        let created_at = Time::from_unix_seconds(1_767_225_600).unwrap();
        let subject = Identity::parse(subject).unwrap();
        sign_claim(&ClaimDraft { subject, created_at, expires_at: None }, &signer).unwrap()
    }

    fn hints(texts: &[&str], of_channel: &[&str]) -> Vec<String> {
        let candidates = texts.iter().map(|text| PlacedText { text: (*text).to_owned(), found_at: "place".into() });
        let publication =
            Publication { status: PublicationStatus::Found, candidates: candidates.collect(), account_id: None };
        let of_channel = of_channel.iter().map(|hint| (*hint).to_owned()).collect();
        Named::of(&publication, of_channel, Some(&Identity::parse("github:alice").unwrap())).hints
    }

    #[test]
    fn hints_count_beside_a_right_proof_of_the_account_alone() {
        let right = encode_markdown(&claim("github:alice"), Some("https://b.example/")).unwrap();
        assert_eq!(hints(&[&right], &[]), ["https://b.example/"]);
        let other = encode_markdown(&claim("github:bob"), Some("https://b.example/")).unwrap();
        let forged = right.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
        let broken = "Chain: https://b.example/\n\nkez:z1:AAAA\n";
        for text in [other.as_str(), &forged, broken] {
            assert!(hints(&[text], &["https://b.example/"]).is_empty(), "{text}");
            // What a wrong text names does not count because a right one stands elsewhere.
            let compact = encode_compact(&claim("github:alice")).unwrap();
            assert!(hints(&[&compact, text], &["https://b.example/"]).is_empty(), "{text}");
            assert_eq!(hints(&[&compact, text], &["https://zone.example/"]), ["https://zone.example/"]);
        }
    }

    #[test]
    fn hints_keep_their_order_and_hosts_of_references_are_not_counted() {
        let lines = "Chain: https://d.example/\nChain: https://a.example/\nChain: https://c.example/\nChain: https://b.example/\nChain: https://e.example/\n";
        let text = format!("{lines}\nkez:r1:{ID}@z.example\n");
        let of_reference = format!("https://z.example/v1/chains/sha256:{ID}");
        let expected =
            ["https://d.example/", "https://a.example/", "https://c.example/", "https://b.example/", &of_reference];
        assert_eq!(hints(&[&text], &[]), expected);
        assert_eq!(hints(&[&text], &expected[..4]), expected);
    }
}
