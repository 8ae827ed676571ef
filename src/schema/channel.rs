//! The declaration of a channel that programs publish: how the page shows it.

use super::HOST_EVENTS;
use serde::{Deserialize, Serialize};

/// How a channel's values are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    /// A line for each value.
    #[default]
    Lines,
    /// Areas on top of each other, for parts of a whole.
    Stacked,
    /// The latest value in large type.
    Single,
    /// A bar in time that changes its colour with the value, for states.
    Timeline,
}

impl ChartKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lines, Self::Stacked, Self::Single, Self::Timeline];

    /// The name in requests and in the published list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Stacked => "stacked",
            Self::Single => "single",
            Self::Timeline => "timeline",
        }
    }
}

/// How the page shows a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The name of its event.
    pub name: String,
    /// The heading of its panel.
    pub title: String,
    /// The name of a [`BaseUnit`](super::BaseUnit), or a free text.
    pub unit: String,
    /// How its values are drawn.
    pub kind: ChartKind,
    /// From here on, a value is worth a warning; drawn as a line.
    pub warning: Option<f64>,
    /// From here on, a value is critical; drawn as a line.
    pub critical: Option<f64>,
}

impl Channel {
    /// The declaration of a channel that nobody declared: `basket_eur` has the title "Basket eur".
    pub fn undeclared(name: &str) -> Self {
        let words = name.replace('_', " ");
        let mut rest = words.chars();
        let first = rest.next().map(|first| first.to_ascii_uppercase());
        Self {
            name: name.to_owned(),
            title: first.into_iter().chain(rest).collect(),
            unit: "number".to_owned(),
            kind: ChartKind::Lines,
            warning: None,
            critical: None,
        }
    }
}

/// What the path of a published series names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedPath<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The publisher's label; empty for values without.
    pub label: &'a str,
    /// The value.
    pub value: &'a str,
}

impl<'a> PublishedPath<'a> {
    /// The parts of `shop.orders` or `shop.labels.eu.orders`; `None` for a series of the host.
    pub fn of(path: &'a str) -> Option<Self> {
        let (channel, rest) = path.split_once('.').filter(|(channel, _)| !HOST_EVENTS.contains(channel))?;
        // Labels may have dots, and values have none.
        let (label, value) = match rest.strip_prefix("labels.") {
            Some(labelled) => labelled.rsplit_once('.')?,
            None => ("", rest),
        };
        Some(Self { channel, label, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_names_channel_label_and_value() {
        let parts =
            |path| PublishedPath::of(path).map(|PublishedPath { channel, label, value }| (channel, label, value));
        assert_eq!(parts("shop.orders"), Some(("shop", "", "orders")));
        assert_eq!(parts("shop.labels.eu.west 1.orders"), Some(("shop", "eu.west 1", "orders")));
        assert_eq!(parts("cpu.total_percent"), None);
    }

    #[test]
    fn undeclared_channel_has_its_name_as_title() {
        for (name, title) in [("basket_eur", "Basket eur"), ("shop", "Shop"), ("a", "A")] {
            assert_eq!(Channel::undeclared(name).title, title);
        }
    }

    #[test]
    fn kind_has_its_name_in_json() {
        for kind in ChartKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
