//! The profile of a key with or without a proof in its `about`: everything else stays as it was. SPEC NOSTR-7, NOSTR-8.

use kez_core::Identity;
use kez_core::canonical::canonicalize;

use crate::json::{self, Value};
use crate::removal::without_proofs;

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
