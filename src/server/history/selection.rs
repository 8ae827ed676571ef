//! Which series and which times are asked for, as queries and flags say it.

use std::time::{Duration, UNIX_EPOCH};

/// Whether `pattern` stands for `text`: each `*` for any part of it.
pub(in crate::server) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}

/// The end of the year 9999, unix ms: later times are mistakes, and sums with them would overflow.
const LAST_MS: u64 = 253_402_300_799_999;

/// Unix milliseconds of a time: themselves, or ISO 8601 with `Z` or an offset; a date alone is its midnight in UTC.
///
/// # Errors
/// When it is no time; the message has a valid one.
pub(in crate::server) fn parse_time(text: &str) -> Result<u64, String> {
    text.parse().ok().or_else(|| iso_time(text)).filter(|t| *t <= LAST_MS).ok_or_else(|| {
        format!(
            "{text:?} is no time; one is in Unix milliseconds or ISO 8601, such as 2026-11-25T03:12:00Z or \
             2026-11-25T04:12:00+01:00, whose + is %2B in an address"
        )
    })
}

fn iso_time(text: &str) -> Option<u64> {
    // Of a `+` in a query, parsing makes a space.
    let offset_at = text.rfind(['+', '-', ' ']).filter(|at| *at > "2026-11-25T".len());
    let (time, offset) = text.split_at(offset_at.unwrap_or(text.len()));
    let time = match time.len() {
        // A date, and what a field of a form gives without seconds.
        10 => format!("{time}T00:00:00Z"),
        16 => format!("{time}:00Z"),
        _ => time.to_owned(),
    };
    let time = humantime::parse_rfc3339_weak(&time).ok()?;
    let Some(sign) = offset.chars().next() else { return ms_of(time.duration_since(UNIX_EPOCH).ok()?) };
    let (hours, minutes) = offset[1..].split_once(':')?;
    let offset = Duration::from_secs(hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60);
    let utc = if sign == '-' { time.checked_add(offset)? } else { time.checked_sub(offset)? };
    ms_of(utc.duration_since(UNIX_EPOCH).ok()?)
}

fn ms_of(time: Duration) -> Option<u64> {
    u64::try_from(time.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_unix_or_iso() {
        for text in [
            "1764043920000",
            "2025-11-25T04:12:00Z",
            "2025-11-25T04:12:00.000Z",
            "2025-11-25T05:12:00+01:00",
            "2025-11-25T05:12:00 01:00",
            "2025-11-24T23:12:00-05:00",
        ] {
            assert_eq!(parse_time(text).unwrap(), 1_764_043_920_000, "{text}");
        }
        assert_eq!(parse_time("2025-11-25").unwrap(), 1_764_028_800_000);
        assert_eq!(parse_time("2025-11-25T04:12").unwrap(), 1_764_043_920_000);
        for text in ["", "yesterday", "18446744073709551615", "2025-13-01", "2025-11-25T05:12:00+1", "-5"] {
            assert!(parse_time(text).unwrap_err().contains("ISO 8601"), "{text}");
        }
    }

    #[test]
    fn star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("cpu.*", "cpu.total_percent", true),
            ("cpu.*", "cpus", false),
            ("*", "anything", true),
            ("disk.devices.*.busy_percent", "disk.devices.vda.busy_percent", true),
            ("disk.devices.*.busy_percent", "disk.devices.vda.reads_per_second", false),
            ("*.a.*.b", "x.a.y.b", true),
            ("*.a.*.b", "x.a.b", false),
            ("cpu.total_percent", "cpu.total_percent", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }
}
