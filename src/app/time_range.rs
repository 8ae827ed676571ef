//! The time ranges that the charts offer: 1, 5, 15 and 60 minutes.

use serde::{Serialize, Serializer};
use std::str::FromStr;

/// A time range that the page offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeRange {
    /// The newest minute.
    OneMinute,
    /// The newest five minutes.
    #[default]
    FiveMinutes,
    /// The newest fifteen minutes.
    FifteenMinutes,
    /// The newest hour, which is all that the server keeps.
    OneHour,
}

impl TimeRange {
    /// All time ranges, shortest first.
    pub const ALL: [Self; 4] = [Self::OneMinute, Self::FiveMinutes, Self::FifteenMinutes, Self::OneHour];
    /// The longest time range.
    pub const LONGEST: Self = Self::OneHour;

    /// Its length in seconds, which names it in the address: `?window=300`.
    pub const fn seconds(self) -> usize {
        match self {
            Self::OneMinute => 60,
            Self::FiveMinutes => 300,
            Self::FifteenMinutes => 900,
            Self::OneHour => 3600,
        }
    }

    /// The time range of that length, if there is one.
    pub fn of_seconds(seconds: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|time_range| time_range.seconds() == seconds)
    }

    /// Its label on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneMinute => "1 min",
            Self::FiveMinutes => "5 min",
            Self::FifteenMinutes => "15 min",
            Self::OneHour => "1 h",
        }
    }

    /// Labels of its time axis, evenly spaced from its start to now.
    pub const fn times(self) -> [&'static str; 6] {
        match self {
            Self::OneMinute => ["−60 s", "−48", "−36", "−24", "−12", "now"],
            Self::FiveMinutes => ["−5 min", "−4", "−3", "−2", "−1", "now"],
            Self::FifteenMinutes => ["−15 min", "−12", "−9", "−6", "−3", "now"],
            Self::OneHour => ["−60 min", "−48", "−36", "−24", "−12", "now"],
        }
    }
}

impl Serialize for TimeRange {
    /// Serialises its seconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.seconds().serialize(serializer)
    }
}

/// A time range that the page doesn't offer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("Window {0:?} is not available; use 60, 300, 900 or 3600 seconds, as in /?window=300.")]
pub struct UnknownTimeRange(pub String);

impl FromStr for TimeRange {
    type Err = UnknownTimeRange;

    fn from_str(text: &str) -> Result<Self, UnknownTimeRange> {
        let time_range = Self::ALL.into_iter().find(|time_range| time_range.seconds().to_string() == text);
        time_range.ok_or_else(|| UnknownTimeRange(text.to_owned()))
    }
}
