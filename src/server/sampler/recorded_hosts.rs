//! Tests of the whole sampler with recorded files of hosts other than the one that runs the tests.

use super::{Clock, TickSource, clock::ManualClock, linux::HostSampler, linux::tests::RecordedHost};
use crate::schema::{Connections, Cpu, Disk, Load, Memory, Network, Pressure, Tick};
use std::sync::Arc;

/// The tick of a recorded host whose counters went from 100 to 200 in a second.
fn tick(host: impl Fn(u64) -> RecordedHost) -> Tick {
    let clock = ManualClock::at(1_000_000.0);
    let mut sampler = HostSampler::with_source(host(100), Arc::default());
    sampler.read(0, &clock);
    clock.sleep_until(clock.now().mono + std::time::Duration::from_secs(1));
    sampler.replace_source(host(200));
    sampler.read(1_000_001_000, &clock)
}

/// A server with 128 cores, half of them offline, 60 disks and 300 virtual interfaces.
fn large(counter: u64) -> RecordedHost {
    let cores = (0..128).step_by(2).map(|core| format!("cpu{core} {counter} 0 0 0 0 0 0 0 0 0\n"));
    let stat = format!("cpu  {} 0 0 0 0 0 0 0 0 0\n", 64 * counter) + &cores.collect::<String>();
    let disks = (0..60).map(|disk| {
        format!(" 259 {disk} nvme{disk}n1 {counter} 0 {counter} 0 {counter} 0 {counter} 0 0 {counter} {counter}\n")
    });
    let partitions = (0..60).map(|disk| {
        format!(" 259 {disk} nvme{disk}n1p1 {counter} 0 {counter} 0 {counter} 0 {counter} 0 0 {counter} {counter}\n")
    });
    let interfaces = (0..300).map(|n| format!("veth{n:x}: {counter} 1 0 0 0 0 0 0 {counter} 1 0 0 0 0 0 0\n"));
    let external = format!("enp1s0: {} 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n", 1000 * counter);
    RecordedHost::default()
        .with("/proc/stat", &stat)
        .with("/proc/diskstats", &disks.chain(partitions).collect::<String>())
        .with_folder("/sys/devices/virtual/net", &["lo"])
        .with("/proc/net/dev", &format!("Inter-|\n face |\n{external}{}", interfaces.collect::<String>()))
}

#[test]
fn large_host_has_bounded_rows() {
    let tick = tick(large);
    let cpu = &tick.get::<Cpu>().unwrap().values;
    assert_eq!((cpu.total_percent, cpu.cores_percent.len()), (Some(100.0), 127));
    assert_eq!((cpu.cores_percent[0], cpu.cores_percent[1], cpu.cores_percent[126]), (Some(100.0), None, Some(100.0)));
    let disk = &tick.get::<Disk>().unwrap().values;
    assert_eq!(
        (disk.devices.len(), disk.read_bytes_per_second),
        (40, Some(60.0 * 51_200.0)),
        "the total counts all disks"
    );
    assert!(disk.devices.keys().all(|name| !name.contains('p')), "{:?}", disk.devices.keys());
    let network = &tick.get::<Network>().unwrap().values;
    assert_eq!(network.interfaces.keys().collect::<Vec<_>>(), ["all others", "enp1s0"]);
    assert_eq!(
        (network.rx_bytes_per_second, network.interfaces["all others"].rx_bytes_per_second),
        (Some(100_000.0), Some(30_000.0))
    );
}

