//! Requests to the provider, bounded in time and size.

use super::OidcError;
use crate::server::http_agent::{agent, excerpt};
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::{Agent, Body, http::Response};
use url::Url;

/// For a whole request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a response.
const MAX_BODY: u64 = 1 << 20;

/// The client.
#[derive(Clone, Debug)]
pub(super) struct HttpClient(Agent);

impl HttpClient {
    pub(super) fn new() -> Self {
        Self(agent(TIMEOUT))
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
        let (status, body) = (answer.status().as_u16(), excerpt(&body));
        return Err(OidcError::Refused { url: url.clone(), status, body });
    }
    serde_json::from_slice(&body).map_err(|error| OidcError::Unexpected { url: url.clone(), reason: error.to_string() })
}
