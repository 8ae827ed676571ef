//! Tests of resume, replay and windows at a cursor.

mod seam;

use super::*;
use crate::server::log::tests::{exhaust_chunk_memory, id, tick};

const ALL: EventFilter = EventFilter::All;

/// A log with the ticks 1 to `last` published, of which its ring keeps `ring`.
fn log(last: u64, ring: usize) -> TickLog {
    let log = TickLog::with_ring(ring);
    (1..=last).for_each(|second| log.publish(&tick(second * 1000)));
    log
}

/// A new cursor, how its stream starts, and its first window with the id of its newest event.
fn open_cursor(
    log: &TickLog,
    events: EventFilter,
    last_id: Option<Result<EventId, InvalidId>>,
    window: usize,
) -> (Start, Option<(WindowSnapshot, EventId)>, Cursor) {
    let (start, mut cursor) = log.open_cursor(events, last_id, window);
    let is_window = cursor.pending.is_some();
    let window = is_window.then(|| match log.advance(&mut cursor, Coding::Identity) {
        Progress::Window(chunk) => parse_window(&chunk),
        other => panic!("{other:?} instead of a window"),
    });
    (start, window, cursor)
}

fn parse_window(chunk: &Chunk) -> (WindowSnapshot, EventId) {
    let text = String::from_utf8(chunk.data().to_vec()).unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    (serde_json::from_str(data).unwrap(), ids(&text).next().unwrap())
}

fn open(log: &TickLog, last_id: &str) -> (Start, Option<(WindowSnapshot, EventId)>, Cursor) {
    open_cursor(log, ALL, Some(last_id.parse()), 300)
}

/// The next bytes at `cursor` as text; `None` for a window.
fn advance(log: &TickLog, cursor: &mut Cursor) -> Option<String> {
    match log.advance(cursor, Coding::Identity) {
        Progress::Events(chunk) => Some(String::from_utf8(chunk.data().to_vec()).unwrap()),
        Progress::UpToDate => Some(String::new()),
        Progress::Window(_) | Progress::Conflated(_) => None,
        Progress::Delayed => panic!("no memory"),
    }
}

fn ids(text: &str) -> impl Iterator<Item = EventId> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
}

#[test]
fn catching_up_waits_while_slow_viewers_hold_the_memory() {
    let log = log(100, 200);
    let held = exhaust_chunk_memory(&log);
    let (_, mut behind) = log.open_cursor(ALL, Some("1000-2-e3b0c4".parse()), 300);
    let (_, mut new) = log.open_cursor(ALL, None, 300);
    let (_, mut live) = log.open_cursor(ALL, None, 0);
    log.publish(&tick(101_000));
    for cursor in [&mut behind, &mut new] {
        assert!(matches!(log.advance(cursor, Coding::Identity), Progress::Delayed));
    }
    assert!(matches!(log.advance(&mut live, Coding::Identity), Progress::Events(_)));
    drop(held);
    assert_eq!(drain(&log, &mut behind).len(), 300);
    assert!(matches!(log.advance(&mut new, Coding::Identity), Progress::Window(_)));
}

/// The ids of all events up to the newest.
fn drain(log: &TickLog, cursor: &mut Cursor) -> Vec<EventId> {
    let texts = std::iter::repeat_with(|| advance(log, cursor).expect("no window among the events"));
    texts.take_while(|text| !text.is_empty()).flat_map(|text| ids(&text).collect::<Vec<_>>()).collect()
}

#[test]
fn new_viewer_starts_with_window() {
    let log = log(5, 10);
    let (start, window, mut cursor) = open_cursor(&log, ALL, None, 3);
    let (columns, newest) = window.unwrap();
    assert_eq!((start, columns.t0, columns.n, newest), (Start::Window, 3000, 3, id(5000, 2)));
    assert_eq!(drain(&log, &mut cursor), []);
    log.publish(&tick(6000));
    assert_eq!(drain(&log, &mut cursor), [id(6000, 0), id(6000, 1), id(6000, 2)]);
}

