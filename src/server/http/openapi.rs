//! `/api/openapi.json`: every route described for programs (OpenAPI 3.1).

use super::openapi_components::{components, reference, text};
use crate::{
    app::{Compare, LongRange},
    panels::{PanelKind, host_panels},
    schema::HOST_EVENTS,
};
use axum::http::header;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The description as it is sent.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| description().to_string());

/// `GET /api/openapi.json`.
pub(in crate::server) async fn document() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], &DESCRIPTION)
}

/// One method of one path.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    /// The fields of the form that it takes, the required ones first, and how many of them are required.
    form: Option<(&'static [&'static str], usize)>,
    /// The media types of another body, each with its schema.
    body: &'static [(&'static str, &'static str)],
    /// The responses to a request that is not refused.
    responses: Vec<(&'static str, Value)>,
    /// Further statuses of refusals.
    refusals: &'static [&'static str],
    /// Whether it asks for a principal, where there are users.
    is_secured: bool,
}

/// Statuses of the refusals that every route has.
const REFUSALS: [&str; 8] = ["400", "403", "404", "408", "421", "429", "431", "503"];

impl Operation {
    fn to_json(&self) -> Value {
        let refusal = if self.path.starts_with("/api/") { "Problem" } else { "ProblemPage" };
        let refused = |status: &&'static str| (*status, json!({"$ref": format!("#/components/responses/{refusal}")}));
        let unauthenticated = self.is_secured.then_some("401");
        let refusals = REFUSALS.iter().chain(self.refusals).chain(&unauthenticated).map(refused);
        let responses: Map<_, _> = refusals
            .chain(self.responses.iter().cloned())
            .map(|(status, response)| (status.to_owned(), response))
            .collect();
        let mut operation = json!({"summary": self.summary, "responses": responses});
        if !self.parameters.is_empty() {
            operation["parameters"] = json!(self.parameters);
        }
        if let Some((fields, required)) = self.form {
            let properties: Map<_, _> = fields.iter().map(|field| ((*field).to_owned(), text())).collect();
            let schema = json!({"type": "object", "properties": properties, "required": fields[..required]});
            operation["requestBody"] =
                json!({"required": true, "content": {"application/x-www-form-urlencoded": {"schema": schema}}});
        }
        if !self.body.is_empty() {
            let content: Map<_, _> = self
                .body
                .iter()
                .map(|(media_type, schema)| ((*media_type).to_owned(), json!({"schema": reference(schema)})))
                .collect();
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        if !self.is_secured {
            operation["security"] = json!([]);
        }
        operation
    }
}

fn description() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        paths.entry(operation.path).or_insert_with(|| json!({}))[operation.method.to_lowercase()] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hostbeat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the sender may not use is answered as what doesn't exist.",
        },
        // The empty one stands for a server without users, or with `--public`.
        "security": [{"token": []}, {"session": []}, {}],
        "paths": paths,
        "components": components(),
    })
}

