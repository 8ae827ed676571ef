//! Temperature rule: sensors above their own high or critical limit.

use super::{Evidence, Finding, Level, finding};

/// Sensors at or above a limit that the hardware states.
pub(super) fn sensors(evidence: &Evidence<'_>) -> Vec<Finding> {
    let assess = |name: String| {
        // Sensors without a limit report 0.
        let last =
            |field: &str| evidence.last(&format!("temperature.sensors.{name}.{field}")).filter(|value| *value > 0.0);
        let now = last("celsius")?;
        let (level, limit, kind) = match (last("critical"), last("high")) {
            (Some(critical), _) if now >= critical => (Level::Trouble, critical, "critical"),
            (_, Some(high)) if now >= high => (Level::Watch, high, "high"),
            _ => return None,
        };
        let since = evidence.since(&format!("temperature.sensors.{name}.celsius"), |celsius| celsius >= limit);
        finding(level, format!("Sensor {name} at {now:.0} °C; its {kind} limit is {limit:.0} °C."), since)
    };
    evidence.names("temperature.sensors.", ".celsius").into_iter().filter_map(assess).collect()
}
