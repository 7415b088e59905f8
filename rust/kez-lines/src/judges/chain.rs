//! SPEC §5.3 and §5.9: links, chain documents.

use kez_core::sigchain::{Place, check_link, read_document};
use serde_json::Value;

use crate::outcome::{Answer, of};
use crate::question::{count, input, member, optional_text, text};

pub fn document(case: &Value) -> Answer {
    let document = read_document(&input(case)?);
    Ok(of(document.fault.map_or(Ok(document.events.len()), Err)))
}

pub fn link(case: &Value) -> Answer {
    let (head, next) = (member(case, "head")?, member(case, "next")?);
    let head = Place { seq: count(head, "seq")?, digest: text(head, "digest")? };
    let next = Place { seq: count(next, "seq")?, digest: optional_text(next, "prev")? };
    Ok(of(check_link(&head, &next).map(|()| "ok")))
}
