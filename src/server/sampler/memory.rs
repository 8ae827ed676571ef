//! Memory from `/proc/meminfo`, swapping, major faults and OOM kills from `/proc/vmstat`, and the size of the ZFS ARC
//! (proc_meminfo(5), proc_vmstat(5)).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, rate},
};
use crate::{
    schema::{Memory, Sample},
    server::procfs::parse_kib,
};

const ARCSTATS: &str = "/proc/spl/kstat/zfs/arcstats";

/// Samples memory, with rates of the counters in `/proc/vmstat`.
#[derive(Debug)]
pub(super) struct MemorySampler {
    previous: PreviousReading<(Memory, VmstatCounters)>,
    page_size: u64,
    /// Whether `meminfo` is of the whole host, as ZFS' statistics are; `None` before the first reading.
    is_whole_host: Option<bool>,
    text: String,
}

/// Counters since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct VmstatCounters {
    swap_in_bytes: Option<u64>,
    swap_out_bytes: Option<u64>,
    major_faults: Option<u64>,
    oom_kills: Option<u64>,
}

impl MemorySampler {
    /// `page_size` in bytes is the unit of the kernel's swap counters.
    pub(super) fn new(page_size: usize) -> Self {
        Self {
            previous: PreviousReading::default(),
            page_size: page_size as u64,
            is_whole_host: None,
            text: String::new(),
        }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Memory>> {
        let (text, page_size, is_whole_host) = (&mut self.text, self.page_size, &mut self.is_whole_host);
        let read = || {
            source.read_cached("/proc/meminfo", text).ok()?;
            let memory = parse_meminfo(text);
            let counters =
                source.read_cached("/proc/vmstat", text).map(|()| parse_vmstat(text, page_size)).unwrap_or_default();
            let is_whole_host = *is_whole_host
                .get_or_insert_with(|| source.read_file("/proc/self/mountinfo", text).is_err() || !has_lxcfs(text));
            // ZFS may be loaded at any time, so its statistics are tried at each reading.
            let has_zfs = is_whole_host && source.read_cached(ARCSTATS, text).is_ok();
            Some((if has_zfs { with_arc(memory, text) } else { memory }, counters))
        };
        self.previous.next_sample(t, clock, read, |(_, previous), (memory, current), dt| Memory {
            swap_in_bytes_per_second: rate(previous.swap_in_bytes, current.swap_in_bytes, dt),
            swap_out_bytes_per_second: rate(previous.swap_out_bytes, current.swap_out_bytes, dt),
            major_faults_per_second: rate(previous.major_faults, current.major_faults, dt),
            oom_kills_per_second: rate(previous.oom_kills, current.oom_kills, dt),
            ..memory.clone()
        })
    }
}

/// Parses `/proc/vmstat`: one `name value` a line.
fn parse_vmstat(text: &str, page_size: u64) -> VmstatCounters {
    let mut counters = VmstatCounters::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(' ') else { continue };
        let (slot, unit) = match name {
            "pswpin" => (&mut counters.swap_in_bytes, page_size),
            "pswpout" => (&mut counters.swap_out_bytes, page_size),
            "pgmajfault" => (&mut counters.major_faults, 1),
            "oom_kill" => (&mut counters.oom_kills, 1),
            _ => continue,
        };
        *slot = value.parse::<u64>().ok().and_then(|value| value.checked_mul(unit));
    }
    counters
}

/// Whether lxcfs limits `meminfo` to a container, by `/proc/self/mountinfo`.
fn has_lxcfs(mountinfo: &str) -> bool {
    mountinfo.lines().any(|line| line.contains(" /proc/meminfo ") && line.contains("lxcfs"))
}

/// Counts the part of ZFS' cache that ZFS frees on demand as available: `MemAvailable` lacks it. `arcstats` has lines
/// such as `size 4 123` of name, data type and value.
fn with_arc(memory: Memory, arcstats: &str) -> Memory {
    let value = |name: &str| {
        let mut lines = arcstats.lines().map(str::split_ascii_whitespace);
        lines.find_map(|mut fields| (fields.next()? == name).then(|| fields.nth(1)?.parse::<u64>().ok())?)
    };
    let zfs_arc = value("size");
    let reclaimable = difference(zfs_arc, value("c_min")).unwrap_or_default();
    let available = memory.available_bytes.map(|available| available.saturating_add(reclaimable));
    let available = available.map(|available| available.min(memory.total_bytes.unwrap_or(u64::MAX)));
    Memory {
        zfs_arc_bytes: zfs_arc,
        available_bytes: available,
        used_bytes: difference(memory.total_bytes, available),
        ..memory
    }
}

/// Parses `/proc/meminfo`.
fn parse_meminfo(text: &str) -> Memory {
    let mut memory = Memory::default();
    let mut swap_free = None;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let slot = match name {
            "MemTotal" => &mut memory.total_bytes,
            "MemAvailable" => &mut memory.available_bytes,
            "MemFree" => &mut memory.free_bytes,
            "Buffers" => &mut memory.buffers_bytes,
            "Cached" => &mut memory.cached_bytes,
            "Dirty" => &mut memory.dirty_bytes,
            "Writeback" => &mut memory.writeback_bytes,
            "Committed_AS" => &mut memory.committed_bytes,
            "Slab" => &mut memory.slab_bytes,
            "Shmem" => &mut memory.shared_bytes,
            "Hugetlb" => &mut memory.huge_pages_bytes,
            "SwapTotal" => &mut memory.swap_total_bytes,
            "SwapFree" => &mut swap_free,
            _ => continue,
        };
        *slot = parse_kib(value);
    }
    memory.used_bytes = difference(memory.total_bytes, memory.available_bytes);
    memory.swap_used_bytes = difference(memory.swap_total_bytes, swap_free);
    memory
}

