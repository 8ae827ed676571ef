//! A recording as a request describes it.

use crate::{
    schema::Recording,
    server::{
        annotations::{lines, title},
        publish::{PublishRefusal, RefusalReason, excerpt, wrong_type},
    },
};
use serde_json::Value;

/// The fields that a request has; the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct RecordingDraft {
    title: Option<String>,
    note: Option<String>,
}

/// The draft in a body.
///
/// # Errors
/// When anything in it is wrong; the refusal names the field.
pub(in crate::server) fn parse_recording(body: &[u8]) -> Result<RecordingDraft, PublishRefusal> {
    let value = serde_json::from_slice(body).map_err(|error| RefusalReason::NotJson(error.to_string()).at(""))?;
    let Value::Object(fields) = value else { return Err(wrong_type(&value, "an object").at("")) };
    let mut draft = RecordingDraft::default();
    for (field, value) in &fields {
        draft.set_field(field, value).map_err(|reason| reason.at(excerpt(field)))?;
    }
    Ok(draft)
}

impl RecordingDraft {
    /// The draft in the fields of a form.
    ///
    /// # Errors
    /// When one of them is wrong; the refusal names it.
    pub(in crate::server) fn of_form(title_field: &str, note: &str) -> Result<Self, PublishRefusal> {
        let title = title(title_field).map_err(|reason| reason.at("title"))?;
        let note = lines(note).map_err(|reason| reason.at("note"))?;
        Ok(Self { title: Some(title), note: Some(note) })
    }

    /// The same, if it has a title.
    ///
    /// # Errors
    /// When it has none.
    pub(in crate::server) fn titled(self) -> Result<Self, PublishRefusal> {
        match self.title {
            Some(_) => Ok(self),
            None => Err(RefusalReason::Missing("say what happens, such as \"checkout is slow\"").at("title")),
        }
    }

    /// Changes `recording`.
    pub(super) fn apply_to(self, recording: &mut Recording) {
        if let Some(title) = self.title {
            recording.title = title;
        }
        if let Some(note) = self.note {
            recording.note = note;
        }
    }

    fn set_field(&mut self, field: &str, value: &Value) -> Result<(), RefusalReason> {
        let text = || value.as_str().ok_or_else(|| wrong_type(value, "a text"));
        match field {
            "title" => self.title = Some(title(text()?)?),
            "note" => self.note = Some(lines(text()?)?),
            _ => return Err(RefusalReason::UnknownField("title and note")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_changes_what_it_names() {
        let mut recording = Recording { title: "a".to_owned(), note: "b".to_owned(), ..Recording::default() };
        parse_recording(br#"{"note":"c\nd"}"#).unwrap().apply_to(&mut recording);
        assert_eq!((&*recording.title, &*recording.note), ("a", "c\nd"));
        parse_recording(br#"{"title":" e "}"#).unwrap().titled().unwrap().apply_to(&mut recording);
        assert_eq!((&*recording.title, &*recording.note), ("e", "c\nd"));
    }

    #[test]
    fn wrong_field_is_named() {
        for (body, field, hint) in [
            ("", "", "no JSON"),
            ("[]", "", "an object"),
            ("{}", "title", "checkout"),
            (r#"{"title":""}"#, "title", "1 to 200"),
            (r#"{"title":"a","note":7}"#, "note", "a text"),
            (r#"{"title":"a","level":"watch"}"#, "level", "title and note"),
        ] {
            let refusal = parse_recording(body.as_bytes()).and_then(RecordingDraft::titled).unwrap_err();
            assert_eq!(refusal.field, field, "{body}: {refusal}");
            assert!(refusal.to_string().contains(hint), "{body}: {refusal}");
        }
    }
}
