//! The process: a line in, a line out. A question that makes the code fail is answered too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::judges::judge;

/// Answers every line until the input ends. Output is flushed whenever no whole question waits.
pub fn answer_lines<R: Read>(mut questions: BufReader<R>, mut answers: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while questions.read_until(b'\n', &mut line)? > 0 {
        serde_json::to_writer(&mut answers, &answer(&line))?;
        answers.write_all(b"\n")?;
        line.clear();
        if !questions.buffer().contains(&b'\n') {
            answers.flush()?;
        }
    }
    answers.flush()
}

fn answer(line: &[u8]) -> Value {
    let question: Value = match serde_json::from_slice(line) {
        Ok(question) => question,
        Err(error) => return json!({ "id": null, "outcome": { "crash": format!("no question: {error}") } }),
    };
    let id = question.get("id").cloned().unwrap_or_default();
    json!({ "id": id, "outcome": outcome(&question) })
}

fn outcome(question: &Value) -> Value {
    let suite = question.get("suite").and_then(Value::as_str).unwrap_or_default();
    let case = question.get("case").unwrap_or(&Value::Null);
    match catch_unwind(AssertUnwindSafe(|| judge(suite, case))) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(fault)) => json!({ "crash": fault.to_string() }),
        Err(panic) => json!({ "crash": panic_text(panic.as_ref()) }),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
