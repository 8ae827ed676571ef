//! Answers queries: a few at a time, on threads that may block, so that none holds up a stream.

use super::{
    HistoryError, HistoryStatus, KeptRanges, Steps, Summaries, file::open_reader, process_samples, query, series,
    tier::Tier,
};
use crate::{schema::kind_of, server::log::TickLog};
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Queries that run at once; others wait.
const QUERIES: usize = 2;

/// The values of series at the same steps.
#[derive(Debug)]
pub(in crate::server) struct SeriesHistory {
    pub(in crate::server) steps: Steps,
    /// By path.
    pub(in crate::server) series: Vec<(String, Summaries)>,
}

/// Reads the history. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::server) struct HistoryReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    log: Arc<TickLog>,
    status: Arc<HistoryStatus>,
    kept: Arc<KeptRanges>,
    permits: Arc<Semaphore>,
    /// Idle connections, each with the number of its file.
    connections: Mutex<Vec<(u64, Connection)>>,
}

/// Ends a query whose client has left.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl HistoryReader {
    /// Reads the file at `path`, and what `log` has beyond it.
    pub(super) fn new(path: PathBuf, log: Arc<TickLog>, status: Arc<HistoryStatus>, kept: Arc<KeptRanges>) -> Self {
        let (permits, connections) = (Arc::new(Semaphore::new(QUERIES)), Mutex::default());
        Self { inner: Arc::new(Inner { path, log, status, kept, permits, connections }) }
    }

    /// Whether the history is recorded.
    pub(in crate::server) fn status(&self) -> &HistoryStatus {
        &self.inner.status
    }

    /// The times that are kept whatever their age.
    pub(in crate::server) fn kept_ranges(&self) -> &Arc<KeptRanges> {
        &self.inner.kept
    }

    /// The paths of all series that have values.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn paths(&self) -> Result<Vec<String>, HistoryError> {
        let paths = self.run(|inner, connection, _| {
            let mut paths = series::paths(connection)?;
            // Those of the newest quarter of an hour may not be in the file.
            paths.extend(inner.log.window().paths().map(str::to_owned));
            paths.sort_unstable();
            paths.dedup();
            Ok(paths)
        });
        paths.await
    }

    /// The paths of the series that may have values at `steps`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn paths_at(&self, steps: Steps) -> Result<Vec<String>, HistoryError> {
        let paths = self.run(move |inner, connection, _| {
            let mut paths = series::paths_between(connection, steps.tier, steps.start, steps.end())?;
            // The newest hour has no summaries yet, and the newest quarter of an hour no chunks.
            let newest = steps.end().saturating_sub(steps.step_ms);
            paths.extend(series::paths_between(connection, Tier::Second, newest, steps.end())?);
            paths.extend(inner.log.window().paths().map(str::to_owned));
            paths.sort_unstable();
            paths.dedup();
            Ok(paths)
        });
        paths.await
    }

    /// The values of series between two times (unix ms, included) at no more than `points` steps. Series without values
    /// are left out.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn series(
        &self,
        paths: Vec<String>,
        from: u64,
        to: u64,
        points: usize,
    ) -> Result<SeriesHistory, HistoryError> {
        self.series_at(paths, self.steps(from, to, points).await?).await
    }

    /// How a range is divided into no more than `points` steps, of which the first begins at a multiple of their length.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn steps(&self, from: u64, to: u64, points: usize) -> Result<Steps, HistoryError> {
        let steps = self.run(move |inner, connection, _| {
            let kept = inner.kept.get().unwrap_or_default();
            Ok(query::steps(connection, from, to, points, &kept)?)
        });
        steps.await
    }

    /// The values of series at `steps`. Series without values are left out.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn series_at(
        &self,
        paths: Vec<String>,
        steps: Steps,
    ) -> Result<SeriesHistory, HistoryError> {
        let read = self.run(move |inner, connection, cancelled| {
            let window = inner.log.window();
            let mut series = Vec::new();
            for path in paths {
                if cancelled.load(Ordering::Relaxed) {
                    break;
                }
                let values = query::series(connection, &window, &path, steps, kind_of)?;
                series.extend(values.map(|values| (path, values)));
            }
            Ok(SeriesHistory { steps, series })
        });
        read.await
    }

    /// The newest processes at `at` (unix ms), as they were sent; `None` if none were sampled around then.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(in crate::server) async fn processes(&self, at: u64) -> Result<Option<String>, HistoryError> {
        self.run(move |_, connection, _| process_samples::at(connection, at)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Inner, &Connection, &AtomicBool) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        // The semaphore is never closed. The query of a client that has left runs on for a moment.
        let permit = Arc::clone(&self.inner.permits).acquire_owned().await;
        let inner = Arc::clone(&self.inner);
        let cancelled = Arc::new(AtomicBool::new(false));
        let _cancel = Cancel(Arc::clone(&cancelled));
        let run = move || {
            let _permit = permit;
            let file = inner.status.file_number();
            let idle = inner.connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let idle = idle.filter(|(number, _)| *number == file).map(|(_, connection)| connection);
            let connection = idle.map_or_else(|| open_reader(&inner.path), Ok)?;
            let answer = query(&inner, &connection, &cancelled);
            let answer = answer.inspect_err(|error| inner.status.cannot_read(error))?;
            inner.connections.lock().unwrap_or_else(PoisonError::into_inner).push((file, connection));
            Ok(answer)
        };
        spawn_blocking(run).await.map_err(|error| HistoryError::Thread(std::io::Error::other(error)))?
    }
}
