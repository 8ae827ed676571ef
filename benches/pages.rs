//! Pages under load: 5,000 `GET /` a second, compressed, over connections that stay open, while ticks reach a viewer on time.
//!
//! `cargo bench --features ssr --bench pages`, after `make build`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use server::{Server, hostbeat};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

const CONNECTIONS: u32 = 16;
const DURATION: Duration = Duration::from_secs(30);
/// Limits: pages a second, and the 99th percentile of the delays of ticks in milliseconds.
const PAGES_PER_SECOND: f64 = 5_000.0;
const MAX_DELAY_MS: f64 = 50.0;

/// Requests pages at a steady rate over one connection; returns how many arrived.
fn load_pages(address: SocketAddr) -> u64 {
    let period = Duration::from_secs(1).mul_f64(f64::from(CONNECTIONS) / PAGES_PER_SECOND);
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: br, gzip\r\n\r\n");
    let (start, mut pages, mut due, mut body) = (Instant::now(), 0, Instant::now(), Vec::new());
    while start.elapsed() < DURATION {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += period;
        socket.write_all(request.as_bytes()).unwrap();
        let length = content_length(&mut reader);
        body.resize(length, 0);
        reader.read_exact(&mut body).unwrap();
        pages += 1;
    }
    pages
}

/// Reads a response's head.
fn content_length(reader: &mut impl BufRead) -> usize {
    let (mut line, mut length) = (String::new(), None);
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    length.expect("a page has a length")
}

/// Milliseconds from the whole second of each tick to its arrival at a viewer, until `ended`.
fn watch_ticks(address: SocketAddr, ended: &AtomicBool) -> Vec<f64> {
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("GET /api/stream?window=0&events=cpu HTTP/1.1\r\nHost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut delays = Vec::new();
    for line in BufReader::new(socket).lines().map(Result::unwrap) {
        if let Some(tick) = line.strip_prefix("id: ").and_then(|id| id.split('-').next()?.parse::<f64>().ok()) {
            delays.push(UNIX_EPOCH.elapsed().unwrap().as_secs_f64() * 1000.0 - tick);
        }
        if ended.load(Ordering::Relaxed) {
            break;
        }
    }
    delays
}

fn percentile_99(mut delays: Vec<f64>) -> f64 {
    delays.sort_by(f64::total_cmp);
    delays[(delays.len() - 1) * 99 / 100]
}

fn watch_for(address: SocketAddr, work: impl FnOnce()) -> f64 {
    let ended = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&ended);
    let viewer = thread::spawn(move || watch_ticks(address, &watched));
    work();
    ended.store(true, Ordering::Relaxed);
    percentile_99(viewer.join().unwrap())
}

fn main() {
    let server = Server::start(hostbeat());
    let address = server.address;
    let calm = watch_for(address, || thread::sleep(Duration::from_secs(10)));
    let mut pages = 0;
    let cpu_before = server.cpu_time();
    let start = Instant::now();
    let loaded = watch_for(address, || {
        let loads: Vec<_> = (0..CONNECTIONS).map(|_| thread::spawn(move || load_pages(address))).collect();
        pages = loads.into_iter().map(|load| load.join().unwrap()).sum();
    });
    let seconds = DURATION.as_secs_f64();
    let cpu = (server.cpu_time() - cpu_before) / 1e9 / start.elapsed().as_secs_f64() * 100.0;
    let rate = pages as f64 / seconds;
    println!("{CONNECTIONS} connections request pages for {seconds} s");
    println!("{:34} {:>10} {:>10}", "", "measured", "limit");
    println!("{:34} {rate:>10.0} {:>10.0}", "pages a second", PAGES_PER_SECOND * 0.98);
    println!("{:34} {loaded:>10.1} {:>10.1}", "delay of ticks, p99, ms", MAX_DELAY_MS);
    println!("{:34} {calm:>10.1}", "  without the load");
    println!("{:34} {cpu:>10.0}", "CPU of the server, %");
    assert!(rate >= PAGES_PER_SECOND * 0.98 && loaded <= MAX_DELAY_MS, "over the limits");
}
