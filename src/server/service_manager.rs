//! Reports the server's state to systemd (sd_notify(3)); without systemd, nothing is sent.

use super::log::Head;
use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::{sync::watch, time::interval};

/// The server answers requests.
pub(super) fn report_ready() {
    report(&[NotifyState::Ready]);
}

/// The server reloads; [`report_ready`] ends it.
pub(super) fn report_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => report(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
    }
}

/// The server ends its streams.
pub(super) fn report_stopping() {
    report(&[NotifyState::Stopping]);
}

/// Resets the service's watchdog, if it has one, as long as ticks come.
pub(super) async fn feed_watchdog(head: watch::Receiver<Head>) {
    let Some(timeout) = watchdog_enabled() else { return };
    // systemd recommends half of the timeout.
    let mut due = interval(timeout / 2);
    loop {
        due.tick().await;
        if is_sampling(*head.borrow()) {
            report(&[NotifyState::Watchdog]);
        }
    }
}

fn is_sampling(head: Head) -> bool {
    head.at.is_some() && !head.is_stuck()
}

fn report(state: &[NotifyState<'_>]) {
    if let Err(error) = notify(state) {
        tracing::debug!(%error, "cannot notify systemd");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn watchdog_is_reset_only_while_ticks_come() {
        let head = |at| Head { at, ..Head::default() };
        let now = Instant::now();
        assert!(is_sampling(head(Some(now))));
        assert!(!is_sampling(head(None)), "no tick yet");
        assert!(!is_sampling(head(now.checked_sub(Duration::from_secs(60)))), "stuck");
    }
}
