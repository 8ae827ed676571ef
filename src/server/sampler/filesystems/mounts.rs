//! Lists the mounted filesystems that can fill up, from `/proc/self/mountinfo`, and reads their usage with statvfs(3).

use super::super::rate::round_to_hundredths;
use crate::schema::Filesystem;
use std::{collections::BTreeMap, fs, io};

/// A source of mount points and their usage.
pub(in crate::server::sampler) trait Mounts: Clone + Send + 'static {
    /// Mount points, the most important first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Usage of the filesystem at `mount_point`, without an age. Blocks while the filesystem does not answer.
    ///
    /// # Errors
    /// When it cannot be read.
    fn usage(&self, mount_point: &str) -> io::Result<Filesystem>;
}

/// The kernel's mounts.
#[derive(Clone, Copy, Debug)]
pub(in crate::server::sampler) struct KernelMounts;

impl Mounts for KernelMounts {
    fn list(&self) -> io::Result<Vec<String>> {
        // Paths can be invalid UTF-8.
        fs::read("/proc/self/mountinfo").map(|text| mount_points(&String::from_utf8_lossy(&text)))
    }

    fn usage(&self, mount_point: &str) -> io::Result<Filesystem> {
        let stat = rustix::fs::statvfs(mount_point)?;
        // No permission, or an automount that is not mounted yet.
        if stat.f_blocks == 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let used = stat.f_blocks.saturating_sub(stat.f_bfree);
        // As df(1) does: blocks reserved for root are neither used nor available.
        let usable = used.saturating_add(stat.f_bavail);
        let bytes = |blocks: u64| blocks.checked_mul(stat.f_frsize);
        let has_inodes = stat.f_files > 0;
        Ok(Filesystem {
            size: bytes(stat.f_blocks),
            used: bytes(used),
            available: bytes(stat.f_bavail),
            full: round_to_hundredths(used as f64 / usable as f64 * 100.0),
            inodes: has_inodes.then_some(stat.f_files),
            inodes_used: has_inodes.then_some(stat.f_files.saturating_sub(stat.f_ffree)),
            age: None,
        })
    }
}

/// Filesystem types that have no block device and can fill up.
const WITHOUT_DEVICE: [&str; 10] =
    ["btrfs", "zfs", "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "fuse.sshfs"];
/// Filesystem types that are always full.
const READ_ONLY: [&str; 4] = ["squashfs", "iso9660", "erofs", "udf"];

/// Mount points of filesystems that can fill up: the shortest of each filesystem, those with a block device first.
/// Lines are `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw` (proc_pid_mountinfo(5)). The device
/// number identifies a filesystem, because unprivileged users can choose the source of a FUSE mount.
fn mount_points(mountinfo: &str) -> Vec<String> {
    let mut by_device: BTreeMap<(bool, &str), String> = BTreeMap::new();
    for line in mountinfo.lines() {
        let Some((mount, source)) = line.split_once(" - ") else { continue };
        let fs_type = source.split(' ').next().unwrap_or_default();
        let mut fields = mount.split(' ').skip(2);
        let (Some(device), Some(mount_point)) = (fields.next(), fields.nth(1)) else { continue };
        let without_device = device.starts_with("0:");
        // A container's root is an overlay on a disk of its host.
        let can_fill_up =
            !without_device || WITHOUT_DEVICE.contains(&fs_type) || (fs_type == "overlay" && mount_point == "/");
        if !can_fill_up || READ_ONLY.contains(&fs_type) {
            continue;
        }
        let mount_point = unescape(mount_point);
        let shortest = by_device.entry((without_device, device)).or_insert_with(|| mount_point.clone());
        if mount_point.len() < shortest.len() {
            *shortest = mount_point;
        }
    }
    by_device.into_values().collect()
}

/// Decodes `\040` for a space, and so on (getmntent(3)).
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_lists_each_filesystem_that_can_fill_up_once() {
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
        assert_eq!(mount_points(&mounts.join("\n")), ["/", "/srv/in use", "/home", "/mnt"]);
        assert_eq!(mount_points("1 0 0:33 / / rw - overlay overlay rw\n"), ["/"]);
    }

    #[test]
    fn statvfs_of_root_reports_usage() {
        let root = KernelMounts.usage("/").unwrap();
        assert!(root.size > Some(0) && root.used <= root.size, "{root:?}");
        assert!(root.full.unwrap() <= 100.0);
        assert!(KernelMounts.usage("/nowhere").is_err());
    }
}
