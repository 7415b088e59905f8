//! What a job has so far, as lines that are only ever added: `p FILE START END` for bytes that were verified, written and made to
//! last, `d FILE` for a file that is at its place. A line that a crash cut is not counted.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a journal says of one file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Ranges that are there, sorted and apart from each other.
    pub ranges: Vec<(u64, u64)>,
    /// The file is at its place.
    pub delivered: bool,
}

/// The open journal.
pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Opens or makes the journal of a job whose list of files has the digest `list`; an error of kind `InvalidData` if it is
    /// another job's.
    pub fn open(path: &PathBuf, list: &str) -> std::io::Result<(Self, HashMap<usize, Kept>)> {
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => read(&text, list).ok_or_else(|| std::io::Error::from(ErrorKind::InvalidData))?,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                write_new(path, list)?;
                HashMap::new()
            }
            Err(cause) => return Err(cause),
        };
        let mut file = OpenOptions::new().append(true).open(path)?;
        // After a line that was cut the next one must not be its end.
        file.write_all(b"\n")?;
        Ok((Self { file: Mutex::new(file) }, kept))
    }

    /// Notes ranges, so that they outlast a power cut.
    pub fn note_parts(&self, parts: &[(usize, u64, u64)]) -> std::io::Result<()> {
        let lines: String = parts.iter().map(|(file, start, end)| format!("p {file} {start} {end}\n")).collect();
        self.append(&lines)?.sync_data()
    }

    /// Notes a file that is about to be placed. After a power cut that takes the note the file at its place is hashed instead.
    pub fn note_complete(&self, file: usize, size: u64) -> std::io::Result<()> {
        self.append(&format!("p {file} 0 {size}\n")).map(drop)
    }

    /// Notes a file that is at its place.
    pub fn note_delivered(&self, file: usize) -> std::io::Result<()> {
        self.append(&format!("d {file}\n")).map(drop)
    }

    fn append(&self, lines: &str) -> std::io::Result<MutexGuard<'_, File>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines.as_bytes())?;
        Ok(file)
    }
}

fn write_new(path: &Path, list: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(format!("kez-incoming 1 {list}\n").as_bytes())?;
    file.sync_all()
}

/// None if the journal is another list's.
fn read(text: &str, list: &str) -> Option<HashMap<usize, Kept>> {
    let mut kept: HashMap<usize, Kept> = HashMap::new();
    let (first, rest) = text.split_once('\n')?;
    if first != format!("kez-incoming 1 {list}") {
        return None;
    }
    for line in rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["p", file, start, end] => {
                let (Ok(file), Ok(start), Ok(end)) = (file.parse::<usize>(), start.parse(), end.parse()) else {
                    continue;
                };
                kept.entry(file).or_default().ranges.push((start, end));
            }
            ["d", file] => {
                if let Ok(file) = file.parse::<usize>() {
                    kept.entry(file).or_default().delivered = true;
                }
            }
            _ => {}
        }
    }
    for file in kept.values_mut() {
        file.ranges = joined(std::mem::take(&mut file.ranges));
    }
    Some(kept)
}

fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.retain(|(start, end)| start < end);
    ranges.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => out.push((start, end)),
        }
    }
    out
}

/// What of `size` bytes is missing.
pub fn missing(kept: &[(u64, u64)], size: u64) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    let mut at = 0;
    for &(start, end) in kept {
        if start > at {
            out.push((at, start.min(size)));
        }
        at = at.max(end);
    }
    if at < size {
        out.push((at, size));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Kept, missing, read};

    #[test]
    fn read_joins_ranges_and_leaves_out_a_line_that_was_cut() {
        let kept = read("kez-incoming 1 x\n\np 0 0 10\np 0 20 30\np 0 8 20\nd 1\np 0 40 5", "x");
        let kept = kept.map(|mut kept| (kept.remove(&0), kept.remove(&1)));
        let first = Kept { ranges: vec![(0, 30)], delivered: false };
        assert_eq!(kept, Some((Some(first), Some(Kept { ranges: vec![], delivered: true }))));
    }

    #[test]
    fn read_refuses_the_journal_of_another_list() {
        assert!(read("kez-incoming 1 y\n", "x").is_none());
        assert!(read("", "x").is_none());
    }

    #[test]
    fn missing_is_what_no_range_holds() {
        assert_eq!(missing(&[], 5), [(0, 5)]);
        assert_eq!(missing(&[(2, 3)], 5), [(0, 2), (3, 5)]);
        assert_eq!(missing(&[(0, 5)], 5), []);
        assert_eq!(missing(&[], 0), []);
    }
}
