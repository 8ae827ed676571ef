//! Which block devices are whole disks, and the names of logical and encrypted volumes.

use super::HostSource;
use std::collections::{BTreeMap, BTreeSet};

/// Disks without their partitions; `None` on a host without `/sys/block`.
pub(super) fn list_whole_disks(source: &mut impl HostSource) -> Option<BTreeSet<String>> {
    // sysfs writes the slash of names such as `cciss/c0d0` as an exclamation mark.
    let disks = source.list("/sys/block").ok()?.into_iter().map(|name| name.replace('!', "/"));
    Some(disks.collect()).filter(|disks: &BTreeSet<String>| !disks.is_empty())
}

/// Names of device-mapper volumes, such as `vg0-root`, by the kernel's `dm-0`. A name that another device has is
/// left out.
pub(super) fn read_volume_names(source: &mut impl HostSource, disks: &BTreeSet<String>) -> BTreeMap<String, String> {
    let name = |device: &String| {
        let mut text = String::new();
        source.read_first_page(&format!("/sys/block/{device}/dm/name"), &mut text).ok()?;
        let name = text.trim();
        (!name.is_empty() && !disks.contains(name)).then(|| (device.clone(), name.to_owned()))
    };
    disks.iter().filter(|device| device.starts_with("dm-")).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::linux::tests::RecordedHost;

    #[test]
    fn whole_disks_have_names_as_in_diskstats() {
        let mut host = RecordedHost::default().with_folder("/sys/block", &["sda", "cciss!c0d0"]);
        assert_eq!(list_whole_disks(&mut host), Some(["sda", "cciss/c0d0"].map(str::to_owned).into()));
        let mut empty = RecordedHost::default().with_folder("/sys/block", &[]);
        assert_eq!(list_whole_disks(&mut empty), None);
    }

    #[test]
    fn volume_name_of_another_device_is_left_out() {
        let mut host = RecordedHost::default()
            .with("/sys/block/dm-0/dm/name", "vg0-root\n")
            .with("/sys/block/dm-1/dm/name", "sda\n");
        let disks = ["dm-0", "dm-1", "dm-2", "sda"].map(str::to_owned).into();
        let names = read_volume_names(&mut host, &disks);
        assert_eq!(names, [("dm-0".to_owned(), "vg0-root".to_owned())].into());
    }
}
