//! An annotation as a request describes it.

use crate::{
    schema::{Annotation, AnnotationLevel},
    server::publish::{PublishRefusal, RefusalReason, excerpt, wrong_type},
};
use serde_json::Value;

const FIELDS: &str = "title, text, level, t, until and tags";
const MAX_TITLE_CHARS: usize = 200;
const MAX_TEXT_CHARS: usize = 2_000;
const MAX_TAGS: usize = 8;
const MAX_TAG_CHARS: usize = 50;
/// How far a writer's clock may be ahead, in milliseconds.
const MAX_AHEAD_MS: u64 = 60_000;
/// The last time that a date can have (ECMA-262, section 21.4.1.1), Unix ms.
const MAX_TIME_MS: u64 = 8_640_000_000_000_000;

/// The fields that a request has; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct Draft {
    title: Option<String>,
    text: Option<String>,
    level: Option<AnnotationLevel>,
    t: Option<u64>,
    /// `Some(None)` for a moment.
    until: Option<Option<u64>>,
    tags: Option<Vec<String>>,
}

/// The draft in a body.
///
/// # Errors
/// When anything in it is wrong; the refusal names the field.
pub(in crate::server) fn parse_draft(body: &[u8]) -> Result<Draft, PublishRefusal> {
    let value = serde_json::from_slice(body).map_err(|error| RefusalReason::NotJson(error.to_string()).at(""))?;
    let Value::Object(fields) = value else { return Err(wrong_type(&value, "an object").at("")) };
    let mut draft = Draft::default();
    for (field, value) in &fields {
        draft.set_field(field, value).map_err(|reason| reason.at(excerpt(field)))?;
    }
    Ok(draft)
}

impl Draft {
    /// The annotation that `before` becomes at `now`, the server's clock in Unix milliseconds.
    ///
    /// # Errors
    /// When it has no title, begins in the future, or ends before it begins.
    pub(in crate::server) fn applied_to(self, before: Annotation, now: u64) -> Result<Annotation, PublishRefusal> {
        let Self { title, text, level, t, until, tags } = self;
        let annotation = Annotation {
            title: title.unwrap_or(before.title),
            text: text.unwrap_or(before.text),
            level: level.unwrap_or(before.level),
            t: t.unwrap_or(before.t),
            until: until.unwrap_or(before.until),
            tags: tags.unwrap_or(before.tags),
            ..before
        };
        if annotation.title.is_empty() {
            return Err(RefusalReason::Missing("say what happened, such as \"deploy 1.42\"").at("title"));
        }
        if annotation.t > now.saturating_add(MAX_AHEAD_MS) {
            return Err(RefusalReason::Future { ahead_s: (annotation.t - now) / 1000 }.at("t"));
        }
        if annotation.end() < annotation.t {
            return Err(RefusalReason::EndsBefore.at("until"));
        }
        Ok(annotation)
    }

    fn set_field(&mut self, field: &str, value: &Value) -> Result<(), RefusalReason> {
        let text = || value.as_str().ok_or_else(|| wrong_type(value, "a text"));
        match field {
            "title" => self.title = Some(title(text()?)?),
            "text" => self.text = Some(lines(text()?)?),
            "level" => self.level = Some(level(text()?)?),
            "t" => self.t = Some(time(value)?),
            "until" if value.is_null() => self.until = Some(None),
            "until" => self.until = Some(Some(time(value)?)),
            "tags" => self.tags = Some(tags(value)?),
            _ => return Err(RefusalReason::UnknownField(FIELDS)),
        }
        Ok(())
    }
}

