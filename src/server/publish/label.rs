//! Labels, which tell the publishers of a channel apart.

use std::{fmt, str::FromStr};

const MAX_BYTES: usize = 128;

/// A text of 1 to 128 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

/// A text that is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a label has 1 to {MAX_BYTES} bytes and no control characters, such as eu or method=get")]
pub struct InvalidLabel;

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label of several pairs: `code=200,method=get`, sorted, because their order has no meaning. `None` without any.
    pub(super) fn of_pairs(mut pairs: Vec<String>) -> Result<Option<Self>, InvalidLabel> {
        pairs.sort();
        pairs.dedup();
        (!pairs.is_empty()).then(|| pairs.join(",").parse()).transpose()
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        let is_valid = (1..=MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidLabel) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_long_or_unprintable_text_is_refused() {
        for text in ["", "a\nb", "\u{85}", "\0", &"a".repeat(129), &"\u{fc}".repeat(65)] {
            assert_eq!(text.parse::<Label>(), Err(InvalidLabel), "{text:?}");
        }
        for text in ["eu", " ", "\u{fc}\"<'", &"a".repeat(128)] {
            assert_eq!(text.parse::<Label>().map(|label| label.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn pairs_in_any_order_make_one_label() {
        let label = |pairs: &[&str]| Label::of_pairs(pairs.iter().map(|&pair| pair.to_owned()).collect());
        assert_eq!(label(&["method=get", "code=200"]), label(&["code=200", "method=get"]));
        assert_eq!(label(&["method=get", "code=200"]).unwrap().unwrap().as_str(), "code=200,method=get");
        assert_eq!(label(&[]), Ok(None));
    }
}
