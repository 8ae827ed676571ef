//! Looks users up in the system's directories (nsswitch.conf(5)) on a thread of its own: a directory server may take
//! seconds to answer, or never answer.

use nix::unistd::{Uid, User};
use std::{
    collections::HashMap,
    fmt,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// Time that a directory has for an answer; after it, its users are shown by id.
const TIMEOUT: Duration = Duration::from_secs(3);
/// An answer is kept for this time: users are added and renamed, and directories come back.
const MAX_AGE: Duration = Duration::from_secs(600);

type Answer = Option<String>;

/// Names of users by id, looked up in the background.
pub(super) struct UserDirectory {
    requests: Sender<u32>,
    answers: Receiver<(u32, Answer)>,
    /// The last answer, and when it was requested.
    known: HashMap<u32, (Option<Answer>, Instant)>,
    timeout: Duration,
    max_age: Duration,
}

impl fmt::Debug for UserDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserDirectory").finish_non_exhaustive()
    }
}

impl UserDirectory {
    /// Starts a thread that calls `look_up` for each id. Dropping the directory ends the thread.
    pub(super) fn start(look_up: impl Fn(u32) -> Answer + Send + 'static) -> Self {
        let (requests, ids) = channel();
        let (send, answers) = channel();
        let serve = move || {
            for id in ids {
                if send.send((id, look_up(id))).is_err() {
                    return;
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("users".to_owned()).spawn(serve) {
            tracing::warn!(%error, "cannot start a thread; users outside /etc/passwd are shown by id");
        }
        Self { requests, answers, known: HashMap::new(), timeout: TIMEOUT, max_age: MAX_AGE }
    }

    /// Name of a user, without waiting: `None` while it is looked up, `Some(None)` if no directory
    /// has the user, or none has answered in time.
    pub(super) fn name(&mut self, id: u32) -> Option<Answer> {
        for (id, answer) in self.answers.try_iter() {
            self.known.entry(id).and_modify(|(known, _)| *known = Some(answer));
        }
        // Users that no process has any more are forgotten, such as those of containers.
        self.known.retain(|known, (_, requested)| *known == id || requested.elapsed() <= self.max_age);
        let is_due = self.known.get(&id).is_none_or(|(_, requested)| requested.elapsed() > self.max_age);
        if is_due {
            let previous = self.known.remove(&id).and_then(|(answer, _)| answer);
            // Fails if the thread could not be started, which was logged.
            let answer = if self.requests.send(id).is_ok() { previous } else { Some(None) };
            self.known.insert(id, (answer, Instant::now()));
        }
        let (answer, requested) = self.known.get(&id)?;
        answer.clone().or_else(|| (requested.elapsed() > self.timeout).then_some(None))
    }
}

/// The name in the system's directories; `None` if they have no such user, or can't be read.
pub(super) fn name_of(id: u32) -> Answer {
    User::from_uid(Uid::from_raw(id)).ok().flatten().map(|user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_pending_until_the_directory_answers() {
        let (answer, answers) = channel::<Answer>();
        let mut directory = UserDirectory::start(move |_| answers.recv().ok()?);
        assert_eq!((directory.name(7), directory.name(7)), (None, None), "requested once");
        answer.send(Some("alice".to_owned())).unwrap();
        let start = Instant::now();
        while directory.name(7).is_none() {
            assert!(start.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
        assert_eq!(directory.name(7), Some(Some("alice".to_owned())));
    }

    #[test]
    fn users_without_processes_are_forgotten_after_a_while() {
        let mut directory = UserDirectory::start(|_| None);
        directory.max_age = Duration::ZERO;
        (0..100).for_each(|id| _ = directory.name(id));
        assert_eq!(directory.known.len(), 1);
    }

    #[test]
    fn user_of_a_hanging_directory_has_no_name_until_it_answers() {
        let (answer, answers) = channel::<Answer>();
        let mut directory = UserDirectory::start(move |_| answers.recv().ok()?);
        directory.timeout = Duration::ZERO;
        while directory.name(7) != Some(None) {
            thread::yield_now();
        }
        answer.send(Some("alice".to_owned())).unwrap();
        let start = Instant::now();
        while directory.name(7) != Some(Some("alice".to_owned())) {
            assert!(start.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
    }

    #[test]
    fn directories_know_root() {
        assert_eq!((name_of(0).as_deref(), name_of(4_000_000_000)), (Some("root"), None));
    }
}