fn operations() -> Vec<Operation> {
    let html = || ("200", content("The page", "text/html", text()));
    let page =
        |path, summary, parameters| Operation { responses: vec![html(), redirect()], parameters, ..get(path, summary) };
    let open = |operation| Operation { is_secured: false, ..operation };
    let preflight = |path| Operation {
        method: "OPTIONS",
        responses: vec![("204", json!({"description": "What pages of the origin may send"}))],
        ..open(get(path, "Preflight of a browser"))
    };
    let plain = || vec![("200", content("Yes", "text/plain", text()))];
    let file =
        || vec![("200", content("The file", "*/*", json!({}))), ("304", json!({"description": "The client has it"}))];
    let chart =
        || query("window", json!({"type": "integer", "enum": [60, 300, 900, 3600]}), "Seconds that charts show");
    let ranges = || {
        let names = LongRange::ALL.map(LongRange::as_str);
        vec![
            query("range", json!({"enum": names}), "A range of the history that ends now"),
            query("from", text(), "The beginning of a range, Unix ms or ISO 8601"),
            query("to", text(), "Its end"),
            query("compare", json!({"enum": Compare::ALL.map(Compare::as_str)}), "An earlier range, as a grey line"),
        ]
    };
    let window = || query("window", json!({"type": "integer", "minimum": 0, "maximum": 3600}), "Seconds of history");
    let events = || query("events", list_of(HOST_EVENTS), "Groups, separated by commas");
    let last_id = |name| query(name, text(), "Id of the last event that the client got");
    let post = |path, summary| Operation { method: "POST", responses: vec![redirect()], ..get(path, summary) };
    let changes: &[_] = &["change", "subject", "name", "current", "password", "role", "scope", "expires"];
    let time = || json!({"type": "integer", "minimum": 0});
    let next = || query("next", text(), "Where to go afterwards, relative to the dashboard");
    let panels = host_panels();
    let ids = || panels.iter().map(|panel| &*panel.id);
    let charts = || panels.iter().filter(|panel| panel.kind() == PanelKind::Chart).map(|panel| &panel.id);
    let images = charts().flat_map(|id| ["svg", "png"].map(|format| format!("{id}.{format}")));
    let images = json!({"enum": images.collect::<Vec<_>>()});
    let channel = || in_path("name", json!({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$", "example": "shop"}));
    let panel = json!({"enum": ids().collect::<Vec<_>>()});
    let list = list_of(ids());
    let panels = || query("panels", list.clone(), "Panels in their order, separated by commas");
    let theme = query("theme", json!({"enum": ["light", "dark"]}), "Colours");
    let image = json!({"description": "The image", "content": {"image/svg+xml": {}, "image/png": {}}});
    let ticket = query("ticket", text(), "A ticket, of a client that can't send headers");
    let json = |schema: &str| vec![("200", content("The document", "application/json", reference(schema)))];
    vec![
        page("/", "The dashboard, live or over a range of the history", {
            let mut parameters = vec![chart(), panels(), query("kiosk", text(), "Present for a wall screen")];
            parameters.extend(ranges());
            parameters.push(query("at", text(), "The moment whose values a range shows; its end without it"));
            parameters.push(query("only", json!({"enum": ["values"]}), "Leaves out the charts of a range"));
            parameters
        }),
        page("/panels", "The form that arranges the panels", vec![panels()]),
        Operation {
            form: Some((&["panel", "shown", "up", "down", "reset"], 0)),
            responses: vec![html(), redirect()],
            refusals: &["413", "415", "422"],
            ..post("/panels", "Keeps the order of the form's panels in a cookie, or moves one")
        },
        page("/embed/{panel}", "One panel for a frame", vec![in_path("panel", panel), chart()]),
        Operation {
            parameters: [vec![in_path("name", images), chart(), theme], ranges()].concat(),
            responses: vec![("200", image)],
            ..get("/chart/{name}", "A chart as an image")
        },
        Operation {
            parameters: vec![window(), events(), last_id("last_event_id"), ticket],
            responses: vec![("200", content("Events, until the client leaves", "text/event-stream", text()))],
            refusals: &["406"],
            ..get("/api/stream", "Every sample as Server-Sent Events; docs/stream.md is the contract")
        },
        preflight("/api/stream"),
        Operation {
            parameters: vec![window(), events(), last_id("since")],
            responses: json("Snapshot"),
            ..get("/api/snapshot", "The latest seconds as one document")
        },
        preflight("/api/snapshot"),
        Operation {
            responses: json("Ticket"),
            refusals: &["500"],
            ..post("/api/tickets", "A ticket that opens one stream within 60 seconds")
        },
        Operation {
            method: "POST",
            parameters: vec![query("channel", text(), "The channel, for Prometheus' text format")],
            body: &[("application/json", "Publication"), ("application/x-ndjson", "Lines"), ("text/plain", "Lines")],
            responses: vec![no_content("The next tick carries the values")],
            refusals: &["409", "413", "415"],
            ..get("/api/publish", "Publishes values; docs/publish.md is the guide")
        },
        Operation { responses: json("ChannelList"), ..get("/api/channels", "The channels that programs publish") },
        Operation {
            method: "PUT",
            parameters: vec![channel()],
            body: &[("application/json", "Declaration")],
            responses: vec![
                ("200", content("The channel, declared before", "application/json", reference("Channel"))),
                ("201", content("The channel", "application/json", reference("Channel"))),
            ],
            refusals: &["409", "413"],
            ..get("/api/channels/{name}", "Declares how the page shows a channel")
        },
        Operation {
            method: "DELETE",
            parameters: vec![channel()],
            responses: vec![no_content("There is no such channel any more")],
            ..get("/api/channels/{name}", "Removes a channel's declaration and values")
        },
        Operation {
            parameters: vec![
                query("from", time(), "Those that end at this time or later, Unix ms"),
                query("to", time(), "Those that begin at this time or earlier, Unix ms"),
                query("tag", text(), "Those with this tag"),
                query("limit", json!({"type": "integer", "minimum": 1, "maximum": 1000}), "The newest ones, so many"),
            ],
            responses: json("AnnotationList"),
            ..get("/api/annotations", "What happened, newest first")
        },
        Operation {
            method: "POST",
            body: &[("application/json", "AnnotationDraft")],
            responses: vec![("201", content("The annotation", "application/json", reference("Annotation")))],
            refusals: &["413"],
            ..get("/api/annotations", "Annotates a moment or a time; docs/publish.md is the guide")
        },
        Operation {
            method: "PATCH",
            parameters: vec![in_path("id", text())],
            body: &[("application/json", "AnnotationDraft")],
            responses: json("Annotation"),
            refusals: &["413"],
            ..get("/api/annotations/{id}", "Changes an annotation of one's own")
        },
        Operation {
            method: "DELETE",
            parameters: vec![in_path("id", text())],
            responses: vec![no_content("There is no such annotation any more")],
            ..get("/api/annotations/{id}", "Removes an annotation of one's own")
        },
        Operation {
            responses: json("RecordingList"),
            ..get("/api/recordings", "Recordings of incidents, newest first")
        },
        Operation {
            method: "POST",
            body: &[("application/json", "RecordingDraft")],
            responses: vec![("201", content("The recording", "application/json", reference("Recording")))],
            refusals: &["409", "413"],
            ..get("/api/recordings", "Records the minutes before and after; docs/operations.md is the guide")
        },
        Operation {
            parameters: vec![in_path("id", text())],
            responses: json("Recording"),
            ..get("/api/recordings/{id}", "A recording")
        },
        Operation {
            method: "PATCH",
            parameters: vec![in_path("id", text())],
            body: &[("application/json", "RecordingDraft")],
            responses: json("Recording"),
            refusals: &["413"],
            ..get("/api/recordings/{id}", "Changes the title or the note of a recording of one's own")
        },
        Operation {
            method: "DELETE",
            parameters: vec![in_path("id", text())],
            responses: vec![no_content("There is no such recording any more")],
            ..get("/api/recordings/{id}", "Removes a recording of one's own")
        },
        Operation {
            parameters: vec![
                query("series", text(), "Paths, separated by commas; * stands for any text"),
                query("from", text(), "The beginning, Unix ms or ISO 8601; an hour before the end without it"),
                query("to", text(), "The end, Unix ms or ISO 8601; now without it"),
                query(
                    "points",
                    json!({"type": "integer", "minimum": 1, "maximum": 10000}),
                    "Values of a series at most",
                ),
            ],
            responses: vec![(
                "200",
                json!({"description": "The values", "content": {
                    "application/json": {"schema": reference("History")}, "text/csv": {}, "application/x-ndjson": {},
                }}),
            )],
            ..get("/api/history", "What series were, at the finest step that the points allow")
        },
        Operation {
            parameters: vec![query("at", text(), "The moment, Unix ms or ISO 8601; now without it")],
            responses: json("Processes"),
            ..get("/api/history/processes", "The top processes of a moment")
        },
        Operation { responses: json("Schema"), ..get("/api/schema", "Every value, and a JSON Schema of each event") },
        Operation {
            responses: json("Description"),
            ..get("/api/asyncapi.json", "The stream and its events (AsyncAPI 3.0)")
        },
        Operation { responses: json("Description"), ..get("/api/openapi.json", "This description") },
        Operation {
            responses: vec![(
                "200",
                json!({"description": "The metrics", "content": {"text/plain": {}, "application/openmetrics-text": {}}}),
            )],
            ..get("/metrics", "Metrics for Prometheus")
        },
        Operation { parameters: vec![next()], responses: vec![html()], ..open(get("/sign-in", "The sign-in page")) },
        Operation {
            form: Some((&["name", "password", "next"], 2)),
            refusals: &["401", "413", "415", "422"],
            ..open(post("/sign-in", "Starts a session"))
        },
        Operation {
            parameters: vec![next()],
            responses: vec![redirect()],
            refusals: &["502"],
            ..open(get("/sign-in/oidc", "Starts to sign in at the OpenID Connect provider"))
        },
        Operation {
            parameters: ["state", "code", "error", "error_description", "iss"]
                .map(|name| query(name, text(), "The provider's answer"))
                .into(),
            responses: vec![redirect()],
            refusals: &["502"],
            ..open(get("/sign-in/oidc/callback", "Starts the session of the provider's user"))
        },
        post("/sign-out", "Ends the session"),
        page("/settings", "Users, tokens and sessions", Vec::new()),
        Operation {
            form: Some((changes, 1)),
            responses: vec![html(), redirect()],
            refusals: &["413", "415", "422"],
            ..post("/settings", "One change of users, tokens or sessions")
        },
        page("/settings/channels", "The declarations of channels", Vec::new()),
        Operation {
            form: Some((&["change", "name", "title", "unit", "kind", "warning", "critical"], 2)),
            responses: vec![redirect()],
            refusals: &["409", "413", "415", "422"],
            ..post("/settings/channels", "Declares or removes a channel")
        },
        page("/recordings", "The recordings", Vec::new()),
        Operation {
            form: Some((&["title"], 1)),
            responses: vec![html(), redirect()],
            refusals: &["413", "415", "422"],
            ..post("/recordings", "Records the minutes before and after now")
        },
        page("/recordings/{id}", "A recording: its story, and the dashboard at that time", vec![in_path("id", text())]),
        Operation {
            parameters: vec![in_path("id", text())],
            form: Some((&["change", "title", "note"], 1)),
            responses: vec![redirect()],
            refusals: &["413", "415", "422"],
            ..post("/recordings/{id}", "Changes title and note of a recording, or removes it")
        },
        page("/recordings/{id}/download", "A recording as one file", vec![in_path("id", text())]),
        Operation { responses: plain(), ..open(get("/healthz", "Whether the server answers")) },
        Operation { responses: plain(), ..get("/readyz", "Whether samples are being taken") },
        Operation { responses: vec![html()], ..open(get("/offline", "The page while the server is out of reach")) },
        Operation { responses: plain(), ..open(get("/docs/operations.md", "The guide that the page links to")) },
        Operation {
            parameters: vec![in_path("name", text())],
            responses: file(),
            ..open(get("/assets/{name}", "A file of the page, whose name changes with its content"))
        },
        Operation { responses: vec![("308", reference_to_redirect())], ..open(get("/favicon.ico", "The icon")) },
        Operation {
            parameters: vec![in_path("name", json!({"type": "string", "example": "robots.txt"}))],
            responses: file(),
            ..open(get("/{name}", "A file at the top level"))
        },
    ]
}

fn no_content(description: &str) -> (&'static str, Value) {
    ("204", json!({"description": description}))
}

/// A secured `GET` without parameters.
fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation {
        method: "GET",
        path,
        summary,
        parameters: Vec::new(),
        form: None,
        body: &[],
        responses: Vec::new(),
        refusals: &[],
        is_secured: true,
    }
}

fn redirect() -> (&'static str, Value) {
    ("303", reference_to_redirect())
}

fn reference_to_redirect() -> Value {
    json!({"$ref": "#/components/responses/Redirect"})
}

fn content(description: &str, content_type: &str, schema: Value) -> Value {
    json!({"description": description, "content": {content_type: {"schema": schema}}})
}

fn query(name: &str, schema: Value, description: &str) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

fn in_path(name: &str, schema: Value) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": schema})
}

/// Some of the names, separated by commas.
fn list_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let name = names.into_iter().collect::<Vec<_>>().join("|");
    json!({"type": "string", "pattern": format!("^({name})(,({name}))*$")})
}

/// The described methods and paths, for the test that compares them with the routes.
#[cfg(test)]
pub(in crate::server) fn described() -> Vec<(&'static str, &'static str)> {
    operations().iter().map(|operation| (operation.method, operation.path)).collect()
}
