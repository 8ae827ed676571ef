//! What the host itself annotates: its start, processes that the kernel killed because memory was exhausted, failed units
//! of systemd, and times that the history lacks.

use super::{AnnotationQuery, Annotations, Owner};
use crate::{
    schema::{Annotation, AnnotationLevel, Memory, Tick},
    server::{
        access::Credentials,
        store::{KeptAnnotation, Store},
        unix_time::unix_ms,
    },
};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Annotations that wait to be kept; more are dropped.
const MAX_WAITING: usize = 64;
/// A start longer ago is not annotated.
const BOOT_MAX_AGE_MS: u64 = 24 * 3_600_000;
/// How far the clock may have been set since the start was annotated.
const BOOT_TOLERANCE_MS: u64 = 60_000;
/// Kills within this time are one annotation.
const OOM_MERGE_MS: u64 = 60_000;

/// Annotates what the sampler sees.
#[derive(Debug)]
pub(in crate::server) struct HostEvents {
    annotations: Sender<Annotation>,
    /// The newest annotation of killed processes, and how many they are.
    oom: Option<(Annotation, u64)>,
    /// Since when the history is not recorded.
    unrecorded: Option<Annotation>,
}

impl HostEvents {
    /// Annotates the start of the host, and from now on what happens.
    pub(in crate::server) fn start(
        annotations: Arc<Annotations>,
        credentials: Arc<Credentials>,
        boot_time_s: u64,
    ) -> Self {
        let (sender, receiver) = channel(MAX_WAITING);
        if let Some(boot) = boot(&annotations, boot_time_s * 1000, unix_ms()) {
            let _ = sender.try_send(boot);
        }
        #[cfg(target_os = "linux")]
        tokio::spawn(super::failed_units::watch(sender.clone()));
        tokio::spawn(keep(receiver, annotations, credentials));
        Self { annotations: sender, oom: None, unrecorded: None }
    }

    /// Annotates what happened up to `tick`, such as why the history is not recorded.
    pub(in crate::server) fn observe(&mut self, tick: &Tick, unrecorded: Option<String>) {
        for annotation in [self.oom_in(tick), self.unrecorded_at(tick.t, unrecorded)].into_iter().flatten() {
            let _ = self.annotations.try_send(annotation);
        }
    }

    /// The annotation of a time that the history lacks, when it begins and when it ends.
    fn unrecorded_at(&mut self, t: u64, reason: Option<String>) -> Option<Annotation> {
        match (reason, &self.unrecorded) {
            (Some(text), None) => self
                .unrecorded
                .insert(Annotation {
                    id: format!("history-{t}"),
                    t,
                    level: AnnotationLevel::Warning,
                    title: "The history is not recorded".to_owned(),
                    text,
                    ..of_host("history")
                })
                .clone()
                .into(),
            (None, Some(_)) => self.unrecorded.take().map(|annotation| Annotation { until: Some(t), ..annotation }),
            _ => None,
        }
    }

    /// The annotation of the processes that the kernel killed because memory was exhausted.
    fn oom_in(&mut self, tick: &Tick) -> Option<Annotation> {
        let memory = tick.get::<Memory>()?;
        let killed = (memory.values.oom_kills_per_second? * memory.dt).round() as u64;
        if killed == 0 {
            return None;
        }
        let recent = self.oom.take().filter(|(last, _)| tick.t.saturating_sub(last.end()) <= OOM_MERGE_MS);
        let (first, before) = recent.map_or((tick.t, 0), |(last, killed)| (last.t, killed));
        let total = before + killed;
        let processes = if total == 1 { "a process".to_owned() } else { format!("{total} processes") };
        let annotation = Annotation {
            id: format!("oom-{first}"),
            t: first,
            until: (first < tick.t).then_some(tick.t),
            level: AnnotationLevel::Critical,
            title: format!("Out of memory: the kernel killed {processes}"),
            ..of_host("oom")
        };
        self.oom = Some((annotation.clone(), total));
        Some(annotation)
    }
}

/// An annotation of the host itself.
pub(super) fn of_host(tag: &str) -> Annotation {
    Annotation { tags: vec![tag.to_owned()], author: "host".to_owned(), ..Annotation::default() }
}

