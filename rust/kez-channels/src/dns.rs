//! `dns:` — proofs in TXT records at `_kez.` and the domain. SPEC §7.1, §4.5.

use kez_core::Code;
use kez_core::encoding::dns::{OWNER_PREFIX, Record, classify_record};
use kez_core::limits::MAX_HINTS;
use url::Url;

use crate::finding::Sight;
use crate::limits::MAX_TXT_RECORDS;
use crate::net::{Net, NetError};
use crate::publication::{Evidence, Look, Outcome, Publication};

/// The records at `_kez.` and this domain.
pub async fn collect<N: Net>(domain: &str, net: &N) -> Publication {
    let name = format!("{OWNER_PREFIX}{domain}");
    let source = format!("dns:{name}?type=TXT");
    let mut look = Look::default();
    let mut records = match net.txt(&name).await {
        Ok(records) => records,
        Err(error) => return look.fail(source, &error),
    };
    if records.len() > MAX_TXT_RECORDS {
        look.evidence.push(Evidence::fault(source, Code::LimitCandidates, "more than 16 TXT records"));
        return look.finish(Outcome::Invalid(Code::LimitCandidates));
    }
    // Servers give records in any order: the same zone is the same publication.
    records.sort_unstable();
    let mut hints = 0;
    for record in &records {
        // Each byte is one character: what is no ASCII belongs to no proof. DNS-1.
        let record: String = record.iter().map(|byte| char::from(*byte)).collect();
        match classify_record(&record) {
            Record::Proof(text) => look.keep_sight(text, &name, Sight::default()),
            Record::Hint(url) if hints < MAX_HINTS => {
                hints += 1;
                look.keep_hint(url.to_owned());
            }
            Record::Hint(_) | Record::Other => {}
        }
    }
    look.evidence.push(Evidence::note(source, format!("{} TXT records at {name}", records.len())));
    look.finish(Outcome::Absent)
}

/// TXT of the domain itself; any answer is health. DNS-6.
pub async fn canary<N: Net>(domain: &str, net: &N) -> (String, Result<(), NetError>) {
    (domain.to_owned(), net.txt(domain).await.map(|_| ()))
}

/// A source of the chain that is not expected. DNS-5.
pub fn chain_url(domain: &str) -> Option<Url> {
    Url::parse(&format!("https://{domain}/.well-known/kez-sigchain.jsonl")).ok()
}
