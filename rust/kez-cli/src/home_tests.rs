//! Files that are written whole, secrets that are read from private files, locks that end.
#![allow(clippy::unwrap_used)]

use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("kez-rs-home-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&path));
    fs::create_dir_all(&path).unwrap();
    path
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_new_file_takes_the_place_of_nothing_whoever_is_first() {
    let folder = folder("new");
    let path = folder.join("a");
    let wrote: Vec<bool> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| write(&path, b"mine", true).is_ok())).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(wrote.into_iter().filter(|it| *it).count(), 1);
    assert_eq!(write(&path, b"other", true).unwrap_err().code(), Code::StoreExists);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    symlink(folder.join("nowhere"), folder.join("link")).unwrap();
    assert_eq!(write(&folder.join("link"), b"x", true).unwrap_err().code(), Code::StoreExists);
    write(&path, b"other", false).unwrap();
    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().mode() & 0o777), (b"other".to_vec(), 0o600));
    assert_eq!(names(&folder), ["a", "link"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_was_laid_beside_is_not_written_through() {
    let folder = folder("beside");
    let victim = folder.join("victim");
    fs::write(&victim, "whole").unwrap();
    symlink(&victim, folder.join(format!(".a.{}.new", std::process::id()))).unwrap();
    write(&folder.join("a"), b"secret", false).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"whole");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_secret_is_read_from_a_private_file_alone() {
    let folder = folder("private");
    let path = folder.join("key");
    write(&path, b"12345678", false).unwrap();
    assert_eq!(read_private(&path, 8).unwrap().unwrap().as_slice(), b"12345678");
    assert_eq!(read_private(&path, 7).unwrap_err().code(), Code::LimitSize);
    assert!(read_private(&folder.join("none"), 7).unwrap().is_none());
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read_private(&path, 8).unwrap_err().code(), Code::StorePermissions, "{mode:o}");
    }
    assert_eq!(read_private(&folder, 8).unwrap_err().code(), Code::StorePermissions);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_lock_is_waited_for_and_not_for_ever() {
    let folder = folder("lock");
    let path = folder.join("lock");
    let held = lock_within(&path, Duration::ZERO).unwrap();
    let failure = lock_within(&path, Duration::from_millis(60)).unwrap_err();
    assert_eq!((failure.code(), failure.exit()), (Code::StoreBusy, 1));
    assert!(failure.message().contains(&format!("process {}", std::process::id())), "{}", failure.message());
    drop(held);
    drop(lock_within(&path, Duration::ZERO).unwrap());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn names_are_too_short_for_secrets() {
    for name in ["alice", "a-1_b", "4", "cons", "com10", "com", "lptx", &"a".repeat(32)] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", "-a", "Alice", "a b", "a/b", "..", &"a".repeat(33), &"4".repeat(64)] {
        assert!(!is_name(name) && !was_name(name), "{name}");
    }
}

/// Both tools see the same identities in one home.
#[test]
fn names_that_kez_does_not_take_are_no_new_ones_here() {
    for name in ["_a", "a_", "a-", "_", "-", "con", "prn", "aux", "nul", "com0", "com1", "lpt9"] {
        assert!(!is_name(name), "{name}");
    }
}
