//! The rule of coverage: without samples of CPU and memory in the last minute, nothing found does not mean healthy.

use super::{Evidence, Finding, Level, MINUTE, is_enough, paths};

/// CPU or memory can't be read, or too few seconds of the last minute were sampled.
pub(super) fn samples(evidence: &Evidence<'_>) -> Vec<Finding> {
    let cpu = evidence.count(paths::CPU_TOTAL, MINUTE);
    let memory = evidence.count(paths::MEMORY_AVAILABLE, MINUTE);
    match (cpu, memory) {
        (0, 0) => unknown("CPU and memory can't be read.".to_owned()),
        (0, _) => unknown("CPU can't be read.".to_owned()),
        (_, 0) => unknown("Memory can't be read.".to_owned()),
        _ if is_enough(cpu.min(memory), MINUTE) => Vec::new(),
        _ => unknown(format!("Not enough samples: {} of the last {MINUTE} seconds.", cpu.min(memory))),
    }
}

fn unknown(text: String) -> Vec<Finding> {
    vec![Finding { level: Level::Unknown, text, since: None }]
}
