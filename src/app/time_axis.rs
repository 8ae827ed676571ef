//! The time axis of a chart: relative to now, or at round times of the page's zone in a frozen view.

use super::PageState;
use crate::units::{date, decimal};
use leptos::prelude::*;

/// In seconds.
pub(super) const DAY: usize = 24 * 60 * 60;
/// Seconds between labels.
#[cfg(not(feature = "ssr"))]
const STEPS: [usize; 10] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
/// The history has longer ranges.
#[cfg(feature = "ssr")]
const STEPS: [usize; 22] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    1_800,
    3_600,
    7_200,
    14_400,
    21_600,
    43_200,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    30 * DAY,
    365 * DAY,
];
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
        let Some(frozen) = self.frozen.get() else {
            let labels = self.time_range.get().times();
            return labels.into_iter().enumerate().map(|(i, label)| (20.0 * i as f64, label.to_owned())).collect();
        };
        let mut labels = Vec::new();
        let last = frozen.seconds - 1;
        let step = step(last);
        let mut age = (self.local(frozen.last) / 1000) as usize % step;
        while age <= last {
            let x = (last - age) as f64 * 100.0 / last as f64;
            if (MARGIN..=100.0 - MARGIN).contains(&x) {
                labels.push((x, self.label(frozen.tick_at(age), step)));
            }
            age += step;
        }
        labels
    }

    /// A time of day, `10:41` where all seconds are 0, or a date, `11-24`, where all hours are.
    fn label(self, t: u64, step: usize) -> String {
        if cfg!(feature = "ssr") && step >= DAY {
            return date(self.local(t))[5..].to_owned();
        }
        let mut time = self.time(t);
        time.truncate(if step < 60 { 8 } else { 5 });
        time
    }
}

/// The least step that `seconds` have few enough of. Daylight saving time moves clocks by a multiple of the longest, so
/// what is round before a change is round after it.
fn step(seconds: usize) -> usize {
    STEPS.into_iter().find(|step| step * MAX_STEPS >= seconds).unwrap_or(STEPS[STEPS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{FrozenView, InitialData, PageIdentity, Ports, TimeRange, View},
        schema::{HostFacts, LatestValues, WindowSnapshot},
    };

    #[test]
    fn step_fits_the_view() {
        assert_eq!([9, 59, 299, 899, 3599].map(step), [2, 10, 60, 300, 600]);
        assert_eq!([21_600, DAY, 7 * DAY, 30 * DAY].map(step), [3_600, 14_400, 2 * DAY, 5 * DAY]);
    }

    #[test]
    fn frozen_axis_has_round_times_of_a_zone_that_changes_within_the_view() {
        /// From 5:45 to 6:45 hours at second 100,000.
        static PORTS: Ports = Ports { zone_offset: |t| if t < 100_000_000 { 345 } else { 405 }, ..Ports::NONE };
        let series = Default::default();
        let columns = WindowSnapshot { t0: 98_001_000, step_ms: 1000, n: 3600, truncated: false, series };
        let initial_data = InitialData {
            account: String::new(),
            identity: PageIdentity::default(),
            host: HostFacts::default(),
            view: View::default(),
            panels: Vec::new(),
            time_range: TimeRange::OneHour,
            last_event_id: None,
            columns,
            latest: LatestValues::default(),
        };
        let labels = Owner::new().with(|| {
            let state = PageState::new(initial_data, &PORTS);
            state.is_utc.set(false);
            let last = state.window.with(|window| window.end()).unwrap();
            state.frozen.set(Some(FrozenView { last, seconds: 3600 }));
            state.time_labels()
        });
        let times: Vec<_> = labels.iter().map(|(_, time)| &**time).collect();
        // The view ends at 10:58:20, and 10:31:40 is the first second after 9:31:39.
        assert_eq!(times, ["10:50", "10:40", "09:30", "09:20", "09:10"]);
    }
}
