//! All annotations, in the order of time.

use super::owner::may_change;
use crate::{
    schema::{self, Annotation, INTERVAL_MS, RETENTION_S},
    server::{
        access::{Credentials, Principal},
        store::{KeptAnnotation, MAX_ANNOTATIONS, StoreError},
    },
};
use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Annotations that a tick carries at most.
const MAX_NEWEST: usize = 100;
/// A tick carries those that ended no longer ago.
const NEWEST_MS: u64 = RETENTION_S as u64 * INTERVAL_MS;

/// Annotations, shared by those who write and the sampler. Past [`MAX_ANNOTATIONS`], the oldest is forgotten.
#[derive(Debug, Default)]
pub(in crate::server) struct Annotations {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    list: Vec<KeptAnnotation>,
    /// Whether there are changes that no tick has carried.
    has_changed: bool,
}

/// Which annotations a client requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct AnnotationQuery {
    /// Those that end at this time or later, Unix ms.
    pub from: u64,
    /// Those that begin at this time or earlier, Unix ms.
    pub to: u64,
    /// Those with this tag.
    pub tag: Option<String>,
    /// The newest ones, so many.
    pub limit: usize,
}

impl Annotations {
    /// Adds those that were kept.
    pub(in crate::server) fn restore(&self, kept: Vec<KeptAnnotation>) {
        let mut state = self.lock();
        state.has_changed = true;
        state.list.extend(kept);
        state.list.sort_by_key(|kept| kept.annotation.t);
        state.forget_oldest();
    }

    /// The annotations that match, newest first.
    pub(in crate::server) fn find(&self, query: &AnnotationQuery) -> Vec<Annotation> {
        let matches = |annotation: &&Annotation| {
            let has_tag = |tag: &String| annotation.tags.contains(tag);
            annotation.end() >= query.from && annotation.t <= query.to && query.tag.as_ref().is_none_or(has_tag)
        };
        let state = self.lock();
        state.list.iter().rev().map(|kept| &kept.annotation).filter(matches).take(query.limit).cloned().collect()
    }

    /// The annotation, if `principal` may change it.
    pub(in crate::server) fn changeable(&self, id: &str, principal: &Principal) -> Option<KeptAnnotation> {
        let state = self.lock();
        state.list.iter().find(|kept| kept.annotation.id == id && may_change(principal, &kept.owner)).cloned()
    }

    /// Whether there is an annotation of that id.
    pub(in crate::server) fn contains(&self, id: &str) -> bool {
        self.lock().list.iter().any(|kept| kept.annotation.id == id)
    }

    /// Keeps an annotation in place of one with its id; the next tick carries it. Without a data folder it is lost with the
    /// server.
    ///
    /// # Errors
    /// When it can't be kept; then nothing has changed.
    pub(in crate::server) async fn write(
        &self,
        credentials: &Credentials,
        kept: KeptAnnotation,
    ) -> Result<(), StoreError> {
        let written = kept.clone();
        credentials.keep(move |edit| edit.set_annotation(&written)).await?;
        let mut state = self.lock();
        state.has_changed = true;
        state.insert(kept);
        Ok(())
    }

    /// Removes an annotation; the next tick is without it.
    ///
    /// # Errors
    /// When the data folder can't be written; then nothing has changed.
    pub(in crate::server) async fn remove(&self, credentials: &Credentials, id: String) -> Result<(), StoreError> {
        let removed = id.clone();
        credentials.keep(move |edit| edit.remove_annotation(&removed)).await?;
        let mut state = self.lock();
        state.list.retain(|kept| kept.annotation.id != id);
        state.has_changed = true;
        Ok(())
    }

    /// What the tick at `t` carries; `None` if nothing has changed.
    pub(super) fn take_newest(&self, t: u64) -> Option<schema::Annotations> {
        if !mem::take(&mut self.lock().has_changed) {
            return None;
        }
        let query = AnnotationQuery { from: t.saturating_sub(NEWEST_MS), to: u64::MAX, tag: None, limit: MAX_NEWEST };
        let mut annotations = self.find(&query);
        annotations.reverse();
        Some(schema::Annotations { annotations })
    }

