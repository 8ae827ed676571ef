//! Keeps the texts of the kernel's files that a sample reads, so that exporters get the counters of the same second without
//! reading a file, which may hang.

use super::{HostSource, SocketStates};
use crate::schema::{Filesystem, MountSource};
use std::{collections::BTreeMap, io, sync::Arc};

/// Files that samplers read, of those that exporters need.
const SAMPLED: [&str; 12] = [
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/net/snmp",
    "/proc/net/netstat",
    "/proc/net/sockstat",
    "/proc/net/sockstat6",
    "/proc/net/dev",
    "/proc/diskstats",
];
/// Files of counters that exporters alone need; reading all takes some microseconds.
const EXPORTED: [&str; 3] = ["/proc/pressure/irq", "/proc/net/snmp6", "/proc/net/softnet_stat"];

/// A source whose files are kept as they are read.
pub(super) struct Recorder<'a, S> {
    source: &'a mut S,
    files: Vec<(&'static str, String)>,
}

impl<'a, S: HostSource> Recorder<'a, S> {
    pub(super) fn new(source: &'a mut S) -> Self {
        Self { source, files: Vec::with_capacity(SAMPLED.len() + EXPORTED.len()) }
    }

    /// The texts of the files that were read, and of those that exporters alone need.
    pub(super) fn finish(mut self) -> Vec<(&'static str, String)> {
        let mut text = String::new();
        // A host may lack each.
        EXPORTED.iter().for_each(|path| _ = self.read_cached(path, &mut text));
        self.files
    }
}

impl<S: HostSource> HostSource for Recorder<'_, S> {
    fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.source.read_cached(path, text)?;
        if let Some(path) = SAMPLED.iter().chain(&EXPORTED).find(|known| **known == path) {
            self.files.push((path, text.clone()));
        }
        Ok(())
    }

    fn read_first_page(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.source.read_first_page(path, text)
    }

    fn read_file(&mut self, path: &str, text: &mut String) -> io::Result<()> {
        self.source.read_file(path, text)
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        self.source.list(path)
    }

    fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
        self.source.filesystems()
    }

    fn mount_sources(&mut self) -> Arc<BTreeMap<String, MountSource>> {
        self.source.mount_sources()
    }

    fn socket_states(&mut self) -> io::Result<SocketStates> {
        self.source.socket_states()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{Procfs, SystemClock, TickSource, linux::HostSampler, linux::tests::RecordedHost};

    #[test]
    fn tick_carries_the_files_that_exporters_need_as_they_were_read() {
        let source = RecordedHost::default()
            .with("/proc/stat", "cpu0 1 2 3 4\n")
            .with("/proc/loadavg", "0.20 0.18 12.12 1/80 11206\n")
            .with("/proc/net/snmp6", "Ip6InReceives 1\n");
        let tick = HostSampler::with_source(source, Arc::default()).read(1000, &SystemClock::default());
        let files = [("/proc/stat", "cpu0 1 2 3 4\n".to_owned()), ("/proc/net/snmp6", "Ip6InReceives 1\n".to_owned())];
        assert_eq!(tick.counters.files, files);
        assert_eq!((tick.counters.file("/proc/stat"), tick.counters.file("/proc/loadavg")), ("cpu0 1 2 3 4\n", ""));
    }

    #[test]
    fn running_kernel_has_each_sampled_file_once() {
        let mut host = HostSampler::with_source(Procfs::default(), Arc::default());
        let tick = host.read(1000, &SystemClock::default());
        let mut paths: Vec<_> = tick.counters.files.iter().map(|(path, _)| *path).collect();
        let read = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), read, "{paths:?}");
        for path in ["/proc/stat", "/proc/meminfo", "/proc/vmstat", "/proc/net/dev", "/proc/diskstats"] {
            assert!(paths.contains(&path), "{path} is missing in {paths:?}");
        }
    }
}
