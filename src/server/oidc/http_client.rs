//! Requests to the provider, bounded in time and size.

use super::OidcError;
use rustls_native_certs::load_native_certs;
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::{
    Agent, Body,
    http::Response,
    tls::{Certificate, TlsConfig},
};
use url::Url;

/// For a whole request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a response.
const MAX_BODY: u64 = 1 << 20;
/// Characters of a refusal that are logged.
const MAX_LOGGED: usize = 200;

/// The client. It follows no redirect, which could lead a secret elsewhere.
#[derive(Clone, Debug)]
pub(super) struct HttpClient(Agent);

impl HttpClient {
    /// Reads the root certificates of the system, so that those of a private authority count.
    pub(super) fn new() -> Self {
        let roots = load_native_certs();
        for error in &roots.errors {
            tracing::warn!(%error, "cannot read a root certificate");
        }
        let roots = roots.certs.iter().map(|root| Certificate::from_der(root).to_owned());
        let tls = TlsConfig::builder().root_certs(roots.into()).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT));
        Self(config.build().into())
    }

    /// The JSON document at `url`.
    pub(super) fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, OidcError> {
        json(url, self.0.get(url.as_str()).header("accept", "application/json").call())
    }

    /// The JSON answer to a form.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        authorization: Option<&str>,
        form: &[(&str, &str)],
    ) -> Result<T, OidcError> {
        let mut request = self.0.post(url.as_str()).header("accept", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        json(url, request.send_form(form.iter().copied()))
    }
}

fn json<T: DeserializeOwned>(url: &Url, answer: Result<Response<Body>, ureq::Error>) -> Result<T, OidcError> {
    let unreachable = |source: ureq::Error| OidcError::Unreachable { url: url.clone(), source: source.into() };
    let mut answer = answer.map_err(unreachable)?;
    let body = answer.body_mut().with_config().limit(MAX_BODY).read_to_vec().map_err(unreachable)?;
    if answer.status() != 200 {
        let body = String::from_utf8_lossy(&body).chars().take(MAX_LOGGED).flat_map(char::escape_debug).collect();
        return Err(OidcError::Refused { url: url.clone(), status: answer.status().as_u16(), body });
    }
    serde_json::from_slice(&body).map_err(|error| OidcError::Unexpected { url: url.clone(), reason: error.to_string() })
}
