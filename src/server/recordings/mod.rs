//! Recordings of incidents: times whose seconds, processes and verdicts are kept until the recording is removed.
//!
//! [`Recordings`] has all of them in memory. [`IncidentObserver`] follows the verdict of each tick and begins, extends and
//! ends the automatic ones; people and programs begin others.

mod draft;
mod incident;
mod list;
mod observer;
mod story;

pub(super) use draft::{RecordingDraft, parse_recording};
pub(super) use list::{RecordingError, Recordings};
pub(super) use observer::IncidentObserver;
