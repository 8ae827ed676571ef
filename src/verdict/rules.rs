//! The rules. Each looks for one kind of trouble; `docs/verdict.md` says where the bounds are from.

use super::evidence::Evidence;
use crate::{
    schema::{Finding, Level},
    units::{Unit, duration},
};

type Rule = fn(&Evidence<'_>) -> Vec<Finding>;

/// In the order in which they are told where they matter as much.
pub(super) const RULES: [Rule; 12] = [
    killed,
    memory_short,
    memory_leak,
    processor,
    steal,
    throttled,
    stuck_filesystems,
    full_filesystems,
    disk,
    connections,
    network,
    temperature,
];

/// A bound that must hold for so long is no burst.
const MINUTE: usize = 60;
const FIVE_MINUTES: usize = 300;
const TEN_MINUTES: usize = 600;

fn finding(level: Level, text: String, since: Option<u64>) -> Option<Finding> {
    Some(Finding { level, text, since })
}

/// A percentage as it is spoken of.
fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

/// Whether what was above `bound` for long is so no more.
fn has_ended(evidence: &Evidence<'_>, path: &str, bound: f64) -> bool {
    evidence.mean(path, 10).is_some_and(|now| now < bound / 2.0)
}

/// The kernel has killed for want of memory.
fn killed(evidence: &Evidence<'_>) -> Vec<Finding> {
    let at = evidence.last_time("memory.oom_kills", TEN_MINUTES, |kills| kills > 0.0);
    let text = || "The kernel has killed a process for want of memory.".to_owned();
    at.and_then(|at| finding(Level::Trouble, text(), Some(at))).into_iter().collect()
}

/// Memory that is short now.
fn memory_short(evidence: &Evidence<'_>) -> Vec<Finding> {
    const WAITING: f64 = 5.0;
    const SWAPPED_IN: f64 = 1024.0 * 1024.0;
    const SCARCE: f64 = 0.05;
    let assess = || {
        let (total, available) = (evidence.last("memory.total")?, evidence.last("memory.available")?);
        let waiting = evidence.mean("pressure.memory.full", MINUTE).unwrap_or(0.0);
        let swapped = evidence.mean("memory.swap_in", MINUTE).unwrap_or(0.0);
        let left = percent(available / total * 100.0);
        let holder = holder(evidence);
        if swapped >= SWAPPED_IN {
            let since = evidence.since("memory.swap_in", |rate| rate >= SWAPPED_IN / 2.0);
            let rate = Unit::Throughput.text(Some(swapped));
            return finding(Level::Trouble, format!("Memory is short: the host swaps in {rate}.{holder}"), since);
        }
        if waiting >= WAITING {
            let since = evidence.since("pressure.memory.full", |share| share >= WAITING / 2.0);
            let text = format!("Memory is short: everything waits for it {} of the time.{holder}", percent(waiting));
            return finding(Level::Trouble, text, since);
        }
        if available < total * SCARCE {
            let since = evidence.since("memory.available", |available| available < total * SCARCE);
            return finding(Level::Watch, format!("Only {left} of the memory is available.{holder}"), since);
        }
        None
    };
    assess().into_iter().collect()
}

/// Memory that will be short.
fn memory_leak(evidence: &Evidence<'_>) -> Vec<Finding> {
    /// How straight the line is on which memory fills up: programs that do their work go up and down.
    const STRAIGHT: f64 = 0.9;
    const SOON_S: f64 = 3600.0;
    let assess = || {
        let (rise, fit) = evidence.rise("memory.used", TEN_MINUTES)?;
        let available = evidence.last("memory.available")?;
        let left = available / rise;
        if rise <= 0.0 || fit < STRAIGHT || left > SOON_S {
            return None;
        }
        let rate = Unit::Bytes.text(Some(rise * 60.0));
        let full = duration((left / 60.0).ceil() as u64 * 60);
        let text =
            format!("Memory fills up by {rate} a minute; at this rate it is full in {full}.{}", holder(evidence));
        finding(Level::Watch, text, None)
    };
    assess().into_iter().collect()
}

/// Who holds most memory, as a sentence.
fn holder(evidence: &Evidence<'_>) -> String {
    let process = evidence.top(|process| process.rss as f64).map(|(process, rss)| (process.name.clone(), rss));
    let most = process.or_else(|| evidence.top_service(".memory"));
    most.map_or(String::new(), |(name, bytes)| format!(" {name} holds {}.", Unit::Bytes.text(Some(bytes))))
}

/// A processor that is in use, and one that is too small.
fn processor(evidence: &Evidence<'_>) -> Vec<Finding> {
    const BUSY: f64 = 70.0;
    const FULL: f64 = 85.0;
    const WAITING: f64 = 50.0;
    const QUEUE: f64 = 2.0;
    /// Who takes less than this part of what is taken isn't who it is.
    const BLAMED: f64 = 0.25;
    let assess = || {
        let busy = evidence.mean("cpu.total", MINUTE)?;
        if has_ended(evidence, "cpu.total", BUSY) {
            return None;
        }
        let since = evidence.since("cpu.total", |share| share >= BUSY);
        let cores = evidence.names("cpu.cores.", "").len().max(1) as f64;
        let process = evidence.top(|process| process.cpu.unwrap_or(0.0)).map(|(p, share)| (p.name.clone(), share));
        let taker =
            process.or_else(|| evidence.top_service(".cpu")).filter(|(_, share)| *share >= busy * cores * BLAMED);
        let taker = taker.map_or(String::new(), |(name, share)| {
            format!(" {name} takes {:.1} of {cores} {}.", share / 100.0, if cores == 1.0 { "core" } else { "cores" })
        });
        let waiting = evidence.mean("pressure.cpu.some", FIVE_MINUTES);
        let queue = evidence.mean("load.one", FIVE_MINUTES).map(|load| load / cores);
        let is_short = waiting.map_or(queue.is_some_and(|queue| queue >= QUEUE), |waiting| waiting >= WAITING);
        if is_short && evidence.mean("cpu.total", FIVE_MINUTES).is_some_and(|busy| busy >= FULL) {
            let how = waiting.map_or(String::new(), |waiting| format!(" {} of the time", percent(waiting)));
            return finding(Level::Trouble, format!("Tasks have to wait for a processor{how}.{taker}"), since);
        }
        (busy >= BUSY)
            .then(|| finding(Level::Busy, format!("The processor is {} busy.{taker}", percent(busy)), since))?
    };
    assess().into_iter().collect()
}

/// A processor that others take.
fn steal(evidence: &Evidence<'_>) -> Vec<Finding> {
    const STOLEN: f64 = 10.0;
    let stolen = evidence.mean("cpu.steal", MINUTE).filter(|stolen| *stolen >= STOLEN);
    let assess = |stolen| {
        let since = evidence.since("cpu.steal", |share| share >= STOLEN / 2.0);
        let text =
            format!("{} of the processor is given to other virtual machines on the same hardware.", percent(stolen));
        finding(Level::Trouble, text, since)
    };
    stolen.and_then(assess).into_iter().collect()
}

/// A processor that a limit keeps from its container.
fn throttled(evidence: &Evidence<'_>) -> Vec<Finding> {
    const THROTTLED: f64 = 20.0;
    let assess = |path: String, who: String, level| {
        let share = evidence.mean(&path, MINUTE).filter(|share| *share >= THROTTLED)?;
        let since = evidence.since(&path, |share| share >= THROTTLED / 2.0);
        finding(
            level,
            format!("{who} is kept from the processor by its own limit {} of the time.", percent(share)),
            since,
        )
    };
    let own = assess("cgroup.throttled".to_owned(), "This container".to_owned(), Level::Trouble);
    let services = evidence.names("cgroup.services.", ".throttled").into_iter();
    let services = services.filter_map(|name| assess(format!("cgroup.services.{name}.throttled"), name, Level::Watch));
    own.into_iter().chain(services).collect()
}

/// Filesystems that don't answer.
fn stuck_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    /// They are asked every ten seconds.
    const STUCK_S: f64 = 30.0;
    let folders = evidence.names("disk.filesystems.", ".age").into_iter();
    let stuck = folders.filter_map(|folder| {
        let age = evidence.last(&format!("disk.filesystems.{folder}.age")).filter(|age| *age >= STUCK_S)?;
        let since = evidence.window.end()? / 1000;
        finding(Level::Trouble, format!("The filesystem {folder} doesn't answer."), Some(since - age as u64))
    });
    stuck.collect()
}

