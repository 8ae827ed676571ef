//! Publications as StatsD datagrams (<https://github.com/statsd/statsd/blob/master/docs/metric_types.md>), with the tags
//! and packed values of DogStatsD.

mod line;
mod listener;

pub use line::parse_datagram;
pub(in crate::server) use listener::listen;
