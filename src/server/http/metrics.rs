//! `GET /metrics`: scrapes in a thread of their own, since `/proc` may hang (lxcfs, a stuck device).

use super::Problem;
use crate::server::{app_state::AppState, export::TextFormat};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// Below the 10 seconds after which Prometheus gives up.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// `GET /metrics`, in the text format that `Accept` prefers.
pub(in crate::server) async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let format = TextFormat::negotiate(accept);
    let AppState { scraping, statistics, log, .. } = state;
    match scrape(scraping, SCRAPE_TIMEOUT, move || statistics.expose(&log, format)).await {
        Ok(text) => {
            let head = [(header::CONTENT_TYPE, format.content_type()), (header::CACHE_CONTROL, "no-store")];
            (head, text).into_response()
        }
        Err(problem) => problem.respond_at("/metrics"),
    }
}

/// Runs one scrape at a time, so that hung ones take at most one thread.
async fn scrape(
    permits: Arc<Semaphore>,
    limit: Duration,
    expose: impl FnOnce() -> Result<String, fmt::Error> + Send + 'static,
) -> Result<String, Problem> {
    let scraped = timeout(limit, async {
        let permit = permits.acquire_owned().await.map_err(|error| failed(&error))?;
        let exposed = spawn_blocking(move || {
            // Held until the scrape ends, even if the client has left.
            let _permit = permit;
            expose()
        });
        exposed.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    });
    scraped.await.unwrap_or_else(|_| {
        let detail = "The kernel's counters could not be read in time; retry later.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Metrics are late", detail);
        Err(Problem { retry_after: Some(SCRAPE_TIMEOUT.as_secs() as u32), ..problem })
    })
}

fn failed(error: &dyn fmt::Display) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Metrics failed", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn hung_scrape_yields_503_and_takes_one_thread() {
        let permits = Arc::new(Semaphore::new(1));
        let (resume, hung) = mpsc::channel::<()>();
        let hang = move || {
            let _ = hung.recv();
            Ok(String::new())
        };
        let brief = Duration::from_millis(20);
        let first = scrape(Arc::clone(&permits), brief, hang).await.unwrap_err();
        assert_eq!((first.status, first.retry_after), (StatusCode::SERVICE_UNAVAILABLE, Some(5)));
        let second = scrape(Arc::clone(&permits), brief, || unreachable!("a second thread")).await.unwrap_err();
        assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);

        drop(resume);
        let ample = Duration::from_secs(20);
        assert_eq!(scrape(permits, ample, || Ok("a 1\n".to_owned())).await, Ok("a 1\n".to_owned()));
    }
}
