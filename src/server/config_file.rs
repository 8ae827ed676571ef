//! The config file: TOML with the names of the flags. Its values become the flags' defaults, so that flags and the
//! environment win over them.

use super::config::Config;
use clap::{
    ArgAction, Args, Command, FromArgMatches,
    builder::Resettable,
    error::{ContextKind, ContextValue},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// Options that a file can't set.
const FLAGS_ONLY: [&str; 3] = ["config", "help", "version"];

/// Values by the long name of their flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFile(BTreeMap<String, Vec<String>>);

/// Why a config file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The file can't be read.
    #[error("cannot read {}: {source}; name a TOML file that this user may read with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file has faults; each is a line of the message.
    #[error("{}", lines(.0))]
    Faulty(Vec<Fault>),
    /// The flags and the file don't go together.
    #[error(transparent)]
    Flags(#[from] clap::Error),
}

/// What is wrong in a line, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    path: PathBuf,
    line: usize,
    reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.path.display(), self.line, self.reason)
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

impl ConfigFile {
    /// Reads the file and checks each value.
    ///
    /// # Errors
    /// When the file can't be read, is no TOML, or has unknown names or invalid values.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|source| ConfigFileError::Read { path: path.to_owned(), source })?;
        let (table, errors) = DeTable::parse_recoverable(&text);
        let fault = |start: usize, reason: String| {
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            Fault { path: path.to_owned(), line, reason }
        };
        let mut faults: Vec<_> = errors
            .iter()
            .map(|error| fault(error.span().unwrap_or_default().start, error.message().replace('\n', ", ")))
            .collect();
        let (command, mut values) = (command().mut_args(|arg| arg.env(Resettable::Reset)), BTreeMap::new());
        for (name, value) in table.get_ref().iter().filter(|_| errors.is_empty()) {
            match checked(&command, name.get_ref(), value.get_ref()) {
                Ok(texts) => _ = values.insert(name.get_ref().to_string(), texts),
                Err(reason) => faults.push(fault(name.span().start, reason)),
            }
        }
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() { Ok(Self(values)) } else { Err(ConfigFileError::Faulty(faults)) }
    }

    /// Flags that have other values, or none, in `other`.
    pub(super) fn differences(&self, other: &Self) -> BTreeSet<String> {
        let changed = |of: &Self, than: &Self| {
            let names = of.0.iter().filter(|(name, values)| than.0.get(*name) != Some(values));
            names.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
        };
        &changed(self, other) | &changed(other, self)
    }

    /// The options that these arguments, the environment and the file give together.
    ///
    /// # Errors
    /// When the arguments are invalid.
    pub fn with_arguments(&self, arguments: impl IntoIterator<Item = OsString>) -> Result<Config, ConfigFileError> {
        let command = command().mut_args(|arg| match arg.get_long().and_then(|name| self.0.get(name)) {
            Some(values) => arg.default_values(values.clone()),
            None => arg,
        });
        Ok(Config::from_arg_matches(&command.try_get_matches_from(arguments)?)?)
    }
}

/// The flags of the server.
fn command() -> Command {
    Config::augment_args(Command::default())
}

