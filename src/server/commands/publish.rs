//! `hostbeat publish`: sends values to a server, for scripts and cron.

use super::{CommandError, api_client::ApiClient};
use crate::server::publish::{ChannelName, InvalidPublishedName, Label, ValueName};
use clap::Args;
use serde_json::{Map, Value, json};

/// Publish values, which become part of the next second
#[derive(Args, Clone, Debug)]
pub struct PublishCommand {
    /// Channel, such as shop
    channel: ChannelName,
    /// Values, such as orders_per_minute=42
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = assignment)]
    values: Vec<(ValueName, f64)>,
    /// What tells this publisher from others of the channel, such as eu
    #[arg(long)]
    label: Option<Label>,
    #[command(flatten)]
    client: ApiClient,
}

fn assignment(text: &str) -> Result<(ValueName, f64), String> {
    let (name, value) = text.split_once('=').ok_or("a value is written NAME=VALUE, such as orders_per_minute=42")?;
    let name = name.parse().map_err(|error: InvalidPublishedName| error.to_string())?;
    let value: Option<f64> = value.parse().ok().filter(|value: &f64| value.is_finite());
    Ok((name, value.ok_or("a value is a finite number, such as orders_per_minute=42")?))
}

impl PublishCommand {
    /// Sends the values.
    ///
    /// # Errors
    /// When the token can't be read, or the server does not take the values.
    pub fn run(&self) -> Result<(), CommandError> {
        Ok(self.client.post("/api/publish", &self.body())?)
    }

    fn body(&self) -> Value {
        let values: Map<_, _> = self.values.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        let mut body = json!({"channel": self.channel.as_str(), "values": values});
        if let Some(label) = &self.label {
            body["label"] = json!(label.as_str());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_a_name_and_a_finite_number() {
        assert_eq!(assignment("orders=-4.5e1"), Ok(("orders".parse().unwrap(), -45.0)));
        for (text, hint) in
            [("orders", "NAME=VALUE"), ("orders=many", "42"), ("orders=inf", "finite"), ("Orders=1", "lower-case")]
        {
            assert!(assignment(text).unwrap_err().contains(hint), "{text}");
        }
    }
}
