//! Processes from `/proc/PID` (proc_pid_stat(5), proc_pid_io(5)): a file for each, and a few more for those that are shown.
//! With thousands of them that takes longer than a tick may wait, so that it is done on a thread of its own.

use super::{Clock, HostSource, Reading, SamplerOptions, SystemClock, background::Background, rate};
use crate::schema::{Process, Processes, Sample};
use std::{
    collections::{BTreeSet, HashMap},
    mem,
    time::Duration,
};

/// Processes that are shown for the processor they take, and as many for their memory.
const SHOWN: usize = 20;
/// Ticks after which they are read anew.
const EVERY_MS: u64 = 2000;
/// A reading that is older tells nothing about the present.
const FORGET: Duration = Duration::from_secs(5);
/// Readings after which it is asked anew who a process acts for: few change that, and to ask takes long.
const USER_EVERY: u32 = 15;
/// Characters of a command line that are shown.
const COMMAND: usize = 200;

/// Samples processes, while somebody asks.
#[derive(Debug, Default)]
pub(super) struct ProcessesSampler {
    background: Option<Background<Sample<Processes>>>,
    asked: bool,
}

impl ProcessesSampler {
    /// Reads `source` on a thread of its own.
    pub(super) fn start(source: impl HostSource + Send + 'static, options: &SamplerOptions) -> Self {
        let mut reader = Reader::new(source, options.command_lines);
        let clock = SystemClock::default();
        Self { background: Some(Background::start("processes", move || reader.sample(&clock))), asked: false }
    }

    /// What was read since the last tick. For whoever begins to ask, the first reading is made at once.
    pub(super) fn sample(&mut self, t: u64, asked: bool) -> Option<Sample<Processes>> {
        let background = self.background.as_ref()?;
        let begins = !mem::replace(&mut self.asked, asked);
        if asked && (begins || t.is_multiple_of(EVERY_MS)) {
            background.ask();
        }
        background.take().map(|sample| Sample { t, ..sample })
    }
}

/// One process, as its `stat` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stat {
    pid: u32,
    name: String,
    /// Processor time since its start, in clock ticks.
    ticks: u64,
    threads: u64,
    /// When it was started, in clock ticks since the host was.
    started: u64,
    /// Pages.
    rss: u64,
}

/// What is kept of a process until the next reading.
#[derive(Debug)]
struct Before {
    started: u64,
    ticks: u64,
    /// Bytes read and written, of those that are shown.
    io: Option<(u64, u64)>,
    /// Who it acts for, of those that are shown.
    user: Option<String>,
}

impl Before {
    fn new(stat: &Stat) -> Self {
        Self { started: stat.started, ticks: stat.ticks, io: None, user: None }
    }
}

#[derive(Debug)]
struct Reader<S> {
    source: S,
    ticks_per_second: u64,
    page_size: u64,
    command_lines: bool,
    last: Option<Reading<HashMap<u32, Before>>>,
    /// When the host was started, unix seconds.
    boot: Option<u64>,
    readings: u32,
    users: HashMap<u32, String>,
    text: String,
}

impl<S: HostSource> Reader<S> {
    fn new(source: S, command_lines: bool) -> Self {
        Self {
            source,
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            page_size: rustix::param::page_size() as u64,
            command_lines,
            last: None,
            boot: None,
            readings: 0,
            users: HashMap::new(),
            text: String::new(),
        }
    }

    /// From the second time on, what has changed since the last.
    fn sample(&mut self, clock: &impl Clock) -> Option<Sample<Processes>> {
        let reading = Reading::take(clock, || self.all())?;
        self.readings = self.readings.wrapping_add(1);
        let (at, all) = (reading.at, reading.counters);
        let now = all.iter().map(|stat| (stat.pid, Before::new(stat)));
        let before = self.last.replace(Reading { at, counters: now.collect() });
        let Some(before) = before.filter(|before| at.mono.saturating_sub(before.at.mono) < FORGET) else {
            self.boot = self.boot_time();
            return None;
        };
        Some(at.sample(0, before.at, |dt| {
            let newest = before.counters.values().map(|before| before.started).max().unwrap_or_default();
            let top = top(&all, &before.counters, newest).into_iter();
            let top = top.map(|stat| self.describe(stat, before.counters.get(&stat.pid), newest, dt)).collect();
            Processes { total: all.len() as u64, top }
        }))
    }

