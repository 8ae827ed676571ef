//! `/api/schema`: every value that events carry, and a JSON Schema (draft 2020-12) of each event.

use crate::schema::{AnnotationLevel, Declaration, Level, SCHEMA_VERSION, groups};
use axum::http::header;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as it is sent.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| describe().to_string());

/// `GET /api/schema`.
pub(in crate::server) async fn document() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], &DOCUMENT)
}

fn describe() -> Value {
    let groups: Vec<_> = groups().into_iter().map(|(name, values)| group(name, &values)).collect();
    json!({"schema": SCHEMA_VERSION, "version": env!("CARGO_PKG_VERSION"), "groups": groups})
}

fn group(name: &str, declarations: &[Declaration]) -> Value {
    let values = declarations.iter().map(|declaration| {
        let Declaration { path, kind, unit, meaning } = declaration;
        json!({
            "path": path, "kind": kind.as_str(), "unit": unit.as_str(), "stability": "stable", "meaning": meaning,
        })
    });
    json!({"name": name, "values": values.collect::<Vec<_>>(), "event": event(name, declarations)})
}

/// The JSON Schema of the `data` of an event.
pub(super) fn event(name: &str, declarations: &[Declaration]) -> Value {
    let mut schema = match name {
        "processes" => processes(),
        "verdict" => verdict(),
        "channels" => object([("names", list(json!({"type": "string"}), "The published channels."))]),
        "annotation" => object([("annotations", list(annotation(), "Those of the last hour, oldest first."))]),
        _ => object([]),
    };
    for declaration in declarations {
        insert(&mut schema, &declaration.path, declaration);
    }
    for (field, meaning) in [
        ("t", "The tick that it belongs to, Unix milliseconds, on a whole second."),
        ("at", "When it was read, Unix seconds."),
        ("dt", "Seconds since the previous reading, over which rates are."),
    ] {
        require(&mut schema, field, json!({"type": "number", "description": meaning}));
    }
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema
}

/// Adds a value at `path` below an object's schema. `*` is any name, and at the end any index.
fn insert(schema: &mut Value, path: &str, declaration: &Declaration) {
    let value = || json!({"type": ["number", "null"], "description": declaration.meaning});
    match path.split_once('.') {
        None => require(schema, path, value()),
        Some((name, "*")) => require(schema, name, json!({"type": "array", "items": value()})),
        Some((name, rest)) => {
            if schema["properties"].get(name).is_none() {
                require(schema, name, object([]));
            }
            let below = &mut schema["properties"][name];
            let Some(field) = rest.strip_prefix("*.") else { return insert(below, rest, declaration) };
            if below.get("additionalProperties").is_none() {
                *below = json!({"type": "object", "additionalProperties": object([])});
            }
            insert(&mut below["additionalProperties"], field, declaration);
        }
    }
}

fn require(schema: &mut Value, name: &str, of: Value) {
    schema["properties"][name] = of;
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(json!(name));
    }
}

/// An object that has these properties.
pub(super) fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
    let properties: Map<_, _> = properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// An array.
pub(super) fn list(items: Value, meaning: &str) -> Value {
    json!({"type": "array", "items": items, "description": meaning})
}

fn processes() -> Value {
    let of = |kind: &[&str], meaning: &str| json!({"type": kind, "description": meaning});
    let number = |meaning| of(&["number", "null"], meaning);
    let mut process = object([
        ("pid", of(&["integer"], "Process id.")),
        ("name", of(&["string"], "Name, at most 15 bytes.")),
        ("user", of(&["string", "null"], "Effective user: the name, or the id of one without a name.")),
        ("cpu_percent", number("CPU time in percent of one core.")),
        ("rss_bytes", of(&["integer"], "Resident set size in bytes, shared pages included.")),
        ("read_bytes_per_second", number("Bytes read from disks per second.")),
        ("write_bytes_per_second", number("Bytes written to disks per second.")),
        ("threads", of(&["integer"], "Number of threads.")),
        ("start_time_seconds", of(&["integer", "null"], "Start time, Unix seconds.")),
    ]);
    process["properties"]["cgroup"] =
        of(&["string"], "Path of its control group; absent where the server may not read it.");
    process["properties"]["command"] = of(&["string"], "Command line, only with --command-lines.");
    object([
        ("total", of(&["integer"], "Number of processes that the server may see.")),
        ("top", list(process, "The top twenty by CPU and the top twenty by memory.")),
    ])
}

fn verdict() -> Value {
    let level = || json!({"enum": Level::ALL.map(Level::as_str)});
    let finding = object([
        ("level", level()),
        ("text", json!({"type": "string", "description": "The problem and what is involved."})),
        ("since", json!({"type": ["integer", "null"], "description": "Start, Unix seconds."})),
    ]);
    object([("level", level()), ("findings", list(finding, "Most severe first."))])
}

/// The JSON Schema of an annotation.
pub(super) fn annotation() -> Value {
    let of = |kind: Value, meaning: &str| json!({"type": kind, "description": meaning});
    object([
        ("id", of(json!("string"), "Names it in /api/annotations/{id}.")),
        ("t", of(json!("integer"), "When it happened or began, Unix milliseconds.")),
        ("until", of(json!(["integer", "null"]), "When it ended, Unix milliseconds; null for a moment.")),
        ("level", json!({"enum": AnnotationLevel::ALL.map(AnnotationLevel::as_str)})),
        ("title", of(json!("string"), "What happened, in a few words.")),
        ("text", of(json!("string"), "More about it; may be empty.")),
        ("tags", list(json!({"type": "string"}), "Words that it can be found by.")),
        ("author", of(json!("string"), "The user or token that wrote it, or host.")),
    ])
}
