//! Temperature rule: sensors above their own high or critical limit.

use super::{Evidence, Finding, Level, finding, paths};

/// Sensors at or above a limit that the hardware states.
pub(super) fn sensors(evidence: &Evidence<'_>) -> Vec<Finding> {
    let assess = |name: String| {
        // Sensors without a limit report 0.
        let last = |path| evidence.last(&paths::named(path, &name)).filter(|value| *value > 0.0);
        let now = last(paths::SENSOR_CELSIUS)?;
        let (level, limit, kind) = match (last(paths::SENSOR_CRITICAL), last(paths::SENSOR_HIGH)) {
            (Some(critical), _) if now >= critical => (Level::Trouble, critical, "critical"),
            (_, Some(high)) if now >= high => (Level::Watch, high, "high"),
            _ => return None,
        };
        let since = evidence.since(&paths::named(paths::SENSOR_CELSIUS, &name), |celsius| celsius >= limit);
        finding(level, format!("Sensor {name} at {now:.0} °C; its {kind} limit is {limit:.0} °C."), since)
    };
    evidence.names(paths::SENSOR_CELSIUS).into_iter().filter_map(assess).collect()
}
