//! The event names on the wire, and sets of them.

use std::{fmt, str::FromStr};

/// A named event that carries one group of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// CPU time.
    Cpu,
    /// Main memory and swap.
    Memory,
    /// Load averages.
    Load,
    /// Pressure stall information (PSI).
    Pressure,
    /// Viewers and sockets.
    Connections,
    /// Network interfaces.
    Network,
    /// Block devices and filesystems.
    Disk,
    /// Temperature sensors.
    Temperature,
    /// Containers and services.
    Cgroup,
    /// Top processes.
    Processes,
    /// The health verdict.
    Verdict,
}

impl EventName {
    /// Every group, in sending order.
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

    /// The name in `event:` and at the start of a series' path.
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
    /// All names.
    pub const ALL: Self = Self((1 << EventName::ALL.len()) - 1);

    /// Whether the set contains `name`.
    pub const fn contains(self, name: EventName) -> bool {
        self.0 & 1 << name as u16 != 0
    }
}

impl FromIterator<EventName> for EventNames {
    fn from_iter<I: IntoIterator<Item = EventName>>(names: I) -> Self {
        Self(names.into_iter().fold(0, |set, name| set | 1 << name as u16))
    }
}

/// The error of parsing an unknown event name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown event {0:?}; the events are {names}", names = EventName::ALL.map(EventName::as_str).join(", "))]
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
    fn name_round_trips_as_text() {
        for name in EventName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }

    #[test]
    fn set_contains_its_names_once() {
        let set = EventNames::from_iter([EventName::Connections, EventName::Cpu, EventName::Cpu]);
        let held: Vec<_> = EventName::ALL.into_iter().filter(|name| set.contains(*name)).collect();
        assert_eq!(held, [EventName::Cpu, EventName::Connections]);
        assert_eq!(EventNames::from_iter(EventName::ALL), EventNames::ALL);
    }

    #[test]
    fn unknown_name_error_lists_known_names() {
        let message = "cpus".parse::<EventName>().unwrap_err().to_string();
        assert!(message.contains("\"cpus\""));
        for name in EventName::ALL {
            assert!(message.contains(name.as_str()), "{name} is missing in {message:?}");
        }
    }
}
