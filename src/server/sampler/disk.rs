//! Block devices from `/proc/diskstats` (the kernel's `Documentation/admin-guide/iostats.rst`).

use super::{
    Clock, HostSource,
    rate::{CompleteSum, PreviousReading, delta, percentage, rate, round_to_hundredths},
};
use crate::schema::{Device, Disk, Sample};
use std::collections::{BTreeMap, BTreeSet};

/// Devices that are shown.
const SHOWN: usize = 40;
/// The kernel counts in these, whatever the device's own are.
const SECTOR: u64 = 512;
/// What is no disk: files, memory, tapes of films.
const NO_DISKS: [&str; 5] = ["loop", "ram", "zram", "sr", "fd"];
/// What lies on other disks, whose bytes it would count twice.
const LAYERS: [&str; 5] = ["dm-", "md", "drbd", "bcache", "zd"];
/// Ticks after which it is looked anew which devices there are.
const LIST_EVERY: u32 = 10;

/// Since the device came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub write_bytes: u64,
    /// Milliseconds in which something was under way.
    pub busy: u64,
    /// Milliseconds that all that was under way has taken, one added to the other.
    pub waited: u64,
}

/// Samples block devices.
#[derive(Debug, Default)]
pub(super) struct DiskSampler {
    last: PreviousReading<BTreeMap<String, Counters>>,
    /// Whole devices, where the host tells which they are.
    whole: Option<BTreeSet<String>>,
    readings: u32,
    text: String,
}

impl DiskSampler {
    pub(super) fn sample(&mut self, t: u64, source: &mut impl HostSource, clock: &impl Clock) -> Option<Sample<Disk>> {
        if self.readings.is_multiple_of(LIST_EVERY) {
            self.whole = source.list("/sys/block").ok().map(BTreeSet::from_iter);
        }
        self.readings = self.readings.wrapping_add(1);
        let (text, whole) = (&mut self.text, self.whole.as_ref());
        let filesystems = source.filesystems();
        let read = || match source.read_cached("/proc/diskstats", text) {
            Ok(()) => Some(parse(text, |name| whole.map_or_else(|| !is_part(name), |whole| whole.contains(name)))),
            // A container is not shown its disks, and yet it has a filesystem.
            Err(_) => (!filesystems.is_empty()).then(BTreeMap::new),
        };
        let sample = self.last.next_sample(t, clock, read, rates);
        sample.map(|sample| Sample { values: Disk { filesystems, ..sample.values }, ..sample })
    }
}

/// `254 0 vda 33 0 264 14 …`: two numbers and the name of the device, then its counters.
pub(super) fn parse(text: &str, is_whole: impl Fn(&str) -> bool) -> BTreeMap<String, Counters> {
    let device = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let name = fields.next()?;
        if NO_DISKS.iter().any(|prefix| name.starts_with(prefix)) || !is_whole(name) {
            return None;
        }
        let figures: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
        let [reads, _, read, _, writes, _, written, _, _, busy, waited, ..] = figures[..] else { return None };
        let (read_bytes, write_bytes) = (read.saturating_mul(SECTOR), written.saturating_mul(SECTOR));
        // A slot without a disk in it.
        let is_used = reads > 0 || writes > 0;
        is_used.then(|| (name.to_owned(), Counters { reads, read_bytes, writes, write_bytes, busy, waited }))
    };
    text.lines().filter_map(device).collect()
}

/// By its name: `sda1`, `vdb12`, `nvme0n1p2`, `mmcblk0p1`.
pub(super) fn is_part(name: &str) -> bool {
    let device = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_number = device.len() < name.len();
    let numbered = ["nvme", "mmcblk", "nbd", "md", "dm-"].iter().any(|prefix| name.starts_with(prefix));
    has_number
        && (!numbered || device.strip_suffix('p').is_some_and(|device| device.ends_with(|c: char| c.is_ascii_digit())))
}

