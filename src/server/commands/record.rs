//! `hostbeat record`: keeps the minutes before and after the present.

use super::{CommandError, api_client::ApiClient};
use clap::Args;
use serde_json::json;

/// Record the five minutes before and after, with processes, until the recording is removed
#[derive(Args, Clone, Debug)]
pub struct RecordCommand {
    /// What happens, such as "checkout is slow"
    title: String,
    /// More about it
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    client: ApiClient,
}

impl RecordCommand {
    /// Begins the recording.
    ///
    /// # Errors
    /// When the token can't be read, or the server does not record.
    pub fn run(&self) -> Result<(), CommandError> {
        Ok(self.client.post("/api/recordings", &json!({"title": self.title, "note": self.note}))?)
    }
}
