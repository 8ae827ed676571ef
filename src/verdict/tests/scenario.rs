//! Test scenarios: the values of one second, and windows filled from them.

use crate::schema::{
    Cgroup, Connections, Cpu, Device, Disk, Filesystem, Interface, Load, Memory, Network, Pressure, Sensor, Service,
    Stall, Temperature, Window,
};

pub(super) const GIB: u64 = 1 << 30;
/// Start of a scenario, unix seconds: 10:00 UTC.
pub(super) const START_S: u64 = 1_700_042_400;

/// Values of one second on a host with four cores and 16 GiB.
#[derive(Clone, Debug)]
pub(super) struct Second {
    pub(super) cpu: f64,
    pub(super) steal: f64,
    pub(super) waiting_cpu: f64,
    pub(super) load: f64,
    pub(super) used: u64,
    pub(super) swap_in: f64,
    pub(super) oom_kills: f64,
    pub(super) waiting_memory: f64,
    pub(super) waiting_io: f64,
    pub(super) busy: f64,
    pub(super) writes: f64,
    pub(super) queue: f64,
    pub(super) full: f64,
    pub(super) inodes_used: u64,
    pub(super) read_only: u64,
    pub(super) age: u64,
    pub(super) in_use: u64,
    pub(super) syn_recv: u64,
    pub(super) overflows: f64,
    pub(super) errors: f64,
    pub(super) throttled: f64,
    pub(super) celsius: f64,
    /// CPU of `web.service`, percent of one core.
    pub(super) service: f64,
}

pub(super) const IDLE: Second = Second {
    cpu: 4.0,
    steal: 0.0,
    waiting_cpu: 0.5,
    load: 0.2,
    used: 5 * GIB,
    swap_in: 0.0,
    oom_kills: 0.0,
    waiting_memory: 0.0,
    waiting_io: 0.2,
    busy: 2.0,
    writes: 5.0,
    queue: 0.01,
    full: 62.0,
    inodes_used: 300_000,
    read_only: 0,
    age: 4,
    in_use: 180,
    syn_recv: 0,
    overflows: 0.0,
    errors: 0.0,
    throttled: 0.0,
    celsius: 48.0,
    service: 12.0,
};

impl Second {
    pub(super) fn record(&self, window: &mut Window, t: u64) {
        let stall = |some: f64| Stall { some_percent: Some(some), full_percent: Some(some) };
        window.record(
            t,
            &Cpu {
                total_percent: Some(self.cpu),
                steal_percent: Some(self.steal),
                cores_percent: vec![Some(self.cpu); 4],
                ..Cpu::default()
            },
        );
        window.record(
            t,
            &Memory {
                total_bytes: Some(16 * GIB),
                used_bytes: Some(self.used),
                available_bytes: Some(16 * GIB - self.used),
                swap_in_bytes_per_second: Some(self.swap_in),
                oom_kills_per_second: Some(self.oom_kills),
                ..Memory::default()
            },
        );
        window.record(t, &Load { one: Some(self.load), ..Load::default() });
        let (cpu, memory, io) = (stall(self.waiting_cpu), stall(self.waiting_memory), stall(self.waiting_io));
        window.record(t, &Pressure { cpu, memory, io });
        let mut connections = Connections::default();
        connections.tcp.in_use = Some(self.in_use);
        connections.tcp.syn_recv = Some(self.syn_recv);
        connections.tcp.listen_overflows_per_second = Some(self.overflows);
        window.record(t, &connections);
        let interface =
            Interface { errors_per_second: Some(self.errors), drops_per_second: Some(0.2), ..Interface::default() };
        window.record(t, &Network { interfaces: [("eth0".to_owned(), interface)].into(), ..Network::default() });
        let device = Device {
            busy_percent: Some(self.busy),
            reads_per_second: Some(1.0),
            writes_per_second: Some(self.writes),
            queue: Some(self.queue),
            ..Device::default()
        };
        let filesystem = Filesystem {
            full_percent: Some(self.full),
            inodes: Some(1_000_000),
            inodes_used: Some(self.inodes_used),
            read_only: Some(self.read_only),
            age_seconds: Some(self.age as f64),
            ..Filesystem::default()
        };
        let devices = [("nvme0n1".to_owned(), device)].into();
        window.record(t, &Disk { devices, filesystems: [("/srv".to_owned(), filesystem)].into(), ..Disk::default() });
        let sensor = Sensor { celsius: Some(self.celsius), high_celsius: Some(80.0), critical_celsius: Some(95.0) };
        let sensors = [("coretemp Core 0".to_owned(), sensor)].into();
        window.record(t, &Temperature { sensors, highest_celsius: Some(self.celsius) });
        let service = Service { cpu_percent: Some(self.service), memory_bytes: Some(GIB), ..Service::default() };
        let services = [("web.service".to_owned(), service)].into();
        window.record(t, &Cgroup { throttled_percent: Some(self.throttled), services, ..Cgroup::default() });
    }
}

/// Window of ten idle minutes, then `seconds` of `scenario`, which gets the second since [`START_S`].
pub(super) fn idle_then(seconds: u64, scenario: impl Fn(u64) -> Second) -> Window {
    let mut window = Window::new(3600);
    for second in 0..600 {
        IDLE.record(&mut window, (START_S - 600 + second) * 1000);
    }
    for second in 0..seconds {
        scenario(second).record(&mut window, (START_S + second) * 1000);
    }
    window
}
