//! `/proc/pressure`: pressure stall information (the kernel's `Documentation/accounting/psi.rst`).

/// Microseconds since boot in which some or all tasks stalled on a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct StallTotals {
    pub some: Option<u64>,
    pub full: Option<u64>,
}

/// Parses `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`, and the same for `full`.
pub(in crate::server) fn parse_pressure(text: &str) -> StallTotals {
    let total = |line: &str| {
        let line = text.lines().find_map(|candidate| candidate.strip_prefix(line))?;
        line.split_once(" total=")?.1.parse().ok()
    };
    StallTotals { some: total("some"), full: total("full") }
}