    /// Every process that may be seen. One that ends meanwhile is passed over.
    fn all(&mut self) -> Option<Vec<Stat>> {
        let names = self.source.list("/proc").ok()?;
        let stat = |pid: u32| {
            self.source.read_once(&format!("/proc/{pid}/stat"), &mut self.text).ok()?;
            parse(&self.text)
        };
        Some(names.iter().filter_map(|name| name.parse().ok()).filter_map(stat).collect())
    }

    fn describe(&mut self, stat: &Stat, before: Option<&Before>, newest: u64, dt: f64) -> Process {
        let before = before.filter(|before| before.started == stat.started);
        let io = self.io(stat.pid);
        let known = before.filter(|_| !self.readings.wrapping_add(stat.pid).is_multiple_of(USER_EVERY));
        let user = known.and_then(|before| before.user.clone()).or_else(|| self.user(stat.pid));
        if let Some(now) = self.last.as_mut().and_then(|last| last.counters.get_mut(&stat.pid)) {
            (now.io, now.user) = (io, user.clone());
        }
        let io_before = before.and_then(|before| before.io);
        let io = |of: fn((u64, u64)) -> u64| rate::rate(io_before.map(of), io.map(of), dt);
        let ticks = dt * self.ticks_per_second as f64;
        Process {
            pid: stat.pid,
            name: stat.name.clone(),
            user,
            cpu: taken(stat, before, newest).and_then(|taken| rate::places(taken as f64 / ticks * 100.0)),
            rss: stat.rss.saturating_mul(self.page_size),
            read_bytes: io(|(read, _)| read),
            write_bytes: io(|(_, written)| written),
            threads: stat.threads,
            started: self.boot.map(|boot| boot + stat.started / self.ticks_per_second),
            command: if self.command_lines { self.command(stat.pid) } else { None },
        }
    }

    fn boot_time(&mut self) -> Option<u64> {
        self.source.read("/proc/stat", &mut self.text).ok()?;
        self.text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
    }

    /// Only for its own processes does the kernel tell an ordinary user.
    fn io(&mut self, pid: u32) -> Option<(u64, u64)> {
        self.source.read_once(&format!("/proc/{pid}/io"), &mut self.text).ok()?;
        let bytes = |name| self.text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        bytes("read_bytes:").zip(bytes("write_bytes:"))
    }

    /// Who it acts for: the effective one of the four in `Uid:`.
    fn user(&mut self, pid: u32) -> Option<String> {
        self.source.read_once(&format!("/proc/{pid}/status"), &mut self.text).ok()?;
        let ids = self.text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let id = ids.split_ascii_whitespace().nth(1)?.parse().ok()?;
        if !self.users.contains_key(&id) {
            self.learn_users();
        }
        Some(self.users.get(&id).cloned().unwrap_or_else(|| id.to_string()))
    }

    /// `root:x:0:0:root:/root:/bin/sh`; of two names for one number, the first holds (getpwuid(3)).
    fn learn_users(&mut self) {
        if self.source.read_anew("/etc/passwd", &mut self.text).is_err() {
            return;
        }
        for line in self.text.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
                self.users.entry(id).or_insert_with(|| name.to_owned());
            }
        }
    }

    fn command(&mut self, pid: u32) -> Option<String> {
        self.source.read_once(&format!("/proc/{pid}/cmdline"), &mut self.text).ok()?;
        let command = self.text.trim_end_matches('\0').replace('\0', " ");
        (!command.is_empty()).then(|| command.chars().take(COMMAND).collect())
    }
}

