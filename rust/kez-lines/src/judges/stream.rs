//! SPEC NET-7: streams of lines and the heads of their answers.

use std::time::Duration;

use kez_channels::net::lines::{Lines, check_head};
use kez_channels::net::{Media, Request};
use kez_channels::{NetError, Url};
use kez_core::Digest;
use serde_json::{Value, json};

use crate::outcome::{Answer, Fault};
use crate::question::{bytes, count, list, member};

const EVENT_STREAM: &[Media] = &[Media::of("text/event-stream")];

pub fn stream(case: &Value) -> Answer {
    let input = member(case, "input")?;
    if input.get("answer").is_some() {
        return Ok(json!({ "code": code(&head(member(input, "answer")?)?) }));
    }
    let (mut lines, mut stream, mut end) = (Vec::new(), Lines::new(Duration::ZERO), Ok(()));
    for chunk in list(input, "chunks")? {
        let now = Duration::from_millis(count(chunk, "at_ms")?);
        // Lines as their digests: some are long.
        let take = |line: String| lines.push(Digest::of(line.as_bytes()).to_string());
        end = stream.push(&chunk_bytes(member(chunk, "bytes")?)?, now, take);
        if end.is_err() {
            break;
        }
    }
    Ok(json!({ "lines": lines, "code": code(&end) }))
}

fn head(answer: &Value) -> Result<Result<(), NetError>, Fault> {
    let url = Url::parse("https://a.example/stream").map_err(|error| Fault(error.to_string()))?;
    let request = Request { media: EVENT_STREAM, ..Request::get(url) };
    let status = u16::try_from(count(answer, "status")?).map_err(|error| Fault(error.to_string()))?;
    let headers = member(answer, "headers")?.as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Ok(check_head(&request, status, &headers.collect::<Vec<_>>()))
}

/// A text, bytes in hex, or a text so many times.
fn chunk_bytes(chunk: &Value) -> Result<Vec<u8>, Fault> {
    if let Some(text) = chunk.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    if chunk.get("hex").is_some() {
        return bytes(chunk, "hex");
    }
    match list(chunk, "repeat")? {
        [Value::String(text), times] => {
            let times = times.as_u64().and_then(|times| usize::try_from(times).ok());
            Ok(text.repeat(times.ok_or_else(|| Fault("no count".to_owned()))?).into_bytes())
        }
        _ => Err(Fault("no bytes".to_owned())),
    }
}

fn code(result: &Result<(), NetError>) -> Option<&'static str> {
    result.as_ref().err().map(|error| error.code.as_str())
}