#[test]
fn new_viewer_without_window_starts_live() {
    let (start, window, _) = open_cursor(&log(5, 10), ALL, None, 0);
    assert_eq!((start, window), (Start::Live, None));
    let (start, window, _) = open_cursor(&log(0, 10), ALL, None, 300);
    assert_eq!((start, window), (Start::Live, None), "no tick yet, so no window");
}

#[test]
fn known_id_replays_from_next_event() {
    let log = log(5, 10);
    let (start, window, mut cursor) = open(&log, "4000-1-e3b0c4");
    assert_eq!((start, window), (Start::Replay, None));
    assert_eq!(drain(&log, &mut cursor), [id(4000, 2), id(5000, 0), id(5000, 1), id(5000, 2)]);
    let (start, _, mut cursor) = open(&log, "5000-2-e3b0c4");
    assert_eq!((start, drain(&log, &mut cursor)), (Start::Replay, vec![]));
}

/// A killed server has sent ids after the newest that it saved.
#[test]
fn id_in_a_gap_yields_window() {
    let log = log(5, 10);
    log.publish(&tick(60_000));
    for lost in ["5000-3-e3b0c4", "8000-1-e3b0c4", "59000-2-e3b0c4"] {
        let (start, window, _) = open(&log, lost);
        assert_eq!(start, Start::Window, "{lost}");
        let (columns, newest) = window.unwrap();
        assert_eq!(newest, id(60_000, 2));
        let values = &columns.series["memory.used_bytes"].0;
        assert!(values.iter().rev().skip(1).all(|value| value.is_none_or(|value| value <= 5000.0)), "{values:?}");
    }
    assert_eq!(open(&log, "5000-2-e3b0c4").0, Start::Replay);
}

#[test]
fn id_older_than_ring_yields_window_from_that_id() {
    let (start, window, _) = open(&log(50, 10), "30000-1-e3b0c4");
    let (columns, newest) = window.unwrap();
    assert_eq!((start, columns.t0, columns.n, columns.truncated), (Start::Window, 30_000, 21, false));
    assert_eq!(newest, id(50_000, 2));
}

#[test]
fn window_shorter_than_gap_is_truncated() {
    let log = TickLog::with_ring(10);
    (500..600).for_each(|second| log.publish(&tick(second * 1000)));
    let (start, window, _) = open(&log, "400000-2-e3b0c4");
    let (columns, _) = window.unwrap();
    assert_eq!((start, columns.t0, columns.truncated), (Start::Window, 500_000, true));
}

#[test]
fn foreign_or_future_id_resets() {
    for foreign in ["6000-0-e3b0c4", "99999999999999-0", "", "abc", "5000-3-e3b0c4", "1'; --"] {
        let (start, window, _) = open(&log(5, 10), foreign);
        assert_eq!(start, Start::Reset, "{foreign:?}");
        assert_eq!(window.unwrap().0.n, 5);
    }
    let (start, window, _) = open(&log(0, 10), "5000-0-e3b0c4");
    assert_eq!((start, window), (Start::Reset, None));
}

#[test]
fn viewer_behind_ring_skips_ahead_with_window() {
    let log = log(5, 4);
    let (_, _, mut cursor) = open_cursor(&log, ALL, None, 0);
    (6..=30).for_each(|second| log.publish(&tick(second * 1000)));
    let Progress::Conflated(chunk) = log.advance(&mut cursor, Coding::Identity) else { panic!("no window") };
    let (columns, newest) = parse_window(&chunk);
    assert_eq!((columns.t0, columns.n, newest), (5000, 26, id(30_000, 2)));
    log.publish(&tick(31_000));
    assert_eq!(drain(&log, &mut cursor).first(), Some(&id(31_000, 0)));
}

