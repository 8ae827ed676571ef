//! Tests of the real server over its sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod access;
mod accounts;
mod acme;
mod annotations;
mod arrange;
mod base_path;
mod cli;
mod clients;
#[cfg(target_os = "linux")]
mod confinement;
mod disconnects;
mod documents;
mod history;
mod hostile;
mod http2;
mod lifecycle;
#[cfg(unix)]
mod listening;
mod metrics;
#[cfg(target_os = "linux")]
mod node_exporter_full;
mod oidc;
mod pages;
mod prometheus;
mod proxied_users;
mod proxies;
mod publishing;
#[cfg(target_os = "linux")]
mod push;
mod recordings;
mod schema;
mod server_process;
#[cfg(target_os = "linux")]
mod service_manager;
mod sign_in;
#[cfg(target_os = "linux")]
mod slow_reader;
mod snapshot;
mod stream;
mod support;
mod tls;
mod tls_client;
