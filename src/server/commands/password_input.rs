//! Reads a new password: from the terminal without echo, or from standard input. Arguments would show it to other users.

use super::CommandError;
use crate::server::store::{Name, Password, StoreError};
use clap::Args;
use std::io::{self, Read};

/// More than the longest password and its line break.
const MAX_INPUT: u64 = 2048;

/// Where the password comes from.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct PasswordInput {
    /// Read the password from standard input instead of the terminal
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordInput {
    pub(super) fn read(self, name: &Name) -> Result<Password, CommandError> {
        let text = if self.password_stdin { from_stdin()? } else { from_terminal(name)? };
        Ok(Password::new(text, name).map_err(StoreError::from)?)
    }
}

fn from_stdin() -> Result<String, CommandError> {
    let mut text = String::new();
    let read = io::stdin().take(MAX_INPUT).read_to_string(&mut text);
    read.map_err(|error| CommandError::Input(format!("cannot read the password from standard input: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(CommandError::Input("standard input must be one line, the password".to_owned()));
    }
    Ok(line.to_owned())
}

fn from_terminal(name: &Name) -> Result<String, CommandError> {
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| {
            CommandError::Input(format!(
                "cannot ask for the password on a terminal ({error}); pass it on standard input with --password-stdin"
            ))
        })
    };
    let password = ask(format!("Password of {name}: "))?;
    if ask("Again: ".to_owned())? == password {
        Ok(password)
    } else {
        Err(CommandError::Input("the passwords differ; nothing was changed".to_owned()))
    }
}
