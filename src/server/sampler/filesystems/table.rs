//! The rows of filesystems: last known usage, which are stuck, and which are shown.

use super::{super::rate::round_to_hundredths, mountinfo::Mount};
use crate::schema::Filesystem;
use rustix::io::Errno;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::{Duration, Instant},
};

/// More filesystems are left out, except those that are stuck or nearly full.
const MAX_ROWS: usize = 40;
/// Use in percent from which a filesystem is shown first.
const NEARLY_FULL: f64 = 80.0;
/// Each stuck filesystem holds a thread; when there are more, only those with a block device are read.
const MAX_STUCK: usize = 64;

/// Shared by the sampler and the threads that read filesystems.
#[derive(Debug, Default)]
pub(super) struct FilesystemTable {
    /// By device number.
    rows: BTreeMap<String, Row>,
    /// Number of the thread that reads now; earlier ones are each blocked by a stuck filesystem.
    pub(super) thread: u64,
    /// The filesystem that is being read, and since when.
    reading: Option<(Mount, Instant)>,
    /// By device number, which the kernel does not reuse while a reading is blocked.
    stuck: BTreeSet<String>,
}

#[derive(Debug)]
struct Row {
    mount_point: String,
    filesystem: Filesystem,
    at: Instant,
    interval: Duration,
    /// Index in the list of mounts.
    index: usize,
}

impl Row {
    /// Row of a filesystem that never answered, with an age only.
    fn without_answer(mount: &Mount, since: Instant) -> Self {
        let mount_point = mount.paths.first().cloned().unwrap_or_default();
        Self { mount_point, filesystem: Filesystem::default(), at: since, interval: Duration::ZERO, index: usize::MAX }
    }
}

impl FilesystemTable {
    /// Removes what is no longer mounted.
    pub(super) fn retain(&mut self, mounts: &[Mount]) {
        self.rows.retain(|device, row| {
            let index = mounts.iter().position(|mount| mount.device == *device);
            row.index = index.unwrap_or(usize::MAX);
            index.is_some()
        });
    }

    /// Whether to read `mount` now. It then counts as being read until `finish`.
    pub(super) fn begin(&mut self, mount: &Mount) -> bool {
        let is_fresh = |row: &Row| row.at.elapsed() < row.interval;
        let has_no_device = mount.device.starts_with("0:");
        if self.stuck.contains(&mount.device)
            || self.rows.get(&mount.device).is_some_and(is_fresh)
            || (has_no_device && self.stuck.len() >= MAX_STUCK)
        {
            return false;
        }
        self.reading = Some((mount.clone(), Instant::now()));
        true
    }

    /// Ends a reading by the current thread. After an error the last values stay; their age shows it.
    pub(super) fn finish(&mut self, mount: &Mount, index: usize, usage: io::Result<(String, Filesystem)>) {
        self.reading = None;
        match usage {
            Ok((mount_point, filesystem)) => {
                let row = Row { mount_point, filesystem, at: Instant::now(), interval: mount.interval, index };
                self.rows.insert(mount.device.clone(), row);
            }
            Err(error) if is_broken(&error) => {
                self.rows.entry(mount.device.clone()).or_insert_with(|| Row::without_answer(mount, Instant::now()));
            }
            Err(_) => {}
        }
    }

    /// Ends a reading by a thread that was blocked by a stuck filesystem; the current thread reads it again.
    pub(super) fn recover(&mut self, mount: &Mount) {
        self.stuck.remove(&mount.device);
        if let Some(row) = self.rows.get_mut(&mount.device) {
            row.interval = Duration::ZERO;
        }
    }

    /// Marks a filesystem as stuck when it has been read for longer than `timeout`, and returns its mount point.
    pub(super) fn mark_stuck(&mut self, timeout: Duration) -> Option<String> {
        let (mount, since) = self.reading.take_if(|(_, since)| since.elapsed() > timeout)?;
        self.stuck.insert(mount.device.clone());
        self.thread += 1;
        let row = self.rows.entry(mount.device.clone()).or_insert_with(|| Row::without_answer(&mount, since));
        Some(row.mount_point.clone())
    }

    /// Usage by mount point, with its age: the stuck and the fullest filesystems, then others as they are listed.
    pub(super) fn usage(&self) -> BTreeMap<String, Filesystem> {
        let mut rows: Vec<_> = self.rows.iter().map(|(device, row)| (self.stuck.contains(device), row)).collect();
        rows.sort_by(|(a_stuck, a), (b_stuck, b)| {
            let by_use = urgency(&b.filesystem).total_cmp(&urgency(&a.filesystem));
            b_stuck.cmp(a_stuck).then(by_use).then(a.index.cmp(&b.index))
        });
        let with_age = |(stuck, row): (bool, &Row)| {
            let age = round_to_hundredths(row.at.elapsed().as_secs_f64());
            // The age of an automount that is left alone would look as if it hung.
            let age = age.filter(|_| stuck || row.interval.is_zero());
            (row.mount_point.clone(), Filesystem { age_seconds: age, ..row.filesystem.clone() })
        };
        rows.into_iter().take(MAX_ROWS).map(with_age).collect()
    }
}

