//! Lines of stdin, no longer than a bound.

use crate::limits::MAX_LINE;
use tokio::io::{AsyncBufReadExt, BufReader, Stdin, stdin};

/// What came.
pub enum Line {
    /// A line without its end.
    Text(Vec<u8>),
    /// One that is too long; it was read over.
    TooLong,
    /// Stdin was closed, or what is after its last line end.
    End,
}

/// Reads stdin.
pub struct Lines {
    reader: BufReader<Stdin>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, stdin()) }
    }
}

impl Lines {
    /// The next line.
    pub async fn next(&mut self) -> Line {
        let mut line = Vec::new();
        let mut long = false;
        loop {
            let Ok(chunk) = self.reader.fill_buf().await else { return Line::End };
            if chunk.is_empty() {
                return Line::End;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (part, used) = end.map_or((chunk, chunk.len()), |end| (chunk.get(..end).unwrap_or_default(), end + 1));
            if line.len() + part.len() > MAX_LINE {
                long = true;
                line = Vec::new();
            } else if !long {
                line.extend_from_slice(part);
            }
            self.reader.consume(used);
            if end.is_some() {
                return if long { Line::TooLong } else { Line::Text(line) };
            }
        }
    }
}
