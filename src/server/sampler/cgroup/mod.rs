//! Control groups: at each tick the one that contains this server, every few seconds those of services and containers.

mod name;
mod services;
mod usage;

use super::{Clock, HostSource, SamplerOptions, SystemClock, background::Poller, rate::PreviousReading};
use crate::schema::{Cgroup, Sample, Service};
use services::ServicesReader;
use std::collections::BTreeMap;
use usage::{CgroupUsage, CgroupVersion};

/// In ticks.
const POLL_INTERVAL: u32 = 5;

/// Samples the container that this server runs in, or the configured control group, and the services.
#[derive(Debug)]
pub(super) struct CgroupSampler {
    /// The path set by the operator.
    configured: Option<String>,
    /// The configured group or this server's container, once found.
    container: Option<(CgroupVersion, String)>,
    /// `None` reads no services.
    services: Option<Poller<BTreeMap<String, Service>>>,
    previous: PreviousReading<CgroupUsage>,
    ticks: u32,
    text: String,
}

impl CgroupSampler {
    /// Samples the container only.
    pub(super) fn new(options: &SamplerOptions) -> Self {
        Self {
            configured: options.cgroup.clone(),
            container: None,
            services: None,
            previous: PreviousReading::default(),
            ticks: 0,
            text: String::new(),
        }
    }