/// Clock ticks of processor time since `before`, or since its start if that was later than the `newest` start known then: one
/// that merely couldn't be read then has not taken all that it ever took since.
fn taken(now: &Stat, before: Option<&Before>, newest: u64) -> Option<u64> {
    match before {
        Some(before) => rate::delta(before.ticks, now.ticks),
        None => (now.started >= newest).then_some(now.ticks),
    }
}

/// Those that take most of the processor, then those that hold most memory.
fn top<'a>(all: &'a [Stat], before: &HashMap<u32, Before>, newest: u64) -> Vec<&'a Stat> {
    let taken = |stat: &Stat| {
        let before = before.get(&stat.pid).filter(|before| before.started == stat.started);
        taken(stat, before, newest).unwrap_or_default()
    };
    let most = |of: &dyn Fn(&Stat) -> u64| {
        // Of equals, those of the lowest number, so that it is the same ones each time.
        let some = all.iter().enumerate().filter(|(_, stat)| of(stat) > 0);
        let mut order: Vec<_> = some.map(|(i, stat)| (u64::MAX - of(stat), stat.pid, i)).collect();
        order.sort_unstable();
        order.truncate(SHOWN);
        order.into_iter().map(|(.., i)| i).collect::<Vec<_>>()
    };
    let busy = most(&taken);
    let large = most(&|stat| stat.rss);
    let known: BTreeSet<_> = busy.iter().copied().collect();
    busy.iter().chain(large.iter().filter(|i| !known.contains(i))).map(|i| &all[*i]).collect()
}

