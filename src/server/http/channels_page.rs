//! `/settings/channels`: declares and removes channels with forms that need no script.

use super::{
    ASSETS, Problem,
    access_check::ClientAddress,
    channels::{declare_channel, remove_channel},
    form_page::{self, Done, redirect},
    publish::{admit, channel_name},
};
use crate::{
    app::{self, ChannelForm, ChannelsView},
    server::{
        access::Principal,
        app_state::AppState,
        publish::{ListedChannel, RefusalReason},
    },
};
use axum::{
    Extension, Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// What the page's forms send; removing needs the name only.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::server) struct Change {
    change: String,
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    warning: String,
    #[serde(default)]
    critical: String,
}

/// `GET /settings/channels`.
pub(in crate::server) async fn show(State(state): State<AppState>, Query(done): Query<Done>) -> Response {
    let message = done.message();
    page(&state, StatusCode::OK, ChannelsView { message, ..ChannelsView::default() })
}

/// `POST /settings/channels`: makes one change, and shows the page again.
pub(in crate::server) async fn change(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    Form(change): Form<Change>,
) -> Response {
    match apply(&state, &principal, address, &change).await {
        Ok(()) => redirect("./channels?done"),
        Err(problem) => {
            let field = problem.field.as_deref().filter(|field| !field.is_empty());
            let message = field.map_or(problem.detail.clone(), |field| format!("{field}: {}", problem.detail));
            let typed = (change.change == "declare").then(|| change.into_form());
            page(&state, problem.status, ChannelsView { message, is_error: true, typed, ..ChannelsView::default() })
        }
    }
}

async fn apply(state: &AppState, principal: &Principal, address: IpAddr, change: &Change) -> Result<(), Problem> {
    admit(state, principal, address)?;
    let name = channel_name(change.name.trim(), "name")?;
    match &*change.change {
        "declare" => declare_channel(state, name, change.declaration().to_string().as_bytes()).await.map(|_| ()),
        "remove" => remove_channel(state, name).await,
        _ => {
            let reason = RefusalReason::UnknownField("declare and remove");
            Err(Problem::new(StatusCode::BAD_REQUEST, "Unknown change", reason.to_string()))
        }
    }
}

impl Change {
    /// As `PUT /api/channels/{name}` takes it; what is left empty has its default.
    fn declaration(&self) -> Value {
        let texts = [("title", &self.title), ("unit", &self.unit), ("kind", &self.kind)];
        let texts = texts.into_iter().map(|(field, text)| (field, json!(text.trim())));
        let limits = [("warning", &self.warning), ("critical", &self.critical)];
        // What is no number is refused as a text.
        let limit =
            |text: &str| text.parse::<f64>().ok().filter(|limit| limit.is_finite()).map_or(json!(text), Value::from);
        let limits = limits.into_iter().map(|(field, text)| (field, limit(text.trim())));
        let given = texts.chain(limits).filter(|(_, value)| *value != json!(""));
        Value::Object(given.map(|(field, value)| (field.to_owned(), value)).collect::<Map<_, _>>())
    }

    fn into_form(self) -> ChannelForm {
        let Self { name, title, unit, kind, warning, critical, .. } = self;
        ChannelForm { name, title, unit, kind, warning, critical, ..ChannelForm::default() }
    }
}

fn page(state: &AppState, status: StatusCode, view: ChannelsView) -> Response {
    let channels = state.publications.list().channels.into_iter().map(form).collect();
    form_page::page(status, app::channels_page(&ASSETS.parts, ChannelsView { channels, ..view }))
}

fn form(ListedChannel { channel, is_declared, values, .. }: ListedChannel) -> ChannelForm {
    let limit = |limit: Option<f64>| limit.map_or(String::new(), |limit| limit.to_string());
    ChannelForm {
        name: channel.name,
        title: channel.title,
        unit: channel.unit,
        kind: channel.kind.as_str().to_owned(),
        warning: limit(channel.warning),
        critical: limit(channel.critical),
        is_declared,
        values: values.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declaration_has_what_was_typed_and_limits_are_numbers() {
        let change = Change {
            title: " Orders ".to_owned(),
            kind: "lines".to_owned(),
            warning: "5.5".to_owned(),
            critical: "NaN".to_owned(),
            ..Change::default()
        };
        let expected = json!({"title": "Orders", "kind": "lines", "warning": 5.5, "critical": "NaN"});
        assert_eq!(change.declaration(), expected);
    }
}
