//! The flags of the data folder and of sessions.

use crate::server::duration::timeout;
use clap::Args;
use std::{path::PathBuf, time::Duration};

/// Where the data folder is.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DataOptions {
    /// Folder that keeps users, tokens and the history; by default $STATE_DIRECTORY, or hostbeat in $XDG_STATE_HOME or ~/.local/state
    #[arg(long, env = "HOSTBEAT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// When sessions end.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimeouts {
    /// Time after which an unused session ends
    #[arg(long = "session-idle-timeout", env = "HOSTBEAT_SESSION_IDLE_TIMEOUT", value_name = "TIME", default_value = "7d", value_parser = timeout)]
    pub idle: Duration,

    /// Time after which a session ends, used or not
    #[arg(long = "session-timeout", env = "HOSTBEAT_SESSION_TIMEOUT", value_name = "TIME", default_value = "30d", value_parser = timeout)]
    pub absolute: Duration,
}

impl Default for SessionTimeouts {
    fn default() -> Self {
        let day = 24 * 60 * 60;
        Self { idle: Duration::from_secs(7 * day), absolute: Duration::from_secs(30 * day) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        timeouts: SessionTimeouts,
    }

    #[test]
    fn parsed_flags_without_arguments_equal_defaults() {
        assert_eq!(Flags::parse_from(["hostbeat"]).timeouts, SessionTimeouts::default());
    }
}
