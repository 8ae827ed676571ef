//! Names of channels and values.

use super::excerpt;
use crate::schema::HOST_EVENTS;
use std::{borrow::Borrow, fmt, str::FromStr};

const MAX_BYTES: usize = 64;
/// Events of the stream that carry no channel, and names that have a meaning of their own to `EventSource`.
const RESERVED_CHANNELS: [&str; 18] = [
    "hello",
    "window",
    "heartbeat",
    "shutdown",
    "annotation",
    "labels",
    "t",
    "at",
    "dt",
    "message",
    "error",
    "open",
    // Ids of other parts of the page.
    "services",
    "interfaces",
    "disks",
    "filesystems",
    "sensors",
    "initial_data",
];
/// Fields that every event may have.
const RESERVED_VALUES: [&str; 4] = ["labels", "t", "at", "dt"];

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublishedName {
    /// It has other characters, or too many.
    #[error(
        "{0:?} is no name; a name begins with a lower-case letter and has lower-case letters, digits and '_', at most \
         {MAX_BYTES} of them, such as orders_per_minute"
    )]
    Malformed(String),
    /// It is taken by Hostbeat itself.
    #[error("{0} is a name that Hostbeat itself uses; choose another, such as my_{0}")]
    Reserved(String),
}

/// The name of a channel: `[a-z][a-z0-9_]*`, at most 64 bytes, and none of Hostbeat's own events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(String);

/// The name of a value in its channel: `[a-z][a-z0-9_]*`, at most 64 bytes, and none of the fields that every event has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueName(String);

impl FromStr for ChannelName {
    type Err = InvalidPublishedName;

    fn from_str(text: &str) -> Result<Self, InvalidPublishedName> {
        let is_built_in = HOST_EVENTS.contains(&text);
        checked(text, is_built_in || RESERVED_CHANNELS.contains(&text)).map(Self)
    }
}

impl FromStr for ValueName {
    type Err = InvalidPublishedName;

    fn from_str(text: &str) -> Result<Self, InvalidPublishedName> {
        checked(text, RESERVED_VALUES.contains(&text)).map(Self)
    }
}

fn checked(text: &str, is_reserved: bool) -> Result<String, InvalidPublishedName> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    match begins_well && text.len() <= MAX_BYTES && text.bytes().all(is_allowed) {
        false => Err(InvalidPublishedName::Malformed(excerpt(text))),
        true if is_reserved => Err(InvalidPublishedName::Reserved(text.to_owned())),
        true => Ok(text.to_owned()),
    }
}

/// A name of other systems with the characters that names have here: `Api.v2:Requests` becomes `api_v2_requests`.
pub(super) fn adapted(foreign: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    foreign.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().map(allowed).collect()
}

macro_rules! text {
    ($($name:ident),+) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )+};
}
text!(ChannelName, ValueName);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_of_allowed_characters_is_a_name_unless_reserved(text in "[a-z][a-z0-9_]{0,63}") {
            let name = text.parse::<ChannelName>();
            prop_assert!(matches!(&name, Ok(name) if name.as_str() == text)
                || name == Err(InvalidPublishedName::Reserved(text)));
        }

        #[test]
        fn other_text_is_refused(text in "[A-Z0-9_][a-z]{0,9}|[a-z]{1,9}[^a-z0-9_][a-z]{0,9}|[a-z]{65,99}|") {
            prop_assert!(matches!(text.parse::<ValueName>(), Err(InvalidPublishedName::Malformed(_))));
        }

        #[test]
        fn adapted_text_is_a_name_unless_it_has_no_letter(text in "\\PC{0,20}[A-Za-z]\\PC{0,20}") {
            let name = adapted(&text);
            prop_assert!(!matches!(name.parse::<ChannelName>(), Err(InvalidPublishedName::Malformed(_))), "{}", name);
        }
    }

    #[test]
    fn names_of_hostbeats_own_events_and_fields_are_refused() {
        for name in HOST_EVENTS.into_iter().chain(RESERVED_CHANNELS) {
            assert_eq!(name.parse::<ChannelName>(), Err(InvalidPublishedName::Reserved(name.to_owned())));
        }
        for name in RESERVED_VALUES {
            assert!(name.parse::<ValueName>().is_err(), "{name}");
        }
        assert!("memory".parse::<ValueName>().is_ok());
    }

    #[test]
    fn foreign_name_is_adapted() {
        assert_eq!(adapted("Api.v2:Requests"), "api_v2_requests");
        assert_eq!(adapted("_2xx"), "xx");
    }
}
