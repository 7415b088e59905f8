//! Which relative paths may be written: the engine chose them, but a fault of its must not write outside the folder.

use crate::limits::{MAX_DEPTH, MAX_NAME, MAX_PATH};
use crate::refusal::Refusal;
use std::path::{Path, PathBuf};

/// Names that Windows gives to devices, with or without an extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The path of `relative` (components divided by `/`) under `folder`. `name.unsafe` if any system could read it in another way.
pub fn join_safe(folder: &Path, relative: &str) -> Result<PathBuf, Refusal> {
    if relative.len() > MAX_PATH {
        return Err(unsafe_name(relative, "it is too long"));
    }
    let mut path = folder.to_path_buf();
    let mut depth = 0;
    for name in relative.split('/') {
        depth += 1;
        if let Some(why) = fault(name) {
            return Err(unsafe_name(relative, why));
        }
        path.push(name);
    }
    if depth > MAX_DEPTH {
        return Err(unsafe_name(relative, "it is too deep"));
    }
    Ok(path)
}

/// How names are compared where case does not count: twins in one fetch would be one file there.
pub fn folded(relative: &str) -> String {
    relative.to_lowercase()
}

/// Why one component is not written as it is.
fn fault(name: &str) -> Option<&'static str> {
    match name {
        "" => return Some("a component is empty"),
        "." | ".." => return Some("it leaves its folder"),
        _ => {}
    }
    if name.len() > MAX_NAME {
        return Some("a component is longer than 255 bytes");
    }
    if name.starts_with('-') {
        return Some("a component looks like an option");
    }
    if name.ends_with('.') || name.ends_with(' ') || name.starts_with(' ') {
        return Some("a component has a dot or space at its edge");
    }
    if name.chars().any(is_forbidden) {
        return Some("it holds a character that is no part of a name everywhere");
    }
    is_device(name).then_some("Windows has a device of that name")
}

/// Separators and marks of any system, control characters, and those that turn the direction of text around.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_lowercase();
    if DEVICES.contains(&stem.as_str()) {
        return true;
    }
    let Some(number) = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")) else { return false };
    matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "0" | "\u{b9}" | "\u{b2}" | "\u{b3}")
}

fn unsafe_name(relative: &str, why: &str) -> Refusal {
    let shown: String = relative.chars().take(80).flat_map(char::escape_default).collect();
    Refusal::new("name.unsafe", format!("Cannot write {shown}: {why}")).hint("Ask for it under another name")
}

#[cfg(test)]
mod tests {
    use super::join_safe;
    use std::path::Path;

    #[test]
    fn join_safe_refuses_paths_that_some_system_reads_in_another_way() {
        let long = "x".repeat(300);
        for relative in [
            "",
            "../x",
            "a/../x",
            "/etc/x",
            "a//b",
            ".",
            "a/.",
            "C:\\x",
            "C:x",
            "a\\b",
            "a\0b",
            "CON",
            "con.txt",
            "a/NUL",
            "COM1",
            "lpt\u{b9}.x",
            "x.",
            "x ",
            " x",
            "-rf",
            "a\nb",
            "photo\u{202e}gpj.exe",
            "x:stream",
            "a*",
            &long,
            &"a/".repeat(70),
        ] {
            let refused = join_safe(Path::new("/in"), relative);
            assert_eq!(refused.map_err(|r| r.code), Err("name.unsafe"), "{relative:?}");
        }
    }

    #[test]
    fn join_safe_keeps_ordinary_names_of_any_language() {
        for relative in [
            "a",
            "a/b/c.txt",
            ".hidden",
            "ünïcode/日本語.pdf",
            "console.log",
            "common/communication.md",
            "a b.c d",
            "x..y",
        ] {
            assert!(join_safe(Path::new("/in"), relative).is_ok(), "{relative}");
        }
    }
}
