//! Verdict on the host's health: findings with level, sentence and start time, computed from the window by rules.
//! Pure; `docs/verdict.md` lists the rules and the sources of their thresholds.

mod evidence;
pub(crate) mod paths;
mod rules;

use crate::schema::{Level, Processes, Verdict, Window};
use evidence::Evidence;
use rules::RULES;

/// Assesses the newest second of `window`; `processes`, if sampled, name the largest user of a resource.
pub fn assess(window: &Window, processes: Option<&Processes>) -> Verdict {
    if window.is_empty() {
        return Verdict::before_samples();
    }
    let evidence = Evidence { window, processes };
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&evidence)).collect();
    // Stable: findings of equal level keep the order of the rules.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    Verdict { level: findings.first().map_or(Level::Fine, |finding| finding.level), findings }
}

#[cfg(test)]
mod tests;
