//! Puts a verdict on the host into the stream: when it changes, and now and then for those who are new.

use super::log::TickLog;
use crate::{
    schema::{INTERVAL_MS, Sample, Verdict},
    verdict,
};

/// For so long, nobody who is new waits for a verdict.
const AGAIN_MS: u64 = 10_000;

/// What was said last, and at which tick.
#[derive(Debug, Default)]
pub(super) struct Assessor {
    last: Verdict,
    at: u64,
}

impl Assessor {
    /// What is to be said at tick `t` of what `log` knows up to it.
    pub(super) fn assess(&mut self, log: &TickLog, t: u64) -> Option<Sample<Verdict>> {
        let processes = log.processes();
        let values = log.with_window(|window| verdict::assess(window, processes.as_ref()));
        if is_news(&values, &self.last) || t.abs_diff(self.at) >= AGAIN_MS {
            (self.last, self.at) = (values.clone(), t);
            return Some(Sample { t, at: t as f64 / 1000.0, dt: INTERVAL_MS as f64 / 1000.0, values });
        }
        None
    }
}

/// Whether something else was found. That its figures move is none: they do so at every tick, for every viewer.
fn is_news(now: &Verdict, last: &Verdict) -> bool {
    let found =
        |verdict: &Verdict| verdict.findings.iter().map(|finding| (finding.level, finding.since)).collect::<Vec<_>>();
    found(now) != found(last)
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
    fn what_changes_is_said_at_once_and_the_rest_now_and_then() {
        let (log, mut assess) = (TickLog::default(), Assessor::default());
        let mut said = Vec::new();
        for second in 1..=25 {
            let t = second * 1000;
            said.extend(assess.assess(&log, t).map(|sample| (second, sample.values.level)));
            log.publish(&full(t, if second < 15 { 50.0 } else { 99.0 }));
        }
        assert_eq!(said, [(10, Level::Fine), (16, Level::Trouble)]);
    }
}
