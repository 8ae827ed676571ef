//! Benchmarks the CPU time, memory and latency per viewer against a bare `send()` loop and axum's server-sent events.
//!
//! Each server is a process that sends about the same bytes once a second; this process runs all viewers. Run it with
//! `make bench`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use axum::{
    Router,
    response::sse::{Event, Sse},
    routing::get,
};
use futures::stream;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use server::{Server, hostbeat};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

const VIEWERS: usize = 10_000;
/// Ticks of each measurement, after a warm-up.
const TICKS: usize = 15;
const WARM_UP: Duration = Duration::from_secs(4);
/// The contenders take turns, so that drift of the machine affects all alike.
const ROUNDS: usize = 3;

/// The events of a tick, with about the number of values of each.
const EVENTS: [(&str, usize); 8] = [
    ("cpu", 12),
    ("memory", 20),
    ("load", 4),
    ("pressure", 6),
    ("connections", 17),
    ("network", 33),
    ("disk", 24),
    ("cgroup", 9),
];

fn data(values: usize) -> String {
    let values = ",\"metric\":12.34".repeat(values);
    format!("{{\"t\":1700000000000,\"at\":1700000000.000123,\"dt\":1.000012{values}}}")
}

/// A tick of about the usual size.
fn payload() -> String {
    let event = |(n, (name, values)): (usize, &(&str, usize))| {
        format!("id: 1700000000000-{n}\nevent: {name}\ndata: {}\n\n", data(*values))
    };
    EVENTS.iter().enumerate().map(event).collect()
}

fn main() {
    match env::args().nth(1).as_deref() {
        Some("serve-bare") => serve_bare(),
        Some("serve-axum") => serve_axum(),
        _ => compare(),
    }
}

/// Sends response headers to each connection, then each tick to all sockets in turn: the lower bound of the cost.
fn serve_bare() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    print_address(listener.local_addr().unwrap());
    let sockets = Arc::new(Mutex::new(Vec::new()));
    let accepted = Arc::clone(&sockets);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 1024]).unwrap();
            socket
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                .unwrap();
            socket.set_nonblocking(true).unwrap();
            accepted.lock().unwrap().push(socket);
        }
    });
    let body = payload();
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    loop {
        sleep_until_next_second();
        for socket in sockets.lock().unwrap().iter_mut() {
            let _ = socket.write(chunk.as_bytes());
        }
    }
}

