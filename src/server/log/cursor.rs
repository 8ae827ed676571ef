//! A viewer's place in the stream.

use super::{Chunk, Coding, History, TickLog, encoded_tick::EncodedTick};
use crate::schema::{EventId, EventNames, INTERVAL_MS, InvalidId, WindowSnapshot};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Ticks handed out at a time, so that a long replay doesn't hold the lock for long.
const BATCH: u64 = 64;

/// How a stream starts, as `hello` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// With the next tick.
    Live,
    /// With every event since the client's id, as first sent.
    Replay,
    /// With a window.
    Window,
    /// With a window, since the client's id means nothing here.
    Reset,
}

impl Start {
    /// As it stands in `hello`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replay => "replay",
            Self::Window => "window",
            Self::Reset => "reset",
        }
    }
}

/// A place between two events of the stream, and which events its viewer wants.
#[derive(Debug)]
pub struct Cursor {
    wanted: EventNames,
    /// The tick that comes next, counted from the start of the log.
    next: u64,
    /// Events of that tick that the viewer has already.
    skip: usize,
    /// The last event passed; where a window has to begin if the ring overtakes.
    passed: Option<EventId>,
}

/// What a viewer gets next.
#[derive(Debug, PartialEq)]
pub enum Progress {
    /// The newest tick, as everyone gets it who has kept up.
    Live(Chunk),
    /// Events of the history, and how many.
    Replay(Bytes, u32),
    /// A window in place of events that are gone, and the id of its newest tick.
    Window(WindowSnapshot, EventId),
    /// Nothing: it has everything.
    UpToDate,
}

impl TickLog {
    /// A cursor for a new viewer, how its stream starts, and the window it starts with if any. `last_id` is where the
    /// viewer says it was, `window` how many seconds it wants if it is new here. What the window holds and what the
    /// cursor will yield meet without a gap or an overlap.
    pub fn open(
        &self,
        wanted: EventNames,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, Option<(WindowSnapshot, EventId)>, Cursor) {
        let history = self.history();
        let newest = history.last_id();
        let mut cursor = Cursor { wanted, next: history.published(), skip: 0, passed: newest };
        let start = match last_id {
            None if window == 0 || newest.is_none() => Start::Live,
            None => Start::Window,
            Some(Ok(id)) if newest.is_some_and(|newest| id <= newest) => match history.place_after(id) {
                Some((next, skip)) => {
                    (cursor.next, cursor.skip, cursor.passed) = (next, skip, Some(id));
                    Start::Replay
                }
                None => Start::Window,
            },
            Some(_) => Start::Reset,
        };
        let columns = match (start, last_id) {
            (Start::Window, Some(Ok(id))) => Some(history.columns_from(id, cursor.wanted)),
            (Start::Window | Start::Reset, _) => Some(history.window.snapshot(None, window, cursor.wanted)),
            (Start::Live | Start::Replay, _) => None,
        };
        (start, columns.zip(newest), cursor)
    }

    /// What there is from `last_id` on, or the newest `window` seconds for a client that is new here or says what means
    /// nothing; and the id of the newest event in it.
    pub fn since(
        &self,
        wanted: EventNames,
        last_id: Option<Result<EventId, InvalidId>>,
        window: usize,
    ) -> (Start, WindowSnapshot, Option<EventId>) {
        let history = self.history();
        let newest = history.last_id();
        let (start, columns) = match last_id {
            Some(Ok(id)) if newest.is_some_and(|newest| id <= newest) => {
                (Start::Window, history.columns_from(id, wanted))
            }
            Some(_) => (Start::Reset, history.window.snapshot(None, window, wanted)),
            None => (Start::Window, history.window.snapshot(None, window, wanted)),
        };
        (start, columns, newest)
    }

    /// What follows at `cursor`, which moves past it. `coding` is how a shared chunk is packed.
    pub fn advance(&self, cursor: &mut Cursor, coding: Coding) -> Progress {
        loop {
            let ticks = match self.frames_after(cursor) {
                Ok(ticks) => ticks,
                Err((columns, newest)) => return Progress::Window(columns, newest),
            };
            // Out of the lock, which the next tick waits for.
            let (events, skip) = (&ticks[..], std::mem::take(&mut cursor.skip));
            match events {
                [] => {
                    cursor.skip = skip;
                    return Progress::UpToDate;
                }
                [only] if skip == 0 => {
                    if let Some(chunk) = only.share(cursor.wanted, coding) {
                        return Progress::Live(chunk);
                    }
                }
                [first, rest @ ..] => {
                    let mut plain = BytesMut::new();
                    let written = first.write(&mut plain, cursor.wanted, skip)
                        + rest.iter().map(|tick| tick.write(&mut plain, cursor.wanted, 0)).sum::<u32>();
                    if written > 0 {
                        return Progress::Replay(plain.freeze(), written);
                    }
                }
            }
        }
    }

