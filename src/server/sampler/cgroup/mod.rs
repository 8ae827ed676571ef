//! Control groups: at each tick the one that contains this server, and every few seconds those of the services.

mod name;
mod services;
mod usage;

use super::{Clock, HostSource, SamplerOptions, SystemClock, background::Background, rate::PreviousReading};
use crate::schema::{Cgroup, Sample, Service};
use services::ServicesReader;
use std::collections::BTreeMap;
use usage::{Hierarchy, Usage};

/// Ticks after which the services are looked at anew.
const ASK_EVERY: u32 = 5;

/// Samples control groups.
#[derive(Debug)]
pub(super) struct CgroupSampler {
    /// The one that the operator has named.
    named: Option<String>,
    /// Where the one is that was named, or that contains this server.
    own: Option<(Hierarchy, String)>,
    background: Option<Background<BTreeMap<String, Service>>>,
    services: BTreeMap<String, Service>,
    last: PreviousReading<Usage>,
    ticks: u32,
    /// Ticks since the services were told.
    silent: u32,
    text: String,
}

impl CgroupSampler {
    /// Looks at the container, and not at services.
    pub(super) fn new(options: &SamplerOptions) -> Self {
        Self {
            named: options.cgroup.clone(),
            own: None,
            background: None,
            services: BTreeMap::new(),
            last: PreviousReading::default(),
            ticks: 0,
            silent: 0,
            text: String::new(),
        }
    }

    /// Looks also at the services that `source` tells about, on a thread of its own.
    pub(super) fn start(options: &SamplerOptions, source: impl HostSource + Send + 'static) -> Self {
        let mut reader = ServicesReader::new(source);
        let clock = SystemClock::default();
        Self { background: Some(Background::start("services", move || reader.read(&clock))), ..Self::new(options) }
    }

    pub(super) fn sample(
        &mut self,
        t: u64,
        source: &mut impl HostSource,
        clock: &impl Clock,
    ) -> Option<Sample<Cgroup>> {
        let is_due = self.ticks.is_multiple_of(ASK_EVERY);
        if let Some(background) = &self.background {
            if is_due {
                background.ask();
            }
            self.silent += 1;
            if let Some(services) = background.take() {
                (self.services, self.silent) = (services, 0);
            } else if self.silent > 3 * ASK_EVERY {
                self.services.clear();
            }
        }
        // A service that was named may be started later; whether this is a container is known from the start.
        if self.own.is_none() && is_due && (self.ticks == 0 || self.named.is_some()) {
            self.own = find(self.named.as_deref(), source, &mut self.text);
            if let (None, Some(named), 0) = (&self.own, &self.named, self.ticks) {
                tracing::warn!(
                    cgroup = named,
                    "there is no such control group yet; a group is a folder below /sys/fs/cgroup"
                );
            }
        }
        self.ticks = self.ticks.wrapping_add(1);
        let (text, services) = (&mut self.text, &self.services);
        let read = || match &self.own {
            Some((hierarchy, path)) => hierarchy.usage(path, source, text),
            None => (!services.is_empty()).then(Usage::default),
        };
        self.last.sample(t, clock, read, |before, now, dt| {
            let Service { cpu, throttled, memory, memory_limit } = now.since(before, dt);
            Cgroup { cpu, cpu_limit: now.cpu_limit, throttled, memory, memory_limit, services: services.clone() }
        })
    }
}

