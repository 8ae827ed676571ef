//! User names by id, from `/etc/passwd`.

use super::super::HostSource;
use std::collections::HashMap;

/// User names seen so far.
#[derive(Debug, Default)]
pub(super) struct UserNames(HashMap<u32, String>);

impl UserNames {
    /// Name of the user, or its id if it has no name. Reads `/etc/passwd` again for an unknown id, with `text` as the
    /// buffer.
    pub(super) fn name(&mut self, id: u32, source: &mut impl HostSource, text: &mut String) -> String {
        if !self.0.contains_key(&id) && source.read_file("/etc/passwd", text).is_ok() {
            self.parse(text);
        }
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Parses `root:x:0:0:root:/root:/bin/sh`. The first name of an id wins, as in getpwuid(3).
    fn parse(&mut self, passwd: &str) {
        for line in passwd.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
                self.0.entry(id).or_insert_with(|| name.to_owned());
            }
        }
    }
}
