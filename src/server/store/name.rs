//! Names of users and tokens.

use std::{borrow::Borrow, fmt, str::FromStr};

const MAX_LENGTH: usize = 64;

/// 1 to 64 ASCII letters, digits, `.`, `_`, `@` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// A text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 64 ASCII letters, digits, '.', '_', '@' and '-', such as alice or alice@example.com")]
pub struct InvalidName;

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        let is_valid = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidName) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_of_allowed_characters_is_a_name(text in "[A-Za-z0-9._@-]{1,64}") {
            prop_assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }

        #[test]
        fn text_with_another_character_is_refused(text in "[A-Za-z0-9._@-]{0,20}[^A-Za-z0-9._@-][A-Za-z0-9]{0,20}") {
            prop_assert_eq!(text.parse::<Name>(), Err(InvalidName));
        }
    }

    #[test]
    fn empty_or_long_text_is_refused() {
        for text in [String::new(), "a".repeat(65)] {
            assert_eq!(text.parse::<Name>(), Err(InvalidName));
        }
    }
}
