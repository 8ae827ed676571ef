//! The host's figures for Prometheus, under the names that node_exporter gave them, so that its dashboards and alerts find
//! them. Counters are read when asked for; what the stream knows as a figure of the moment is the stream's.

use super::{HostSource, Procfs, connections::tabled, cpu, disk, memory, network, pressure};
use crate::{schema::Window, server::log::TickLog};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Tells Prometheus about this host.
#[derive(Debug)]
pub struct HostExposition<S = Procfs> {
    log: Arc<TickLog>,
    source: Mutex<S>,
    ticks_per_second: f64,
}

impl HostExposition {
    /// Tells what the kernel counts, and what is in the log.
    pub fn new(log: Arc<TickLog>) -> Self {
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Self { log, source: Mutex::default(), ticks_per_second }
    }
}

impl<S: HostSource + fmt::Debug + Send + 'static> Collector for HostExposition<S> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = Page { encoder: &mut encoder, source: &mut *source };
        page.cpu(self.ticks_per_second)?;
        page.memory()?;
        page.pressure()?;
        page.sockets()?;
        page.network()?;
        page.disk()?;
        // What a sampler that is stuck knew is no figure of this moment.
        if self.log.head().is_stuck() { Ok(()) } else { self.log.with_window(|window| page.moment(window)) }
    }
}

/// A counter of a device: its name, where it is, and what it is divided by.
type Counter<C> = (&'static str, fn(&C) -> u64, f64);

/// Figures of one name, each with its labels.
type Samples<'a> = Vec<(Vec<(&'static str, &'a str)>, f64)>;

/// What is being written.
struct Page<'a, 'b, S> {
    encoder: &'a mut DescriptorEncoder<'b>,
    source: &'a mut S,
}

fn write(metric: &mut MetricEncoder<'_>, kind: MetricType, value: f64) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, _, f64>(&value, None),
        _ => metric.encode_gauge(&value),
    }
}

