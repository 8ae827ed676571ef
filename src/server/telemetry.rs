//! The server's log.

use super::LogFormat;
use std::io::{self, IsTerminal};
use tracing::Level;

/// Writes the log to standard output from here on, down to `level`.
pub fn init(format: LogFormat, level: Level) {
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stdout().is_terminal(),
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_target(false);
    if json {
        log.json().flatten_event(true).init();
    } else {
        log.with_ansi(io::stdout().is_terminal()).init();
    }
}
