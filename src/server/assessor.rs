//! Assesses the host at each tick, and adds the verdict to the tick when it has changed, and at intervals for new viewers.

use super::log::TickLog;
use crate::{
    schema::{INTERVAL_MS, Sample, Verdict},
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
    /// The verdict for tick `t` on the log before it, if it is due.
    pub(super) fn assess(&mut self, log: &TickLog, t: u64) -> Option<Sample<Verdict>> {
        let processes = log.processes();
        let values = log.with_window(|window| verdict::assess(window, processes.as_ref()));
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
        schema::{Disk, Filesystem, Level, Tick},
        server::log::tests::tick,
    };

    fn full(t: u64, full: f64) -> Tick {
        let filesystem = Filesystem { full: Some(full), ..Filesystem::default() };
        let values = Disk { filesystems: [("/".to_owned(), filesystem)].into(), ..Disk::default() };
        Tick { disk: Some(Sample { t, at: 0.0, dt: 1.0, values }), ..tick(t) }
    }

    #[test]
    fn changed_verdict_is_sent_at_once_and_unchanged_one_every_ten_seconds() {
        let (log, mut assessor) = (TickLog::default(), Assessor::default());
        let mut sent = Vec::new();
        for second in 1..=25 {
            let t = second * 1000;
            sent.extend(assessor.assess(&log, t).map(|sample| (second, sample.values.level)));
            log.publish(&full(t, if second < 15 { 50.0 } else { 99.0 }));
        }
        assert_eq!(sent, [(10, Level::Fine), (16, Level::Trouble)]);
    }
}
