//! Says whether the host is all right, and if not, what it is, since when, and who: a pure function of what was sampled.
//! `docs/verdict.md` has the rules and where they are from.

mod evidence;
mod rules;

use crate::schema::{Processes, Verdict, Window};
use evidence::Evidence;
use rules::RULES;

/// Judges by the newest second of `window` and what came before; `processes` are those of the moment, where they are known.
pub fn assess(window: &Window, processes: Option<&Processes>) -> Verdict {
    let evidence = Evidence { window, processes };
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&evidence)).collect();
    // In the order of the rules, where they matter as much.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    Verdict { level: findings.first().map(|finding| finding.level).unwrap_or_default(), findings }
}

#[cfg(test)]
mod tests;
