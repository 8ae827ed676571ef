//! A storm of reconnects: 10,000 viewers with gzip resume ten minutes at once, as after a restart of a proxy. Compares the
//! time until all have caught up with that of a bare loop that sends as many bytes, and measures the delay of a viewer that
//! stayed connected, and the memory a minute later.
//!
//! `cargo bench --features ssr --bench storm`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use hostbeat::{
    schema::{Connections, Cpu, Memory, Network, Sample, Tick},
    server::{Server as Hostbeat, Settings, log::TickLog},
};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use server::Server;
use std::{
    env, io,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// As in the server's binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const VIEWERS: usize = 10_000;
const RESUMED_S: u64 = 600;
/// Limits: the delay of the viewer that stayed, in milliseconds; the time to catch up, as a multiple of the bare loop's; the
/// memory that stays, in KiB.
const MAX_DELAY_MS: f64 = 150.0;
const MAX_RATIO: f64 = 3.0;
const MAX_MEMORY_KIB: f64 = 16.0 * 1024.0;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("serve-hostbeat") => serve_hostbeat(),
        Some("serve-bare") => serve_bare(env::args().nth(2).unwrap().parse().unwrap()),
        _ => measure(),
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn sample<G>(t: u64, values: G) -> Option<Sample<G>> {
    Some(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
}

/// A tick with random values, of about the size of a small host's.
fn tick(t: u64) -> Tick {
    let percent = || Some((fastrand::f64() * 1e4).round() / 100.0);
    let interfaces = (0..12).map(|n| {
        (
            format!("eth{n}"),
            hostbeat::schema::Interface {
                rx_bytes_per_second: percent(),
                tx_bytes_per_second: percent(),
                ..Default::default()
            },
        )
    });
    Tick::at(t)
        .with(sample(
            t,
            Cpu { total_percent: percent(), cores_percent: (0..32).map(|_| percent()).collect(), ..Cpu::default() },
        ))
        .with(sample(t, Memory { used_bytes: Some(fastrand::u64(1 << 30..1 << 34)), ..Memory::default() }))
        .with(sample(t, Network { interfaces: interfaces.collect(), ..Network::default() }))
        .with(sample(t, Connections { viewers: Some(1), ..Connections::default() }))
}

/// The server with ten minutes of ticks, and a new one every second.
#[tokio::main]
async fn serve_hostbeat() {
    let log = Arc::new(TickLog::default());
    let first = now_ms() / 1000 - RESUMED_S;
    (first..first + RESUMED_S).for_each(|second| log.publish(&tick(second * 1000)));
    let settings = Settings { max_streams_per_address: usize::MAX, ..Settings::default() };
    let server = Hostbeat::bind("127.0.0.1:0".parse().unwrap(), Arc::clone(&log), settings).await.unwrap();
    println!("listening on http://{}", server.port_address().unwrap());
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(1000 - now_ms() % 1000));
            log.publish(&tick(now_ms() / 1000 * 1000));
        }
    });
    server.serve_until(std::future::pending()).await.unwrap();
}

/// Writes as many bytes to each connection, as fast as the sockets take them.
fn serve_bare(bytes: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    // The default backlog is too short for a storm.
    rustix::net::listen(&listener, 4096).unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut listener = mio::net::TcpListener::from_std(listener);
    let payload = vec![b'x'; bytes];
    let mut poll = Poll::new().unwrap();
    poll.registry().register(&mut listener, Token(usize::MAX), Interest::READABLE).unwrap();
    let mut sockets: Vec<(TcpStream, usize)> = Vec::new();
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            if event.token() == Token(usize::MAX) {
                while let Ok((mut socket, _)) = listener.accept() {
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut socket, Token(sockets.len()), interest).unwrap();
                    sockets.push((socket, 0));
                }
            } else if event.is_writable() {
                let (socket, sent) = &mut sockets[event.token().0];
                while let Ok(written @ 1..) = socket.write(&payload[*sent..]) {
                    *sent += written;
                }
            }
        }
    }
}

fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// A stream request, as a browser that resumes sends it.
fn request(address: SocketAddr, last_id: &str, coding: &str) -> String {
    format!("GET /api/stream?window=0 HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: {coding}\r\n{last_id}\r\n")
}

fn resume(address: SocketAddr, last_id: u64) -> String {
    request(address, &format!("Last-Event-ID: {last_id}-0\r\n"), "gzip")
}