/// A text of 1 to `max` characters, none of them a control character.
fn line(text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    ((1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// A title of 1 to 200 characters.
pub(in crate::server) fn title(text: &str) -> Result<String, RefusalReason> {
    line(text, MAX_TITLE_CHARS).ok_or(RefusalReason::AnnotationTitle)
}

/// A text of at most 2,000 characters, which may have lines.
pub(in crate::server) fn lines(text: &str) -> Result<String, RefusalReason> {
    let is_allowed = |c: char| !c.is_control() || c == '\n' || c == '\t';
    let is_valid = text.chars().count() <= MAX_TEXT_CHARS && text.chars().all(is_allowed);
    if is_valid { Ok(text.trim().to_owned()) } else { Err(RefusalReason::AnnotationText) }
}

fn level(text: &str) -> Result<AnnotationLevel, RefusalReason> {
    let level = AnnotationLevel::ALL.into_iter().find(|level| level.as_str() == text);
    level.ok_or_else(|| RefusalReason::Level(excerpt(text)))
}

fn time(value: &Value) -> Result<u64, RefusalReason> {
    let t = value.as_u64().filter(|t| *t <= MAX_TIME_MS);
    t.ok_or_else(|| wrong_type(value, "a time in Unix milliseconds"))
}

fn tags(value: &Value) -> Result<Vec<String>, RefusalReason> {
    let list = value.as_array().ok_or_else(|| wrong_type(value, "a list of texts"))?;
    if list.len() > MAX_TAGS {
        return Err(RefusalReason::Tags);
    }
    let tag = |tag: &Value| {
        let text = tag.as_str().ok_or_else(|| wrong_type(tag, "a text"))?;
        line(text, MAX_TAG_CHARS).filter(|tag| !tag.contains([' ', ','])).ok_or(RefusalReason::Tags)
    };
    list.iter().map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000_000;

    fn parsed(body: &str) -> Result<Annotation, PublishRefusal> {
        parse_draft(body.as_bytes())?.applied_to(Annotation { t: NOW, ..Annotation::default() }, NOW)
    }

    #[test]
    fn draft_has_defaults() {
        let annotation = parsed(r#"{"title":" deploy 1.42 "}"#).unwrap();
        assert_eq!((&*annotation.title, annotation.t, annotation.until), ("deploy 1.42", NOW, None));
        assert_eq!(annotation.level, AnnotationLevel::Info);
        let all = r#"{"title":"a","text":"b\nc","level":"critical","t":5,"until":9,"tags":["shop","v1.42"]}"#;
        let annotation = parsed(all).unwrap();
        assert_eq!((&*annotation.text, annotation.level), ("b\nc", AnnotationLevel::Critical));
        assert_eq!((annotation.t, annotation.until, annotation.tags.len()), (5, Some(9), 2));
    }

    #[test]
    fn change_keeps_what_it_does_not_name() {
        let before = parsed(r#"{"title":"deploy","until":1700000009000,"tags":["shop"]}"#).unwrap();
        let change = parse_draft(br#"{"text":"rolled back","until":null}"#).unwrap();
        let after = change.applied_to(before.clone(), NOW).unwrap();
        assert_eq!(after, Annotation { text: "rolled back".to_owned(), until: None, ..before });
    }

    #[test]
    fn wrong_field_is_named() {
        for (body, field, hint) in [
            ("", "", "no JSON"),
            ("[]", "", "an object"),
            ("{}", "title", "deploy 1.42"),
            (r#"{"title":7}"#, "title", "a text"),
            (r#"{"title":"  "}"#, "title", "1 to 200"),
            (r#"{"title":"a\nb"}"#, "title", "control"),
            (r#"{"title":"a","text":"\u0007"}"#, "text", "2,000"),
            (r#"{"title":"a","level":"bad"}"#, "level", "info, warning, critical"),
            (r#"{"title":"a","t":-1}"#, "t", "Unix milliseconds"),
            (r#"{"title":"a","t":1700000061000}"#, "t", "61 s ahead"),
            (r#"{"title":"a","until":1699999999999}"#, "until", "begins"),
            (r#"{"title":"a","tags":"shop"}"#, "tags", "a list"),
            (r#"{"title":"a","tags":["a b"]}"#, "tags", "50 characters"),
            (r#"{"title":"a","id":"x"}"#, "id", "the fields are"),
        ] {
            let refusal = parsed(body).unwrap_err();
            assert_eq!(refusal.field, field, "{body}: {refusal}");
            assert!(refusal.to_string().contains(hint), "{body}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_draft(&body);
        }
    }
}
