//! The router: which path is answered by which handler, and what each requires of a request.

use super::{
    app_state::AppState,
    http::{
        access_check::{Hosts, Origins, Requirements, check_access},
        base_path, chart_image, cross_origin, fallback, files, headers, health, metrics, pages, snapshot,
    },
    stream,
};
use axum::{
    Router, middleware,
    response::Redirect,
    routing::{MethodRouter, get},
};

/// A path, its handlers by method, and under which names and for pages of which origins they answer.
type Route = (&'static str, fn() -> MethodRouter<AppState>, Hosts, Origins);

/// Every route. The router is built from this table, so that none is without requirements.
const ROUTES: [Route; 13] = [
    ("/", || get(pages::dashboard), Hosts::Known, Origins::Allowed),
    ("/embed/{panel}", || get(pages::embedded), Hosts::Known, Origins::Allowed),
    ("/chart/{name}", || get(chart_image::chart_image), Hosts::Known, Origins::Allowed),
    ("/api/stream", || get(stream::stream).options(cross_origin::preflight), Hosts::Known, Origins::AllowedByHandler),
    (
        "/api/snapshot",
        || get(snapshot::snapshot).options(cross_origin::preflight),
        Hosts::Known,
        Origins::AllowedByHandler,
    ),
    ("/metrics", || get(metrics::metrics), Hosts::Known, Origins::Allowed),
    ("/healthz", || get(health::alive), Hosts::Any, Origins::Any),
    ("/readyz", || get(health::ready), Hosts::Any, Origins::Any),
    ("/offline", || get(files::offline), Hosts::Any, Origins::Any),
    ("/docs/operations.md", || get(files::operations), Hosts::Any, Origins::Any),
    ("/assets/{name}", || get(files::asset), Hosts::Any, Origins::Any),
    // Browsers request it for responses that aren't pages.
    ("/favicon.ico", || get(async || Redirect::permanent("favicon.svg")), Hosts::Any, Origins::Any),
    ("/{name}", || get(files::public), Hosts::Any, Origins::Any),
];

/// Every route.
pub fn router(state: AppState) -> Router {
    let router = ROUTES.iter().fold(Router::new(), |router, (path, handlers, ..)| router.route(path, handlers()));
    let requirements = Requirements(|path| {
        let route = ROUTES.iter().find(|(of, ..)| *of == path);
        route.map(|&(_, _, hosts, origins)| (hosts, origins))
    });
    let routes = router
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .fallback(fallback::not_found)
        .with_state(state.clone())
        .layer(middleware::from_fn_with_state((state.clone(), requirements), check_access));
    // Paths are changed before they are routed.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(state, base_path::strip_base_path))
        .layer(middleware::from_fn(headers::limit_head))
        .layer(middleware::from_fn(headers::secure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{
        access::Peer,
        log::TickLog,
        settings::Settings,
        stream::{ClientConnection, Handoff, StallFlag},
    };
    use axum::{body::Body, extract::Request, http::StatusCode};
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use std::sync::Arc;

    /// What each path must require. A new route needs a line here, so that its requirements are a decision.
    const EXPECTED: [(&str, &[&str], bool, bool); 14] = [
        ("/", &["GET", "HEAD"], true, true),
        ("/embed/cpu", &["GET", "HEAD"], true, true),
        ("/chart/cpu.svg", &["GET", "HEAD"], true, true),
        ("/api/stream", &["GET", "HEAD", "OPTIONS"], true, true),
        ("/api/snapshot", &["GET", "HEAD", "OPTIONS"], true, true),
        ("/metrics", &["GET", "HEAD"], true, true),
        ("/healthz", &["GET", "HEAD"], false, false),
        ("/readyz", &["GET", "HEAD"], false, false),
        ("/offline", &["GET", "HEAD"], false, false),
        ("/docs/operations.md", &["GET", "HEAD"], false, false),
        ("/assets/hostbeat.css", &["GET", "HEAD"], false, false),
        ("/favicon.ico", &["GET", "HEAD"], false, false),
        ("/robots.txt", &["GET", "HEAD"], false, false),
        ("/no/such/path", &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"], true, true),
    ];

    async fn status(method: &str, path: &str, headers: &[(&str, &str)]) -> StatusCode {
        let (handoff, _viewers) = Handoff::new();
        let client = ClientConnection { peer: Peer::UnixSocket, handoff, stalled: StallFlag::default() };
        let request = Request::builder().method(method).uri(path).extension(client);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let router = router(AppState::new(Arc::new(TickLog::default()), Settings::default()));
        TowerToHyperService::new(router).call(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn every_route_has_the_expected_requirements() {
        assert_eq!(EXPECTED.len(), ROUTES.len() + 1, "each route has a line in EXPECTED");
        for (path, methods, host, origin) in EXPECTED {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                let refused = status(method, path, &[("host", "localhost")]).await == StatusCode::METHOD_NOT_ALLOWED;
                assert_eq!(!refused, methods.contains(&method), "{method} {path}");
            }
            let foreign = status("GET", path, &[("host", "evil.example:3000")]).await;
            assert_eq!(foreign == StatusCode::MISDIRECTED_REQUEST, host, "{path}: {foreign}");
            let cross_site = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
            let foreign = status("GET", path, &cross_site).await;
            assert_eq!(foreign == StatusCode::FORBIDDEN, origin, "{path}: {foreign}");
            assert_eq!(status("GET", path, &[]).await, StatusCode::BAD_REQUEST, "{path} without Host");
        }
    }

    #[test]
    fn every_route_that_shows_the_host_checks_name_and_origin() {
        for (path, _, hosts, origins) in ROUTES {
            assert_eq!(hosts == Hosts::Any, origins == Origins::Any, "{path}");
        }
    }
}
