//! What one viewer more costs, side by side with a bare `send()` loop and with axum's own server-sent events.
//!
//! Every server is a process of its own and sends the same bytes once a second; this process is all the viewers. Run it
//! with `make bench`.

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
/// Ticks to measure, after some that let things settle.
const TICKS: usize = 15;
const SETTLE: Duration = Duration::from_secs(4);
/// The contenders take turns, so that a machine that wanders wanders for all.
const ROUNDS: usize = 3;

/// The events of a tick, and about how many figures each one has.
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

fn data(figures: usize) -> String {
    let figures = ",\"figure\":12.34".repeat(figures);
    format!("{{\"t\":1700000000000,\"at\":1700000000.000123,\"dt\":1.000012{figures}}}")
}

/// About what a tick is.
fn payload() -> String {
    let event = |(n, (name, figures)): (usize, &(&str, usize))| {
        format!("id: 1700000000000-{n}\nevent: {name}\ndata: {}\n\n", data(*figures))
    };
    EVENTS.iter().enumerate().map(event).collect()
}

fn main() {
    match env::args().nth(1).as_deref() {
        Some("serve-bare") => bare(),
        Some("serve-axum") => axum_sse(),
        _ => compare(),
    }
}

/// Answers every connection with a head, and then sends to all of them in turn: nothing can be cheaper.
fn bare() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    announce(listener.local_addr().unwrap());
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
        sleep_to_the_second();
        for socket in sockets.lock().unwrap().iter_mut() {
            let _ = socket.write(chunk.as_bytes());
        }
    }
}

/// What axum's documentation shows.
#[tokio::main]
async fn axum_sse() {
    let (ticks, _) = watch::channel(0_u64);
    let source = ticks.clone();
    thread::spawn(move || {
        loop {
            sleep_to_the_second();
            source.send_modify(|tick| *tick += 1);
        }
    });
    let data: [&'static str; EVENTS.len()] = EVENTS.map(|(_, figures)| data(figures).leak() as &str);
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
    announce(listener.local_addr().unwrap());
    axum::serve(listener, Router::new().route("/api/stream", get(handler))).await.unwrap();
}

fn announce(address: SocketAddr) {
    println!("listening on http://{address}");
}

fn sleep_to_the_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    thread::sleep(Duration::from_secs(1) - Duration::from_nanos(now.subsec_nanos().into()));
}

/// What one round of one server has shown.
struct Figures {
    /// Processor time for each tick and viewer, in microseconds.
    cpu: f64,
    /// Resident memory for each viewer, in KiB.
    memory: f64,
    /// From the whole second to the viewer that gets it last but one in a hundred, in milliseconds: the mean of the
    /// ticks, since over all of them together the worst tick alone would decide.
    spread: f64,
    /// Bytes for each viewer and second.
    bytes: f64,
}

impl Figures {
    /// What one viewer of a plain stream may cost at most; processor time and spread as multiples of the bare loop's.
    const BUDGET: Self = Self { cpu: 1.15, memory: 1.0, spread: 1.1, bytes: f64::INFINITY };

    fn mean(rounds: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| rounds.iter().map(of).sum::<f64>() / rounds.len() as f64;
        Self { cpu: mean(|f| f.cpu), memory: mean(|f| f.memory), spread: mean(|f| f.spread), bytes: mean(|f| f.bytes) }
    }
}

/// Its name, and how its server is started.
type Contender = (&'static str, fn() -> Command);

fn compare() {
    let all: [Contender; 4] = [
        ("bare", || this("serve-bare")),
        ("hostbeat", hostbeat),
        ("hostbeat-gzip", hostbeat),
        ("axum", || this("serve-axum")),
    ];
    // The first is what the others are compared with. `cargo bench` adds a flag of its own.
    let named: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| named.is_empty() || name == "bare" || named.iter().any(|wanted| wanted == name);
    let contenders: Vec<_> = all.into_iter().filter(|(name, _)| wanted(name)).collect();
    let mut results: Vec<Vec<Figures>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((name, server), results) in contenders.iter().zip(&mut results) {
            results.push(measure(server(), name.ends_with("gzip")));
        }
    }
    println!("{VIEWERS} viewers, {TICKS} ticks, {ROUNDS} rounds; the ratio is to the first line");
    println!(
        "{:16} {:>12} {:>7} {:>12} {:>14} {:>7} {:>12}",
        "", "CPU, us", "ratio", "memory, KiB", "p99 spread, ms", "ratio", "bytes/s"
    );
    let mut within_budget = true;
    let means: Vec<_> = results.iter().map(|rounds| Figures::mean(rounds)).collect();
    for ((name, _), Figures { cpu, memory, spread, bytes }) in contenders.iter().zip(&means) {
        let (cpu_ratio, spread_ratio) = (cpu / means[0].cpu, spread / means[0].spread);
        println!(
            "{name:16} {cpu:>12.2} {cpu_ratio:>7.2} {memory:>12.2} {spread:>14.1} {spread_ratio:>7.2} {bytes:>12.0}"
        );
        let budget = Figures::BUDGET;
        let kept = cpu_ratio <= budget.cpu && *memory <= budget.memory && spread_ratio <= budget.spread;
        if *name == "hostbeat" {
            println!("{:16} {:>20.2} {:>12.2} {:>22.2}", "  its budget", budget.cpu, budget.memory, budget.spread);
            within_budget = kept;
        }
    }
    assert!(within_budget, "hostbeat is over its budget");
}

fn this(role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg(role);
    command
}

fn measure(command: Command, gzip: bool) -> Figures {
    let server = Server::start(command);
    let mut viewers = Viewers::new();
    // Whatever the first connections make a server set up is no viewer's.
    viewers.open(server.address, 100, gzip);
    viewers.read_for(Duration::from_secs(2));
    let before = server.memory();
    viewers.open(server.address, VIEWERS - 100, gzip);
    viewers.read_for(SETTLE);
    let memory = (server.memory() - before) / (VIEWERS - 100) as f64;
    // From the middle of a second to the middle of a second, when nothing is under way.
    sleep_to_the_second();
    viewers.read_for(Duration::from_millis(600));
    let (cpu, bytes) = (server.cpu(), viewers.bytes);
    viewers.arrivals.clear();
    viewers.read_for(Duration::from_secs(TICKS as u64));
    let per = (TICKS * VIEWERS) as f64;
    let (cpu, bytes) = ((server.cpu() - cpu) / 1000.0 / per, (viewers.bytes - bytes) as f64 / per);
    let spreads = viewers.arrivals.values_mut().map(|arrivals| {
        arrivals.sort_by(f64::total_cmp);
        arrivals[arrivals.len() * 99 / 100]
    });
    let spread = spreads.sum::<f64>() / viewers.arrivals.len() as f64;
    Figures { cpu, memory, spread, bytes }
}

/// Sockets that are read as soon as something is there.
struct Viewers {
    poll: Poll,
    sockets: Vec<TcpStream>,
    bytes: usize,
    /// Milliseconds from each whole second to every reading in it.
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
                // One read empties it: a tick is far smaller than the buffer.
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
