//! Usage of mounted filesystems, read on a thread of its own. A filesystem whose statvfs(2) does not answer, such as a
//! share whose server is down, is marked as stuck and keeps its thread; a new thread reads the others.

mod mounts;

use super::{background::Poller, rate::round_to_hundredths};
use crate::schema::Filesystem;
pub(super) use mounts::KernelMounts;
use mounts::Mounts;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// In ticks.
const POLL_INTERVAL: u32 = 10;
/// A filesystem that takes longer to answer is stuck.
const STATVFS_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_FILESYSTEMS: usize = 40;

/// Reads the usage of `mounts` in the background.
#[derive(Debug)]
pub(super) struct Filesystems<M> {
    mounts: M,
    timeout: Duration,
    poller: Poller<()>,
    table: Arc<Mutex<FilesystemTable>>,
}

/// Last known usage, shared with the threads that read it.
#[derive(Debug, Default)]
struct FilesystemTable {
    by_mount_point: BTreeMap<String, (Filesystem, Instant)>,
    /// Number of the thread that reads now; earlier ones are each blocked by a stuck filesystem.
    thread: u64,
    /// The mount point that is being read, and since when.
    reading: Option<(String, Instant)>,
    stuck: BTreeSet<String>,
}

impl<M: Mounts> Filesystems<M> {
    pub(super) fn new(mounts: M) -> Self {
        let table = Arc::default();
        Self { poller: start_thread(0, &mounts, &table), mounts, timeout: STATVFS_TIMEOUT, table }
    }

    /// Last known usage by mount point, with its age. Called once per tick; never waits.
    pub(super) fn usage(&mut self) -> BTreeMap<String, Filesystem> {
        let mut table = lock(&self.table);
        if let Some((mount_point, _)) = table.reading.take_if(|(_, since)| since.elapsed() > self.timeout) {
            tracing::warn!(mount_point, "filesystem does not answer");
            table.stuck.insert(mount_point);
            table.thread += 1;
            self.poller = start_thread(table.thread, &self.mounts, &self.table);
        }
        self.poller.tick();
        let with_age = |(mount_point, (filesystem, at)): (&String, &(Filesystem, Instant))| {
            let age = round_to_hundredths(at.elapsed().as_secs_f64());
            (mount_point.clone(), Filesystem { age, ..filesystem.clone() })
        };
        table.by_mount_point.iter().map(with_age).collect()
    }
}

fn start_thread<M: Mounts>(number: u64, mounts: &M, table: &Arc<Mutex<FilesystemTable>>) -> Poller<()> {
    let (mounts, table) = (mounts.clone(), Arc::clone(table));
    Poller::start("filesystems", POLL_INTERVAL, move || {
        read_all(&mounts, &table, number);
        Some(())
    })
}

/// Reads every filesystem that is not stuck. Stops when another thread has taken over from thread `number`.
fn read_all(mounts: &impl Mounts, table: &Mutex<FilesystemTable>, number: u64) {
    let Ok(mut mount_points) = mounts.list() else { return };
    mount_points.truncate(MAX_FILESYSTEMS);
    for mount_point in &mount_points {
        {
            let mut table = lock(table);
            if table.thread != number {
                return;
            }
            if table.stuck.contains(mount_point) {
                continue;
            }
            table.reading = Some((mount_point.clone(), Instant::now()));
        }
        let usage = mounts.usage(mount_point);
        let mut table = lock(table);
        table.stuck.remove(mount_point);
        // After an error the last values stay; their age shows it.
        if let Ok(filesystem) = usage {
            table.by_mount_point.insert(mount_point.clone(), (filesystem, Instant::now()));
        }
        if table.thread != number {
            return;
        }
        table.reading = None;
    }
    lock(table).by_mount_point.retain(|mount_point, _| mount_points.contains(mount_point));
}

fn lock(table: &Mutex<FilesystemTable>) -> MutexGuard<'_, FilesystemTable> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::mpsc::{Receiver, Sender, channel},
        thread,
    };

    /// Mounts of which `/dead` answers once per message.
    #[derive(Clone)]
    struct FakeMounts {
        answers: Arc<Mutex<Receiver<()>>>,
    }

    impl Mounts for FakeMounts {
        fn list(&self) -> io::Result<Vec<String>> {
            Ok(["/a", "/dead", "/z"].map(str::to_owned).into())
        }

        fn usage(&self, mount_point: &str) -> io::Result<Filesystem> {
            if mount_point == "/dead" {
                self.answers.lock().unwrap().recv().map_err(io::Error::other)?;
            }
            Ok(Filesystem { size: Some(1), ..Filesystem::default() })
        }
    }

    fn filesystems() -> (Filesystems<FakeMounts>, Sender<()>) {
        let (sender, receiver) = channel();
        let mounts = FakeMounts { answers: Arc::new(Mutex::new(receiver)) };
        (Filesystems { timeout: Duration::MAX, ..Filesystems::new(mounts) }, sender)
    }

    fn wait_until(filesystems: &mut Filesystems<FakeMounts>, condition: impl Fn(&FilesystemTable) -> bool) {
        let begin = Instant::now();
        while !condition(&lock(&filesystems.table)) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", filesystems.table);
            filesystems.usage();
            thread::yield_now();
        }
    }

    fn has(mount_points: &[&str]) -> impl Fn(&FilesystemTable) -> bool {
        move |table| table.by_mount_point.keys().eq(mount_points)
    }

    #[test]
    fn stuck_filesystem_does_not_delay_others_and_can_recover() {
        let (mut filesystems, answers) = filesystems();
        wait_until(&mut filesystems, |table| table.reading.as_ref().is_some_and(|(folder, _)| folder == "/dead"));
        assert_eq!(filesystems.usage().keys().collect::<Vec<_>>(), ["/a"]);
        filesystems.timeout = Duration::ZERO;
        filesystems.usage();
        filesystems.timeout = Duration::MAX;
        wait_until(&mut filesystems, has(&["/a", "/z"]));
        assert!(lock(&filesystems.table).stuck.contains("/dead"));
        answers.send(()).unwrap();
        wait_until(&mut filesystems, has(&["/a", "/dead", "/z"]));
        assert!(lock(&filesystems.table).stuck.is_empty());
    }

    #[test]
    fn usage_reports_age() {
        let (mut filesystems, answers) = filesystems();
        answers.send(()).unwrap();
        wait_until(&mut filesystems, has(&["/a", "/dead", "/z"]));
        assert!(filesystems.usage().values().all(|filesystem| filesystem.age.unwrap() >= 0.0));
    }
}