/// A handler as in axum's documentation.
#[tokio::main]
async fn serve_axum() {
    let (ticks, _) = watch::channel(0_u64);
    let source = ticks.clone();
    thread::spawn(move || {
        loop {
            sleep_until_next_second();
            source.send_modify(|tick| *tick += 1);
        }
    });
    let data: [&'static str; EVENTS.len()] = EVENTS.map(|(_, values)| data(values).leak() as &str);
    let handler = move || async move {
        let events = stream::unfold((ticks.subscribe(), 0), move |(mut ticks, n)| async move {
            if n == 0 {
                ticks.changed().await.ok()?;
            }
            let event = Event::default().id(format!("1700000000000-{n}")).event(EVENTS[n].0).data(data[n]);
            Some((Ok::<_, Infallible>(event), (ticks, (n + 1) % EVENTS.len())))
        });
        Sse::new(events)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    print_address(listener.local_addr().unwrap());
    axum::serve(listener, Router::new().route("/api/stream", get(handler))).await.unwrap();
}

fn print_address(address: SocketAddr) {
    println!("listening on http://{address}");
}

fn sleep_until_next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    thread::sleep(Duration::from_secs(1) - Duration::from_nanos(now.subsec_nanos().into()));
}

/// Results of one round of one server.
struct Measurement {
    /// CPU time per tick and viewer, in microseconds.
    cpu: f64,
    /// Resident memory per viewer, in KiB.
    memory: f64,
    /// Milliseconds from the whole second until 99 % of the viewers have the tick, as the mean over the ticks: a
    /// percentile over all ticks together would depend on the worst tick alone.
    p99_latency: f64,
    /// Bytes per viewer and second.
    bytes: f64,
}

impl Measurement {
    /// Limits for an uncompressed stream; CPU time and latency are multiples of the bare loop's.
    const BUDGET: Self = Self { cpu: 1.15, memory: 1.0, p99_latency: 1.1, bytes: f64::INFINITY };

    fn mean(rounds: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| rounds.iter().map(of).sum::<f64>() / rounds.len() as f64;
        Self {
            cpu: mean(|m| m.cpu),
            memory: mean(|m| m.memory),
            p99_latency: mean(|m| m.p99_latency),
            bytes: mean(|m| m.bytes),
        }
    }
}

/// Name of a server, and the command that starts it.
type Contender = (&'static str, fn() -> Command);

fn compare() {
    let all: [Contender; 4] = [
        ("bare", || this_program("serve-bare")),
        ("hostbeat", hostbeat),
        ("hostbeat-gzip", hostbeat),
        ("axum", || this_program("serve-axum")),
    ];
    // The first is the baseline of the ratios. `cargo bench` adds the flag `--bench`.
    let named: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let selected = |name: &str| named.is_empty() || name == "bare" || named.iter().any(|selected| selected == name);
    let contenders: Vec<_> = all.into_iter().filter(|(name, _)| selected(name)).collect();
    let mut results: Vec<Vec<Measurement>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((name, server), results) in contenders.iter().zip(&mut results) {
            results.push(measure(server(), name.ends_with("gzip")));
        }
    }
    println!("{VIEWERS} viewers, {TICKS} ticks, {ROUNDS} rounds; ratios are to the first line");
    println!(
        "{:16} {:>12} {:>7} {:>12} {:>14} {:>7} {:>12}",
        "", "CPU, us", "ratio", "memory, KiB", "p99 delay, ms", "ratio", "bytes/s"
    );
    let mut within_budget = true;
    let means: Vec<_> = results.iter().map(|rounds| Measurement::mean(rounds)).collect();
    for ((name, _), Measurement { cpu, memory, p99_latency: p99, bytes }) in contenders.iter().zip(&means) {
        let (cpu_ratio, latency_ratio) = (cpu / means[0].cpu, p99 / means[0].p99_latency);
        println!(
            "{name:16} {cpu:>12.2} {cpu_ratio:>7.2} {memory:>12.2} {p99:>14.1} {latency_ratio:>7.2} {bytes:>12.0}"
        );
        let budget = Measurement::BUDGET;
        let kept = cpu_ratio <= budget.cpu && *memory <= budget.memory && latency_ratio <= budget.p99_latency;
        if *name == "hostbeat" {
            println!("{:16} {:>20.2} {:>12.2} {:>22.2}", "  budget", budget.cpu, budget.memory, budget.p99_latency);
            within_budget = kept;
        }
    }
    assert!(within_budget, "hostbeat is over its budget");
}

fn this_program(role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg(role);
    command
}

fn measure(command: Command, gzip: bool) -> Measurement {
    let server = Server::start(command);
    let mut viewers = Viewers::new();
    // The first connections pay for the server's one-time allocations.
    viewers.open(server.address, 100, gzip);
    viewers.read_for(Duration::from_secs(2));
    let before = server.resident_memory();
    viewers.open(server.address, VIEWERS - 100, gzip);
    viewers.read_for(WARM_UP);
    let memory = (server.resident_memory() - before) / (VIEWERS - 100) as f64;
    // Measure between the middles of two seconds, when the server is idle.
    sleep_until_next_second();
    viewers.read_for(Duration::from_millis(600));
    let (cpu, bytes) = (server.cpu_time(), viewers.bytes);
    viewers.arrivals.clear();
    viewers.read_for(Duration::from_secs(TICKS as u64));
    let deliveries = (TICKS * VIEWERS) as f64;
    let (cpu, bytes) = ((server.cpu_time() - cpu) / 1000.0 / deliveries, (viewers.bytes - bytes) as f64 / deliveries);
    let latencies = viewers.arrivals.values_mut().map(|arrivals| {
        arrivals.sort_by(f64::total_cmp);
        arrivals[arrivals.len() * 99 / 100]
    });
    let p99_latency = latencies.sum::<f64>() / viewers.arrivals.len() as f64;
    Measurement { cpu, memory, p99_latency, bytes }
}

/// Viewers' sockets, read as soon as data arrives.
struct Viewers {
    poll: Poll,
    sockets: Vec<TcpStream>,
    bytes: usize,
    /// By second: milliseconds from the whole second to each read.
    arrivals: BTreeMap<u64, Vec<f64>>,
}

impl Viewers {
    fn new() -> Self {
        Self { poll: Poll::new().unwrap(), sockets: Vec::new(), bytes: 0, arrivals: BTreeMap::new() }
    }

    fn open(&mut self, address: SocketAddr, count: usize, gzip: bool) {
        let coding = if gzip { "Accept-Encoding: gzip\r\n" } else { "" };
        let names = EVENTS.map(|(name, _)| name).join(",");
        let request = format!("GET /api/stream?window=0&events={names} HTTP/1.1\r\nHost: {address}\r\n{coding}\r\n");
        for _ in 0..count {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket.set_nonblocking(true).unwrap();
            let mut socket = TcpStream::from_std(socket);
            self.poll.registry().register(&mut socket, Token(self.sockets.len()), Interest::READABLE).unwrap();
            self.sockets.push(socket);
        }
    }

    fn read_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut events = Events::with_capacity(256);
        let mut buffer = vec![0; 1 << 16];
        while Instant::now() < end {
            self.poll.poll(&mut events, Some(end.saturating_duration_since(Instant::now()))).unwrap();
            for event in &events {
                let socket = &mut self.sockets[event.token().0];
                // One read drains the socket: a tick is far smaller than the buffer.
                match socket.read(&mut buffer) {
                    Ok(read) => self.bytes += read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => panic!("{error}"),
                }
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                self.arrivals.entry(now.as_secs()).or_default().push(f64::from(now.subsec_micros()) / 1000.0);
            }
        }
    }
}
