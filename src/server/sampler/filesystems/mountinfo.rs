//! Parses `/proc/self/mountinfo`: the mounted filesystems that can fill up, each once.

use crate::schema::MountSource;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// A mounted filesystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server::sampler) struct Mount {
    /// Device number. It identifies the filesystem: a folder may get another one, and unprivileged users can choose the
    /// source of a FUSE mount.
    pub device: String,
    /// What is mounted.
    pub source: MountSource,
    /// Where it is mounted, the preferred path first. Some may be files.
    pub paths: Vec<String>,
    /// The filesystem is read-only, not only its mounts: a service's mounts often are.
    pub read_only: bool,
    /// Minimum time between readings, because a reading keeps an automount from expiring.
    pub interval: Duration,
}

/// Filesystem types that have no block device and can fill up.
const WITHOUT_DEVICE: [&str; 17] = [
    "9p", "bcachefs", "beegfs", "btrfs", "ceph", "cifs", "gpfs", "lustre", "nfs", "nfs4", "orangefs", "prl_fs", "smb3",
    "vboxsf", "virtiofs", "vmhgfs", "zfs",
];
/// Filesystem types that are always full.
const READ_ONLY: [&str; 4] = ["squashfs", "iso9660", "erofs", "udf"];
/// FUSE programs without space of their own, or that are always full.
const FUSE_WITHOUT_SPACE: [&str; 9] = [
    "archivemount",
    "fuse-overlayfs",
    "fuseiso",
    "gvfsd-fuse",
    "lxcfs",
    "portal",
    "snapfuse",
    "squashfuse",
    "squashfuse_ll",
];
/// Folders in which programs, rather than people, mount many a tmpfs.
const OF_PROGRAMS: [&str; 8] = [
    "/dev/",
    "/proc/",
    "/run/",
    "/sys/",
    "/var/lib/containerd/",
    "/var/lib/containers/",
    "/var/lib/docker/",
    "/var/lib/kubelet/",
];

/// A line such as `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw` (proc_pid_mountinfo(5)).
struct Line<'a> {
    device: &'a str,
    path: String,
    fs_type: &'a str,
    source: &'a str,
    /// Options of the filesystem.
    options: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, source) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(2);
        let (device, path) = (fields.next()?, unescape(fields.nth(1)?));
        let mut fields = source.split(' ');
        let (fs_type, source, options) =
            (fields.next()?, fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        Some(Self { device, path, fs_type, source, options })
    }

    fn is_read_only(&self) -> bool {
        self.options.split(',').any(|option| option == "ro")
    }

    fn has_device(&self) -> bool {
        !self.device.starts_with("0:")
    }

    fn can_fill_up(&self) -> bool {
        match (self.fs_type, self.fs_type.strip_prefix("fuse.")) {
            // A container's root is an overlay on a disk of its host.
            ("overlay" | "fuse.fuse-overlayfs", _) => self.path == "/",
            ("tmpfs", _) => !self.is_read_only() && self.is_tmpfs_of_people(),
            (_, Some(program)) => {
                !FUSE_WITHOUT_SPACE.contains(&program) && !program.to_ascii_lowercase().ends_with(".appimage")
            }
            (fs_type, None) => {
                !READ_ONLY.contains(&fs_type) && (self.has_device() || WITHOUT_DEVICE.contains(&fs_type))
            }
        }
    }

    fn is_tmpfs_of_people(&self) -> bool {
        let path = self.path.as_str();
        // systemd hides the folders of other services below it.
        let of_systemd = ["/dev", "/var/lib/private"];
        path == "/dev/shm"
            || (!of_systemd.contains(&path) && !OF_PROGRAMS.iter().any(|folder| path.starts_with(folder)))
    }
}

