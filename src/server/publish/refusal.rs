//! Why a publication or a declaration is refused, and where in the request.

use super::{InvalidLabel, InvalidPublishedName};
use crate::schema::{AnnotationLevel, ChartKind};

/// Characters of a client's text that a message repeats.
const MAX_EXCERPT: usize = 80;

/// Nothing of the request is taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{reason}", place(*.line, .field))]
pub struct PublishRefusal {
    /// The line, from 1 on, of a body that has one publication a line.
    pub line: Option<usize>,
    /// The path of the field, such as `values.orders`; empty for the whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: RefusalReason,
}

/// What is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RefusalReason {
    /// No JSON.
    #[error("this is no JSON: {0}")]
    NotJson(String),
    /// Another type of JSON.
    #[error("this is {actual}, and must be {expected}")]
    WrongType {
        /// What is there.
        actual: &'static str,
        /// What would be right.
        expected: &'static str,
    },
    /// A field that nothing reads.
    #[error("there is no such field; the fields are {0}")]
    UnknownField(&'static str),
    /// A required field is not there.
    #[error("this is missing; {0}")]
    Missing(&'static str),
    /// No name.
    #[error(transparent)]
    Name(#[from] InvalidPublishedName),
    /// No label.
    #[error(transparent)]
    Label(#[from] InvalidLabel),
    /// NaN or an infinity.
    #[error("{0} is not finite; leave out what is unknown")]
    NotFinite(String),
    /// A total below zero.
    #[error("{0} is negative; a counter is a total from 0 on")]
    NegativeTotal(f64),
    /// The publisher's clock or the server's is wrong.
    #[error(
        "{ahead_s} s ahead of this server's clock; at most 60 s either way are taken. Leave t out, or set the clock"
    )]
    ClockOff {
        /// Seconds; negative when behind.
        ahead_s: i64,
    },
    /// No line of the text format.
    #[error("{0}")]
    Syntax(String),
    /// Nothing is in it.
    #[error("there is no value in it")]
    Empty,
    /// No title.
    #[error("a title has 1 to 80 characters and no control characters")]
    Title,
    /// No unit.
    #[error("a unit has at most 16 characters and no control characters, such as bytes, percent or orders")]
    Unit,
    /// No kind of chart.
    #[error("{0:?} is no kind of chart; the kinds are {kinds}", kinds = ChartKind::ALL.map(ChartKind::as_str).join(", "))]
    Kind(String),
    /// No title of an annotation or a recording.
    #[error("a title has 1 to 200 characters and no control characters")]
    AnnotationTitle,
    /// No text of an annotation, or note of a recording.
    #[error("a text has at most 2,000 characters, and no control characters but line ends and tabs")]
    AnnotationText,
    /// No level.
    #[error("{0:?} is no level; the levels are {levels}", levels = AnnotationLevel::ALL.map(AnnotationLevel::as_str).join(", "))]
    Level(String),
    /// No tags.
    #[error("there are at most 8 tags, of 1 to 50 characters without spaces, commas and control characters")]
    Tags,
    /// It has not happened yet.
    #[error("{ahead_s} s ahead of this server's clock; at most 60 s are taken. Leave t out, or set the clock")]
    Future {
        /// Seconds.
        ahead_s: u64,
    },
    /// The end is before the beginning.
    #[error("it ends before it begins at t; until is null for a moment")]
    EndsBefore,
    /// The bound of channels is reached.
    #[error("there are {0} channels, the maximum (--publish-max-channels); remove one with DELETE /api/channels/NAME")]
    TooManyChannels(usize),
    /// The bound of values in a channel is reached.
    #[error("the channel has {0} values, the maximum (--publish-max-values); use another channel, or labels")]
    TooManyValues(usize),
    /// The bound of all series is reached.
    #[error("there are {0} series, the maximum (--publish-max-series); a series ends a minute after its value expired")]
    TooManySeries(usize),
}

impl RefusalReason {
    /// The refusal of the field at `path`.
    pub(in crate::server) fn at(self, path: impl Into<String>) -> PublishRefusal {
        PublishRefusal { line: None, field: path.into(), reason: self }
    }

    /// Whether the request would be right on a server with fewer channels or series.
    pub fn is_bound(&self) -> bool {
        matches!(self, Self::TooManyChannels(_) | Self::TooManyValues(_) | Self::TooManySeries(_))
    }
}

impl PublishRefusal {
    /// The same, in a line of the body.
    pub(super) fn in_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }
}

fn place(line: Option<usize>, field: &str) -> String {
    match (line, field) {
        (None, "") => String::new(),
        (None, field) => format!("{field}: "),
        (Some(line), "") => format!("line {line}: "),
        (Some(line), field) => format!("line {line}, {field}: "),
    }
}

/// The beginning of a client's text, for messages.
pub(in crate::server) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
