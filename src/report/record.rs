//! Events in, the run's record out: every report is a rendering of it.

use crate::run::Event;

/// Everything that a run's events say, in matrix order.
#[derive(Debug, Default)]
pub struct Record {}

impl Record {
    /// Takes the next event.
    pub fn hear(&mut self, _event: &Event) {}
}
