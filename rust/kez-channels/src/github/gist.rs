//! Gists as the list shows them, and which of their files are looked at. SPEC GH-3, GH-4.

use std::cmp::Reverse;

use kez_core::Time;
use url::Url;

use super::api::{Owner, raw_url};
use crate::json::Value;
use crate::limits::{MAX_FILE_BYTES, MAX_FILES_PER_GIST, MAX_LOOK_BYTES};

/// A gist of the list.
#[derive(Clone, Debug)]
pub struct Gist {
    /// Letters and digits.
    pub id: String,
    /// Whose.
    pub owner: Owner,
    /// Not a secret one.
    pub is_public: bool,
    /// Says kez in its description, or in the name of a file.
    pub is_named: bool,
    /// Seconds since 1970, 0 where it does not tell.
    updated_at: u64,
    files: Vec<File>,
}

/// A file of the list.
#[derive(Clone, Debug)]
pub struct File {
    /// Unique in its gist.
    pub name: String,
    /// Where its content lies, if that is a place of this gist.
    pub raw_url: Option<Url>,
    size: usize,
}

impl Gist {
    /// What is read as a gist: one with an id and an owner.
    pub fn read(value: &Value) -> Option<Gist> {
        let id = value.text("id")?;
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_alphanumeric());
        let owner = Owner::read(value.get("owner")?).filter(|_| is_id)?;
        let files = match value.get("files") {
            Some(Value::Object(files)) => files.iter().map(|(name, file)| File::read(name, file, &owner, id)).collect(),
            _ => Vec::new(),
        };
        let says_so = value.text("description").is_some_and(says_kez);
        Some(Gist {
            id: id.to_owned(),
            is_public: value.is_true("public"),
            is_named: says_so || files.iter().any(File::says_kez),
            updated_at: value
                .text("updated_at")
                .and_then(|at| Time::parse_in_claim(at).ok())
                .map_or(0, Time::unix_seconds),
            owner,
            files,
        })
    }

    /// Where people see it.
    pub fn page(&self) -> String {
        format!("https://gist.github.com/{}/{}", self.owner.login, self.id)
    }

    /// Those with kez in the name of a file first, then the newest first.
    pub fn order_of_named(&self) -> impl Ord + use<> {
        (!self.files.iter().any(File::says_kez), Reverse(self.updated_at))
    }
}

impl File {
    fn read(name: &str, file: &Value, owner: &Owner, gist: &str) -> File {
        let size = file.integer("size").and_then(|size| usize::try_from(size).ok());
        File {
            name: name.to_owned(),
            raw_url: file.text("raw_url").and_then(|url| raw_url(url, &owner.login, gist)),
            size: size.unwrap_or_default(),
        }
    }

    fn says_kez(&self) -> bool {
        says_kez(&self.name)
    }
}

/// Bytes that are left of a look.
pub struct Budget(usize);

impl Budget {
    /// 1 MiB.
    pub const fn new() -> Budget {
        Budget(MAX_LOOK_BYTES)
    }

    /// Whether the file is looked at: not an empty one, one that is too long, or one beyond the whole.
    fn takes(&mut self, file: &File) -> bool {
        let left = self.0.checked_sub(file.size).filter(|_| (1..=MAX_FILE_BYTES).contains(&file.size));
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Files of a gist that says kez: those with kez in their own name first, at most 8.
pub fn files_of_named(gist: &Gist, budget: &mut Budget) -> Vec<File> {
    let mut files: Vec<_> = gist.files.iter().collect();
    files.sort_by_key(|file| !file.says_kez());
    files.into_iter().filter(|file| budget.takes(file)).take(MAX_FILES_PER_GIST).cloned().collect()
}

/// Files of all other gists, gists newest first: those with kez in their own name, then those of gists that say kez, then
/// the rest; at most so many.
pub fn files_of_rest<'a>(gists: &[&'a Gist], max_files: usize, budget: &mut Budget) -> Vec<(&'a Gist, File)> {
    let mut gists = gists.to_vec();
    gists.sort_by_key(|gist| Reverse(gist.updated_at));
    let mut files: Vec<_> = gists.iter().flat_map(|gist| gist.files.iter().map(move |file| (*gist, file))).collect();
    files.sort_by_key(|(gist, file)| (!file.says_kez(), !gist.is_named));
    let taken = files.into_iter().filter(|(_, file)| budget.takes(file)).take(max_files);
    taken.map(|(gist, file)| (gist, file.clone())).collect()
}

/// `kez` in any case.
fn says_kez(text: &str) -> bool {
    text.to_ascii_lowercase().contains("kez")
}