/// Filesystems without room.
fn full_filesystems(evidence: &Evidence<'_>) -> Vec<Finding> {
    const FULL: f64 = 98.0;
    const NEARLY: f64 = 90.0;
    let folders = evidence.names("disk.filesystems.", ".full").into_iter();
    let full = folders.filter_map(|folder| {
        let of = |field: &str| evidence.last(&format!("disk.filesystems.{folder}.{field}"));
        let bytes = of("full").unwrap_or(0.0);
        let inodes =
            of("inodes_used").zip(of("inodes").filter(|all| *all > 0.0)).map_or(0.0, |(used, all)| used / all * 100.0);
        let (share, what) = if inodes > bytes { (inodes, "its inodes are used up") } else { (bytes, "it is full") };
        let text = |how: &str| format!("The filesystem {folder}: {how} to {}.", percent(share));
        match share {
            FULL.. => finding(Level::Trouble, text(what), None),
            NEARLY.. => finding(Level::Watch, text(what), None),
            _ => None,
        }
    });
    full.collect()
}

/// A disk that is slow, and one that is in use.
fn disk(evidence: &Evidence<'_>) -> Vec<Finding> {
    const WAITING: f64 = 20.0;
    const SLOW_MS: f64 = 100.0;
    const BUSY: f64 = 80.0;
    let assess = |name: String| {
        let path = |field: &str| format!("disk.devices.{name}.{field}");
        let mean = |field: &str, seconds| evidence.mean(&path(field), seconds);
        let busy = mean("busy", MINUTE).filter(|busy| *busy >= BUSY)?;
        if has_ended(evidence, &path("busy"), BUSY) {
            return None;
        }
        let since = evidence.since(&path("busy"), |busy| busy >= BUSY / 2.0);
        let user = evidence.top(|process| process.read_bytes.unwrap_or(0.0) + process.write_bytes.unwrap_or(0.0));
        let user = user.map_or(String::new(), |(process, rate)| {
            format!(" {} moves {}.", process.name, Unit::Throughput.text(Some(rate)))
        });
        // How long a request takes: those under way by those that end in a second (Little's law).
        let rate = mean("reads", FIVE_MINUTES)? + mean("writes", FIVE_MINUTES)?;
        let took_ms = mean("queue", FIVE_MINUTES)? / rate.max(0.1) * 1000.0;
        let waiting = evidence.mean("pressure.io.some", FIVE_MINUTES).unwrap_or(100.0);
        if took_ms >= SLOW_MS && waiting >= WAITING && mean("busy", FIVE_MINUTES)? >= BUSY {
            let text = format!("The disk {name} is slow: a request takes {took_ms:.0} ms.{user}");
            return finding(Level::Trouble, text, since);
        }
        finding(Level::Busy, format!("The disk {name} is {} busy.{user}", percent(busy)), since)
    };
    evidence.names("disk.devices.", ".busy").into_iter().filter_map(assess).collect()
}

