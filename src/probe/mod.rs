//! `hostbeat probe`: follows a stream as any client would, and holds it to its promises.

mod check;

use crate::sse::Parser;
use check::Check;
pub use check::Report;
use clap::Args;
use std::{
    io::Read,
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

/// How long a connection may take to be made, and to be answered.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before connecting again, where the server has not said.
const RETRY: Duration = Duration::from_secs(1);

/// Follow a stream, and say whether it keeps its promises
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where Hostbeat is, such as http://127.0.0.1:3000
    #[arg(value_name = "URL")]
    pub url: String,

    /// How long to follow
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub time: Duration,

    /// Bearer token, where a proxy in front asks for one
    #[arg(long, env = "HOSTBEAT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// What keeps a probe from following.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No answer.
    #[error("{url} can't be reached: {source}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What the client library says.
        source: Box<ureq::Error>,
    },
    /// An answer that is no stream.
    #[error("{url} answers {status} and no event stream: {body}")]
    NoStream {
        /// What was asked.
        url: String,
        /// The answer's status.
        status: u16,
        /// The beginning of the answer's body.
        body: String,
    },
}

impl Probe {
    /// Follows for as long as asked, over any number of connections.
    ///
    /// # Errors
    /// When the first connection fails.
    pub fn run(&self) -> Result<Report, ProbeError> {
        let end = Instant::now() + self.time;
        let mut check = Check::default();
        let mut retry = RETRY;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            match self.connect(check.position(), left) {
                Ok(mut body) => {
                    check.connected();
                    retry = follow(&mut body, &mut check, end).unwrap_or(retry);
                }
                Err(error) if check.connections == 0 => return Err(error),
                Err(error) => check.cannot_resume(&error.to_string()),
            }
            thread::sleep(retry.min(end.saturating_duration_since(Instant::now())));
        }
        Ok(check.report(unix_ms()))
    }

    fn connect(&self, position: Option<String>, time: Duration) -> Result<impl Read + use<>, ProbeError> {
        let url = format!("{}/api/stream?window=0", self.url.trim_end_matches('/'));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(time))
            .build()
            .into();
        let mut request = agent.get(&url).header("accept", "text/event-stream");
        if let Some(id) = position {
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
            return Err(ProbeError::NoStream { url, status: response.status().as_u16(), body });
        }
        Ok(response.into_body().into_reader())
    }
}

/// Follows one connection to its end, and tells how long the server wants a client to wait after it.
fn follow(body: &mut impl Read, check: &mut Check, end: Instant) -> Option<Duration> {
    let mut parser = Parser::default();
    let mut bytes = [0; 16 * 1024];
    while Instant::now() < end {
        match body.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(read) => parser.read(&bytes[..read], |event| check.hear(&event, unix_ms())),
        }
    }
    parser.retry().map(Duration::from_millis)
}

fn unix_ms() -> f64 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64() * 1000.0
}
