//! The data model that server and browser share: groups of values, the tick, event names and ids, and the sliding
//! window.

mod annotation;
mod cgroup;
mod channel;
mod channel_names;
mod connections;
mod cpu;
mod disk;
mod event_name;
#[cfg(feature = "ssr")]
mod groups;
mod host;
mod id;
mod identity;
mod latest;
mod load;
mod memory;
mod network;
mod pressure;
mod processes;
mod raw_counters;
#[cfg(feature = "ssr")]
mod recording;
mod sample;
mod slice;
mod temperature;
mod value;
mod verdict;
mod window;

pub use annotation::{Annotation, AnnotationLevel, Annotations};
pub use cgroup::{Cgroup, Service};
pub use channel::{Channel, ChartKind, PublishedPath};
pub use channel_names::ChannelNames;
pub use connections::{Connections, Tcp, Udp};
pub use cpu::Cpu;
pub use disk::{Device, Disk, Filesystem};
pub use event_name::{EventFilter, EventName, EventNames, HOST_EVENTS};
#[cfg(feature = "ssr")]
pub use groups::{groups, kind_of};
pub use host::HostFacts;
pub use id::{EventId, IdSequence, InvalidId};
pub use identity::Identity;
pub use latest::LatestValues;
pub use load::Load;
pub use memory::Memory;
pub use network::{Interface, Network};
pub use pressure::{Pressure, Stall};
pub use processes::{Process, Processes};
pub use raw_counters::{Link, MountSource, RawCounters, SlowCounters};
#[cfg(feature = "ssr")]
pub use recording::{Recording, StoryLine};
pub use sample::{Group, Sample, Tick, TickEvent};
pub use slice::WindowSlice;
pub use temperature::{Sensor, Temperature};
pub use value::{BaseUnit, Declaration, Kind, SeriesPath, Value, Values, Visit};
pub use verdict::{Finding, Level, Verdict};
pub use window::{SeriesValues, Window, WindowSnapshot};

/// Version of the events' fields. Fields are added within one, never renamed, retyped or removed.
#[cfg(feature = "ssr")]
pub const SCHEMA_VERSION: u32 = 2;

/// Milliseconds from one tick to the next.
pub const INTERVAL_MS: u64 = 1000;

/// Seconds of history that the server keeps.
pub const RETENTION_S: usize = 3600;
