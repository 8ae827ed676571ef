//! Tests of `GET /api/stream`: start, resume, filter, compression and order of events.

use super::support::{DELIVERY_PATHS, StreamReader, TestServer, json, tick, wait_until};
use hostbeat::{
    schema::Identity,
    server::{Settings, log::TickLog},
};
use std::thread;

/// A server that has published the ticks 1 to `last`.
fn server(last: u64) -> TestServer {
    server_with(last, Settings::default())
}

fn server_with(last: u64, settings: Settings) -> TestServer {
    let log = TickLog::default();
    (1..=last).for_each(|second| log.publish(&tick(second * 1000)));
    TestServer::serve_with(log, settings)
}

#[test]
fn stream_begins_with_retry_hello_and_window_then_ticks() {
    for settings in DELIVERY_PATHS {
        let server = server_with(5, settings());
        let mut stream = server.open_stream("?window=3", &[]);
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
        assert_eq!((&*window.event, &*window.id), ("window", "5000-2-e3b0c4"));
        let window = json(&window);
        assert_eq!((&window["t0"], &window["step_ms"], &window["n"]), (&3000.into(), &1000.into(), &3.into()));
        assert_eq!(window["series"]["memory.used_bytes"], serde_json::json!([3000, 4000, 5000]));

        server.log.publish(&tick(6000));
        for (n, name) in ["cpu", "memory", "connections"].iter().enumerate() {
            let event = stream.next().unwrap();
            assert_eq!((&event.event, event.id.clone()), (&name.to_string(), format!("6000-{n}-e3b0c4")));
            let data = json(&event);
            assert_eq!((&data["t"], &data["at"], &data["dt"]), (&6000.into(), &6.0.into(), &1.0.into()));
        }
    }
}

#[test]
fn last_event_id_in_header_or_query_resumes() {
    for settings in DELIVERY_PATHS {
        let server = server_with(5, settings());
        for (query, headers) in [("", &[("last-event-id", "4000-0-e3b0c4")][..]), ("?last_event_id=4000-0-e3b0c4", &[])]
        {
            let mut stream = server.open_stream(query, headers);
            assert_eq!(json(&stream.next().unwrap())["start"], "replay");
            let ids: Vec<_> = stream.take(5).map(|event| event.id).collect();
            assert_eq!(ids, ["4000-1-e3b0c4", "4000-2-e3b0c4", "5000-0-e3b0c4", "5000-1-e3b0c4", "5000-2-e3b0c4"]);
        }
    }
}

#[test]
fn id_older_than_first_sample_gets_truncated_window() {
    let server = TestServer::serve(TickLog::default());
    (100..105).for_each(|second| server.log.publish(&tick(second * 1000)));
    let mut stream = server.open_stream("", &[("last-event-id", "90000-2-e3b0c4")]);
    assert_eq!(json(&stream.next().unwrap())["start"], "window");
    let window = json(&stream.next().unwrap());
    assert_eq!((&window["t0"], &window["n"], &window["truncated"]), (&100_000.into(), &5.into(), &true.into()));
}

#[test]
fn unknown_id_resets_without_error() {
    let server = server(5);
    for id in ["9000000-0-e3b0c4", "garbage", "5000-7-e3b0c4", "-"] {
        let mut stream = server.open_stream("", &[("last-event-id", id)]);
        assert_eq!(json(&stream.next().unwrap())["start"], "reset", "{id}");
        assert_eq!(stream.next().unwrap().event, "window");
    }
}

#[test]
fn id_of_another_host_or_epoch_or_without_tag_resets() {
    let host = |host_id: &str, epoch: &str| {
        let log = TickLog::of(Identity { host_id: host_id.to_owned(), epoch: epoch.to_owned() });
        (1..=5).for_each(|second| log.publish(&tick(second * 1000)));
        TestServer::serve(log)
    };
    let server = host("a", "1");
    let newest = server.log.snapshot(1).1.unwrap().to_string();
    for (other, start) in [(host("a", "1"), "replay"), (host("b", "1"), "reset"), (host("a", "2"), "reset")] {
        let mut stream = other.open_stream("", &[("last-event-id", &newest)]);
        let hello = json(&stream.next().unwrap());
        assert_eq!(hello["start"], start, "{hello}");
        assert_eq!(hello["host_id"], other.log.identity().host_id);
        let (_, snapshot) = other.get(&format!("/api/snapshot?since={newest}"));
        let start = if start == "replay" { "window" } else { start };
        assert!(snapshot.contains(&format!("\"start\":\"{start}\"")), "{snapshot}");
        let resets = if start == "reset" { 1 } else { 0 };
        let (_, metrics) = other.get("/metrics");
        assert!(metrics.contains(&format!("hostbeat_snapshot_resets_total {resets}\n")), "{metrics}");
    }
    let untagged = newest.rsplit_once('-').unwrap().0.to_owned();
    let mut stream = server.open_stream("", &[("last-event-id", &untagged)]);
    assert_eq!(json(&stream.next().unwrap())["start"], "reset");
}

#[test]
fn event_filter_without_window_yields_only_its_live_events() {
    for settings in DELIVERY_PATHS {
        let server = server_with(5, settings());
        let mut stream = server.open_stream("?events=memory&window=0", &[]);
        assert_eq!(json(&stream.next().unwrap())["start"], "live");
        server.log.publish(&tick(6000));
        server.log.publish(&tick(7000));
        let ids: Vec<_> = stream.take(2).map(|event| event.id).collect();
        assert_eq!(ids, ["6000-1-e3b0c4", "7000-1-e3b0c4"]);
    }
}

