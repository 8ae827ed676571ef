//! The names of events on the wire, and the filter that a client chooses.

use std::{collections::BTreeSet, fmt, sync::Arc};

/// The events of the host's own groups, and those of the published channels' names and of annotations.
pub const HOST_EVENTS: [&str; 13] = [
    "cpu",
    "memory",
    "load",
    "pressure",
    "connections",
    "network",
    "disk",
    "temperature",
    "cgroup",
    "processes",
    "verdict",
    "channels",
    "annotation",
];

/// The name of an event, which is also the first part of its series' paths. Copies share the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventName(Arc<str>);

impl EventName {
    /// The name in `event:`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EventName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl std::borrow::Borrow<str> for EventName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names in use, each once, so that the events of all ticks share them.
#[derive(Debug, Default)]
pub struct EventNames(BTreeSet<EventName>);

impl EventNames {
    /// Names kept before those that no event uses any more are forgotten.
    const KEPT: usize = 256;

    /// The shared copy of `name`.
    pub fn share(&mut self, name: &str) -> EventName {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        if self.0.len() >= Self::KEPT {
            self.0.retain(|name| Arc::strong_count(&name.0) > 1);
        }
        let name = EventName::from(name);
        self.0.insert(name.clone());
        name
    }
}

/// Which events a client gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventFilter {
    /// All, also those of channels that do not exist yet.
    All,
    /// The named ones, in alphabetical order.
    Only(Arc<[EventName]>),
}

impl EventFilter {
    /// Whether events with this name pass.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.binary_search_by(|known| known.as_str().cmp(name)).is_ok(),
        }
    }
}

impl<'a> FromIterator<&'a str> for EventFilter {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let names: BTreeSet<EventName> = names.into_iter().map(EventName::from).collect();
        Self::Only(names.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_contains_its_names_in_any_order() {
        let filter = EventFilter::from_iter(["connections", "cpu", "cpu"]);
        assert!(filter.contains("cpu") && filter.contains("connections") && !filter.contains("cp"));
        assert_eq!(filter, EventFilter::from_iter(["cpu", "connections"]));
        assert!(EventFilter::All.contains("anything") && !EventFilter::from_iter([]).contains("cpu"));
    }

    #[test]
    fn shared_names_are_kept_once_and_forgotten_when_unused() {
        let mut names = EventNames::default();
        let one = names.share("shop");
        assert!(Arc::ptr_eq(&one.0, &names.share("shop").0));
        (0..1000).for_each(|n| drop(names.share(&format!("build_{n}"))));
        assert!(names.0.len() <= EventNames::KEPT && names.0.contains("shop"));
    }
}
