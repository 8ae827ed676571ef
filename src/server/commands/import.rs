//! `hostbeat import`.

use super::{CommandError, export::METRIC};
use crate::server::{history::HistoryImport, store::DataOptions};
use clap::Args;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

/// Add exported samples to the history of a server that is not running
#[derive(Args, Clone, Debug)]
pub struct ImportCommand {
    /// File that hostbeat export wrote, as CSV or OpenMetrics; standard input if left out
    file: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
}

/// A sample: unix ms, path, value.
type Sample = (u64, String, f64);

impl ImportCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When a line is wrong; then nothing of the lines after it is added. When a server uses the history.
    pub fn run(&self) -> Result<(), CommandError> {
        match &self.file {
            Some(path) => {
                let file = File::open(path)
                    .map_err(|error| CommandError::Input(format!("cannot read {}: {error}", path.display())))?;
                self.read(BufReader::new(file))
            }
            None => self.read(io::stdin().lock()),
        }
    }

    fn read(&self, input: impl BufRead) -> Result<(), CommandError> {
        let mut history = HistoryImport::open(&self.options)?;
        for (number, line) in (1..).zip(input.lines()) {
            let wrong = |reason: &str| CommandError::Input(format!("line {number}: {reason}"));
            let line = line.map_err(|error| wrong(&error.to_string()))?;
            if let Some((t, path, value)) = parse(&line).map_err(wrong)? {
                history.add(&path, t, value)?;
            }
        }
        Ok(history.finish()?)
    }
}

/// The sample in a line; `None` for a heading or a comment.
fn parse(line: &str) -> Result<Option<Sample>, &'static str> {
    if line.is_empty() || line.starts_with('#') || line == "t,series,value" {
        return Ok(None);
    }
    let sample = if line.starts_with(METRIC) { openmetrics(line) } else { csv(line) };
    sample.map(Some).ok_or(
        "it is no sample; one is 1764043920000,cpu.total_percent,3.5 or \
         hostbeat_value{series=\"cpu.total_percent\"} 3.5 1764043920.000",
    )
}

fn csv(line: &str) -> Option<Sample> {
    let (t, rest) = line.split_once(',')?;
    let (path, value) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.rsplit_once("\",").map(|(path, value)| (path.replace("\"\"", "\""), value))?,
        None => rest.split_once(',').map(|(path, value)| (path.to_owned(), value))?,
    };
    Some((t.parse().ok()?, path, number(value)?))
}

fn openmetrics(line: &str) -> Option<Sample> {
    let (path, rest) = line.strip_prefix(METRIC)?.strip_prefix("{series=\"")?.rsplit_once("\"} ")?;
    let (value, seconds) = rest.split_once(' ')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let ms: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some((whole.parse::<u64>().ok()?.checked_mul(1000)? + ms, unescaped(path), number(value)?))
}

fn number(text: &str) -> Option<f64> {
    text.trim_end().parse().ok().filter(|value: &f64| value.is_finite())
}

fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut plain = String::new();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            },
            char => char,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_formats_are_samples() {
        for line in [
            "1764043920000,cpu.total_percent,3.5",
            "hostbeat_value{series=\"cpu.total_percent\"} 3.5 1764043920.000",
            "hostbeat_value{series=\"cpu.total_percent\"} 3.5 1764043920",
        ] {
            assert_eq!(parse(line), Ok(Some((1_764_043_920_000, "cpu.total_percent".to_owned(), 3.5))), "{line}");
        }
        assert_eq!(parse("1000,\"a,\"\"b\",1").unwrap().unwrap().1, "a,\"b");
        assert_eq!(
            parse("hostbeat_value{series=\"a\\\\b\\\"c\"} 1 1.5").unwrap(),
            Some((1500, "a\\b\"c".to_owned(), 1.0))
        );
        for line in ["", "# EOF", "t,series,value"] {
            assert_eq!(parse(line), Ok(None));
        }
        for line in ["x", "1,a,NaN", "1,a", "hostbeat_value 3 4", "-1,a,2"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