    /// The next ticks, which `cursor` passes; a window if they are gone.
    fn frames_after(&self, cursor: &mut Cursor) -> Result<Vec<Arc<EncodedTick>>, (WindowSnapshot, EventId)> {
        let history = self.history();
        if let (Some(newest), true) = (history.last_id(), cursor.next < history.dropped) {
            let columns = match cursor.passed {
                Some(id) => history.columns_from(id, cursor.wanted),
                None => history.window.snapshot(None, usize::MAX, cursor.wanted),
            };
            (cursor.next, cursor.skip, cursor.passed) = (history.published(), 0, Some(newest));
            return Err((columns, newest));
        }
        let end = history.published().min(cursor.next + BATCH);
        let range = (cursor.next - history.dropped) as usize..(end - history.dropped) as usize;
        let ticks: Vec<_> = history.ring.range(range).cloned().collect();
        cursor.next = end;
        cursor.passed = ticks.last().map(|tick| tick.last()).or(cursor.passed);
        Ok(ticks)
    }
}

/// The newest tick, for all the cursors that have kept up: what they share is looked up once, and without a lock.
#[derive(Debug)]
pub struct Newest {
    tick: Arc<EncodedTick>,
    /// Counted from the start of the log.
    number: u64,
    chunks: Vec<(EventNames, Coding, Option<Chunk>)>,
}

impl TickLog {
    /// The newest tick, if there is one.
    pub fn newest(&self) -> Option<Newest> {
        let history = self.history();
        let tick = Arc::clone(history.ring.back()?);
        Some(Newest { tick, number: history.published() - 1, chunks: Vec::new() })
    }
}

impl Newest {
    /// What this tick is to a viewer whose `cursor` stands right before it, and passes it. `None` if it stands elsewhere,
    /// or the tick has nothing for it; then [`TickLog::advance`] knows what comes next.
    pub fn pass(&mut self, cursor: &mut Cursor, coding: Coding) -> Option<&Chunk> {
        if (cursor.next, cursor.skip) != (self.number, 0) {
            return None;
        }
        let known = self.chunks.iter().position(|(wanted, packed, _)| (*wanted, *packed) == (cursor.wanted, coding));
        let index = known.unwrap_or_else(|| {
            self.chunks.push((cursor.wanted, coding, self.tick.share(cursor.wanted, coding)));
            self.chunks.len() - 1
        });
        let chunk = self.chunks[index].2.as_ref()?;
        (cursor.next, cursor.passed) = (self.number + 1, Some(self.tick.last()));
        Some(chunk)
    }
}

impl History {
    /// The tick and the place in it that follow `id`; `None` where the ring doesn't reach back to it.
    fn place_after(&self, id: EventId) -> Option<(u64, usize)> {
        let oldest = self.ring.front()?;
        if id < oldest.first {
            return None;
        }
        let index = self.ring.partition_point(|tick| tick.last() <= id);
        let skip = self.ring.get(index).map_or(0, |tick| tick.position_after(id));
        Some((self.dropped + index as u64, skip))
    }

