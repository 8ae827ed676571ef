//! The thread that sends requests to a receiver, one after the other, and each until it is accepted or refused.

use super::{
    backoff::Backoff,
    queue::{Queue, Request},
    receiver::{REQUEST_TIMEOUT, Receiver, SendError},
};
use crate::server::export::ReceiverStatistics;
use std::sync::Arc;

/// Sends what is in a queue.
#[derive(Debug)]
pub(super) struct Sender {
    receiver: Receiver,
    queue: Arc<Queue>,
    statistics: ReceiverStatistics,
    reception: Reception,
}

/// How the last request ended. A change is logged, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reception {
    Accepted,
    Refused,
    Failed,
}

impl Sender {
    pub(super) fn new(receiver: Receiver, queue: Arc<Queue>, statistics: ReceiverStatistics) -> Self {
        Self { receiver, queue, statistics, reception: Reception::Accepted }
    }

    /// Sends until the queue is closed, and is empty or past its deadline.
    pub(super) fn run(mut self) {
        let mut unsent = 0;
        while let Some(request) = self.queue.take() {
            if !self.deliver(&request) {
                unsent = request.samples;
                break;
            }
        }
        unsent += self.queue.samples();
        if unsent > 0 {
            self.statistics.dropped.inc_by(unsent);
            tracing::warn!(receiver = self.name(), "stopping before {unsent} samples were pushed");
        }
    }

    fn name(&self) -> &'static str {
        self.receiver.target.format.name()
    }

    /// Sends a request until it is accepted or refused. Once the queue is closed, the next failure is the last: then `false`.
    fn deliver(&mut self, request: &Request) -> bool {
        let mut backoff = Backoff::default();
        loop {
            self.statistics.behind.set(self.queue.behind().as_secs_f64());
            let time_left = self.queue.time_left();
            let timeout = time_left.map_or(REQUEST_TIMEOUT, |left| left.min(REQUEST_TIMEOUT));
            match self.receiver.send(&request.body, timeout) {
                Ok(response) => {
                    self.accepted(request, &response);
                    return true;
                }
                Err(error) if !error.is_transient() => {
                    self.refused(request.samples, &error.to_string());
                    return true;
                }
                Err(_) if time_left.is_some() => return false,
                Err(error) => {
                    self.failed(&error);
                    self.queue.pause(backoff.next(error.retry_after()));
                }
            }
        }
    }

    fn accepted(&mut self, request: &Request, response: &[u8]) {
        let partial = self.receiver.target.format.partial_refusal(response);
        let refused = partial.as_ref().map_or(0, |(samples, _)| *samples);
        self.statistics.samples.inc_by(request.samples.saturating_sub(refused));
        match partial {
            Some((samples, reason)) => self.refused(samples, &reason),
            None if self.becomes(Reception::Accepted) => {
                tracing::info!(receiver = self.name(), "metrics are accepted again")
            }
            None => {}
        }
    }

    fn refused(&mut self, samples: u64, reason: &str) {
        self.statistics.failures.inc();
        self.statistics.dropped.inc_by(samples);
        if self.becomes(Reception::Refused) {
            tracing::warn!(receiver = self.name(), "metrics are refused and dropped: {reason}");
        }
    }

    fn failed(&mut self, error: &SendError) {
        self.statistics.failures.inc();
        if self.becomes(Reception::Failed) {
            tracing::warn!(receiver = self.name(), "cannot push metrics, which wait: {error}");
        }
    }

    /// Whether this is a change.
    fn becomes(&mut self, reception: Reception) -> bool {
        std::mem::replace(&mut self.reception, reception) != reception
    }
}
