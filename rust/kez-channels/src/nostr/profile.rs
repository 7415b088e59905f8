//! The profile of a key with or without a proof in its `about`: everything else stays as it was. SPEC NOSTR-7, NOSTR-8.

use kez_core::Identity;
use kez_core::canonical::canonicalize;
use kez_core::encoding::{Candidate, find_candidates};

use crate::finding::Sight;
use crate::json::{self, Value};

/// The content of a profile with this proof as the last paragraph of `about`, an earlier proof of the account removed;
/// without one where there is no proof. None where it is no profile that can be written again as it is.
pub fn with_proof(content: &str, account: &Identity, proof: Option<&str>) -> Option<String> {
    let Value::Object(mut members) = json::parse(content)? else { return None };
    let last = members.iter_mut().rfind(|(name, _)| name == "about");
    let before = last.as_ref().and_then(|(_, value)| value.as_text()).unwrap_or_default();
    let kept = without_proofs(before, account);
    let about = match proof {
        None => kept,
        Some(proof) if kept.is_empty() => proof.to_owned(),
        Some(proof) => format!("{kept}\n\n{proof}"),
    };
    match last {
        Some((_, value)) => *value = Value::Text(about),
        None => members.push(("about".to_owned(), Value::Text(about))),
    }
    write(&Value::Object(members))
}

/// The text of an `about` in this content.
pub fn about(content: &str) -> Option<String> {
    json::parse(content)?.text("about").map(str::to_owned)
}

/// The text without proofs of this account. What stands beside them is its owner's, and stays (NET-6).
pub(crate) fn without_proofs(text: &str, account: &Identity) -> String {
    let holds = |piece: &str| Sight::of(piece).is_some_and(|sight| sight.settles(account));
    let mut kept: Vec<String> = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```kez") {
            let mut block = vec![line];
            for next in lines.by_ref() {
                block.push(next);
                if next.trim() == "```" {
                    break;
                }
            }
            let block = block.join("\n");
            if !holds(&block) {
                kept.push(block);
            }
        } else if holds(line) {
            let rest = without_tokens(line, account);
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
        if Sight::of(&token).is_some_and(|sight| sight.settles(account)) {
            rest = rest.replacen(&token, "", 1);
        }
    }
    rest
}

/// JSON again, members in their order; none for what no text can hold.
pub(crate) fn write(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) if number.is_finite() => number.to_string(),
        Value::Number(_) | Value::IllFormed => return None,
        Value::Text(text) => quote(text)?,
        Value::List(items) => format!("[{}]", items.iter().map(write).collect::<Option<Vec<_>>>()?.join(",")),
        Value::Object(members) => {
            let member = |(name, value): &(String, Value)| Some(format!("{}:{}", quote(name)?, write(value)?));
            format!("{{{}}}", members.iter().map(member).collect::<Option<Vec<_>>>()?.join(","))
        }
    })
}

fn quote(text: &str) -> Option<String> {
    canonicalize(&text.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_else_of_a_profile_stays() {
        let account = Identity::parse("nostr:npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6").unwrap();
        let reference = format!("kez:r1:{}", "0".repeat(64));
        let old = format!("{{\"name\":\"a\\u00e9\",\"about\":\"I am I.\\n\\n{reference}\",\"n\":[1,2.5,null]}}");
        let new = with_proof(&old, &account, Some("kez:z1:AA")).unwrap();
        assert_eq!(new, "{\"name\":\"aé\",\"about\":\"I am I.\\n\\nkez:z1:AA\",\"n\":[1,2.5,null]}");
        let without = with_proof(&old, &account, None).unwrap();
        assert_eq!(about(&without).unwrap(), "I am I.");
        let beside = format!("{{\"about\":\"see {reference} there\"}}");
        assert_eq!(about(&with_proof(&beside, &account, None).unwrap()).unwrap(), "see  there");
        assert_eq!(with_proof("[]", &account, None), None);
        assert_eq!(with_proof("{}", &account, Some("x")).unwrap(), "{\"about\":\"x\"}");
    }
}
