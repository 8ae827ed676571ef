//! The summary of a range of samples: minimum, mean, maximum and number, at each step of a coarser tier.

use crate::schema::Kind;

/// Decimals of a mean beyond those of hundredths, which samples have.
const MEAN_FACTOR: f64 = 10_000.0;

/// Summaries at equal steps; NaN is a step without a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::server) struct Summaries {
    /// The smallest sample.
    pub(in crate::server) min: Vec<f64>,
    /// The mean of the samples, or the last one of a state.
    pub(in crate::server) mean: Vec<f64>,
    /// The largest sample.
    pub(in crate::server) max: Vec<f64>,
    /// The number of samples.
    pub(in crate::server) count: Vec<f64>,
}

/// The summary of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) min: f64,
    pub(super) mean: f64,
    pub(super) max: f64,
    pub(super) count: f64,
}

impl Summary {
    /// That of one sample, which may be missing.
    pub(super) fn of(sample: f64) -> Self {
        Self { min: sample, mean: sample, max: sample, count: if sample.is_nan() { 0.0 } else { 1.0 } }
    }

    /// That of several, in the order of time.
    fn of_several(parts: impl Iterator<Item = Self>, kind: Kind) -> Self {
        let nothing = Self::of(f64::NAN);
        let merged = parts.filter(|part| part.count > 0.0).fold(nothing, |all, part| {
            let mean = match kind {
                _ if all.count == 0.0 => part.mean * part.count,
                Kind::State => part.mean * (all.count + part.count),
                Kind::Gauge | Kind::Rate => all.mean + part.mean * part.count,
            };
            // `f64::min` returns the other of a NaN.
            Self { min: all.min.min(part.min), mean, max: all.max.max(part.max), count: all.count + part.count }
        });
        let mean = merged.mean / merged.count;
        Self { mean: if merged.count == 1.0 { mean } else { round_mean(mean) }, ..merged }
    }
}

/// Means of rounded samples have digits without meaning, which would take more room than all others.
fn round_mean(mean: f64) -> f64 {
    let rounded = (mean * MEAN_FACTOR).round() / MEAN_FACTOR;
    if rounded.is_finite() { rounded } else { mean }
}

impl Summaries {
    /// `len` steps without samples.
    pub(super) fn missing(len: usize) -> Self {
        Self { min: vec![f64::NAN; len], mean: vec![f64::NAN; len], max: vec![f64::NAN; len], count: vec![0.0; len] }
    }

    /// Samples as they are.
    pub(super) fn of_samples(samples: &[f64]) -> Self {
        samples.iter().map(|&sample| Summary::of(sample)).collect()
    }

    /// Summarises each `steps` of these, of which `missing` precede the first.
    pub(super) fn coarser(&self, missing: usize, steps: usize, kind: Kind) -> Self {
        let (missing, steps) = (missing as u64, steps.max(1) as u64);
        let len = self.len() as u64;
        (0..(missing + len).div_ceil(steps))
            .map(|step| {
                let (start, end) =
                    ((step * steps).saturating_sub(missing), ((step + 1) * steps).saturating_sub(missing));
                Summary::of_several((start.min(len)..end.min(len)).map(|index| self.get(index as usize)), kind)
            })
            .collect()
    }

    /// These after `before` missing ones, and as many missing ones after them as make `len`.
    pub(super) fn placed(self, before: usize, len: usize) -> Self {
        let mut placed = Self::missing(len);
        (0..self.len().min(len - before)).for_each(|index| placed.set(before + index, self.get(index)));
        placed
    }

    pub(super) fn len(&self) -> usize {
        self.count.len()
    }

    pub(super) fn get(&self, index: usize) -> Summary {
        Summary { min: self.min[index], mean: self.mean[index], max: self.max[index], count: self.count[index] }
    }

    pub(super) fn set(&mut self, index: usize, summary: Summary) {
        let Summary { min, mean, max, count } = summary;
        (self.min[index], self.mean[index], self.max[index], self.count[index]) = (min, mean, max, count);
    }

    pub(super) fn has_samples(&self) -> bool {
        self.count.iter().any(|&count| count > 0.0)
    }
}

impl FromIterator<Summary> for Summaries {
    fn from_iter<I: IntoIterator<Item = Summary>>(summaries: I) -> Self {
        let mut all = Self::default();
        for Summary { min, mean, max, count } in summaries {
            all.min.push(min);
            all.mean.push(mean);
            all.max.push(max);
            all.count.push(count);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: f64 = f64::NAN;

    fn of(samples: &[f64], kind: Kind) -> Summary {
        Summaries::of_samples(samples).coarser(0, samples.len(), kind).get(0)
    }

    #[test]
    fn gauge_has_its_mean_and_state_its_last_value() {
        let samples = [2.0, NONE, 1.0, 6.0, NONE];
        assert_eq!(of(&samples, Kind::Gauge), Summary { min: 1.0, mean: 3.0, max: 6.0, count: 3.0 });
        assert_eq!(of(&samples, Kind::State), Summary { min: 1.0, mean: 6.0, max: 6.0, count: 3.0 });
    }

    #[test]
    fn first_step_may_lack_its_beginning() {
        let coarser = Summaries::of_samples(&[1.0, 2.0, 3.0, 4.0]).coarser(2, 3, Kind::Gauge);
        assert_eq!(coarser.mean, [1.0, 3.0]);
    }

    #[test]
    fn step_without_samples_is_missing() {
        let summary = of(&[NONE, NONE], Kind::Rate);
        assert!(summary.min.is_nan() && summary.mean.is_nan() && summary.max.is_nan());
        assert_eq!(summary.count, 0.0);
    }

    #[test]
    fn single_sample_is_not_rounded() {
        assert_eq!(of(&[NONE, 1.0 / 3.0], Kind::Gauge).mean, 1.0 / 3.0);
    }

    proptest! {
        #[test]
        fn summary_of_summaries_is_that_of_all_samples(
            samples in prop::collection::vec(prop::option::of(-1e6..1e6f64), 0..300), fine in 1usize..20, coarse in 1usize..20
        ) {
            let samples: Vec<_> = samples.into_iter().map(|sample| sample.unwrap_or(NONE)).collect();
            let all = Summaries::of_samples(&samples);
            for kind in [Kind::Gauge, Kind::State] {
                let (twice, once) = (all.coarser(0, fine, kind).coarser(0, coarse, kind), all.coarser(0, fine * coarse, kind));
                prop_assert_eq!(twice.len(), once.len());
                for index in 0..once.len() {
                    let (twice, once) = (twice.get(index), once.get(index));
                    prop_assert_eq!(twice.count, once.count);
                    if once.count > 0.0 {
                        prop_assert_eq!((twice.min, twice.max), (once.min, once.max));
                        prop_assert!((twice.mean - once.mean).abs() < 1e-3, "{} and {}", twice.mean, once.mean);
                    }
                }
            }
        }
    }
}
