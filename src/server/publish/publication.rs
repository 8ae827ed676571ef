//! What a publisher sends, once it is parsed.

use super::{ChannelName, Label, ValueName};

/// Readings of one channel by one publisher.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// Its line in the request, where requests have lines.
    pub line: Option<usize>,
    /// The channel.
    pub channel: ChannelName,
    /// What tells the publisher from others of the channel.
    pub label: Option<Label>,
    /// The values, by name.
    pub readings: Vec<(ValueName, Reading)>,
}

/// One value of a publication.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// What the value is now.
    Value(f64),
    /// What it changes by.
    Change(f64),
    /// Events since the publisher began, which become a rate.
    Total(f64),
    /// Events since the last such reading, which become a rate.
    Count(f64),
    /// One of many durations or sizes, of which each second's percentile is kept; `share` is 0 to 1.
    Percentile {
        /// The percentile, as a share.
        share: f64,
        /// The duration or size.
        value: f64,
    },
    /// The hash of a thing of which each second's number of different ones is kept.
    Member(u64),
}
