//! Annotations: those that people and programs write, and those of the host itself.
//!
//! [`Annotations`] has all of them in memory. What changes is kept in the data folder, and the next tick carries it.

mod draft;
mod failed_units;
mod host_events;
mod list;
mod owner;
mod tick_event;

pub(super) use draft::{lines, parse_draft, title};
pub(super) use host_events::HostEvents;
pub(super) use list::{AnnotationQuery, Annotations};
pub(super) use owner::{Owner, may_change};
pub(super) use tick_event::AnnotationEvents;
