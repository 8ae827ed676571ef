//! Tests of recording, forgetting and limiting series.

use super::*;
use crate::schema::{Memory, WindowSlice};
use proptest::prelude::*;

pub(super) const CAPACITY: usize = 20;

pub(super) fn memory(used: u64) -> Memory {
    Memory { used_bytes: Some(used), ..Memory::default() }
}

pub(super) fn used(window: &Window) -> Vec<Option<f64>> {
    (0..window.len()).rev().map(|age| window.value("memory.used_bytes", age)).collect()
}

/// Seconds with a sample, and the sample.
pub(super) fn history() -> impl Strategy<Value = BTreeMap<u64, u64>> {
    prop::collection::btree_map(0u64..60, 0u64..1000, 1..60)
}

#[test]
fn clock_stepping_back_drops_later_seconds() {
    let mut window = Window::new(CAPACITY);
    for t in [1000, 2000, 3000, 2000] {
        window.record(t, &memory(t));
    }
    assert_eq!((window.start(), window.end(), window.len()), (Some(1000), Some(2000), 2));
    window.record(500_000, &memory(1));
    window.record(0, &memory(2));
    assert_eq!(used(&window), [Some(2.0)]);
}

/// Records second `second` of a host whose containers live for `lifetime` seconds, one after another.
fn record_churn(window: &mut Window, second: u64, lifetime: u64) {
    window.record(second * 1000, &memory(second));
    window.set(&container(second / lifetime), Some(1.0));
}

fn container(number: u64) -> String {
    format!("cgroup.services.{number}.cpu_percent")
}

#[test]
fn window_after_an_hour_of_short_lived_containers_keeps_only_living_series() {
    let mut window = Window::new(3600);
    for second in 0..7200 {
        record_churn(&mut window, second, 6);
    }
    assert!(window.series.len() <= 12, "{:?}", window.series.keys());
    let held: usize = window.series.values().map(|column| column.len()).sum();
    assert!(held < 3600 + 12 * 70, "{held} values");
    assert_eq!(window.values("memory.used_bytes", WindowSlice::newest(3600)).iter().flatten().count(), 3600);
    assert_eq!(window.gaps(WindowSlice::newest(3600)), [], "values of forgotten series leave no gaps");
}

#[test]
fn suspend_forgets_no_series() {
    let mut window = Window::new(3600);
    for second in (0..100).chain(1000..1059) {
        window.record(second * 1000, &memory(second));
        if second == 99 {
            window.set("disk.devices.sda.busy_percent", Some(1.0));
        }
    }
    assert!(window.has("disk.devices.sda."));
    for second in 1059..1061 {
        window.record(second * 1000, &memory(second));
    }
    assert!(!window.has("disk.devices.sda."));
    assert_eq!(window.gaps(WindowSlice::newest(3600)), [(100_000, 999_000)]);
}

#[test]
fn series_beyond_the_limit_are_counted_and_recorded_once_there_is_room() {
    let mut window = Window::new(CAPACITY);
    window.limit_series(2);
    for second in 0..10 {
        record_churn(&mut window, second, 5);
    }
    assert_eq!((window.series_len(), window.dropped()), (2, 5));
    assert_eq!((window.last(&container(0)), window.last(&container(1))), (None, None));
    for second in 10..=5 + CAPACITY as u64 {
        record_churn(&mut window, second, 1000);
    }
    assert_eq!(window.last(&container(0)), Some(1.0));
    window.set("cpu.total_percent", Some(1.0));
    assert_eq!((window.last("cpu.total_percent"), window.dropped()), (None, 6));
}

proptest! {
    #[test]
    fn columns_begin_with_a_value_and_end_at_the_newest_second(
        ticks in prop::collection::vec((0u64..300, prop::option::of(0u64..4)), 1..200),
    ) {
        let mut window = Window::new(100);
        let mut before = BTreeMap::new();
        for (second, number) in ticks {
            if before.last_key_value().is_some_and(|(last, _)| *last > second) {
                before.split_off(&(second + 1));
            }
            window.advance(second * 1000);
            if let Some(number) = number {
                window.set(&container(number), Some(second as f64));
                before.entry(second).or_insert_with(Vec::new).push(number);
            }
            for number in 0..4 {
                let values = window.values(&container(number), WindowSlice::newest(100));
                prop_assert_eq!(values.len(), window.len());
                for (age, value) in values.into_iter().rev().enumerate().filter(|(_, value)| value.is_some()) {
                    prop_assert_eq!(value, Some((second - age as u64) as f64));
                    prop_assert!(before[&(second - age as u64)].contains(&number));
                }
            }
            prop_assert!(window.series.values().all(|column| column.len() <= window.len()));
            prop_assert!(window.series.values().all(|column| column.front().is_some_and(|value| !value.is_nan())));
        }
    }

    #[test]
    fn window_holds_the_newest_seconds_of_history(history in history()) {
        let mut window = Window::new(CAPACITY);
        for (second, value) in &history {
            window.record(second * 1000, &memory(*value));
        }
        let newest = *history.keys().last().unwrap();
        let oldest = (*history.keys().next().unwrap()).max((newest + 1).saturating_sub(CAPACITY as u64));
        let expected: Vec<_> = (oldest..=newest).map(|s| history.get(&s).map(|v| *v as f64)).collect();
        prop_assert!(window.len() <= CAPACITY);
        prop_assert_eq!(used(&window), expected.clone());
        let gaps = window.gaps(WindowSlice::newest(CAPACITY));
        let missing: u64 = gaps.iter().map(|(from, to)| (to - from) / 1000 + 1).sum();
        prop_assert_eq!(missing as usize, expected.iter().filter(|v| v.is_none()).count());
    }

    #[test]
    fn ticks_in_any_order_keep_the_window_consistent(ticks in prop::collection::vec(0u64..90_000, 1..80)) {
        let mut window = Window::new(CAPACITY);
        for t in ticks {
            window.record(t, &memory(t));
            prop_assert!(window.len() <= CAPACITY);
            prop_assert_eq!(window.end(), Some(t));
            prop_assert_eq!(window.last("memory.used_bytes"), Some(t as f64));
        }
    }
}