    /// Everything from the tick of `id` on, that tick included: the viewer may have seen but a part of it.
    fn columns_from(&self, id: EventId, wanted: EventNames) -> WindowSnapshot {
        self.window.snapshot(Some(id.ms.saturating_sub(INTERVAL_MS)), usize::MAX, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{schema::EventName, server::log::tests::tick};
    use proptest::prelude::*;
    use std::thread;

    const ALL: EventNames = EventNames::ALL;

    fn id(ms: u64, n: u32) -> EventId {
        EventId { ms, n }
    }

    /// A log that has published the ticks 1 to `last`, and keeps `ring` of them.
    fn log(last: u64, ring: usize) -> TickLog {
        let log = TickLog::with_ring(ring);
        (1..=last).for_each(|second| log.publish(&tick(second * 1000)));
        log
    }

    fn open(log: &TickLog, last_id: &str) -> (Start, Option<(WindowSnapshot, EventId)>, Cursor) {
        log.open(ALL, Some(last_id.parse()), 300)
    }

    /// What follows at `cursor`, as text; `None` if that is a window.
    fn advance(log: &TickLog, cursor: &mut Cursor) -> Option<String> {
        let bytes = match log.advance(cursor, Coding::Identity) {
            Progress::Live(chunk) => chunk.data(),
            Progress::Replay(bytes, _) => bytes,
            Progress::UpToDate => Bytes::new(),
            Progress::Window(..) => return None,
        };
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn ids(text: &str) -> impl Iterator<Item = EventId> {
        text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
    }

    /// The ids of all events that wait for a viewer.
    fn drain(log: &TickLog, cursor: &mut Cursor) -> Vec<EventId> {
        let texts = std::iter::repeat_with(|| advance(log, cursor).expect("no window among the events"));
        texts.take_while(|text| !text.is_empty()).flat_map(|text| ids(&text).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_new_viewer_starts_with_a_window() {
        let log = log(5, 10);
        let (start, window, mut cursor) = log.open(ALL, None, 3);
        let (columns, newest) = window.unwrap();
        assert_eq!((start, columns.t0, columns.n, newest), (Start::Window, 3000, 3, id(5000, 2)));
        assert_eq!(drain(&log, &mut cursor), []);
        log.publish(&tick(6000));
        assert_eq!(drain(&log, &mut cursor), [id(6000, 0), id(6000, 1), id(6000, 2)]);
    }

    #[test]
    fn a_new_viewer_may_want_no_window() {
        let (start, window, _) = log(5, 10).open(ALL, None, 0);
        assert_eq!((start, window), (Start::Live, None));
        let (start, window, _) = log(0, 10).open(ALL, None, 300);
        assert_eq!((start, window), (Start::Live, None), "there is nothing yet that a window could show");
    }

    #[test]
    fn a_known_id_is_resumed_after_to_the_event() {
        let log = log(5, 10);
        let (start, window, mut cursor) = open(&log, "4000-1");
        assert_eq!((start, window), (Start::Replay, None));
        assert_eq!(drain(&log, &mut cursor), [id(4000, 2), id(5000, 0), id(5000, 1), id(5000, 2)]);
        let (start, _, mut cursor) = open(&log, "5000-2");
        assert_eq!((start, drain(&log, &mut cursor)), (Start::Replay, vec![]));
    }

    #[test]
    fn an_id_older_than_the_ring_gets_a_window_from_there() {
        let (start, window, _) = open(&log(50, 10), "30000-1");
        let (columns, newest) = window.unwrap();
        assert_eq!((start, columns.t0, columns.n, columns.truncated), (Start::Window, 30_000, 21, false));
        assert_eq!(newest, id(50_000, 2));
    }

    #[test]
    fn a_window_that_does_not_reach_back_says_so() {
        let log = TickLog::with_ring(10);
        (500..600).for_each(|second| log.publish(&tick(second * 1000)));
        let (start, window, _) = open(&log, "400000-2");
        let (columns, _) = window.unwrap();
        assert_eq!((start, columns.t0, columns.truncated), (Start::Window, 500_000, true));
    }

    #[test]
    fn ids_that_mean_nothing_here_reset_the_client() {
        for foreign in ["6000-0", "99999999999999-0", "", "abc", "5000-3", "1'; --"] {
            let (start, window, _) = open(&log(5, 10), foreign);
            assert_eq!(start, Start::Reset, "{foreign:?}");
            assert_eq!(window.unwrap().0.n, 5);
        }
        let (start, window, _) = open(&log(0, 10), "5000-0");
        assert_eq!((start, window), (Start::Reset, None));
    }

    #[test]
    fn a_viewer_that_the_ring_has_passed_skips_ahead_with_a_window() {
        let log = log(5, 4);
        let (_, _, mut cursor) = log.open(ALL, None, 0);
        (6..=30).for_each(|second| log.publish(&tick(second * 1000)));
        let Progress::Window(columns, newest) = log.advance(&mut cursor, Coding::Identity) else { panic!("no window") };
        assert_eq!((columns.t0, columns.n, newest), (5000, 26, id(30_000, 2)));
        log.publish(&tick(31_000));
        assert_eq!(drain(&log, &mut cursor).first(), Some(&id(31_000, 0)));
    }

    #[test]
    fn a_filter_holds_for_the_window_and_for_what_follows() {
        let log = log(5, 10);
        let (_, window, mut cursor) = log.open(EventNames::from_iter([EventName::Memory]), None, 300);
        assert_eq!(window.unwrap().0.series.keys().collect::<Vec<_>>(), ["memory.used"]);
        log.publish(&tick(6000));
        assert_eq!(drain(&log, &mut cursor), [id(6000, 1)]);
    }

    #[test]
    fn those_who_have_kept_up_pass_the_newest_tick_together() {
        let log = log(5, 10);
        let (_, _, mut ready) = open(&log, "4000-2");
        let (_, _, mut within) = open(&log, "4000-1");
        let mut newest = log.newest().unwrap();
        let shared = newest.pass(&mut ready, Coding::Identity).unwrap().data();
        assert_eq!(
            ids(std::str::from_utf8(&shared).unwrap()).collect::<Vec<_>>(),
            [id(5000, 0), id(5000, 1), id(5000, 2)]
        );
        assert_eq!(drain(&log, &mut ready), []);
        assert_eq!(newest.pass(&mut ready, Coding::Identity), None, "it has passed it");
        assert_eq!(newest.pass(&mut within, Coding::Identity), None, "it isn't there yet");
        assert_eq!(drain(&log, &mut within).len(), 4);
    }

    #[test]
    fn who_asks_now_and_then_gets_what_has_come_since() {
        let log = log(5, 2);
        let (start, columns, newest) = log.since(ALL, Some("3000-1".parse()), 300);
        assert_eq!((start, columns.t0, columns.n, newest), (Start::Window, 3000, 3, Some(id(5000, 2))));
        let (start, columns, _) = log.since(ALL, Some("5000-2".parse()), 300);
        assert_eq!((start, columns.t0, columns.n), (Start::Window, 5000, 1));
        let (start, columns, _) = log.since(ALL, None, 2);
        assert_eq!((start, columns.t0, columns.n), (Start::Window, 4000, 2));
        for foreign in ["6000-0", "abc"] {
            let (start, columns, _) = log.since(ALL, Some(foreign.parse()), 300);
            assert_eq!((start, columns.n), (Start::Reset, 5), "{foreign}");
        }
        assert_eq!(super::TickLog::default().since(ALL, None, 300).2, None);
    }

    #[test]
    fn ids_go_on_rising_when_the_clock_steps_back() {
        let log = log(5, 10);
        log.publish(&tick(2000));
        let (start, _, mut cursor) = open(&log, "5000-2");
        assert_eq!((start, drain(&log, &mut cursor)), (Start::Replay, vec![id(5000, 3), id(5000, 4), id(5000, 5)]));
    }

    /// At the seam between past and live nothing is missing and nothing comes twice, while ticks pour in.
    #[test]
    fn the_seam_is_exact_under_a_publisher_at_full_speed() {
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
                        // Every time with a new connection, resuming or starting with a window in turn.
                        let resume = (seen.len() + viewer) % 2 == 0;
                        let last_id = *seen.last().unwrap();
                        let (start, window, mut cursor) = log.open(ALL, resume.then_some(Ok(last_id)), RETENTION);
                        match (resume, window) {
                            (true, window) => assert_eq!((start, window), (Start::Replay, None)),
                            (false, window) => seen.push(window.unwrap().1),
                        }
                        let events = advance(&log, &mut cursor).expect("nothing is overtaken");
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

    const RETENTION: usize = 3;

    /// The id that must come next where each tick has three events.
    fn following(last: EventId) -> EventId {
        if last.n == 2 { id(last.ms + 1000, 0) } else { last.plus(1) }
    }

    proptest! {
        #[test]
        fn wherever_a_client_drops_it_misses_nothing(ring in 1usize..30, drops in prop::collection::vec((0u64..8, 0usize..12), 1..12)) {
            let log = TickLog::with_ring(ring);
            let mut published = 1;
            log.publish(&tick(1000));
            let mut position = id(1000, 2);
            for (ticks, taken) in drops {
                for _ in 0..ticks {
                    published += 1;
                    log.publish(&tick(published * 1000));
                }
                let (start, window, mut cursor) = log.open(ALL, Some(Ok(position)), 300);
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
}
