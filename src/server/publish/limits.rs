//! The flags that bound what programs publish.

use crate::server::duration::timeout;
use clap::Args;
use std::time::Duration;

const CHANNELS: usize = 64;
const VALUES: usize = 64;
const SERIES: usize = 1_000;
const EXPIRY: Duration = Duration::from_secs(60);

/// How much programs may publish, and for how long it holds.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishLimits {
    /// Maximum of channels that programs publish
    #[arg(long = "publish-max-channels", env = "HOSTBEAT_PUBLISH_MAX_CHANNELS", value_name = "N", default_value_t = CHANNELS, value_parser = limit)]
    pub channels: usize,

    /// Maximum of values in one of these channels
    #[arg(long = "publish-max-values", env = "HOSTBEAT_PUBLISH_MAX_VALUES", value_name = "N", default_value_t = VALUES, value_parser = limit)]
    pub values: usize,

    /// Maximum of series in all of these channels; a series is one value of one label
    #[arg(long = "publish-max-series", env = "HOSTBEAT_PUBLISH_MAX_SERIES", value_name = "N", default_value_t = SERIES, value_parser = limit)]
    pub series: usize,

    /// Time after which a published value that is not published again is unknown
    #[arg(long = "publish-expiry", env = "HOSTBEAT_PUBLISH_EXPIRY", value_name = "TIME", default_value = "60s", value_parser = timeout)]
    pub expiry: Duration,
}

impl Default for PublishLimits {
    fn default() -> Self {
        Self { channels: CHANNELS, values: VALUES, series: SERIES, expiry: EXPIRY }
    }
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| "a limit is a whole number from 1 on, such as 64".to_owned())
}
