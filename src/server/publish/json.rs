//! Publications as JSON: one object, or one a line (NDJSON).

use super::{Label, Publication, PublishRefusal, Reading, RefusalReason, ValueName, check_time};
use serde_json::{Map, Value};

const FIELDS: &str = "channel, values, counters, label and t";
/// What follows the name of a counter in that of its rate.
pub(super) const RATE_SUFFIX: &str = "_per_second";

/// The publication of a body with one object; `now` is the server's clock in Unix milliseconds.
///
/// # Errors
/// When anything in it is wrong; the refusal names the field.
pub fn parse_json(body: &[u8], now: u64) -> Result<Publication, PublishRefusal> {
    let value = serde_json::from_slice(body).map_err(|error| RefusalReason::NotJson(error.to_string()).at(""))?;
    let Value::Object(fields) = value else { return Err(wrong_type(&value, "an object").at("")) };
    for (name, value) in &fields {
        check_field(name, value, now)?;
    }
    let missing = || RefusalReason::Missing("name a channel, such as \"shop\"").at("channel");
    let channel = text(&fields, "channel")?.ok_or_else(missing)?;
    let channel = channel.parse().map_err(|error| RefusalReason::Name(error).at("channel"))?;
    let label = text(&fields, "label")?.map(str::parse::<Label>).transpose();
    let label = label.map_err(|error| RefusalReason::from(error).at("label"))?;
    let mut readings = Vec::new();
    for (name, value) in numbers(&fields, "values") {
        let path = || format!("values.{}", super::excerpt(name));
        let value = number(value).map_err(|reason| reason.at(path()))?;
        readings.push((value_name(name).map_err(|reason| reason.at(path()))?, Reading::Value(value)));
    }
    for (name, total) in numbers(&fields, "counters") {
        let path = || format!("counters.{}", super::excerpt(name));
        let total = number(total).and_then(checked_total).map_err(|reason| reason.at(path()))?;
        let rate = value_name(&format!("{name}{RATE_SUFFIX}")).map_err(|reason| reason.at(path()))?;
        readings.push((rate, Reading::Total(total)));
    }
    if readings.is_empty() {
        return Err(RefusalReason::Empty.at("values"));
    }
    Ok(Publication { line: None, channel, label, readings })
}

/// The publications of a body with one object a line. Empty lines are skipped.
///
/// # Errors
/// When anything in it is wrong; the refusal names the line and the field.
pub fn parse_json_lines(body: &[u8], now: u64) -> Result<Vec<Publication>, PublishRefusal> {
    let lines = body.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line.trim_ascii()));
    let parsed = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| match parse_json(line, now) {
        Ok(publication) => Ok(Publication { line: Some(number), ..publication }),
        Err(refusal) => Err(refusal.in_line(number)),
    });
    let publications = parsed.collect::<Result<Vec<_>, _>>()?;
    if publications.is_empty() { Err(RefusalReason::Empty.at("")) } else { Ok(publications) }
}

fn check_field(name: &str, value: &Value, now: u64) -> Result<(), PublishRefusal> {
    match (name, value) {
        ("channel" | "label", _) | ("values" | "counters", Value::Object(_)) => Ok(()),
        ("values" | "counters", other) => Err(wrong_type(other, "an object of numbers").at(name)),
        ("t", Value::Number(t)) => match t.as_i64().or_else(|| t.as_f64().map(|t| t as i64)) {
            Some(t) => check_time(t, now).map_err(|reason| reason.at(name)),
            None => Err(wrong_type(value, "a time in Unix milliseconds").at(name)),
        },
        ("t", other) => Err(wrong_type(other, "a time in Unix milliseconds").at(name)),
        _ => Err(RefusalReason::UnknownField(FIELDS).at(super::excerpt(name))),
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, PublishRefusal> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(other, "a text").at(name)),
    }
}

fn numbers<'a>(fields: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    fields.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn number(value: &Value) -> Result<f64, RefusalReason> {
    let number = value.as_f64().ok_or_else(|| wrong_type(value, "a number"))?;
    if number.is_finite() { Ok(number) } else { Err(RefusalReason::NotFinite(number.to_string())) }
}

/// Refuses a counter below zero.
pub(super) fn checked_total(total: f64) -> Result<f64, RefusalReason> {
    if total >= 0.0 { Ok(total) } else { Err(RefusalReason::NegativeTotal(total)) }
}

