//! Time as the sampler needs it, behind a trait so that tests can turn it.

use std::time::Duration;
#[cfg(not(target_os = "linux"))]
use std::{thread, time};

/// One moment on two clocks: the wall's may be stepped, the monotonic one never is and stops while the host sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Since the unix epoch.
    pub wall: Duration,
    /// Since some moment of the past.
    pub mono: Duration,
}

impl Timestamp {
    /// A moment later.
    pub fn plus(self, time: Duration) -> Self {
        Self { wall: self.wall + time, mono: self.mono + time }
    }
}

/// A source of time.
pub trait Clock {
    /// Both clocks, read together.
    fn now(&self) -> Timestamp;

    /// Sleeps until the monotonic clock shows `mono`.
    fn sleep_until(&self, mono: Duration);

    /// Processor time that this thread has taken; nothing where the system doesn't tell.
    fn cpu(&self) -> Duration {
        Duration::ZERO
    }
}

/// The host's clocks.
#[derive(Debug)]
#[cfg_attr(target_os = "linux", derive(Default))]
pub struct SystemClock {
    #[cfg(not(target_os = "linux"))]
    start: time::Timestamp,
}

#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use rustix::time::{ClockId, clock_gettime};
        let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        Timestamp { wall: read(ClockId::Realtime), mono: read(ClockId::Monotonic) }
    }

    /// An absolute sleep does not drift: time lost before it began is not added to it.
    fn sleep_until(&self, mono: Duration) {
        use rustix::{thread::clock_nanosleep_absolute, time::ClockId};
        let Ok(deadline) = mono.try_into() else { return };
        while clock_nanosleep_absolute(ClockId::Monotonic, &deadline) == Err(rustix::io::Errno::INTR) {}
    }

    fn cpu(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
impl Default for SystemClock {
    fn default() -> Self {
        Self { start: time::Timestamp::now() }
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

    fn cpu(&self) -> Duration {
        (*self).cpu()
    }
}

/// A clock that moves only when it is told to, or slept on.
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

    /// Makes the next sleep this much too long.
    pub(super) fn stall(&self, seconds: f64) {
        self.oversleep.set(Duration::from_secs_f64(seconds));
    }

    /// Lets time pass.
    pub(super) fn stall_now(&self, seconds: f64) {
        self.now.set(self.now.get().plus(Duration::from_secs_f64(seconds)));
    }

    /// Sets the wall clock, and only that, by so much.
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
        let asleep = mono.saturating_sub(self.now.get().mono) + self.oversleep.take();
        self.now.set(self.now.get().plus(asleep));
    }
}
