//! Shared files: the documents that a manifest stands for, and whether a manifest counts. SPEC §2.4.

mod documents;
mod manifest;

pub use documents::{FilePage, FileRoot, PagePlace, SharedFile, read_page, read_root};
pub use manifest::{FileManifest, Mark, anchor_of, check_manifest};
