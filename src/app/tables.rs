//! The tables of the page: their columns, and how much history they need.

use super::table::{Rows, Sort, Table};
#[cfg(feature = "ssr")]
use crate::charts::{self, CHARTS, TREND_S};
use crate::units::Unit;

/// Seconds of history of each core in the first response, the newest included. Fewer for many cores, to keep the page
/// small; the browser requests the remaining ones when it shows them.
pub fn core_history(cores: usize) -> usize {
    const MIN_SECONDS: usize = 60;
    const MAX_VALUES: usize = 19_200;
    (MAX_VALUES / cores.max(1)).max(MIN_SECONDS)
}

/// Ends of the paths whose values only the verdict and other programs read.
#[cfg(feature = "ssr")]
const NOT_SHOWN: [&str; 2] = [".lost", ".read_only"];

/// Seconds of history of the series at `path` in the first response, the newest included, on a host with `cores` cores.
#[cfg(feature = "ssr")]
pub fn history(path: &str, cores: usize) -> usize {
    let mut tables = CHARTS.iter().flat_map(|chart| tables(chart.id)).chain([&SERVICES]);
    if charts::is_plotted(path) {
        usize::MAX
    } else if NOT_SHOWN.iter().any(|end| path.ends_with(end)) {
        0
    } else if path.starts_with("cpu.cores.") {
        core_history(cores)
    } else if tables.any(|table| table.has_trend_of(path)) || CHARTS.iter().any(|chart| chart.headline.path() == path) {
        TREND_S
    } else {
        1
    }
}

/// The paths of all columns, keys and trends, with `*` for the name of a row.
#[cfg(all(test, feature = "ssr"))]
pub(super) fn series_paths() -> impl Iterator<Item = String> {
    CHARTS.iter().flat_map(|chart| tables(chart.id)).chain([&SERVICES]).flat_map(Table::series_paths)
}

/// The tables in the panel `id`.
pub(super) fn tables(id: &str) -> &'static [Table] {
    static NETWORK: [Table; 1] = [Table {
        id: "interfaces",
        title: "Interface",
        rows: Rows::Series { path: "network.interfaces.", keys: &[".rx_bytes"], trend: Some(".rx_bytes") },
        columns: &[
            ("in", Unit::Bits, ".rx_bytes"),
            ("out", Unit::Bits, ".tx_bytes"),
            ("packets in", Unit::Rate, ".rx_packets"),
            ("packets out", Unit::Rate, ".tx_packets"),
            ("errors", Unit::Rate, ".errors"),
            ("drops", Unit::Rate, ".drops"),
        ],
        sort: Sort::BY_NAME,
    }];
    static DISK: [Table; 2] = [
        Table {
            id: "disks",
            title: "Device",
            rows: Rows::Series { path: "disk.devices.", keys: &[".read_bytes"], trend: Some(".busy") },
            columns: &[
                ("read", Unit::Throughput, ".read_bytes"),
                ("write", Unit::Throughput, ".write_bytes"),
                ("reads", Unit::Rate, ".reads"),
                ("writes", Unit::Rate, ".writes"),
                ("busy", Unit::Percent, ".busy"),
                ("queue", Unit::Average, ".queue"),
            ],
            sort: Sort::BY_NAME,
        },
        Table {
            id: "filesystems",
            title: "Filesystem",
            rows: Rows::Series { path: "disk.filesystems.", keys: &[".size", ".age"], trend: None },
            columns: &[
                ("size", Unit::Bytes, ".size"),
                ("used", Unit::Bytes, ".used"),
                ("inodes", Unit::Count, ".inodes"),
                ("inodes used", Unit::Count, ".inodes_used"),
                ("full", Unit::Percent, ".full"),
                ("updated", Unit::Ago, ".age"),
            ],
            sort: Sort::BY_NAME,
        },
    ];
    static TEMPERATURE: [Table; 1] = [Table {
        id: "sensors",
        title: "Sensor",
        rows: Rows::Series { path: "temperature.sensors.", keys: &[".celsius"], trend: Some(".celsius") },
        columns: &[
            ("now", Unit::Celsius, ".celsius"),
            ("high", Unit::Celsius, ".high"),
            ("critical", Unit::Celsius, ".critical"),
        ],
        sort: Sort::BY_FIRST_VALUE,
    }];
    match id {
        "network" => &NETWORK,
        "disk" => &DISK,
        "temperature" => &TEMPERATURE,
        _ => &[],
    }
}

/// The table of services and containers.
pub(super) static SERVICES: Table = Table {
    id: "top-services",
    title: "Service",
    rows: Rows::Series { path: "cgroup.services.", keys: &[".cpu", ".memory"], trend: Some(".cpu") },
    columns: &[
        ("CPU", Unit::OfCore, ".cpu"),
        ("memory", Unit::Bytes, ".memory"),
        ("throttled", Unit::Percent, ".throttled"),
        ("limit", Unit::Bytes, ".memory_limit"),
    ],
    sort: Sort::BY_FIRST_VALUE,
};

/// The table of processes.
pub(super) static PROCESSES: Table = Table {
    id: "top-processes",
    title: "Process",
    rows: Rows::Processes,
    columns: &[
        ("CPU", Unit::OfCore, "cpu"),
        ("memory", Unit::Bytes, "rss"),
        ("read", Unit::Throughput, "read_bytes"),
        ("write", Unit::Throughput, "write_bytes"),
        ("user", Unit::Count, "user"),
        ("threads", Unit::Count, "threads"),
        ("age", Unit::Age, "started"),
        ("PID", Unit::Count, "pid"),
    ],
    sort: Sort::BY_FIRST_VALUE,
};

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn history_covers_what_the_page_shows() {
        assert_eq!(history("cpu.user", 16), usize::MAX);
        assert_eq!(history("network.interfaces.eth0.rx_bytes", 16), TREND_S);
        assert_eq!(history("cgroup.services.nginx.cpu", 16), TREND_S);
        assert_eq!(history("network.interfaces.eth0.tx_bytes", 16), 1);
        assert_eq!((history("cpu.cores.0", 16), history("cpu.total", 16)), (1200, TREND_S));
        assert_eq!((history("cpu.cores.0", 128), history("cpu.cores.0", 1000)), (150, 60));
        assert_eq!(history("memory.slab", 16), 1);
    }
}
