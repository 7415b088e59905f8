//! The process: one answer a line, whatever the line is.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::io::BufReader;

use serde_json::{Value, json};

fn answers(lines: &str) -> Vec<Value> {
    let mut out = Vec::new();
    kez_lines::answer_lines(BufReader::new(lines.as_bytes()), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answer_lines_answers_in_order() {
    let lines = r#"{"id": 7, "suite": "identities", "case": {"text": "dns:Example.org."}}
{"id": 8, "suite": "identities", "case": {"text": "x"}}
{"id": 9, "suite": "canonical-json", "case": {"value": [1e21, 333333333.33333329, -0, 5e-324]}}"#;
    assert_eq!(
        answers(lines),
        [
            json!({ "id": 7, "outcome": { "ok": "dns:example.org" } }),
            json!({ "id": 8, "outcome": { "code": "identity.syntax" } }),
            json!({ "id": 9, "outcome": { "ok": "[1e+21,333333333.3333333,0,5e-324]" } }),
        ]
    );
}

#[test]
fn answer_lines_reads_deep_questions() {
    let question = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!("{{\"id\": 1, \"suite\": \"canonical-json\", \"case\": {{\"value\": {value}, \"why\": \"[[\\\"\"}}}}\n")
    };
    assert_eq!(answers(&question(64))[0]["outcome"], json!({ "ok": format!("{}{}", "[".repeat(64), "]".repeat(64)) }));
    assert_eq!(answers(&question(65))[0]["outcome"], json!({ "code": "json.not_plain" }));
    assert_eq!(answers(&question(300))[0]["outcome"], json!({ "code": "json.not_plain" }));
    assert!(answers(&question(999))[0]["outcome"]["crash"].is_string());
}

#[test]
fn answer_lines_tells_a_question_that_is_none_as_a_crash() {
    let lines = "{}\nnot json\n{\"id\": 1, \"suite\": \"times\", \"case\": {}}\n";
    for answer in answers(lines) {
        assert!(answer["outcome"]["crash"].is_string(), "{answer}");
    }
}