/// Filesystems that can fill up: `/`, those with a block device, then others, each by the length of its path.
pub(super) fn mounts(mountinfo: &str) -> Vec<Mount> {
    let lines: Vec<_> = mountinfo.lines().filter_map(Line::parse).collect();
    // A mount hides an earlier one on the same path.
    let visible: HashMap<_, _> = lines.iter().enumerate().map(|(index, line)| (line.path.as_str(), index)).collect();
    let automounts: Vec<_> = lines.iter().filter(|line| line.fs_type == "autofs").collect();
    let mut by_device: BTreeMap<&str, Vec<(Duration, &Line<'_>)>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        if visible.get(line.path.as_str()) == Some(&index) && line.can_fill_up() {
            by_device.entry(line.device).or_default().push((interval(&line.path, &automounts), line));
        }
    }
    let mut mounts = Vec::with_capacity(by_device.len());
    for (device, mut lines) in by_device {
        lines.sort_by_key(|(interval, line)| (*interval, line.path.len()));
        let Some((interval, first)) = lines.first() else { continue };
        let order = (first.path != "/", !first.has_device(), first.path.len(), first.path.clone());
        let (read_only, interval) = (first.is_read_only(), *interval);
        let source = MountSource { device: unescape(first.source), fs_type: first.fs_type.to_owned() };
        let paths = lines.iter().map(|(_, line)| line.path.clone()).collect();
        mounts.push((order, Mount { device: device.to_owned(), source, paths, read_only, interval }));
    }
    mounts.sort_by(|(a, _), (b, _)| a.cmp(b));
    mounts.into_iter().map(|(_, mount)| mount).collect()
}

