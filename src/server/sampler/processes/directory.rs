//! Looks users up in the system's directories (nsswitch.conf(5)) through getent(1), on a thread of its own: a directory
//! server may take seconds to answer, or never answer.

use std::{
    collections::HashMap,
    fmt,
    io::Read,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

/// Time that a directory has for an answer.
const TIMEOUT: Duration = Duration::from_secs(3);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// An answer is kept for this time: users are added and renamed, and directories come back.
const MAX_AGE: Duration = Duration::from_secs(600);

type Answer = Option<String>;

/// Names of users by id, looked up in the background.
pub(super) struct UserDirectory {
    requests: Sender<u32>,
    answers: Receiver<(u32, Answer)>,
    /// The last answer, and when it was requested.
    known: HashMap<u32, (Option<Answer>, Instant)>,
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
        Self { requests, answers, known: HashMap::new(), max_age: MAX_AGE }
    }

    /// Name of a user, without waiting: `None` while it is looked up, `Some(None)` if no directory has the user.
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
        self.known.get(&id)?.0.clone()
    }
}

/// The name in the system's directories, as `getent passwd` prints it; `None` without an answer in time.
pub(super) fn getent(id: u32) -> Option<String> {
    let mut command = Command::new("getent");
    command.args(["passwd", &id.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    name_of(command, TIMEOUT)
}

/// The first field of the line that `command` prints; `None` if it fails, or takes longer than `timeout`.
fn name_of(mut command: Command, timeout: Duration) -> Option<String> {
    let (mut child, start) = (command.spawn().ok()?, Instant::now());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < timeout => thread::sleep(POLL_INTERVAL),
            Ok(None) | Err(_) => {
                // Fails if the command has ended, and then it is collected all the same.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    let mut line = String::new();
    child.stdout.take()?.read_to_string(&mut line).ok()?;
    let name = line.split(':').next().filter(|name| status.success() && !name.is_empty())?;
    Some(name.to_owned())
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
            thread::sleep(POLL_INTERVAL);
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
    fn hanging_or_failing_command_yields_no_name() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdout(Stdio::piped());
            name_of(command, Duration::from_secs(2))
        };
        assert_eq!(shell("echo alice:x:7:7::/:/bin/sh"), Some("alice".to_owned()));
        assert_eq!((shell("exit 2"), shell("echo alice:x; exit 1"), shell(":")), (None, None, None));
        let mut hanging = Command::new("sleep");
        hanging.arg("60").stdout(Stdio::piped());
        assert_eq!(name_of(hanging, Duration::from_millis(50)), None);
        assert_eq!(name_of(Command::new("/no/such/command"), TIMEOUT), None);
    }

    #[test]
    fn getent_knows_root() {
        assert_eq!(getent(0).as_deref(), Some("root"));
    }
}
