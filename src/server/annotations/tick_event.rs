//! The newest annotations as an event of a tick.

use super::Annotations;
use crate::{
    schema::{INTERVAL_MS, Sample, Tick},
    server::unix_time::unix_ms,
};
use std::sync::Arc;

/// Adds the newest annotations to the tick after a change.
#[derive(Debug)]
pub(in crate::server) struct AnnotationEvents(Arc<Annotations>);

impl AnnotationEvents {
    pub(in crate::server) fn of(annotations: Arc<Annotations>) -> Self {
        Self(annotations)
    }

    /// Adds an event if something has changed.
    pub(in crate::server) fn add_to(&self, tick: &mut Tick) {
        if let Some(values) = self.0.take_newest(tick.t) {
            let (at, dt) = (unix_ms() as f64 / 1000.0, INTERVAL_MS as f64 / 1000.0);
            tick.push(Sample { t: tick.t, at, dt, values });
        }
    }
}
