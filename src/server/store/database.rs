//! The SQLite file, opened only after it is known to be whole and of a version that this program knows.

use super::{
    Accounts, DataOptions, Edit, KeptAnnotation, KeptRecording, SessionTimeouts, StoreError,
    annotation::read_annotations,
    channel::read_channels,
    error::is_damage,
    folder::Folder,
    migrations,
    recording::read_recordings,
    tables::{MIGRATIONS, VERSION},
};
use crate::schema::Channel;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The file in the data folder.
pub(super) const DATABASE: &str = "hostbeat.db";

/// How long a write waits for that of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An open `hostbeat.db`.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
    /// The file that the path had when it was opened.
    file: Option<FileId>,
    /// Rises with each commit of another connection.
    data_version: i64,
}

impl Database {
    /// Opens the file in the data folder, and makes both when they are missing.
    ///
    /// # Errors
    /// When there is no such folder, or the file is damaged, of a newer version, or can't be written.
    pub fn open(options: &DataOptions) -> Result<Self, StoreError> {
        Self::open_in(&Folder::find(options).ok_or(StoreError::NoFolder)?)
    }

    /// Opens the file in the data folder; `None` when there is none.
    ///
    /// # Errors
    /// When the file is damaged, of a newer version, or can't be written.
    pub fn open_existing(options: &DataOptions) -> Result<Option<Self>, StoreError> {
        let folder = Folder::find(options).ok_or(StoreError::NoFolder)?;
        folder.file(DATABASE).exists().then(|| Self::open_in(&folder)).transpose()
    }

    pub(super) fn open_in(folder: &Folder) -> Result<Self, StoreError> {
        folder.create()?;
        folder.create_file(DATABASE)?;
        let path = folder.file(DATABASE);
        Self::open_file(&path).map_err(|error| match error {
            StoreError::Database(error) if is_damage(&error) => StoreError::Damaged { path, reason: error.to_string() },
            error => error,
        })
    }

    fn open_file(path: &Path) -> Result<Self, StoreError> {
        let file = file_id(path);
        check(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A confined process can't write to the folder of temporary files.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        migrations::migrate(&mut connection, MIGRATIONS)?;
        let mut database = Self { connection, path: path.to_owned(), file, data_version: 0 };
        // Content that can't be read is found now, too.
        database.accounts()?;
        database.channels()?;
        database.annotations()?;
        database.recordings()?;
        database.has_changed()?;
        Ok(database)
    }

    /// Whether another connection has committed since the last call.
    pub(super) fn has_changed(&mut self) -> Result<bool, StoreError> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(std::mem::replace(&mut self.data_version, version) != version)
    }

    /// Whether the path still leads to the open file.
    pub(super) fn is_in_place(&self) -> bool {
        file_id(&self.path) == self.file
    }

    /// All accounts, with default timeouts of sessions.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn accounts(&self) -> Result<Accounts, StoreError> {
        self.accounts_after(&Accounts::default(), SessionTimeouts::default())
    }

    /// All accounts. What is in `previous` too keeps its newer time of use.
    pub(super) fn accounts_after(
        &self,
        previous: &Accounts,
        timeouts: SessionTimeouts,
    ) -> Result<Accounts, StoreError> {
        // One transaction, so that all tables are of one time.
        let transaction = self.connection.unchecked_transaction()?;
        Ok(Accounts::read(&transaction, previous, timeouts)?)
    }

    /// The declarations of published channels.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        Ok(read_channels(&self.connection)?)
    }

    /// The annotations, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn annotations(&self) -> Result<Vec<KeptAnnotation>, StoreError> {
        Ok(read_annotations(&self.connection)?)
    }

    /// The recordings, newest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn recordings(&self) -> Result<Vec<KeptRecording>, StoreError> {
        Ok(read_recordings(&self.connection)?)
    }

    /// Applies all of `change`, or nothing when it fails.
    ///
    /// # Errors
    /// When `change` fails, or the file can't be written.
    pub fn edit<T>(&mut self, change: impl FnOnce(&Edit<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = change(&Edit::new(&transaction))?;
        transaction.commit()?;
        Ok(changed)
    }
}

/// Refuses a damaged file or one of a newer version, without writing to it.
fn check(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let version = migrations::version(&connection)?;
    if version > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    let problem: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if problem == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), reason: problem }) }
}

/// Device and inode.
type FileId = (u64, u64);

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    path.exists().then_some((0, 0))
}
