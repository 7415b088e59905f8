//! Free space of a file system.

use std::path::Path;

/// Bytes that may be written under `folder`, or none where the system does not say.
#[cfg(unix)]
pub fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Windows says when it is full.
#[cfg(not(unix))]
pub fn free(_folder: &Path) -> Option<u64> {
    None
}
