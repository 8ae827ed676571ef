//! Parsers of the kernel's files, for all that read counters: the sampler at each tick, exporters when they need them.

mod diskstats;
mod meminfo;
mod net_dev;
mod pressure;
mod snmp;
mod stat;

pub(super) use diskstats::{DiskCounters, parse_diskstats};
pub(super) use meminfo::parse_kib;
pub(super) use net_dev::{InterfaceCounters, parse_net_dev};
pub(super) use pressure::{StallTotals, parse_pressure};
pub(super) use snmp::table_value;
pub(super) use stat::{CpuCounters, CpuTime, parse_stat};