/// Bytes that a viewer that resumes gets before it waits for the next tick.
fn bytes_to_catch_up(address: SocketAddr, last_id: u64) -> usize {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(resume(address, last_id).as_bytes()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
    while let Ok(read @ 1..) = socket.read(&mut buffer) {
        bytes += read;
    }
    bytes
}

/// Connects all viewers at once, and returns the time until each has read so many bytes.
fn storm(address: SocketAddr, request: &str, bytes: usize) -> (Duration, Vec<TcpStream>) {
    let start = Instant::now();
    let mut poll = Poll::new().unwrap();
    let mut sockets: Vec<_> = (0..VIEWERS)
        .map(|n| {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.write_all(request.as_bytes()).unwrap();
            socket.set_nonblocking(true).unwrap();
            let mut socket = TcpStream::from_std(socket);
            poll.registry().register(&mut socket, Token(n), Interest::READABLE).unwrap();
            socket
        })
        .collect();
    let (mut read, mut caught_up) = (vec![0; VIEWERS], 0);
    let mut buffer = vec![0; 1 << 18];
    let mut events = Events::with_capacity(1024);
    while caught_up < VIEWERS {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            let n = event.token().0;
            loop {
                match sockets[n].read(&mut buffer) {
                    Ok(0) => panic!("viewer {n} was disconnected"),
                    Ok(more) => {
                        caught_up += usize::from(read[n] < bytes && read[n] + more >= bytes);
                        read[n] += more;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => panic!("viewer {n}: {error}"),
                }
            }
        }
    }
    (start.elapsed(), sockets)
}

/// Keeps a viewer connected, and the largest time from a whole second to the arrival of its tick, in microseconds.
fn watch(address: SocketAddr, worst: Arc<AtomicU64>, ended: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(request(address, "", "identity").as_bytes()).unwrap();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while !ended.load(Ordering::Relaxed) {
            let read = socket.read(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..read]);
            let id = text.lines().find_map(|line| line.strip_prefix("id: ")?.split('-').next()?.parse::<u64>().ok());
            if let Some(id) = id {
                worst.fetch_max(now_ms().saturating_sub(id), Ordering::Relaxed);
            }
        }
    })
}

fn measure() {
    let hostbeat = Server::start(this_program(&["serve-hostbeat"]));
    let address = hostbeat.address;
    let last_id = (now_ms() / 1000 - RESUMED_S + 5) * 1000;
    let bytes = bytes_to_catch_up(address, last_id);
    let before = hostbeat.resident_memory();
    let (worst, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let stayed = watch(address, Arc::clone(&worst), Arc::clone(&ended));
    thread::sleep(Duration::from_secs(3));
    let calm = worst.swap(0, Ordering::Relaxed) as f64;
    let (elapsed, viewers) = storm(address, &resume(address, last_id), bytes);
    thread::sleep(Duration::from_secs(2));
    let delay = worst.load(Ordering::Relaxed) as f64;
    drop(viewers);
    thread::sleep(Duration::from_secs(60));
    let memory = hostbeat.resident_memory() - before;
    ended.store(true, Ordering::Relaxed);
    stayed.join().unwrap();
    drop(hostbeat);

    let bare = Server::start(this_program(&["serve-bare", &bytes.to_string()]));
    let (bare_elapsed, _viewers) = storm(bare.address, "GET / HTTP/1.1\r\n\r\n", bytes);
    let ratio = elapsed.as_secs_f64() / bare_elapsed.as_secs_f64();
    println!("{VIEWERS} viewers with gzip resume {RESUMED_S} s at once, {bytes} bytes each");
    println!("{:34} {:>10} {:>10}", "", "measured", "limit");
    println!("{:34} {delay:>10.0} {MAX_DELAY_MS:>10.0}", "delay of a live viewer, ms");
    println!("{:34} {calm:>10.0}", "  without the storm");
    println!("{:34} {:>10.2}", "time until all caught up, s", elapsed.as_secs_f64());
    println!("{:34} {:>10.2}", "  the bare loop", bare_elapsed.as_secs_f64());
    println!("{:34} {ratio:>10.2} {MAX_RATIO:>10.2}", "  ratio");
    println!("{:34} {memory:>10.0} {MAX_MEMORY_KIB:>10.0}", "memory a minute later, KiB more");
    assert!(delay <= MAX_DELAY_MS && ratio <= MAX_RATIO && memory <= MAX_MEMORY_KIB, "over the limits");
}
