//! What is measured, as the server samples it and the browser shows it.

mod connections;
mod cpu;
mod event_name;
mod host;
mod id;
mod memory;
mod sample;
mod window;

pub use connections::{Connections, Tcp, Udp};
pub use cpu::Cpu;
pub use event_name::{EventName, EventNames, UnknownEvent};
pub use host::HostFacts;
pub use id::{EventId, IdSequence, InvalidId};
pub use memory::Memory;
pub use sample::{Group, Sample, Tick};
pub use window::{Columns, Values, Window};

/// Milliseconds from one tick to the next.
pub const INTERVAL_MS: u64 = 1000;

/// Seconds that the server keeps.
pub const RETENTION_S: usize = 3600;
