//! The times whose seconds and processes are kept, whatever their age and the file's size: those of recordings.

use super::tier::Tier;
use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
};

/// Kept times, shared by those who keep them and the recorder. Until they are known, nothing is removed.
#[derive(Debug, Default)]
pub(in crate::server) struct KeptRanges(Mutex<Option<Kept>>);

/// The times that are kept at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct Kept {
    /// Unix ms.
    ranges: Vec<RangeInclusive<u64>>,
    /// The numbers of the chunks of seconds that they are in.
    hours: BTreeSet<u64>,
}

impl KeptRanges {
    /// Keeps these times (unix ms) from now on, and no others.
    pub(in crate::server) fn set(&self, ranges: Vec<RangeInclusive<u64>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept::of(ranges));
    }

    /// Whether a moment (unix ms) is known to be kept.
    #[cfg(test)]
    pub(in crate::server) fn has(&self, t: u64) -> bool {
        self.get().is_some_and(|kept| kept.overlaps(t, t))
    }

    /// What is kept; `None` while that is not known.
    pub(in crate::server) fn get(&self) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Kept {
    pub(super) fn of(ranges: Vec<RangeInclusive<u64>>) -> Self {
        let hours =
            |range: &RangeInclusive<u64>| Tier::Second.chunk_of(*range.start())..=Tier::Second.chunk_of(*range.end());
        Self { hours: ranges.iter().flat_map(hours).collect(), ranges }
    }

    /// The numbers of a tier's chunks that are kept.
    pub(super) fn chunks(&self, tier: Tier) -> BTreeSet<u64> {
        if tier == Tier::Second { self.hours.clone() } else { BTreeSet::new() }
    }

    /// Whether something between two times (unix ms, included) is kept.
    pub(in crate::server) fn overlaps(&self, first: u64, last: u64) -> bool {
        self.ranges.iter().any(|range| first <= *range.end() && *range.start() <= last)
    }
}
