//! Colour roles of series; `style/tokens.css` defines the colour of each role, per theme.

use plotters::style::RGBColor;

/// A colour role, named after its custom property in `style/tokens.css`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// `--blue`
    Blue,
    /// `--teal`
    Teal,
    /// `--violet`
    Violet,
    /// `--green`
    Green,
    /// `--amber`
    Amber,
    /// `--red`
    Red,
    /// `--grey`
    Grey,
    /// `--mute`, for gaps
    Mute,
}

impl Colour {
    /// Every role.
    pub const ALL: [Self; 8] =
        [Self::Blue, Self::Teal, Self::Violet, Self::Green, Self::Amber, Self::Red, Self::Grey, Self::Mute];

    /// The role's CSS class, which is also its custom property without the dashes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Teal => "teal",
            Self::Violet => "violet",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
            Self::Grey => "grey",
            Self::Mute => "mute",
        }
    }
}

/// The colour of each role, in the order of [`Colour::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette(pub [RGBColor; Colour::ALL.len()]);

impl Palette {
    /// The colour of a role.
    pub fn of(&self, colour: Colour) -> RGBColor {
        self.0[colour as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stylesheet_palette_lists_roles_in_order() {
        let (_, rest) = include_str!("../../style/tokens.css").split_once("--palette: ").unwrap();
        let roles = Colour::ALL.map(|role| format!("var(--{})", role.name())).join(", ");
        assert_eq!(rest.split_once(';').unwrap().0, roles);
    }
}
