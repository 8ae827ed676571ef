//! `history.db`: a file beside that of the accounts, so that it can be removed, or be damaged, without them, and so that a
//! change of an account does not wait for the recorder.

use super::{HistoryError, salvage::salvage};
use crate::{
    schema::{Identity, SCHEMA_VERSION},
    server::store::{Folder, migrations},
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The file in the data folder.
pub(super) const DATABASE: &str = "history.db";
const LOCK: &str = "history.lock";
/// The file that takes the place of a damaged one.
const MENDED: &str = "history.db.mended";
/// What follows the name of a database in those of the files beside it.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// A version beyond is damage.
const MAX_VERSION: usize = 1_000;
/// How long a write waits for a checkpoint of another connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes to which the write-ahead log shrinks after a checkpoint.
const WAL_LIMIT: u32 = 4 << 20;

/// Each step leads from the version of its index to the next; published steps never change.
const MIGRATIONS: &[&str] = &["
    -- One row: whose history it is, and how far it is compacted.
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        host_id TEXT NOT NULL,
        epoch TEXT NOT NULL,
        event_schema INTEGER NOT NULL,
        compacted_row INTEGER NOT NULL DEFAULT 0,
        summarised_until INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- The newest ticks as they were sent, one row for each commit. A row is used again, in place.
    CREATE TABLE recent_ticks (
        id INTEGER PRIMARY KEY,
        number INTEGER NOT NULL,
        last INTEGER NOT NULL,
        events BLOB NOT NULL
    ) STRICT;
    CREATE TABLE series (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE) STRICT;
    -- The key is the number of the chunk, counted from 1970, times 2^32, plus the series.
    CREATE TABLE seconds (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    CREATE TABLE minutes (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    -- Samples of processes, one row for each compaction.
    CREATE TABLE processes (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, samples BLOB NOT NULL) STRICT;
    CREATE TABLE hours (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
"];

/// The open file, which no other server may write.
#[derive(Debug)]
pub(super) struct HistoryFile {
    pub(super) connection: Connection,
    folder: Folder,
    _lock: File,
}

/// Whose history it is, and how far it is compacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) identity: Identity,
    /// The schema of the recent ticks' events.
    pub(super) event_schema: u32,
    /// The newest row of recent ticks whose values are in chunks.
    pub(super) compacted_row: i64,
    /// Unix milliseconds, on a whole hour: the summaries of earlier seconds are kept.
    pub(super) summarised_until: u64,
}

impl HistoryFile {
    /// Opens the file in `folder`, and makes both when they are missing. A damaged one is mended.
    ///
    /// # Errors
    /// When another server has it, it is of a newer version, or it can't be written.
    pub(super) fn open(folder: &Folder) -> Result<Self, HistoryError> {
        folder.create()?;
        let lock = folder.lock(LOCK)?;
        let path = folder.file(DATABASE);
        if !path.exists() && folder.file(MENDED).exists() {
            // A server was killed when the damaged one was set aside.
            fs::rename(folder.file(MENDED), &path)?;
        }
        let connection = match open_in(folder) {
            Err(error) if error.is_damage() => mend(folder, &error)?,
            opened => opened?,
        };
        Ok(Self { connection, folder: folder.clone(), _lock: lock })
    }

    /// Sets the file aside, and begins an empty one.
    pub(super) fn start_anew(&mut self, label: &str) -> Result<PathBuf, HistoryError> {
        self.close()?;
        let kept = self.folder.set_aside(DATABASE, label)?;
        self.connection = open_in(&self.folder)?;
        Ok(kept)
    }

    /// Puts a file with what is readable in place of this one, which is damaged.
    ///
    /// # Errors
    /// When the new file can't be written. The damaged one is then used as it is.
    pub(super) fn mend(&mut self, damage: &HistoryError) -> Result<(), HistoryError> {
        self.close()?;
        let mended = mend(&self.folder, damage);
        let (connection, result) = match mended {
            Ok(connection) => (connection, Ok(())),
            Err(error) => (open_in(&self.folder)?, Err(error)),
        };
        self.connection = connection;
        result
    }

    fn close(&mut self) -> rusqlite::Result<()> {
        self.connection = Connection::open_in_memory()?;
        Ok(())
    }

    /// Its state; `None` for a new file.
    pub(super) fn state(&self) -> rusqlite::Result<Option<State>> {
        let read = |row: &Row<'_>| {
            Ok(State {
                identity: Identity { host_id: row.get("host_id")?, epoch: row.get("epoch")? },
                event_schema: row.get("event_schema")?,
                compacted_row: row.get("compacted_row")?,
                summarised_until: row.get("summarised_until")?,
            })
        };
        self.connection.query_row("SELECT * FROM state", [], read).optional()
    }

    /// Names whose history it is from now on.
    pub(super) fn set_identity(&self, identity: &Identity) -> rusqlite::Result<()> {
        let set = "INSERT INTO state (id, host_id, epoch, event_schema) VALUES (0, ?1, ?2, ?3)
                   ON CONFLICT (id) DO UPDATE SET host_id = ?1, epoch = ?2, event_schema = ?3";
        self.connection.execute(set, params![identity.host_id, identity.epoch, SCHEMA_VERSION])?;
        Ok(())
    }
}

/// Another connection to the file at `path`, which only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Puts a file with what is readable in place of the damaged one in `folder`, and opens it.
fn mend(folder: &Folder, damage: &HistoryError) -> Result<Connection, HistoryError> {
    tracing::warn!("the history is damaged: {damage}; what is readable is copied into a new file");
    let (path, new_path) = (folder.file(DATABASE), folder.file(MENDED));
    for suffix in SUFFIXES {
        match fs::remove_file(folder.file(&format!("{MENDED}{suffix}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    folder.create_file(MENDED)?;
    let mut mended = Connection::open(&new_path)?;
    // It counts when it is complete, and is made again if it never is.
    mended.pragma_update(None, "journal_mode", "OFF")?;
    mended.pragma_update(None, "synchronous", "OFF")?;
    migrations::migrate(&mut mended, MIGRATIONS)?;
    let salvaged = salvage(&path, &new_path, &mut mended)?;
    mended.close().map_err(|(_, error)| error)?;
    File::open(&new_path)?.sync_all()?;
    let kept = folder.set_aside(DATABASE, "damaged")?;
    fs::rename(&new_path, &path)?;
    tracing::warn!(
        "{} rows of the damaged history are copied, {} places can't be read; it is kept as {}",
        salvaged.rows,
        salvaged.damaged,
        kept.display()
    );
    open_in(folder)
}

fn open_in(folder: &Folder) -> Result<Connection, HistoryError> {
    folder.create_file(DATABASE)?;
    let path = folder.file(DATABASE);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if (MIGRATIONS.len() + 1..MAX_VERSION).contains(&migrations::version(&connection)?) {
        return Err(HistoryError::Newer(path));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk before the next begins, so that a power cut costs no more than a killed process.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    // A confined process can't write to the folder of temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    migrations::migrate(&mut connection, MIGRATIONS)?;
    verify_tables(&connection)?;
    Ok(connection)
}

/// Checks that the tables are where they are in every file: SQLite would use damaged declarations as they are.
fn verify_tables(connection: &Connection) -> Result<(), HistoryError> {
    type Table = (String, i64, Option<String>);
    let tables = |connection: &Connection| -> rusqlite::Result<Vec<Table>> {
        let mut select = connection.prepare("SELECT name, rootpage, sql FROM sqlite_schema ORDER BY rowid")?;
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    };
    let mut new = Connection::open_in_memory()?;
    migrations::migrate(&mut new, MIGRATIONS)?;
    if tables(connection)? == tables(&new)? {
        Ok(())
    } else {
        Err(HistoryError::Damaged("its tables are not those that it was made with".to_owned()))
    }
}
