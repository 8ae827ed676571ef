//! Compares the bytes that a slow reader gets, after partial writes, with those of a fast reader.

use super::support::{DELIVERY_PATHS, TIMEOUT, TestServer, chunks, decode_chunked, wait_until};
use flate2::read::MultiGzDecoder;
use hostbeat::{
    schema::{Process, Processes, Sample, Tick},
    server::{Settings, log::TickLog},
};
use rustix::net::{AddressFamily, SocketType, connect, socket, sockopt::set_socket_recv_buffer_size};
use std::{
    fs,
    io::{Read, Write},
    iter,
    net::TcpStream,
    thread,
    time::Duration,
};

/// Ticks kept for replay. More than are published, so that no reader falls behind the ring.
const RING: usize = 10_000;
/// The largest event, in bytes.
const LARGEST: usize = 64 * 1024;
/// The slow reader's receive buffer, in bytes; the kernel doubles it.
const RECEIVE_BUFFER: usize = 2048;
/// Polls, one every [`POLL`], after which unchanged socket buffers count as full.
const FULL: u32 = 30;
const POLL: Duration = Duration::from_millis(10);

#[test]
fn slow_reader_after_partial_writes_gets_the_bytes_of_a_fast_reader() {
    for settings in DELIVERY_PATHS {
        let split = ["identity", "gzip"].map(|coding| read_slowly(settings(), coding));
        assert!(split.contains(&true), "every write was complete");
    }
}

/// Compares both readers, and returns whether the kernel accepted only a part of a chunk.
fn read_slowly(settings: Settings, coding: &str) -> bool {
    let (stall, drain) = (3 * TIMEOUT, 3 * TIMEOUT);
    let mut server = TestServer::serve_with(TickLog::with_ring(RING), Settings { stall, drain, ..settings });
    let mut slow = request_stream(&server, RECEIVE_BUFFER, coding);
    let mut fast = request_stream(&server, LARGEST, "identity");
    wait_until("both streams are open", || server.log.subscribers().viewers() == 2);
    let fast = thread::spawn(move || {
        let mut response = Vec::new();
        fast.read_to_end(&mut response).unwrap();
        response
    });
    let accepted = publish_until_full(&server, &slow);
    server.stop();

    let mut response = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let size = fastrand::usize(1..buffer.len());
        match slow.read(&mut buffer[..size]).unwrap() {
            0 => break,
            read => response.extend(&buffer[..read]),
        }
    }
    assert!(accepted < response.len(), "the kernel accepted all of {} bytes at once", response.len());
    let (slow, fast) = (events_with_id(&response), events_with_id(&fast.join().unwrap()));
    assert!(slow == fast, "{} bytes, and {} of the fast reader", slow.len(), fast.len());
    chunks(&response).any(|chunk| chunk.contains(&accepted) && chunk.start < accepted)
}

#[test]
fn memory_that_slow_readers_hold_is_bounded_and_comes_back() {
    const READERS: u32 = 200;
    const TICK: usize = 1 << 20;
    const MIB: usize = 1 << 20;
    let log = TickLog::default();
    (1..=17).for_each(|second| log.publish(&processes_tick(second * 1000, "x".repeat(TICK))));
    let settings =
        Settings { max_streams_per_address: READERS as usize + 1, stall: 3 * TIMEOUT, ..Settings::default() };
    let server = TestServer::serve_with(log, settings);
    let before = resident_bytes();
    let filters = ["cpu", "memory", "load", "connections", "network", "disk", "pressure", "temperature"];
    // Each has a filter of its own, and so bytes of its own: all would hold 8 ticks each, 1.6 GB.
    let readers: Vec<_> = (0..READERS)
        .map(|n| {
            let chosen = filters.iter().enumerate().filter(|(bit, _)| n >> bit & 1 == 1).map(|(_, name)| *name);
            let events = chosen.chain(["processes"]).collect::<Vec<_>>().join(",");
            let path = format!("/api/stream?events={events}&last_event_id=8000-0-e3b0c4");
            request_path(&server, &path, RECEIVE_BUFFER, "identity")
        })
        .collect();
    wait_until("the memory is exhausted", || server.log.is_chunk_memory_exhausted());
    wait_until("all streams are open", || server.log.subscribers().viewers() == u64::from(READERS));
    // All are polled at each tick.
    (18..=20).for_each(|second| server.log.publish(&processes_tick(second * 1000, String::new())));
    let held = resident_bytes().saturating_sub(before);
    assert!(held < 256 * MIB, "{} MiB", held / MIB);
    drop(readers);
    wait_until("the streams are closed", || server.log.subscribers().viewers() == 0);
    let mut stream = server.open_stream("?events=processes", &[("last-event-id", "8000-0-e3b0c4")]);
    assert_eq!(stream.find(|event| event.event == "processes").map(|event| event.id), Some("9000-0-e3b0c4".into()));
}

fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// Requests the stream of processes, without reading anything.
fn request_stream(server: &TestServer, receive_buffer: usize, coding: &str) -> TcpStream {
    request_path(server, "/api/stream?events=processes&window=0", receive_buffer, coding)
}

fn request_path(server: &TestServer, path: &str, receive_buffer: usize, coding: &str) -> TcpStream {
    let descriptor = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    // The window that a connection starts with depends on the buffer.
    set_socket_recv_buffer_size(&descriptor, receive_buffer).unwrap();
    connect(&descriptor, &server.address).unwrap();
    let mut socket = TcpStream::from(descriptor);
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n").unwrap();
    socket
}

/// Publishes ticks until the kernel accepts no more bytes for `reader`, and returns how many it accepted.
fn publish_until_full(server: &TestServer, reader: &TcpStream) -> usize {
    let (mut queued, mut unchanged) = (0, 0);
    for second in 1..RING as u64 {
        server.log.publish(&large_tick(second * 1000));
        thread::sleep(POLL);
        let now = queued_bytes(server, reader);
        unchanged = if now == queued { unchanged + 1 } else { 0 };
        queued = now;
        if unchanged == FULL {
            return queued;
        }
    }
    panic!("the kernel accepts bytes even after {queued}");
}

/// A tick with one event of random length and content, which doesn't compress well.
fn large_tick(t: u64) -> Tick {
    processes_tick(t, iter::repeat_with(fastrand::alphanumeric).take(fastrand::usize(1..LARGEST)).collect())
}

/// A tick with one process of that name.
fn processes_tick(t: u64, name: String) -> Tick {
    let values = Processes { total: 1, top: vec![Process { name, ..Process::default() }] };
    Tick::at(t).with(Sample { t, at: t as f64 / 1000.0, dt: 1.0, values })
}

/// Bytes in the server's send queue and in the reader's receive queue, from `/proc/net/tcp`.
fn queued_bytes(server: &TestServer, reader: &TcpStream) -> usize {
    let ports = [server.address.port(), reader.local_addr().unwrap().port()];
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let queued = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
        let (local, remote) = (port(fields[1])?, port(fields[2])?);
        let (sent, received) = fields[4].split_once(':')?;
        let queue = if [local, remote] == ports {
            sent
        } else if [remote, local] == ports {
            received
        } else {
            return None;
        };
        usize::from_str_radix(queue, 16).ok()
    });
    queued.sum()
}

/// The decompressed body between `hello` and `shutdown`, which differ from reader to reader.
fn events_with_id(response: &[u8]) -> Vec<u8> {
    let mut body = decode_chunked(response);
    if response.windows(16).take(1000).any(|window| window.eq_ignore_ascii_case(b"content-encoding")) {
        let compressed = std::mem::take(&mut body);
        MultiGzDecoder::new(&*compressed).read_to_end(&mut body).unwrap();
    }
    let text = String::from_utf8(body).unwrap();
    let (start, end) = (text.find("id: ").unwrap(), text.rfind("retry: ").unwrap());
    text[start..end].into()
}
