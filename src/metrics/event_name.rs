//! The names that events carry on the wire.

use std::{fmt, str::FromStr};

/// A named event that carries one group of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// Processor time.
    Cpu,
    /// Main memory and swap.
    Memory,
    /// Viewers and sockets.
    Connections,
}

impl EventName {
    /// Every group, in the order in which a tick sends them.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Connections];

    /// The name as it stands in `event:` and in a series' path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Connections => "connections",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no event has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no event is named {0:?}; the names are cpu, memory, connections")]
pub struct UnknownEvent(pub String);

impl FromStr for EventName {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for name in EventName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = "cpus".parse::<EventName>().unwrap_err().to_string();
        assert!(message.contains("\"cpus\""));
        for name in EventName::ALL {
            assert!(message.contains(name.as_str()), "{name} is missing in {message:?}");
        }
    }
}
