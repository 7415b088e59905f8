//! The lines of what this computer remembers: marks, proofs, sources. What cannot be read is damage, and never nothing.

use kez_core::canonical::canonicalize;
use kez_core::verify::{Mark, SourceKind};
use kez_core::{Digest, Json, KeyIdentity};

/// VER-6: a source that served a chain here before, and is expected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSource {
    /// The chain.
    pub chain: Digest,
    /// A store, or what a text or §7 named.
    pub kind: SourceKind,
    /// Its URL, as evidence names it.
    pub name: String,
}

/// VER-9: the last `valid` verification of an account here.
#[derive(Clone, Debug)]
pub struct LastProven {
    /// When.
    pub at: String,
    /// Whose it was.
    pub primary: KeyIdentity,
    /// The chain that listed it.
    pub chain: Option<Digest>,
    /// Its permanent number.
    pub account_id: Option<String>,
}

/// The line of a record.
pub fn line_of(value: &Json) -> String {
    canonicalize(value).unwrap_or_default()
}

/// A mark.
pub fn read_mark(line: &str) -> Option<Mark> {
    let value = kez_core::json::parse_text(line).ok()?;
    let members = value.as_object()?;
    let Json::Array(primaries) = members.get("primaries")? else { return None };
    Some(Mark {
        chain: Digest::parse(members.get("chain")?.as_str()?).ok()?,
        seq: match members.get("seq")? {
            Json::Number(seq) if *seq >= 0.0 => *seq as u64,
            _ => return None,
        },
        digest: Digest::parse(members.get("digest")?.as_str()?).ok()?,
        primaries: primaries
            .iter()
            .map(|key| KeyIdentity::parse_canonical(key.as_str()?).ok())
            .collect::<Option<_>>()?,
    })
}

/// The account, and when it was proven last.
pub fn read_proven(line: &str) -> Option<(String, LastProven)> {
    let value = kez_core::json::parse_text(line).ok()?;
    let members = value.as_object()?;
    let text = |name: &str| members.get(name)?.as_str();
    // Null where nothing is known; anything else but a text is damage.
    let optional = |name: &str| match members.get(name) {
        Some(Json::Null) => Some(None),
        other => Some(Some(other?.as_str()?.to_owned())),
    };
    let proven = LastProven {
        at: text("at")?.to_owned(),
        primary: KeyIdentity::parse_canonical(text("primary")?).ok()?,
        chain: optional("chain")?.map(|chain| Digest::parse(&chain).ok()).map_or(Some(None), |id| id.map(Some))?,
        account_id: optional("account_id")?,
    };
    Some((text("subject")?.to_owned(), proven))
}

/// A source that served a chain.
pub fn read_source(line: &str) -> Option<KnownSource> {
    let value = kez_core::json::parse_text(line).ok()?;
    let text = |name: &str| value.as_object()?.get(name)?.as_str();
    let kinds = [SourceKind::Store, SourceKind::Hint, SourceKind::Other];
    Some(KnownSource {
        chain: Digest::parse(text("chain")?).ok()?,
        kind: kinds.into_iter().find(|kind| Some(kind_name(*kind)) == text("kind"))?,
        name: text("name")?.to_owned(),
    })
}

/// The word for a kind of source.
pub const fn kind_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Store => "store",
        SourceKind::Local => "local",
        SourceKind::Hint => "hint",
        SourceKind::Other => "other",
    }
}