/// Whether the server or program behind a filesystem is gone, rather than the filesystem hidden or forbidden.
fn is_broken(error: &io::Error) -> bool {
    let broken = [Errno::NOTCONN, Errno::STALE, Errno::IO, Errno::HOSTDOWN, Errno::HOSTUNREACH, Errno::TIMEDOUT];
    Errno::from_io_error(error).is_some_and(|error| broken.contains(&error))
}

/// Use of space or inodes in percent if the filesystem is nearly full and can fill up further, else 0.
fn urgency(filesystem: &Filesystem) -> f64 {
    let inodes = filesystem.inodes_used.zip(filesystem.inodes).filter(|(_, inodes)| *inodes > 0);
    let inodes = inodes.map_or(0.0, |(used, inodes)| used as f64 / inodes as f64 * 100.0);
    let full = filesystem.full_percent.unwrap_or(0.0).max(inodes);
    if full >= NEARLY_FULL && filesystem.read_only != Some(1) { full } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(number: usize) -> Mount {
        Mount { device: format!("8:{number}"), paths: vec![format!("/{number}")], ..Mount::default() }
    }

    fn table(filesystems: impl IntoIterator<Item = Filesystem>) -> FilesystemTable {
        let mut table = FilesystemTable::default();
        for (number, filesystem) in filesystems.into_iter().enumerate() {
            assert!(table.begin(&mount(number)));
            table.finish(&mount(number), number, Ok((format!("/{number}"), filesystem)));
        }
        table
    }

    fn full(percent: f64) -> Filesystem {
        Filesystem { full_percent: Some(percent), ..Filesystem::default() }
    }

    #[test]
    fn full_and_stuck_filesystems_beyond_the_bound_are_shown() {
        let read_only = Filesystem { read_only: Some(1), ..full(100.0) };
        let inodes = Filesystem { inodes: Some(100), inodes_used: Some(99), ..full(3.0) };
        let mut table = table((0..100).map(|number| match number {
            70 => full(99.0),
            80 => inodes.clone(),
            90 => read_only.clone(),
            _ => full(20.0),
        }));
        table.begin(&mount(100));
        assert_eq!(table.mark_stuck(Duration::ZERO).as_deref(), Some("/100"));
        let usage = table.usage();
        assert_eq!(usage.len(), MAX_ROWS);
        assert!(["/0", "/36", "/70", "/80", "/100"].iter().all(|path| usage.contains_key(*path)), "{usage:?}");
        assert!(!usage.contains_key("/90"));
    }

    #[test]
    fn automount_is_left_alone_for_its_interval_without_age() {
        let automount = Mount { interval: Duration::from_secs(600), ..mount(0) };
        let mut table = FilesystemTable::default();
        assert!(table.begin(&automount));
        table.finish(&automount, 0, Ok(("/0".to_owned(), full(1.0))));
        assert!(!table.begin(&automount));
        assert_eq!(table.usage()["/0"].age_seconds, None);
    }

    #[test]
    fn filesystem_whose_server_is_gone_has_a_row_and_a_forbidden_one_has_none() {
        let mut table = FilesystemTable::default();
        for (number, error) in [Errno::NOTCONN, Errno::STALE, Errno::ACCESS, Errno::NOENT].into_iter().enumerate() {
            table.finish(&mount(number), number, Err(error.into()));
        }
        let usage = table.usage();
        assert_eq!(usage.keys().collect::<Vec<_>>(), ["/0", "/1"]);
        assert!(usage.values().all(|row| row.age_seconds.is_some() && row.size_bytes.is_none()));
    }

    #[test]
    fn filesystem_in_place_of_stuck_one_is_read() {
        let mut table = table([full(1.0)]);
        assert!(table.begin(&mount(0)));
        table.mark_stuck(Duration::ZERO);
        assert!(!table.begin(&mount(0)));
        let other = Mount { device: "8:9".to_owned(), ..mount(0) };
        table.retain(std::slice::from_ref(&other));
        assert!(table.begin(&other));
        table.finish(&other, 0, Ok(("/0".to_owned(), full(7.0))));
        assert_eq!(table.usage()["/0"].full_percent, Some(7.0));
    }
}
