//! The flags that concern the sampler.

use clap::{Args, builder::FalseyValueParser};

/// Options of the sampler.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct SamplerOptions {
    /// Show command lines of processes; they may contain secrets, and everyone who can open the page sees them
    #[arg(long, env = "HOSTBEAT_COMMAND_LINES", value_parser = FalseyValueParser::new())]
    pub command_lines: bool,

    /// Show virtual interfaces (veth, bridges, …) one by one instead of as a single row
    #[arg(long, env = "HOSTBEAT_VIRTUAL_INTERFACES", value_parser = FalseyValueParser::new())]
    pub virtual_interfaces: bool,

    /// Control group to show as the container, such as /system.slice/nginx.service; by default the container that
    /// Hostbeat runs in, if any
    #[arg(long, env = "HOSTBEAT_CGROUP", value_name = "PATH")]
    pub cgroup: Option<String>,
}
