//! The declaration of a channel, as `PUT /api/channels/{name}` takes it.

use super::{ChannelName, PublishRefusal, RefusalReason, json::wrong_type};
use crate::schema::{Channel, ChartKind};
use serde_json::Value;

const FIELDS: &str = "title, unit, kind, warning and critical";
const MAX_TITLE_CHARS: usize = 80;
const MAX_UNIT_CHARS: usize = 16;

/// The declaration in a body; what it leaves out is as for a channel that nobody declared.
///
/// # Errors
/// When anything in it is wrong; the refusal names the field.
pub fn parse_declaration(name: &ChannelName, body: &[u8]) -> Result<Channel, PublishRefusal> {
    let value = serde_json::from_slice(body).map_err(|error| RefusalReason::NotJson(error.to_string()).at(""))?;
    let Value::Object(fields) = value else { return Err(wrong_type(&value, "an object").at("")) };
    let mut channel = Channel::undeclared(name.as_str());
    for (field, value) in &fields {
        set_field(&mut channel, field, value).map_err(|reason| reason.at(super::excerpt(field)))?;
    }
    Ok(channel)
}

/// A declaration that was kept, unless it is none that could be declared now.
///
/// # Errors
/// When a name, text or limit in it isn't allowed.
pub fn restored_declaration(channel: Channel) -> Result<(ChannelName, Channel), PublishRefusal> {
    let name = channel.name.parse().map_err(|error| RefusalReason::Name(error).at("name"))?;
    title(&channel.title).map_err(|reason| reason.at("title"))?;
    unit(&channel.unit).map_err(|reason| reason.at("unit"))?;
    let limits = [channel.warning, channel.critical].into_iter().flatten();
    match limits.into_iter().find(|limit| !limit.is_finite()) {
        Some(limit) => Err(RefusalReason::NotFinite(limit.to_string()).at("limits")),
        None => Ok((name, channel)),
    }
}

fn set_field(channel: &mut Channel, field: &str, value: &Value) -> Result<(), RefusalReason> {
    let text = || value.as_str().ok_or_else(|| wrong_type(value, "a text"));
    match field {
        "title" => channel.title = title(text()?)?,
        "unit" => channel.unit = unit(text()?)?,
        "kind" => channel.kind = kind(text()?)?,
        "warning" => channel.warning = limit(value)?,
        "critical" => channel.critical = limit(value)?,
        _ => return Err(RefusalReason::UnknownField(FIELDS)),
    }
    Ok(())
}

fn title(text: &str) -> Result<String, RefusalReason> {
    let is_valid = (1..=MAX_TITLE_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_valid { Ok(text.to_owned()) } else { Err(RefusalReason::Title) }
}

fn unit(text: &str) -> Result<String, RefusalReason> {
    let is_valid = text.chars().count() <= MAX_UNIT_CHARS && !text.chars().any(char::is_control);
    if is_valid { Ok(text.to_owned()) } else { Err(RefusalReason::Unit) }
}

fn kind(text: &str) -> Result<ChartKind, RefusalReason> {
    let kind = ChartKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    kind.ok_or_else(|| RefusalReason::Kind(super::excerpt(text)))
}

/// A number, which JSON has finite ones of only, or `null` for none.
fn limit(value: &Value) -> Result<Option<f64>, RefusalReason> {
    match value {
        Value::Null => Ok(None),
        value => value.as_f64().map(Some).ok_or_else(|| wrong_type(value, "a number or null")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Channel, PublishRefusal> {
        parse_declaration(&"basket_eur".parse().unwrap(), body.as_bytes())
    }

    #[test]
    fn declaration_has_defaults() {
        assert_eq!(parsed("{}"), Ok(Channel::undeclared("basket_eur")));
        let channel =
            parsed(r#"{"title":"Baskets","unit":"EUR","kind":"stacked","warning":5,"critical":null}"#).unwrap();
        assert_eq!((&*channel.title, &*channel.unit, channel.kind), ("Baskets", "EUR", ChartKind::Stacked));
        assert_eq!((channel.warning, channel.critical), (Some(5.0), None));
    }

    #[test]
    fn wrong_field_is_named() {
        for (body, field, hint) in [
            ("[]", "", "an object"),
            (r#"{"title":""}"#, "title", "1 to 80"),
            (r#"{"title":"a\nb"}"#, "title", "control"),
            (r#"{"unit":"seventeen letters"}"#, "unit", "at most 16"),
            (r#"{"kind":"pie"}"#, "kind", "lines, stacked, single, timeline"),
            (r#"{"warning":"5"}"#, "warning", "a number or null"),
            (r#"{"name":"other"}"#, "name", "the fields are"),
        ] {
            let refusal = parsed(body).unwrap_err();
            assert_eq!(refusal.field, field, "{body}");
            assert!(refusal.to_string().contains(hint), "{body}: {refusal}");
        }
        assert!(parsed(&format!("{{\"title\":\"{}\"}}", "\u{fc}".repeat(80))).is_ok());
    }

    #[test]
    fn kept_declaration_that_is_not_allowed_is_refused() {
        let channel = Channel::undeclared("shop");
        assert!(restored_declaration(channel.clone()).is_ok());
        for wrong in [
            Channel { name: "cpu".to_owned(), ..channel.clone() },
            Channel { title: String::new(), ..channel.clone() },
            Channel { critical: Some(f64::NAN), ..channel },
        ] {
            assert!(restored_declaration(wrong).is_err());
        }
    }
}
