//! Assesses the host at each tick, and adds the verdict to the tick when it has changed, and at intervals for new viewers.

use crate::{
    schema::{INTERVAL_MS, Processes, Sample, Verdict, Window},
    verdict,
};

/// A new viewer waits at most this long for a verdict.
const REPEAT_MS: u64 = 10_000;

/// The last verdict sent, and the tick it was in.
#[derive(Debug, Default)]
pub(super) struct Assessor {
    last: Verdict,
    at: u64,
}

impl Assessor {
    /// The verdict on the newest tick of `window`, if it is due.
    pub(super) fn assess(&mut self, window: &Window, processes: Option<&Processes>) -> Option<Sample<Verdict>> {
        let (t, values) = (window.end()?, verdict::assess(window, processes));
        if has_changed(&values, &self.last) || t.abs_diff(self.at) >= REPEAT_MS {
            (self.last, self.at) = (values.clone(), t);
            return Some(Sample { t, at: t as f64 / 1000.0, dt: INTERVAL_MS as f64 / 1000.0, values });
        }
        None
    }
}

/// Whether the findings differ. Their numbers change with every tick, and don't count.
fn has_changed(now: &Verdict, last: &Verdict) -> bool {
    let findings =
        |verdict: &Verdict| verdict.findings.iter().map(|finding| (finding.level, finding.since)).collect::<Vec<_>>();
    findings(now) != findings(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Disk, Filesystem, Level, Memory, Tick},
        server::log::{TickLog, tests::tick},
    };

    fn full(t: u64, full: f64) -> Tick {
        let filesystem = Filesystem { full_percent: Some(full), ..Filesystem::default() };
        let values = Disk { filesystems: [("/".to_owned(), filesystem)].into(), ..Disk::default() };
        let memory = Memory { available_bytes: Some(5), total_bytes: Some(9), ..Memory::default() };
        let disk = Sample { t, at: 0.0, dt: 1.0, values };
        tick(t).with(disk).with(Sample { t, at: 0.0, dt: 1.0, values: memory })
    }

    #[test]
    fn changed_verdict_is_sent_at_once_and_unchanged_one_every_ten_seconds() {
        let (log, mut assessor) = (TickLog::default(), Assessor::default());
        let mut sent = Vec::new();
        for second in 1..=75 {
            log.publish_assessed(full(second * 1000, if second < 70 { 50.0 } else { 99.0 }), |window, processes| {
                let verdict = assessor.assess(window, processes);
                sent.extend(verdict.as_ref().map(|sample| (second, sample.t / 1000, sample.values.level)));
                verdict
            });
        }
        let unknown = [1, 11, 21, 31, 41, 51].map(|second| (second, second, Level::Unknown));
        let known = [(54, 54, Level::Fine), (64, 64, Level::Fine), (70, 70, Level::Trouble)];
        assert_eq!(sent, [&unknown[..], &known].concat());
        assert_eq!(log.latest_values().verdict.level, Level::Trouble);
    }
}
