//! Whether the host is all right, in words.

use super::{EventName, Group};
use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// There is room for more.
    #[default]
    Fine,
    /// Something is in full use, as it may be.
    Busy,
    /// Nothing is wrong yet.
    Watch,
    /// Something is wrong.
    Trouble,
}

impl Level {
    /// Every level, the least first.
    pub const ALL: [Self; 4] = [Self::Fine, Self::Busy, Self::Watch, Self::Trouble];

    /// Its name on the wire, and its class in the stylesheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Busy => "busy",
            Self::Watch => "watch",
            Self::Trouble => "trouble",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What it is, and who has to do with it: a sentence.
    pub text: String,
    /// Since when, unix seconds.
    pub since: Option<u64>,
}

/// What is to be said of the host: `docs/verdict.md` has the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// The highest level of what was found.
    pub level: Level,
    /// All that was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Group for Verdict {
    const NAME: EventName = EventName::Verdict;

    /// Words make no series.
    fn series(&self, _: &mut dyn FnMut(&str, Option<f64>)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_written_as_it_is_named() {
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
    }
}
