//! Liveness and readiness.

use crate::server::app_state::AppState;
use axum::{extract::State, http::StatusCode};

/// `GET /healthz`: the process answers requests.
pub(in crate::server) async fn alive() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: the sampler publishes ticks, every fan-out worker runs, and the server is not stopping.
pub(in crate::server) async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    let head = state.log.head();
    match head.at {
        _ if head.closing => (StatusCode::SERVICE_UNAVAILABLE, "not ready: about to stop\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "not ready: nothing has been sampled yet\n"),
        Some(_) if head.is_stuck() => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the sampler is stuck\n"),
        Some(_) if state.statistics.failed_workers.get() > 0 => {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready: a fan-out worker failed; restart the server\n")
        }
        Some(_) => (StatusCode::OK, "ready\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{log::tests::tick, settings::Settings, unix_time::unix_ms};

    #[tokio::test]
    async fn server_with_failed_worker_is_not_ready() {
        let state = AppState::new(Default::default(), Settings::default());
        state.log.publish(&tick(unix_ms()));
        assert_eq!(ready(State(state.clone())).await, (StatusCode::OK, "ready\n"));
        state.statistics.failed_workers.inc();
        let (status, reason) = ready(State(state)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(reason.contains("worker"), "{reason}");
    }
}
