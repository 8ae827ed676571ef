//! Hosts of other kinds than the one that tests run on, as their kernels describe themselves.

use super::{Clock, TickSource, clock::ManualClock, linux::HostSampler, linux::tests::RecordedHost};
use crate::schema::Tick;
use std::sync::Arc;

/// What a host tells after a second, each counter having risen from `before` to `now`.
fn tick(host: impl Fn(u64) -> RecordedHost) -> Tick {
    let clock = ManualClock::at(1_000_000.0);
    let mut groups = HostSampler::with_source(host(100), Arc::default());
    groups.read(0, &clock);
    clock.sleep_until(clock.now().mono + std::time::Duration::from_secs(1));
    groups.replace_source(host(200));
    groups.read(1_000_001_000, &clock)
}

/// A server with 128 cores, half of which are offline, and the many devices that such a host has.
fn large(counter: u64) -> RecordedHost {
    let cores = (0..128).step_by(2).map(|core| format!("cpu{core} {counter} 0 0 0 0 0 0 0 0 0\n"));
    let stat = format!("cpu  {} 0 0 0 0 0 0 0 0 0\n", 64 * counter) + &cores.collect::<String>();
    let disks = (0..60).map(|disk| {
        format!(" 259 {disk} nvme{disk}n1 {counter} 0 {counter} 0 {counter} 0 {counter} 0 0 {counter} {counter}\n")
    });
    let parts = (0..60).map(|disk| {
        format!(" 259 {disk} nvme{disk}n1p1 {counter} 0 {counter} 0 {counter} 0 {counter} 0 0 {counter} {counter}\n")
    });
    let interfaces = (0..300).map(|n| format!("veth{n:x}: {counter} 1 0 0 0 0 0 0 {counter} 1 0 0 0 0 0 0\n"));
    let own = format!("enp1s0: {} 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n", 1000 * counter);
    RecordedHost::default()
        .with("/proc/stat", &stat)
        .with("/proc/diskstats", &disks.chain(parts).collect::<String>())
        .with_folder("/sys/devices/virtual/net", &["lo"])
        .with("/proc/net/dev", &format!("Inter-|\n face |\n{own}{}", interfaces.collect::<String>()))
}

#[test]
fn a_large_host_has_rows_that_can_be_read() {
    let tick = tick(large);
    let cpu = tick.cpu.unwrap().values;
    assert_eq!((cpu.total, cpu.cores.len()), (Some(100.0), 127));
    assert_eq!((cpu.cores[0], cpu.cores[1], cpu.cores[126]), (Some(100.0), None, Some(100.0)));
    let disk = tick.disk.unwrap().values;
    assert_eq!((disk.devices.len(), disk.read_bytes), (40, Some(60.0 * 51_200.0)), "all of them count");
    assert!(disk.devices.keys().all(|name| !name.contains('p')), "{:?}", disk.devices.keys());
    let network = tick.network.unwrap().values;
    assert_eq!(network.interfaces.keys().collect::<Vec<_>>(), ["enp1s0", "others"]);
    assert_eq!((network.rx_bytes, network.interfaces["others"].rx_bytes), (Some(100_000.0), Some(30_000.0)));
}

/// A single-board computer: a card for a disk, wireless, an old kernel without pressure or available memory.
fn board(counter: u64) -> RecordedHost {
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
fn a_small_board_with_an_old_kernel_tells_what_it_knows() {
    let tick = tick(board);
    assert!(tick.pressure.is_none());
    let memory = tick.memory.unwrap().values;
    assert_eq!((memory.total, memory.available, memory.used), (Some(948_280 * 1024), None, None));
    assert_eq!((memory.swap_total, memory.major_faults), (None, None));
    assert_eq!(tick.cpu.unwrap().values.context_switches, Some(100.0));
    assert_eq!(tick.load.unwrap().values.uptime, None);
    let disk = tick.disk.unwrap().values;
    assert_eq!(disk.devices.keys().collect::<Vec<_>>(), ["mmcblk0"]);
    assert_eq!(disk.write_bytes, Some(51_200.0));
}

/// A container of the kind that shares a kernel and is shown little of it: no disks, no counters of sockets.
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
fn a_container_that_is_shown_little_is_sampled_all_the_same() {
    let tick = tick(container);
    assert!(tick.disk.is_none() && tick.load.is_none());
    assert_eq!(tick.memory.unwrap().values.used, Some(256 << 20));
    assert_eq!(tick.pressure.unwrap().values, Default::default());
    let tcp = tick.connections.unwrap().values.tcp;
    assert_eq!((tcp.established, tcp.listen, tcp.retransmits), (None, None, None));
    assert_eq!(tick.network.unwrap().values.rx_bytes, Some(100.0));
}

/// Every file is there, and none of them says anything.
fn mute(_: u64) -> RecordedHost {
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
fn a_host_that_says_nothing_breaks_nothing() {
    let tick = tick(mute);
    assert_eq!(tick.memory.unwrap().values, Default::default());
    assert_eq!(tick.cpu.unwrap().values.cores, []);
    assert!(tick.network.unwrap().values.interfaces.is_empty());
}
