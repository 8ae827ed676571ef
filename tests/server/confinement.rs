//! Tests of the confinement of the real server; `tests/confinement.rs` tests what it prevents.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::open_stream,
};
use std::{collections::BTreeSet, fs};

/// Distinct values of a field of `/proc/PID/task/TID/status`, over all threads.
fn of_threads(id: u32, field: &str) -> BTreeSet<String> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let value = |thread: fs::DirEntry| {
        // A thread may have ended.
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        Some(status.lines().find_map(|line| line.strip_prefix(field)).unwrap().trim().to_owned())
    };
    threads.map(Result::unwrap).filter_map(value).collect()
}

#[test]
fn every_thread_is_confined_and_every_group_is_sampled() {
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0"]));
    let mut missing =
        BTreeSet::from(["cpu", "memory", "load", "connections", "network", "disk", "processes"].map(str::to_owned));
    let mut stream = open_stream(&server.address, "?window=0", &[]);
    while !missing.is_empty() {
        missing.remove(&stream.next().unwrap().event);
    }
    assert_eq!(of_threads(server.id(), "Seccomp:"), ["2".to_owned()].into());
    assert_eq!(of_threads(server.id(), "NoNewPrivs:"), ["1".to_owned()].into());
}

#[test]
fn no_sandbox_flag_leaves_the_process_as_it_was_started() {
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0", "--no-sandbox"]));
    for field in ["Seccomp:", "NoNewPrivs:"] {
        assert_eq!(of_threads(server.id(), field), of_threads(std::process::id(), field), "{field}");
    }
}
