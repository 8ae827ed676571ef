//! How full the filesystems are, asked on a thread of its own: a share whose server has gone keeps whoever asks waiting,
//! perhaps for ever.

use super::rate::places;
use crate::schema::Filesystem;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

const ASK_EVERY: Duration = Duration::from_secs(10);
/// A filesystem that takes longer to answer is stuck.
const DEADLINE: Duration = Duration::from_secs(2);
/// Filesystems that are shown.
const SHOWN: usize = 40;

/// What tells which filesystems there are, and how full one is.
pub(super) trait Mounts: Clone + Send + 'static {
    /// The folders where filesystems are mounted, those that matter most first.
    ///
    /// # Errors
    /// When that can't be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// How full the one in this folder is. This may take for ever.
    ///
    /// # Errors
    /// When it can't be asked.
    fn ask(&self, folder: &str) -> io::Result<Filesystem>;
}

/// What is known of the filesystems.
pub(super) struct Filesystems<M> {
    mounts: M,
    known: Arc<Mutex<Known>>,
}

impl<M> fmt::Debug for Filesystems<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filesystems").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Known {
    by_folder: BTreeMap<String, (Filesystem, Instant)>,
    /// Which of the threads is the one that counts; those before it are waiting for a filesystem that is stuck.
    thread: u64,
    /// What is being asked, and since when.
    asking: Option<(String, Instant)>,
    stuck: BTreeSet<String>,
}

impl<M: Mounts> Filesystems<M> {
    /// Begins to ask.
    pub(super) fn watch(mounts: M) -> Self {
        let filesystems = Self { mounts, known: Arc::default() };
        filesystems.start_thread(0);
        filesystems
    }

    fn start_thread(&self, number: u64) {
        let (mounts, known) = (self.mounts.clone(), Arc::downgrade(&self.known));
        let name = "filesystems".to_owned();
        // Without a thread nothing is known, as on a host that doesn't tell.
        let _ = thread::Builder::new().name(name).spawn(move || {
            while round(&mounts, &known, number).is_some() {
                thread::sleep(ASK_EVERY);
            }
        });
    }

    /// What is known now. It never waits: who has been asked for longer than the `deadline` is left to the thread that asked,
    /// and another one goes on with the rest.
    pub(super) fn read(&self, deadline: Duration) -> BTreeMap<String, Filesystem> {
        let mut known = lock(&self.known);
        if let Some((folder, _)) = known.asking.take_if(|(_, since)| since.elapsed() > deadline) {
            tracing::warn!(folder, "a filesystem doesn't answer");
            known.stuck.insert(folder);
            known.thread += 1;
            self.start_thread(known.thread);
        }
        let aged = |(folder, (filesystem, at)): (&String, &(Filesystem, Instant))| {
            let age = places(at.elapsed().as_secs_f64());
            (folder.clone(), Filesystem { age, ..filesystem.clone() })
        };
        known.by_folder.iter().map(aged).collect()
    }
}

