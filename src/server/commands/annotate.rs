//! `hostbeat annotate`: marks a moment in all charts, for deployments and scripts.

use super::{CommandError, api_client::ApiClient};
use crate::schema::AnnotationLevel;
use clap::Args;
use humantime::parse_rfc3339_weak;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Annotate a moment, such as a deployment, in all charts
#[derive(Args, Clone, Debug)]
pub struct AnnotateCommand {
    /// What happened, such as "deploy 1.42"
    title: String,
    /// More about it
    #[arg(long, default_value = "")]
    text: String,
    /// How much it matters: info, warning or critical
    #[arg(long, default_value = "info", value_parser = level)]
    level: AnnotationLevel,
    /// A word to find it by; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// When it happened or began, such as 2026-11-20T10:41:00Z; now if left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<u64>,
    /// When it ended
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<u64>,
    #[command(flatten)]
    client: ApiClient,
}

fn level(text: &str) -> Result<AnnotationLevel, String> {
    let level = AnnotationLevel::ALL.into_iter().find(|level| level.as_str() == text);
    level.ok_or_else(|| "a level is info, warning or critical".to_owned())
}

/// A time in UTC as Unix ms.
fn time(text: &str) -> Result<u64, String> {
    let time: Option<SystemTime> = parse_rfc3339_weak(text).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since
        .map(|since| since.as_millis() as u64)
        .ok_or_else(|| "a time is in UTC, such as 2026-11-20T10:41:00Z".to_owned())
}

impl AnnotateCommand {
    /// Sends the annotation.
    ///
    /// # Errors
    /// When the token can't be read, or the server does not take the annotation.
    pub fn run(&self) -> Result<(), CommandError> {
        Ok(self.client.post("/api/annotations", &self.body())?)
    }

    fn body(&self) -> Value {
        let Self { title, text, level, tags, at, until, .. } = self;
        let mut body = json!({"title": title, "text": text, "level": level, "tags": tags, "until": until});
        if let Some(at) = at {
            body["t"] = json!(at);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_in_utc() {
        for text in ["2026-11-20T10:41:00Z", "2026-11-20 10:41:00"] {
            assert_eq!(time(text), Ok(1_795_171_260_000));
        }
        assert!(time("yesterday").unwrap_err().contains("2026"));
    }
}
