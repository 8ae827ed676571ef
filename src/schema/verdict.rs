//! The verdict on the host's health: a level and the findings behind it.

use super::{
    Group,
    value::{Declaration, SeriesPath, Values, Visit},
};
use serde::Serialize;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Healthy, with capacity to spare.
    Fine,
    /// A resource is in full use, which is no fault.
    Busy,
    /// Too few samples to tell.
    #[default]
    Unknown,
    /// Healthy now, but a problem is likely.
    Watch,
    /// A problem.
    Trouble,
}

impl Level {
    /// Every level, least severe first.
    pub const ALL: [Self; 5] = [Self::Fine, Self::Busy, Self::Unknown, Self::Watch, Self::Trouble];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Watch => "watch",
            Self::Trouble => "trouble",
        }
    }
}

/// One result of a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// Severity.
    pub level: Level,
    /// The problem and the process or device involved, as sentences.
    pub text: String,
    /// Start of the condition, unix seconds.
    pub since: Option<u64>,
}

/// The result of all rules; `docs/verdict.md` lists them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// The highest level among the findings.
    pub level: Level,
    /// All findings, most severe first.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict before the first tick.
    pub fn before_samples() -> Self {
        let finding = Finding { level: Level::Unknown, text: "No samples yet.".to_owned(), since: None };
        Self { level: Level::Unknown, findings: vec![finding] }
    }
}

impl Group for Verdict {
    const NAME: &'static str = "verdict";
}

/// A verdict is text and has no series.
impl Values for Verdict {
    fn visit(&self, _: &mut SeriesPath, _: Visit<'_>) {}

    fn declare(_: &str) -> Vec<Declaration> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_serialises_as_its_name() {
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
    }
}