#[test]
fn event_filter_applies_to_window_and_live_events() {
    let log = log(5, 10);
    let (_, window, mut cursor) = open_cursor(&log, EventFilter::from_iter(["memory"]), None, 300);
    assert_eq!(window.unwrap().0.series.keys().collect::<Vec<_>>(), ["memory.used_bytes"]);
    log.publish(&tick(6000));
    assert_eq!(drain(&log, &mut cursor), [id(6000, 1)]);
}

#[test]
fn viewers_that_kept_up_share_newest_tick() {
    let log = log(5, 10);
    let (_, _, mut ready) = open(&log, "4000-2-e3b0c4");
    let (_, _, mut within) = open(&log, "4000-1-e3b0c4");
    let mut newest = log.newest_tick().unwrap();
    let shared = newest.pass(&mut ready, Coding::Identity).unwrap().data();
    assert_eq!(ids(std::str::from_utf8(&shared).unwrap()).collect::<Vec<_>>(), [id(5000, 0), id(5000, 1), id(5000, 2)]);
    assert_eq!(drain(&log, &mut ready), []);
    assert!(newest.pass(&mut ready, Coding::Identity).is_none(), "already passed");
    assert!(newest.pass(&mut within, Coding::Identity).is_none(), "still within an earlier tick");
    assert_eq!(drain(&log, &mut within).len(), 4);
}

#[test]
fn polling_client_gets_window_since_its_id() {
    let log = log(5, 2);
    let (start, columns, newest) = log.since(&ALL, Some("3000-1-e3b0c4".parse()), 300);
    assert_eq!((start, columns.t0, columns.n, newest), (Start::Window, 3000, 3, Some(id(5000, 2))));
    let (start, columns, _) = log.since(&ALL, Some("5000-2-e3b0c4".parse()), 300);
    assert_eq!((start, columns.t0, columns.n), (Start::Window, 5000, 1));
    let (start, columns, _) = log.since(&ALL, None, 2);
    assert_eq!((start, columns.t0, columns.n), (Start::Window, 4000, 2));
    for foreign in ["6000-0-e3b0c4", "abc"] {
        let (start, columns, _) = log.since(&ALL, Some(foreign.parse()), 300);
        assert_eq!((start, columns.n), (Start::Reset, 5), "{foreign}");
    }
    assert_eq!(super::TickLog::default().since(&ALL, None, 300).2, None);
}

#[test]
fn ids_rise_when_clock_steps_back() {
    let log = log(5, 10);
    log.publish(&tick(2000));
    let (start, _, mut cursor) = open(&log, "5000-2-e3b0c4");
    assert_eq!((start, drain(&log, &mut cursor)), (Start::Replay, vec![id(5000, 3), id(5000, 4), id(5000, 5)]));
}

#[test]
fn viewers_that_resume_at_the_same_id_share_their_chunks() {
    let log = log(200, 900);
    let replay = |last_id: &str| {
        let (_, mut cursor) = log.open_cursor(ALL, Some(last_id.parse()), 0);
        let mut addresses = Vec::new();
        while let Progress::Events(chunk) = log.advance(&mut cursor, Coding::Gzip) {
            addresses.push(chunk.framed().as_ptr() as usize);
        }
        addresses
    };
    let (first, second, later) = (replay("10000-2-e3b0c4"), replay("10000-2-e3b0c4"), replay("30000-2-e3b0c4"));
    assert!(first.len() < 20, "{} chunks for 190 ticks", first.len());
    assert_eq!(first, second);
    assert_eq!(first[first.len() - 5..], later[later.len() - 5..], "and most with one that resumes elsewhere");
}

#[test]
fn viewers_that_start_at_the_same_tick_share_their_window() {
    let log = log(5, 10);
    let window = || {
        let (_, mut cursor) = log.open_cursor(ALL, None, 300);
        let Progress::Window(chunk) = log.advance(&mut cursor, Coding::Gzip) else { panic!("no window") };
        chunk.framed().as_ptr()
    };
    assert_eq!(window(), window());
}
