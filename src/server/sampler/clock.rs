//! Wall-clock, monotonic and CPU time behind a trait, with a manual clock for tests.

use std::time::Duration;
#[cfg(not(target_os = "linux"))]
use std::{thread, time};

/// A point in time on the wall clock and the monotonic clock. The wall clock can be stepped; the monotonic clock
/// cannot, and stops while the host is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Since the unix epoch.
    pub wall: Duration,
    /// Since an arbitrary start.
    pub mono: Duration,
}

impl Timestamp {
    /// The point in time that is `time` later.
    pub fn plus(self, time: Duration) -> Self {
        Self { wall: self.wall + time, mono: self.mono + time }
    }
}

/// A source of time.
pub trait Clock {
    /// Both clocks, read together.
    fn now(&self) -> Timestamp;

    /// Sleeps until the monotonic clock reaches `mono`.
    fn sleep_until(&self, mono: Duration);

    /// CPU time of the calling thread; zero where the system does not report it.
    fn thread_cpu_time(&self) -> Duration {
        Duration::ZERO
    }
}

/// The host's clocks.
#[derive(Debug)]
#[cfg_attr(target_os = "linux", derive(Default))]
pub struct SystemClock {
    #[cfg(not(target_os = "linux"))]
    start: time::Instant,
}

#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use rustix::time::{ClockId, clock_gettime};
        let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        Timestamp { wall: read(ClockId::Realtime), mono: read(ClockId::Monotonic) }
    }

    /// Sleeps to an absolute time, so that a delay before the call does not lengthen the sleep.
    fn sleep_until(&self, mono: Duration) {
        use rustix::{thread::clock_nanosleep_absolute, time::ClockId};
        let Ok(deadline) = mono.try_into() else { return };
        while clock_nanosleep_absolute(ClockId::Monotonic, &deadline) == Err(rustix::io::Errno::INTR) {}
    }

    fn thread_cpu_time(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
impl Default for SystemClock {
    fn default() -> Self {
        Self { start: time::Instant::now() }
    }
}

#[cfg(not(target_os = "linux"))]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp { wall: time::UNIX_EPOCH.elapsed().unwrap_or_default(), mono: self.start.elapsed() }
    }

    fn sleep_until(&self, mono: Duration) {
        thread::sleep(mono.saturating_sub(self.start.elapsed()));
    }
}

impl<C: Clock> Clock for &C {
    fn now(&self) -> Timestamp {
        (*self).now()
    }

    fn sleep_until(&self, mono: Duration) {
        (*self).sleep_until(mono);
    }

    fn thread_cpu_time(&self) -> Duration {
        (*self).thread_cpu_time()
    }
}

/// A clock that advances only when a test advances it or sleeps on it.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct ManualClock {
    now: std::cell::Cell<Timestamp>,
    oversleep: std::cell::Cell<Duration>,
}

#[cfg(test)]
impl ManualClock {
    pub(super) fn at(wall: f64) -> Self {
        let now = Timestamp { wall: Duration::from_secs_f64(wall), mono: Duration::from_secs(77) };
        Self { now: now.into(), oversleep: Duration::ZERO.into() }
    }

    /// Makes the next sleep too long by `seconds`.
    pub(super) fn oversleep(&self, seconds: f64) {
        self.oversleep.set(Duration::from_secs_f64(seconds));
    }

    /// Advances both clocks.
    pub(super) fn advance(&self, seconds: f64) {
        self.now.set(self.now.get().plus(Duration::from_secs_f64(seconds)));
    }

    /// Steps the wall clock alone, forwards or backwards.
    pub(super) fn step(&self, seconds: f64) {
        let Timestamp { wall, mono } = self.now.get();
        let size = Duration::from_secs_f64(seconds.abs());
        self.now.set(Timestamp { wall: if seconds < 0.0 { wall - size } else { wall + size }, mono });
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn sleep_until(&self, mono: Duration) {
        let elapsed = mono.saturating_sub(self.now.get().mono) + self.oversleep.take();
        self.now.set(self.now.get().plus(elapsed));
    }
}