/// Time between readings of what is mounted at `path`: twice the time after which its automount expires.
fn interval(path: &str, automounts: &[&Line<'_>]) -> Duration {
    let is_below =
        |line: &&&Line<'_>| path.strip_prefix(&line.path).is_some_and(|rest| !rest.starts_with(|c| c != '/'));
    let timeout =
        |line: &&Line<'_>| line.options.split(',').find_map(|option| option.strip_prefix("timeout=")?.parse().ok());
    let seconds: u64 = automounts.iter().filter(is_below).filter_map(timeout).max().unwrap_or(0);
    Duration::from_secs(seconds.saturating_mul(2))
}

/// Decodes octal escapes: `\040` is a space (getmntent(3)).
fn unescape(path: &str) -> String {
    let mut parts = path.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (code.filter(u8::is_ascii), part.get(3..)) {
            (Some(code), Some(rest)) => text.extend([char::from(code).encode_utf8(&mut [0; 4]), rest]),
            _ => text.extend(["\\", part]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(mountinfo: &[&str]) -> Vec<String> {
        mounts(&mountinfo.join("\n")).into_iter().map(|mount| mount.paths.join(" = ")).collect()
    }

    #[test]
    fn visible_mount_of_a_path_names_its_source() {
        let mountinfo = "1 0 8:1 / /usb rw - ext4 /dev/sda1 rw\n2 1 8:2 / /usb rw - xfs /dev/my\\040disk rw\n";
        let expected = MountSource { device: "/dev/my disk".to_owned(), fs_type: "xfs".to_owned() };
        assert_eq!(mounts(mountinfo).into_iter().map(|mount| mount.source).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn mountinfo_lists_each_filesystem_that_can_fill_up_once() {
        let mountinfo = [
            "21 27 0:20 / /proc rw,nosuid shared:12 - proc proc rw",
            "22 27 8:2 / /srv/in\\040use rw - ext4 /dev/sda2 rw",
            "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "28 27 8:1 /var /var/bind rw shared:1 master:3 - ext4 /dev/sda1 rw",
            "29 27 0:44 / /home rw - zfs tank/home rw",
            "30 27 7:3 / /snap/core ro - squashfs /dev/loop3 ro",
            "32 27 0:51 / /mnt rw - nfs4 box:/x rw",
            "33 27 0:60 / /tmp/x rw - fuse /dev/sda2 rw",
            "34 27 0:61 / /misc rw - autofs /etc/auto.misc rw",
            "short",
        ];
        assert_eq!(paths(&mountinfo), ["/ = /var/bind", "/srv/in use", "/mnt", "/home"]);
        assert_eq!(paths(&["1 0 0:33 / / rw - overlay overlay rw"]), ["/"]);
    }

    #[test]
    fn pools_and_shares_without_device_are_listed() {
        let types = "fuse.mergerfs fuse.rclone fuse.glusterfs fuse.s3fs fuse.gcsfuse fuse.ceph-fuse fuse.juicefs \
             fuse.gocryptfs fuse.bindfs fuse.shfs fuse.vmhgfs-fuse fuse.sshfs bcachefs lustre beegfs vboxsf";
        for fs_type in types.split_whitespace() {
            assert_eq!(paths(&[&format!("1 0 0:33 / /pool rw - {fs_type} a:b rw")]), ["/pool"], "{fs_type}");
        }
        for fs_type in ["fuse.lxcfs", "fuse.gvfsd-fuse", "fuse.portal", "fuse.Some.AppImage", "cgroup2", "overlay"] {
            assert!(paths(&[&format!("1 0 0:33 / /x rw - {fs_type} x rw")]).is_empty(), "{fs_type}");
        }
    }

    #[test]
    fn tmpfs_is_listed_unless_programs_mount_it() {
        for path in ["/tmp", "/run", "/dev/shm", "/var/cache/build"] {
            assert_eq!(paths(&[&format!("1 0 0:33 / {path} rw - tmpfs tmpfs rw,size=1024k")]), [path]);
        }
        for path in
            ["/dev", "/var/lib/private", "/run/user/1000", "/sys/fs/cgroup", "/var/lib/kubelet/pods/1/volumes/secret"]
        {
            assert!(paths(&[&format!("1 0 0:33 / {path} rw - tmpfs tmpfs rw")]).is_empty(), "{path}");
        }
        assert!(paths(&["1 0 0:33 / /empty ro - tmpfs tmpfs ro"]).is_empty());
    }

    #[test]
    fn read_only_is_the_filesystem_not_its_mount() {
        let read_only = |line| mounts(line).iter().map(|mount| mount.read_only).collect::<Vec<_>>();
        assert_eq!(read_only("1 0 8:1 / /image ro,relatime - ext4 /dev/sda1 ro,errors=continue"), [true]);
        assert_eq!(read_only("1 0 8:1 / /home ro,relatime - ext4 /dev/sda1 rw,errors=remount-ro"), [false]);
    }

    #[test]
    fn mount_over_another_hides_it() {
        let mountinfo = ["1 0 8:1 / /usb rw - ext4 /dev/sda1 rw", "2 1 8:2 / /usb rw - ext4 /dev/sdb1 rw"];
        let mounts = mounts(&mountinfo.join("\n"));
        assert_eq!(mounts.iter().map(|mount| mount.device.as_str()).collect::<Vec<_>>(), ["8:2"]);
    }

    #[test]
    fn automounted_filesystem_is_read_less_often_than_it_expires() {
        let mountinfo = [
            "1 0 0:50 / /net rw - autofs /etc/auto.net rw,fd=6,timeout=300,indirect",
            "2 1 0:51 / /net/box rw - nfs4 box:/x rw",
            "3 0 0:52 / /boot rw - autofs systemd-1 rw,fd=7,timeout=120,direct",
            "4 3 8:1 / /boot rw - vfat /dev/sda1 rw",
            "5 0 8:2 / /network rw - ext4 /dev/sda2 rw",
        ];
        let mounts = mounts(&mountinfo.join("\n"));
        let intervals: Vec<_> = mounts.iter().map(|mount| (&*mount.paths[0], mount.interval.as_secs())).collect();
        assert_eq!(intervals, [("/boot", 240), ("/network", 0), ("/net/box", 600)]);
    }

    #[test]
    fn escapes_in_paths_are_decoded() {
        assert_eq!(unescape(r"/a\040b\011\012\134\043c"), "/a b\t\n\\#c");
        assert_eq!(unescape(r"/\134040\9"), r"/\040\9");
    }
}
