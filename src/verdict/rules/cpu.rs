//! CPU rules: utilisation and saturation, steal, and throttling by a limit.

use super::{Evidence, FIVE_MINUTES, Finding, Level, MINUTE, finding, has_recovered, paths, percent};

/// The CPU is busy, or saturated: tasks wait for it.
pub(super) fn utilisation(evidence: &Evidence<'_>) -> Vec<Finding> {
    const BUSY: f64 = 70.0;
    const SATURATED: f64 = 85.0;
    const WAITING: f64 = 50.0;
    const LOAD_PER_CORE: f64 = 2.0;
    let assess = || {
        let busy = evidence.mean(paths::CPU_TOTAL, MINUTE)?;
        if has_recovered(evidence, paths::CPU_TOTAL, BUSY) {
            return None;
        }
        let since = evidence.since(paths::CPU_TOTAL, |share| share >= BUSY);
        let cores = evidence.names(paths::CPU_CORE).len().max(1) as f64;
        let largest = largest_user(evidence, busy, cores);
        let waiting = evidence.mean(paths::CPU_PRESSURE, FIVE_MINUTES);
        let load = evidence.mean(paths::LOAD, FIVE_MINUTES).map(|load| load / cores);
        // A kernel without PSI has the load only.
        let saturation = match (waiting, load) {
            (Some(waiting), _) => (waiting >= WAITING).then(|| format!("tasks wait {} of the time", percent(waiting))),
            (None, load) => load.filter(|load| *load >= LOAD_PER_CORE).map(|load| format!("load {load:.1} per core")),
        };
        if let Some(saturation) = saturation
            && evidence.mean(paths::CPU_TOTAL, FIVE_MINUTES).is_some_and(|busy| busy >= SATURATED)
        {
            return finding(Level::Trouble, format!("CPU saturated: {saturation}{largest}."), since);
        }
        (busy >= BUSY).then(|| finding(Level::Busy, format!("CPU busy {}{largest}.", percent(busy)), since))?
    };
    assess().into_iter().collect()
}

/// Clause that names the process, or else the service, that uses the most CPU, if it is a large part of what is used.
fn largest_user(evidence: &Evidence<'_>, busy: f64, cores: f64) -> String {
    /// Least share of the used CPU time.
    const LARGE: f64 = 0.25;
    let process = evidence.top_process(|process| process.cpu_percent.unwrap_or(0.0));
    let process = process.map(|(process, share)| (process.name.clone(), share));
    let largest = process
        .or_else(|| evidence.top_service(paths::SERVICE_CPU))
        .filter(|(_, share)| *share >= busy * cores * LARGE);
    largest.map_or(String::new(), |(name, share)| {
        format!("; {name} uses {:.1} of {cores} {}", share / 100.0, if cores == 1.0 { "core" } else { "cores" })
    })
}

/// The hypervisor gives the CPU to other virtual machines.
pub(super) fn steal(evidence: &Evidence<'_>) -> Vec<Finding> {
    const STEAL: f64 = 10.0;
    let stolen = evidence.mean(paths::CPU_STEAL, MINUTE).filter(|stolen| *stolen >= STEAL);
    let assess = |stolen| {
        let since = evidence.since(paths::CPU_STEAL, |share| share >= STEAL / 2.0);
        let text = format!("CPU steal {}: other virtual machines take this host's CPU.", percent(stolen));
        finding(Level::Trouble, text, since)
    };
    stolen.and_then(assess).into_iter().collect()
}

/// The container, or a service, is throttled by its CPU limit.
pub(super) fn throttling(evidence: &Evidence<'_>) -> Vec<Finding> {
    const THROTTLED: f64 = 20.0;
    let assess = |path: String, name: String, level| {
        let share = evidence.mean(&path, MINUTE).filter(|share| *share >= THROTTLED)?;
        let since = evidence.since(&path, |share| share >= THROTTLED / 2.0);
        finding(level, format!("{name} is throttled {} of the time by its CPU limit.", percent(share)), since)
    };
    let own = assess(paths::CONTAINER_THROTTLED.to_owned(), "This container".to_owned(), Level::Trouble);
    let services = evidence.names(paths::SERVICE_THROTTLED).into_iter();
    let services =
        services.filter_map(|name| assess(paths::named(paths::SERVICE_THROTTLED, &name), name, Level::Watch));
    own.into_iter().chain(services).collect()
}
