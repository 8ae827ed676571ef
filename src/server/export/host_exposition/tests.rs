//! Tests of the host's exposition over recorded kernel files.

use super::*;
use crate::schema::{
    Disk, Filesystem, Link, Load, MountSource, RawCounters, Sample, Sensor, SlowCounters, Temperature, Tick,
};
use crate::server::export::Labels;
use crate::server::publish::ChannelSample;
use prometheus_client::{encoding::text::encode, registry::Registry};

fn metrics(prefix: &str) -> HostMetrics {
    HostMetrics { ticks_per_second: 100.0, page_size: 4096.0, prefix: prefix.to_owned() }
}

fn expose_as(prefix: &str, tick: &Tick) -> String {
    let log = Arc::new(TickLog::default());
    log.publish(tick);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(HostExposition { log, metrics: metrics(prefix) }));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

fn expose(tick: &Tick) -> String {
    expose_as("node_", tick)
}

fn files(files: &[(&'static str, &str)]) -> RawCounters {
    let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    RawCounters { files, ..RawCounters::default() }
}

fn tick(counters: RawCounters) -> Tick {
    let mut tick = Tick::at(1000);
    tick.counters = Arc::new(counters);
    tick
}

#[test]
fn metrics_have_names_and_units_of_node_exporter() {
    let mounted = MountSource { device: "/dev/sda1".to_owned(), fs_type: "ext4".to_owned() };
    let eth0 =
        Link { up: Some(true), carrier: Some(false), mtu: Some(1500), speed_mbit: Some(1000), rx_unhandled: Some(8) };
    let counters = RawCounters {
        mounts: Arc::new([("/a \"b\"".to_owned(), mounted)].into()),
        slow: Arc::new(SlowCounters { links: [("eth0".to_owned(), eth0)].into(), ..SlowCounters::default() }),
        ..files(&[
            ("/proc/stat", "cpu 5 5 5 5\ncpu0 250 0 30 1000 7 1 2 3 4 5\nctxt 77\nbtime 1000000\n"),
            ("/proc/meminfo", "MemTotal: 10 kB\nActive(anon): 4 kB\nHugePages_Total: 3\n"),
            ("/proc/vmstat", "nr_dirty 5\npgmajfault 9\n"),
            ("/proc/pressure/io", "some avg10=0.00 total=2500000\nfull avg10=0.00 total=500000\n"),
            ("/proc/net/snmp", "Tcp: RtoAlgorithm CurrEstab RetransSegs\nTcp: 1 8 5\nUdp: InDatagrams\nUdp: 4\n"),
            ("/proc/net/snmp6", "Ip6InReceives 1\nUdp6InErrors  \t3\n"),
            ("/proc/net/softnet_stat", "000000ff 00000001 00000002 0 0 0 0 0 0 0000000a\n"),
            ("/proc/sys/fs/file-nr", "1504\t0\t9000\n"),
            ("/proc/sys/kernel/random/poolsize", "256\n"),
            ("/proc/sys/net/netfilter/nf_conntrack_count", "12\n"),
            ("/proc/net/sockstat", "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2 mem 3\n"),
            ("/proc/net/dev", "a\nb\neth0: 100 1 2 3 0 0 0 0 200 4 5 6 0 7 0 0\n"),
            ("/proc/diskstats", " 254 0 vda 3 6 8 250 5 7 16 750 2 1500 2500 1 2 3 4000 5 6000\n"),
        ])
    };
    fn sample<G>(values: G) -> Option<Sample<G>> {
        Some(Sample { t: 1000, at: 1.0, dt: 1.0, values })
    }
    let root = Filesystem { size_bytes: Some(100), used_bytes: Some(30), ..Filesystem::default() };
    let hung = Filesystem { age_seconds: Some(40.0), ..Filesystem::default() };
    let disk =
        Disk { filesystems: [("/a \"b\"".to_owned(), root), ("/hung".to_owned(), hung)].into(), ..Disk::default() };
    let load = Load { one: Some(0.25), ..Load::default() };
    let sensors = [("nvme 2 Composite".to_owned(), Sensor { celsius: Some(40.0), ..Sensor::default() })].into();
    let temperature = sample(Temperature { sensors, ..Temperature::default() });
    let mut tick = tick(counters).with(sample(disk)).with(sample(load)).with(temperature);
    let orders = || [("orders".to_owned(), Some(7.0))].into();
    let labels = [("a.b\"\n".to_owned(), orders())].into();
    tick.push(Sample {
        t: 1000,
        at: 1.0,
        dt: 1.0,
        values: ChannelSample { channel: "shop".to_owned(), values: orders(), labels },
    });
    let text = expose(&tick);
    for expected in [
        "# TYPE node_cpu_seconds counter",
        "hostbeat_published_value{channel=\"shop\",label=\"\",value=\"orders\"} 7.0",
        "hostbeat_published_value{channel=\"shop\",label=\"a.b\\\"\\n\",value=\"orders\"} 7.0",
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
        "node_disk_reads_merged_total{device=\"vda\"} 6.0",
        "node_disk_read_time_seconds_total{device=\"vda\"} 0.25",
        "node_disk_write_time_seconds_total{device=\"vda\"} 0.75",
        "node_disk_io_now{device=\"vda\"} 2.0",
        "node_netstat_Udp_InDatagrams 4.0",
        "node_netstat_Udp6_InErrors 3.0",
        "node_filefd_allocated 1504.0",
        "node_filefd_maximum 9000.0",
        "node_network_up{device=\"eth0\"} 1.0",
        "node_network_carrier{device=\"eth0\"} 0.0",
        "node_network_mtu_bytes{device=\"eth0\"} 1500.0",
        "node_network_speed_bytes{device=\"eth0\"} 125000000.0",
        "node_network_receive_nohandler_total{device=\"eth0\"} 8.0",
        "node_network_transmit_colls_total{device=\"eth0\"} 7.0",
        "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"} 0.05",
        "node_memory_HugePages_Total 3.0",
        "node_sockstat_TCP_mem_bytes 12288.0",
        "node_softnet_processed_total{cpu=\"0\"} 255.0",
        "node_softnet_received_rps_total{cpu=\"0\"} 10.0",
        "node_entropy_pool_size_bits 256.0",
        "node_nf_conntrack_entries 12.0",
        "node_disk_discard_time_seconds_total{device=\"vda\"} 4.0",
        "node_disk_flush_requests_total{device=\"vda\"} 5.0",
        "node_filesystem_device_error{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a \\\"b\\\"\"} 0.0",
        "node_filesystem_device_error{mountpoint=\"/hung\"} 1.0",
        "node_hwmon_temp_celsius{chip=\"nvme\",sensor=\"nvme 2 Composite\"} 40.0",
        "node_hwmon_chip_names{chip=\"nvme\",chip_name=\"nvme\"} 1.0",
        "node_filesystem_size_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a \\\"b\\\"\"} 100.0",
        "node_filesystem_free_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a \\\"b\\\"\"} 70.0",
        "hostbeat_filesystem_age_seconds{mountpoint=\"/hung\"} 40.0",
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected} is missing in:\n{text}");
    }
    for expected in ["node_uname_info{domainname=", "node_time_seconds "] {
        assert!(text.lines().any(|line| line.starts_with(expected)), "{expected} is missing in:\n{text}");
    }
    assert!(!text.contains("nr_dirty"), "{text}");
}

