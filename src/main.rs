//! The program, from its command line to its end.

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use hostbeat::{
    probe::Probe,
    server::{self, Config},
};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Shows how this host is doing, live in a browser.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Every option can also be set in the environment, as shown beside it.")]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    Probe(Probe),
}

fn main() -> ExitCode {
    let CommandLine { command, config } = CommandLine::parse();
    match command {
        Some(Command::Probe(probe)) => follow(&probe),
        None => match config.check() {
            Ok(config) => serve(&config),
            Err(refusal) => CommandLine::command().error(ErrorKind::ValueValidation, refusal).exit(),
        },
    }
}

#[tokio::main]
async fn serve(config: &Config) -> ExitCode {
    server::init_telemetry(config.log_format, config.log_level);
    match server::run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn follow(probe: &Probe) -> ExitCode {
    let (kept, text) = match probe.run() {
        Ok(report) => (report.broken.is_empty(), report.to_string()),
        Err(error) => (false, error.to_string()),
    };
    // Whoever has closed the output doesn't want to read it; the exit code tells the same.
    let _ = writeln!(io::stdout(), "{text}");
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
