//! `hostbeat probe`: an HTTP client that follows a stream and reports contract violations.

mod check;

use crate::sse::Parser;
use check::ContractCheck;
pub use check::ProbeReport;
use clap::Args;
use std::{
    io::Read,
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

/// Limit for connecting and for the response head.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Reconnect delay until the server sends `retry:`.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

/// Follow a stream and check it against its contract
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Address of Hostbeat, such as http://127.0.0.1:3000
    #[arg(value_name = "URL", value_parser = server_url)]
    pub url: String,

    /// How long to follow the stream
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub duration: Duration,

    /// Bearer token for a proxy in front of Hostbeat
    #[arg(long, env = "HOSTBEAT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

fn server_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url.filter(|url| url.query().is_none() && url.fragment().is_none()) {
        Some(_) => Ok(text.to_owned()),
        None => Err("the address has a scheme and a host, such as http://127.0.0.1:3000".to_owned()),
    }
}

/// Failed connection attempt.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The server did not answer.
    #[error("{url} is unreachable: {source}")]
    Unreachable {
        /// Requested address.
        url: String,
        /// Error of the HTTP client.
        source: Box<ureq::Error>,
    },
    /// The response is not an event stream.
    #[error("{url} returned status {status} instead of an event stream: {body}")]
    NotAStream {
        /// Requested address.
        url: String,
        /// Response status.
        status: u16,
        /// First 200 characters of the response body.
        body: String,
    },
}

impl Probe {
    /// Follows the stream for `duration`, reconnecting when a connection ends.
    ///
    /// # Errors
    /// When the first connection fails; later failures are violations in the report.
    pub fn run(&self) -> Result<ProbeReport, ProbeError> {
        let end = Instant::now() + self.duration;
        let mut check = ContractCheck::default();
        let mut retry = DEFAULT_RETRY;
        while let Some(remaining) = end.checked_duration_since(Instant::now()).filter(|remaining| !remaining.is_zero())
        {
            match self.connect(check.last_event_id(), remaining) {
                Ok(mut body) => {
                    check.on_connect();
                    retry = follow(&mut body, &mut check, end).unwrap_or(retry);
                }
                Err(error) if check.connections == 0 => return Err(error),
                Err(error) => check.on_resume_failure(&error),
            }
            thread::sleep(retry.min(end.saturating_duration_since(Instant::now())));
        }
        Ok(check.report(unix_ms()))
    }

    fn connect(&self, last_event_id: Option<String>, timeout: Duration) -> Result<impl Read + use<>, ProbeError> {
        let url = format!("{}/api/stream?window=0", self.url.trim_end_matches('/'));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(CONNECT_TIMEOUT))
            .timeout_recv_body(Some(timeout))
            .build()
            .into();
        let mut request = agent.get(&url).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.call();
        let mut response =
            response.map_err(|source| ProbeError::Unreachable { url: url.clone(), source: source.into() })?;
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        if response.status() != 200 || !content_type.is_some_and(|value| value.starts_with("text/event-stream")) {
            let body = response.body_mut().read_to_string().unwrap_or_default();
            let body = body.chars().take(200).collect();
            return Err(ProbeError::NotAStream { url, status: response.status().as_u16(), body });
        }
        Ok(response.into_body().into_reader())
    }
}

/// Reads one connection to its end; returns the reconnection time that the server set.
fn follow(body: &mut impl Read, check: &mut ContractCheck, end: Instant) -> Option<Duration> {
    let mut parser = Parser::default();
    let mut bytes = [0; 16 * 1024];
    while Instant::now() < end {
        match body.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(read) => parser.read(&bytes[..read], |event| check.on_event(&event, unix_ms())),
        }
    }
    parser.retry().map(Duration::from_millis)
}

fn unix_ms() -> f64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64() * 1000.0
}
