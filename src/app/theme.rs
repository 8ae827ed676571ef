//! Light or dark: as the system has it, or as the reader wants it here.

/// What the reader wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// Its name to the stylesheet (`data-theme`), and to what the browser remembers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one with this name.
    pub fn of_str(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }

    /// What a press on the switch makes of it.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_goes_round_and_names_are_understood() {
        assert_eq!(Theme::ALL.map(Theme::next), [Theme::Light, Theme::Dark, Theme::Auto]);
        assert_eq!(Theme::ALL.map(|theme| Theme::of_str(theme.as_str())), Theme::ALL.map(Some));
        assert_eq!(Theme::of_str("blue"), None);
    }
}
