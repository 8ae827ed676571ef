//! Annotations: what happened on the host or to its services, beside the values.

use super::{
    Group,
    value::{Declaration, SeriesPath, Values, Visit},
};
use serde::Serialize;

/// How much an annotation matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub enum AnnotationLevel {
    /// Worth knowing, such as a deployment.
    #[default]
    Info,
    /// Worth a look.
    Warning,
    /// A failure.
    Critical,
}

impl AnnotationLevel {
    /// Every level, least severe first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something that happened at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize))]
pub struct Annotation {
    /// Names it in `/api/annotations/{id}`.
    pub id: String,
    /// When it happened or began, unix milliseconds.
    pub t: u64,
    /// When it ended, unix milliseconds; `None` for a moment.
    pub until: Option<u64>,
    /// How much it matters.
    pub level: AnnotationLevel,
    /// What happened, in a few words.
    pub title: String,
    /// More about it; may be empty.
    pub text: String,
    /// Words that it can be found by. The page shows neither these nor the author.
    #[cfg(feature = "ssr")]
    pub tags: Vec<String>,
    /// The user or token that wrote it, or `host`.
    #[cfg(feature = "ssr")]
    pub author: String,
}

impl Annotation {
    /// Its last moment, unix milliseconds.
    pub fn end(&self) -> u64 {
        self.until.unwrap_or(self.t)
    }
}

/// The newest annotations: the `data` of an `annotation` event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Annotations {
    /// Those of the last hour, oldest first.
    pub annotations: Vec<Annotation>,
}

impl Group for Annotations {
    const NAME: &'static str = "annotation";
}

/// Annotations are text and have no series.
impl Values for Annotations {
    fn visit(&self, _: &mut SeriesPath, _: Visit<'_>) {}

    fn declare(_: &str) -> Vec<Declaration> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_serialises_as_its_name() {
        for level in AnnotationLevel::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
    }
}
