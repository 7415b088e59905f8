//! One zstd frame: its headers are read before any decompression. RFC 8878 §3.1, SPEC ZSTD-1, ZSTD-2, ENC-3.
//!
//! Fourteen bytes can claim a content of gigabytes; what is decompressed never exceeds the cap.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::{Code, KezError, Result, refuse};
use crate::limits::{MAX_ZSTD_BLOCK_BYTES, MAX_ZSTD_WINDOW_BYTES};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The window descriptor of 2^20 bytes: exponent 10 above 2^10, mantissa 0.
const WINDOW_OF_1_MIB: u8 = 10 << 3;
const WINDOW_LOG: u32 = 20;
const CHECKSUM_FLAG: u8 = 1 << 2;
const CHECKSUM_BYTES: usize = 4;
const LEVEL: i32 = 19;

/// What the header of a frame says.
struct Header {
    descriptor: u8,
    dictionary_flag: u8,
    /// None of a single segment, whose window is its content.
    window: Option<u64>,
    content_size: Option<u64>,
    bytes: usize,
}

/// Takes bytes from the front; too few → `zstd.frame`.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return refuse(Code::ZstdFrame, "expected a whole zstd frame, got the beginning of one");
        };
        self.0 = rest;
        Ok(taken)
    }

    /// A little-endian number of at most 8 bytes.
    fn number(&mut self, count: usize) -> Result<u64> {
        Ok(self.take(count)?.iter().rev().fold(0, |number, &byte| (number << 8) | u64::from(byte)))
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.number(1)? as u8)
    }
}

/// The content of the frame, of at most `cap` bytes: `zstd.*`, `limit.window`, `limit.decompressed`.
pub fn decompress(frame: &[u8], cap: usize) -> Result<Vec<u8>> {
    let mut cursor = Cursor(frame);
    let header = read_header(&mut cursor)?;
    check_header(&header, cap as u64)?;
    let has_checksum = header.descriptor & CHECKSUM_FLAG != 0;
    skip_blocks(&mut cursor)?;
    if has_checksum {
        // Not compared: the signature is the check.
        cursor.take(CHECKSUM_BYTES)?;
    }
    if !cursor.0.is_empty() {
        return refuse(Code::ZstdTrailing, "expected nothing after the zstd frame");
    }
    let checked_bytes = frame.len() - if has_checksum { CHECKSUM_BYTES } else { 0 };
    decompress_blocks(&header, frame.get(..checked_bytes).unwrap_or_default(), cap)
}

/// Magic number present, header complete, reserved bit clear.
fn read_header(cursor: &mut Cursor<'_>) -> Result<Header> {
    let whole = cursor.0.len();
    if cursor.take(MAGIC.len())? != MAGIC {
        return refuse(Code::ZstdFrame, "expected a zstd frame");
    }
    let descriptor = cursor.byte()?;
    let is_single_segment = descriptor & (1 << 5) != 0;
    let window = if is_single_segment { None } else { Some(window_bytes(cursor.byte()?)) };
    let dictionary_flag = descriptor & 3;
    cursor.take(match dictionary_flag {
        3 => 4,
        bytes => usize::from(bytes),
    })?;
    let content_size = match descriptor >> 6 {
        0 if !is_single_segment => None,
        0 => Some(cursor.number(1)?),
        // RFC 8878 §3.1.1.1.4: two bytes count from 256.
        1 => Some(cursor.number(2)? + 256),
        2 => Some(cursor.number(4)?),
        _ => Some(cursor.number(8)?),
    };
    if descriptor & (1 << 3) != 0 {
        return refuse(Code::ZstdFrame, "expected the reserved bit of a zstd frame to be clear");
    }
    Ok(Header { descriptor, dictionary_flag, window, content_size, bytes: whole - cursor.0.len() })
}

/// RFC 8878 §3.1.1.1.2.
fn window_bytes(descriptor: u8) -> u64 {
    let base = 1u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

fn check_header(header: &Header, cap: u64) -> Result<()> {
    if header.dictionary_flag != 0 {
        return refuse(Code::ZstdDictionary, "expected a zstd frame without a dictionary");
    }
    let is_above_cap = header.content_size.is_some_and(|size| size > cap);
    let too_long = || refuse(Code::LimitDecompressed, format!("expected a content of at most {cap} bytes"));
    if header.window.is_none() && is_above_cap {
        return too_long();
    }
    if header.window.or(header.content_size).is_some_and(|window| window > MAX_ZSTD_WINDOW_BYTES) {
        return refuse(Code::LimitWindow, "expected a zstd window of at most 1 MiB");
    }
    if is_above_cap { too_long() } else { Ok(()) }
}

/// Walks the block headers to the last block. RFC 8878 §3.1.1.2.
fn skip_blocks(cursor: &mut Cursor<'_>) -> Result<()> {
    loop {
        let block = cursor.number(3)?;
        let size = (block >> 3) as usize;
        let block_type = (block >> 1) & 3;
        if block_type == 3 || size > MAX_ZSTD_BLOCK_BYTES {
            return refuse(Code::ZstdFrame, "expected blocks of a known type and at most 131072 bytes");
        }
        // A block of type 1 is one byte, repeated.
        cursor.take(if block_type == 1 { 1 } else { size })?;
        if block & 1 == 1 {
            return Ok(());
        }
    }
}

/// ZSTD-2. The frame is handed on with the window taken as 1 MiB, and without its checksum.
fn decompress_blocks(header: &Header, frame: &[u8], cap: usize) -> Result<Vec<u8>> {
    let mut rewritten = MAGIC.to_vec();
    rewritten.push(header.descriptor & !CHECKSUM_FLAG);
    let kept_from = if header.window.is_some() {
        rewritten.push(WINDOW_OF_1_MIB);
        MAGIC.len() + 2
    } else {
        MAGIC.len() + 1
    };
    debug_assert!(kept_from <= header.bytes);
    rewritten.extend_from_slice(frame.get(kept_from..).unwrap_or_default());
    let expected = header.content_size.and_then(|size| usize::try_from(size).ok());
    let mut content = vec![0; expected.unwrap_or(cap)];
    let written = Decompressor::new().and_then(|mut it| it.decompress_to_buffer(&rewritten, content.as_mut_slice()));
    match (written, expected) {
        (Ok(length @ 1..), Some(size)) if length == size => Ok(content),
        (Ok(length @ 1..), None) => {
            content.truncate(length);
            Ok(content)
        }
        (_, Some(_)) => refuse(Code::ZstdFrame, "expected zstd content of the length that its header says"),
        (_, None) => refuse(Code::LimitDecompressed, format!("expected zstd content of 1 to {cap} bytes")),
    }
}

/// One frame with its content size, without dictionary and checksum, window at most 1 MiB. ENC-3.
pub fn compress(content: &[u8]) -> Result<Vec<u8>> {
    let compress = || {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
        compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
        compressor.set_parameter(CParameter::ChecksumFlag(false))?;
        compressor.compress(content)
    };
    compress().map_err(|error: std::io::Error| KezError::new(Code::Internal, format!("zstd did not compress: {error}")))
}
