//! `hostbeat token`.

use super::{CommandError, date};
use crate::server::{
    store::{DataOptions, Database, Name, Scope, StoreError, text_of},
    unix_time::unix_ms,
};
use clap::{Args, Subcommand};
use std::{
    io::{self, Write},
    time::Duration,
};

/// A later time would not fit into the date that is printed.
const MAX_LIFETIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Add, list and revoke tokens, which give programs access
#[derive(Args, Clone, Debug)]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Add a token, and print its secret, which can't be shown again
    Add {
        /// Name of the token, such as the program that uses it
        name: Name,
        /// What the token allows
        #[arg(long = "can", value_name = "SCOPE")]
        scope: Scope,
        /// Time after which the token ends, such as 90d; by default it does not
        #[arg(long, value_name = "TIME", value_parser = lifetime)]
        expires: Option<Duration>,
        #[command(flatten)]
        options: DataOptions,
    },
    /// List all tokens, without their secrets
    List(DataOptions),
    /// Revoke a token
    Revoke {
        /// Id or name of the token
        token: String,
        #[command(flatten)]
        options: DataOptions,
    },
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).ok();
    let lifetime = lifetime.filter(|lifetime| (Duration::from_secs(1)..=MAX_LIFETIME).contains(lifetime));
    lifetime.ok_or_else(|| "a token expires after a time from 1s to 36500d, such as 90d".to_owned())
}

impl TokenCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When it can't be done; then nothing has changed.
    pub fn run(&self) -> Result<(), CommandError> {
        match &self.action {
            Action::Add { name, scope, expires, options } => add(options, name, *scope, *expires),
            Action::List(options) => list(options),
            Action::Revoke { token, options } => revoke(options, token),
        }
    }
}

fn add(options: &DataOptions, name: &Name, scope: Scope, lifetime: Option<Duration>) -> Result<(), CommandError> {
    let expires = lifetime.map(|lifetime| unix_ms() + lifetime.as_millis() as u64);
    let (id, secret) = Database::open(options)?.edit(|edit| edit.add_token(name, scope, expires))?;
    writeln!(io::stdout(), "{}", secret.expose())?;
    let end = expires.map_or_else(|| "never expires".to_owned(), |expires| format!("expires {}", date(expires)));
    writeln!(io::stderr(), "token {name} (id {id}) can {}, {end}; it is not shown again", text_of(scope))?;
    Ok(())
}

fn list(options: &DataOptions) -> Result<(), CommandError> {
    let accounts = Database::open_existing(options)?.map(|database| database.accounts()).transpose()?;
    let accounts = accounts.unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(out, "{:12} {:24} {:8} {:21} {:21} LAST USED", "ID", "NAME", "CAN", "CREATED", "EXPIRES")?;
    for token in accounts.tokens() {
        let (scope, created) = (text_of(token.scope), date(token.created));
        let expires = match token.expires {
            Some(expires) if expires <= unix_ms() => "expired".to_owned(),
            Some(expires) => date(expires),
            None => "never".to_owned(),
        };
        let last_used = token.last_used.get().map_or_else(|| "never".to_owned(), date);
        writeln!(out, "{:12} {:24} {scope:8} {created:21} {expires:21} {last_used}", token.id, token.name)?;
    }
    Ok(())
}

fn revoke(options: &DataOptions, token: &str) -> Result<(), CommandError> {
    let mut database = Database::open_existing(options)?.ok_or_else(|| StoreError::UnknownToken(token.to_owned()))?;
    database.edit(|edit| edit.revoke_token(token))?;
    writeln!(io::stderr(), "revoked {token}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lifetime_of_any_text_is_in_bounds_or_refused(text in "\\PC{0,12}|[0-9]{1,20}(ms|s|m|h|d|y)") {
            if let Ok(lifetime) = lifetime(&text) {
                prop_assert!(lifetime >= Duration::from_secs(1) && lifetime <= MAX_LIFETIME);
                date(unix_ms() + lifetime.as_millis() as u64);
            }
        }
    }

    #[test]
    fn invalid_lifetime_is_refused_with_a_valid_example() {
        assert_eq!(lifetime("90d"), Ok(Duration::from_secs(90 * 86_400)));
        for text in ["", "90", "0s", "-1d", "101y", "soon"] {
            assert!(lifetime(text).unwrap_err().contains("90d"), "{text}");
        }
    }
}