#[test]
fn accept_without_event_stream_gets_406() {
    let server = server(1);
    let (head, _) = server.request("GET", "/api/stream", &[("accept", "application/json")]);
    assert_eq!(head.status, 406);
    assert_eq!(head.headers["content-type"], "application/problem+json");
}

#[test]
fn compressed_stream_equals_plain_stream_at_every_tick() {
    for settings in DELIVERY_PATHS {
        let mut server = server_with(5, settings());
        let mut plain = server.open_stream("", &[]);
        let mut compressed = server.open_stream("", &[("accept-encoding", "gzip, br")]);
        assert_eq!(compressed.head.headers["content-encoding"], "gzip");
        assert_eq!((plain.next().unwrap().event, compressed.next().unwrap().event), ("hello".into(), "hello".into()));
        // A viewer that joins later shares the compressed chunks from then on.
        server.log.publish(&tick(6000));
        let mut late = server.open_stream("?last_event_id=5000-2-e3b0c4", &[("accept-encoding", "gzip")]);
        assert_eq!(late.next().unwrap().event, "hello");
        for second in 7..=20 {
            server.log.publish(&tick(second * 1000));
            assert_eq!(
                plain.find(|event| event.id == format!("{second}000-2-e3b0c4")),
                compressed.find(|event| event.id == format!("{second}000-2-e3b0c4"))
            );
        }
        server.stop();
        // The decoder checks the CRC at the end.
        let ids = |follower: StreamReader| follower.map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids(plain), ids(compressed));
        assert_eq!(ids(late).len(), 15 * 3 + 1);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn processes_without_subscriber_are_not_sampled() {
    let server = TestServer::sample_host();
    let mut others = server.open_stream("?events=cpu,disk&window=0", &[]);
    // Processes would be sampled every two seconds.
    (0..10).for_each(|_| _ = others.next_with_id());
    assert_eq!(server.log.processes(), None);
    let mut processes = server.open_stream("?events=processes&window=0", &[]);
    let event = processes.next_with_id();
    assert_eq!(event.event, "processes");
    assert!(server.log.processes().is_some());
    let top = json(&event)["top"].as_array().unwrap().len();
    assert!((1..=40).contains(&top), "{top} processes");
}

#[test]
fn viewer_count_follows_open_streams() {
    for settings in DELIVERY_PATHS {
        let server = server_with(1, settings());
        let subscribers = server.log.subscribers();
        let streams: Vec<_> = (0..3).map(|_| server.open_stream("", &[])).collect();
        assert_eq!(subscribers.viewers(), 3);
        drop(streams);
        let mut second = 1;
        wait_until("no viewer is counted", || {
            // hyper notices a closed connection at the next write.
            second += 1;
            server.log.publish(&tick(second * 1000));
            subscribers.viewers() == 0
        });
    }
}

#[test]
fn server_stop_ends_every_stream_with_shutdown_event() {
    for settings in DELIVERY_PATHS {
        let mut server = server_with(2, settings());
        let streams: Vec<_> = (0..3).map(|_| server.open_stream("", &[])).collect();
        server.stop();
        for stream in streams {
            let events: Vec<_> = stream.collect();
            let last = events.last().unwrap();
            assert_eq!((&*last.event, &json(last)["reason"]), ("shutdown", &"restart".into()));
            assert_eq!(last.id, "2000-2-e3b0c4", "shutdown must not change the last id");
        }
        server.wait();
    }
}

#[test]
fn resume_under_load_neither_skips_nor_repeats() {
    for settings in DELIVERY_PATHS {
        const TICKS: u64 = 3_000;
        let server = TestServer::serve_with(TickLog::with_ring(TICKS as usize), settings());
        server.log.publish(&tick(1000));
        let log = std::sync::Arc::clone(&server.log);
        let publisher = thread::spawn(move || (2..=TICKS).for_each(|second| log.publish(&tick(second * 1000))));
        let mut last = "1000-2-e3b0c4".to_owned();
        let mut expected = (1..=TICKS).flat_map(|t| (0..3).map(move |n| format!("{}-{n}-e3b0c4", t * 1000))).skip(3);
        let mut connections = 0;
        while last != format!("{}-2-e3b0c4", TICKS * 1000) {
            connections += 1;
            // The number of events varies, so that streams end within ticks as well as between them.
            for _ in 0..connections * 7 {
                let mut stream = server.open_stream("", &[("last-event-id", &last)]);
                for event in stream.by_ref().filter(|event| event.event != "hello").take(connections) {
                    assert_eq!(Some(&event.id), expected.next().as_ref());
                    last = event.id;
                    if last == format!("{}-2-e3b0c4", TICKS * 1000) {
                        break;
                    }
                }
                if last == format!("{}-2-e3b0c4", TICKS * 1000) {
                    break;
                }
            }
        }
        publisher.join().unwrap();
        assert_eq!(expected.next(), None);
    }
}

#[test]
fn host_samples_fall_on_whole_seconds() {
    let server = TestServer::sample_host();
    let mut stream = server.open_stream("?window=0&events=cpu", &[]);
    let ticks: Vec<_> = (0..3).map(|_| json(&stream.next_with_id())).collect();
    for tick in &ticks {
        let (t, at, dt) = (tick["t"].as_u64().unwrap(), tick["at"].as_f64().unwrap(), tick["dt"].as_f64().unwrap());
        assert_eq!(t % 1000, 0);
        assert!((at - t as f64 / 1000.0).abs() < 1.0, "sampled at {at} for {t}");
        assert!((0.25..3.0).contains(&dt), "{dt} s since the previous sample");
    }
    assert!(ticks.windows(2).all(|pair| pair[0]["t"].as_u64() < pair[1]["t"].as_u64()));
}
