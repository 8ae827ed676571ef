//! Restores a log from what was kept, exactly: streams resume by id as if the server had not stopped.

use super::{EncodedTick, Head, InvalidEvents, RING_TICKS, SentEvent, TickLog};
use crate::schema::{IdSequence, Identity, Window};
use std::sync::Arc;

impl TickLog {
    /// The log with these values and the newest events; its ids continue after theirs.
    ///
    /// # Errors
    /// When the events are not those of a log, in order.
    pub fn restored(identity: Identity, window: Window, events: &[SentEvent]) -> Result<Self, InvalidEvents> {
        if let Some([_, early]) = events.array_windows().find(|[before, next]| !follows(next, before)) {
            return Err(InvalidEvents::Order(early.id));
        }
        let log = Self::of(identity);
        let mut publisher = log.publisher();
        let mut history = log.history_mut();
        history.values.window = Arc::new(window);
        let ticks: Vec<_> = events.chunk_by(|one, next| one.t == next.t).collect();
        for tick in &ticks[ticks.len().saturating_sub(RING_TICKS)..] {
            let json = tick.iter().map(|event| (publisher.names.share(&event.name), event.data.as_str()));
            let encoded = EncodedTick::from_json(tick[0].id, json.collect::<Vec<_>>())?;
            history.ring.push_back(Arc::new(encoded.packed().unwrap_or(encoded)));
        }
        publisher.ids = IdSequence::after(log.tag, events.last().map(|event| event.id));
        let head = Head { published: history.published(), last_tick: history.values.window.end(), ..Head::default() };
        drop((history, publisher));
        log.head.send_replace(head);
        Ok(log)
    }
}

fn follows(event: &SentEvent, previous: &SentEvent) -> bool {
    if event.t == previous.t { event.id == previous.id.plus(1) } else { event.id > previous.id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{EventFilter, EventId},
        server::log::{
            Coding, Cursor, Progress, sent_events,
            tests::{id, restored, tick},
        },
    };

    /// Everything that a viewer after `last_id` gets.
    fn replay(log: &TickLog, last_id: EventId) -> Vec<u8> {
        let (_, mut cursor): (_, Cursor) = log.open_cursor(EventFilter::All, Some(Ok(last_id)), 0);
        let mut sent = Vec::new();
        loop {
            match log.advance(&mut cursor, Coding::Identity) {
                Progress::Events(chunk) => sent.extend_from_slice(&chunk.data()),
                Progress::UpToDate => return sent,
                other => panic!("{other:?} instead of a replay"),
            }
        }
    }

    fn log(seconds: impl IntoIterator<Item = u64>) -> TickLog {
        let log = TickLog::default();
        seconds.into_iter().for_each(|second| log.publish(&tick(second * 1000)));
        log
    }

    #[test]
    fn restored_log_replays_and_continues_exactly() {
        // Longer than the ring, with a gap and a clock that steps back.
        let (one, last) = (log((1..1000).chain([1100, 1101, 1050, 1051])), id(500_000, 1));
        let two = restored(&one);
        for log in [&one, &two] {
            log.publish(&tick(1_060_000));
        }
        assert_eq!(one.snapshot(3600), two.snapshot(3600));
        let (replayed, expected) = (replay(&two, last), replay(&one, last));
        assert!(expected.starts_with(b"id: 500000-2-e3b0c4\n"));
        assert_eq!(String::from_utf8(replayed), String::from_utf8(expected));
    }

    #[test]
    fn foreign_events_are_refused_with_reason() {
        let text = String::from_utf8(log(1..4).ticks_after(&mut 0).events.to_vec()).unwrap();
        for (from, to, reason) in [
            ("id: 2000-1-", "id: 2000-2-", "2000-2-e3b0c4 is out of order"),
            ("id: 3000-0-", "id: 1000-0-", "1000-0-e3b0c4 is out of order"),
            ("id: 2000-1-", "id: 2000", "invalid event id"),
            ("{\"t\":2000", "{\"t\":true", "invalid data"),
        ] {
            let events = sent_events(text.replace(from, to).as_bytes());
            let error = events.and_then(|events| TickLog::restored(Identity::default(), Window::new(9), &events));
            let error = error.map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(reason), "{from} -> {to}: {error}");
        }
    }
}
