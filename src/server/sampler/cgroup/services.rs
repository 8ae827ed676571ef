//! Finds the services and containers that use the most CPU or memory.

use super::{
    name::{container_name, display_name, is_interface_file, is_user, path_name},
    usage::{CgroupUsage, CgroupVersion},
};
use crate::{
    schema::Service,
    server::sampler::{Clock, HostSource, rate::PreviousReading},
};
use std::collections::BTreeMap;

/// Services reported for their CPU usage, and as many for their memory.
const MAX_ROWS: usize = 10;
/// Control groups visited per reading.
const MAX_GROUPS: usize = 1000;
/// Depth down to which the tree of control groups is searched.
const MAX_DEPTH: usize = 6;

/// Reads the usage of services and containers.
#[derive(Debug)]
pub(super) struct ServicesReader<S> {
    source: S,
    previous: PreviousReading<BTreeMap<String, CgroupUsage>>,
    text: String,
}

impl<S: HostSource> ServicesReader<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source, previous: PreviousReading::default(), text: String::new() }
    }

    /// Usage since the previous reading, by name; `None` at the first.
    pub(super) fn read(&mut self, clock: &impl Clock) -> Option<BTreeMap<String, Service>> {
        let version = CgroupVersion::detect(&mut self.source)?;
        let (source, text) = (&mut self.source, &mut self.text);
        let sample = self.previous.next_sample(
            0,
            clock,
            || Some(read_all(version, source, text)),
            |before, now, dt| {
                let unknown = CgroupUsage::default();
                let since = |name, now: &CgroupUsage| now.since(before.get(name).unwrap_or(&unknown), dt);
                largest(now.iter().map(|(name, now)| (name.clone(), since(name, now))).collect())
            },
        )?;
        Some(sample.values)
    }
}

/// Usage of each named group, of each other group that has no groups below it, and of users' containers.
fn read_all(version: CgroupVersion, source: &mut impl HostSource, text: &mut String) -> BTreeMap<String, CgroupUsage> {
    let (mut found, mut visited) = (BTreeMap::new(), 0);
    let mut folders = vec![(String::new(), 0, false)];
    while let Some((folder, depth, is_in_user)) = folders.pop() {
        let entries = source.list(&version.folder(&folder)).unwrap_or_default();
        let groups: Vec<_> = entries.into_iter().filter(|name| !is_interface_file(name)).collect();
        let is_leaf = groups.is_empty() && !folder.is_empty() && !folder.ends_with(".slice");
        let is_user = is_user(&folder);
        // A user's row covers the user's services and sessions; containers have rows of their own.
        let name = match is_in_user {
            true => container_name(&folder),
            false => display_name(&folder).or_else(|| is_leaf.then(|| path_name(&folder))),
        };
        if let Some(name) = name {
            if let Some(usage) = version.usage(&folder, source, text) {
                found.entry(name).or_insert(usage);
            }
            if !is_user {
                continue;
            }
        }
        if depth < MAX_DEPTH {
            let groups = groups.into_iter().take(MAX_GROUPS - visited);
            let groups = groups.map(|name| (format!("{folder}/{name}"), depth + 1, is_in_user || is_user));
            let before = folders.len();
            folders.extend(groups);
            visited += folders.len() - before;
        }
    }
    found
}

