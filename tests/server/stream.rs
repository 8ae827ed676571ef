//! `GET /api/stream`, by the contract.

use super::support::{Follower, Running, WAYS, eventually, json, tick};
use hostbeat::server::{Settings, log::TickLog};
use std::thread;

/// A server that has published the ticks 1 to `last`.
fn server(last: u64) -> Running {
    server_by(last, Settings::default())
}

fn server_by(last: u64, settings: Settings) -> Running {
    let log = TickLog::default();
    (1..=last).for_each(|second| log.publish(&tick(second * 1000)));
    Running::show_by(log, settings)
}

#[test]
fn a_stream_begins_with_retry_hello_and_window_and_goes_on_with_ticks() {
    for settings in WAYS {
        let server = server_by(5, settings());
        let mut stream = server.follow("?window=3", &[]);
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store, no-transform"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(stream.head.headers[name], value);
        }

        let hello = stream.next().unwrap();
        assert_eq!((&*hello.event, &*hello.id), ("hello", ""));
        let retry = hello.retry.unwrap().as_millis();
        assert!((1000..=3000).contains(&retry), "retry is {retry}");
        let hello = json(&hello);
        assert_eq!(
            (&hello["schema"], &hello["interval_ms"], &hello["retention_s"]),
            (&1.into(), &1000.into(), &3600.into())
        );
        assert_eq!(hello["start"], "window");
        assert!(hello["host"].is_string() && hello["now"].is_u64());

        let window = stream.next().unwrap();
        assert_eq!((&*window.event, &*window.id), ("window", "5000-2"));
        let window = json(&window);
        assert_eq!((&window["t0"], &window["step_ms"], &window["n"]), (&3000.into(), &1000.into(), &3.into()));
        assert_eq!(window["series"]["memory.used"], serde_json::json!([3000, 4000, 5000]));

        server.log.publish(&tick(6000));
        for (n, name) in ["cpu", "memory", "connections"].iter().enumerate() {
            let event = stream.next().unwrap();
            assert_eq!((&event.event, event.id.clone()), (&name.to_string(), format!("6000-{n}")));
            let data = json(&event);
            assert_eq!((&data["t"], &data["at"], &data["dt"]), (&6000.into(), &6.0.into(), &1.0.into()));
        }
    }
}

#[test]
fn a_client_resumes_by_header_or_by_query() {
    for settings in WAYS {
        let server = server_by(5, settings());
        for (query, headers) in [("", &[("last-event-id", "4000-0")][..]), ("?last_event_id=4000-0", &[])] {
            let mut stream = server.follow(query, headers);
            assert_eq!(json(&stream.next().unwrap())["start"], "replay");
            let ids: Vec<_> = stream.take(5).map(|event| event.id).collect();
            assert_eq!(ids, ["4000-1", "4000-2", "5000-0", "5000-1", "5000-2"]);
        }
    }
}

#[test]
fn an_id_from_before_the_start_gets_all_that_was_sampled_since() {
    let server = Running::show(TickLog::default());
    (100..105).for_each(|second| server.log.publish(&tick(second * 1000)));
    let mut stream = server.follow("", &[("last-event-id", "90000-2")]);
    assert_eq!(json(&stream.next().unwrap())["start"], "window");
    let window = json(&stream.next().unwrap());
    assert_eq!((&window["t0"], &window["n"], &window["truncated"]), (&100_000.into(), &5.into(), &true.into()));
}

#[test]
fn an_id_that_means_nothing_is_a_reset_and_no_error() {
    let server = server(5);
    for id in ["9000000-0", "garbage", "5000-7", "-"] {
        let mut stream = server.follow("", &[("last-event-id", id)]);
        assert_eq!(json(&stream.next().unwrap())["start"], "reset", "{id}");
        assert_eq!(stream.next().unwrap().event, "window");
    }
}

#[test]
fn a_filter_and_no_window_are_respected() {
    for settings in WAYS {
        let server = server_by(5, settings());
        let mut stream = server.follow("?events=memory&window=0", &[]);
        assert_eq!(json(&stream.next().unwrap())["start"], "live");
        server.log.publish(&tick(6000));
        server.log.publish(&tick(7000));
        let ids: Vec<_> = stream.take(2).map(|event| event.id).collect();
        assert_eq!(ids, ["6000-1", "7000-1"]);
    }
}

#[test]
fn accept_must_admit_the_stream() {
    let server = server(1);
    let (head, _) = server.send("GET", "/api/stream", &[("accept", "application/json")]);
    assert_eq!(head.status, 406);
    assert_eq!(head.headers["content-type"], "application/problem+json");
}