/// Asks every filesystem that isn't stuck; nothing once nobody wants to know, or another thread has taken over.
fn round<M: Mounts>(mounts: &M, known: &Weak<Mutex<Known>>, number: u64) -> Option<()> {
    // Who can't be asked which there are will be asked again.
    let Ok(mut folders) = mounts.list() else { return Some(()) };
    folders.truncate(SHOWN);
    for folder in &folders {
        let shared = known.upgrade()?;
        {
            let mut known = lock(&shared);
            if known.thread != number {
                return None;
            }
            if known.stuck.contains(folder) {
                continue;
            }
            known.asking = Some((folder.clone(), Instant::now()));
        }
        drop(shared);
        let told = mounts.ask(folder);
        let shared = known.upgrade()?;
        let mut known = lock(&shared);
        // After all.
        known.stuck.remove(folder);
        // One that fails keeps its last figures, whose age tells.
        if let Ok(filesystem) = told {
            known.by_folder.insert(folder.clone(), (filesystem, Instant::now()));
        }
        if known.thread != number {
            return None;
        }
        known.asking = None;
    }
    let shared = known.upgrade()?;
    lock(&shared).by_folder.retain(|folder, _| folders.contains(folder));
    Some(())
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kernel's mounts.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelMounts;

impl Mounts for KernelMounts {
    fn list(&self) -> io::Result<Vec<String>> {
        // Names of folders needn't be text.
        fs::read("/proc/self/mountinfo").map(|text| folders(&String::from_utf8_lossy(&text)))
    }

    fn ask(&self, folder: &str) -> io::Result<Filesystem> {
        let told = rustix::fs::statvfs(folder)?;
        // One that this user may not look into, or that isn't mounted yet.
        if told.f_blocks == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let used = told.f_blocks.saturating_sub(told.f_bfree);
        // As df has it: what is kept for the system is neither used nor to be had.
        let usable = used.saturating_add(told.f_bavail);
        let bytes = |blocks: u64| blocks.checked_mul(told.f_frsize);
        let counts_files = told.f_files > 0;
        Ok(Filesystem {
            size: bytes(told.f_blocks),
            used: bytes(used),
            available: bytes(told.f_bavail),
            full: places(used as f64 / usable as f64 * 100.0),
            inodes: counts_files.then_some(told.f_files),
            inodes_used: counts_files.then_some(told.f_files.saturating_sub(told.f_ffree)),
            age: None,
        })
    }
}

/// Types that have no device of their own and yet can be full.
const WITHOUT_DEVICE: [&str; 10] =
    ["btrfs", "zfs", "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "fuse.sshfs"];
/// Types that are always full.
const READ_ONLY: [&str; 4] = ["squashfs", "iso9660", "erofs", "udf"];

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw` (proc_pid_mountinfo(5)): the folders of filesystems that
/// can fill up, each filesystem once, by its shortest. It is known by its number, for what is called its device is a text
/// that some users may choose.
fn folders(mountinfo: &str) -> Vec<String> {
    let mut by_number: BTreeMap<(bool, &str), String> = BTreeMap::new();
    for line in mountinfo.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let kind = kind.split(' ').next().unwrap_or_default();
        let mut fields = mount.split(' ').skip(2);
        let (Some(number), Some(folder)) = (fields.next(), fields.nth(1)) else { continue };
        let without_device = number.starts_with("0:");
        // The root of a container is laid over its host's disk.
        let can_fill_up = !without_device || WITHOUT_DEVICE.contains(&kind) || (kind == "overlay" && folder == "/");
        let folder = unescape(folder);
        if !can_fill_up || READ_ONLY.contains(&kind) {
            continue;
        }
        let known = by_number.entry((without_device, number)).or_insert_with(|| folder.clone());
        if folder.len() < known.len() {
            *known = folder;
        }
    }
    by_number.into_values().collect()
}

/// A space in a folder's name is `\040`, and so on (getmntent(3)).
fn unescape(folder: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(folder.to_owned(), |folder, (escaped, plain)| folder.replace(escaped, plain))
}

impl Default for Filesystems<KernelMounts> {
    fn default() -> Self {
        Self::watch(KernelMounts)
    }
}

impl Filesystems<KernelMounts> {
    /// What is known of the kernel's filesystems.
    pub(super) fn of_kernel(&self) -> BTreeMap<String, Filesystem> {
        self.read(DEADLINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    #[test]
    fn each_device_that_can_fill_up_is_listed_once() {
        let mounts = [
            "21 27 0:20 / /proc rw,nosuid shared:12 - proc proc rw",
            "22 27 8:2 / /srv/in\\040use rw - ext4 /dev/sda2 rw",
            "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "28 27 8:1 /var /var/bind rw shared:1 master:3 - ext4 /dev/sda1 rw",
            "29 27 0:44 / /home rw - zfs tank/home rw",
            "30 27 7:3 / /snap/core ro - squashfs /dev/loop3 ro",
            "31 27 0:25 / /run rw - tmpfs tmpfs rw",
            "32 27 0:51 / /mnt rw - nfs4 box:/x rw",
            "33 27 0:60 / /tmp/x rw - fuse /dev/sda2 rw",
            "34 27 0:61 / /misc rw - autofs /etc/auto.misc rw",
            "short",
        ];
        assert_eq!(folders(&mounts.join("\n")), ["/", "/srv/in use", "/home", "/mnt"]);
        assert_eq!(folders("1 0 0:33 / / rw - overlay overlay rw\n"), ["/"]);
    }

    #[test]
    fn the_kernel_tells_about_this_host() {
        let root = KernelMounts.ask("/").unwrap();
        assert!(root.size > Some(0) && root.used <= root.size, "{root:?}");
        assert!(root.full.unwrap() <= 100.0);
        assert!(KernelMounts.ask("/nowhere").is_err());
    }

    /// Mounts of which one answers only when it is told to.
    #[derive(Clone)]
    struct Played {
        answer: Arc<Mutex<Receiver<()>>>,
    }

    impl Mounts for Played {
        fn list(&self) -> io::Result<Vec<String>> {
            Ok(["/a", "/dead", "/z"].map(str::to_owned).into())
        }

        fn ask(&self, folder: &str) -> io::Result<Filesystem> {
            if folder == "/dead" {
                self.answer.lock().unwrap().recv().map_err(io::Error::other)?;
            }
            Ok(Filesystem { size: Some(1), ..Filesystem::default() })
        }
    }

    fn played() -> (Filesystems<Played>, Sender<()>) {
        let (sender, receiver) = channel();
        (Filesystems::watch(Played { answer: Arc::new(Mutex::new(receiver)) }), sender)
    }

    fn wait_for(filesystems: &Filesystems<Played>, deadline: Duration, expected: &[&str]) {
        let begin = Instant::now();
        while filesystems.read(deadline).keys().ne(expected) {
            assert!(begin.elapsed() < Duration::from_secs(20), "never {expected:?}");
            thread::yield_now();
        }
    }

    #[test]
    fn one_that_is_stuck_holds_nobody_up_and_may_come_back() {
        let (filesystems, answer) = played();
        wait_for(&filesystems, Duration::MAX, &["/a"]);
        // Given up at once, so that the next thread goes on without it.
        wait_for(&filesystems, Duration::ZERO, &["/a", "/z"]);
        assert!(lock(&filesystems.known).stuck.contains("/dead"));
        answer.send(()).unwrap();
        wait_for(&filesystems, Duration::MAX, &["/a", "/dead", "/z"]);
        assert!(lock(&filesystems.known).stuck.is_empty());
    }

    #[test]
    fn figures_say_how_old_they_are() {
        let (filesystems, answer) = played();
        answer.send(()).unwrap();
        wait_for(&filesystems, Duration::MAX, &["/a", "/dead", "/z"]);
        assert!(filesystems.read(Duration::MAX).values().all(|filesystem| filesystem.age.unwrap() >= 0.0));
    }
}
