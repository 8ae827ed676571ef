//! Usage of mounted filesystems, read on a thread of its own. A filesystem whose statvfs(2) does not answer, such as a
//! share whose server is down, is marked as stuck and keeps its thread; a new thread reads the others.

mod mountinfo;
mod mounts;
mod table;

use super::background::Poller;
use crate::schema::Filesystem;
pub(in crate::server) use mountinfo::{MountSource, mount_sources};
pub(super) use mounts::KernelMounts;
use mounts::Mounts;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use table::FilesystemTable;

/// In ticks.
const POLL_INTERVAL: u32 = 10;
/// A filesystem that takes longer to answer is stuck.
const STATVFS_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the usage of `mounts` in the background.
#[derive(Debug)]
pub(super) struct Filesystems<M> {
    mounts: M,
    timeout: Duration,
    poller: Poller<()>,
    table: Arc<Mutex<FilesystemTable>>,
}

impl<M: Mounts> Filesystems<M> {
    pub(super) fn new(mounts: M) -> Self {
        let table = Arc::default();
        Self { poller: start_thread(0, &mounts, &table), mounts, timeout: STATVFS_TIMEOUT, table }
    }

    /// Last known usage by mount point, with its age. Called once per tick; never waits.
    pub(super) fn usage(&mut self) -> BTreeMap<String, Filesystem> {
        let mut table = lock(&self.table);
        if let Some(mount_point) = table.mark_stuck(self.timeout) {
            tracing::warn!(mount_point, "filesystem does not answer");
            self.poller = start_thread(table.thread, &self.mounts, &self.table);
        }
        self.poller.tick();
        table.usage()
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
    let Ok(list) = mounts.list() else { return };
    lock(table).retain(&list);
    for (index, mount) in list.iter().enumerate() {
        if !lock(table).begin(mount) {
            continue;
        }
        let usage = mounts.usage(mount);
        let mut table = lock(table);
        if table.thread != number {
            table.recover(mount);
            return;
        }
        table.finish(mount, index, usage);
    }
}

fn lock(table: &Mutex<FilesystemTable>) -> MutexGuard<'_, FilesystemTable> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{mountinfo::Mount, *};
    use std::{
        io,
        sync::mpsc::{Receiver, Sender, channel},
        thread,
        time::Instant,
    };

    /// Mounts of which `/dead` answers once per message.
    #[derive(Clone)]
    struct FakeMounts {
        answers: Arc<Mutex<Receiver<()>>>,
    }

    impl Mounts for FakeMounts {
        fn list(&self) -> io::Result<Vec<Mount>> {
            let mount =
                |path: &str| Mount { device: path.to_owned(), paths: vec![path.to_owned()], ..Mount::default() };
            Ok(["/a", "/dead", "/z"].map(mount).into())
        }

        fn usage(&self, mount: &Mount) -> io::Result<(String, Filesystem)> {
            if mount.device == "/dead" {
                self.answers.lock().unwrap().recv().map_err(io::Error::other)?;
            }
            Ok((mount.device.clone(), Filesystem { size_bytes: Some(1), ..Filesystem::default() }))
        }
    }

    fn filesystems() -> (Filesystems<FakeMounts>, Sender<()>) {
        let (sender, receiver) = channel();
        let mounts = FakeMounts { answers: Arc::new(Mutex::new(receiver)) };
        (Filesystems { timeout: Duration::MAX, ..Filesystems::new(mounts) }, sender)
    }

    /// Waits until exactly `mount_points` have a size.
    fn wait_for(filesystems: &mut Filesystems<FakeMounts>, mount_points: &[&str]) -> BTreeMap<String, Filesystem> {
        let begin = Instant::now();
        loop {
            let usage = filesystems.usage();
            if usage.iter().filter(|(_, row)| row.size_bytes.is_some()).map(|(path, _)| path).eq(mount_points) {
                return usage;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", filesystems.table);
            thread::yield_now();
        }
    }

    #[test]
    fn stuck_filesystem_does_not_delay_others_has_a_row_and_can_recover() {
        let (mut filesystems, answers) = filesystems();
        assert!(!wait_for(&mut filesystems, &["/a"]).contains_key("/dead"));
        while lock(&filesystems.table).mark_stuck(Duration::ZERO).as_deref() != Some("/dead") {
            thread::yield_now();
        }
        let thread = lock(&filesystems.table).thread;
        filesystems.poller = start_thread(thread, &filesystems.mounts, &filesystems.table);
        let usage = wait_for(&mut filesystems, &["/a", "/z"]);
        assert!(usage["/dead"].age_seconds.is_some(), "{usage:?}");
        // One message for the blocked reading, one for the next.
        (0..2).for_each(|_| answers.send(()).unwrap());
        wait_for(&mut filesystems, &["/a", "/dead", "/z"]);
    }

    #[test]
    fn usage_reports_age() {
        let (mut filesystems, answers) = filesystems();
        answers.send(()).unwrap();
        let usage = wait_for(&mut filesystems, &["/a", "/dead", "/z"]);
        assert!(usage.values().all(|filesystem| filesystem.age_seconds.unwrap() >= 0.0));
    }
}
