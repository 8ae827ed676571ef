//! Recordings of incidents.

use super::{Edit, StoreError};
use crate::schema::{Level, Recording};
use rusqlite::{Connection, Row, params, types::Type};

/// Recordings that are kept at most.
pub const MAX_RECORDINGS: usize = 200;

/// A recording and who may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecording {
    /// The recording.
    pub recording: Recording,
    /// The user or token that began it.
    pub owner: String,
}

impl Edit<'_> {
    /// Keeps a recording in place of one with its id.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_recording(&self, kept: &KeptRecording) -> Result<(), StoreError> {
        let KeptRecording { recording, owner } = kept;
        let Recording { id, from, to, title, level, cause, author, is_automatic, note, story } = recording;
        let replace = "INSERT OR REPLACE INTO recordings
                       (id, began, ended, title, level, cause, author, is_automatic, note, story, owner)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let story =
            serde_json::to_string(story).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let level = level.as_str();
        self.0
            .execute(replace, params![id, from, to, title, level, cause, author, is_automatic, note, story, owner])?;
        Ok(())
    }

    /// Removes a recording; that there is none is no error.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn remove_recording(&self, id: &str) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM recordings WHERE id = ?", [id])?;
        Ok(())
    }
}

/// All recordings, newest first.
pub(super) fn read_recordings(connection: &Connection) -> rusqlite::Result<Vec<KeptRecording>> {
    let mut recordings = connection.prepare("SELECT * FROM recordings ORDER BY began DESC LIMIT ?")?;
    recordings.query_map([MAX_RECORDINGS], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptRecording> {
    let (level, story): (String, String) = (row.get("level")?, row.get("story")?);
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error));
    let recording = Recording {
        id: row.get("id")?,
        from: row.get("began")?,
        to: row.get("ended")?,
        title: row.get("title")?,
        // A newer version may have kept another level.
        level: Level::ALL.into_iter().find(|known| known.as_str() == level).unwrap_or_default(),
        cause: row.get("cause")?,
        author: row.get("author")?,
        is_automatic: row.get("is_automatic")?,
        note: row.get("note")?,
        story: serde_json::from_str(&story).map_err(unreadable)?,
    };
    Ok(KeptRecording { recording, owner: row.get("owner")? })
}
