//! A client that is cut off again and again misses nothing and sees nothing twice, whatever byte it was cut off at.

use super::support::{Running, WAYS, tick};
use eventsource_stream::{Event, Eventsource};
use futures::{StreamExt, executor::block_on, stream};
use hostbeat::server::{Settings, log::TickLog};
use std::{
    convert::Infallible,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

const DROPS: usize = 1_000;
const RESTARTS: usize = 4;
/// As many as there can be drops, so that every event of it can be had again.
const RING: usize = DROPS;

/// What a parser by other hands makes of `bytes`: an event that isn't whole is none.
fn parse(bytes: Vec<u8>) -> Vec<Event> {
    block_on(stream::iter([Ok::<_, Infallible>(bytes)]).eventsource().filter_map(async |event| event.ok()).collect())
}

/// Reads a stream that resumes after `last`, without HTTP's framing, and drops it after `limit` bytes, or when it has
/// the event `end`.
fn read_some(server: &Running, last: &str, limit: usize, end: &str) -> Vec<Event> {
    let mut socket = TcpStream::connect(server.address).unwrap();
    write!(socket, "GET /api/stream HTTP/1.1\r\nHost: a\r\nLast-Event-ID: {last}\r\n\r\n").unwrap();
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
    parse(unchunk(&bytes))
}

/// The data of the chunks, the last of which may be cut off (RFC 9112, section 7.1).
fn unchunk(response: &[u8]) -> Vec<u8> {
    let Some(head) = response.windows(4).position(|window| window == b"\r\n\r\n") else { return Vec::new() };
    let (mut rest, mut data) = (&response[head + 4..], Vec::new());
    while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        let start = line + 2;
        data.extend_from_slice(&rest[start..rest.len().min(start + length)]);
        rest = rest.get(start + length + 2..).unwrap_or_default();
    }
    data
}

#[test]
fn a_thousand_drops_lose_nothing_and_double_nothing() {
    for settings in WAYS {
        drop_again_and_again(settings());
    }
}

fn drop_again_and_again(settings: Settings) {
    let mut published = 1;
    let mut server = Running::show_by(TickLog::with_ring(RING), settings.clone());
    server.log.publish(&tick(1000));
    let mut control = vec!["1000-2".to_owned()];
    let mut assembled = control.clone();
    for drop in 0..DROPS {
        if (drop + 1) % (DROPS / RESTARTS) == 0 {
            server = restart(server, &settings);
        }
        // A client that has everything would wait for ever.
        let last = assembled.last().unwrap().clone();
        let ticks = last == *control.last().unwrap() || fastrand::u8(..10) < 8;
        let end = format!("id: {}000-2", published + u64::from(ticks));
        let events = thread::scope(|scope| {
            if ticks {
                scope.spawn(|| server.log.publish(&tick((published + 1) * 1000)));
            }
            read_some(&server, &last, fastrand::usize(1..6_000), &end)
        });
        if ticks {
            published += 1;
            control.extend((0..3).map(|n| format!("{published}000-{n}")));
        }
        assembled.extend(events.into_iter().filter(|event| !event.id.is_empty()).map(|event| event.id));
    }
    let last = assembled.last().unwrap().clone();
    let end = format!("id: {published}000-2");
    if *control.last().unwrap() != last {
        let rest = read_some(&server, &last, 1 << 20, &end);
        assembled.extend(rest.into_iter().filter(|event| !event.id.is_empty()).map(|event| event.id));
    }
    assert_eq!(assembled, control);
}

/// A new server that knows what the old one has saved, and nothing of its viewers.
fn restart(mut server: Running, settings: &Settings) -> Running {
    server.stop();
    server.wait();
    let log = TickLog::restore(&server.log.save().unwrap()).unwrap();
    Running::show_by(log, Settings { drain: Duration::from_secs(1), ..settings.clone() })
}
