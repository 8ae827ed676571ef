//! Checks that every series that code names by its path exists: in charts, tiles, details, tables, rules and
//! exposition.

use crate::{
    panels,
    schema::{
        Cgroup, Connections, Cpu, Device, Disk, Filesystem, Interface, Load, Memory, Network, Pressure, Processes,
        Sample, Sensor, Service, Temperature, Tick, Verdict, Window,
    },
    server, verdict,
};
use std::collections::BTreeMap;

const T: u64 = 1000;
/// The only row of every group with rows; cores are named by their number.
const NAME: &str = "0";

fn sample<G>(values: G) -> Option<Sample<G>> {
    Some(Sample { t: T, at: 1.0, dt: 1.0, values })
}

fn row<V: Default>() -> BTreeMap<String, V> {
    [(NAME.to_owned(), V::default())].into()
}

/// A window that holds a value for every path of every group.
fn full_window() -> Window {
    let tick = Tick::at(T)
        .with(sample(Cpu { cores_percent: vec![None], ..Cpu::default() }))
        .with(sample(Memory::default()))
        .with(sample(Load::default()))
        .with(sample(Pressure::default()))
        .with(sample(Connections::default()))
        .with(sample(Network { interfaces: row::<Interface>(), ..Network::default() }))
        .with(sample(Disk { devices: row::<Device>(), filesystems: row::<Filesystem>(), ..Disk::default() }))
        .with(sample(Temperature { sensors: row::<Sensor>(), ..Temperature::default() }))
        .with(sample(Cgroup { services: row::<Service>(), ..Cgroup::default() }))
        .with(sample(Processes::default()))
        .with(sample(Verdict::default()));
    let mut window = Window::new(1);
    tick.record_into(&mut window);
    // Groups visit the paths of missing values, too.
    tick.events().for_each(|event| event.series(&mut |path, _| window.set(path, Some(1.0))));
    window
}

#[test]
fn every_path_in_code_names_a_series() {
    let window = full_window();
    let rules = verdict::paths::ALL.iter().map(|path| (*path).to_owned());
    let mut paths: Vec<_> = panels::series_paths().into_iter().chain(rules).collect();
    #[cfg(target_os = "linux")]
    paths.extend(server::series_paths());
    assert!(paths.len() > 150, "only {} paths were collected", paths.len());
    let missing: Vec<_> = paths.iter().filter(|path| window.last(&path.replace('*', NAME)).is_none()).collect();
    assert!(missing.is_empty(), "no group has {missing:?}");
}
