//! The panels as text, as the page carries them: a line for each part, with fields that tabs separate. Smaller to send, and
//! far smaller to read for the browser's library, than JSON.
//!
//! ```text
//! panel   cpu       CPU
//! chart   percent   stacked   percent   cpu.total_percent
//! series  user      blue      cpu.user_percent
//! tile    load      average   load.one
//! detail  running   count     cpu.running
//! ```

use super::{Detail, Panel, Rows, Sort, Table};
use crate::{
    charts::{Chart, Colour, Expression, Layout, Limit, Scale, Series},
    units::Unit,
};

/// Reads what [`to_text`] wrote; `None` for anything else.
pub fn of_text(text: &str) -> Option<Vec<Panel>> {
    let mut panels = Vec::new();
    for line in text.lines() {
        read_line(&mut panels, &line.split('\t').collect::<Vec<_>>())?;
    }
    Some(panels)
}

fn read_line(panels: &mut Vec<Panel>, fields: &[&str]) -> Option<()> {
    let [part, first, rest @ ..] = fields else { return None };
    let first = (*first).to_owned();
    if *part == "panel" {
        panels.push(Panel { id: first, title: (*rest.first()?).to_owned(), ..Panel::default() });
        return Some(());
    }
    let panel = panels.last_mut()?;
    match *part {
        "chart" => {
            let [layout, scale, headline @ ..] = rest else { return None };
            panel.chart = Chart {
                headline: expression(headline)?,
                unit: Unit::of_name(&first),
                layout: match *layout {
                    "stacked" => Layout::Stacked,
                    "timeline" => Layout::Timeline,
                    _ => Layout::Lines,
                },
                scale: match *scale {
                    "percent" => Scale::Percent,
                    "" => Scale::Largest,
                    path => Scale::Total(path.to_owned()),
                },
                series: Vec::new(),
                limits: Vec::new(),
            };
        }
        "series" => {
            let [colour, value @ ..] = rest else { return None };
            let series = Series { label: first, colour: Colour::of_name(colour)?, value: expression(value)? };
            panel.chart.series.push(series);
        }
        "limit" => {
            // As bits: parsing a decimal would add ten kilobytes to the library.
            let value = f64::from_bits(first.parse().ok()?);
            let limit = Limit { value, colour: Colour::of_name(rest.first()?)? };
            panel.chart.limits.push(limit);
        }
        "table" => {
            let [title, sort, path, trend, keys @ ..] = rest else { return None };
            let rows = match path.is_empty() {
                true => Rows::Processes,
                false => Rows::Series {
                    path: (*path).to_owned(),
                    keys: keys.iter().map(|key| (*key).to_owned()).collect(),
                    trend: Some((*trend).to_owned()).filter(|trend| !trend.is_empty()),
                },
            };
            let (title, sort) = ((*title).to_owned(), Sort::of_text(sort)?);
            panel.tables.push(Table { id: first, title, rows, columns: Vec::new(), sort });
        }
        list => {
            let [unit, path] = rest else { return None };
            let detail = Detail { label: first, unit: Unit::of_name(unit), path: (*path).to_owned() };
            match list {
                "tile" => panel.tile.push(detail),
                "detail" => panel.details.push(detail),
                _ => panel.tables.last_mut()?.columns.push(detail),
            }
        }
    }
    Some(())
}

fn expression(fields: &[&str]) -> Option<Expression> {
    match *fields {
        [path] => Some(Expression::Path(path.to_owned())),
        [one, "+", other] => Some(Expression::Sum(one.to_owned(), other.to_owned())),
        [one, _, other] => Some(Expression::Difference(one.to_owned(), other.to_owned())),
        _ => None,
    }
}

/// Writes panels. Their texts have no control characters, which separate lines and fields.
#[cfg(feature = "ssr")]
pub fn to_text<'a>(panels: impl IntoIterator<Item = &'a Panel>) -> String {
    let mut text = String::new();
    let mut line = |fields: &[&str]| text += &(fields.join("\t") + "\n");
    for panel in panels {
        line(&["panel", &panel.id, &panel.title]);
        let chart = &panel.chart;
        if !chart.series.is_empty() {
            let scale = match &chart.scale {
                Scale::Percent => "percent",
                Scale::Largest => "",
                Scale::Total(path) => path,
            };
            let layout = match chart.layout {
                Layout::Stacked => "stacked",
                Layout::Timeline => "timeline",
                Layout::Lines => "lines",
            };
            line(&[&["chart", &*chart.unit.name(), layout, scale][..], &operands(&chart.headline)].concat());
            for series in &chart.series {
                line(&[&["series", &*series.label, series.colour.name()][..], &operands(&series.value)].concat());
            }
            for limit in &chart.limits {
                line(&["limit", &limit.value.to_bits().to_string(), limit.colour.name()]);
            }
        }
        let mut details = |part: &str, details: &[Detail]| {
            details.iter().for_each(|of| line(&[part, &of.label, &of.unit.name(), &of.path]));
        };
        details("tile", &panel.tile);
        details("detail", &panel.details);
        for table in &panel.tables {
            let (path, keys, trend) = match &table.rows {
                Rows::Series { path, keys, trend } => (&**path, &keys[..], trend.as_deref().unwrap_or_default()),
                Rows::Processes => ("", &[][..], ""),
            };
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            line(&[&["table", &*table.id, &table.title, &table.sort.to_text(), path, trend][..], &keys].concat());
            table.columns.iter().for_each(|of| line(&["column", &of.label, &of.unit.name(), &of.path]));
        }
    }
    text
}

#[cfg(feature = "ssr")]
fn operands(expression: &Expression) -> Vec<&str> {
    match expression {
        Expression::Path(path) => vec![path],
        Expression::Sum(one, other) => vec![one, "+", other],
        Expression::Difference(one, other) => vec![one, "-", other],
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::panels::host_panels;
    use proptest::prelude::*;

    #[test]
    fn panels_round_trip_as_text() {
        let mut panels = host_panels();
        let chart = &mut panels[0].chart;
        chart.limits.push(Limit { value: 90.5, colour: Colour::Red });
        chart.unit = Unit::Other("€/min".to_owned());
        assert_eq!(of_text(&to_text(&panels)), Some(panels));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(panel|chart|series|table|limit|tile|column|\t|\n|[a-z]|[0-9])*") {
            let _ = of_text(&text);
        }
    }
}
