//! Which interfaces get a row of their own, and the row that sums the others.

use super::rate::round_to_hundredths;
use crate::schema::Interface;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// Interfaces that get a row of their own.
pub(super) const MAX_INTERFACES: usize = 40;
/// The row that sums virtual interfaces, and those beyond [`MAX_INTERFACES`]; no interface has a space in its name.
pub(super) const SUMMARY_ROW: &str = "all others";
/// Prefixes of the interfaces of containers, virtual machines and their bridges.
const VIRTUAL_PREFIXES: [&str; 18] = [
    "veth", "br-", "docker", "virbr", "vnet", "tap", "cni", "flannel", "cali", "podman", "lxc", "eni", "fwbr", "fwpr",
    "fwln", "azv", "gke", "cilium",
];
/// Packets per second from which a loss has a name, also that of a virtual interface.
const LOSSY: f64 = 1.0;

/// An interface that may get a row.
pub(super) struct Candidate<'a> {
    pub name: &'a str,
    /// Whether its traffic leaves the host.
    pub is_external: bool,
    /// Bytes since its creation.
    pub bytes: u64,
    pub interface: Interface,
}

pub(super) fn is_virtual(name: &str) -> bool {
    VIRTUAL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Chooses rows over ticks.
#[derive(Debug, Default)]
pub(super) struct InterfaceRows {
    /// Whether virtual interfaces get rows of their own.
    list_virtual: bool,
    /// Interfaces that have lost packets; they keep their rows, because rules average over a minute.
    lossy: BTreeSet<String>,
}

impl InterfaceRows {
    pub(super) fn new(list_virtual: bool) -> Self {
        Self { list_virtual, ..Self::default() }
    }

    /// Rows by name. External interfaces come first, then those that lose packets, then those with the most traffic,
    /// and at equal traffic those of which there are few.
    pub(super) fn choose(&mut self, mut candidates: Vec<Candidate<'_>>) -> BTreeMap<String, Interface> {
        self.lossy.retain(|name| candidates.iter().any(|candidate| candidate.name == name));
        let loses = |interface: &Interface| {
            [interface.errors_per_second, interface.lost_per_second].iter().any(|rate| *rate >= Some(LOSSY))
        };
        let lossy = candidates.iter().filter(|candidate| loses(&candidate.interface));
        self.lossy.extend(lossy.map(|candidate| candidate.name.to_owned()));
        let mut kinds: HashMap<&str, usize> = HashMap::new();
        candidates.iter().for_each(|candidate| *kinds.entry(kind(candidate.name)).or_default() += 1);
        candidates.sort_by_key(|candidate| {
            let is_lossy = self.lossy.contains(candidate.name);
            let count = kinds.get(kind(candidate.name)).copied();
            (!candidate.is_external, !is_lossy, Reverse(candidate.bytes), count, candidate.name)
        });
        let mut rows: BTreeMap<String, Interface> = BTreeMap::new();
        let mut summary = None;
        for Candidate { name, interface, .. } in candidates {
            let is_hidden = is_virtual(name) && !self.list_virtual && !self.lossy.contains(name);
            if is_hidden || rows.len() >= MAX_INTERFACES {
                add(summary.get_or_insert_default(), &interface);
            } else {
                rows.insert(name.to_owned(), interface);
            }
        }
        rows.extend(summary.map(|summary| (SUMMARY_ROW.to_owned(), summary)));
        rows
    }
}

/// The letters that a name begins with, which interfaces made by the dozen share.
fn kind(name: &str) -> &str {
    name.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// Adds the values that are known: an interface that has just appeared must not make the sum unknown.
fn add(summary: &mut Interface, interface: &Interface) {
    for (sum, part) in [
        (&mut summary.rx_bytes_per_second, interface.rx_bytes_per_second),
        (&mut summary.tx_bytes_per_second, interface.tx_bytes_per_second),
        (&mut summary.rx_packets_per_second, interface.rx_packets_per_second),
        (&mut summary.tx_packets_per_second, interface.tx_packets_per_second),
        (&mut summary.errors_per_second, interface.errors_per_second),
        (&mut summary.drops_per_second, interface.drops_per_second),
        (&mut summary.lost_per_second, interface.lost_per_second),
    ] {
        if let Some(part) = part {
            *sum = round_to_hundredths(sum.unwrap_or(0.0) + part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, is_external: bool, bytes: u64) -> Candidate<'_> {
        Candidate {
            name,
            is_external,
            bytes,
            interface: Interface { rx_bytes_per_second: Some(1.0), ..Interface::default() },
        }
    }

    #[test]
    fn interfaces_by_the_dozen_do_not_push_others_out() {
        let names: Vec<String> = (0..100).map(|n| format!("cloud{n:03}")).collect();
        let many = names.iter().map(|name| candidate(name, false, 10));
        let few = [candidate("eth0", true, 0), candidate("wg0", false, 10), candidate("vlan7", false, 11)];
        let rows = InterfaceRows::default().choose(many.chain(few).collect());
        assert_eq!(rows.len(), MAX_INTERFACES + 1);
        assert!(["eth0", "wg0", "vlan7", SUMMARY_ROW].iter().all(|name| rows.contains_key(*name)), "{:?}", rows.keys());
        assert_eq!(rows[SUMMARY_ROW].rx_bytes_per_second, Some(63.0));
    }

    #[test]
    fn interface_named_others_keeps_its_row() {
        let rows = InterfaceRows::default().choose(vec![candidate("others", false, 1), candidate("veth1", false, 1)]);
        assert_eq!(rows.keys().collect::<Vec<_>>(), [SUMMARY_ROW, "others"]);
    }

    #[test]
    fn virtual_interface_that_loses_packets_keeps_a_row() {
        let mut rows = InterfaceRows::default();
        let mut losing = candidate("veth1", false, 1);
        losing.interface.lost_per_second = Some(50.0);
        assert!(rows.choose(vec![losing]).contains_key("veth1"));
        assert!(rows.choose(vec![candidate("veth1", false, 1)]).contains_key("veth1"), "also after the loss");
        rows.choose(Vec::new());
        assert!(!rows.choose(vec![candidate("veth1", false, 1)]).contains_key("veth1"), "a new interface");
    }
}