/// The annotation of a start at `booted`; `None` if there is one already, or the start was too long ago.
fn boot(annotations: &Annotations, booted: u64, now: u64) -> Option<Annotation> {
    let (from, to) = (booted.saturating_sub(BOOT_TOLERANCE_MS), booted + BOOT_TOLERANCE_MS);
    let known = annotations.find(&AnnotationQuery { from, to, tag: Some("boot".to_owned()), limit: usize::MAX });
    if now.saturating_sub(booted) > BOOT_MAX_AGE_MS || known.iter().any(|annotation| annotation.author == "host") {
        return None;
    }
    Some(Annotation { id: format!("boot-{booted}"), t: booted, title: "Host started".to_owned(), ..of_host("boot") })
}

async fn keep(mut waiting: Receiver<Annotation>, annotations: Arc<Annotations>, credentials: Arc<Credentials>) {
    let nothing_kept = Credentials::default();
    while let Some(annotation) = waiting.recv().await {
        let kept = KeptAnnotation { annotation, owner: Owner::Host.to_text() };
        // A server without a file makes none for these.
        let has_file = credentials.store().is_ok_and(Store::has_file);
        let written = annotations.write(if has_file { &credentials } else { &nothing_kept }, kept.clone()).await;
        if let Err(error) = written {
            tracing::error!(%error, "cannot keep an annotation");
            // The page has it all the same, such as that the disk is full.
            let _ = annotations.write(&nothing_kept, kept).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Sample;

    fn events() -> HostEvents {
        HostEvents { annotations: channel(1).0, oom: None, unrecorded: None }
    }

    fn tick(t: u64, rate: Option<f64>, dt: f64) -> Tick {
        let values = Memory { oom_kills_per_second: rate, ..Memory::default() };
        Tick::at(t).with(Sample { t, at: 0.0, dt, values })
    }

    #[test]
    fn kills_within_a_minute_are_one_annotation() {
        let mut events = events();
        assert_eq!(events.oom_in(&tick(1000, None, 1.0)), None);
        assert_eq!(events.oom_in(&tick(2000, Some(0.0), 1.0)), None);
        let first = events.oom_in(&tick(3000, Some(0.5), 2.0)).unwrap();
        assert_eq!((&*first.title, first.until), ("Out of memory: the kernel killed a process", None));
        let more = events.oom_in(&tick(60_000, Some(2.0), 1.0)).unwrap();
        assert_eq!((&more.id, more.until), (&first.id, Some(60_000)));
        assert_eq!(more.title, "Out of memory: the kernel killed 3 processes");
        let later = events.oom_in(&tick(200_000, Some(1.0), 1.0)).unwrap();
        assert_ne!(later.id, first.id);
    }

    #[test]
    fn time_that_the_history_lacks_is_one_annotation() {
        let mut events = events();
        assert_eq!(events.unrecorded_at(1000, None), None);
        let begun = events.unrecorded_at(2000, Some("disk full".to_owned())).unwrap();
        assert_eq!((&*begun.text, begun.until), ("disk full", None));
        assert_eq!(events.unrecorded_at(3000, Some("disk full".to_owned())), None);
        let ended = events.unrecorded_at(9000, None).unwrap();
        assert_eq!((&ended.id, ended.t, ended.until), (&begun.id, 2000, Some(9000)));
        assert_eq!(events.unrecorded_at(10_000, None), None);
    }

    #[tokio::test]
    async fn start_is_annotated_once_and_only_if_recent() {
        let annotations = Annotations::default();
        let (booted, now) = (1_000_000_000, 1_000_600_000);
        let annotation = boot(&annotations, booted, now).unwrap();
        assert_eq!((annotation.t, &*annotation.author), (booted, "host"));
        let kept = KeptAnnotation { annotation, owner: Owner::Host.to_text() };
        annotations.write(&Credentials::default(), kept).await.unwrap();
        assert_eq!(boot(&annotations, booted + 1_000, now), None, "the clock was set by a second");
        assert!(boot(&annotations, booted + 300_000, now).is_some(), "another start");
        assert_eq!(boot(&Annotations::default(), booted, booted + 2 * BOOT_MAX_AGE_MS), None);
    }
}