/// A single-board computer: an SD card, Wi-Fi, an old kernel without PSI and MemAvailable.
fn single_board_computer(counter: u64) -> RecordedHost {
    let stat = format!(
        "cpu  {counter} 0 0 0\ncpu0 {counter} 0 0 0\nintr {counter} 0 0\nctxt {counter}\nprocesses {counter}\n"
    );
    let card = format!(
        " 179 0 mmcblk0 {counter} 0 8 0 {counter} 0 {counter} 0 0 0 0\n 179 1 mmcblk0p1 9 0 9 0 9 0 9 0 0 0 0\n"
    );
    RecordedHost::default()
        .with("/proc/stat", &stat)
        .with("/proc/meminfo", "MemTotal:  948280 kB\nMemFree:  514964 kB\nBuffers:  40432 kB\nCached:  254824 kB\n")
        .with("/proc/loadavg", "0.00 0.01 0.05 1/101 700\n")
        .with("/proc/diskstats", &card)
        .with("/proc/net/dev", &format!("a\nb\n wlan0: {counter} 1 0 0 0 0 0 0 {counter} 1 0 0 0 0 0 0\n"))
}

#[test]
fn single_board_computer_with_old_kernel_has_partial_values() {
    let tick = tick(single_board_computer);
    assert!(tick.get::<Pressure>().is_none());
    let memory = &tick.get::<Memory>().unwrap().values;
    assert_eq!((memory.total_bytes, memory.available_bytes, memory.used_bytes), (Some(948_280 * 1024), None, None));
    assert_eq!((memory.swap_total_bytes, memory.major_faults_per_second), (None, None));
    assert_eq!(tick.get::<Cpu>().unwrap().values.context_switches_per_second, Some(100.0));
    assert_eq!(tick.get::<Load>().unwrap().values.uptime_seconds, None);
    let disk = &tick.get::<Disk>().unwrap().values;
    assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["mmcblk0"]);
    assert_eq!(disk.write_bytes_per_second, Some(51_200.0));
}

/// An OpenVZ-like container: its `/proc` lacks disks and socket counters.
fn container(counter: u64) -> RecordedHost {
    RecordedHost::default()
        .with("/proc/stat", &format!("cpu  {counter} 0 0 0 0 0 0 0 0\ncpu0 {counter} 0 0 0 0 0 0 0 0\nintr 0\n"))
        .with(
            "/proc/meminfo",
            "MemTotal:  1048576 kB\nMemFree:  524288 kB\nMemAvailable:  786432 kB\nSwapTotal:  0 kB\nSwapFree:  0 kB\n",
        )
        .with("/proc/net/dev", &format!("a\nb\n venet0: {counter} 1 0 0 0 0 0 0 {counter} 1 0 0 0 0 0 0\n"))
        .with("/proc/pressure/cpu", "")
}

#[test]
fn restricted_container_has_remaining_groups() {
    let tick = tick(container);
    assert!(tick.get::<Disk>().is_none() && tick.get::<Load>().is_none());
    assert_eq!(tick.get::<Memory>().unwrap().values.used_bytes, Some(256 << 20));
    assert_eq!(tick.get::<Pressure>().unwrap().values, Default::default());
    let tcp = &tick.get::<Connections>().unwrap().values.tcp;
    assert_eq!((tcp.established, tcp.listen, tcp.retransmits_per_second), (None, None, None));
    assert_eq!(tick.get::<Network>().unwrap().values.rx_bytes_per_second, Some(100.0));
}

/// A host whose files are all empty.
fn empty_files(_: u64) -> RecordedHost {
    let files = [
        "/proc/stat",
        "/proc/meminfo",
        "/proc/vmstat",
        "/proc/loadavg",
        "/proc/uptime",
        "/proc/diskstats",
        "/proc/net/dev",
        "/proc/net/snmp",
        "/proc/net/netstat",
        "/proc/net/sockstat",
        "/proc/pressure/io",
    ];
    files.into_iter().fold(RecordedHost::default(), |host, file| host.with(file, "\n"))
}

#[test]
fn empty_files_yield_empty_groups() {
    let tick = tick(empty_files);
    assert_eq!(tick.get::<Memory>().unwrap().values, Default::default());
    assert_eq!(tick.get::<Cpu>().unwrap().values.cores_percent, []);
    assert!(tick.get::<Network>().unwrap().values.interfaces.is_empty());
}
