//! Sigchains: append-only signed events by which an identity adds and revokes claims and devices and replaces its primary
//! key. SPEC §5.
//!
//! Events of any order and origin go into a [`Graph`]; [`Chain::of`] says what one chain in it comes to.

mod append;
mod apply;
mod chain;
mod commitment;
mod document;
mod event;
mod fork;
mod graph;
mod head;
mod index;
mod lineage;
mod link;
pub mod pop;
mod replay;
mod state;
mod sticky;
mod tree;
mod walk;

pub use append::{Signing, append, append_all, append_to, create_chain};
pub use apply::{check_event, check_follower, check_op};
pub use chain::{Chain, Lift, SubjectStatus};
pub use commitment::commitment;
pub use document::{Document, read_document, read_jsonl, read_line, write_jsonl};
pub use event::ChainEvent;
pub use fork::{Rank, Split};
pub use graph::Graph;
pub use head::{HeadMeaning, check_head, read_head, sign_head};
pub use lineage::Lineage;
pub use link::{Place, check_link};
pub use replay::replay;
pub use state::{Listing, SharedFiles, State, SubjectEntry};
pub use tree::{Refusal, Tree};
