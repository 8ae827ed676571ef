//! Looks for damage in the whole file once after a start, on a thread of its own: it takes a minute for gigabytes.

use super::{HistoryError, HistoryStatus, file::open_reader};
use std::{
    path::Path,
    sync::{Arc, Weak},
    thread,
};

/// What an undamaged file is said to be.
const WHOLE: &str = "ok";

/// Checks the file at `path`, and reports damage to `status`, as long as that is in use.
pub(super) fn start(path: &Path, status: &Arc<HistoryStatus>) -> Result<(), HistoryError> {
    let (path, status) = (path.to_owned(), Arc::downgrade(status));
    let check = move || report(&path, &status);
    thread::Builder::new().name("history-check".to_owned()).spawn(check).map_err(HistoryError::Thread)?;
    Ok(())
}

fn report(path: &Path, status: &Weak<HistoryStatus>) {
    let Err(error) = check(path) else { return };
    tracing::warn!(%error, "the history is not whole");
    if let Some(status) = status.upgrade() {
        status.cannot_read(&error);
    }
}

/// Reads every page.
///
/// # Errors
/// When one is damaged.
pub(super) fn check(path: &Path) -> Result<(), HistoryError> {
    let connection = open_reader(path)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == WHOLE { Ok(()) } else { Err(HistoryError::Damaged(found)) }
}