fn difference(total: Option<u64>, part: Option<u64>) -> Option<u64> {
    Some(total?.saturating_sub(part?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    #[test]
    fn vmstat_counters_become_rates() {
        let (mut sampler, clock) = (MemorySampler::new(4096), ManualClock::at(0.0));
        let source = |[swap_in, swap_out, faults, kills]: [u64; 4]| {
            let text = format!(
                "nr_free_pages 9\npswpin {swap_in}\npswpout {swap_out}\npgmajfault {faults}\noom_kill {kills}\n"
            );
            RecordedHost::default()
                .with(
                    "/proc/meminfo",
                    "MemTotal: 10 kB\nDirty: 1 kB\nWriteback: 2 kB\nSlab: 3 kB\nShmem: 4 kB\nHugetlb: 5 kB\n",
                )
                .with("/proc/vmstat", &text)
                .with(
                    "/proc/spl/kstat/zfs/arcstats",
                    "13 1 0x01\nname type data\nsize                            4    77\n",
                )
        };
        assert_eq!(sampler.sample(0, &mut source([1, 2, 3, 4]), &clock), None);
        clock.advance(2.0);
        let memory = sampler.sample(2000, &mut source([3, 2, 13, 5]), &clock).unwrap().values;
        assert_eq!((memory.swap_in_bytes_per_second, memory.swap_out_bytes_per_second), (Some(4096.0), Some(0.0)));
        assert_eq!((memory.major_faults_per_second, memory.oom_kills_per_second), (Some(5.0), Some(0.5)));
        let kib = |value: u64| Some(value * 1024);
        assert_eq!((memory.dirty_bytes, memory.writeback_bytes, memory.slab_bytes), (kib(1), kib(2), kib(3)));
        assert_eq!((memory.shared_bytes, memory.huge_pages_bytes, memory.zfs_arc_bytes), (kib(4), kib(5), Some(77)));
    }

    #[test]
    fn zfs_cache_above_its_minimum_is_available() {
        let memory = parse_meminfo("MemTotal: 1000 kB\nMemAvailable: 30 kB\n");
        let arcstats = |size: u64| format!("13 1 0x01\nname type data\nc_min 4 {}\nsize    4 {size}\n", 31 << 10);
        let kib = |value: u64| Some(value * 1024);
        let large = with_arc(memory.clone(), &arcstats(600 << 10));
        assert_eq!(
            (large.zfs_arc_bytes, large.available_bytes, large.used_bytes),
            (kib(600), kib(30 + 569), kib(1000 - 599))
        );
        let small = with_arc(memory.clone(), &arcstats(9 << 10));
        assert_eq!(
            (small.available_bytes, small.used_bytes),
            (memory.available_bytes, memory.used_bytes),
            "nothing to free"
        );
        let absurd = with_arc(memory, &arcstats(u64::MAX));
        assert_eq!((absurd.available_bytes, absurd.used_bytes), (kib(1000), Some(0)));
    }

    #[test]
    fn zfs_cache_of_the_host_is_not_available_to_a_container() {
        let (mut sampler, clock) = (MemorySampler::new(4096), ManualClock::at(0.0));
        let mount = "90 80 0:9 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n";
        let mut source = RecordedHost::default()
            .with("/proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 1 kB\n")
            .with(ARCSTATS, "size 4 99999\nc_min 4 9\n")
            .with("/proc/self/mountinfo", mount);
        let samples = (0..3).filter_map(|second| sampler.sample(second * 1000, &mut source, &clock));
        let available: Vec<_> = samples.map(|sample| sample.values.available_bytes).collect();
        assert_eq!(available, [Some(1024), Some(1024)]);
    }

    #[test]
    fn meminfo_values_are_converted_to_bytes() {
        let memory = parse_meminfo(
            "MemTotal:       24684092 kB\nMemFree:        18967896 kB\nMemAvailable:   23929672 kB\nBuffers:           58092 kB\n\
             Cached:          4804700 kB\nSwapCached:            0 kB\nSwapTotal:          2048 kB\nSwapFree:           1024 kB\n\
             HugePages_Total:       0\n",
        );
        let kib = |value: u64| Some(value * 1024);
        assert_eq!(memory.total_bytes, kib(24_684_092));
        assert_eq!(memory.used_bytes, kib(24_684_092 - 23_929_672));
        assert_eq!((memory.available_bytes, memory.free_bytes), (kib(23_929_672), kib(18_967_896)));
        assert_eq!((memory.buffers_bytes, memory.cached_bytes), (kib(58_092), kib(4_804_700)));
        assert_eq!((memory.swap_total_bytes, memory.swap_used_bytes), (kib(2048), kib(1024)));
    }

    #[test]
    fn missing_or_malformed_values_are_unknown() {
        let memory = parse_meminfo("MemTotal: 10 kB\nMemFree: 99999999999999999999 kB\nSwapTotal: garbage\n: 3 kB\n");
        assert_eq!(memory, Memory { total_bytes: Some(10_240), ..Memory::default() });
    }
}
