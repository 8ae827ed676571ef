//! Command line: parses flags, then serves the dashboard or runs a command.

mod command_line;

use clap::Parser;
use command_line::{Command, CommandLine};
use hostbeat::{
    probe::Probe,
    server::{self, CommandError, Config, ConfigFile},
};
use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};
use tikv_jemallocator::Jemalloc;

/// Returns the memory of a storm of requests, which glibc's arenas keep.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let CommandLine { command, config } = CommandLine::parse();
    match command {
        Some(Command::Probe(probe)) => run_probe(&probe),
        Some(Command::Publish(publish)) => finish(publish.run()),
        Some(Command::Annotate(annotate)) => finish(annotate.run()),
        Some(Command::Record(record)) => finish(record.run()),
        Some(Command::User(user)) => finish(user.run()),
        Some(Command::Token(token)) => finish(token.run()),
        Some(Command::Export(export)) => finish(export.run()),
        Some(Command::Import(import)) => finish(import.run()),
        Some(Command::Config(config)) => finish(config.run()),
        #[cfg(target_os = "linux")]
        Some(Command::Install(install)) => finish(install.run()),
        #[cfg(target_os = "linux")]
        Some(Command::Uninstall(uninstall)) => finish(uninstall.run()),
        None => match with_file(config) {
            Ok(config) => serve(&config),
            Err(error) => finish(Err(error)),
        },
    }
}

/// The options with those of their config file.
fn with_file(config: Config) -> Result<Config, CommandError> {
    match &config.config_file {
        Some(path) => Ok(ConfigFile::read(path)?.with_arguments(env::args_os())?),
        None => Ok(config),
    }
}

fn serve(config: &Config) -> ExitCode {
    let telemetry = match server::init_telemetry(config.log_format, config.log_level) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cannot start the thread that writes the log: {error}");
            return ExitCode::FAILURE;
        }
    };
    match server::run(config, &telemetry) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            failure(error.is_bad_input())
        }
    }
}

fn finish(done: Result<(), CommandError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            failure(error.is_bad_input())
        }
    }
}

/// Exit code 2, as for invalid flags, if the input must change; else 1.
fn failure(is_bad_input: bool) -> ExitCode {
    if is_bad_input { ExitCode::from(2) } else { ExitCode::FAILURE }
}

fn run_probe(probe: &Probe) -> ExitCode {
    let (passed, text) = match probe.run() {
        Ok(report) => (report.violations.is_empty(), report.to_string()),
        Err(error) => (false, error.to_string()),
    };
    // A closed stdout is no failure: the exit code carries the result.
    let _ = writeln!(io::stdout(), "{text}");
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
