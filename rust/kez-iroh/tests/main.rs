//! Real processes with real endpoints on loopback; a relay where one is needed. No bytes of files cross the pipes.
//! `f1` to `f14`: the numbered cases of hostile files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod suite {
    mod abrupt;
    mod access;
    mod contract;
    mod disk;
    mod hostile;
    mod process;
    mod relay;
    mod resume;
    mod slow;
    mod stranger;
    mod transfer;
}
