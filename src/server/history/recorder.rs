//! The thread that records: it reads the log as any subscriber does, and commits what is new every few seconds.

use super::{
    HistoryError, HistoryStatus,
    compaction::{self, compact},
    file::HistoryFile,
    options::HistoryOptions,
    recent_ticks, retention,
};
use crate::{
    schema::{EventFilter, kind_of},
    server::log::{RecordedTicks, TickLog},
};
use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

/// Ticks younger than this remain as they were sent: longer than the ring of a log.
const RECENT_MS: u64 = 16 * 60 * 1000;
/// Time from one compaction to the next.
const COMPACTION_MS: u64 = 15 * 60 * 1000;

/// The recorder of a log; stops, with a last commit, when dropped.
#[derive(Debug)]
pub(in crate::server) struct Recorder {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Recording {
    file: HistoryFile,
    log: Arc<TickLog>,
    status: Arc<HistoryStatus>,
    options: HistoryOptions,
    /// The number of the first tick that is not recorded.
    next: u64,
    /// The newest tick of the last compaction, unix ms.
    compacted_at: u64,
}

impl Recorder {
    /// Records what `log` gets from now on.
    pub(super) fn start(
        file: HistoryFile,
        log: Arc<TickLog>,
        status: Arc<HistoryStatus>,
        options: HistoryOptions,
    ) -> Result<Self, HistoryError> {
        let (stop, stopped) = mpsc::channel();
        let interval = options.commit;
        let mut recording = Recording { file, next: log.next_tick(), log, status, options, compacted_at: 0 };
        let record = move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                recording.commit();
            }
            recording.commit();
        };
        let thread = thread::Builder::new().name("history".to_owned()).spawn(record)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.take();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that records the history failed");
        }
    }
}

impl Recording {
    /// Records what is new. What can't be written is read again at the next commit, as long as the log keeps it.
    fn commit(&mut self) {
        let mut next = self.next;
        let ticks = self.log.ticks_after(&mut next);
        match self.write(&ticks) {
            Ok(()) => {
                self.next = next;
                self.status.is_recording();
            }
            Err(error) => self.status.failed(&error),
        }
    }

    fn write(&mut self, ticks: &RecordedTicks) -> Result<(), HistoryError> {
        let Some(newest) = ticks.newest.filter(|_| !ticks.events.is_empty()) else { return Ok(()) };
        if ticks.missed {
            // The window has the values of the ticks that the ring has lost.
            let window = self.log.window().snapshot(None, usize::MAX, &EventFilter::All);
            compaction::merge_window(&mut self.file.connection, &window)?;
        }
        recent_ticks::append(&self.file.connection, newest, &ticks.events)?;
        if newest.abs_diff(self.compacted_at) >= COMPACTION_MS {
            self.compact(newest);
        }
        Ok(())
    }

    /// A failure leaves everything as it was, for the next compaction.
    fn compact(&mut self, newest: u64) {
        let connection = &mut self.file.connection;
        let compacted = compact(connection, newest, kind_of)
            .and_then(|()| Ok(recent_ticks::remove_compacted(connection, newest.saturating_sub(RECENT_MS))?))
            .and_then(|()| retention::apply(connection, newest, &self.options));
        match compacted {
            Ok(()) => self.compacted_at = newest,
            Err(error) => self.status.failed(&error),
        }
    }
}
