//! Writes the manual page and the shell completions into the folder given as argument.

#[allow(dead_code, reason = "the program runs what is parsed")]
#[path = "../src/command_line.rs"]
mod command_line;

use clap::CommandFactory;
use clap_complete::{Shell, generate_to};
use command_line::CommandLine;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("the argument is a folder"))?;
    fs::create_dir_all(&folder)?;
    // Each command has its page, so `hostbeat help` needs none.
    let mut command = CommandLine::command().disable_help_subcommand(true);
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "hostbeat", &folder)?;
    }
    clap_mangen::generate_to(command, &folder)
}