fn largest(mut services: BTreeMap<String, Service>) -> BTreeMap<String, Service> {
    let top_by = |value: fn(&Service) -> f64| {
        let mut order: Vec<_> = services.iter().map(|(name, service)| (value(service), name.clone())).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.truncate(MAX_ROWS);
        order
    };
    let top_cpu = top_by(|service| service.cpu_percent.unwrap_or_default());
    let top_memory = top_by(|service| service.memory_bytes.unwrap_or_default() as f64);
    services.retain(|name, _| top_cpu.iter().chain(&top_memory).any(|(_, top)| top == name));
    services
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    const ROOT: &str = "/sys/fs/cgroup";

    fn group(host: RecordedHost, path: &str, cpu: u64, memory: u64) -> RecordedHost {
        host.with_owned(format!("{ROOT}{path}/cpu.stat"), format!("usage_usec {cpu}\n"))
            .with_owned(format!("{ROOT}{path}/memory.current"), format!("{memory}\n"))
            .with_folder(&format!("{ROOT}{path}"), &["cpu.stat", "memory.current"])
    }

    fn read(host: impl Fn(u64) -> RecordedHost) -> BTreeMap<String, Service> {
        let (mut reader, clock) = (ServicesReader::new(host(0)), ManualClock::at(0.0));
        assert_eq!(reader.read(&clock), None);
        clock.advance(5.0);
        reader.source = host(1_000_000);
        reader.read(&clock).unwrap()
    }

    #[test]
    fn services_at_any_depth_are_read_without_their_subgroups() {
        let services = read(|cpu| {
            let host = RecordedHost::default()
                .with_folder(ROOT, &["cgroup.controllers", "cpu.stat", "system.slice", "user.slice", "own"])
                .with_folder("/sys/fs/cgroup/system.slice", &["memory.current", "nginx.service", "empty.slice"])
                .with_folder("/sys/fs/cgroup/user.slice", &["user-1000.slice"]);
            let host = group(host, "/system.slice/nginx.service", cpu, 7000);
            let host = group(host, "/user.slice/user-1000.slice", 0, 9000);
            group(host, "/own", 2 * cpu, 1)
                .with_folder("/sys/fs/cgroup/user.slice/user-1000.slice", &["session-1.scope"])
        });
        assert_eq!(services.keys().collect::<Vec<_>>(), ["nginx", "own", "user 1000"]);
        assert_eq!((services["nginx"].cpu_percent, services["nginx"].memory_bytes), (Some(20.0), Some(7000)));
        assert_eq!((services["user 1000"].cpu_percent, services["own"].cpu_percent), (Some(0.0), Some(40.0)));
    }

    #[test]
    fn rootless_containers_have_rows_beside_their_user() {
        let user = "/user.slice/user-1000.slice";
        let units = format!("{user}/user@1000.service");
        let id = "4f5c".repeat(16);
        let services = read(|cpu| {
            let folder =
                |host: RecordedHost, path: &str, groups: &[&str]| host.with_folder(&format!("{ROOT}{path}"), groups);
            let host = folder(RecordedHost::default(), "", &["cgroup.controllers", "user.slice"]);
            let host = folder(host, "/user.slice", &["user-1000.slice"]);
            let host = group(group(host, user, 3 * cpu, 9000), &format!("{units}/app.slice/sync.service"), cpu, 1);
            let scopes = [format!("libpod-{id}.scope"), format!("libpod-conmon-{id}.scope"), "tmux.scope".to_owned()];
            let host =
                scopes.iter().fold(host, |host, scope| group(host, &format!("{units}/user.slice/{scope}"), cpu, 7));
            let host = folder(host, user, &["session-1.scope", "user@1000.service"]);
            let host = folder(host, &units, &["app.slice", "user.slice", "memory.current"]);
            let host = folder(host, &format!("{units}/app.slice"), &["sync.service"]);
            folder(host, &format!("{units}/user.slice"), &scopes.each_ref().map(String::as_str))
        });
        assert_eq!(services.keys().collect::<Vec<_>>(), ["podman 4f5c4f5c4f5c", "user 1000"]);
        assert_eq!(
            (services["podman 4f5c4f5c4f5c"].cpu_percent, services["user 1000"].cpu_percent),
            (Some(20.0), Some(60.0))
        );
    }

    #[test]
    fn many_services_report_only_the_largest() {
        let name = |i: u64| format!("s{i:03}.service");
        let services = read(|cpu| {
            let names: Vec<String> = (0..100).map(name).collect();
            let names: Vec<&str> = ["cgroup.controllers"].into_iter().chain(names.iter().map(String::as_str)).collect();
            let host = RecordedHost::default().with_folder(ROOT, &names);
            (0..100).fold(host, |host, i| group(host, &format!("/{}", name(i)), cpu * i, 100 - i))
        });
        assert_eq!(services.len(), 2 * MAX_ROWS);
        assert!(services.contains_key("s099") && services.contains_key("s000") && !services.contains_key("s050"));
    }

    #[test]
    fn groups_beyond_the_limit_are_skipped() {
        let services = read(|cpu| {
            let names: Vec<String> = (0..2 * MAX_GROUPS).map(|i| format!("s{i}.service")).collect();
            let all: Vec<&str> = ["cgroup.controllers"].into_iter().chain(names.iter().map(String::as_str)).collect();
            let host = RecordedHost::default().with_folder(ROOT, &all);
            names.iter().fold(host, |host, name| group(host, &format!("/{name}"), cpu, 1))
        });
        assert!(services.len() >= MAX_ROWS, "{}", services.len());
    }

    #[test]
    fn host_without_cgroups_has_no_services() {
        let mut reader = ServicesReader::new(RecordedHost::default());
        assert_eq!(reader.read(&ManualClock::at(0.0)), None);
    }
}
