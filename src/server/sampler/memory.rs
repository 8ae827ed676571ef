//! Memory from `/proc/meminfo`, `/proc/vmstat` and ZFS' own statistics (proc_meminfo(5), proc_vmstat(5)).

use super::{
    Clock, HostSource,
    rate::{PreviousReading, rate},
};
use crate::schema::{Memory, Sample};

/// Samples memory.
#[derive(Debug)]
pub(super) struct MemorySampler {
    last: PreviousReading<(Memory, Counters)>,
    page_size: u64,
    /// Whether there is a ZFS: a host that has none at first gets none.
    zfs: bool,
    text: String,
}

/// Since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    /// In bytes, as are those put out.
    swapped_in: Option<u64>,
    swapped_out: Option<u64>,
    major_faults: Option<u64>,
    oom_kills: Option<u64>,
}

impl MemorySampler {
    /// `page_size` in bytes is what the kernel counts swapping in.
    pub(super) fn new(page_size: usize) -> Self {
        Self { last: PreviousReading::default(), page_size: page_size as u64, zfs: true, text: String::new() }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Memory>> {
        let (text, page_size, zfs) = (&mut self.text, self.page_size, &mut self.zfs);
        let read = || {
            source.read_cached("/proc/meminfo", text).ok()?;
            let memory = parse(text);
            let counters =
                source.read_cached("/proc/vmstat", text).map(|()| count(text, page_size)).unwrap_or_default();
            *zfs = *zfs && source.read_cached("/proc/spl/kstat/zfs/arcstats", text).is_ok();
            let zfs_arc = if *zfs { arc_size(text) } else { None };
            Some((Memory { zfs_arc, ..memory }, counters))
        };
        self.last.next_sample(t, clock, read, |(_, before), (memory, now), dt| Memory {
            swap_in: rate(before.swapped_in, now.swapped_in, dt),
            swap_out: rate(before.swapped_out, now.swapped_out, dt),
            major_faults: rate(before.major_faults, now.major_faults, dt),
            oom_kills: rate(before.oom_kills, now.oom_kills, dt),
            ..memory.clone()
        })
    }
}

/// `name figure`, a line for each.
fn count(text: &str, page_size: u64) -> Counters {
    let mut counters = Counters::default();
    for line in text.lines() {
        let Some((name, figure)) = line.split_once(' ') else { continue };
        let (slot, unit) = match name {
            "pswpin" => (&mut counters.swapped_in, page_size),
            "pswpout" => (&mut counters.swapped_out, page_size),
            "pgmajfault" => (&mut counters.major_faults, 1),
            "oom_kill" => (&mut counters.oom_kills, 1),
            _ => continue,
        };
        *slot = figure.parse::<u64>().ok().and_then(|figure| figure.checked_mul(unit));
    }
    counters
}

/// `size 4 123`: the name, how it is stored, and bytes.
fn arc_size(text: &str) -> Option<u64> {
    let fields = |line: &str| line.strip_prefix("size ")?.split_ascii_whitespace().nth(1)?.parse().ok();
    text.lines().find_map(fields)
}

fn parse(text: &str) -> Memory {
    let mut memory = Memory::default();
    let mut swap_free = None;
    for line in text.lines() {
        let Some((name, figure)) = line.split_once(':') else { continue };
        let slot = match name {
            "MemTotal" => &mut memory.total,
            "MemAvailable" => &mut memory.available,
            "MemFree" => &mut memory.free,
            "Buffers" => &mut memory.buffers,
            "Cached" => &mut memory.cached,
            "Dirty" => &mut memory.dirty,
            "Writeback" => &mut memory.writeback,
            "Slab" => &mut memory.slab,
            "Shmem" => &mut memory.shared,
            "Hugetlb" => &mut memory.huge_pages,
            "SwapTotal" => &mut memory.swap_total,
            "SwapFree" => &mut swap_free,
            _ => continue,
        };
        *slot = bytes(figure);
    }
    memory.used = rest(memory.total, memory.available);
    memory.swap_used = rest(memory.swap_total, swap_free);
    memory
}

fn rest(total: Option<u64>, part: Option<u64>) -> Option<u64> {
    Some(total?.saturating_sub(part?))
}

/// The kernel writes "kB" and means KiB.
pub(super) fn bytes(figure: &str) -> Option<u64> {
    figure.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    #[test]
    fn what_is_swapped_missed_and_killed_is_counted() {
        let (mut sampler, clock) = (MemorySampler::new(4096), ManualClock::at(0.0));
        let source = |figures: [u64; 4]| {
            let [swapped_in, swapped_out, faults, kills] = figures;
            let text = format!(
                "nr_free_pages 9\npswpin {swapped_in}\npswpout {swapped_out}\npgmajfault {faults}\noom_kill {kills}\n"
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
        assert_eq!((memory.swap_in, memory.swap_out), (Some(4096.0), Some(0.0)));
        assert_eq!((memory.major_faults, memory.oom_kills), (Some(5.0), Some(0.5)));
        let kib = |figure: u64| Some(figure * 1024);
        assert_eq!((memory.dirty, memory.writeback, memory.slab), (kib(1), kib(2), kib(3)));
        assert_eq!((memory.shared, memory.huge_pages, memory.zfs_arc), (kib(4), kib(5), Some(77)));
    }

    #[test]
    fn figures_are_bytes() {
        let memory = parse(
            "MemTotal:       24684092 kB\nMemFree:        18967896 kB\nMemAvailable:   23929672 kB\nBuffers:           58092 kB\n\
             Cached:          4804700 kB\nSwapCached:            0 kB\nSwapTotal:          2048 kB\nSwapFree:           1024 kB\n\
             HugePages_Total:       0\n",
        );
        let kib = |figure: u64| Some(figure * 1024);
        assert_eq!(memory.total, kib(24_684_092));
        assert_eq!(memory.used, kib(24_684_092 - 23_929_672));
        assert_eq!((memory.available, memory.free), (kib(23_929_672), kib(18_967_896)));
        assert_eq!((memory.buffers, memory.cached), (kib(58_092), kib(4_804_700)));
        assert_eq!((memory.swap_total, memory.swap_used), (kib(2048), kib(1024)));
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_unknown() {
        let memory = parse("MemTotal: 10 kB\nMemFree: 99999999999999999999 kB\nSwapTotal: garbage\n: 3 kB\n");
        assert_eq!(memory, Memory { total: Some(10_240), ..Memory::default() });
    }
}
