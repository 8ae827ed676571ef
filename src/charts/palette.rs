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

    /// The role with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

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

    /// The palette in a computed `--palette`: `#2f74d0 , #0b8f86`. Browsers keep the notation of the stylesheet, since
    /// the property is not registered.
    pub fn of_css(list: &str) -> Option<Self> {
        let mut colours = [RGBColor(0, 0, 0); Colour::ALL.len()];
        let mut digits = list.split('#').skip(1);
        for colour in &mut colours {
            let [_, red, green, blue] = u32::from_str_radix(digits.next()?.get(..6)?, 16).ok()?.to_be_bytes();
            *colour = RGBColor(red, green, blue);
        }
        Some(Self(colours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_palette_has_the_colour_of_each_role() {
        let list = "#2f74d0 , #0b8f86/**/ ,\n #7c4fd6, #1f7a43 , #9c5a00 , #c22f2f , #8794a6 , #58616f";
        let palette = Palette::of_css(list).unwrap();
        assert_eq!(palette.of(Colour::Blue), RGBColor(0x2f, 0x74, 0xd0));
        assert_eq!(palette.of(Colour::Mute), RGBColor(0x58, 0x61, 0x6f));
        assert_eq!(Palette::of_css("#2f74d0 , #0b8f86"), None);
        assert_eq!(Palette::of_css(""), None);
    }

    #[test]
    fn stylesheet_palette_lists_roles_in_order() {
        let (_, rest) = include_str!("../../style/tokens.css").split_once("--palette: ").unwrap();
        let roles = Colour::ALL.map(|role| format!("var(--{})", role.name())).join(", ");
        assert_eq!(rest.split_once(';').unwrap().0, roles);
    }
}
