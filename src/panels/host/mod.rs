//! The panels of the host's own groups.

mod definition;
mod tables;

use super::Panel;
use crate::{
    charts::{Chart, Colour, Expression, Layout, Scale, Series},
    units::Unit,
};
use definition::{detail, lines, panel, path, series, sum};

/// The panels, in the order of the page.
pub fn host_panels() -> Vec<Panel> {
    vec![
        cpu(),
        memory(),
        load(),
        pressure(),
        connections(),
        network(),
        disk(),
        temperature(),
        cgroup(),
        services(),
        processes(),
    ]
}

fn cpu() -> Panel {
    let series = vec![
        series("user", Colour::Blue, "cpu.user_percent"),
        series("nice", Colour::Green, "cpu.nice_percent"),
        series("system", Colour::Teal, "cpu.system_percent"),
        series("irq", Colour::Violet, "cpu.irq_percent"),
        series("steal", Colour::Red, "cpu.steal_percent"),
        // On top, since it is not part of the busy time.
        series("iowait", Colour::Amber, "cpu.iowait_percent"),
    ];
    let chart = Chart {
        layout: Layout::Stacked,
        scale: Scale::Percent,
        ..lines(path("cpu.total_percent"), Unit::Percent, series)
    };
    Panel {
        chart,
        tile: vec![detail("load", Unit::Average, "load.one"), detail("steal", Unit::Percent, "cpu.steal_percent")],
        details: vec![
            detail("running", Unit::Count, "cpu.running"),
            detail("blocked", Unit::Count, "cpu.blocked"),
            detail("ctx switches", Unit::Rate, "cpu.context_switches_per_second"),
            detail("interrupts", Unit::Rate, "cpu.interrupts_per_second"),
            detail("forks", Unit::Rate, "cpu.forks_per_second"),
            detail("frequency", Unit::Hertz, "cpu.frequency_hertz"),
        ],
        ..panel("cpu", "CPU")
    }
}

fn memory() -> Panel {
    let series = vec![
        series("used", Colour::Green, "memory.used_bytes"),
        // Memory neither used nor free; `memory.cached_bytes` would count shared memory twice.
        Series {
            label: "cache".to_owned(),
            colour: Colour::Grey,
            value: Expression::Difference("memory.available_bytes".to_owned(), "memory.free_bytes".to_owned()),
        },
    ];
    let chart = Chart {
        layout: Layout::Stacked,
        scale: Scale::Total("memory.total_bytes".to_owned()),
        ..lines(path("memory.used_bytes"), Unit::Bytes, series)
    };
    Panel {
        chart,
        tile: vec![
            detail("of", Unit::Bytes, "memory.total_bytes"),
            detail("swap", Unit::Bytes, "memory.swap_used_bytes"),
        ],
        details: vec![
            detail("available", Unit::Bytes, "memory.available_bytes"),
            detail("free", Unit::Bytes, "memory.free_bytes"),
            detail("buffers", Unit::Bytes, "memory.buffers_bytes"),
            detail("cached", Unit::Bytes, "memory.cached_bytes"),
            detail("swap used", Unit::Bytes, "memory.swap_used_bytes"),
            detail("swap total", Unit::Bytes, "memory.swap_total_bytes"),
            detail("swap in", Unit::Throughput, "memory.swap_in_bytes_per_second"),
            detail("swap out", Unit::Throughput, "memory.swap_out_bytes_per_second"),
            detail("dirty", Unit::Bytes, "memory.dirty_bytes"),
            detail("writeback", Unit::Bytes, "memory.writeback_bytes"),
            detail("slab", Unit::Bytes, "memory.slab_bytes"),
            detail("shared", Unit::Bytes, "memory.shared_bytes"),
            detail("major faults", Unit::Rate, "memory.major_faults_per_second"),
            detail("OOM kills", Unit::Rate, "memory.oom_kills_per_second"),
        ],
        ..panel("memory", "Memory")
    }
}

fn load() -> Panel {
    let series = vec![
        series("1 min", Colour::Blue, "load.one"),
        series("5 min", Colour::Violet, "load.five"),
        series("15 min", Colour::Grey, "load.fifteen"),
    ];
    let chart = lines(path("load.one"), Unit::Average, series);
    Panel { chart, details: vec![detail("tasks", Unit::Count, "load.tasks")], ..panel("load", "Load") }
}

fn pressure() -> Panel {
    let series = vec![
        series("CPU", Colour::Blue, "pressure.cpu.some_percent"),
        series("memory", Colour::Green, "pressure.memory.some_percent"),
        series("I/O", Colour::Amber, "pressure.io.some_percent"),
    ];
    let chart = lines(path("pressure.cpu.some_percent"), Unit::Percent, series);
    Panel {
        chart,
        tile: vec![
            detail("memory", Unit::Percent, "pressure.memory.some_percent"),
            detail("I/O", Unit::Percent, "pressure.io.some_percent"),
        ],
        details: vec![
            detail("memory full", Unit::Percent, "pressure.memory.full_percent"),
            detail("I/O full", Unit::Percent, "pressure.io.full_percent"),
        ],
        ..panel("pressure", "Pressure")
    }
}

