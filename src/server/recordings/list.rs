//! All recordings, newest first.

use super::{
    draft::RecordingDraft,
    incident::{MARGIN_MS, RecordedTime},
    story::{add_line, title_of},
};
use crate::{
    schema::{Level, Recording, StoryLine},
    server::{
        access::{Credentials, Principal},
        annotations::{Owner, may_change},
        history::KeptRanges,
        store::{KeptRecording, MAX_RECORDINGS, StoreError},
    },
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a recording is not made.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum RecordingError {
    /// Automatic ones would make room.
    #[error("there are {MAX_RECORDINGS} recordings, the maximum; remove one with DELETE /api/recordings/ID")]
    TooMany,
    /// It can't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Recordings, shared by those who make them and the history. Past [`MAX_RECORDINGS`], the oldest automatic one is removed.
#[derive(Debug, Default)]
pub(in crate::server) struct Recordings {
    state: Mutex<State>,
    /// One change at a time, from what is read to what is kept.
    changes: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Newest first.
    list: Vec<KeptRecording>,
    /// The story of the last minutes.
    lines: Vec<StoryLine>,
    /// Where the history learns what it keeps.
    ranges: Option<Arc<KeptRanges>>,
}

/// What the verdict of a tick changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observation {
    /// The tick, unix ms.
    pub(super) t: u64,
    /// What began or ended.
    pub(super) lines: Vec<StoryLine>,
    /// The time that is recorded automatically.
    pub(super) time: Option<RecordedTime>,
    /// Whether that is a new one.
    pub(super) begins: bool,
}

impl Recordings {
    /// Adds those that were kept.
    pub(in crate::server) fn restore(&self, kept: Vec<KeptRecording>) {
        let mut state = self.lock();
        state.list.extend(kept);
        state.sort();
    }

    /// Has the history keep what is recorded, from now on.
    pub(in crate::server) fn keep_in(&self, ranges: &Arc<KeptRanges>) {
        let mut state = self.lock();
        state.ranges = Some(Arc::clone(ranges));
        state.keep_ranges();
    }

    /// All of them, newest first.
    pub(in crate::server) fn all(&self) -> Vec<Recording> {
        self.lock().list.iter().map(|kept| kept.recording.clone()).collect()
    }

    /// The recording of that id.
    pub(in crate::server) fn find(&self, id: &str) -> Option<Recording> {
        self.lock().find(id).map(|kept| kept.recording.clone())
    }

    /// Whether `principal` may change the recording; `None` if there is none of that id.
    pub(in crate::server) fn is_changeable(&self, id: &str, principal: &Principal) -> Option<bool> {
        self.lock().find(id).map(|kept| may_change(principal, &kept.owner))
    }

    /// Records the minutes before and after `now` (unix ms).
    ///
    /// # Errors
    /// When there are as many as may be, or it can't be kept; then nothing has changed.
    pub(in crate::server) async fn begin(
        &self,
        credentials: &Credentials,
        draft: RecordingDraft,
        principal: &Principal,
        now: u64,
    ) -> Result<Recording, RecordingError> {
        let _change = self.changes.lock().await;
        let from = now.saturating_sub(MARGIN_MS);
        let mut recording = Recording {
            id: format!("{:016x}", fastrand::u64(..)),
            from,
            to: now + MARGIN_MS,
            level: Level::Fine,
            author: Owner::author(principal),
            ..Recording::default()
        };
        self.lock().lines.iter().filter(|line| line.t >= from).for_each(|line| add_line(&mut recording, line));
        draft.apply_to(&mut recording);
        let kept = KeptRecording { recording: recording.clone(), owner: Owner::of(principal).to_text() };
        self.write(credentials, kept).await?;
        Ok(recording)
    }

    /// Changes what the draft has, and returns the recording; `None` if there is none of that id.
    ///
    /// # Errors
    /// When it can't be kept; then nothing has changed.
    pub(in crate::server) async fn change(
        &self,
        credentials: &Credentials,
        id: &str,
        draft: RecordingDraft,
    ) -> Result<Option<Recording>, RecordingError> {
        let _change = self.changes.lock().await;
        let Some(mut kept) = self.lock().find(id).cloned() else { return Ok(None) };
        draft.apply_to(&mut kept.recording);
        let recording = kept.recording.clone();
        self.write(credentials, kept).await?;
        Ok(Some(recording))
    }

    /// Removes a recording; the history no longer keeps its time.
    ///
    /// # Errors
    /// When the data folder can't be written; then nothing has changed.
    pub(in crate::server) async fn remove(&self, credentials: &Credentials, id: &str) -> Result<(), StoreError> {
        let _change = self.changes.lock().await;
        let removed = id.to_owned();
        credentials.keep(move |edit| edit.remove_recording(&removed)).await?;
        let mut state = self.lock();
        state.list.retain(|kept| kept.recording.id != id);
        state.keep_ranges();
        Ok(())
    }

    /// The newest automatic recording that has not ended at `now` (unix ms).
    pub(super) fn open_incident(&self, now: u64) -> Option<Recording> {
        let state = self.lock();
        let mut recordings = state.list.iter().map(|kept| &kept.recording);
        recordings.find(|recording| recording.is_automatic && recording.to > now).cloned()
    }

    /// Begins or extends the automatic recording, and adds to the stories of all that have not ended. What can't be kept is
    /// in memory all the same.
    pub(super) async fn observe(&self, credentials: &Credentials, observation: Observation) {
        let _change = self.changes.lock().await;
        let changed = self.lock().changed_by(observation);
        for kept in changed {
            if let Err(error) = self.write(credentials, kept.clone()).await {
                tracing::error!(%error, "cannot keep a recording");
                let _ = self.write(&Credentials::default(), kept).await;
            }
        }
    }

    /// Keeps a recording in place of one with its id.
    async fn write(&self, credentials: &Credentials, kept: KeptRecording) -> Result<(), RecordingError> {
        let removed = self.lock().removed_by(&kept)?;
        let (written, id) = (kept.clone(), removed.clone());
        let edit = credentials.keep(move |edit| {
            id.map_or(Ok(()), |id| edit.remove_recording(&id))?;
            edit.set_recording(&written)
        });
        edit.await?;
        let mut state = self.lock();
        state
            .list
            .retain(|known| known.recording.id != kept.recording.id && Some(&known.recording.id) != removed.as_ref());
        state.list.push(kept);
        state.sort();
        state.keep_ranges();
        Ok(())
    }

    // A panic can't leave it half changed in a way that matters more than the next recording.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, id: &str) -> Option<&KeptRecording> {
        self.list.iter().find(|kept| kept.recording.id == id)
    }

    fn sort(&mut self) {
        self.list.sort_by_key(|kept| std::cmp::Reverse(kept.recording.from));
    }

    fn keep_ranges(&self) {
        if let Some(ranges) = &self.ranges {
            ranges.set(self.list.iter().map(|kept| kept.recording.from..=kept.recording.to).collect());
        }
    }

    /// The recording that must go for `new`.
    fn removed_by(&self, new: &KeptRecording) -> Result<Option<String>, RecordingError> {
        if self.list.len() < MAX_RECORDINGS || self.find(&new.recording.id).is_some() {
            return Ok(None);
        }
        let oldest = self.list.iter().rfind(|kept| kept.recording.is_automatic);
        oldest.map(|kept| Some(kept.recording.id.clone())).ok_or(RecordingError::TooMany)
    }

    /// The recordings that an observation begins or changes.
    fn changed_by(&mut self, Observation { t, lines, time, begins }: Observation) -> Vec<KeptRecording> {
        let of_incident = time.map(|time| format!("incident-{}", time.from));
        let mut changed = Vec::new();
        if let (Some(id), Some(time)) = (&of_incident, time)
            && begins
        {
            let begun = Recording {
                id: id.clone(),
                from: time.from,
                title: title_of(""),
                level: Level::Fine,
                author: "host".to_owned(),
                is_automatic: true,
                ..Recording::default()
            };
            changed.push(KeptRecording { recording: begun, owner: Owner::Host.to_text() });
        }
        let is_open = |kept: &&KeptRecording| {
            let Recording { id, to, is_automatic, .. } = &kept.recording;
            let is_incident = of_incident.as_ref() == Some(id);
            if *is_automatic { is_incident && !begins } else { t <= *to && !lines.is_empty() }
        };
        changed.extend(self.list.iter().filter(is_open).cloned());
        for KeptRecording { recording, .. } in &mut changed {
            lines.iter().for_each(|line| add_line(recording, line));
            if let Some(time) = time.filter(|_| recording.is_automatic) {
                recording.to = time.to;
            }
        }
        self.lines.retain(|line| line.t.saturating_add(MARGIN_MS) >= t);
        self.lines.extend(lines);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::parse_recording;
    use super::*;
    use crate::server::{access::token, store::Scope};

    const MINUTE: u64 = 60_000;
    const START: u64 = 1_000 * MINUTE;

    fn draft(title: &str) -> RecordingDraft {
        parse_recording(format!(r#"{{"title":"{title}"}}"#).as_bytes()).unwrap()
    }

    fn kept(id: &str, from: u64, is_automatic: bool) -> KeptRecording {
        let recording = Recording { id: id.to_owned(), from, to: from + 10, is_automatic, ..Recording::default() };
        let owner = if is_automatic { Owner::Host } else { Owner::Local };
        KeptRecording { recording, owner: owner.to_text() }
    }

    async fn begin(recordings: &Recordings, title: &str, now: u64) -> Result<Recording, RecordingError> {
        recordings.begin(&Credentials::default(), draft(title), &Principal::Local, now).await
    }

    async fn observe(recordings: &Recordings, t: u64, level: Level, text: &str, begins: bool) {
        let time = Some(RecordedTime { from: START, to: t + 5 * MINUTE });
        let lines = vec![StoryLine { t, level, text: text.to_owned() }];
        recordings.observe(&Credentials::default(), Observation { t, lines, time, begins }).await;
    }

    fn ids(recordings: &Recordings) -> Vec<String> {
        recordings.all().into_iter().map(|recording| recording.id).collect()
    }

    #[tokio::test]
    async fn incident_and_what_is_recorded_by_hand_meanwhile_have_its_story() {
        let recordings = Recordings::default();
        let begun = START + 5 * MINUTE;
        observe(&recordings, begun, Level::Trouble, "Disk vda slow.", true).await;
        let by_hand = begin(&recordings, "checkout is slow", begun + MINUTE).await.unwrap();
        assert_eq!((by_hand.from, by_hand.to), (START + MINUTE, START + 11 * MINUTE));
        observe(&recordings, begun + 2 * MINUTE, Level::Fine, "Healthy again.", false).await;
        observe(&recordings, begun + 30 * MINUTE, Level::Watch, "Filesystem /srv is 91 % full.", false).await;
        let [by_hand, incident] = &recordings.all()[..] else { panic!() };
        assert_eq!(
            (&*by_hand.title, by_hand.level, &*by_hand.cause),
            ("checkout is slow", Level::Trouble, "Disk vda slow.")
        );
        assert_eq!((&*incident.title, incident.level, &*incident.author), ("Disk vda slow", Level::Trouble, "host"));
        assert_eq!((by_hand.story.len(), incident.story.len()), (2, 3));
        assert_eq!((incident.from, incident.to), (START, begun + 35 * MINUTE));
    }

    #[tokio::test]
    async fn removed_recording_of_an_incident_stays_removed_and_a_changed_one_changed() {
        let recordings = Recordings::default();
        let credentials = Credentials::default();
        observe(&recordings, START, Level::Watch, "Filesystem /srv is 91 % full.", true).await;
        let id = ids(&recordings).pop().unwrap();
        let changed = recordings.change(&credentials, &id, draft("backup")).await.unwrap();
        assert_eq!(changed.unwrap().title, "backup");
        observe(&recordings, START + MINUTE, Level::Trouble, "Filesystem /srv is 98 % full.", false).await;
        assert_eq!(recordings.find(&id).unwrap().title, "backup");
        recordings.remove(&credentials, &id).await.unwrap();
        observe(&recordings, START + 2 * MINUTE, Level::Fine, "Healthy again.", false).await;
        assert_eq!(ids(&recordings), [""; 0]);
        assert!(recordings.change(&credentials, &id, draft("again")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn oldest_automatic_one_makes_room_and_others_never_do() {
        let recordings = Recordings::default();
        recordings.restore((0..MAX_RECORDINGS as u64 - 2).map(|n| kept(&n.to_string(), n, false)).collect());
        recordings.restore(vec![kept("early", 1, true), kept("late", START - MINUTE, true)]);
        begin(&recordings, "by hand", START).await.unwrap();
        assert!(recordings.find("early").is_none() && recordings.find("late").is_some());
        observe(&recordings, START, Level::Watch, "Filesystem /srv is 91 % full.", true).await;
        assert!(recordings.find("late").is_none());
        begin(&recordings, "by hand", START).await.unwrap();
        let refused = begin(&recordings, "by hand", START).await.unwrap_err();
        assert!(refused.to_string().contains("DELETE"), "{refused}");
        observe(&recordings, START, Level::Watch, "Filesystem /srv is 91 % full.", true).await;
        assert_eq!(ids(&recordings).len(), MAX_RECORDINGS);
        assert!(recordings.all().iter().all(|recording| !recording.is_automatic));
    }

    #[tokio::test]
    async fn history_keeps_what_is_recorded() {
        let (recordings, ranges) = (Recordings::default(), Arc::new(KeptRanges::default()));
        recordings.restore(vec![kept("a", 100, true)]);
        recordings.keep_in(&ranges);
        assert!(ranges.has(100) && ranges.has(110) && !ranges.has(START));
        begin(&recordings, "by hand", START).await.unwrap();
        recordings.remove(&Credentials::default(), "a").await.unwrap();
        assert!(ranges.has(START) && !ranges.has(100));
    }

    #[test]
    fn only_its_author_and_administrators_may_change_a_recording() {
        let recordings = Recordings::default();
        recordings.restore(vec![kept("host", 1, true), kept("local", 2, false)]);
        let may = |principal: &Principal| ["host", "local", "none"].map(|id| recordings.is_changeable(id, principal));
        assert_eq!(may(&Principal::Local), [Some(true), Some(true), None]);
        assert_eq!(may(&Principal::Known(token(Scope::Publish))), [Some(false), Some(false), None]);
        assert_eq!(may(&Principal::Known(token(Scope::Admin))), [Some(true), Some(true), None]);
    }

    #[test]
    fn incident_is_open_until_its_end() {
        let recordings = Recordings::default();
        recordings.restore(vec![kept("by hand", 105, false), kept("incident", 100, true)]);
        let open = |now| recordings.open_incident(now).map(|recording| recording.id);
        assert_eq!((open(109), open(110)), (Some("incident".to_owned()), None));
    }
}
