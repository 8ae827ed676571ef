//! The program's arguments; its manual page and shell completions follow from them.

use clap::{Parser, Subcommand};
use hostbeat::{
    probe::Probe,
    server::{
        self, AnnotateCommand, Config, ConfigCommand, ExportCommand, ImportCommand, PublishCommand, RecordCommand,
        TokenCommand, UserCommand,
    },
};

/// Live metrics of this host in a browser, once a second
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(after_help = "Every option can also be set by the environment variable shown with it.")]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) config: Config,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Probe(Probe),
    Publish(PublishCommand),
    Annotate(AnnotateCommand),
    Record(RecordCommand),
    Export(ExportCommand),
    Import(ImportCommand),
    Config(ConfigCommand),
    User(UserCommand),
    Token(TokenCommand),
    #[cfg(target_os = "linux")]
    Install(server::InstallCommand),
    #[cfg(target_os = "linux")]
    Uninstall(server::UninstallCommand),
}
