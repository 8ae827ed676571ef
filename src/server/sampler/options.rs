//! What the operator lets the sampler look at.

use clap::{Args, builder::FalseyValueParser};

/// What is looked at beyond what everybody may see.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct SamplerOptions {
    /// Show command lines of processes; they may hold secrets, and everybody who sees the page sees them
    #[arg(long, env = "HOSTBEAT_COMMAND_LINES", value_parser = FalseyValueParser::new())]
    pub command_lines: bool,

    /// Show virtual interfaces (veth, bridges, …) one by one instead of all in one
    #[arg(long, env = "HOSTBEAT_VIRTUAL_INTERFACES", value_parser = FalseyValueParser::new())]
    pub virtual_interfaces: bool,

    /// Control group to show as a container's, such as /system.slice/nginx.service; by default the one Hostbeat is
    /// contained in, if it is
    #[arg(long, env = "HOSTBEAT_CGROUP", value_name = "PATH")]
    pub cgroup: Option<String>,
}
