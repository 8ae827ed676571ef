//! Reads a value of the kernel again and again, to bound what a sample taken at a given moment may contain.

use crate::now;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

const INTERVAL: Duration = Duration::from_millis(20);
/// Seconds by which the time of a sample may differ from the time of its reading.
const MARGIN: f64 = 0.01;

/// A thread that observes one value until it is stopped.
pub(crate) struct Observer {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<Observations>,
}

impl Observer {
    pub(crate) fn start(mut read: impl FnMut() -> f64 + Send + 'static) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let mut observe = move || {
            let start = now();
            Observation { start, value: read(), end: now() }
        };
        let mut observations = vec![observe()];
        let thread = thread::spawn(move || {
            loop {
                let last = stop.load(Ordering::Relaxed);
                thread::sleep(INTERVAL);
                observations.push(observe());
                if last {
                    return Observations(observations);
                }
            }
        });
        Self { stopping, thread }
    }

    pub(crate) fn stop(self) -> Observations {
        self.stopping.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

struct Observation {
    start: f64,
    value: f64,
    end: f64,
}

pub(crate) struct Observations(Vec<Observation>);

impl Observations {
    /// The lowest and the highest value that the kernel had around `moment`.
    pub(crate) fn around(&self, moment: f64) -> (f64, f64) {
        let before = self.0.iter().rposition(|observation| observation.end < moment - MARGIN);
        let after = self.0.iter().position(|observation| observation.start > moment + MARGIN);
        let (Some(before), Some(after)) = (before, after) else { panic!("no observation around {moment}") };
        let values = self.0[before..=after].iter().map(|observation| observation.value);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    }

    /// The least and the most that a counter rose between two moments.
    pub(crate) fn rise(&self, from: f64, to: f64) -> (f64, f64) {
        let (from, to) = (self.around(from), self.around(to));
        (to.0 - from.1, to.1 - from.0)
    }
}
