//! `hostbeat export`.

use super::CommandError;
use crate::server::{
    history::{HistoryExport, matches_pattern, parse_time},
    store::DataOptions,
    unix_time::unix_ms,
};
use clap::{Args, ValueEnum};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

/// The metric of OpenMetrics whose label is the path of the series.
pub(super) const METRIC: &str = "hostbeat_value";

/// Write the history to standard output, every second as sampled
#[derive(Args, Clone, Debug)]
pub struct ExportCommand {
    /// Time of the first sample, such as 2026-11-25T03:00:00Z; the oldest without it
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value_t = 0, hide_default_value = true)]
    from: u64,
    /// Time of the last sample; now without it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<u64>,
    /// Series by path, in which * stands for any text
    #[arg(long, value_name = "PATHS", default_value = "*", value_delimiter = ',')]
    series: Vec<String>,
    /// Form of the output
    #[arg(long, default_value = "csv")]
    format: ArchiveFormat,
    /// File to write in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
}

/// The form of exported samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchiveFormat {
    /// A line for each sample: Unix milliseconds, path, value.
    Csv,
    /// OpenMetrics text, as `promtool tsdb create-blocks-from openmetrics` reads it.
    Openmetrics,
}

impl ExportCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no history, or it can't be read or written out.
    pub fn run(&self) -> Result<(), CommandError> {
        match &self.output {
            Some(path) => self.write(BufWriter::new(File::create(path).map_err(CommandError::Output)?)),
            None => self.write(BufWriter::new(io::stdout().lock())),
        }
    }

    fn write(&self, mut output: impl Write) -> Result<(), CommandError> {
        let history = HistoryExport::open(&self.options)?;
        let to = self.to.unwrap_or_else(unix_ms);
        match self.format {
            ArchiveFormat::Csv => output.write_all(b"t,series,value\n"),
            ArchiveFormat::Openmetrics => writeln!(output, "# TYPE {METRIC} gauge"),
        }
        .map_err(CommandError::Output)?;
        let is_wanted = |path: &String| self.series.iter().any(|pattern| matches_pattern(pattern, path));
        for path in history.paths()?.into_iter().filter(is_wanted) {
            let name = match self.format {
                ArchiveFormat::Csv => csv_field(&path),
                ArchiveFormat::Openmetrics => escaped(&path),
            };
            history.for_each_sample(&path, self.from, to, |t, value| {
                let written = match self.format {
                    ArchiveFormat::Csv => writeln!(output, "{t},{name},{value}"),
                    ArchiveFormat::Openmetrics => {
                        writeln!(output, "{METRIC}{{series=\"{name}\"}} {value} {}.{:03}", t / 1000, t % 1000)
                    }
                };
                written.map_err(CommandError::Output)
            })?;
        }
        if self.format == ArchiveFormat::Openmetrics {
            output.write_all(b"# EOF\n").map_err(CommandError::Output)?;
        }
        output.flush().map_err(CommandError::Output)
    }
}

/// A field of CSV (RFC 4180).
fn csv_field(path: &str) -> String {
    if path.contains([',', '"', '\r', '\n']) { format!("\"{}\"", path.replace('"', "\"\"")) } else { path.to_owned() }
}

/// A label's value in OpenMetrics.
fn escaped(path: &str) -> String {
    path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
