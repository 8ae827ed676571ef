//! Memory from `/proc/meminfo` (proc_meminfo(5)).

use super::{Clock, Instant, Reading, Source};
use crate::metrics::{Memory, Sample};

/// Samples memory.
#[derive(Debug, Default)]
pub(super) struct MemorySampler {
    previous: Option<Instant>,
    text: String,
}

impl MemorySampler {
    pub(super) fn sample(&mut self, t: u64, source: &mut impl Source, clock: &impl Clock) -> Option<Sample<Memory>> {
        let text = &mut self.text;
        let reading = Reading::take(clock, || {
            source.read("/proc/meminfo", text).ok()?;
            Some(parse(text))
        });
        let Reading { at, counters } = reading?;
        let previous = self.previous.replace(at)?;
        Some(at.sample(t, previous, |_| counters))
    }
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
fn bytes(figure: &str) -> Option<u64> {
    figure.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

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
