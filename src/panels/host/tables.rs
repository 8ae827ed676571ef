//! The tables of the host's panels.

use super::definition::{detail, rows};
use crate::{
    panels::{Rows, Sort, Table},
    units::Unit,
};

const BY_NAME: Sort = Sort { column: 0, descending: false };
const BY_FIRST_VALUE: Sort = Sort { column: 1, descending: true };

/// Network interfaces.
pub(super) fn interfaces() -> Table {
    Table {
        id: "interfaces".to_owned(),
        title: "Interface".to_owned(),
        rows: rows("network.interfaces.", &[".rx_bytes_per_second"], Some(".rx_bytes_per_second")),
        columns: vec![
            detail("in", Unit::Bits, ".rx_bytes_per_second"),
            detail("out", Unit::Bits, ".tx_bytes_per_second"),
            detail("packets in", Unit::Rate, ".rx_packets_per_second"),
            detail("packets out", Unit::Rate, ".tx_packets_per_second"),
            detail("errors", Unit::Rate, ".errors_per_second"),
            detail("drops", Unit::Rate, ".drops_per_second"),
        ],
        sort: BY_NAME,
    }
}

/// Block devices.
pub(super) fn disks() -> Table {
    Table {
        id: "disks".to_owned(),
        title: "Device".to_owned(),
        rows: rows("disk.devices.", &[".read_bytes_per_second"], Some(".busy_percent")),
        columns: vec![
            detail("read", Unit::Throughput, ".read_bytes_per_second"),
            detail("write", Unit::Throughput, ".write_bytes_per_second"),
            detail("reads", Unit::Rate, ".reads_per_second"),
            detail("writes", Unit::Rate, ".writes_per_second"),
            detail("busy", Unit::Percent, ".busy_percent"),
            detail("queue", Unit::Average, ".queue"),
        ],
        sort: BY_NAME,
    }
}

/// Filesystems.
pub(super) fn filesystems() -> Table {
    Table {
        id: "filesystems".to_owned(),
        title: "Filesystem".to_owned(),
        rows: rows("disk.filesystems.", &[".size_bytes", ".age_seconds"], None),
        columns: vec![
            detail("size", Unit::Bytes, ".size_bytes"),
            detail("used", Unit::Bytes, ".used_bytes"),
            detail("inodes", Unit::Count, ".inodes"),
            detail("inodes used", Unit::Count, ".inodes_used"),
            detail("full", Unit::Percent, ".full_percent"),
            detail("updated", Unit::Ago, ".age_seconds"),
        ],
        sort: BY_NAME,
    }
}

/// Temperature sensors.
pub(super) fn sensors() -> Table {
    Table {
        id: "sensors".to_owned(),
        title: "Sensor".to_owned(),
        rows: rows("temperature.sensors.", &[".celsius"], Some(".celsius")),
        columns: vec![
            detail("now", Unit::Celsius, ".celsius"),
            detail("high", Unit::Celsius, ".high_celsius"),
            detail("critical", Unit::Celsius, ".critical_celsius"),
        ],
        sort: BY_FIRST_VALUE,
    }
}

/// Services and containers.
pub(super) fn services() -> Table {
    Table {
        id: "top-services".to_owned(),
        title: "Service".to_owned(),
        rows: rows("cgroup.services.", &[".cpu_percent", ".memory_bytes"], Some(".cpu_percent")),
        columns: vec![
            detail("CPU", Unit::OfCore, ".cpu_percent"),
            detail("memory", Unit::Bytes, ".memory_bytes"),
            detail("throttled", Unit::Percent, ".throttled_percent"),
            detail("limit", Unit::Bytes, ".memory_limit_bytes"),
        ],
        sort: BY_FIRST_VALUE,
    }
}

/// Processes.
pub(super) fn processes() -> Table {
    Table {
        id: "top-processes".to_owned(),
        title: "Process".to_owned(),
        rows: Rows::Processes,
        columns: vec![
            detail("CPU", Unit::OfCore, "cpu_percent"),
            detail("memory", Unit::Bytes, "rss_bytes"),
            detail("read", Unit::Throughput, "read_bytes_per_second"),
            detail("write", Unit::Throughput, "write_bytes_per_second"),
            detail("user", Unit::Count, "user"),
            detail("threads", Unit::Count, "threads"),
            detail("age", Unit::Age, "start_time_seconds"),
            detail("PID", Unit::Count, "pid"),
        ],
        sort: BY_FIRST_VALUE,
    }
}
