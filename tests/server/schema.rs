//! The published schema: what is sent is as it says, the documentation's tables follow from it, and it changes only by
//! additions.

use super::support::{TestServer, json, project_path};
use serde_json::Value;
use std::{collections::BTreeSet, env, fs};

/// Groups that every Linux host has.
const GROUPS: [&str; 5] = ["cpu", "memory", "load", "connections", "network"];

/// The schema in one line for each value, as it was committed.
const COMMITTED: &str = "tests/schema.txt";

fn schema() -> Value {
    serde_json::from_str(&TestServer::sample_host().get("/api/schema").1).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Compares a file with what it should contain. With `BLESS=1`, writes it instead.
fn assert_file(path: &str, expected: &str) {
    if env::var_os("BLESS").is_some() {
        return fs::write(project_path(path), expected).unwrap();
    }
    let found = fs::read_to_string(project_path(path)).unwrap_or_default();
    let wrong = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    assert!(found == expected, "{path} is not up to date; `make schema` writes it. First difference: {wrong:?}");
}

/// What in `value` a JSON Schema doesn't describe, with its path. Knows the keywords that `/api/schema` uses.
fn undescribed(path: &str, value: &Value, schema: &Value) -> Vec<String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let names = |types: &Value| match types {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let is_typed = match (&schema["type"], &schema["enum"]) {
        (Value::Null, allowed) => allowed.as_array().is_some_and(|allowed| allowed.contains(value)),
        (types, _) => names(types).iter().any(|name| name == kind || (name == "number" && kind == "integer")),
    };
    if !is_typed {
        return vec![format!("{path} is {value}, not {schema}")];
    }
    match value {
        Value::Array(items) => items.iter().flat_map(|item| undescribed(path, item, &schema["items"])).collect(),
        Value::Object(fields) => {
            let below = |name: &str| schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing =
                required.filter(|name| !fields.contains_key(*name)).map(|name| format!("{path} lacks {name}"));
            let found = fields.iter().flat_map(|(name, value)| match below(name) {
                Some(schema) => undescribed(&format!("{path}.{name}"), value, schema),
                None => vec![format!("{path}.{name} is not described")],
            });
            missing.chain(found).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_event_is_as_the_published_schema_says() {
    let server = TestServer::sample_host();
    let schema: Value = serde_json::from_str(&server.get("/api/schema").1).unwrap();
    let groups = schema["groups"].as_array().unwrap();
    let mut seen = BTreeSet::new();
    for event in server.open_stream("?window=0", &[]) {
        let Some(group) = groups.iter().find(|group| group["name"] == event.event) else { continue };
        assert_eq!(undescribed(&event.event, &json(&event), &group["event"]), [""; 0]);
        seen.insert(event.event);
        if seen.is_superset(&GROUPS.map(str::to_owned).into()) && seen.contains("processes") && seen.contains("verdict")
        {
            break;
        }
    }
    assert!(undescribed("", &serde_json::json!({"t": 1}), &groups[0]["event"]).len() > 10, "the test finds faults");
}

#[test]
fn stream_is_as_its_asynchronous_description_says() {
    let server = TestServer::sample_host();
    let description: Value = serde_json::from_str(&server.get("/api/asyncapi.json").1).unwrap();
    let messages = &description["channels"]["stream"]["messages"];
    let mut seen = BTreeSet::new();
    for event in server.open_stream("?window=60", &[]) {
        let message = &messages[&event.event];
        assert_eq!(message["name"], event.event, "{} is not described", event.event);
        assert_eq!(undescribed(&event.event, &json(&event), &message["payload"]), [""; 0]);
        seen.insert(event.event);
        if seen.is_superset(&["hello", "window", "cpu", "verdict"].map(str::to_owned).into()) {
            break;
        }
    }
}

/// The table of a group's values, as Markdown.
fn table(group: &Value) -> String {
    let mut table = "| value | unit | kind | meaning |\n|---|---|---|---|\n".to_owned();
    for value in group["values"].as_array().unwrap() {
        let [path, unit, kind, meaning] = ["path", "unit", "kind", "meaning"].map(|key| text(value, key));
        table += &format!("| `{path}` | {} | {kind} | {meaning} |\n", unit.replace('_', " "));
    }
    table
}

#[test]
fn documented_tables_are_the_published_values() {
    const PATH: &str = "docs/stream.md";
    let (mut document, schema) = (fs::read_to_string(project_path(PATH)).unwrap(), schema());
    for group in schema["groups"].as_array().unwrap() {
        let name = text(group, "name");
        if group["values"].as_array().unwrap().is_empty() {
            continue;
        }
        let start = format!("<!-- values of {name} -->\n");
        let (before, rest) = document.split_once(&start).unwrap_or_else(|| panic!("{PATH} has no {start:?}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        document = [before, &start, &table(group), "<!-- end -->", after].concat();
    }
    assert_file(PATH, &document);
}

/// A line for each leaf of a JSON Schema: its path and its types.
fn leaves(path: &str, schema: &Value, into: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        return leaves(&format!("{path}[]"), items, into);
    }
    if let Some(row) = schema.get("additionalProperties") {
        return leaves(&format!("{path}.*"), row, into);
    }
    match schema["properties"].as_object() {
        Some(properties) => properties.iter().for_each(|(name, of)| leaves(&format!("{path}.{name}"), of, into)),
        None => _ = into.insert(format!("{path} {}{}", schema["type"], schema["enum"])),
    }
}

/// The schema, a line for each field of an event and for each value.
fn lines(schema: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::from([format!("schema {}", schema["schema"])]);
    for group in schema["groups"].as_array().unwrap() {
        leaves(text(group, "name"), &group["event"], &mut lines);
        for value in group["values"].as_array().unwrap() {
            let [path, unit, kind] = ["path", "unit", "kind"].map(|key| text(value, key));
            lines.insert(format!("{}.{path} {kind} {unit}", text(group, "name")));
        }
    }
    lines
}

/// What `new` renames, retypes or removes, which only another schema number permits.
fn incompatible(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<String> {
    let number = |lines: &BTreeSet<String>| lines.iter().find(|line| line.starts_with("schema ")).cloned();
    match number(old) == number(new) {
        true => old.difference(new).cloned().collect(),
        false => Vec::new(),
    }
}

#[test]
fn schema_changes_only_by_additions() {
    let (schema, committed) = (lines(&schema()), fs::read_to_string(project_path(COMMITTED)).unwrap_or_default());
    let committed: BTreeSet<_> = committed.lines().map(str::to_owned).collect();
    assert_eq!(incompatible(&committed, &schema), [""; 0], "removed, renamed or retyped within a schema number");
    let of = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(incompatible(&of(&["schema 2", "a gauge"]), &of(&["schema 2", "a rate", "b rate"])), ["a gauge"]);
    assert_eq!(incompatible(&of(&["schema 2", "a gauge"]), &of(&["schema 3"])), [""; 0]);
    assert_file(COMMITTED, &(schema.into_iter().collect::<Vec<_>>().join("\n") + "\n"));
}
