//! Whether the history is recorded, and whether its file is damaged.

use super::HistoryError;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Whether the history is recorded, and if not, why.
#[derive(Debug, Default)]
pub(in crate::server) struct HistoryStatus {
    failure: Mutex<Option<String>>,
    /// Damage that was found and is not yet mended.
    damage: Mutex<Option<String>>,
    /// How often another file took the place of the one that was opened.
    replaced: AtomicU64,
}

impl HistoryStatus {
    /// Why the newest ticks are not recorded; `None` if they are.
    pub(in crate::server) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_recording(&self) {
        if self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("the history is recorded again");
        }
    }

    pub(super) fn failed(&self, error: &HistoryError) {
        let message = error.to_string();
        let previous = self.failure.lock().unwrap_or_else(PoisonError::into_inner).replace(message.clone());
        if previous.as_ref() != Some(&message) {
            tracing::error!("the history is not recorded: {message}");
        }
    }

    /// Reports why the file can't be read; damage is mended by the recorder.
    pub(super) fn cannot_read(&self, error: &HistoryError) {
        if error.is_damage() {
            *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
    }

    /// The damage that was reported, once.
    pub(super) fn take_damage(&self) -> Option<HistoryError> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).take().map(HistoryError::Damaged)
    }

    /// Counts the files; connections to an earlier one are of no use.
    pub(super) fn file_number(&self) -> u64 {
        self.replaced.load(Ordering::Acquire)
    }

    /// Another file took the place of the one that was opened.
    pub(super) fn replaced_file(&self) {
        self.replaced.fetch_add(1, Ordering::Release);
    }
}
