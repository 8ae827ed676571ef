//! Compares streamed values with the kernel's own counters, which the tests read independently.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod cpu_memory;
mod observer;
mod processes;
mod sockets;
#[allow(dead_code, reason = "these tests need only a part of what the server's tests share")]
#[path = "../server/support.rs"]
mod support;
mod transfers;

use serde_json::Value;
use std::{
    fs,
    process::{Child, Command},
    time::{SystemTime, UNIX_EPOCH},
};

/// Keeps these tests from running at the same time, in this process or another, since each moves counters of the host.
fn lock() -> fs::File {
    let file = fs::File::create(concat!(env!("CARGO_TARGET_TMPDIR"), "/accuracy.lock")).unwrap();
    file.lock().unwrap();
    file
}

/// Unix seconds.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A process that ends on drop.
struct ChildGuard(Child);

impl ChildGuard {
    fn stress(args: &[&str]) -> Self {
        let child = Command::new("stress-ng").args(args).arg("--quiet").spawn();
        Self(child.unwrap_or_else(|error| panic!("stress-ng: {error}; install it with: apt-get install stress-ng")))
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        // SIGTERM, since SIGKILL would leave the workers of stress-ng running.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
