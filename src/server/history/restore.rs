//! What a restart continues from: the window, the newest ticks and the ids.

use super::{
    HistoryError,
    compaction::{self, compact},
    file::{HistoryFile, State},
    recent_ticks::{self, Row},
    series,
    state_file::SavedLog,
    tier::Tier,
};
use crate::{
    schema::{INTERVAL_MS, Identity, RETENTION_S, SCHEMA_VERSION, Window, kind_of},
    server::{
        log::{SentEvent, TickLog},
        store::Folder,
        unix_time::unix_ms,
    },
};
use rusqlite::Connection;
use std::{fs, path::Path};

/// What the log keeps, in milliseconds.
const RETENTION_MS: u64 = RETENTION_S as u64 * INTERVAL_MS;

/// The log as it was when the last tick was committed. A new file begins with what the `state_file` of an earlier version
/// has; the history of another host is set aside.
pub(super) fn restore(
    file: &mut HistoryFile,
    host_id: Option<String>,
    state_file: &Path,
) -> Result<TickLog, HistoryError> {
    match file.state()? {
        Some(State { identity, .. }) if host_id.as_ref().is_some_and(|host_id| *host_id != identity.host_id) => {
            let kept = file.start_anew("other-host")?;
            tracing::warn!(
                "the history is that of another host; it is kept as {}, and a new one begins",
                kept.display()
            );
            begin(file, Identity::new_epoch(host_id))
        }
        Some(state) => restore_kept(file, state),
        None => match saved_log(state_file, host_id.as_deref()) {
            Some(saved) => import(file, state_file, saved),
            None => begin(file, Identity::new_epoch(host_id)),
        },
    }
}

/// The file in `folder`, for a log that began without it.
pub(super) fn open_for(folder: &Folder, identity: &Identity) -> Result<HistoryFile, HistoryError> {
    let mut file = HistoryFile::open(folder)?;
    if file.state()?.is_some_and(|state| state.identity.host_id != identity.host_id) {
        file.start_anew("other-host")?;
    }
    file.set_identity(identity)?;
    Ok(file)
}

fn begin(file: &HistoryFile, identity: Identity) -> Result<TickLog, HistoryError> {
    file.set_identity(&identity)?;
    Ok(TickLog::of(identity))
}

fn restore_kept(file: &mut HistoryFile, state: State) -> Result<TickLog, HistoryError> {
    if state.event_schema != SCHEMA_VERSION {
        return begin(file, Identity::new_epoch(Some(state.identity.host_id)));
    }
    let mut events = Vec::new();
    recent_ticks::for_each_after(&file.connection, 0, |Row { events: kept, .. }| {
        events.extend(kept);
        Ok(())
    })?;
    let newest = events.last().map(|event| event.t);
    let mut window = Window::new(RETENTION_S);
    if let Some(newest) = newest.filter(|newest| unix_ms().saturating_sub(*newest) < RETENTION_MS) {
        // Then every kept second is in a chunk.
        compact(&mut file.connection, newest, kind_of)?;
        fill(&file.connection, &mut window, newest)?;
    }
    let log = restored(state.identity, window, &events);
    file.set_identity(log.identity())?;
    Ok(log)
}

/// Events that are no log, as after damage, begin a new epoch; the values are kept.
fn restored(identity: Identity, window: Window, events: &[SentEvent]) -> TickLog {
    let host_id = identity.host_id.clone();
    TickLog::restored(identity, window.clone(), events).unwrap_or_else(|error| {
        tracing::warn!("streams can't resume: {error}");
        let identity = Identity::new_epoch(Some(host_id));
        TickLog::restored(identity.clone(), window, &[]).unwrap_or_else(|_| TickLog::of(identity))
    })
}

/// Fills the window with the hour up to `newest`.
fn fill(connection: &Connection, window: &mut Window, newest: u64) -> Result<(), HistoryError> {
    let oldest = (newest + INTERVAL_MS).saturating_sub(RETENTION_MS);
    window.advance(newest);
    for number in Tier::Second.chunk_of(oldest)..=Tier::Second.chunk_of(newest) {
        let start = number * Tier::Second.chunk_ms();
        let skipped = (oldest.saturating_sub(start) / INTERVAL_MS) as usize;
        let end = ((newest - start) / INTERVAL_MS) as usize + 1;
        series::for_each_of(connection, number, |path, mut column| {
            column.resize(end, f64::NAN);
            window.fill(path, &column[skipped..]);
        })?;
    }
    Ok(())
}

/// The log in the file of an earlier version; `None` if it has none of this host, which is logged.
fn saved_log(path: &Path, host_id: Option<&str>) -> Option<SavedLog> {
    let text = fs::read(path).inspect_err(|error| tracing::debug!(%error, "no history of an earlier version")).ok()?;
    let saved = SavedLog::read(&text);
    let saved = saved.inspect_err(|error| tracing::warn!("cannot import the history from {}: {error}", path.display()));
    saved.ok().flatten().filter(|saved| host_id.is_none_or(|host_id| host_id == saved.identity.host_id))
}

fn import(file: &mut HistoryFile, path: &Path, saved: SavedLog) -> Result<TickLog, HistoryError> {
    let SavedLog { identity, window, text, events } = saved;
    file.set_identity(&identity)?;
    compaction::merge_window(&mut file.connection, &window)?;
    let newest = events.last().map_or(0, |event| event.t);
    recent_ticks::append(&file.connection, newest, &text)?;
    tracing::info!("the history in {} is imported; the file is no longer needed", path.display());
    match file.state()? {
        Some(state) => restore_kept(file, state),
        None => Ok(TickLog::of(identity)),
    }
}
