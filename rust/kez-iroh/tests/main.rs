//! Real processes with real endpoints on loopback; a relay where one is needed. No bytes of files cross the pipes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod suite {
    mod access;
    mod contract;
    mod disk;
    mod hostile;
    mod process;
    mod relay;
    mod resume;
    mod stranger;
    mod transfer;
}
