//! Declarations of published channels.

use super::{Edit, StoreError};
use crate::schema::{Channel, ChartKind};
use rusqlite::{Connection, Row, params};

/// More than may be declared, unless the bound was lowered.
const MAX_CHANNELS: usize = 10_000;

impl Edit<'_> {
    /// Keeps a declaration in place of one with its name.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        let Channel { name, title, unit, kind, warning, critical } = channel;
        let replace =
            "INSERT OR REPLACE INTO channels (name, title, unit, kind, warning, critical) VALUES (?, ?, ?, ?, ?, ?)";
        self.0.execute(replace, params![name, title, unit, kind.as_str(), warning, critical])?;
        Ok(())
    }

    /// Removes a declaration; that there is none is no error.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn remove_channel(&self, name: &str) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM channels WHERE name = ?", [name])?;
        Ok(())
    }
}

/// All declarations, by name.
pub(super) fn read_channels(connection: &Connection) -> rusqlite::Result<Vec<Channel>> {
    let mut channels = connection.prepare("SELECT * FROM channels ORDER BY name LIMIT ?")?;
    channels.query_map([MAX_CHANNELS], read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Channel> {
    let kind: String = row.get("kind")?;
    Ok(Channel {
        name: row.get("name")?,
        title: row.get("title")?,
        unit: row.get("unit")?,
        // A newer version may have kept another kind.
        kind: ChartKind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap_or_default(),
        warning: row.get("warning")?,
        critical: row.get("critical")?,
    })
}