/// Connections that are more than programs take.
fn connections(evidence: &Evidence<'_>) -> Vec<Finding> {
    const TURNED_AWAY: f64 = 0.1;
    const HALF_OPEN: f64 = 256.0;
    const MANY: f64 = 1000.0;
    const TIMES: f64 = 4.0;
    let assess = || {
        let overflows = "connections.tcp.listen_overflows";
        if let Some(rate) = evidence.mean(overflows, MINUTE).filter(|rate| *rate >= TURNED_AWAY) {
            let since = evidence.since(overflows, |rate| rate > 0.0);
            let text = format!(
                "A program is too slow to take its connections: {} are turned away.",
                Unit::Rate.text(Some(rate))
            );
            return finding(Level::Trouble, text, since);
        }
        let half_open = "connections.tcp.syn_recv";
        if let Some(count) = evidence.mean(half_open, MINUTE / 6).filter(|count| *count >= HALF_OPEN) {
            let since = evidence.since(half_open, |count| count >= HALF_OPEN / 2.0);
            return finding(Level::Trouble, format!("A flood of connections: {count:.0} are half open."), since);
        }
        let path = "connections.tcp.in_use";
        let (now, before) = (evidence.mean(path, MINUTE / 6)?, evidence.mean(path, TEN_MINUTES)?);
        let since = evidence.since(path, |count| count >= now / 2.0);
        let text = || format!("Connections have risen to {now:.0}, from {before:.0} on average.");
        (now >= MANY && now >= before * TIMES).then(|| finding(Level::Watch, text(), since))?
    };
    assess().into_iter().collect()
}

/// Interfaces that lose packets.
fn network(evidence: &Evidence<'_>) -> Vec<Finding> {
    const ERRORS: f64 = 1.0;
    const DROPS: f64 = 10.0;
    let assess = |name: String| {
        for (field, bound, verb) in [("errors", ERRORS, "damages"), ("drops", DROPS, "drops")] {
            let path = format!("network.interfaces.{name}.{field}");
            if let Some(rate) = evidence.mean(&path, MINUTE).filter(|rate| *rate >= bound) {
                let since = evidence.since(&path, |rate| rate >= bound / 2.0);
                let text =
                    format!("The interface {name} {verb} {} packets a second.", Unit::Count.text(Some(rate.round())));
                return finding(Level::Watch, text, since);
            }
        }
        None
    };
    evidence.names("network.interfaces.", ".errors").into_iter().filter_map(assess).collect()
}

/// Sensors above their own limits.
fn temperature(evidence: &Evidence<'_>) -> Vec<Finding> {
    let assess = |name: String| {
        let of =
            |field: &str| evidence.last(&format!("temperature.sensors.{name}.{field}")).filter(|limit| *limit > 0.0);
        let now = of("celsius")?;
        let (level, limit) = match (of("critical"), of("high")) {
            (Some(critical), _) if now >= critical => (Level::Trouble, critical),
            (_, Some(high)) if now >= high => (Level::Watch, high),
            _ => return None,
        };
        let since = evidence.since(&format!("temperature.sensors.{name}.celsius"), |celsius| celsius >= limit);
        finding(level, format!("{name} is at {now:.0} °C; it should stay below {limit:.0}."), since)
    };
    evidence.names("temperature.sensors.", ".celsius").into_iter().filter_map(assess).collect()
}
