//! The documents that a manifest of shared files stands for: a root that names pages, and pages that list files. SPEC §2.4.

use std::collections::BTreeSet;

use crate::Digest;
use crate::envelope::schema::{self, Fields, Member, required};
use crate::error::{Code, Result, refuse};
use crate::json::{self, Json};
use crate::limits::{
    MAX_FILE_PAGE_BYTES, MAX_FILE_PAGE_ENTRIES, MAX_FILE_PAGES, MAX_FILE_PATH_BYTES, MAX_FILE_PATH_DEPTH,
    MAX_FILE_ROOT_BYTES, MAX_FILE_SECTIONS, MAX_SHORT_TEXT_CHARS,
};

const ROOT_TYPE: &str = "kez.files.root";
const PAGE_TYPE: &str = "kez.files.page";
const ROOT_TABLE: &[Member] = &[required("type"), required("version"), required("sections")];
const SECTION_TABLE: &[Member] = &[required("pages")];
const PLACE_TABLE: &[Member] = &[required("hash"), required("size")];
const PAGE_TABLE: &[Member] = &[required("type"), required("version"), required("entries")];
const ENTRY_TABLE: &[Member] = &[required("path"), required("size"), required("hash"), required("media_type")];

/// A page as it is given away: encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PagePlace {
    /// BLAKE3.
    pub hash: [u8; 32],
    /// Bytes.
    pub size: u64,
}

/// The root document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRoot {
    /// The pages of each audience.
    pub sections: Vec<Vec<PagePlace>>,
}

/// A file of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFile {
    /// Relative, components divided by `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// BLAKE3.
    pub hash: [u8; 32],
    /// A hint for the eyes.
    pub media_type: String,
}

/// A page after it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePage {
    /// The files, in the order of the page.
    pub entries: Vec<SharedFile>,
}

/// FILES-2: size, what the manifest says, structure.
pub fn read_root(bytes: &[u8], root: &Digest, size: u64) -> Result<FileRoot> {
    if bytes.len() > MAX_FILE_ROOT_BYTES {
        return refuse(Code::LimitSize, "expected a root document of at most 65536 bytes");
    }
    if bytes.len() as u64 != size || Digest::of(bytes) != *root {
        return refuse(Code::FileManifest, "expected the root document that the manifest names");
    }
    let value = json::parse(bytes)?;
    let fields = Fields::open(&value, ROOT_TABLE)?;
    check_header(&fields, ROOT_TYPE)?;
    let sections = fields.required("sections", |value| many(value, 0..=MAX_FILE_SECTIONS, section))?;
    let pages: Vec<&PagePlace> = sections.iter().flatten().collect();
    if pages.len() > MAX_FILE_PAGES {
        return refuse(Code::LimitEntries, "expected at most 64 pages");
    }
    check_different(pages.iter().map(|page| page.hash))?;
    Ok(FileRoot { sections })
}

/// FILES-3: a page after it was opened.
pub fn read_page(bytes: &[u8]) -> Result<FilePage> {
    if bytes.len() > MAX_FILE_PAGE_BYTES {
        return refuse(Code::LimitSize, "expected a page of at most 2097152 bytes");
    }
    let value = json::parse(bytes)?;
    // Lists that name lists would never end.
    if schema::object(&value)?.get("type").and_then(Json::as_str) == Some(ROOT_TYPE) {
        return refuse(Code::LimitDepth, "expected a list of files, not another root");
    }
    let fields = Fields::open(&value, PAGE_TABLE)?;
    check_header(&fields, PAGE_TYPE)?;
    let entries = fields.required("entries", |value| many(value, 1..=MAX_FILE_PAGE_ENTRIES, entry))?;
    check_different(entries.iter().map(|entry| &entry.path))?;
    Ok(FilePage { entries })
}

/// `type` and `version` as they have to be, else `schema.value`.
fn check_header(fields: &Fields<'_>, name: &str) -> Result<()> {
    let is_type = fields.value("type")?.as_str() == Some(name);
    match is_type && *fields.value("version")? == Json::Number(1.0) {
        true => Ok(()),
        false => refuse(Code::SchemaValue, format!("expected a document of type {name}, version 1")),
    }
}

fn section(value: &Json) -> Result<Vec<PagePlace>> {
    Fields::open(value, SECTION_TABLE)?.required("pages", |value| many(value, 0..=MAX_FILE_PAGES, place))
}

fn place(value: &Json) -> Result<PagePlace> {
    let fields = Fields::open(value, PLACE_TABLE)?;
    Ok(PagePlace { hash: fields.required("hash", schema::hex32)?, size: fields.required("size", schema::count)? })
}

fn entry(value: &Json) -> Result<SharedFile> {
    let fields = Fields::open(value, ENTRY_TABLE)?;
    Ok(SharedFile {
        path: fields.required("path", path)?.to_owned(),
        size: fields.required("size", schema::count)?,
        hash: fields.required("hash", schema::hex32)?,
        media_type: fields.required("media_type", text)?.to_owned(),
    })
}

/// A path that leads down, else `file.name`.
fn path(value: &Json) -> Result<&str> {
    let text = schema::string(value)?;
    let is_down = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_down && text.len() <= MAX_FILE_PATH_BYTES && text.split('/').count() <= MAX_FILE_PATH_DEPTH {
        true => Ok(text),
        false => refuse(Code::FileName, "expected a path that leads down, not too long"),
    }
}

/// *text* of §2.3.
fn text(value: &Json) -> Result<&str> {
    let is_printable = |byte: u8| matches!(byte, b' '..=b'~');
    let fits = |text: &str| (1..=MAX_SHORT_TEXT_CHARS).contains(&text.len()) && text.bytes().all(is_printable);
    schema::string_where(value, "1 to 512 printable characters", fits)
}

/// An array (`schema.type`), not too long (`limit.entries`), not too short (`schema.value`), then each element.
fn many<T>(
    value: &Json,
    lengths: std::ops::RangeInclusive<usize>,
    read: impl Fn(&Json) -> Result<T>,
) -> Result<Vec<T>> {
    let Json::Array(elements) = value else {
        return refuse(Code::SchemaType, "expected an array");
    };
    if elements.len() > *lengths.end() {
        return refuse(Code::LimitEntries, format!("expected at most {} entries", lengths.end()));
    }
    if elements.len() < *lengths.start() {
        return refuse(Code::SchemaValue, format!("expected at least {} entries", lengths.start()));
    }
    elements.iter().map(read).collect()
}

fn check_different<T: Ord>(values: impl Iterator<Item = T>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        if !seen.insert(value) {
            return refuse(Code::SchemaValue, "expected nothing twice");
        }
    }
    Ok(())
}
