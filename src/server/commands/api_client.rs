//! Requests of commands to a server's API.

use clap::Args;
use rustls_native_certs::load_native_certs;
use serde_json::Value;
use std::{fs, io, path::PathBuf, time::Duration};
use ureq::{
    Agent,
    tls::{Certificate, TlsConfig},
};
use url::Url;

/// For the whole request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that is no problem of Hostbeat's.
const MAX_ANSWER: u64 = 64 * 1024;
/// Characters of such an answer that are printed.
const MAX_PRINTED: usize = 200;

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
pub(super) struct ApiClient {
    /// Address of Hostbeat
    #[arg(long, env = "HOSTBEAT_URL", default_value = "http://127.0.0.1:3000", value_parser = server_url)]
    url: Url,
    /// File with a token that can publish; it wins over HOSTBEAT_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Token that can publish. Other users of the host can read it here; use the environment or --token-file
    #[arg(long, env = "HOSTBEAT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Why the server did not do what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The token can't be read.
    #[error("cannot read the token in {}: {source}; name a file with --token-file", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The token is no text that a header can carry.
    #[error("a token is one line of letters, digits and punctuation, as hostbeat token add prints it")]
    Token,
    /// The server did not answer.
    #[error("{url} is unreachable: {source}")]
    Unreachable {
        /// The requested address.
        url: Url,
        /// The client's error.
        source: Box<ureq::Error>,
    },
    /// The server refused.
    #[error("{url} answered {status}: {reason}")]
    Refused {
        /// The requested address.
        url: Url,
        /// The answer's status.
        status: u16,
        /// The server's words.
        reason: String,
    },
}

impl ApiError {
    /// Whether the input is at fault, before anything was sent.
    pub(super) fn is_bad_input(&self) -> bool {
        matches!(self, Self::TokenFile { .. } | Self::Token)
    }
}

fn server_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| "the address has a scheme and a host, such as http://127.0.0.1:3000".to_owned())
}

impl ApiClient {
    /// Posts JSON to `path`.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(), ApiError> {
        let token = self.token()?;
        let address = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let mut request = agent().post(&address).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let unreachable = |source: ureq::Error| ApiError::Unreachable { url: self.url.clone(), source: source.into() };
        let mut answer = request.send(body.to_string()).map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(());
        }
        let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string().unwrap_or_default();
        Err(ApiError::Refused { url: self.url.clone(), status: answer.status().as_u16(), reason: reason(&body) })
    }

    fn token(&self) -> Result<Option<String>, ApiError> {
        let token = match &self.token_file {
            Some(path) => {
                let text = fs::read_to_string(path);
                Some(text.map_err(|source| ApiError::TokenFile { path: path.clone(), source })?)
            }
            None => self.token.clone(),
        };
        let token = token.map(|token| token.trim().to_owned());
        match token.as_ref().is_none_or(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            true => Ok(token),
            false => Err(ApiError::Token),
        }
    }
}

/// A client that trusts the authorities of the system, private ones included.
fn agent() -> Agent {
    let roots = load_native_certs().certs;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
    let tls = TlsConfig::builder().root_certs(roots.into()).build();
    let config = Agent::config_builder().tls_config(tls).http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(TIMEOUT)).build().into()
}

/// The words of a problem (RFC 9457), or the beginning of another answer.
fn reason(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| problem[name].as_str();
    let words = match (text("field"), text("detail")) {
        (Some(field), Some(detail)) => format!("{field}: {detail}"),
        (None, Some(detail)) => detail.to_owned(),
        (_, None) => body.to_owned(),
    };
    words.chars().filter(|c| !c.is_control()).take(MAX_PRINTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_the_problem_or_the_answer_without_control_characters() {
        assert_eq!(reason(r#"{"title":"a","detail":"b","field":"values.c"}"#), "values.c: b");
        assert_eq!(reason(r#"{"detail":"b"}"#), "b");
        assert_eq!(reason("\u{1b}[31mbad gateway\n"), "[31mbad gateway");
    }
}
