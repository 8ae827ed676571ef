//! Compares the streamed number of listening sockets with `/proc/net/tcp`.

use crate::{
    lock, number,
    observer::Observer,
    support::{TestServer, json},
};
use std::{fs, net::TcpListener};

const LISTENERS: usize = 100;
/// Listeners of other processes that may come and go between two observations.
const TOLERANCE: f64 = 2.0;

/// Sockets in the state 0A, `TCP_LISTEN`.
fn listening_sockets() -> f64 {
    let count = |path| {
        let table = fs::read_to_string(path).unwrap_or_default();
        table.lines().filter(|line| line.split_whitespace().nth(3) == Some("0A")).count() as f64
    };
    count("/proc/net/tcp") + count("/proc/net/tcp6")
}

#[test]
fn listening_sockets_match_kernel_table() {
    let _lock = lock();
    let server = TestServer::sample_host();
    let observer = Observer::start(listening_sockets);
    let mut stream = server.open_stream("?events=connections&window=0", &[]);
    let mut next = || json(&stream.next_with_id());
    let before = next();
    let listeners: Vec<_> = (0..LISTENERS).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    // The first sample may be older than the listeners.
    next();
    let open = next();
    drop(listeners);
    next();
    let closed = next();

    let observations = observer.stop();
    let [before, open, closed] = [before, open, closed].map(|sample| {
        let (low, high) = observations.around(number(&sample["at"]));
        let streamed = number(&sample["tcp"]["listen"]);
        assert!((low - TOLERANCE..=high + TOLERANCE).contains(&streamed), "{streamed}, and {low} to {high} in /proc");
        streamed
    });
    let half = LISTENERS as f64 / 2.0;
    assert!(open > before + half && open > closed + half, "{before}, {open} and {closed} of {LISTENERS} listeners");
}
