//! Series that have no value any more, as of a container that ended. Without a marker, Prometheus shows the last value for
//! five minutes.

use crate::server::export::{HostMetric, Labels};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// Prometheus' marker of a series that ended: a NaN that no computation yields (`model/value/value.go`).
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The series of the last request.
#[derive(Debug, Default)]
pub(super) struct VanishedSeries {
    last: BTreeMap<String, Series>,
}

#[derive(Debug)]
struct Series {
    is_counter: bool,
    labels: BTreeSet<Labels>,
}

impl VanishedSeries {
    /// Adds the marker for series of the last request that `metrics` lacks.
    pub(super) fn mark(&mut self, metrics: &mut Vec<HostMetric>) {
        let mut last = mem::take(&mut self.last);
        for HostMetric { name, is_counter, values } in &mut *metrics {
            let labels: BTreeSet<Labels> = values.iter().map(|(labels, _)| labels.clone()).collect();
            let before = last.remove(name).map(|series| series.labels).unwrap_or_default();
            values.extend(before.difference(&labels).map(|labels| (labels.clone(), STALE)));
            self.last.insert(name.clone(), Series { is_counter: *is_counter, labels });
        }
        metrics.extend(last.into_iter().map(|(name, Series { is_counter, labels })| HostMetric {
            name,
            is_counter,
            values: labels.into_iter().map(|labels| (labels, STALE)).collect(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::push::tests::metric;

    #[test]
    fn vanished_series_are_marked_once() {
        let mut vanished = VanishedSeries::default();
        let mut marked = |mut metrics: Vec<HostMetric>| {
            vanished.mark(&mut metrics);
            let stale = metrics.into_iter().flat_map(|HostMetric { name, values, .. }| {
                let stale = values.into_iter().filter(|(_, value)| value.to_bits() == STALE.to_bits());
                stale.map(move |(labels, _)| format!("{name} {labels:?}"))
            });
            stale.collect::<Vec<_>>()
        };
        let load = || metric("load1", false, vec![(vec![], 1.0)]);
        let both = metric("memory", false, vec![(vec![("name", "a")], 1.0), (vec![("name", "b")], 2.0)]);
        let one = metric("memory", false, vec![(vec![("name", "b")], 2.0)]);
        assert!(marked(vec![load(), both]).is_empty());
        assert_eq!(marked(vec![load(), one]), ["memory [(\"name\", \"a\")]"]);
        assert_eq!(marked(vec![load()]), ["memory [(\"name\", \"b\")]"]);
        assert!(marked(vec![load()]).is_empty());
    }
}
