//! Keeps the snapshot of the accounts current: looks four times a second whether another process has changed the file.

use super::{
    Accounts, Database, Edit, FolderLock, KeptAnnotation, KeptRecording, SessionTimeouts, StoreError,
    database::DATABASE, folder::Folder, lock,
};
use crate::schema::Channel;
use std::{
    sync::{Arc, Mutex, Weak},
    thread,
    time::Duration,
};
use tokio::sync::watch::{Receiver, Sender, channel};

/// Keeps the folder to one server.
pub(super) const LOCK: &str = "hostbeat.lock";
/// How a damaged file is called from then on.
const DAMAGED: &str = "damaged";
const INTERVAL: Duration = Duration::from_millis(250);

/// The data folder, and the snapshot that follows it.
#[derive(Debug)]
pub(super) struct Watched {
    folder: Option<Folder>,
    timeouts: SessionTimeouts,
    accounts: Sender<Arc<Accounts>>,
    lock: Option<FolderLock>,
    database: Option<Database>,
    /// The file vanished while it was in use, so that an absence of users means nothing.
    is_lost: bool,
    /// The last failure, which is logged once.
    failure: Option<String>,
}

/// Updates `watched` as long as it lives.
pub(super) fn spawn(watched: Weak<Mutex<Watched>>) -> Result<(), StoreError> {
    let update = move || {
        while let Some(watched) = watched.upgrade() {
            lock(&watched).update();
            drop(watched);
            thread::sleep(INTERVAL);
        }
    };
    thread::Builder::new().name("store".to_owned()).spawn(update).map_err(|_| StoreError::Thread)?;
    Ok(())
}

impl Watched {
    pub(super) fn new(folder: Option<Folder>, timeouts: SessionTimeouts) -> (Self, Receiver<Arc<Accounts>>) {
        let (accounts, receiver) = channel(Arc::default());
        let watched = Self { folder, timeouts, accounts, lock: None, database: None, is_lost: false, failure: None };
        (watched, receiver)
    }

