//! The time axis of a chart: relative to now, or at round times of the page's zone in a frozen view.

use super::PageState;
use crate::units::decimal;
use leptos::prelude::*;

/// Seconds between labels.
const STEPS: [usize; 10] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
/// Steps in the view at most.
const MAX_STEPS: usize = 6;
/// Percent of the axis at either end without a round time, whose label would extend beyond the axis.
const MARGIN: f64 = 8.0;

#[component]
pub(super) fn TimeAxis() -> impl IntoView {
    let state = expect_context::<PageState>();
    let label = |(x, label): (f64, String)| view! { <text x=[&decimal(x, 1), "%"].concat()>{label}</text> };
    // As SVG: the content security policy forbids positions in a style attribute.
    view! {
        <div class="times" aria-hidden="true">
            <svg>{move || state.time_labels().into_iter().map(label).collect_view()}</svg>
        </div>
    }
}

impl PageState {
    /// The labels and their positions in percent.
    fn time_labels(self) -> Vec<(f64, String)> {
        if self.frozen.get().is_none() {
            let labels = self.time_range.get().times();
            return labels.into_iter().enumerate().map(|(i, label)| (20.0 * i as f64, label.to_owned())).collect();
        }
        let last = self.slice().seconds - 1;
        let (ages, step) = round_ages(last, self.local(self.tick_at(0)) / 1000);
        let position = |age| (last - age) as f64 * 100.0 / last as f64;
        let is_inside = |age: &usize| (MARGIN..=100.0 - MARGIN).contains(&position(*age));
        let label = |age| {
            let time = self.time(self.tick_at(age));
            // `10:41` where all seconds are 0.
            if step % 60 == 0 { time[..5].to_owned() } else { time }
        };
        ages.filter(is_inside).map(|age| (position(age), label(age))).collect()
    }
}

/// The ages of round seconds up to `oldest`, if the second of age 0 is `newest`, and the step between them. Daylight
/// saving time moves clocks by a multiple of the longest step, so one zone's offset does for all ages.
fn round_ages(oldest: usize, newest: u64) -> (impl Iterator<Item = usize>, usize) {
    let step = STEPS.into_iter().find(|step| step * MAX_STEPS >= oldest).unwrap_or(STEPS[STEPS.len() - 1]);
    ((newest as usize % step..=oldest).step_by(step), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_ages_are_multiples_of_a_step_that_suits_the_view() {
        // 10:07:31 in Kathmandu, whose offset of 5:45 hours is no multiple of ten minutes.
        let newest = 10 * 3600 + 7 * 60 + 31;
        let ages = |oldest| round_ages(oldest, newest).0.collect::<Vec<_>>();
        assert_eq!(ages(9), [1, 3, 5, 7, 9]);
        assert_eq!(ages(59), [1, 11, 21, 31, 41, 51]);
        assert_eq!(ages(3599), [451, 1051, 1651, 2251, 2851, 3451]);
        for oldest in 9..3600 {
            assert!((2..=MAX_STEPS + 1).contains(&ages(oldest).len()), "{oldest} s");
        }
    }
}