impl<S: HostSource> Page<'_, '_, S> {
    /// Writes a name with its figures, unless there are none. What node_exporter passes on without knowing whether it is a
    /// counter is `Unknown`, as there.
    fn family(&mut self, name: &str, help: &str, kind: MetricType, samples: Samples<'_>) -> fmt::Result {
        if samples.is_empty() {
            return Ok(());
        }
        let mut metric = self.encoder.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            if labels.is_empty() {
                write(&mut metric, kind, value)?;
            } else {
                write(&mut metric.encode_family(&labels)?, kind, value)?;
            }
        }
        Ok(())
    }

    fn single(&mut self, name: &str, help: &str, kind: MetricType, value: Option<f64>) -> fmt::Result {
        self.family(name, help, kind, value.map(|value| (Vec::new(), value)).into_iter().collect())
    }

    /// A text of the kernel's; empty where there is none.
    fn read(&mut self, path: &str) -> String {
        let mut text = String::new();
        self.source.read_cached(path, &mut text).map(|()| text).unwrap_or_default()
    }

    fn cpu(&mut self, ticks_per_second: f64) -> fmt::Result {
        let text = self.read("/proc/stat");
        let counters = cpu::parse(&text);
        let cores: Vec<_> = counters.cores.iter().map(|(core, modes)| (core.to_string(), modes)).collect();
        let modes: [Counter<cpu::Modes>; 8] = [
            ("user", |m| m.user, ticks_per_second),
            ("nice", |m| m.nice, ticks_per_second),
            ("system", |m| m.system, ticks_per_second),
            ("idle", |m| m.idle, ticks_per_second),
            ("iowait", |m| m.iowait, ticks_per_second),
            ("irq", |m| m.irq, ticks_per_second),
            ("softirq", |m| m.softirq, ticks_per_second),
            ("steal", |m| m.steal, ticks_per_second),
        ];
        let samples = cores.iter().flat_map(|(core, counters)| {
            let labels = |mode| vec![("cpu", core.as_str()), ("mode", mode)];
            modes.iter().map(move |(mode, of, unit)| (labels(*mode), of(counters) as f64 / unit))
        });
        let help = "Seconds that the cores spent in each mode";
        self.family("node_cpu_seconds", help, MetricType::Counter, samples.collect())?;
        for (name, help, value) in [
            ("node_context_switches", "Context switches", counters.context_switches),
            ("node_intr", "Interrupts", counters.interrupts),
            ("node_forks", "Tasks started", counters.forks),
        ] {
            self.single(name, help, MetricType::Counter, value.map(|value| value as f64))?;
        }
        let boot = text.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok());
        self.single("node_boot_time_seconds", "When the host was started, unix seconds", MetricType::Gauge, boot)
    }

    fn memory(&mut self) -> fmt::Result {
        let text = self.read("/proc/meminfo");
        for line in text.lines() {
            let Some((name, bytes)) = line.split_once(':').and_then(|(name, kib)| Some((name, memory::bytes(kib)?)))
            else {
                continue;
            };
            // `Active(anon)`
            let name = format!("node_memory_{}_bytes", name.replace('(', "_").replace(')', ""));
            self.single(&name, "From /proc/meminfo", MetricType::Gauge, Some(bytes as f64))?;
        }
        let text = self.read("/proc/vmstat");
        for line in text.lines() {
            let Some((name, figure)) = line.split_once(' ') else { continue };
            if ["oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout"].contains(&name) {
                let name = format!("node_vmstat_{name}");
                self.single(&name, "From /proc/vmstat", MetricType::Unknown, figure.trim().parse().ok())?;
            }
        }
        Ok(())
    }

    fn pressure(&mut self) -> fmt::Result {
        for resource in ["cpu", "memory", "io"] {
            let text = self.read(&format!("/proc/pressure/{resource}"));
            let waited = pressure::parse(&text);
            // Of the processor, that everybody waits can't be.
            let full = waited.full.filter(|_| resource != "cpu");
            for (state, help, micros) in [
                ("waiting", "Seconds in which some tasks had to wait", waited.some),
                ("stalled", "Seconds in which all tasks had to wait", full),
            ] {
                let name = format!("node_pressure_{resource}_{state}_seconds");
                self.single(&name, help, MetricType::Counter, micros.map(|micros| micros as f64 / 1e6))?;
            }
        }
        Ok(())
    }

    fn sockets(&mut self) -> fmt::Result {
        let texts = [self.read("/proc/net/snmp"), self.read("/proc/net/netstat")];
        for (text, protocol, columns) in [
            (
                &texts[0],
                "Tcp",
                &["CurrEstab", "ActiveOpens", "PassiveOpens", "RetransSegs", "EstabResets", "OutRsts"][..],
            ),
            (&texts[1], "TcpExt", &["ListenOverflows", "ListenDrops"]),
        ] {
            for column in columns {
                let value = tabled(text, &format!("{protocol}:"), column).map(|value| value as f64);
                let name = format!("node_netstat_{protocol}_{column}");
                self.single(&name, "From /proc/net", MetricType::Unknown, value)?;
            }
        }
        for path in ["/proc/net/sockstat", "/proc/net/sockstat6"] {
            let text = self.read(path);
            for line in text.lines() {
                let Some((protocol, figures)) = line.split_once(": ") else { continue };
                let words: Vec<&str> = figures.split_ascii_whitespace().collect();
                for (field, figure) in words.iter().zip(words.iter().skip(1)).step_by(2) {
                    let name = format!("node_sockstat_{protocol}_{field}");
                    self.single(&name, "From /proc/net/sockstat", MetricType::Gauge, figure.parse().ok())?;
                }
            }
        }
        Ok(())
    }

    fn network(&mut self) -> fmt::Result {
        let text = self.read("/proc/net/dev");
        let counters: [Counter<network::Counters>; 8] = [
            ("receive_bytes", |c| c.rx_bytes, 1.0),
            ("receive_packets", |c| c.rx_packets, 1.0),
            ("receive_errs", |c| c.rx_errors, 1.0),
            ("receive_drop", |c| c.rx_drops, 1.0),
            ("transmit_bytes", |c| c.tx_bytes, 1.0),
            ("transmit_packets", |c| c.tx_packets, 1.0),
            ("transmit_errs", |c| c.tx_errors, 1.0),
            ("transmit_drop", |c| c.tx_drops, 1.0),
        ];
        self.devices("node_network", "From /proc/net/dev", &network::parse(&text), &counters)
    }

    fn disk(&mut self) -> fmt::Result {
        let text = self.read("/proc/diskstats");
        let counters: [Counter<disk::Counters>; 6] = [
            ("reads_completed", |c| c.reads, 1.0),
            ("read_bytes", |c| c.read_bytes, 1.0),
            ("writes_completed", |c| c.writes, 1.0),
            ("written_bytes", |c| c.write_bytes, 1.0),
            ("io_time_seconds", |c| c.busy, 1000.0),
            ("io_time_weighted_seconds", |c| c.waited, 1000.0),
        ];
        self.devices("node_disk", "From /proc/diskstats", &disk::parse(&text, |name| !disk::is_part(name)), &counters)
    }

    /// Counters of devices, each with its name and what it is divided by.
    fn devices<C>(
        &mut self,
        prefix: &str,
        help: &str,
        devices: &BTreeMap<String, C>,
        counters: &[Counter<C>],
    ) -> fmt::Result {
        for (name, of, unit) in counters {
            let samples =
                devices.iter().map(|(device, of_it)| (vec![("device", device.as_str())], of(of_it) as f64 / unit));
            self.family(&format!("{prefix}_{name}"), help, MetricType::Counter, samples.collect())?;
        }
        Ok(())
    }

    /// What the newest tick has in the window.
    fn moment(&mut self, window: &Window) -> fmt::Result {
        const SINGLE: [(&str, &str, &str); 7] = [
            ("node_load1", "Load, average of a minute", "load.one"),
            ("node_load5", "Load, average of 5 minutes", "load.five"),
            ("node_load15", "Load, average of 15 minutes", "load.fifteen"),
            ("node_procs_running", "Tasks that run or want to", "cpu.running"),
            ("node_procs_blocked", "Tasks that wait for a disk", "cpu.blocked"),
            ("node_cpu_scaling_frequency_hertz", "How fast the cores run, on average", "cpu.frequency"),
            ("node_zfs_arc_size", "Bytes that ZFS keeps of files", "memory.zfs_arc"),
        ];
        for (name, help, path) in SINGLE {
            self.single(name, help, MetricType::Gauge, window.last(path))?;
        }
        const STATES: [&str; 10] = [
            "established",
            "syn_sent",
            "syn_recv",
            "fin_wait1",
            "fin_wait2",
            "time_wait",
            "close_wait",
            "last_ack",
            "listen",
            "closing",
        ];
        let state = |state: &'static str| {
            window.last(&format!("connections.tcp.{state}")).map(|value| (vec![("state", state)], value))
        };
        let states = STATES.into_iter().filter_map(state).collect();
        self.family("node_tcp_connection_states", "TCP sockets by state", MetricType::Gauge, states)?;

        /// A figure of one of several, made of what is told of it.
        type Figure = fn(&dyn Fn(&str) -> Option<f64>) -> Option<f64>;
        const FILESYSTEMS: [(&str, &str, Figure); 6] = [
            ("node_filesystem_size_bytes", "Bytes that it holds", |of| of("size")),
            ("node_filesystem_free_bytes", "Bytes not in use", |of| Some(of("size")? - of("used")?)),
            ("node_filesystem_avail_bytes", "Bytes that programs may still use", |of| of("available")),
            ("node_filesystem_files", "Files that it can hold", |of| of("inodes")),
            ("node_filesystem_files_free", "Files that it can still hold", |of| {
                Some(of("inodes")? - of("inodes_used")?)
            }),
            ("hostbeat_filesystem_age_seconds", "Since it told; one that is stuck tells no more", |of| of("age")),
        ];
        const SENSORS: [(&str, &str, Figure); 3] = [
            ("node_hwmon_temp_celsius", "Temperature", |of| of("celsius")),
            ("node_hwmon_temp_max_celsius", "From here on it is too hot", |of| of("high")),
            ("node_hwmon_temp_crit_celsius", "From here on the hardware protects itself", |of| of("critical")),
        ];
        const SERVICES: [(&str, &str, Figure); 4] = [
            ("hostbeat_cgroup_cpu_ratio", "Processor time, of one core", |of| Some(of("cpu")? / 100.0)),
            ("hostbeat_cgroup_throttled_ratio", "Time that it was kept waiting", |of| Some(of("throttled")? / 100.0)),
            ("container_memory_working_set_bytes", "Memory that it holds", |of| of("memory")),
            ("container_spec_memory_limit_bytes", "Memory that it may hold", |of| of("memory_limit")),
        ];
        for (of_each, before, told, label) in [
            (&FILESYSTEMS[..], "disk.filesystems.", &[".size"][..], "mountpoint"),
            (&SENSORS, "temperature.sensors.", &[".celsius"], "sensor"),
            (&SERVICES, "cgroup.services.", &[".cpu", ".memory"], "name"),
        ] {
            let names = window.names(before, told);
            for (name, help, figure) in of_each {
                let value = |of: &str| figure(&|field| window.last(&format!("{before}{of}.{field}")));
                let samples = names.iter().filter_map(|of| Some((vec![(label, of.as_str())], value(of)?)));
                self.family(name, help, MetricType::Gauge, samples.collect())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Disk, Filesystem, Load, Sample, Tick},
        server::sampler::linux::tests::RecordedHost,
    };
    use prometheus_client::{encoding::text::encode, registry::Registry};

    fn expose(source: RecordedHost, tick: Tick) -> String {
        let log = Arc::new(TickLog::default());
        log.publish(&tick);
        let mut registry = Registry::default();
        let exposition = HostExposition { log, source: Mutex::new(source), ticks_per_second: 100.0 };
        registry.register_collector(Box::new(exposition));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn figures_have_the_names_that_dashboards_ask_for() {
        let source = RecordedHost::default()
            .with("/proc/stat", "cpu 5 5 5 5\ncpu0 250 0 30 1000 7 1 2 3\nctxt 77\nbtime 1000000\n")
            .with("/proc/meminfo", "MemTotal: 10 kB\nActive(anon): 4 kB\nHugePages_Total: 3\n")
            .with("/proc/vmstat", "nr_dirty 5\npgmajfault 9\n")
            .with("/proc/pressure/io", "some avg10=0.00 total=2500000\nfull avg10=0.00 total=500000\n")
            .with("/proc/net/snmp", "Tcp: RtoAlgorithm CurrEstab RetransSegs\nTcp: 1 8 5\n")
            .with("/proc/net/sockstat", "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2\n")
            .with("/proc/net/dev", "a\nb\neth0: 100 1 2 3 0 0 0 0 200 4 5 6 0 0 0 0\n")
            .with("/proc/diskstats", " 254 0 vda 3 0 8 0 5 0 16 0 0 1500 2500\n");
        fn sample<G>(values: G) -> Option<Sample<G>> {
            Some(Sample { t: 1000, at: 1.0, dt: 1.0, values })
        }
        let root = Filesystem { size: Some(100), used: Some(30), ..Filesystem::default() };
        let disk = Disk { filesystems: [("/a \"b\"".to_owned(), root)].into(), ..Disk::default() };
        let load = Load { one: Some(0.25), ..Load::default() };
        let text = expose(source, Tick { t: 1000, disk: sample(disk), load: sample(load), ..Tick::default() });
        for expected in [
            "# TYPE node_cpu_seconds counter",
            "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 2.5",
            "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10.0",
            "node_cpu_seconds_total{cpu=\"0\",mode=\"softirq\"} 0.02",
            "node_context_switches_total 77.0",
            "node_boot_time_seconds 1000000.0",
            "node_memory_MemTotal_bytes 10240.0",
            "node_memory_Active_anon_bytes 4096.0",
            "# TYPE node_vmstat_pgmajfault unknown",
            "node_vmstat_pgmajfault 9.0",
            "node_pressure_io_waiting_seconds_total 2.5",
            "node_pressure_io_stalled_seconds_total 0.5",
            "node_netstat_Tcp_CurrEstab 8.0",
            "node_sockstat_TCP_tw 2.0",
            "node_network_receive_bytes_total{device=\"eth0\"} 100.0",
            "node_network_transmit_drop_total{device=\"eth0\"} 6.0",
            "node_disk_written_bytes_total{device=\"vda\"} 8192.0",
            "node_disk_io_time_seconds_total{device=\"vda\"} 1.5",
            "node_load1 0.25",
            "node_filesystem_size_bytes{mountpoint=\"/a \\\"b\\\"\"} 100.0",
            "node_filesystem_free_bytes{mountpoint=\"/a \\\"b\\\"\"} 70.0",
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected} is missing in:\n{text}");
        }
        assert!(!text.contains("nr_dirty") && !text.contains("node_memory_HugePages_Total"), "{text}");
    }

    #[test]
    fn a_host_that_tells_nothing_has_no_figures() {
        assert_eq!(expose(RecordedHost::default(), Tick::default()), "# EOF\n");
    }
}