/// `7 (a name) S 1 7 7 …`: the name may hold anything, also what looks like its end.
fn parse(text: &str) -> Option<Stat> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    // The field that follows the name is the third.
    let fields: Vec<&str> = rest.split_ascii_whitespace().take(22).collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        ticks: field(14)?.saturating_add(field(15)?),
        threads: field(20)?,
        started: field(22)?,
        rss: field(24)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::sampler::{clock::ManualClock, linux::tests::Recorded};

    /// A process in `/proc`.
    struct Played {
        pid: u32,
        name: &'static str,
        ticks: u64,
        started: u64,
        rss: u64,
    }

    const IDLE: Played = Played { pid: 1, name: "init", ticks: 50, started: 10, rss: 100 };

    fn host(processes: &[Played]) -> Recorded {
        let pids: Vec<String> = processes.iter().map(|process| process.pid.to_string()).collect();
        let names: Vec<&str> = ["self", "stat"].into_iter().chain(pids.iter().map(String::as_str)).collect();
        let host = Recorded::default()
            .with_folder("/proc", &names)
            .with("/proc/stat", "cpu 1 2 3\nbtime 1000000\n")
            .with("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\nwww-data:x:33:33::/:\n");
        processes.iter().fold(host, |host, Played { pid, name, ticks, started, rss }| {
            let stat =
                format!("{pid} ({name}) S 1 1 1 0 -1 4 0 0 0 0 {ticks} 0 0 0 20 0 3 0 {started} 9 {rss} 18446\n");
            host.with_owned(format!("/proc/{pid}/stat"), stat)
        })
    }

    fn reader() -> Reader<Recorded> {
        let reader = Reader::new(Recorded::default(), true);
        Reader { ticks_per_second: 100, page_size: 4096, ..reader }
    }

    /// What is told of the second host, two seconds after the first.
    fn sample(before: Recorded, now: Recorded) -> Processes {
        let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
        reader.source = before;
        assert_eq!(reader.sample(&clock), None);
        clock.stall_now(2.0);
        reader.source = now;
        let sample = reader.sample(&clock).unwrap();
        assert_eq!(sample.dt, 2.0);
        sample.values
    }

    #[test]
    fn a_process_is_told_with_all_that_is_known() {
        let burner = |ticks| Played { pid: 77, name: "a) S 9 (b", ticks, started: 500, rss: 3 };
        let io = |read: u64| format!("rchar: 9\nread_bytes: {read}\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
        let with = |host: Recorded, read: u64| {
            host.with_owned("/proc/77/io".to_owned(), io(read))
                .with("/proc/77/status", "Name:\tx\nUid:\t0\t33\t0\t0\n")
                .with("/proc/77/cmdline", "burn\0--password\0hunter2\0")
        };
        let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
        for (ticks, read) in [(100, 0), (200, 1000), (500, 5000)] {
            reader.source = with(host(&[IDLE, burner(ticks)]), read);
            let told = reader.sample(&clock);
            clock.stall_now(2.0);
            if read < 5000 {
                continue;
            }
            let Processes { total, top } = told.unwrap().values;
            assert_eq!(total, 2);
            let burner = Process {
                pid: 77,
                name: "a) S 9 (b".to_owned(),
                user: Some("www-data".to_owned()),
                cpu: Some(150.0),
                rss: 3 * 4096,
                read_bytes: Some(2000.0),
                write_bytes: Some(0.0),
                threads: 3,
                started: Some(1_000_005),
                command: Some("burn --password hunter2".to_owned()),
            };
            assert_eq!(top[0], burner);
            assert_eq!((top[1].user.as_ref(), top[1].read_bytes, top[1].cpu), (None, None, Some(0.0)), "not permitted");
        }
    }

    #[test]
    fn one_that_could_not_be_read_before_has_not_taken_all_that_it_ever_took() {
        let old = Played { pid: 9, name: "old", ticks: 1_000_000, started: 3, rss: 7 };
        let told = sample(host(&[IDLE]), host(&[IDLE, old])).top;
        assert_eq!((told[0].pid, told[0].cpu), (1, Some(0.0)));
        assert_eq!((told[1].pid, told[1].cpu), (9, None));
    }

    #[test]
    fn a_number_that_was_given_anew_is_another_process() {
        let now = Played { ticks: 30, started: 9000, ..IDLE };
        assert_eq!(sample(host(&[IDLE]), host(&[now])).top[0].cpu, Some(15.0), "all that it has taken since its start");
        let fallen = Played { ticks: 30, ..IDLE };
        assert_eq!(sample(host(&[IDLE]), host(&[fallen])).top[0].cpu, None);
    }

    #[test]
    fn the_busiest_come_first_and_the_largest_after_them() {
        let process = |pid: u32, busy: u64| Played {
            pid,
            name: "x",
            ticks: if pid <= 30 { 100 + busy * u64::from(pid) } else { 5 },
            started: 1,
            rss: u64::from(pid),
        };
        let all = |busy| host(&(1..=200).map(|pid| process(pid, busy)).collect::<Vec<_>>());
        let Processes { total, top } = sample(all(0), all(1));
        assert_eq!((total, top.len()), (200, 2 * SHOWN));
        let pids: Vec<u32> = top.iter().map(|process| process.pid).collect();
        let expected: Vec<u32> = (11..=30).rev().chain((181..=200).rev()).collect();
        assert_eq!(pids, expected);
    }

    #[test]
    fn who_has_not_asked_for_long_begins_anew() {
        let (mut reader, clock) = (reader(), ManualClock::at(1_000.0));
        reader.source = host(&[IDLE]);
        assert_eq!(reader.sample(&clock), None);
        clock.stall_now(60.0);
        assert_eq!(reader.sample(&clock), None);
        clock.stall_now(2.0);
        assert!(reader.sample(&clock).is_some());
    }

    #[test]
    fn what_is_no_process_is_passed_over() {
        for text in
            ["", "7", "7 (x", "7 (x) S", "x (x) S 1 1 1 0 -1 4 0 0 0 0 1 0 0 0 20 0 3 0 1 9 1", "7 (x) S 1 2 3 4"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn where_processes_are_hidden_the_rest_is_told() {
        // As with hidepid=1: a folder, and nothing in it that may be read.
        let host = || host(&[IDLE]).with_folder("/proc", &["1", "2", "3"]);
        let Processes { total, top } = sample(host(), host());
        assert_eq!((total, top.len()), (1, 1));
    }
}
