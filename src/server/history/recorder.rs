//! The thread that records: it reads the log as any subscriber does, and commits what is new every few seconds.

use super::{
    HistoryError, HistoryStatus, KeptRanges,
    compaction::{self, compact},
    file::HistoryFile,
    options::HistoryOptions,
    recent_ticks, restore, retention,
};
use crate::{
    schema::{EventFilter, kind_of},
    server::{log::TickLog, store::Folder},
};
use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

/// Time from one compaction to the next.
const COMPACTION_MS: u64 = 15 * 60 * 1000;
/// The same after one that failed.
const RETRY_MS: u64 = 60 * 1000;

/// The recorder of a log; stops, with a last commit, when dropped.
#[derive(Debug)]
pub(in crate::server) struct Recorder {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Recording {
    /// `None` until the disk has room for it.
    file: Option<HistoryFile>,
    folder: Folder,
    log: Arc<TickLog>,
    status: Arc<HistoryStatus>,
    kept: Arc<KeptRanges>,
    options: HistoryOptions,
    /// The number of the first tick that is not recorded.
    next: u64,
    /// The tick from which on the next compaction is due, unix ms.
    compaction_at: u64,
    /// Whether the last compaction failed.
    is_behind: bool,
    /// Whether the file was mended since the start: one that is damaged again is on a disk that fails.
    is_mended: bool,
}

impl Recorder {
    /// Records what `log` gets from now on.
    pub(super) fn start(
        file: Option<HistoryFile>,
        folder: Folder,
        log: Arc<TickLog>,
        status: Arc<HistoryStatus>,
        kept: Arc<KeptRanges>,
        options: HistoryOptions,
    ) -> Result<Self, HistoryError> {
        let (stop, stopped) = mpsc::channel();
        let interval = options.commit;
        let next = log.next_tick();
        let mut recording = Recording {
            file,
            folder,
            log,
            status,
            kept,
            options,
            next,
            compaction_at: 0,
            is_behind: false,
            is_mended: false,
        };
        let record = move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                recording.commit();
            }
            recording.commit();
        };
        let thread = thread::Builder::new().name("history".to_owned()).spawn(record).map_err(HistoryError::Thread)?;
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
        if let Some(damage) = self.status.take_damage() {
            self.mend(&damage);
        }
        match self.write() {
            Ok(()) if self.is_behind => {}
            Ok(()) => self.status.is_recording(),
            Err(error) => {
                self.status.failed(&error);
                if error.is_damage() {
                    self.mend(&error);
                }
            }
        }
    }

    fn write(&mut self) -> Result<(), HistoryError> {
        let mut next = self.next;
        let ticks = self.log.ticks_after(&mut next);
        let Some(newest) = ticks.newest.filter(|_| !ticks.events.is_empty()) else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(restore::open_for(&self.folder, self.log.identity())?),
        };
        if ticks.missed {
            // The window has the values of the ticks that the ring has lost.
            let window = self.log.window().snapshot(None, usize::MAX, &EventFilter::All);
            compaction::merge_window(&mut file.connection, &window)?;
        }
        recent_ticks::append(&file.connection, newest, &ticks.events)?;
        self.next = next;
        if newest >= self.compaction_at || newest + COMPACTION_MS < self.compaction_at {
            (self.compaction_at, self.is_behind) = (newest + RETRY_MS, true);
            retain(file, newest, &self.options, &self.kept)?;
            (self.compaction_at, self.is_behind) = (newest + COMPACTION_MS, false);
        }
        Ok(())
    }

    fn mend(&mut self, damage: &HistoryError) {
        if std::mem::replace(&mut self.is_mended, true) {
            tracing::error!("the history is damaged again: {damage}");
            return;
        }
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.mend(damage)) {
            tracing::error!("the history can't be mended: {error}");
        }
        self.status.replaced_file();
    }
}

/// Compacts, and removes what is no longer kept. A failure leaves everything as it was, for the next compaction.
fn retain(
    file: &mut HistoryFile,
    newest: u64,
    options: &HistoryOptions,
    kept: &KeptRanges,
) -> Result<(), HistoryError> {
    compact(&mut file.connection, newest, kind_of)?;
    recent_ticks::remove_unused(&file.connection, newest)?;
    // Nothing is removed before it is known what is recorded.
    kept.get().map_or(Ok(()), |kept| retention::apply(&mut file.connection, newest, options, &kept))
}
