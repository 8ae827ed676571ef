//! Reads devices on a thread that is abandoned when a device hangs, so that one device does not silence the others.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    thread,
    time::Duration,
};

/// Devices that hang at once. Each keeps a thread, so with this many no other device is read.
const MAX_HANGING: usize = 16;

/// Reads the device whose folder is given from a source.
type Read<S, T> = fn(&mut S, &str) -> T;

/// A thread that answers one request after the other.
struct Worker<S, T> {
    requests: Sender<(Read<S, T>, String)>,
    answers: Receiver<T>,
}

/// Reads devices by their folders. A device that does not answer in time keeps its thread, and a new one reads the
/// others.
pub(super) struct AbandonableReader<S, T> {
    new_source: Box<dyn Fn() -> S + Send>,
    timeout: Duration,
    worker: Option<Worker<S, T>>,
    /// Where the late answers of hanging devices arrive.
    hanging: BTreeMap<String, Receiver<T>>,
}

impl<S: Send + 'static, T: Send + 'static> AbandonableReader<S, T> {
    /// Each thread reads from a source of its own.
    pub(super) fn new(timeout: Duration, new_source: impl Fn() -> S + Send + 'static) -> Self {
        Self { new_source: Box::new(new_source), timeout, worker: None, hanging: BTreeMap::new() }
    }

    /// Drops late answers of devices that are no longer present.
    pub(super) fn forget_missing(&mut self, mut is_present: impl FnMut(&str) -> bool) {
        self.hanging
            .retain(|folder, answer| is_present(folder) || matches!(answer.try_recv(), Err(TryRecvError::Empty)));
    }

    /// Reads the device, or collects its late answer; `None` while it hangs.
    pub(super) fn read(&mut self, folder: &str, read: Read<S, T>) -> Option<T> {
        if let Some(answer) = self.hanging.get(folder) {
            match answer.try_recv() {
                Ok(value) => {
                    self.hanging.remove(folder);
                    return Some(value);
                }
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => _ = self.hanging.remove(folder),
            }
        }
        let worker = self.worker.take().or_else(|| self.start_worker())?;
        worker.requests.send((read, folder.to_owned())).ok()?;
        match worker.answers.recv_timeout(self.timeout) {
            Ok(value) => {
                self.worker = Some(worker);
                Some(value)
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(folder, "sensor does not answer");
                self.hanging.insert(folder.to_owned(), worker.answers);
                None
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn start_worker(&self) -> Option<Worker<S, T>> {
        if self.hanging.len() >= MAX_HANGING {
            return None;
        }
        let (requests, receiver) = channel::<(Read<S, T>, String)>();
        let (sender, answers) = channel();
        let mut source = (self.new_source)();
        let serve = move || {
            for (read, folder) in receiver {
                if sender.send(read(&mut source, &folder)).is_err() {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("sensor".to_owned()).spawn(serve);
        started
            .map(|_| Worker { requests, answers })
            .map_err(|error| tracing::warn!(%error, "cannot read sensors"))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// Reads the name of the device; `hanging` answers once the test sends.
    fn read_device(source: &mut Receiver<()>, folder: &str) -> String {
        if folder.starts_with("hanging") {
            let _ = source.recv_timeout(LONG);
        }
        folder.to_owned()
    }

    #[test]
    fn hanging_device_does_not_silence_others_and_can_recover() {
        let (give, sources) = channel();
        let (release, first) = channel();
        let (_keep, second) = channel();
        give.send(first).unwrap();
        give.send(second).unwrap();
        let mut reader = AbandonableReader::new(LONG, move || sources.try_recv().unwrap());
        assert_eq!(reader.read("a", read_device).as_deref(), Some("a"));
        reader.timeout = Duration::from_millis(20);
        assert_eq!(reader.read("hanging", read_device), None);
        reader.timeout = LONG;
        assert_eq!(reader.read("z", read_device).as_deref(), Some("z"), "another thread reads on");
        assert_eq!(reader.read("hanging", read_device), None, "no second thread hangs");
        release.send(()).unwrap();
        while !reader.hanging.is_empty() {
            assert!(reader.read("hanging", read_device).is_none_or(|value| value == "hanging"));
        }
    }

    #[test]
    fn hanging_devices_are_bounded_and_forgotten_once_missing_and_answered() {
        let (mut releases, sources): (Vec<_>, Vec<_>) = (0..=MAX_HANGING).map(|_| channel::<()>()).unzip();
        let sources = std::sync::Mutex::new(sources);
        let mut reader = AbandonableReader::new(LONG, move || sources.lock().unwrap().remove(0));
        reader.timeout = Duration::from_millis(1);
        for n in 0..MAX_HANGING {
            assert_eq!(reader.read(&format!("hanging {n}"), read_device), None);
        }
        reader.timeout = LONG;
        assert_eq!(reader.read("a", read_device), None, "no thread past the bound");
        reader.forget_missing(|_| false);
        assert_eq!(reader.hanging.len(), MAX_HANGING, "their threads still run");
        drop(releases.remove(0));
        while reader.hanging.len() == MAX_HANGING {
            reader.forget_missing(|folder| folder != "hanging 0");
        }
        assert_eq!(reader.read("a", read_device).as_deref(), Some("a"));
    }
}
