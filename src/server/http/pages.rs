//! Renders the dashboard and its embeddable panels with the log's newest data.

use super::{
    ASSETS, Encoding, Problem, arrangement::Arrangement, history_page, page_query, script_hashes::SCRIPT_HASHES,
    shared_response,
};
use crate::{
    app::{self, HistoryRange, InitialData, KeepsHistory, PageIdentity, PageMode, TimeRange, View},
    panels::{Panel, history},
    server::{
        access::{CredentialKind, Origin, Principal},
        app_state::AppState,
        rendering::RenderError,
    },
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use leptos::{config::LeptosOptions, prelude::*};
use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

/// The options that `cargo leptos watch` sets; `None` outside it.
pub(super) static WATCH: LazyLock<Option<LeptosOptions>> = LazyLock::new(|| {
    std::env::var_os("LEPTOS_WATCH")?;
    leptos::config::get_configuration(None).ok().map(|file| file.leptos_options)
});

/// `GET /`: the dashboard.
pub(in crate::server) async fn dashboard(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let known = state.channels.panels();
    let kept = Arrangement::kept(&headers);
    let respond = async {
        let view = page_query::view(&query, &known, &kept)?;
        // The address goes before what the browser keeps.
        let panels = if view.panels.is_empty() { kept.listed(&known) } else { view.panels };
        let view = View { panels, ..view };
        match history_page::range(&query)? {
            Some(range) => of_history(&state, &principal, view, range, &query, &headers).await,
            None => respond(&state, &principal, view, page_query::time_range(&query)?, &headers).await,
        }
    };
    let mut response = respond.await.unwrap_or_else(|problem: Problem| problem.respond_at("/"));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("cookie"));
    response
}

/// `GET /embed/{panel}`: panels alone, for frames in pages of allowed origins.
pub(in crate::server) async fn embedded(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Path(panel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let respond = async {
        let panels = page_query::known_panels(&panel, &state.channels.panels(), &Arrangement::default())?;
        let view = View { mode: PageMode::Embed, panels };
        respond(&state, &principal, view, page_query::time_range(&query)?, &headers).await
    };
    respond.await.unwrap_or_else(|problem: Problem| problem.respond_at("/embed/"))
}

/// A page of the history.
async fn of_history(
    state: &AppState,
    principal: &Principal,
    view: View,
    range: HistoryRange,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let policy = content_security_policy(view.mode, &state.settings.allow_frame);
    let (body, encoding) = history_page::page(state, account(principal), view, range, query, headers).await?;
    Ok(finished(body, encoding, &policy))
}

async fn respond(
    state: &AppState,
    principal: &Principal,
    view: View,
    range: TimeRange,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    state.log.subscribers().page_requested(Instant::now());
    let policy = content_security_policy(view.mode, &state.settings.allow_frame);
    let encoding = Encoding::preferred(headers, Encoding::ALL);
    let account = account(principal);
    let key = format!("{} {} {} {encoding:?} {account}", view.mode.as_str(), view.panels, range.seconds());
    let rendered = {
        let state = state.clone();
        state.pages.clone().get(key, move || render(&state, account, view, range, encoding)).await?
    };
    Ok(finished(rendered, encoding, &policy))
}

/// A page that only its reader may cache.
pub(super) fn finished(body: Bytes, encoding: Option<Encoding>, policy: &str) -> Response {
    let mut response = shared_response::respond("text/html; charset=utf-8", body, encoding);
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // `no-store` would also disable the browser's back/forward cache.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// The name in the page's menu: that of a user who can sign out.
pub(super) fn account(principal: &Principal) -> String {
    let session = principal.credential().filter(|credential| credential.kind == CredentialKind::Session);
    session.map(|session| session.name.to_string()).unwrap_or_default()
}

fn render(
    state: &AppState,
    account: String,
    view: View,
    range: TimeRange,
    encoding: Option<Encoding>,
) -> Result<Bytes, RenderError> {
    let (mut columns, after) = state.log.snapshot(range.seconds());
    let panels = chosen_panels(&view, &state.channels.panels());
    columns.truncate_history(|path| history(&panels, path, state.host.cores));
    columns.round_history();
    let mut latest = state.log.latest_values();
    latest.processes.top.iter_mut().for_each(|process| process.cgroup = None);
    let initial_data = InitialData {
        identity: identity(state),
        account,
        host: state.host_now(),
        view,
        panels,
        time_range: range,
        last_event_id: after.map(|id| id.to_string()),
        columns,
        latest,
    };
    let html = Owner::new().with(|| {
        if state.history.is_some() {
            provide_context(KeepsHistory);
        }
        app::shell(initial_data, &ASSETS.parts, WATCH.clone()).to_html()
    });
    shared_response::encode(html, encoding)
}

/// Whose page it is, and of which version.
pub(super) fn identity(state: &AppState) -> PageIdentity {
    PageIdentity { host_id: state.log.identity().host_id.clone(), version: ASSETS.version.clone() }
}

/// The panels of a view, in its order, as far as they exist.
pub(super) fn chosen_panels(view: &View, known: &[Arc<Panel>]) -> Vec<Arc<Panel>> {
    if view.panels.is_empty() {
        return known.to_vec();
    }
    view.panels.split(',').filter_map(|name| known.iter().find(|panel| panel.id == name)).cloned().collect()
}

/// Allows the page's own scripts only, and frames in pages of allowed origins. The websocket of `cargo leptos watch` has a
/// port of its own.
pub(super) fn content_security_policy(mode: PageMode, allow_frame: &[Origin]) -> String {
    let connect = if WATCH.is_some() { "'self' ws:" } else { "'self'" };
    let frames = match mode {
        PageMode::Embed => frame_ancestors(allow_frame),
        PageMode::Full | PageMode::Kiosk => "'none'".to_owned(),
    };
    format!(
        "default-src 'self'; script-src 'self' {} 'wasm-unsafe-eval'; connect-src {connect}; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}",
        *SCRIPT_HASHES
    )
}

fn frame_ancestors(origins: &[Origin]) -> String {
    let origins = origins.iter().map(|origin| format!(" {origin}"));
    format!("'self'{}", origins.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_ancestors_are_own_and_allowed_origins() {
        assert_eq!(frame_ancestors(&[]), "'self'");
        let origins = ["https://wiki.example.com".parse().unwrap()];
        assert_eq!(frame_ancestors(&origins), "'self' https://wiki.example.com");
    }
}
