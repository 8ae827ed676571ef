//! Users, tokens, sessions, declarations of channels, annotations and recordings: kept in `hostbeat.db` in the data folder, and read
//! from memory.
//!
//! A request is checked against [`Store::accounts`], an immutable snapshot. What must end with its session or token, such
//! as an open stream, follows [`Store::watch`]: a new snapshot comes within a second of any change, also of one by another
//! process. Changes go through [`Store::edit`]. Accounts that can't be read admit nobody, see [`Accounts::are_known`].

mod accounts;
mod annotation;
mod channel;
mod database;
mod edit;
mod error;
mod folder;
mod last_use;
pub(super) mod migrations;
mod name;
mod options;
mod password;
mod recording;
mod secret;
mod session;
mod tables;
#[cfg(test)]
mod tests;
mod token;
mod watch;

pub(super) use accounts::text_of;
pub use accounts::{Accounts, Role, User};
pub use annotation::{KeptAnnotation, MAX_ANNOTATIONS};
pub use database::Database;
pub use edit::Edit;
pub use error::StoreError;
pub use last_use::LastUse;
pub use name::{InvalidName, Name};
pub use options::{DataOptions, SessionTimeouts};
pub use password::{InvalidPassword, Password, PasswordHash, verify_password};
pub use recording::{KeptRecording, MAX_RECORDINGS};
pub use secret::{Secret, SecretHash};
pub use session::{NewSession, Proof, Session, SignInMethod};
pub use token::{Scope, Token};

pub(super) use error::is_damage;
pub(super) use folder::{Folder, data_folder};

use crate::schema::Channel;
use std::{
    fs::File,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::watch::Receiver, task::spawn_blocking};
use watch::Watched;

const MAX_USERS: usize = 1_000;
const MAX_TOKENS: usize = 1_000;
const MAX_SESSIONS: usize = 10_000;

/// The accounts of a running server. Clones share them.
#[derive(Clone, Debug)]
pub struct Store {
    watched: Arc<Mutex<Watched>>,
    accounts: Receiver<Arc<Accounts>>,
    timeouts: SessionTimeouts,
}

impl Store {
    /// Opens the data folder, locks it, and watches it as long as the store lives. A default folder is made, and locked,
    /// once there is something to keep.
    ///
    /// # Errors
    /// When another server has the folder that was asked for, or the file is of a newer version. After other failures the
    /// accounts are unknown until they can be read.
    pub fn open(options: &DataOptions, timeouts: SessionTimeouts) -> Result<Self, StoreError> {
        let (mut watched, accounts) = Watched::new(Folder::find(options), timeouts);
        watched.start()?;
        let watched = Arc::new(Mutex::new(watched));
        watch::spawn(Arc::downgrade(&watched))?;
        Ok(Self { watched, accounts, timeouts })
    }

    /// The newest snapshot.
    pub fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.accounts.borrow())
    }

    /// The declarations of published channels.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        lock(&self.watched).channels()
    }

    /// The annotations, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn annotations(&self) -> Result<Vec<KeptAnnotation>, StoreError> {
        lock(&self.watched).annotations()
    }

    /// The recordings, newest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn recordings(&self) -> Result<Vec<KeptRecording>, StoreError> {
        lock(&self.watched).recordings()
    }

    /// Whether there is a file, which a change would not have to make.
    pub(super) fn has_file(&self) -> bool {
        lock(&self.watched).has_file()
    }

    /// When sessions end.
    pub fn session_timeouts(&self) -> SessionTimeouts {
        self.timeouts
    }

    /// Follows the snapshots.
    pub fn watch(&self) -> Receiver<Arc<Accounts>> {
        self.accounts.clone()
    }

    /// Applies all of `change`, or nothing when it fails, on a thread that may block. The snapshot is current afterwards.
    ///
    /// # Errors
    /// When `change` fails, or the file can't be written.
    pub async fn edit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Edit<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let watched = Arc::clone(&self.watched);
        let edited = spawn_blocking(move || lock(&watched).edit(change)).await;
        edited.map_err(|_| StoreError::Thread)?
    }
}

/// A panic while it was locked leaves nothing half-written: SQLite rolls back.
fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock of the data folder, held while it lives.
type FolderLock = File;
