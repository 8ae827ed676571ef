//! The colour theme: light, dark, or that of the system.

/// The chosen theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// The system's.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// Its name in the stylesheet (`data-theme`) and in `localStorage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme with this name.
    pub fn of_str(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }

    /// The theme after a press on the switch.
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
    fn switch_cycles_and_names_round_trip() {
        assert_eq!(Theme::ALL.map(Theme::next), [Theme::Light, Theme::Dark, Theme::Auto]);
        assert_eq!(Theme::ALL.map(|theme| Theme::of_str(theme.as_str())), Theme::ALL.map(Some));
        assert_eq!(Theme::of_str("blue"), None);
    }
}
