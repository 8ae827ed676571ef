//! Whether the history is recorded.

use super::HistoryError;
use std::sync::{Mutex, PoisonError};

/// Whether the history is recorded, and if not, why.
#[derive(Debug, Default)]
pub(in crate::server) struct HistoryStatus {
    failure: Mutex<Option<String>>,
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
}
