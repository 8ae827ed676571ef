//! Tests that no event is missing or repeated where a window or a replay meets live events.

use super::*;
use proptest::prelude::*;
use std::thread;

const WINDOW_S: usize = 3;

/// Between window or replay and live events, none is missing and none is repeated while ticks are published.
#[test]
fn window_and_live_events_meet_exactly_under_load() {
    const TICKS: u64 = 20_000;
    let log = Arc::new(TickLog::with_ring(TICKS as usize));
    log.publish(&tick(1000));
    let publisher = thread::spawn({
        let log = Arc::clone(&log);
        move || (2..=TICKS).for_each(|second| log.publish(&tick(second * 1000)))
    });
    let viewers: Vec<_> = (0..3)
        .map(|viewer| {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                let mut seen = vec![id(1000, 2)];
                while *seen.last().unwrap() != id(TICKS * 1000, 2) {
                    // Each round is a new connection; it resumes and starts with a window in turn.
                    let resume = (seen.len() + viewer) % 2 == 0;
                    let last_id = *seen.last().unwrap();
                    let (start, window, mut cursor) = open_cursor(&log, ALL, resume.then_some(Ok(last_id)), WINDOW_S);
                    match (resume, window) {
                        (true, window) => assert_eq!((start, window), (Start::Replay, None)),
                        (false, window) => seen.push(window.unwrap().1),
                    }
                    let events = advance(&log, &mut cursor).expect("the ring holds every tick");
                    let mut expected = *seen.last().unwrap();
                    for id in ids(&events) {
                        expected = following(expected);
                        assert_eq!(id, expected);
                    }
                    seen.push(expected);
                }
                seen.len()
            })
        })
        .collect();
    publisher.join().unwrap();
    for viewer in viewers {
        assert!(viewer.join().unwrap() > 2);
    }
}

/// The id after `last`, with three events per tick.
fn following(last: EventId) -> EventId {
    if last.n == 2 { id(last.ms + 1000, 0) } else { last.plus(1) }
}

proptest! {
    #[test]
    fn resume_at_any_event_loses_none_and_repeats_none(ring in 1usize..30, drops in prop::collection::vec((0u64..8, 0usize..12), 1..12)) {
        let log = TickLog::with_ring(ring);
        let mut published = 1;
        log.publish(&tick(1000));
        let mut position = id(1000, 2);
        for (ticks, taken) in drops {
            for _ in 0..ticks {
                published += 1;
                log.publish(&tick(published * 1000));
            }
            let (start, window, mut cursor) = open_cursor(&log, ALL, Some(Ok(position)), 300);
            match window {
                Some((columns, newest)) => {
                    prop_assert_eq!(start, Start::Window);
                    prop_assert!(columns.t0 <= position.ms && !columns.truncated);
                    position = newest;
                }
                None => prop_assert_eq!(start, Start::Replay),
            }
            for event in drain(&log, &mut cursor).into_iter().take(taken) {
                prop_assert_eq!(event, following(position));
                position = event;
            }
        }
    }
}
