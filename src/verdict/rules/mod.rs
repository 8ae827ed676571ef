//! Rules of the verdict: each checks one resource and returns findings. `docs/verdict.md` explains the thresholds.

mod coverage;
mod cpu;
mod disk;
mod memory;
mod network;
mod temperature;

use super::{
    evidence::{Evidence, is_enough},
    paths,
};
use crate::{
    schema::{Finding, Level},
    units::{Unit, duration},
};

type Rule = fn(&Evidence<'_>) -> Vec<Finding>;

/// All rules; findings of equal level appear in this order.
pub(super) const RULES: [Rule; 13] = [
    coverage::samples,
    memory::oom_kill,
    memory::shortage,
    memory::leak,
    cpu::utilisation,
    cpu::steal,
    cpu::throttling,
    disk::stuck_filesystems,
    disk::full_filesystems,
    disk::utilisation,
    network::connections,
    network::interfaces,
    temperature::sensors,
];

/// Averaging periods, in seconds: a burst is shorter.
const MINUTE: usize = 60;
const FIVE_MINUTES: usize = 300;
const TEN_MINUTES: usize = 600;

fn finding(level: Level, text: String, since: Option<u64>) -> Option<Finding> {
    Some(Finding { level, text, since })
}

fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

/// Whether the last 10 seconds averaged below half of `threshold`.
fn has_recovered(evidence: &Evidence<'_>, path: &str, threshold: f64) -> bool {
    evidence.mean(path, 10).is_some_and(|now| now < threshold / 2.0)
}
