//! The names that events carry on the wire.

use std::{fmt, str::FromStr};

/// A named event that carries one group of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// Processor time.
    Cpu,
    /// Main memory and swap.
    Memory,
    /// How many want to run.
    Load,
    /// How long somebody waits.
    Pressure,
    /// Viewers and sockets.
    Connections,
    /// Network interfaces.
    Network,
    /// Block devices.
    Disk,
    /// How hot it is inside.
    Temperature,
    /// Containers and services.
    Cgroup,
    /// Who takes the processor and the memory.
    Processes,
    /// Whether the host is all right.
    Verdict,
}

impl EventName {
    /// Every group, in the order in which a tick sends them.
    pub const ALL: [Self; 11] = [
        Self::Cpu,
        Self::Memory,
        Self::Load,
        Self::Pressure,
        Self::Connections,
        Self::Network,
        Self::Disk,
        Self::Temperature,
        Self::Cgroup,
        Self::Processes,
        Self::Verdict,
    ];

    /// The name as it stands in `event:` and in a series' path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Load => "load",
            Self::Pressure => "pressure",
            Self::Connections => "connections",
            Self::Network => "network",
            Self::Disk => "disk",
            Self::Temperature => "temperature",
            Self::Cgroup => "cgroup",
            Self::Processes => "processes",
            Self::Verdict => "verdict",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of event names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventNames(u16);

impl EventNames {
    /// Every name there is.
    pub const ALL: Self = Self((1 << EventName::ALL.len()) - 1);

    /// Whether `name` is one of them.
    pub const fn contains(self, name: EventName) -> bool {
        self.0 & 1 << name as u16 != 0
    }
}

impl FromIterator<EventName> for EventNames {
    fn from_iter<I: IntoIterator<Item = EventName>>(names: I) -> Self {
        Self(names.into_iter().fold(0, |set, name| set | 1 << name as u16))
    }
}

/// A name that no event has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no event is named {0:?}; the names are {names}", names = EventName::ALL.map(EventName::as_str).join(", "))]
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
    fn a_set_holds_what_was_put_into_it() {
        let set = EventNames::from_iter([EventName::Connections, EventName::Cpu, EventName::Cpu]);
        let held: Vec<_> = EventName::ALL.into_iter().filter(|name| set.contains(*name)).collect();
        assert_eq!(held, [EventName::Cpu, EventName::Connections]);
        assert_eq!(EventNames::from_iter(EventName::ALL), EventNames::ALL);
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
