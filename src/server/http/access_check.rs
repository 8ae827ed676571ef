//! Middleware that refuses requests by host and origin, as far as their route requires it.

use super::Problem;
use crate::server::{
    access::{check_host, check_origin, requested_host},
    app_state::AppState,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

/// Under which names a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Hosts {
    /// The names of this server: the response is about the host.
    Known,
    /// Any name: the response has nothing of the host, and probes reach it by names that nobody configures.
    Any,
}

/// Pages of which origins a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Origins {
    /// Our own, and those that the operator allows.
    Allowed,
    /// The same, checked by the handler, which also lets the page read the response.
    AllowedByHandler,
    /// Every origin.
    Any,
}

/// What each route requires, by its path.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Requirements(pub(in crate::server) fn(&str) -> Option<(Hosts, Origins)>);

/// Refuses a request that its route does not admit. A path without a route has the strictest requirements.
pub(in crate::server) async fn check_access(
    State((state, requirements)): State<(AppState, Requirements)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let required = (requirements.0)(path).unwrap_or((Hosts::Known, Origins::Allowed));
    match check(&state, required, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            // The stream's handler counts only what reaches it.
            if path == "/api/stream" {
                state.statistics.stream_refused(problem.status);
            }
            problem.respond_at(request.uri().path())
        }
    }
}

fn check(state: &AppState, (hosts, origins): (Hosts, Origins), request: &Request) -> Result<(), Problem> {
    let host = requested_host(request.version(), request.uri(), request.headers())?;
    if let (Hosts::Known, Some(host)) = (hosts, host) {
        check_host(&host, &state.host.name, &state.settings.allow_host)?;
    }
    if origins == Origins::Allowed {
        check_origin(request.headers(), &state.settings.allow_origin)?;
    }
    Ok(())
}
