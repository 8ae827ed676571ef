//! The declaration of values: each states its name, type, kind, unit and meaning once. Series, the published schema and
//! the tables in the documentation follow from it.

use std::{collections::BTreeMap, fmt::Write};

/// How a value behaves over time, which decides how it is aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Measured at the time of the reading.
    Gauge,
    /// Counted since the previous reading, per second.
    Rate,
    /// Holds until it changes; the last one stands for a range of time.
    State,
}

impl Kind {
    /// The name in the published schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::State => "state",
        }
    }
}

/// The unit that a value is sampled and sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUnit {
    /// A number of things.
    Number,
    /// 0 or 1.
    Boolean,
    /// Percent of a whole that the meaning states.
    Percent,
    /// Percent of one core's time.
    PercentOfCore,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Events per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Degrees Celsius.
    Celsius,
    /// Hertz.
    Hertz,
}

impl BaseUnit {
    /// The name in the published schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Percent => "percent",
            Self::PercentOfCore => "percent_of_core",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes_per_second",
            Self::PerSecond => "per_second",
            Self::Seconds => "seconds",
            Self::Celsius => "celsius",
            Self::Hertz => "hertz",
        }
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Below the group's name: `interfaces.*.rx_bytes`, where `*` stands for any name.
    pub path: String,
    /// How it behaves over time.
    pub kind: Kind,
    /// Its unit.
    pub unit: BaseUnit,
    /// A sentence or more.
    pub meaning: String,
}

/// A path under construction.
#[derive(Debug)]
pub struct SeriesPath(String);

impl SeriesPath {
    /// The path of a group.
    pub(super) fn of(group: &str) -> Self {
        Self(group.to_owned())
    }

    /// Calls `visit` with the path of `name` below this one.
    pub(super) fn below(&mut self, name: impl std::fmt::Display, visit: impl FnOnce(&mut Self)) {
        let length = self.0.len();
        // Writing to a string can't fail.
        let _ = write!(self.0, ".{name}");
        visit(self);
        self.0.truncate(length);
    }
}

/// Visits a path and its value.
pub type Visit<'a> = &'a mut dyn FnMut(&str, Option<f64>);

/// Values that are declared one by one, or rows of them.
pub trait Values {
    /// Visits every value below `path`.
    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>);

    /// The declarations of all values, with paths that begin with `prefix`.
    fn declare(prefix: &str) -> Vec<Declaration>;
}

impl<V: Values> Values for BTreeMap<String, V> {
    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>) {
        for (name, row) in self {
            path.below(name, |path| row.visit(path, visit));
        }
    }

    fn declare(prefix: &str) -> Vec<Declaration> {
        V::declare(&format!("{prefix}*."))
    }
}

/// The type of a declared value.
pub trait Value {
    /// What follows the value's name in paths.
    const ITEMS: &str = "";

    /// Visits the value at `path`.
    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>);
}

impl Value for Option<f64> {
    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>) {
        visit(&path.0, *self);
    }
}

impl Value for Option<u64> {
    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>) {
        visit(&path.0, self.map(|value| value as f64));
    }
}

/// Values that are named by their index.
impl<V: Value> Value for Vec<V> {
    const ITEMS: &str = ".*";

    fn visit(&self, path: &mut SeriesPath, visit: Visit<'_>) {
        for (index, value) in self.iter().enumerate() {
            path.below(index, |path| value.visit(path, visit));
        }
    }
}

/// Declares a struct of values. A value has a kind and a unit; a field without them has values of its own.
macro_rules! values {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $($(#[doc = $meaning:literal])+ $field:ident: $type:ty $(= $kind:ident, $unit:ident)?;)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[doc = $meaning])+ pub $field: $type,)+
        }

        impl $crate::schema::value::Values for $name {
            fn visit(&self, path: &mut $crate::schema::value::SeriesPath, visit: $crate::schema::value::Visit<'_>) {
                $(path.below(stringify!($field), |path| {
                    $crate::schema::value::values!(@visit &self.$field, path, visit $(, $kind)?);
                });)+
            }

            fn declare(prefix: &str) -> Vec<$crate::schema::value::Declaration> {
                let fields = [$($crate::schema::value::values!(
                    @declare prefix, $field, $type, concat!($($meaning),+) $(, $kind, $unit)?
                )),+];
                fields.into_iter().flatten().collect()
            }
        }
    };
    (@visit $value:expr, $path:ident, $visit:ident) => {
        $crate::schema::value::Values::visit($value, $path, $visit)
    };
    (@visit $value:expr, $path:ident, $visit:ident, $kind:ident) => {
        $crate::schema::value::Value::visit($value, $path, $visit)
    };
    (@declare $prefix:ident, $field:ident, $type:ty, $meaning:expr) => {
        <$type as $crate::schema::value::Values>::declare(&format!("{}{}.", $prefix, stringify!($field)))
    };
    (@declare $prefix:ident, $field:ident, $type:ty, $meaning:expr, $kind:ident, $unit:ident) => {
        vec![$crate::schema::value::Declaration {
            path: [$prefix, stringify!($field), <$type as $crate::schema::value::Value>::ITEMS].concat(),
            kind: $crate::schema::value::Kind::$kind,
            unit: $crate::schema::value::BaseUnit::$unit,
            meaning: $meaning.trim().to_owned(),
        }]
    };
}
pub(super) use values;
