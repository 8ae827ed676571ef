//! The schemas and shared responses of `/api/openapi.json`.

use super::schema;
use crate::schema::{ChartKind, Level};
use serde_json::{Map, Value, json};

pub(super) fn components() -> Value {
    let message = || json!({"text/html": {}, "text/plain": {}});
    let problem = json!({"application/problem+json": {"schema": reference("Problem")}});
    let described = "What was wrong, and what would be right";
    json!({
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token of `hostbeat token add`"},
            "session": {"type": "apiKey", "in": "cookie", "name": "hostbeat", "description": "With HTTPS `__Host-hostbeat`"},
        },
        "responses": {
            "Problem": {"description": described, "content": problem},
            "ProblemPage": {"description": described, "content": message()},
            "Redirect": {"description": "Where to go", "headers": {"Location": {"schema": text()}}},
        },
        "schemas": {
            "Description": {"type": "object", "required": ["openapi", "paths"]},
            "Schema": {"type": "object", "required": ["schema", "version", "groups"]},
            "Problem": problem_schema(),
            "Processes": {"type": "object", "required": ["t", "dt", "total", "top"]},
            "History": object(&[
                ("t0", json!({"type": "integer", "description": "The beginning of the first step, Unix ms"})),
                ("step_ms", json!({"type": "integer"})),
                ("n", json!({"type": "integer", "description": "Steps of each series"})),
                ("tier", json!({"enum": ["1s", "1m", "1h"]})),
                ("series", json!({"type": "object", "description": "By path: min, mean (of states: last) and max of each step"})),
            ]),
            "Lines": {"type": "string", "description": "One publication, or one sample, a line"},
            "Publication": publication_schema(),
            "Annotation": schema::annotation(),
            "AnnotationDraft": annotation_draft_schema(),
            "AnnotationList": object(&[("annotations", json!({"type": "array", "items": reference("Annotation")}))]),
            "Recording": recording_schema(),
            "RecordingDraft": recording_draft_schema(),
            "RecordingList": object(&[("recordings", json!({"type": "array", "items": reference("Recording")}))]),
            "Declaration": declaration_schema(&[]),
            "Channel": declaration_schema(&["name", "title", "unit", "kind", "warning", "critical"]),
            "ChannelList": object(&[
                ("version", json!({"type": "integer", "description": "Rises when the list changes"})),
                ("channels", json!({"type": "array", "items": reference("Channel")})),
            ]),
            "Ticket": object(&[("ticket", text()), ("expires_in", json!({"type": "integer", "description": "Seconds"}))]),
            "Snapshot": object(&[
                ("now", json!({"type": "integer", "description": "The server's clock, Unix ms"})),
                ("host", text()),
                ("id", json!({"type": ["string", "null"], "description": "The id for the next request"})),
                ("start", json!({"enum": ["window", "replay", "live", "reset"]})),
                ("version", text()),
                ("window", json!({"type": "object"})),
                ("present", json!({"type": "object"})),
            ]),
        },
    })
}

fn problem_schema() -> Value {
    let mut problem = object(&[("title", text()), ("status", json!({"type": "integer"})), ("detail", text())]);
    problem["properties"]["field"] = json!({"type": "string", "description": "The field that is wrong"});
    problem["properties"]["line"] = json!({"type": "integer", "description": "The line of the body that is wrong"});
    problem
}

fn publication_schema() -> Value {
    let numbers = |description: &str| json!({"type": "object", "additionalProperties": {"type": "number"}, "description": description});
    let mut publication = object(&[("channel", text())]);
    publication["properties"]["values"] = numbers("Values by name");
    publication["properties"]["counters"] = numbers("Totals by name, which become rates");
    publication["properties"]["label"] = json!({"type": "string", "minLength": 1, "maxLength": 128});
    publication["properties"]["t"] = json!({"type": "integer", "description": "The publisher's clock, Unix ms"});
    publication["additionalProperties"] = json!(false);
    publication
}

fn annotation_draft_schema() -> Value {
    let mut draft = schema::annotation();
    if let Some(draft) = draft.as_object_mut() {
        draft.remove("required");
        draft.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(properties) = draft["properties"].as_object_mut() {
        properties.retain(|name, _| !["id", "author"].contains(&name.as_str()));
    }
    draft
}

fn recording_schema() -> Value {
    let time = |description: &str| json!({"type": "integer", "description": description});
    let level = json!({"enum": Level::ALL.map(Level::as_str)});
    let line = object(&[("t", time("When it changed, Unix ms")), ("level", level.clone()), ("text", text())]);
    object(&[
        ("id", text()),
        ("from", time("The beginning, Unix ms")),
        ("to", time("The end, Unix ms; in the future while it is recorded")),
        ("title", text()),
        ("level", level),
        ("cause", json!({"type": "string", "description": "The worst finding; empty on a healthy host"})),
        ("author", json!({"type": "string", "description": "The user or token that began it, or host"})),
        ("is_automatic", json!({"type": "boolean", "description": "Whether the verdict began it"})),
        ("note", text()),
        ("story", json!({"type": "array", "items": line, "description": "The changes of the verdict, oldest first"})),
    ])
}

fn recording_draft_schema() -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "note": {"type": "string", "maxLength": 2000},
    }})
}

fn declaration_schema(required: &[&str]) -> Value {
    let limit =
        |level: &str| json!({"type": ["number", "null"], "description": format!("From here on, a value is {level}")});
    json!({"type": "object", "required": required, "properties": {
        "name": text(),
        "title": {"type": "string", "minLength": 1, "maxLength": 80},
        "unit": {"type": "string", "maxLength": 16},
        "kind": {"enum": ChartKind::ALL.map(ChartKind::as_str)},
        "warning": limit("worth a warning"),
        "critical": limit("critical"),
    }})
}

pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

pub(super) fn object(properties: &[(&str, Value)]) -> Value {
    let required: Vec<_> = properties.iter().map(|(name, _)| name).collect();
    let properties: Map<_, _> = properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": required, "properties": properties})
}
