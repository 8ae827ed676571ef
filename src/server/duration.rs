//! Times as flags give them.

use std::time::Duration;

/// Added to the present, a much longer one would overflow a clock.
const MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A time that may be zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| *duration <= MAX);
    duration.ok_or_else(|| "a time is numbers with units, up to 36500d, such as 10s, 90m or 2h".to_owned())
}

/// A time after which something ends: with zero, nothing would ever begin.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it must be longer than 0s, such as 10s, 90m or 2h".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_time_is_refused_with_a_valid_example() {
        for text in ["", "1", "-1s", "soon", "36501d", "18446744073709551615s", "99999999999999999999y"] {
            assert!(duration(text).unwrap_err().contains("10s") && timeout(text).is_err(), "{text}");
        }
        assert!(timeout("0s").unwrap_err().contains("10s"));
        assert_eq!((duration("0s"), timeout("1h 30m")), (Ok(Duration::ZERO), Ok(Duration::from_secs(5400))));
    }
}
