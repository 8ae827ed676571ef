//! The resolutions that the history is kept in.

/// A resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) enum Tier {
    /// Every second, as sampled.
    Second,
    /// Minimum, mean, maximum and number of the samples of a minute.
    Minute,
    /// The same of an hour.
    Hour,
}

impl Tier {
    /// From fine to coarse.
    pub(super) const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];
    /// Those that summarise seconds.
    pub(super) const SUMMARIES: [Self; 2] = [Self::Minute, Self::Hour];

    /// The name in responses.
    pub(in crate::server) const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "1s",
            Self::Minute => "1m",
            Self::Hour => "1h",
        }
    }

    /// The table of its chunks.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Second => "seconds",
            Self::Minute => "minutes",
            Self::Hour => "hours",
        }
    }

    /// Milliseconds from one value to the next.
    pub(in crate::server) const fn step_ms(self) -> u64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }

    /// Values of a chunk: an hour of seconds, a day of minutes, 30 days of hours.
    pub(super) const fn chunk_len(self) -> usize {
        match self {
            Self::Second => 3_600,
            Self::Minute => 1_440,
            Self::Hour => 720,
        }
    }

    /// Columns of a chunk: values, or those of summaries.
    pub(super) const fn columns(self) -> usize {
        match self {
            Self::Second => 1,
            Self::Minute | Self::Hour => 4,
        }
    }

    /// Milliseconds that a chunk covers.
    pub(super) const fn chunk_ms(self) -> u64 {
        self.step_ms() * self.chunk_len() as u64
    }

    /// The number of the chunk that contains `t` (unix ms), counted from 1970.
    pub(super) const fn chunk_of(self, t: u64) -> u64 {
        t / self.chunk_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_a_coarser_tier_begin_with_one_of_the_finer() {
        for (fine, coarse) in Tier::ALL.into_iter().zip(Tier::SUMMARIES) {
            assert_eq!(coarse.chunk_ms() % fine.chunk_ms(), 0, "{}", coarse.as_str());
            assert_eq!(fine.chunk_ms() % coarse.step_ms(), 0, "{}", coarse.as_str());
        }
        assert_eq!(Tier::Second.chunk_of(7_199_999), 1);
    }
}
