//! `/proc/net/snmp` and `/proc/net/netstat`: counters of protocols.

/// The value under `column` in a pair of lines that start with `line`, as in `/proc/net/snmp`: names, then values.
pub(in crate::server) fn table_value(text: &str, line: &str, column: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|candidate| candidate.strip_prefix(line));
    let (mut names, mut values) = (rows.next()?.split_ascii_whitespace(), rows.next()?.split_ascii_whitespace());
    let index = names.position(|name| name == column)?;
    values.nth(index)?.parse().ok()
}
