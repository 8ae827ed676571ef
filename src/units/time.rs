//! Formats times of day, timestamps and durations.

use crate::schema::INTERVAL_MS;

/// Formats a duration by its two largest parts: `12 d 4 h`.
pub fn duration(seconds: u64) -> String {
    const PARTS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut remaining = seconds;
    let mut parts = Vec::new();
    for (length, name) in PARTS {
        let whole = remaining / length;
        remaining %= length;
        if whole > 0 || (parts.is_empty() && length == 1) {
            parts.push(format!("{whole} {name}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

/// The time of day of tick `t` (unix ms), in UTC: `10:41:05`.
pub fn time_of_day(t: u64) -> String {
    let second = t / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The date of tick `t` (unix ms), in UTC: `2026-11-20`.
pub fn date(t: u64) -> String {
    let (year, month, day) = civil(t / 86_400_000);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A zone by the minutes that it is ahead of UTC: `UTC`, `UTC+2`, `UTC−3:30`.
pub fn zone_name(minutes: i32) -> String {
    let sign = match minutes.signum() {
        0 => return "UTC".to_owned(),
        1 => "+",
        _ => "−",
    };
    let (hours, minutes) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    format!("UTC{sign}{hours}{minutes}")
}

/// Formats tick `t` (unix ms) for HTML's `<time datetime>` (RFC 3339): `2026-11-20T10:41:05Z`.
pub fn timestamp(t: u64) -> String {
    format!("{}T{}Z", date(t), time_of_day(t))
}

/// Seconds from tick `first` to tick `last` (unix ms), both included.
pub fn seconds_between(first: u64, last: u64) -> u64 {
    last.saturating_sub(first) / INTERVAL_MS + 1
}

/// Year, month and day of a day number since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_has_at_most_two_parts() {
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(60), "1 min");
        assert_eq!(duration(12 * 86_400 + 4 * 3_600 + 59), "12 d 4 h");
        assert_eq!(duration(86_400 + 59), "1 d");
    }

    #[test]
    fn zone_name_has_minutes_only_if_there_are_any() {
        assert_eq!([0, 120, 345, -210].map(zone_name), ["UTC", "UTC+2", "UTC+5:45", "UTC−3:30"]);
    }

    #[test]
    fn timestamp_handles_leap_years() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_795_172_465_000), "2026-11-20T11:01:05Z");
    }
}