    // A panic can't leave it half changed in a way that matters more than the next annotation.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, kept: KeptAnnotation) {
        self.list.retain(|known| known.annotation.id != kept.annotation.id);
        let index = self.list.partition_point(|known| known.annotation.t <= kept.annotation.t);
        self.list.insert(index, kept);
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        self.list.drain(..self.list.len().saturating_sub(MAX_ANNOTATIONS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{access::token, annotations::Owner, store::Scope};

    const ALL: AnnotationQuery = AnnotationQuery { from: 0, to: u64::MAX, tag: None, limit: 100 };

    fn kept(id: &str, t: u64, owner: &Owner) -> KeptAnnotation {
        let annotation = Annotation { id: id.to_owned(), t, title: id.to_owned(), ..Annotation::default() };
        KeptAnnotation { annotation, owner: owner.to_text() }
    }

    async fn write(annotations: &Annotations, kept: KeptAnnotation) {
        annotations.write(&Credentials::default(), kept).await.unwrap();
    }

    fn ids(list: Vec<Annotation>) -> Vec<String> {
        list.into_iter().map(|annotation| annotation.id).collect()
    }

    #[tokio::test]
    async fn query_finds_by_time_and_tag_newest_first() {
        let annotations = Annotations::default();
        let mut long = kept("long", 1000, &Owner::Local);
        (long.annotation.until, long.annotation.tags) = (Some(5000), vec!["shop".to_owned()]);
        annotations.restore(vec![kept("late", 9000, &Owner::Local), long, kept("early", 500, &Owner::Local)]);
        assert_eq!(ids(annotations.find(&ALL)), ["late", "long", "early"]);
        assert_eq!(ids(annotations.find(&AnnotationQuery { from: 4000, to: 8000, ..ALL })), ["long"]);
        assert_eq!(ids(annotations.find(&AnnotationQuery { tag: Some("shop".to_owned()), ..ALL })), ["long"]);
        assert_eq!(ids(annotations.find(&AnnotationQuery { limit: 1, ..ALL })), ["late"]);
    }

    #[tokio::test]
    async fn tick_after_a_change_carries_the_newest_of_the_last_hour() {
        let annotations = Annotations::default();
        assert_eq!(annotations.take_newest(0), None);
        annotations.restore((0..200).map(|n| kept(&n.to_string(), n, &Owner::Local)).collect());
        let carried = |t| annotations.take_newest(t).map(|newest| ids(newest.annotations));
        let newest: Vec<_> = (100..200).map(|n: u64| n.to_string()).collect();
        assert_eq!((carried(1000), carried(2000)), (Some(newest), None));
        write(&annotations, kept("150", 7000, &Owner::Local)).await;
        assert_eq!(carried(3000).unwrap().last().map(String::as_str), Some("150"), "in the order of time");
        annotations.remove(&Credentials::default(), "150".to_owned()).await.unwrap();
        assert_eq!(carried(NEWEST_MS + 199).unwrap(), ["199"]);
    }

    #[tokio::test]
    async fn oldest_is_forgotten_past_the_bound() {
        let annotations = Annotations::default();
        let many = (0..=MAX_ANNOTATIONS as u64).map(|n| kept(&n.to_string(), n, &Owner::Local));
        annotations.restore(many.collect());
        let all = annotations.find(&AnnotationQuery { limit: usize::MAX, ..ALL });
        assert_eq!((all.len(), all.last().map(|oldest| oldest.t)), (MAX_ANNOTATIONS, Some(1)));
    }

    #[test]
    fn author_and_administrator_may_change_others_may_not() {
        let annotations = Annotations::default();
        let principal = |scope| Principal::Known(token(scope));
        let publisher = principal(Scope::Publish);
        let other = Owner::Token("other".to_owned());
        annotations.restore(vec![
            kept("own", 1, &Owner::of(&publisher)),
            kept("other", 2, &other),
            kept("host", 3, &Owner::Host),
            kept("local", 4, &Owner::Local),
        ]);
        let changeable = |principal: &Principal| {
            let may = |id: &&str| annotations.changeable(id, principal).is_some();
            ["own", "other", "host", "local"].into_iter().filter(may).collect::<Vec<_>>()
        };
        assert_eq!(changeable(&publisher), ["own"]);
        assert_eq!(changeable(&principal(Scope::Admin)), ["own", "other", "host", "local"]);
        assert_eq!(changeable(&Principal::Local), ["host", "local"]);
    }
}
