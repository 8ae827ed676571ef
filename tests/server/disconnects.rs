//! Tests that a client which is disconnected at random bytes, and across restarts, gets every event exactly once.

use super::support::{DELIVERY_PATHS, TestServer, decode_chunked, tick};
use eventsource_stream::{Event, Eventsource};
use futures::{StreamExt, executor::block_on, stream};
use hostbeat::server::{
    Settings,
    log::{TickLog, sent_events},
};
use std::{
    convert::Infallible,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

const DISCONNECTS: usize = 1_000;
const RESTARTS: usize = 4;
/// One tick per disconnect at most, so that every event can be replayed.
const RING: usize = DISCONNECTS;

/// Parses the complete events in `bytes` with an independent parser.
fn parse(bytes: Vec<u8>) -> Vec<Event> {
    block_on(stream::iter([Ok::<_, Infallible>(bytes)]).eventsource().filter_map(async |event| event.ok()).collect())
}

/// The events of a stream that resumes after `last`, closed after `limit` bytes or after the event `end`.
fn read_some(server: &TestServer, last: &str, limit: usize, end: &str) -> Vec<Event> {
    let mut socket = TcpStream::connect(server.address).unwrap();
    write!(socket, "GET /api/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {last}\r\n\r\n").unwrap();
    let mut bytes = vec![0; limit];
    let mut read = 0;
    while read < limit {
        match socket.read(&mut bytes[read..]).unwrap() {
            0 => break,
            more => read += more,
        }
        if bytes[..read].windows(end.len()).any(|window| window == end.as_bytes())
            && bytes[..read].ends_with(b"\n\n\r\n")
        {
            break;
        }
    }
    bytes.truncate(read);
    parse(decode_chunked(&bytes))
}

#[test]
fn client_after_thousand_disconnects_has_every_event_once() {
    for settings in DELIVERY_PATHS {
        disconnect_repeatedly(settings());
    }
}

fn disconnect_repeatedly(settings: Settings) {
    let mut published = 1;
    let mut server = TestServer::serve_with(TickLog::with_ring(RING), settings.clone());
    server.log.publish(&tick(1000));
    let mut published_ids = vec!["1000-2-e3b0c4".to_owned()];
    let mut received_ids = published_ids.clone();
    for disconnect in 0..DISCONNECTS {
        if (disconnect + 1) % (DISCONNECTS / RESTARTS) == 0 {
            server = restart(server, &settings);
        }
        // A client that has every event would wait for the next tick.
        let last = received_ids.last().unwrap().clone();
        let ticks = last == *published_ids.last().unwrap() || fastrand::u8(..10) < 8;
        let end = format!("id: {}000-2-e3b0c4", published + u64::from(ticks));
        let events = thread::scope(|scope| {
            if ticks {
                scope.spawn(|| server.log.publish(&tick((published + 1) * 1000)));
            }
            read_some(&server, &last, fastrand::usize(1..6_000), &end)
        });
        if ticks {
            published += 1;
            published_ids.extend((0..3).map(|n| format!("{published}000-{n}-e3b0c4")));
        }
        received_ids.extend(events.into_iter().filter(|event| !event.id.is_empty()).map(|event| event.id));
    }
    let last = received_ids.last().unwrap().clone();
    let end = format!("id: {published}000-2-e3b0c4");
    if *published_ids.last().unwrap() != last {
        let missing = read_some(&server, &last, 1 << 20, &end);
        received_ids.extend(missing.into_iter().filter(|event| !event.id.is_empty()).map(|event| event.id));
    }
    assert_eq!(received_ids, published_ids);
}

/// A new server that restores the saved log of the old one.
fn restart(mut server: TestServer, settings: &Settings) -> TestServer {
    server.stop();
    server.wait();
    let events = sent_events(&server.log.ticks_after(&mut 0).events).unwrap();
    let window = (*server.log.window()).clone();
    let log = TickLog::restored(server.log.identity().clone(), window, &events).unwrap();
    TestServer::serve_with(log, Settings { drain: Duration::from_secs(1), ..settings.clone() })
}
