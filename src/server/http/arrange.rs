//! `/panels`: the reader's order and choice of panels, which the browser keeps. The form needs no script.

use super::{
    ASSETS,
    arrangement::{Arrangement, COOKIE},
    form_page::redirect,
    page_query,
    sign_in::{cookie_scope, set_cookie},
};
use crate::{
    app::{self, ArrangeView, ArrangedPanel, Direction},
    panels::Panel,
    server::app_state::AppState,
};
use axum::{
    Form,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use std::sync::Arc;

const PATH: &str = "/panels";
const YEAR_S: u64 = 365 * 24 * 60 * 60;
/// The content security policy: the server's own script, and forms to this server only.
const POLICY: &str =
    "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'self'; object-src 'none'";

/// `GET /panels`: the form. It begins with the panels of the address, which are those that the reader came from.
pub(in crate::server) async fn show(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let known = state.channels.panels();
    let kept = Arrangement::kept(&headers);
    let list = match page_query::panels(&query.unwrap_or_default(), &known, &kept) {
        Ok(list) => list,
        Err(problem) => return problem.respond_at(PATH),
    };
    let kept = kept.completed(&known);
    // The kept one also has the positions of hidden panels.
    let is_kept = list.is_empty() || list == kept.listed(&known);
    let arrangement = if is_kept { kept } else { Arrangement::of_list(&list, &known) };
    page(StatusCode::OK, arrangement, &known, ArrangeView::default())
}

/// `POST /panels`: keeps the form's arrangement, forgets the kept one, or moves a panel in the form.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let known = state.channels.panels();
    let mut arrangement = Arrangement::of_form(&fields).completed(&known);
    let value = |name| fields.iter().find(|(field, _)| field == name).map(|(_, value)| &**value);
    let keep = |list: &str, cookie: &str| {
        let address = if list.is_empty() { "./".to_owned() } else { format!("./?panels={list}") };
        let mut response = redirect(&address);
        let seconds = if cookie.is_empty() { 0 } else { YEAR_S };
        set_cookie(&mut response, cookie_scope(&state, &headers).write(COOKIE, cookie, seconds));
        response
    };
    if value("reset").is_some() {
        return keep("", "");
    }
    let mut moves = [("up", Direction::Up), ("down", Direction::Down)].into_iter();
    if let Some((panel, direction)) = moves.find_map(|(name, direction)| value(name).zip(Some(direction))) {
        arrangement.shift(panel, direction);
        let view = ArrangeView { focus: Some((panel.to_owned(), direction)), ..ArrangeView::default() };
        return page(StatusCode::OK, arrangement, &known, view);
    }
    match arrangement.to_cookie() {
        Ok(cookie) => {
            let list = arrangement.listed(&known);
            keep(&list, if list.is_empty() { "" } else { &cookie })
        }
        Err(error) => {
            let view = ArrangeView { error: error.to_string(), ..ArrangeView::default() };
            page(StatusCode::BAD_REQUEST, arrangement, &known, view)
        }
    }
}

fn page(status: StatusCode, arrangement: Arrangement, known: &[Arc<Panel>], view: ArrangeView) -> Response {
    let title = |id: &str| known.iter().find(|panel| panel.id == id).map(|panel| panel.title.clone());
    let panels = arrangement.0.into_iter().filter_map(|entry| {
        Some(ArrangedPanel { title: title(&entry.panel)?, id: entry.panel, is_shown: entry.is_shown })
    });
    let view = ArrangeView { panels: panels.collect(), ..view };
    let head = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (status, head, Html(app::arrange_page(&ASSETS.parts, view))).into_response()
}
