//! The process: a line in, a line out. A question that makes the code fail is answered too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Deserializer, Value, json};

use crate::judges::judge;

/// How deep a question may be nested: read by recursion, in the stack that `main` gives.
const MAX_NESTING: usize = 1_000;

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
    let question = match read(line) {
        Ok(question) => question,
        Err(error) => return json!({ "id": null, "outcome": { "crash": format!("no question: {error}") } }),
    };
    let id = question.get("id").cloned().unwrap_or_default();
    json!({ "id": id, "outcome": outcome(&question) })
}

fn read(line: &[u8]) -> Result<Value, String> {
    if nesting(line) > MAX_NESTING {
        return Err(format!("nested deeper than {MAX_NESTING}"));
    }
    let mut reader = Deserializer::from_slice(line);
    reader.disable_recursion_limit();
    let mut values = reader.into_iter::<Value>();
    match (values.next(), values.next()) {
        (Some(Ok(question)), None) => Ok(question),
        (Some(Err(error)), _) | (_, Some(Err(error))) => Err(error.to_string()),
        (None, _) | (Some(Ok(_)), Some(Ok(_))) => Err("expected one value".to_owned()),
    }
}

/// The deepest nesting of brackets outside strings.
fn nesting(line: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => (),
        }
        deepest = deepest.max(depth);
    }
    deepest
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