#[test]
fn disks_are_those_of_sysfs_whatever_their_names() {
    let line = |name: &str| format!(" 8 0 {name} 5 0 4 1 9 0 7 3 0 4 4\n");
    let diskstats = ["rbd0", "xvda1", "sda", "sda1"].map(line).concat();
    let whole_disks = Some(Arc::new(["rbd0", "xvda1", "sda"].map(str::to_owned).into()));
    let text = expose(&tick(RawCounters { whole_disks, ..files(&[("/proc/diskstats", &diskstats)]) }));
    for (device, is_disk) in [("rbd0", true), ("xvda1", true), ("sda", true), ("sda1", false)] {
        let metric = format!("node_disk_reads_completed_total{{device=\"{device}\"}}");
        assert_eq!(text.contains(&metric), is_disk, "{device}");
    }
}

#[test]
fn prefix_takes_the_place_of_node_exporters() {
    let counters = files(&[("/proc/stat", "btime 1000000\n"), ("/proc/net/sockstat", "TCP: inuse 9\n")]);
    let text = expose_as("hostbeat_host_", &tick(counters));
    assert!(text.lines().any(|line| line == "hostbeat_host_boot_time_seconds 1000000.0"), "{text}");
    assert!(text.contains("hostbeat_host_sockstat_TCP_inuse 9.0") && !text.contains("node_"), "{text}");
}

#[test]
fn metrics_as_values_are_those_of_the_text() {
    let tick = tick(files(&[
        ("/proc/stat", "cpu0 250 0 30 1000 7 1 2 3 4 5\nctxt 77\nbtime 1000000\n"),
        ("/proc/vmstat", "pgmajfault 9\n"),
        ("/proc/net/dev", "a\nb\neth0: 100 1 2 3 0 0 0 0 200 4 5 6 0 7 0 0\n"),
    ]));
    let log = TickLog::default();
    log.publish(&tick);
    let metrics = metrics("host_").of_tick(&log.counters(), &log.window());
    let labels = |labels: &Labels| labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>();
    let mut written = Vec::new();
    for HostMetric { name, is_counter, values } in &metrics {
        assert_eq!(name.ends_with("_total"), *is_counter, "{name}");
        for (of, value) in values {
            let labels = if of.is_empty() { String::new() } else { format!("{{{}}}", labels(of).join(",")) };
            written.push(format!("{name}{labels} {value:?}"));
        }
    }
    let text = expose_as("host_", &tick);
    let mut samples = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    // The clock goes on.
    for lines in [&mut written, &mut samples] {
        lines.retain(|line| !line.starts_with("host_time_seconds"));
    }
    assert_eq!(written, samples);
}

#[test]
fn tick_without_counters_exposes_the_kernel_and_the_clock_only() {
    let text = expose(&Tick::default());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    assert_eq!(names, ["node_uname_info", "node_time_seconds"]);
}
