//! `hostbeat user`.

use super::{CommandError, date, password_input::PasswordInput};
use crate::server::store::{DataOptions, Database, Name, Role, StoreError, text_of};
use clap::{Args, Subcommand};
use std::io::{self, Write};

/// Add, list, change and remove users
#[derive(Args, Clone, Debug)]
pub struct UserCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Add a user, and ask for the password
    Add {
        #[command(flatten)]
        user: NamedUser,
        /// What the user may do
        #[arg(long, default_value = "viewer")]
        role: Role,
        #[command(flatten)]
        password: PasswordInput,
    },
    /// List all users
    List(DataOptions),
    /// Change the password of a user, which ends the user's sessions
    Passwd {
        #[command(flatten)]
        user: NamedUser,
        #[command(flatten)]
        password: PasswordInput,
    },
    /// Remove a user, which ends the user's sessions
    Remove(NamedUser),
}

#[derive(Args, Clone, Debug)]
struct NamedUser {
    /// Name of the user
    name: Name,
    #[command(flatten)]
    options: DataOptions,
}

impl UserCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When it can't be done; then nothing has changed.
    pub fn run(&self) -> Result<(), CommandError> {
        match &self.action {
            Action::Add { user: NamedUser { name, options }, role, password } => add(options, name, *role, *password),
            Action::List(options) => list(options),
            Action::Passwd { user, password } => user.set_password(*password),
            Action::Remove(user) => user.remove(),
        }
    }
}

fn add(options: &DataOptions, name: &Name, role: Role, password: PasswordInput) -> Result<(), CommandError> {
    // A taken name is reported before anybody types a password.
    if let Some(database) = Database::open_existing(options)?
        && database.accounts()?.user(name.as_ref()).is_some()
    {
        return Err(StoreError::UserExists(name.clone()).into());
    }
    let hash = password.read(name)?.hash()?;
    Database::open(options)?.edit(|edit| edit.add_user(name, role, Some(&hash)))?;
    writeln!(io::stderr(), "added {} {name}", text_of(role))?;
    Ok(())
}

fn list(options: &DataOptions) -> Result<(), CommandError> {
    let accounts = Database::open_existing(options)?.map(|database| database.accounts()).transpose()?;
    let accounts = accounts.unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(out, "{:24} {:7} {:21} SESSIONS", "NAME", "ROLE", "CREATED")?;
    for user in accounts.users() {
        let sessions = accounts.sessions().iter().filter(|session| session.user == user.name).count();
        writeln!(out, "{:24} {:7} {:21} {sessions}", user.name, text_of(user.role), date(user.created))?;
    }
    Ok(())
}

impl NamedUser {
    fn set_password(&self, password: PasswordInput) -> Result<(), CommandError> {
        let mut database = self.find()?;
        let hash = password.read(&self.name)?.hash()?;
        database.edit(|edit| edit.set_password(&self.name, &hash))?;
        writeln!(io::stderr(), "changed the password of {}, and ended the sessions", self.name)?;
        Ok(())
    }

    fn remove(&self) -> Result<(), CommandError> {
        let mut database = self.find()?;
        database.edit(|edit| edit.remove_user(&self.name))?;
        writeln!(io::stderr(), "removed {}", self.name)?;
        if !database.accounts()?.has_users() {
            writeln!(io::stderr(), "no user is left: the page asks nobody to sign in")?;
        }
        Ok(())
    }

    /// The file that has the user.
    fn find(&self) -> Result<Database, CommandError> {
        let database = Database::open_existing(&self.options)?;
        let unknown = || StoreError::UnknownUser(self.name.clone());
        let database = database.ok_or_else(unknown)?;
        database.accounts()?.user(self.name.as_ref()).ok_or_else(unknown)?;
        Ok(database)
    }
}
