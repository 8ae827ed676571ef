//! Sets up the server's own log messages, as text or JSON.

use super::config::LogFormat;
use std::io::{self, IsTerminal};
use tracing::Level;

/// Writes log messages of `level` and above to standard output from now on.
pub fn init(format: LogFormat, level: Level) {
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stdout().is_terminal(),
    };
    // A message that can't be written is dropped: reporting that to a closed standard error would panic.
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_target(false).log_internal_errors(false);
    if json {
        subscriber.json().flatten_event(true).init();
    } else {
        subscriber.with_ansi(io::stdout().is_terminal()).init();
    }
}