/// The group that was named, or the one that contains this server: that is then the root of all that it sees.
fn find(named: Option<&str>, source: &mut impl HostSource, text: &mut String) -> Option<(Hierarchy, String)> {
    let hierarchy = Hierarchy::find(source)?;
    let path = named.map(|named| format!("/{}", named.trim_matches('/')));
    let usage = hierarchy.usage(path.as_deref().unwrap_or_default(), source, text)?;
    (named.is_some() || usage.is_contained(hierarchy)).then(|| (hierarchy, path.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::Recorded};

    /// What is told of the second host, a second after the first.
    fn sample(options: &SamplerOptions, mut before: Recorded, mut now: Recorded) -> Option<Cgroup> {
        let (mut sampler, clock) = (CgroupSampler::new(options), ManualClock::at(0.0));
        assert_eq!(sampler.sample(0, &mut before, &clock), None);
        clock.stall_now(1.0);
        sampler.sample(1000, &mut now, &clock).map(|sample| sample.values)
    }

    fn unified(folder: &str, cpu: u64, throttled: u64, limits: (&str, &str)) -> Recorded {
        let stat = format!("usage_usec {cpu}\nuser_usec 1\nnr_throttled 3\nthrottled_usec {throttled}\n");
        let files = [
            ("cpu.stat", stat.as_str()),
            ("cpu.max", limits.0),
            ("memory.current", "100000000\n"),
            ("memory.stat", "anon 5\ninactive_file 30000000\n"),
            ("memory.max", limits.1),
        ];
        let host = Recorded::default().with_folder("/sys/fs/cgroup", &["cgroup.controllers", "cpu.stat"]);
        files.iter().fold(host, |host, (name, text)| {
            host.with_owned(format!("/sys/fs/cgroup{folder}/{name}"), (*text).to_owned())
        })
    }

    #[test]
    fn a_container_is_told_what_it_may_take() {
        let limits = ("150000 100000\n", "268435456\n");
        let told = sample(&SamplerOptions::default(), unified("", 0, 0, limits), unified("", 750_000, 250_000, limits));
        let expected = Cgroup {
            cpu: Some(75.0),
            cpu_limit: Some(150.0),
            throttled: Some(25.0),
            memory: Some(70_000_000),
            memory_limit: Some(256 << 20),
            services: BTreeMap::new(),
        };
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn a_container_without_limits_is_one_all_the_same() {
        let host = || unified("", 0, 0, ("max 100000\n", "max\n"));
        let told = sample(&SamplerOptions::default(), host(), host()).unwrap();
        assert_eq!((told.cpu, told.cpu_limit, told.memory_limit), (Some(0.0), None, None));
    }

    #[test]
    fn an_older_kernel_tells_the_same_in_other_words() {
        let host = |ns: u64| {
            let files = [
                ("cpuacct/cpuacct.usage", ns),
                ("cpu/cpu.cfs_quota_us", 50_000),
                ("cpu/cpu.cfs_period_us", 100_000),
                ("memory/memory.usage_in_bytes", 100_000_000),
                ("memory/memory.limit_in_bytes", 134_217_728),
            ];
            let host = Recorded::default()
                .with_folder("/sys/fs/cgroup", &["cpu", "cpuacct", "memory", "systemd"])
                .with("/sys/fs/cgroup/memory/memory.stat", "cache 1\ntotal_inactive_file 30000000\n")
                .with_owned(
                    "/sys/fs/cgroup/cpu/cpu.stat".to_owned(),
                    format!("nr_periods 1\nnr_throttled 1\nthrottled_time {ns}\n"),
                );
            files.iter().fold(host, |host, (name, figure)| {
                host.with_owned(format!("/sys/fs/cgroup/{name}"), format!("{figure}\n"))
            })
        };
        let told = sample(&SamplerOptions::default(), host(0), host(400_000_000)).unwrap();
        assert_eq!((told.cpu, told.cpu_limit, told.throttled), (Some(40.0), Some(50.0), Some(40.0)));
        assert_eq!((told.memory, told.memory_limit), (Some(70_000_000), Some(128 << 20)));
    }

    #[test]
    fn a_host_is_no_container_unless_one_is_named() {
        let root = || Recorded::default().with_folder("/sys/fs/cgroup", &["cgroup.controllers"]);
        let host = || root().with("/sys/fs/cgroup/cpu.stat", "usage_usec 5\n");
        assert_eq!(sample(&SamplerOptions::default(), host(), host()), None);
        let legacy = || {
            Recorded::default()
                .with_folder("/sys/fs/cgroup", &["cpu", "memory"])
                .with("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n")
                .with("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
                .with("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
        };
        assert_eq!(sample(&SamplerOptions::default(), legacy(), legacy()), None);
        for name in ["/system.slice/web.service", "system.slice/web.service/"] {
            let options = SamplerOptions { cgroup: Some(name.to_owned()), ..SamplerOptions::default() };
            let host = || unified("/system.slice/web.service", 0, 0, ("max 100000", "max"));
            assert_eq!(sample(&options, host(), host()).unwrap().memory, Some(70_000_000));
            assert_eq!(sample(&options, root(), root()), None, "it isn't there");
        }
    }

    #[test]
    fn a_host_without_groups_has_none() {
        assert_eq!(sample(&SamplerOptions::default(), Recorded::default(), Recorded::default()), None);
    }
}
