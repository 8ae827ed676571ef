//! Every group of the host's values, as data.

use super::{
    Annotations, Cgroup, ChannelNames, Connections, Cpu, Declaration, Disk, Group, HOST_EVENTS, Kind, Load, Memory,
    Network, Pressure, Processes, PublishedPath, Temperature, Verdict,
};
use std::sync::LazyLock;

/// Every group with the values that it declares, in sending order.
pub fn groups() -> [(&'static str, Vec<Declaration>); HOST_EVENTS.len()] {
    fn declared<G: Group>() -> (&'static str, Vec<Declaration>) {
        (G::NAME, G::declare(""))
    }
    [
        declared::<Cpu>(),
        declared::<Memory>(),
        declared::<Load>(),
        declared::<Pressure>(),
        declared::<Connections>(),
        declared::<Network>(),
        declared::<Disk>(),
        declared::<Temperature>(),
        declared::<Cgroup>(),
        declared::<Processes>(),
        declared::<Verdict>(),
        declared::<ChannelNames>(),
        declared::<Annotations>(),
    ]
}

/// How the values of a series behave over time. A series that nobody declared is a gauge.
pub fn kind_of(path: &str) -> Kind {
    static GROUPS: LazyLock<[(&str, Vec<Declaration>); HOST_EVENTS.len()]> = LazyLock::new(groups);
    if let Some(PublishedPath { value, .. }) = PublishedPath::of(path) {
        return if value.ends_with("_per_second") { Kind::Rate } else { Kind::Gauge };
    }
    let Some((group, value)) = path.split_once('.') else { return Kind::Gauge };
    let declarations = GROUPS.iter().filter(|(name, _)| *name == group).flat_map(|(_, declarations)| declarations);
    let mut matching = declarations.into_iter().filter(|declaration| matches(&declaration.path, value));
    matching.next().map_or(Kind::Gauge, |declaration| declaration.kind)
}

/// Whether a path is that of a declaration, in which `*` stands for any name, which may have dots.
fn matches(declared: &str, path: &str) -> bool {
    match declared.split_once('*') {
        Some((start, end)) => path.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => declared == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_have_the_kind_of_their_declaration() {
        for (path, kind) in [
            ("memory.used_bytes", Kind::Gauge),
            ("network.interfaces.eth0.7.rx_bytes_per_second", Kind::Rate),
            ("disk.filesystems./srv/a.b.read_only", Kind::State),
            ("cpu.cores_percent.3", Kind::Gauge),
            ("shop.labels.eu.orders_per_second", Kind::Rate),
            ("shop.stock", Kind::Gauge),
            ("unknown", Kind::Gauge),
        ] {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }
}
