//! User names by id, from `/etc/passwd`, and from the system's other directories such as LDAP.

use super::{super::HostSource, directory::UserDirectory};
use std::collections::HashMap;

/// User names as of the last time that an id was unknown.
#[derive(Debug, Default)]
pub(super) struct UserNames {
    names: HashMap<u32, String>,
    /// `None` knows the users of `/etc/passwd` only.
    directory: Option<UserDirectory>,
}

impl UserNames {
    /// Also knows the users of `directory`.
    pub(super) fn with_directory(directory: UserDirectory) -> Self {
        Self { directory: Some(directory), ..Self::default() }
    }

    /// Name of the user, or its id if it has no name; `None` while a directory is asked. Reads `/etc/passwd` again for
    /// an unknown id, with `text` as the buffer.
    pub(super) fn name(&mut self, id: u32, source: &mut impl HostSource, text: &mut String) -> Option<String> {
        if !self.names.contains_key(&id) && source.read_file("/etc/passwd", text).is_ok() {
            self.parse(text);
        }
        if let Some(name) = self.names.get(&id) {
            return Some(name.clone());
        }
        let name = match &mut self.directory {
            Some(directory) => directory.name(id)?,
            None => None,
        };
        Some(name.unwrap_or_else(|| id.to_string()))
    }

    /// Parses `root:x:0:0:root:/root:/bin/sh`. The first name of an id wins, as in getpwuid(3).
    fn parse(&mut self, passwd: &str) {
        self.names.clear();
        for line in passwd.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
                self.names.entry(id).or_insert_with(|| name.to_owned());
            }
        }
    }
}