fn rates(before: &BTreeMap<String, Counters>, now: &BTreeMap<String, Counters>, dt: f64) -> Disk {
    let (mut read, mut written) = (CompleteSum::default(), CompleteSum::default());
    let mut devices = BTreeMap::new();
    for (name, now) in now {
        let before = before.get(name);
        let rate = |of: fn(&Counters) -> u64| rate(before.map(of), Some(of(now)), dt);
        let risen = |of: fn(&Counters) -> u64| delta(before.map(of)?, of(now));
        let device = Device {
            read_bytes: rate(|c| c.read_bytes),
            write_bytes: rate(|c| c.write_bytes),
            reads: rate(|c| c.reads),
            writes: rate(|c| c.writes),
            busy: percentage(risen(|c| c.busy), dt * 1000.0),
            queue: risen(|c| c.waited).and_then(|waited| round_to_hundredths(waited as f64 / (dt * 1000.0))),
        };
        if before.is_some() && !LAYERS.iter().any(|prefix| name.starts_with(prefix)) {
            read.add(device.read_bytes);
            written.add(device.write_bytes);
        }
        if devices.len() < SHOWN {
            devices.insert(name.clone(), device);
        }
    }
    Disk { read_bytes: read.total(), write_bytes: written.total(), devices, ..Disk::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const BEFORE: &str = "   7       0 loop0 5 0 9 0 0 0 0 0 0 0 0\n   8       0 sda 10 0 100 5 20 0 200 9 0 1000 2000 0 0 0 0\n   8       1 sda1 10 0 100 5 20 0 200 9 0 1000 2000\n 253       0 dm-0 10 0 100 5 20 0 200 9 0 1000 2000\n  11 0 sr0 1 0 0 0 0 0 0 0 0 0 0\n 8 16 sdb 0 0 0 0 0 0 0 0 0 0 0\n";
    const NOW: &str = "   8       0 sda 14 0 108 5 21 0 204 9 2 2000 5000 0 0 0 0\n   8       1 sda1 14 0 108 5 21 0 204 9 2 2000 5000\n 253       0 dm-0 14 0 108 5 21 0 204 9 0 2000 5000\n";

    fn sample(mut source: RecordedHost) -> Disk {
        let (mut sampler, clock) = (DiskSampler::default(), ManualClock::at(0.0));
        source = source.with("/proc/diskstats", BEFORE);
        assert_eq!(sampler.sample(0, &mut source, &clock), None);
        clock.advance(2.0);
        source = source.with("/proc/diskstats", NOW);
        sampler.sample(2000, &mut source, &clock).unwrap().values
    }

    #[test]
    fn whole_disks_are_counted_once() {
        for source in [
            RecordedHost::default(),
            RecordedHost::default().with_folder("/sys/block", &["dm-0", "loop0", "sda", "sdb"]),
        ] {
            let disk = sample(source);
            assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["dm-0", "sda"]);
            assert_eq!((disk.read_bytes, disk.write_bytes), (Some(2048.0), Some(1024.0)));
            let sda = &disk.devices["sda"];
            assert_eq!((sda.reads, sda.writes), (Some(2.0), Some(0.5)));
            assert_eq!((sda.busy, sda.queue), (Some(50.0), Some(1.5)));
        }
    }

    #[test]
    fn a_part_is_known_by_its_name() {
        for part in ["sda1", "vdb12", "nvme0n1p2", "mmcblk0p1", "md0p1", "xvda1"] {
            assert!(is_part(part), "{part}");
        }
        for whole in ["sda", "vdb", "nvme0n1", "mmcblk0", "md127", "dm-3", "xvda"] {
            assert!(!is_part(whole), "{whole}");
        }
    }

    #[test]
    fn a_line_that_is_cut_off_is_passed_over() {
        assert!(parse("8 0 sda 1 2 3\n8\n\n", |_| true).is_empty());
    }
}
