//! Follows the verdict, and has incidents recorded.

use super::{
    Recordings,
    incident::{Incident, RecordedTime},
    list::Observation,
    story::Narrator,
};
use crate::{
    schema::Verdict,
    server::{access::Credentials, unix_time::unix_ms},
};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Observations that wait to be kept; more are dropped, and the next one extends the recording.
const MAX_WAITING: usize = 64;
/// The end of a recording that goes on is kept at this interval, in milliseconds.
const KEEP_INTERVAL_MS: u64 = 60_000;

/// Observes the verdicts of ticks.
#[derive(Debug)]
pub(in crate::server) struct IncidentObserver {
    incident: Incident,
    narrator: Narrator,
    /// The recorded time as it was last kept, and as it is now.
    kept: Option<RecordedTime>,
    now: Option<RecordedTime>,
    observations: Sender<Observation>,
}

impl IncidentObserver {
    /// Records the incidents of this server from now on, and continues a recording that a restart broke off.
    pub(in crate::server) fn start(recordings: Arc<Recordings>, credentials: Arc<Credentials>) -> Self {
        let (observations, waiting) = channel(MAX_WAITING);
        let open = recordings.open_incident(unix_ms());
        let time = open.as_ref().map(|recording| RecordedTime { from: recording.from, to: recording.to });
        let narrator = open.map(|recording| Narrator::after(&recording.story));
        tokio::spawn(keep(waiting, recordings, credentials));
        Self {
            incident: time.map(Incident::resumed).unwrap_or_default(),
            narrator: narrator.unwrap_or_default(),
            kept: time,
            now: time,
            observations,
        }
    }

    /// Observes the tick at `t` (unix ms), which may have a verdict.
    pub(in crate::server) fn observe(&mut self, t: u64, verdict: Option<&Verdict>) {
        if let Some(observation) = self.observation(t, verdict) {
            let _ = self.observations.try_send(observation);
        }
    }

    /// What is to be kept, if anything: what is new, where a recording ends, and each minute how far it has come.
    fn observation(&mut self, t: u64, verdict: Option<&Verdict>) -> Option<Observation> {
        let lines = verdict.map(|verdict| self.narrator.lines(t, verdict)).unwrap_or_default();
        let before = self.now;
        self.now = self.incident.observe(t, verdict.map(|verdict| verdict.level));
        let begins = self.now.is_some_and(|now| before.is_none_or(|before| before.from != now.from));
        // The last lines of an incident are those of its recording, too.
        let time = self.now.or(before);
        let is_over = time.is_some() && self.now.is_none() && self.kept != time;
        let goes_on = time.zip(self.kept).is_some_and(|(time, kept)| time.to >= kept.to + KEEP_INTERVAL_MS);
        if lines.is_empty() && !begins && !is_over && !goes_on {
            return None;
        }
        self.kept = time;
        Some(Observation { t, lines, time, begins })
    }
}

async fn keep(mut waiting: Receiver<Observation>, recordings: Arc<Recordings>, credentials: Arc<Credentials>) {
    while let Some(observation) = waiting.recv().await {
        recordings.observe(&credentials, observation).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Finding, Level, Recording};

    const START: u64 = 60_000_000;

    fn verdict(level: Level) -> Verdict {
        let finding = Finding { level, text: "Filesystem /srv is 99 % full.".to_owned(), since: None };
        Verdict { level, findings: if level == Level::Fine { Vec::new() } else { vec![finding] } }
    }

    /// The recordings after each of `verdicts`, which are minutes apart, with ticks in between.
    async fn recorded(verdicts: &[Level]) -> Vec<Recording> {
        let recordings = Arc::new(Recordings::default());
        let mut observer = IncidentObserver::start(Arc::clone(&recordings), Arc::default());
        for (minute, level) in (0..).zip(verdicts) {
            for second in 0..60 {
                let verdict = (second % 10 == 0).then(|| verdict(*level));
                if let Some(observation) = observer.observation(START + (minute * 60 + second) * 1000, verdict.as_ref())
                {
                    recordings.observe(&Credentials::default(), observation).await;
                }
            }
        }
        recordings.all()
    }

    #[tokio::test]
    async fn incident_becomes_one_recording_with_its_story() {
        use Level::{Fine, Trouble, Unknown, Watch};
        let verdicts = [&[Unknown, Fine, Watch, Watch, Unknown, Trouble, Fine][..], &[Fine; 10]].concat();
        let [recording] = &recorded(&verdicts).await[..] else { panic!() };
        let minute = |minute: u64| START + minute * 60_000;
        assert_eq!((recording.from, recording.to), (minute(2) - 300_000, minute(6) - 1000 + 300_000));
        assert_eq!((recording.level, recording.is_automatic), (Trouble, true));
        let story: Vec<_> = recording.story.iter().map(|line| (line.t, line.level)).collect();
        assert_eq!(story, [(minute(2), Watch), (minute(5), Trouble), (minute(6), Fine)]);
    }

    #[tokio::test]
    async fn long_incident_ends_after_an_hour() {
        let recordings = recorded(&[Level::Trouble; 100]).await;
        let [recording] = &recordings[..] else { panic!("{recordings:?}") };
        assert_eq!(recording.to - recording.from, 3_600_000);
    }

    #[tokio::test]
    async fn observer_that_starts_continues_the_open_recording() {
        let (recordings, now) = (Arc::new(Recordings::default()), unix_ms());
        let credentials: Arc<Credentials> = Arc::default();
        let mut before = IncidentObserver::start(Arc::clone(&recordings), Arc::clone(&credentials));
        let begun = before.observation(now - 60_000, Some(&verdict(Level::Watch))).unwrap();
        recordings.observe(&credentials, begun).await;
        let mut after = IncidentObserver::start(Arc::clone(&recordings), Arc::clone(&credentials));
        assert_eq!(after.observation(now, Some(&verdict(Level::Unknown))), None);
        let extended = after.observation(now + 60_000, Some(&verdict(Level::Watch))).unwrap();
        assert!(!extended.begins && extended.lines.is_empty());
        recordings.observe(&credentials, extended).await;
        let [recording] = &recordings.all()[..] else { panic!() };
        assert_eq!((recording.to, recording.story.len()), (now + 360_000, 1));
    }
}
