//! Event ids: a client's position in the stream.

use std::{fmt, str::FromStr};

/// `<unix ms of the tick>-<n>-<tag>`, where `n` is the event's index in its tick, and `tag` is the log's
/// ([`Identity::tag`](super::Identity::tag)). Of one log, later events have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Unix milliseconds of the tick.
    pub ms: u64,
    /// The event's index in its tick, from 0.
    pub n: u32,
    /// Tag of the log; six hexadecimal digits as text.
    pub tag: u32,
}

impl EventId {
    /// Whether it is a later id of the same log.
    pub fn follows(self, previous: Self) -> bool {
        self.tag == previous.tag && self > previous
    }

    /// The id `count` events later in the same tick.
    pub const fn plus(self, count: u32) -> Self {
        Self { n: self.n + count, ..self }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:06x}", self.ms, self.n, self.tag)
    }
}

/// The error of parsing a malformed event id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid event id {0:?}; expected <unix milliseconds>-<number>-<tag>")]
pub struct InvalidId(pub String);

impl FromStr for EventId {
    type Err = InvalidId;

    /// Accepts only the form that [`Display`](fmt::Display) writes; `+1-0` or an id without a tag are foreign.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId(text.to_owned());
        let mut parts = text.split('-');
        let parsed = (|| {
            let (ms, n, tag) = (parts.next()?, parts.next()?, parts.next()?);
            Some(Self { ms: ms.parse().ok()?, n: n.parse().ok()?, tag: u32::from_str_radix(tag, 16).ok()? })
        })();
        parsed.filter(|id| id.to_string() == text).ok_or_else(invalid)
    }
}

/// Generates strictly increasing ids, even if the clock steps back.
#[derive(Debug)]
pub struct IdSequence {
    tag: u32,
    last: Option<EventId>,
}

impl IdSequence {
    /// The ids of the log with this tag, after `last`, the id of the last event already published.
    pub const fn after(tag: u32, last: Option<EventId>) -> Self {
        Self { tag, last }
    }

    /// Reserves `events` consecutive ids for the tick at `t` (unix ms) and returns the first. If the clock stepped
    /// back, the ids continue from the last one.
    pub fn take(&mut self, t: u64, events: u32) -> EventId {
        let first = match self.last {
            Some(last) if t <= last.ms => last.plus(1),
            _ => EventId { ms: t, n: 0, tag: self.tag },
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
        assert_eq!("1700000000000-2-00f3a9".parse(), Ok(EventId { ms: 1_700_000_000_000, n: 2, tag: 0xf3a9 }));
        for foreign in [
            "",
            "-",
            "--",
            "1",
            "1-0",
            "1-0-",
            "+1-0-00f3a9",
            "01-0-00f3a9",
            "1-00-00f3a9",
            "1-0-00f3a9 ",
            "1-0-f3a9",
            "1-0-00F3A9",
            "1-0-00f3a9-0",
            "99999999999999999999-0-00f3a9",
            "x-y-00f3a9",
        ] {
            assert_eq!(foreign.parse::<EventId>(), Err(InvalidId(foreign.to_owned())));
        }
    }

    #[test]
    fn id_of_another_log_does_not_follow() {
        let id = |text: &str| text.parse::<EventId>().unwrap();
        assert!(id("2-0-00000a").follows(id("1-5-00000a")) && id("1-1-00000a").follows(id("1-0-00000a")));
        assert!(!id("2-0-00000b").follows(id("1-5-00000a")) && !id("1-0-00000a").follows(id("1-0-00000a")));
    }

    proptest! {
        #[test]
        fn id_round_trips_as_text(ms: u64, n: u32, tag: u32) {
            let id = EventId { ms, n, tag };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn parser_accepts_arbitrary_text_without_panic(text in ".*") {
            let _ = text.parse::<EventId>();
        }

        #[test]
        fn ids_increase_under_any_clock(ticks in prop::collection::vec((0u64..5_000, 0u32..4), 1..200)) {
            let mut ids = IdSequence::after(7, None);
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