    /// Samples the container, and starts to read the services of `source` in the background.
    pub(super) fn start(options: &SamplerOptions, source: impl HostSource + Send + 'static) -> Self {
        let mut reader = ServicesReader::new(source);
        let clock = SystemClock::default();
        let services = Poller::start("services", POLL_INTERVAL, move || reader.read(&clock));
        Self { services: Some(services), ..Self::new(options) }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Cgroup>> {
        self.find_container(source);
        let services = self.services.as_mut().map(Poller::tick);
        let text = &mut self.text;
        let read = || match &self.container {
            Some((version, path)) => version.usage(path, source, text),
            None => services.is_some_and(|services| !services.is_empty()).then(CgroupUsage::default),
        };
        self.previous.next_sample(t, clock, read, |before, now, dt| {
            let Service { cpu_percent, throttled_percent, memory_bytes, memory_limit_bytes } = now.since(before, dt);
            Cgroup {
                cpu_percent,
                cpu_limit_percent: now.cpu_limit,
                throttled_percent,
                memory_bytes,
                memory_limit_bytes,
                services: services.cloned().unwrap_or_default(),
            }
        })
    }

    /// Looks for the container at the first tick; for a configured group, which may start later, at each interval.
    fn find_container(&mut self, source: &mut impl HostSource) {
        let is_first = self.ticks == 0;
        let is_due = is_first || (self.configured.is_some() && self.ticks.is_multiple_of(POLL_INTERVAL));
        self.ticks = self.ticks.wrapping_add(1);
        if self.container.is_some() || !is_due {
            return;
        }
        self.container = find(self.configured.as_deref(), source, &mut self.text);
        if let (true, None, Some(cgroup)) = (is_first, &self.container, &self.configured) {
            tracing::warn!(cgroup, "no such control group yet; expected a path below /sys/fs/cgroup");
        }
    }
}

/// The configured group, or else the root of the visible hierarchy if this server runs in a container.
fn find(configured: Option<&str>, source: &mut impl HostSource, text: &mut String) -> Option<(CgroupVersion, String)> {
    let version = CgroupVersion::detect(source)?;
    let path = configured.map(|path| format!("/{}", path.trim_matches('/')));
    let usage = version.usage(path.as_deref().unwrap_or_default(), source, text)?;
    (configured.is_some() || usage.is_contained(version)).then(|| (version, path.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::RecordedHost};

    /// The sample of host `now`, a second after host `before`.
    fn sample(options: &SamplerOptions, mut before: RecordedHost, mut now: RecordedHost) -> Option<Cgroup> {
        let (mut sampler, clock) = (CgroupSampler::new(options), ManualClock::at(0.0));
        assert_eq!(sampler.sample(0, &mut before, &clock), None);
        clock.advance(1.0);
        sampler.sample(1000, &mut now, &clock).map(|sample| sample.values)
    }

    fn unified(folder: &str, cpu: u64, throttled: u64, limits: (&str, &str)) -> RecordedHost {
        let stat = format!("usage_usec {cpu}\nuser_usec 1\nnr_throttled 3\nthrottled_usec {throttled}\n");
        let files = [
            ("cpu.stat", stat.as_str()),
            ("cpu.max", limits.0),
            ("memory.current", "100000000\n"),
            ("memory.stat", "anon 5\ninactive_file 30000000\n"),
            ("memory.max", limits.1),
        ];
        let host = RecordedHost::default().with_folder("/sys/fs/cgroup", &["cgroup.controllers", "cpu.stat"]);
        files.iter().fold(host, |host, (name, text)| {
            host.with_owned(format!("/sys/fs/cgroup{folder}/{name}"), (*text).to_owned())
        })
    }

    #[test]
    fn container_reports_usage_and_limits() {
        let limits = ("150000 100000\n", "268435456\n");
        let cgroup =
            sample(&SamplerOptions::default(), unified("", 0, 0, limits), unified("", 750_000, 250_000, limits));
        let expected = Cgroup {
            cpu_percent: Some(75.0),
            cpu_limit_percent: Some(150.0),
            throttled_percent: Some(25.0),
            memory_bytes: Some(70_000_000),
            memory_limit_bytes: Some(256 << 20),
            services: BTreeMap::new(),
        };
        assert_eq!(cgroup, Some(expected));
    }

    #[test]
    fn container_without_limits_is_detected() {
        let host = || unified("", 0, 0, ("max 100000\n", "max\n"));
        let cgroup = sample(&SamplerOptions::default(), host(), host()).unwrap();
        assert_eq!((cgroup.cpu_percent, cgroup.cpu_limit_percent, cgroup.memory_limit_bytes), (Some(0.0), None, None));
    }

    #[test]
    fn cgroup_v1_reports_same_values_as_v2() {
        let host = |ns: u64| {
            let files = [
                ("cpuacct/cpuacct.usage", ns),
                ("cpu/cpu.cfs_quota_us", 50_000),
                ("cpu/cpu.cfs_period_us", 100_000),
                ("memory/memory.usage_in_bytes", 100_000_000),
                ("memory/memory.limit_in_bytes", 134_217_728),
            ];
            let host = RecordedHost::default()
                .with_folder("/sys/fs/cgroup", &["cpu", "cpuacct", "memory", "systemd"])
                .with("/sys/fs/cgroup/memory/memory.stat", "cache 1\ntotal_inactive_file 30000000\n")
                .with_owned(
                    "/sys/fs/cgroup/cpu/cpu.stat".to_owned(),
                    format!("nr_periods 1\nnr_throttled 1\nthrottled_time {ns}\n"),
                );
            files.iter().fold(host, |host, (name, value)| {
                host.with_owned(format!("/sys/fs/cgroup/{name}"), format!("{value}\n"))
            })
        };
        let cgroup = sample(&SamplerOptions::default(), host(0), host(400_000_000)).unwrap();
        assert_eq!(
            (cgroup.cpu_percent, cgroup.cpu_limit_percent, cgroup.throttled_percent),
            (Some(40.0), Some(50.0), Some(40.0))
        );
        assert_eq!((cgroup.memory_bytes, cgroup.memory_limit_bytes), (Some(70_000_000), Some(128 << 20)));
    }

    #[test]
    fn host_is_no_container_unless_group_is_configured() {
        let root = || RecordedHost::default().with_folder("/sys/fs/cgroup", &["cgroup.controllers"]);
        let host = || root().with("/sys/fs/cgroup/cpu.stat", "usage_usec 5\n");
        assert_eq!(sample(&SamplerOptions::default(), host(), host()), None);
        let legacy = || {
            RecordedHost::default()
                .with_folder("/sys/fs/cgroup", &["cpu", "memory"])
                .with("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n")
                .with("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
                .with("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
        };
        assert_eq!(sample(&SamplerOptions::default(), legacy(), legacy()), None);
        for name in ["/system.slice/web.service", "system.slice/web.service/"] {
            let options = SamplerOptions { cgroup: Some(name.to_owned()), ..SamplerOptions::default() };
            let host = || unified("/system.slice/web.service", 0, 0, ("max 100000", "max"));
            assert_eq!(sample(&options, host(), host()).unwrap().memory_bytes, Some(70_000_000));
            assert_eq!(sample(&options, root(), root()), None, "no such group");
        }
    }

    #[test]
    fn host_without_cgroups_has_no_sample() {
        assert_eq!(sample(&SamplerOptions::default(), RecordedHost::default(), RecordedHost::default()), None);
    }
}
