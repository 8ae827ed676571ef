//! The real server on a port of its own, seen from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod clients;
mod documents;
mod faults;
mod hostile;
mod lifecycle;
mod metrics;
mod pages;
mod process;
mod program;
mod prometheus;
mod proxies;
mod snapshot;
mod stream;
mod support;