#[test]
fn a_packed_stream_says_the_same_and_at_once() {
    for settings in WAYS {
        let mut server = server_by(5, settings());
        let mut plain = server.follow("", &[]);
        let mut packed = server.follow("", &[("accept-encoding", "gzip, br")]);
        assert_eq!(packed.head.headers["content-encoding"], "gzip");
        assert_eq!((plain.next().unwrap().event, packed.next().unwrap().event), ("hello".into(), "hello".into()));
        // Someone who joins late shares what follows.
        server.log.publish(&tick(6000));
        let mut late = server.follow("?last_event_id=5000-2", &[("accept-encoding", "gzip")]);
        assert_eq!(late.next().unwrap().event, "hello");
        for second in 7..=20 {
            server.log.publish(&tick(second * 1000));
            assert_eq!(
                plain.find(|event| event.id == format!("{second}000-2")),
                packed.find(|event| event.id == format!("{second}000-2"))
            );
        }
        server.stop();
        // The reader checks the sum at the end.
        let ids = |follower: Follower| follower.map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids(plain), ids(packed));
        assert_eq!(ids(late).len(), 15 * 3 + 1);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn processes_are_only_looked_at_for_somebody() {
    let server = Running::start();
    let mut others = server.follow("?events=cpu,disk&window=0", &[]);
    // As long as it would have taken, and longer.
    (0..10).for_each(|_| _ = others.next_with_id());
    assert_eq!(server.log.processes(), None);
    let mut processes = server.follow("?events=processes&window=0", &[]);
    let event = processes.next_with_id();
    assert_eq!(event.event, "processes");
    assert!(server.log.processes().is_some());
    let top = json(&event)["top"].as_array().unwrap().len();
    assert!((1..=40).contains(&top), "{top} processes");
}

#[test]
fn viewers_are_counted_while_they_are_there() {
    for settings in WAYS {
        let server = server_by(1, settings());
        let subscribers = server.log.subscribers();
        let streams: Vec<_> = (0..3).map(|_| server.follow("", &[])).collect();
        assert_eq!(subscribers.viewers(), 3);
        drop(streams);
        let mut second = 1;
        eventually("every viewer is counted out", || {
            // A server notices that a peer is gone when it next writes to it.
            second += 1;
            server.log.publish(&tick(second * 1000));
            subscribers.viewers() == 0
        });
    }
}

#[test]
fn a_server_that_stops_says_so_and_ends_every_stream() {
    for settings in WAYS {
        let mut server = server_by(2, settings());
        let streams: Vec<_> = (0..3).map(|_| server.follow("", &[])).collect();
        server.stop();
        for stream in streams {
            let events: Vec<_> = stream.collect();
            let last = events.last().unwrap();
            assert_eq!((&*last.event, &json(last)["reason"]), ("shutdown", &"restart".into()));
            assert_eq!(last.id, "2000-2", "it must not move the client's position");
        }
        server.wait();
    }
}

/// Clients that come and go while ticks pour in miss nothing and see nothing twice.
#[test]
fn the_seam_is_exact_at_full_speed() {
    for settings in WAYS {
        const TICKS: u64 = 3_000;
        let server = Running::show_by(TickLog::with_ring(TICKS as usize), settings());
        server.log.publish(&tick(1000));
        let log = std::sync::Arc::clone(&server.log);
        let publisher = thread::spawn(move || (2..=TICKS).for_each(|second| log.publish(&tick(second * 1000))));
        let mut last = "1000-2".to_owned();
        let mut expected = (1..=TICKS).flat_map(|t| (0..3).map(move |n| format!("{}-{n}", t * 1000))).skip(3);
        let mut connections = 0;
        while last != format!("{}-2", TICKS * 1000) {
            connections += 1;
            // A different number of events each time, so that it drops within ticks as well as between them.
            for _ in 0..connections * 7 {
                let mut stream = server.follow("", &[("last-event-id", &last)]);
                for event in stream.by_ref().filter(|event| event.event != "hello").take(connections) {
                    assert_eq!(Some(&event.id), expected.next().as_ref());
                    last = event.id;
                    if last == format!("{}-2", TICKS * 1000) {
                        break;
                    }
                }
                if last == format!("{}-2", TICKS * 1000) {
                    break;
                }
            }
        }
        publisher.join().unwrap();
        assert_eq!(expected.next(), None);
    }
}

#[test]
fn this_host_ticks_on_whole_seconds() {
    let server = Running::start();
    let mut stream = server.follow("?window=0&events=cpu", &[]);
    let ticks: Vec<_> = (0..3).map(|_| json(&stream.next_with_id())).collect();
    for tick in &ticks {
        let (t, at, dt) = (tick["t"].as_u64().unwrap(), tick["at"].as_f64().unwrap(), tick["dt"].as_f64().unwrap());
        assert_eq!(t % 1000, 0);
        assert!((at - t as f64 / 1000.0).abs() < 1.0, "read at {at} for {t}");
        assert!((0.25..3.0).contains(&dt), "{dt} s since the reading before");
    }
    assert!(ticks.windows(2).all(|pair| pair[0]["t"].as_u64() < pair[1]["t"].as_u64()));
}
