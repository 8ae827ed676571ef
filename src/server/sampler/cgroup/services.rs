//! The services and containers that take most.

use super::{
    name::{is_file, name, plain},
    usage::{Hierarchy, Usage},
};
use crate::{
    schema::Service,
    server::sampler::{Clock, HostSource, rate::PreviousReading},
};
use std::collections::BTreeMap;

/// Services that are shown for the processor they take, and as many for their memory.
const SHOWN: usize = 10;
/// TickSource that are looked at.
const GROUPS: usize = 1000;
/// TickSource within groups, down to which they are looked for.
const DEPTH: usize = 6;

/// Reads what services take.
#[derive(Debug)]
pub(super) struct ServicesReader<S> {
    source: S,
    last: PreviousReading<BTreeMap<String, Usage>>,
    text: String,
}

impl<S: HostSource> ServicesReader<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, last: PreviousReading::default(), text: String::new() }
    }

    /// From the second time on, what they have taken since the last.
    pub(super) fn read(&mut self, clock: &impl Clock) -> Option<BTreeMap<String, Service>> {
        let hierarchy = Hierarchy::find(&mut self.source)?;
        let (source, text) = (&mut self.source, &mut self.text);
        let sample = self.last.sample(
            0,
            clock,
            || Some(all(hierarchy, source, text)),
            |before, now, dt| {
                let nothing = Usage::default();
                let since = |name, now: &Usage| now.since(before.get(name).unwrap_or(&nothing), dt);
                largest(now.iter().map(|(name, now)| (name.clone(), since(name, now))).collect())
            },
        )?;
        Some(sample.values)
    }
}

/// Every service, and every other group without groups in it.
fn all(hierarchy: Hierarchy, source: &mut impl HostSource, text: &mut String) -> BTreeMap<String, Usage> {
    let (mut found, mut looked_at) = (BTreeMap::new(), 0);
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let within = source.list(&hierarchy.folder(&folder)).unwrap_or_default();
        let groups: Vec<_> = within.into_iter().filter(|name| !is_file(name)).collect();
        let is_leaf = groups.is_empty() && !folder.is_empty() && !folder.ends_with(".slice");
        let named = name(&folder).or_else(|| is_leaf.then(|| plain(&folder)));
        if let Some(name) = named {
            if let Some(usage) = hierarchy.usage(&folder, source, text) {
                found.entry(name).or_insert(usage);
            }
            continue;
        }
        if depth < DEPTH {
            let groups =
                groups.into_iter().take(GROUPS - looked_at).map(|name| (format!("{folder}/{name}"), depth + 1));
            let before = folders.len();
            folders.extend(groups);
            looked_at += folders.len() - before;
        }
    }
    found
}

fn largest(mut services: BTreeMap<String, Service>) -> BTreeMap<String, Service> {
    let most = |of: fn(&Service) -> f64| {
        let mut order: Vec<_> = services.iter().map(|(name, service)| (of(service), name.clone())).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.truncate(SHOWN);
        order
    };
    let busy = most(|service| service.cpu.unwrap_or_default());
    let large = most(|service| service.memory.unwrap_or_default() as f64);
    services.retain(|name, _| busy.iter().chain(&large).any(|(_, shown)| shown == name));
    services
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::Recorded};

    const ROOT: &str = "/sys/fs/cgroup";

    fn group(host: Recorded, path: &str, cpu: u64, memory: u64) -> Recorded {
        host.with_owned(format!("{ROOT}{path}/cpu.stat"), format!("usage_usec {cpu}\n"))
            .with_owned(format!("{ROOT}{path}/memory.current"), format!("{memory}\n"))
            .with_folder(&format!("{ROOT}{path}"), &["cpu.stat", "memory.current"])
    }

    fn read(host: impl Fn(u64) -> Recorded) -> BTreeMap<String, Service> {
        let (mut reader, clock) = (ServicesReader::new(host(0)), ManualClock::at(0.0));
        assert_eq!(reader.read(&clock), None);
        clock.stall_now(5.0);
        reader.source = host(1_000_000);
        reader.read(&clock).unwrap()
    }

    #[test]
    fn services_are_found_wherever_they_are_and_not_looked_into() {
        let services = read(|cpu| {
            let host = Recorded::default()
                .with_folder(ROOT, &["cgroup.controllers", "cpu.stat", "system.slice", "user.slice", "own"])
                .with_folder("/sys/fs/cgroup/system.slice", &["memory.current", "nginx.service", "empty.slice"])
                .with_folder("/sys/fs/cgroup/user.slice", &["user-1000.slice"]);
            let host = group(host, "/system.slice/nginx.service", cpu, 7000);
            let host = group(host, "/user.slice/user-1000.slice", 0, 9000);
            group(host, "/own", 2 * cpu, 1)
                .with_folder("/sys/fs/cgroup/user.slice/user-1000.slice", &["session-1.scope"])
        });
        assert_eq!(services.keys().collect::<Vec<_>>(), ["nginx", "own", "user 1000"]);
        assert_eq!((services["nginx"].cpu, services["nginx"].memory), (Some(20.0), Some(7000)));
        assert_eq!((services["user 1000"].cpu, services["own"].cpu), (Some(0.0), Some(40.0)));
    }

    #[test]
    fn only_the_largest_are_told() {
        let name = |i: u64| format!("s{i:03}.service");
        let services = read(|cpu| {
            let names: Vec<String> = (0..100).map(name).collect();
            let names: Vec<&str> = ["cgroup.controllers"].into_iter().chain(names.iter().map(String::as_str)).collect();
            let host = Recorded::default().with_folder(ROOT, &names);
            (0..100).fold(host, |host, i| group(host, &format!("/{}", name(i)), cpu * i, 100 - i))
        });
        assert_eq!(services.len(), 2 * SHOWN);
        assert!(services.contains_key("s099") && services.contains_key("s000") && !services.contains_key("s050"));
    }

    #[test]
    fn of_very_many_groups_some_are_looked_at() {
        let services = read(|cpu| {
            let names: Vec<String> = (0..2 * GROUPS).map(|i| format!("s{i}.service")).collect();
            let all: Vec<&str> = ["cgroup.controllers"].into_iter().chain(names.iter().map(String::as_str)).collect();
            let host = Recorded::default().with_folder(ROOT, &all);
            names.iter().fold(host, |host, name| group(host, &format!("/{name}"), cpu, 1))
        });
        assert!(services.len() >= SHOWN, "{}", services.len());
    }

    #[test]
    fn a_host_without_groups_has_no_services() {
        let mut reader = ServicesReader::new(Recorded::default());
        assert_eq!(reader.read(&ManualClock::at(0.0)), None);
    }
}
