//! Reads the log for the history, as text to keep. It takes no part in the memory that viewers share.

use super::TickLog;
use crate::schema::EventFilter;
use bytes::BytesMut;
use std::sync::Arc;

/// Ticks of the ring, as they are sent.
#[derive(Debug)]
pub struct RecordedTicks {
    /// The events.
    pub events: BytesMut,
    /// The newest tick of the log, unix milliseconds.
    pub newest: Option<u64>,
    /// Whether ticks had left the ring before they were read.
    pub missed: bool,
}

impl TickLog {
    /// The number of the next tick, counted from the start of the log.
    pub fn next_tick(&self) -> u64 {
        self.history().published()
    }

    /// The ticks from number `next` on, which moves past them.
    pub fn ticks_after(&self, next: &mut u64) -> RecordedTicks {
        let (ticks, missed, newest) = {
            let history = self.history();
            let skipped = next.saturating_sub(history.dropped) as usize;
            let ticks: Vec<_> = history.ring.iter().skip(skipped).map(Arc::clone).collect();
            let missed = *next < history.dropped;
            *next = history.published();
            (ticks, missed, history.values.window.end())
        };
        let mut events = BytesMut::new();
        ticks.iter().for_each(|tick| _ = tick.write(&mut events, &EventFilter::All, 0));
        RecordedTicks { events, newest, missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::tests::tick;

    #[test]
    fn every_tick_is_read_once_and_missed_ones_are_reported() {
        let log = TickLog::with_ring(5);
        let mut next = log.next_tick();
        let mut read = |log: &TickLog| {
            let RecordedTicks { events, newest, missed } = log.ticks_after(&mut next);
            let text = String::from_utf8(events.to_vec()).unwrap();
            (text.matches("event: cpu\n").count(), newest, missed)
        };
        assert_eq!(read(&log), (0, None, false));
        (1..=3).for_each(|second| log.publish(&tick(second * 1000)));
        assert_eq!(read(&log), (3, Some(3000), false));
        assert_eq!(read(&log), (0, Some(3000), false));
        (4..=20).for_each(|second| log.publish(&tick(second * 1000)));
        assert_eq!(read(&log), (5, Some(20_000), true));
    }
}