fn connections() -> Panel {
    let series = vec![
        series("established", Colour::Teal, "connections.tcp.established"),
        series("time-wait", Colour::Red, "connections.tcp.time_wait"),
        series("listening", Colour::Violet, "connections.tcp.listen"),
        series("viewers", Colour::Blue, "connections.viewers"),
    ];
    let chart = lines(path("connections.tcp.established"), Unit::Count, series);
    Panel {
        chart,
        tile: vec![
            detail("time-wait", Unit::Count, "connections.tcp.time_wait"),
            detail("viewers", Unit::Count, "connections.viewers"),
        ],
        details: vec![
            detail("TCP in use", Unit::Count, "connections.tcp.in_use"),
            detail("UDP in use", Unit::Count, "connections.udp.in_use"),
            detail("close-wait", Unit::Count, "connections.tcp.close_wait"),
            detail("syn-sent", Unit::Count, "connections.tcp.syn_sent"),
            detail("syn-recv", Unit::Count, "connections.tcp.syn_recv"),
            detail("fin-wait-1", Unit::Count, "connections.tcp.fin_wait1"),
            detail("fin-wait-2", Unit::Count, "connections.tcp.fin_wait2"),
            detail("closing", Unit::Count, "connections.tcp.closing"),
            detail("last-ack", Unit::Count, "connections.tcp.last_ack"),
            detail("retransmits", Unit::Rate, "connections.tcp.retransmits_per_second"),
            detail("resets", Unit::Rate, "connections.tcp.resets_per_second"),
            detail("listen overflows", Unit::Rate, "connections.tcp.listen_overflows_per_second"),
            detail("listen drops", Unit::Rate, "connections.tcp.listen_drops_per_second"),
        ],
        ..panel("connections", "Connections")
    }
}

fn network() -> Panel {
    let series = vec![
        series("in", Colour::Teal, "network.rx_bytes_per_second"),
        series("out", Colour::Violet, "network.tx_bytes_per_second"),
    ];
    let chart = lines(sum("network.rx_bytes_per_second", "network.tx_bytes_per_second"), Unit::Bits, series);
    Panel {
        chart,
        tile: vec![
            detail("in", Unit::Bits, "network.rx_bytes_per_second"),
            detail("out", Unit::Bits, "network.tx_bytes_per_second"),
        ],
        tables: vec![tables::interfaces()],
        ..panel("network", "Network")
    }
}

fn disk() -> Panel {
    let series = vec![
        series("read", Colour::Grey, "disk.read_bytes_per_second"),
        series("write", Colour::Amber, "disk.write_bytes_per_second"),
    ];
    let chart = lines(sum("disk.read_bytes_per_second", "disk.write_bytes_per_second"), Unit::Throughput, series);
    Panel {
        chart,
        tile: vec![
            detail("read", Unit::Throughput, "disk.read_bytes_per_second"),
            detail("write", Unit::Throughput, "disk.write_bytes_per_second"),
        ],
        tables: vec![tables::disks(), tables::filesystems()],
        ..panel("disk", "Disk")
    }
}

fn temperature() -> Panel {
    let series = vec![series("highest", Colour::Red, "temperature.highest_celsius")];
    let chart = lines(path("temperature.highest_celsius"), Unit::Celsius, series);
    Panel { chart, tables: vec![tables::sensors()], ..panel("temperature", "Temperature") }
}

fn cgroup() -> Panel {
    let series = vec![
        series("CPU", Colour::Blue, "cgroup.cpu_percent"),
        // On the same axis, since both are percentages of time.
        series("throttled", Colour::Red, "cgroup.throttled_percent"),
    ];
    let chart = lines(path("cgroup.cpu_percent"), Unit::OfCore, series);
    Panel {
        chart,
        details: vec![
            detail("CPU limit", Unit::OfCore, "cgroup.cpu_limit_percent"),
            detail("memory", Unit::Bytes, "cgroup.memory_bytes"),
            detail("memory limit", Unit::Bytes, "cgroup.memory_limit_bytes"),
        ],
        ..panel("cgroup", "Container")
    }
}

fn services() -> Panel {
    Panel { tables: vec![tables::services()], ..panel("services", "Services") }
}

fn processes() -> Panel {
    Panel { tables: vec![tables::processes()], ..panel("processes", "Processes") }
}

/// The paths of all series that panels show, with `*` for the name of a row or the number of a core.
#[cfg(test)]
pub(crate) fn series_paths() -> Vec<String> {
    let mut paths = vec![crate::charts::core_path("*")];
    for Panel { chart, tile, details, tables, .. } in host_panels() {
        paths.extend(tile.into_iter().chain(details).map(|detail| detail.path));
        paths.extend(tables.iter().flat_map(super::Table::series_paths));
        let headline = (!chart.series.is_empty()).then_some(&chart.headline);
        let values = chart.series.iter().map(|series| &series.value).chain(headline);
        paths.extend(values.flat_map(Expression::paths).map(str::to_owned));
        if let Scale::Total(path) = chart.scale {
            paths.push(path);
        }
    }
    paths
}
