//! Recordings of incidents: times whose seconds, processes and verdicts are kept until the recording is removed.

use super::Level;
use serde::{Deserialize, Serialize};

/// A recorded time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// Names it in `/api/recordings/{id}`.
    pub id: String,
    /// The beginning, unix milliseconds.
    pub from: u64,
    /// The end, unix milliseconds; in the future while it is recorded.
    pub to: u64,
    /// What happened, in a few words.
    pub title: String,
    /// The worst level of the time.
    pub level: Level,
    /// The finding of that level; empty on a healthy host.
    pub cause: String,
    /// The user or token that began it, or `host`.
    pub author: String,
    /// Whether the verdict began it.
    pub is_automatic: bool,
    /// What readers wrote about it; may be empty.
    pub note: String,
    /// The changes of the verdict, oldest first.
    pub story: Vec<StoryLine>,
}

/// A change of the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryLine {
    /// When it changed, unix milliseconds.
    pub t: u64,
    /// The level of what began.
    pub level: Level,
    /// The finding's sentence, or that the host is healthy again.
    pub text: String,
}
