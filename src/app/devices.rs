//! The devices of a group, a row for each.

use super::{State, state::text};
use crate::charts::units::Unit;
use leptos::prelude::*;

/// What a table shows of each device.
#[derive(Debug)]
pub(super) struct Table {
    /// What the devices are.
    title: &'static str,
    /// The path of their series, up to their name.
    path: &'static str,
    /// Heading, unit, and the path after the name. A device that has no figure in the first isn't there.
    columns: &'static [(&'static str, Unit, &'static str)],
}

/// The tables of the group `id`.
pub(super) fn devices(id: &str) -> &'static [Table] {
    const INTERFACES: Table = Table {
        title: "Interface",
        path: "network.interfaces.",
        columns: &[
            ("in", Unit::Bits, ".rx_bytes"),
            ("out", Unit::Bits, ".tx_bytes"),
            ("packets in", Unit::Rate, ".rx_packets"),
            ("packets out", Unit::Rate, ".tx_packets"),
            ("errors", Unit::Rate, ".errors"),
            ("drops", Unit::Rate, ".drops"),
        ],
    };
    const DISKS: Table = Table {
        title: "Device",
        path: "disk.devices.",
        columns: &[
            ("read", Unit::Throughput, ".read_bytes"),
            ("write", Unit::Throughput, ".write_bytes"),
            ("reads", Unit::Rate, ".reads"),
            ("writes", Unit::Rate, ".writes"),
            ("busy", Unit::Percent, ".busy"),
            ("queue", Unit::Average, ".queue"),
        ],
    };
    const FILESYSTEMS: Table = Table {
        title: "Filesystem",
        path: "disk.filesystems.",
        columns: &[
            ("size", Unit::Bytes, ".size"),
            ("used", Unit::Bytes, ".used"),
            ("inodes", Unit::Count, ".inodes"),
            ("inodes used", Unit::Count, ".inodes_used"),
            ("full", Unit::Percent, ".full"),
            ("told", Unit::Ago, ".age"),
        ],
    };
    match id {
        "network" => &[INTERFACES],
        "disk" => &[DISKS, FILESYSTEMS],
        _ => &[],
    }
}

/// The rows change when a device comes or goes; at every other tick only their figures do.
#[component]
pub(super) fn Devices(table: &'static Table) -> impl IntoView {
    let state = expect_context::<State>();
    let names = Memo::new(move |_| state.window.with(|window| window.names(table.path, table.columns[0].2)));
    let row = move |name: String| {
        let cell = |(_, unit, field): &'static (&str, Unit, &str)| {
            let path = format!("{}{name}{field}", table.path);
            let figure = text(move || unit.text(state.window.with(|window| window.last(&path))));
            view! { <td>{figure}</td> }
        };
        let cells = table.columns.iter().map(cell).collect_view();
        view! { <tr><th scope="row">{name}</th>{cells}</tr> }
    };
    let headings = table.columns.iter().map(|(heading, ..)| view! { <th scope="col">{*heading}</th> }).collect_view();
    view! {
        <div class="devices">
            <table>
                <thead><tr><th scope="col">{table.title}</th>{headings}</tr></thead>
                <tbody>{move || names.get().into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}