fn value_name(text: &str) -> Result<ValueName, RefusalReason> {
    Ok(text.parse()?)
}

/// The refusal of a value that has another type.
pub(in crate::server) fn wrong_type(value: &Value, expected: &'static str) -> RefusalReason {
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    RefusalReason::WrongType { actual, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000_000;

    fn refusal(body: &str) -> PublishRefusal {
        parse_json(body.as_bytes(), NOW).unwrap_err()
    }

    #[test]
    fn object_becomes_a_publication() {
        let body = r#"{"channel":"shop","values":{"basket_eur":19.9,"orders_per_minute":42},"counters":{"orders":1234},
                       "label":"eu","t":1700000001000}"#;
        let publication = parse_json(body.as_bytes(), NOW).unwrap();
        let name = |text: &str| text.parse::<ValueName>().unwrap();
        let readings = vec![
            (name("basket_eur"), Reading::Value(19.9)),
            (name("orders_per_minute"), Reading::Value(42.0)),
            (name("orders_per_second"), Reading::Total(1234.0)),
        ];
        let (channel, label) = ("shop".parse().unwrap(), Some("eu".parse().unwrap()));
        assert_eq!(publication, Publication { line: None, channel, label, readings });
    }

    #[test]
    fn wrong_field_is_named() {
        for (body, field, hint) in [
            ("", "", "no JSON"),
            ("[]", "", "must be an object"),
            ("{}", "channel", "missing"),
            (r#"{"channel":"shop"}"#, "values", "no value"),
            (r#"{"channel":"shop","values":{}}"#, "values", "no value"),
            (r#"{"channel":7,"values":{"a":1}}"#, "channel", "must be a text"),
            (r#"{"channel":"Shop","values":{"a":1}}"#, "channel", "lower-case"),
            (r#"{"channel":"cpu","values":{"a":1}}"#, "channel", "my_cpu"),
            (r#"{"channel":"shop","values":[1]}"#, "values", "object of numbers"),
            (r#"{"channel":"shop","values":{"orders":"7"}}"#, "values.orders", "must be a number"),
            (r#"{"channel":"shop","values":{"orders":null}}"#, "values.orders", "null"),
            (r#"{"channel":"shop","values":{"a b":1}}"#, "values.a b", "no name"),
            (r#"{"channel":"shop","values":{"dt":1}}"#, "values.dt", "my_dt"),
            (r#"{"channel":"shop","values":{"a":1e999}}"#, "", "out of range"),
            (r#"{"channel":"shop","values":{"a":NaN}}"#, "", "no JSON"),
            (r#"{"channel":"shop","counters":{"orders":-1}}"#, "counters.orders", "from 0 on"),
            (r#"{"channel":"shop","values":{"a":1},"label":""}"#, "label", "1 to 128"),
            (r#"{"channel":"shop","values":{"a":1},"label":"a\u0007"}"#, "label", "control"),
            (r#"{"channel":"shop","values":{"a":1},"t":1700000061000}"#, "t", "61 s ahead"),
            (r#"{"channel":"shop","values":{"a":1},"t":-9223372036854775808}"#, "t", "clock"),
            (r#"{"channel":"shop","values":{"a":1},"tags":{}}"#, "tags", "the fields are"),
        ] {
            let refusal = refusal(body);
            assert_eq!(refusal.field, field, "{body}: {refusal}");
            assert!(refusal.to_string().contains(hint), "{body}: {refusal}");
        }
    }

    #[test]
    fn line_of_the_fault_is_named() {
        let body = "{\"channel\":\"a\",\"values\":{\"b\":1}}\r\n\n{\"channel\":\"a\",\"values\":{\"b\":true}}\n";
        let refusal = parse_json_lines(body.as_bytes(), NOW).unwrap_err();
        assert_eq!((refusal.line, &*refusal.field), (Some(3), "values.b"));
        let first = body.lines().next().unwrap();
        assert_eq!(parse_json_lines(first.as_bytes(), NOW).unwrap()[0].line, Some(1));
        assert!(parse_json_lines(b"\n \n", NOW).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_json_lines(&body, NOW);
        }

        #[test]
        fn refusal_of_any_names_is_short(channel in "\\PC*", value in "\\PC{0,300}") {
            let body = serde_json::json!({"channel": channel, "values": {value: 1}});
            if let Err(refusal) = parse_json(body.to_string().as_bytes(), NOW) {
                prop_assert!(refusal.to_string().chars().count() < 2_000);
            }
        }
    }
}
