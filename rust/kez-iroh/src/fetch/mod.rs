//! Receiving: a job has files, parts of them on disk, and sources that it asks for what is missing.

mod begin;
mod deliver;
mod job;
pub mod jobs;
mod journal;
mod parts;
mod pull;
mod source;
mod tell;
mod work;
