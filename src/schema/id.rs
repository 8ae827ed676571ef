//! Event ids: a client's position in the stream.

use std::{fmt, str::FromStr};

/// `<unix ms of the tick>-<n>`, where `n` is the event's index in its tick. Later events have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Unix milliseconds of the tick.
    pub ms: u64,
    /// The event's index in its tick, from 0.
    pub n: u32,
}

impl EventId {
    /// The id `count` events later in the same tick.
    pub const fn plus(self, count: u32) -> Self {
        Self { ms: self.ms, n: self.n + count }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.n)
    }
}

/// The error of parsing a malformed event id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid event id {0:?}; expected <unix milliseconds>-<number>")]
pub struct InvalidId(pub String);

impl FromStr for EventId {
    type Err = InvalidId;

    /// Accepts only the form that [`Display`](fmt::Display) writes; `+1-0` or `01-0` are foreign.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId(text.to_owned());
        let (ms, n) = text.split_once('-').ok_or_else(invalid)?;
        let id = Self { ms: ms.parse().map_err(|_| invalid())?, n: n.parse().map_err(|_| invalid())? };
        if id.to_string() == text { Ok(id) } else { Err(invalid()) }
    }
}

/// Generates strictly increasing ids, even if the clock steps back.
#[derive(Debug, Default)]
pub struct IdSequence {
    last: Option<EventId>,
}

impl IdSequence {
    /// Continues after `last`, the id of the last event already published.
    pub const fn after(last: Option<EventId>) -> Self {
        Self { last }
    }

    /// Reserves `events` consecutive ids for the tick at `t` (unix ms) and returns the first. If the clock stepped
    /// back, the ids continue from the last one.
    pub fn take(&mut self, t: u64, events: u32) -> EventId {
        let first = match self.last {
            Some(last) if t <= last.ms => last.plus(1),
            _ => EventId { ms: t, n: 0 },
        };
        self.last = events.checked_sub(1).map(|more| first.plus(more)).or(self.last);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn id_in_foreign_spelling_is_rejected() {
        assert_eq!("1700000000000-2".parse(), Ok(EventId { ms: 1_700_000_000_000, n: 2 }));
        for foreign in
            ["", "-", "1", "1-", "-1", "+1-0", "01-0", "1-00", "1-0 ", "1-0-0", "99999999999999999999-0", "x-y"]
        {
            assert_eq!(foreign.parse::<EventId>(), Err(InvalidId(foreign.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn id_round_trips_as_text(ms: u64, n: u32) {
            let id = EventId { ms, n };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn parser_accepts_arbitrary_text_without_panic(text in ".*") {
            let _ = text.parse::<EventId>();
        }

        #[test]
        fn ids_increase_under_any_clock(ticks in prop::collection::vec((0u64..5_000, 0u32..4), 1..200)) {
            let mut ids = IdSequence::default();
            let mut last = None;
            for (t, events) in ticks {
                let first = ids.take(t, events);
                for n in 0..events {
                    let id = first.plus(n);
                    prop_assert!(Some(id) > last);
                    last = Some(id);
                }
            }
        }
    }
}
