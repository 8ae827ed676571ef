//! Decodes the server's JSON with the browser's `JSON.parse`: a parser in the library would add to its size.

use crate::{
    app::{INITIAL_DATA_ELEMENT, InitialData, PageIdentity, PageMode, TimeRange, View},
    panels::of_text,
    schema::{
        Annotation, AnnotationLevel, Finding, HostFacts, LatestValues, Level, Process, Processes, SeriesValues,
        Verdict, Window, WindowSnapshot,
    },
};
use js_sys::{Array, Object, Reflect};
use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, JsValue},
};
use std::sync::Arc;
use wasm_bindgen::prelude::wasm_bindgen;

/// The data that the server rendered the page from; `None` if the page lacks it.
pub fn initial_data() -> Option<InitialData> {
    let text = document().get_element_by_id(INITIAL_DATA_ELEMENT)?.text_content()?;
    let initial_data = parse(&text.into())?;
    let (host, identity) = (get(&initial_data, "host")?, get(&initial_data, "identity")?);
    let mut columns = window_snapshot(&get(&initial_data, "columns")?)?;
    columns.of_differences();
    Some(InitialData {
        identity: PageIdentity {
            host_id: self::text(&identity, "host_id")?,
            version: self::text(&identity, "version")?,
        },
        account: self::text(&initial_data, "account")?,
        host: HostFacts {
            name: self::text(&host, "name")?,
            os: self::text(&host, "os"),
            kernel: self::text(&host, "kernel"),
            cpu: self::text(&host, "cpu"),
            cores: number(&host, "cores")? as usize,
            boot_time: number(&host, "boot_time")? as u64,
        },
        view: view(&get(&initial_data, "view")?)?,
        panels: of_text(&self::text(&initial_data, "panels")?)?.into_iter().map(Arc::new).collect(),
        time_range: TimeRange::of_seconds(number(&initial_data, "time_range")? as usize)?,
        last_event_id: self::text(&initial_data, "last_event_id"),
        columns,
        latest: latest_values(&get(&initial_data, "latest")?)?,
    })
}

fn view(data: &JsValue) -> Option<View> {
    Some(View { mode: PageMode::of_str(&text(data, "mode")?)?, panels: text(data, "panels")? })
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse_text(text: &JsValue) -> Result<JsValue, JsValue>;
}

/// Parses JSON text; `None` if it is invalid.
pub(super) fn parse(text: &JsValue) -> Option<JsValue> {
    parse_text(text).ok()
}

/// Records the values of the event `name` in `window`, at tick `t` (unix ms).
pub(super) fn record(window: &mut Window, t: u64, name: &str, data: &JsValue) {
    window.advance(t);
    record_fields(window, name, data);
}

/// Records every value under its path: nested keys joined by dots.
fn record_fields(window: &mut Window, path: &str, fields: &JsValue) {
    for entry in Object::entries(fields.unchecked_ref()) {
        let entry: Array = entry.unchecked_into();
        let (Some(key), value) = (entry.get(0).as_string(), entry.get(1)) else { continue };
        let path = [path, ".", &key].concat();
        if value.is_object() {
            record_fields(window, &path, &value);
        } else {
            window.set(&path, value.as_f64());
        }
    }
}

/// Decodes a window.
pub(super) fn window_snapshot(data: &JsValue) -> Option<WindowSnapshot> {
    let mut snapshot = WindowSnapshot {
        t0: number(data, "t0")? as u64,
        step_ms: number(data, "step_ms")? as u64,
        n: number(data, "n")? as usize,
        truncated: get(data, "truncated").is_some_and(|truncated| truncated.is_truthy()),
        series: Default::default(),
    };
    for entry in Object::entries(get(data, "series")?.unchecked_ref()) {
        let entry: Array = entry.unchecked_into();
        let values: Array = entry.get(1).dyn_into().ok()?;
        snapshot
            .series
            .insert(entry.get(0).as_string()?, SeriesValues(values.iter().map(|value| value.as_f64()).collect()));
    }
    Some(snapshot)
}

/// Decodes the latest values: those without history.
pub(super) fn latest_values(data: &JsValue) -> Option<LatestValues> {
    Some(LatestValues {
        processes: processes(&get(data, "processes")?)?,
        verdict: verdict(&get(data, "verdict")?)?,
        annotations: annotations(data)?,
    })
}

/// Decodes annotations.
pub(super) fn annotations(data: &JsValue) -> Option<Vec<Annotation>> {
    let annotation = |annotation: JsValue| {
        let text = |key| text(&annotation, key).unwrap_or_default();
        Annotation {
            id: text("id"),
            t: number(&annotation, "t").unwrap_or_default() as u64,
            until: number(&annotation, "until").map(|until| until as u64),
            level: match &*text("level") {
                "warning" => AnnotationLevel::Warning,
                "critical" => AnnotationLevel::Critical,
                _ => AnnotationLevel::Info,
            },
            title: text("title"),
            text: text("text"),
        }
    };
    let list: Array = get(data, "annotations")?.dyn_into().ok()?;
    Some(list.iter().map(annotation).collect())
}

/// A list of strings.
pub(super) fn texts(data: &JsValue, key: &str) -> Option<Vec<String>> {
    let texts: Array = get(data, key)?.dyn_into().ok()?;
    Some(texts.iter().filter_map(|text| text.as_string()).collect())
}

/// Decodes a verdict.
pub(super) fn verdict(data: &JsValue) -> Option<Verdict> {
    let level = |data: &JsValue| {
        let name = text(data, "level")?;
        Level::ALL.into_iter().find(|level| level.as_str() == name)
    };
    let finding = |finding: JsValue| {
        let since = number(&finding, "since").map(|since| since as u64);
        Some(Finding { level: level(&finding)?, text: text(&finding, "text")?, since })
    };
    let findings: Array = get(data, "findings")?.dyn_into().ok()?;
    Some(Verdict { level: level(data)?, findings: findings.iter().filter_map(finding).collect() })
}

/// Decodes the process list.
pub(super) fn processes(data: &JsValue) -> Option<Processes> {
    let process = |process: JsValue| {
        let count = |key| number(&process, key).map(|count| count as u64);
        Some(Process {
            pid: number(&process, "pid")? as u32,
            name: text(&process, "name")?,
            user: text(&process, "user"),
            cpu_percent: number(&process, "cpu_percent"),
            rss_bytes: count("rss_bytes")?,
            read_bytes_per_second: number(&process, "read_bytes_per_second"),
            write_bytes_per_second: number(&process, "write_bytes_per_second"),
            threads: count("threads")?,
            start_time_seconds: count("start_time_seconds"),
            command: text(&process, "command"),
        })
    };
    let top: Array = get(data, "top")?.dyn_into().ok()?;
    Some(Processes { total: number(data, "total")? as u64, top: top.iter().filter_map(process).collect() })
}

/// A string field.
pub(super) fn text(object: &JsValue, key: &str) -> Option<String> {
    get(object, key)?.as_string()
}

/// A number field.
pub(super) fn number(object: &JsValue, key: &str) -> Option<f64> {
    get(object, key)?.as_f64()
}

/// A field of any type; undefined if it is absent.
pub(super) fn get(object: &JsValue, key: &str) -> Option<JsValue> {
    Reflect::get(object, &key.into()).ok()
}
