//! Samples every group of a Linux host into a tick.

use super::{
    Clock, HostSource, Procfs, SamplerOptions, TickSource, cgroup::CgroupSampler, connections::ConnectionsSampler,
    cpu::CpuSampler, disk::DiskSampler, load::LoadSampler, memory::MemorySampler, network::NetworkSampler,
    pressure::PressureSampler, processes::ProcessesSampler, recorder::Recorder, slow_counters::SlowCountersSampler,
    temperature::SensorsSampler,
};
use crate::{
    schema::{RawCounters, Tick},
    server::log::Subscribers,
};
use std::sync::Arc;

/// Samples a Linux host from its kernel's files and sockets.
#[derive(Debug)]
pub struct HostSampler<S> {
    source: S,
    subscribers: Arc<Subscribers>,
    cpu: CpuSampler,
    memory: MemorySampler,
    load: LoadSampler,
    pressure: PressureSampler,
    connections: ConnectionsSampler,
    network: NetworkSampler,
    slow_counters: SlowCountersSampler,
    disk: DiskSampler,
    sensors: SensorsSampler,
    cgroup: CgroupSampler,
    processes: ProcessesSampler,
}

impl HostSampler<Procfs> {
    /// Samples this host. Starts the background threads of groups that are too slow for the sampler thread.
    pub fn new(options: &SamplerOptions, subscribers: Arc<Subscribers>) -> Self {
        Self {
            network: NetworkSampler::new(options),
            slow_counters: SlowCountersSampler::start(Procfs::default()),
            sensors: SensorsSampler::start(Procfs::default),
            cgroup: CgroupSampler::start(options, Procfs::default()),
            processes: ProcessesSampler::start(Procfs::default(), options),
            ..Self::with_source(Procfs::default(), subscribers)
        }
    }
}

impl<S: HostSource> HostSampler<S> {
    /// Samples the host behind `source`, without the groups that background threads read.
    pub fn with_source(source: S, subscribers: Arc<Subscribers>) -> Self {
        let options = SamplerOptions::default();
        Self {
            source,
            cpu: CpuSampler::new(rustix::param::clock_ticks_per_second()),
            memory: MemorySampler::new(rustix::param::page_size()),
            load: LoadSampler::default(),
            pressure: PressureSampler::default(),
            connections: ConnectionsSampler::new(Arc::clone(&subscribers)),
            network: NetworkSampler::new(&options),
            slow_counters: SlowCountersSampler::default(),
            disk: DiskSampler::default(),
            sensors: SensorsSampler::default(),
            cgroup: CgroupSampler::new(&options),
            processes: ProcessesSampler::default(),
            subscribers,
        }
    }
}

impl<S: HostSource> TickSource for HostSampler<S> {
    fn read(&mut self, t: u64, clock: &impl Clock) -> Tick {
        let temperature = self.sensors.sample(t, clock);
        let mut source = Recorder::new(&mut self.source);
        let mut tick = Tick::at(t)
            .with(self.cpu.sample(t, self.sensors.frequency(), &mut source, clock))
            .with(self.memory.sample(t, &mut source, clock))
            .with(self.load.sample(t, &mut source, clock))
            .with(self.pressure.sample(t, &mut source, clock))
            .with(self.connections.sample(t, &mut source, clock))
            .with(self.network.sample(t, &mut source, clock))
            .with(self.disk.sample(t, &mut source, clock))
            .with(temperature)
            .with(self.cgroup.sample(t, &mut source, clock))
            .with(self.processes.sample(t, self.subscribers.processes_interval_ms()));
        let counters = RawCounters {
            mounts: source.mount_sources(),
            files: source.finish(),
            whole_disks: self.disk.whole_disks(),
            slow: self.slow_counters.sample(),
        };
        tick.counters = Arc::new(counters);
        tick
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        schema::{Connections, Cpu, Disk, Filesystem, Load, Memory, Network},
        server::sampler::{SocketStates, SystemClock},
    };
    use std::{
        collections::{BTreeMap, HashMap},
        io,
    };

    /// A host source of recorded files, directories and socket states.
    #[derive(Clone, Debug, Default)]
    pub(in crate::server) struct RecordedHost {
        files: HashMap<String, String>,
        folders: HashMap<String, Vec<String>>,
        sockets: Option<SocketStates>,
    }

    impl RecordedHost {
        pub(in crate::server) fn with(self, path: &str, text: &str) -> Self {
            self.with_owned(path.to_owned(), text.to_owned())
        }

        pub(in crate::server) fn with_owned(mut self, path: String, text: String) -> Self {
            self.files.insert(path, text);
            self
        }

        pub(in crate::server) fn with_folder(mut self, path: &str, names: &[&str]) -> Self {
            self.folders.insert(path.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
            self
        }

        pub(in crate::server) fn with_sockets(self, sockets: SocketStates) -> Self {
            Self { sockets: Some(sockets), ..self }
        }
    }

    impl HostSource for RecordedHost {
        fn read_cached(&mut self, path: &str, text: &mut String) -> io::Result<()> {
            text.clear();
            text.push_str(self.files.get(path).ok_or(io::ErrorKind::NotFound)?);
            Ok(())
        }

        fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
            self.folders.get(path).cloned().ok_or(io::ErrorKind::NotFound.into())
        }

        fn filesystems(&mut self) -> BTreeMap<String, Filesystem> {
            BTreeMap::new()
        }

        fn socket_states(&mut self) -> io::Result<SocketStates> {
            self.sockets.ok_or(io::ErrorKind::Unsupported.into())
        }
    }

    impl HostSampler<RecordedHost> {
        /// Replaces the recorded host by its later state.
        pub(in crate::server::sampler) fn replace_source(&mut self, source: RecordedHost) {
            self.source = source;
        }
    }

    #[test]
    fn running_host_has_every_group_from_second_reading() {
        let mut host = HostSampler::new(&SamplerOptions::default(), Arc::default());
        let clock = SystemClock::default();
        let first = host.read(1000, &clock);
        assert_eq!(first.events().count(), 0);
        let second = host.read(2000, &clock);
        assert!(second.get::<Memory>().unwrap().values.total_bytes > Some(0));
        assert!(second.get::<Connections>().unwrap().values.tcp.in_use.is_some());
        assert!(!second.get::<Cpu>().unwrap().values.cores_percent.is_empty());
        assert!(second.get::<Load>().unwrap().values.uptime_seconds > Some(0.0));
        assert!(second.get::<Network>().unwrap().values.interfaces.contains_key("lo"));
        assert!(second.get::<Disk>().is_some());
    }

    #[test]
    fn host_without_procfs_has_connections_only() {
        let mut host = HostSampler::with_source(RecordedHost::default(), Arc::default());
        let clock = SystemClock::default();
        host.read(1000, &clock);
        let tick = host.read(2000, &clock);
        assert!(tick.get::<Cpu>().is_none() && tick.get::<Memory>().is_none());
        assert!(tick.get::<Connections>().is_some());
    }
}
