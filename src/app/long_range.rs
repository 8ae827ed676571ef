//! The time ranges that only the history has: from six hours to 30 days.

use std::str::FromStr;

/// A context of pages of a server that keeps a history: they lead to it.
#[derive(Clone, Copy, Debug)]
pub struct KeepsHistory;

/// A time range that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongRange {
    /// Six hours.
    SixHours,
    /// A day.
    Day,
    /// A week.
    Week,
    /// Thirty days.
    Month,
}

impl LongRange {
    /// All of them, shortest first.
    pub const ALL: [Self; 4] = [Self::SixHours, Self::Day, Self::Week, Self::Month];

    /// Its name in the address: `?range=24h`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// Its label on the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SixHours => "6 h",
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Month => "30 d",
        }
    }

    /// Its length in milliseconds.
    pub const fn ms(self) -> u64 {
        const HOUR: u64 = 3_600_000;
        match self {
            Self::SixHours => 6 * HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        }
    }
}

/// A time range that the page doesn't offer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("Range {0:?} is not available; use 6h, 24h, 7d or 30d, as in /?range=24h, or from and to.")]
pub struct UnknownLongRange(pub String);

impl FromStr for LongRange {
    type Err = UnknownLongRange;

    fn from_str(text: &str) -> Result<Self, UnknownLongRange> {
        Self::ALL.into_iter().find(|range| range.as_str() == text).ok_or_else(|| UnknownLongRange(text.to_owned()))
    }
}
