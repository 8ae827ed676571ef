//! Tests of the host's exposition over recorded kernel files.

use super::*;
use crate::{
    schema::{Disk, Filesystem, Load, Sample, Tick},
    server::sampler::RecordedHost,
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
fn metrics_have_names_and_units_of_node_exporter() {
    let source = RecordedHost::default()
        .with("/proc/stat", "cpu 5 5 5 5\ncpu0 250 0 30 1000 7 1 2 3\nctxt 77\nbtime 1000000\n")
        .with("/proc/meminfo", "MemTotal: 10 kB\nActive(anon): 4 kB\nHugePages_Total: 3\n")
        .with("/proc/vmstat", "nr_dirty 5\npgmajfault 9\n")
        .with("/proc/pressure/io", "some avg10=0.00 total=2500000\nfull avg10=0.00 total=500000\n")
        .with("/proc/net/snmp", "Tcp: RtoAlgorithm CurrEstab RetransSegs\nTcp: 1 8 5\nUdp: InDatagrams\nUdp: 4\n")
        .with("/proc/net/snmp6", "Ip6InReceives 1\nUdp6InErrors  \t3\n")
        .with("/proc/sys/fs/file-nr", "1504\t0\t9000\n")
        .with("/sys/class/net/eth0/operstate", "up\n")
        .with("/proc/self/mountinfo", "1 0 8:1 / /a\\040\"b\" rw - ext4 /dev/sda1 rw\n")
        .with("/proc/net/sockstat", "sockets: used 13\nTCP: inuse 9 orphan 0 tw 2\n")
        .with("/proc/net/dev", "a\nb\neth0: 100 1 2 3 0 0 0 0 200 4 5 6 0 0 0 0\n")
        .with("/proc/diskstats", " 254 0 vda 3 6 8 250 5 7 16 750 2 1500 2500\n");
    fn sample<G>(values: G) -> Option<Sample<G>> {
        Some(Sample { t: 1000, at: 1.0, dt: 1.0, values })
    }
    let root = Filesystem { size_bytes: Some(100), used_bytes: Some(30), ..Filesystem::default() };
    let hung = Filesystem { age_seconds: Some(40.0), ..Filesystem::default() };
    let disk =
        Disk { filesystems: [("/a \"b\"".to_owned(), root), ("/hung".to_owned(), hung)].into(), ..Disk::default() };
    let load = Load { one: Some(0.25), ..Load::default() };
    let text = expose(source, Tick::at(1000).with(sample(disk)).with(sample(load)));
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
        "node_disk_reads_merged_total{device=\"vda\"} 6.0",
        "node_disk_read_time_seconds_total{device=\"vda\"} 0.25",
        "node_disk_write_time_seconds_total{device=\"vda\"} 0.75",
        "node_disk_io_now{device=\"vda\"} 2.0",
        "node_netstat_Udp_InDatagrams 4.0",
        "node_netstat_Udp6_InErrors 3.0",
        "node_filefd_allocated 1504.0",
        "node_filefd_maximum 9000.0",
        "node_network_up{device=\"eth0\"} 1.0",
        "node_filesystem_size_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a \\\"b\\\"\"} 100.0",
        "node_filesystem_free_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/a \\\"b\\\"\"} 70.0",
        "hostbeat_filesystem_age_seconds{mountpoint=\"/hung\"} 40.0",
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected} is missing in:\n{text}");
    }
    for expected in ["node_uname_info{domainname=", "node_time_seconds "] {
        assert!(text.lines().any(|line| line.starts_with(expected)), "{expected} is missing in:\n{text}");
    }
    assert!(!text.contains("nr_dirty") && !text.contains("node_memory_HugePages_Total"), "{text}");
}

#[test]
fn disks_are_those_of_sysfs_whatever_their_names() {
    let line = |name: &str| format!(" 8 0 {name} 5 0 4 1 9 0 7 3 0 4 4\n");
    let source = RecordedHost::default()
        .with("/proc/diskstats", &["rbd0", "xvda1", "sda", "sda1"].map(line).concat())
        .with_folder("/sys/block", &["rbd0", "xvda1", "sda"]);
    let text = expose(source, Tick::default());
    for (device, is_disk) in [("rbd0", true), ("xvda1", true), ("sda", true), ("sda1", false)] {
        let metric = format!("node_disk_reads_completed_total{{device=\"{device}\"}}");
        assert_eq!(text.contains(&metric), is_disk, "{device}");
    }
}

#[test]
fn host_without_readable_files_exposes_its_kernel_and_clock_only() {
    let text = expose(RecordedHost::default(), Tick::default());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<_> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    assert_eq!(names, ["node_uname_info", "node_time_seconds"]);
}
