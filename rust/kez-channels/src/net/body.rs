//! The body of an answer, within its bounds. SPEC NET-1.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kez_core::Code;

use super::http::transport_error;
use super::{NetError, Request};

/// The body as it is meant: `limit.body` beyond a bound, on the wire or decoded; `net.http` for another coding than
/// gzip, or content that is not what its coding says.
pub async fn read(body: Incoming, coding: &str, request: &Request) -> Result<Vec<u8>, NetError> {
    let wire = read_wire(body, request.max_wire_bytes).await?;
    match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => bounded(wire, request.max_decoded_bytes),
        // Nothing is compressed in it: an answer without content may name a coding all the same.
        _ if wire.is_empty() => Ok(wire),
        "gzip" | "x-gzip" => decompress(&wire, request.max_decoded_bytes),
        _ => Err(NetError::new(Code::NetHttp, "expected a body as it is, or in gzip")),
    }
}

async fn read_wire(mut body: Incoming, max_bytes: usize) -> Result<Vec<u8>, NetError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| transport_error(&error))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(too_long());
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// No more is decompressed than is kept: a small body cannot fill the memory.
fn decompress(wire: &[u8], max_bytes: usize) -> Result<Vec<u8>, NetError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    match MultiGzDecoder::new(wire).take(limit).read_to_end(&mut bytes) {
        Ok(_) => bounded(bytes, max_bytes),
        Err(_) => Err(NetError::new(Code::NetHttp, "expected a body in gzip, got something else")),
    }
}

fn bounded(bytes: Vec<u8>, max_bytes: usize) -> Result<Vec<u8>, NetError> {
    if bytes.len() > max_bytes { Err(too_long()) } else { Ok(bytes) }
}

fn too_long() -> NetError {
    NetError::new(Code::LimitBody, "the answer is too long")
}