/// The value as a flag would have it, or what is wrong with it.
fn checked(command: &Command, name: &str, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let by_name = |arg: &&clap::Arg| arg.get_long() == Some(name) && !FLAGS_ONLY.contains(&name);
    let arg = command.get_arguments().find(by_name).ok_or_else(|| unknown(command, name))?;
    let texts = match (arg.get_action(), value) {
        (ArgAction::SetTrue, DeValue::Boolean(is_set)) => return Ok(vec![is_set.to_string()]),
        (ArgAction::SetTrue, _) => return Err(format!("{name} is true or false, without quotes")),
        (ArgAction::Append, DeValue::Array(values)) => values.iter().map(|value| text(value.get_ref())).collect(),
        (_, value) => text(value).map(|text| vec![text]),
    };
    let expected = match arg.get_action() {
        ArgAction::Append => "a text in quotes, or a list of them, such as [\"a\", \"b\"]",
        _ => "a text in quotes, or a number",
    };
    let texts: Vec<_> = texts.ok_or_else(|| format!("{name} is {expected}; here is {}", kind(value)))?;
    for text in &texts {
        let flag = format!("--{name}={text}");
        if let Err(error) = command.clone().try_get_matches_from(["hostbeat", &flag]) {
            let message = error.to_string();
            let message = message.strip_prefix("error: ").unwrap_or(&message);
            let reason = message.split("\n\n").next().unwrap_or_default();
            return Err(reason.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    Ok(texts)
}

fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> String {
    format!("a value of the type {}", value.type_str())
}

fn unknown(command: &Command, name: &str) -> String {
    let error = command.clone().try_get_matches_from(["hostbeat", &format!("--{name}")]).err();
    let similar = error.as_ref().and_then(|error| match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(flag)) => Some(format!("did you mean {}?", flag.trim_start_matches('-'))),
        _ => None,
    });
    let hint = similar.unwrap_or_else(|| "hostbeat --help lists the flags, whose names the file uses".to_owned());
    format!("there is no option {name}; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, text).unwrap();
        let path = file.path().display().to_string();
        ConfigFile::read(file.path()).map_err(|error| error.to_string().replace(&path, "FILE"))
    }

    fn config(text: &str, arguments: &[&str]) -> Config {
        let arguments = ["hostbeat"].iter().chain(arguments).map(OsString::from);
        read(text).unwrap().with_arguments(arguments).unwrap()
    }

    #[test]
    fn file_replaces_defaults_and_yields_to_flags() {
        let text = "# A comment\nlisten = [\"127.0.0.1:1\", \"unix:/run/a.sock\"]\npublic = true\nmax-series = 7\n\
                    unix-mode = \"600\"\nallow-host = \"a.example\"\nstall-timeout = \"3s\"\n";
        let from_file = config(text, &[]);
        assert_eq!(from_file.listen, ["127.0.0.1:1", "unix:/run/a.sock"].map(|address| address.parse().unwrap()));
        assert_eq!((from_file.settings.public, from_file.settings.max_series, from_file.unix_mode), (true, 7, 0o600));
        assert_eq!(from_file.settings.allow_host, ["a.example".parse().unwrap()]);
        assert_eq!(from_file.settings.stall.as_secs(), 3);
        let with_flags = config(text, &["--listen", "127.0.0.1:2", "--max-series=8"]);
        assert_eq!(with_flags.listen, ["127.0.0.1:2".parse().unwrap()]);
        assert_eq!((with_flags.settings.max_series, with_flags.settings.public), (8, true));
        assert_eq!(config("public = false\n", &["--public"]), config("", &["--public"]));
    }

    #[test]
    fn each_fault_is_reported_with_its_line_and_what_is_right() {
        let faults = read(
            "lisen = \"127.0.0.1:1\"\npublic = \"yes\"\n\nmax-series = \"many\"\nlisten = \"localhost\"\nstate = 1.5\n\
             config = \"other\"\n[server]\nlisten = \"x\"\n",
        );
        let faults = faults.unwrap_err();
        let expected = [
            ("FILE, line 1: ", "did you mean listen?"),
            ("FILE, line 2: ", "public is true or false"),
            ("FILE, line 4: ", "such as 32"),
            ("FILE, line 5: ", "127.0.0.1:3000"),
            ("FILE, line 6: ", "state is a text in quotes"),
            ("FILE, line 7: ", "no option config"),
            ("FILE, line 8: ", "no option server"),
        ];
        assert_eq!(faults.lines().count(), expected.len(), "{faults}");
        for (fault, (line, reason)) in faults.lines().zip(expected) {
            assert!(fault.starts_with(line) && fault.contains(reason), "{fault}");
        }
    }

    #[test]
    fn changed_added_and_removed_options_differ() {
        let (old, new) = (
            read("data = \"a\"\npublic = true\nstate = \"x\"").unwrap(),
            read("state = \"y\"\npublic = true\nmax-series = 1").unwrap(),
        );
        assert!(new.differences(&old).iter().eq(["data", "max-series", "state"]));
        assert!(new.differences(&new).is_empty());
    }

    #[test]
    fn text_that_is_no_toml_and_missing_files_are_refused() {
        for text in ["listen 127.0.0.1", "public = yes", "a = 1\na = 2", "listen = [\"127.0.0.1:1\""] {
            assert!(read(text).unwrap_err().starts_with("FILE, line "), "{text}");
        }
        let missing = ConfigFile::read(Path::new("/nowhere/hostbeat.toml")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/hostbeat.toml") && missing.contains("--config"), "{missing}");
    }
}