    /// Reads the accounts for the first time.
    pub(super) fn start(&mut self) -> Result<(), StoreError> {
        let is_default = self.folder.as_ref().is_none_or(|folder| folder.is_default);
        let started = if is_default { Ok(()) } else { self.open_folder() };
        match started.and_then(|()| self.read_changes()) {
            Err(error @ StoreError::Newer { .. }) => Err(error),
            Err(error @ StoreError::InUse(_)) if !is_default => Err(error),
            Err(error) => {
                self.fail(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Publishes what has changed.
    pub(super) fn update(&mut self) {
        match self.read_changes() {
            Ok(()) => {
                if self.failure.take().is_some() {
                    tracing::info!("users and tokens can be read again");
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Applies a change, and publishes it.
    pub(super) fn edit<T>(&mut self, change: impl FnOnce(&Edit<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.open_folder()?;
        let folder = self.folder.as_ref().ok_or(StoreError::NoFolder)?;
        let database = match &mut self.database {
            Some(database) if database.is_in_place() => database,
            database => database.insert(Database::open_in(folder)?),
        };
        let changed = database.edit(change)?;
        self.publish()?;
        Ok(changed)
    }

    /// The declarations of channels; none while there is no file, or one that can't be read.
    pub(super) fn channels(&self) -> Result<Vec<Channel>, StoreError> {
        self.database.as_ref().map_or_else(|| Ok(Vec::new()), Database::channels)
    }

    /// The annotations; none while there is no file, or one that can't be read.
    pub(super) fn annotations(&self) -> Result<Vec<KeptAnnotation>, StoreError> {
        self.database.as_ref().map_or_else(|| Ok(Vec::new()), Database::annotations)
    }

    /// The recordings; none while there is no file. A file that can't be read has some, perhaps.
    pub(super) fn recordings(&self) -> Result<Vec<KeptRecording>, StoreError> {
        match &self.database {
            Some(database) => database.recordings(),
            None if self.failure.is_some() => Err(StoreError::Unread),
            None => Ok(Vec::new()),
        }
    }

    /// Whether the file is open.
    pub(super) fn has_file(&self) -> bool {
        self.database.is_some()
    }

    /// Makes and locks the folder.
    fn open_folder(&mut self) -> Result<(), StoreError> {
        let folder = self.folder.as_ref().ok_or(StoreError::NoFolder)?;
        if self.lock.is_none() {
            folder.create()?;
            self.lock = Some(folder.lock(LOCK)?);
        }
        Ok(())
    }

    fn read_changes(&mut self) -> Result<(), StoreError> {
        if self.database.as_ref().is_some_and(|database| !database.is_in_place()) {
            tracing::warn!("the file of users and tokens was removed or replaced");
            (self.database, self.is_lost) = (None, true);
        }
        match &mut self.database {
            Some(database) => {
                let has_expired = self.accounts.borrow().have_expired();
                if has_expired {
                    remove_expired_sessions(database, self.timeouts);
                }
                if database.has_changed()? || has_expired {
                    self.publish()?;
                }
                self.save_last_uses();
                Ok(())
            }
            None => self.open_database(),
        }
    }

    /// Opens the file if there is one. A damaged one is set aside.
    fn open_database(&mut self) -> Result<(), StoreError> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        if folder
            .file(DATABASE)
            .try_exists()
            .map_err(|source| StoreError::Folder { path: folder.file(DATABASE), source })?
        {
            self.open_folder()?;
            match Database::open_in(&folder) {
                Ok(mut database) => {
                    remove_expired_sessions(&mut database, self.timeouts);
                    self.database = Some(database);
                }
                Err(error @ StoreError::Damaged { .. }) => {
                    let kept = folder.set_aside(DATABASE, DAMAGED)?;
                    tracing::warn!("{error}; it is kept as {}, and there are no users or tokens", kept.display());
                }
                Err(error) => return Err(error),
            }
        } else if self.accounts.borrow().is_known_to_be_empty()
            && !self.is_lost
            && !folder.has_set_aside(DATABASE, DAMAGED)
        {
            return Ok(());
        }
        self.publish()
    }

    /// Publishes a snapshot of the file. Without users it admits nobody if there may have been some.
    fn publish(&mut self) -> Result<(), StoreError> {
        let previous = Arc::clone(&self.accounts.borrow());
        let accounts = match &self.database {
            Some(database) => database.accounts_after(&previous, self.timeouts)?,
            None => Accounts::default(),
        };
        let may_be_lost =
            || self.is_lost || self.folder.as_ref().is_some_and(|folder| folder.has_set_aside(DATABASE, DAMAGED));
        if accounts.has_users() || !may_be_lost() {
            self.is_lost = false;
            self.accounts.send_replace(Arc::new(accounts));
        } else {
            self.publish_unknown("there may have been users; add one with: hostbeat user add NAME");
        }
        Ok(())
    }

    fn publish_unknown(&self, reason: &str) {
        if self.accounts.borrow().are_known() {
            tracing::warn!("only this host is served: {reason}");
            self.accounts.send_replace(Arc::new(Accounts::unknown()));
        }
    }

    /// Admits nobody until the file can be read again.
    fn fail(&mut self, error: &StoreError) {
        self.database = None;
        let message = error.to_string();
        if self.failure.as_ref() != Some(&message) {
            tracing::warn!("{message}");
            self.failure = Some(message);
        }
        self.publish_unknown("users and tokens can't be read");
    }

    /// A full disk is no reason to end a session.
    fn save_last_uses(&mut self) {
        let Some(database) = &mut self.database else { return };
        let accounts = self.accounts.borrow();
        let due = |last_use: &super::LastUse| last_use.take_due();
        let tokens = accounts.tokens().into_iter().filter_map(|token| Some((token, due(&token.last_used)?)));
        let sessions = accounts.sessions().into_iter().filter_map(|session| Some((session, due(&session.last_seen)?)));
        let (tokens, sessions): (Vec<_>, Vec<_>) = (tokens.collect(), sessions.collect());
        if tokens.is_empty() && sessions.is_empty() {
            return;
        }
        let saved = database.edit(|edit| {
            tokens.iter().try_for_each(|(token, time)| edit.set_last_used(&token.id, *time))?;
            sessions.iter().try_for_each(|(session, time)| edit.set_last_seen(&session.id, *time))
        });
        if let Err(error) = saved {
            tracing::warn!(%error, "cannot keep when sessions and tokens were last used");
        }
    }
}

/// They are left out of snapshots in any case.
fn remove_expired_sessions(database: &mut Database, timeouts: SessionTimeouts) {
    if let Err(error) = database.edit(|edit| edit.remove_expired_sessions(timeouts)) {
        tracing::warn!(%error, "cannot remove expired sessions");
    }
}
