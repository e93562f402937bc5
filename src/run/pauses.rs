//! A moment in, the waits between looks until then out.

use std::time::Duration;

use tokio::time::Instant;

use super::hall::Hall;

/// Between the first two looks; each further wait is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// Between two looks at most.
const LONGEST: Duration = Duration::from_secs(1);

/// The time between two looks.
#[derive(Debug)]
pub(super) struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    /// Looks go on until then.
    pub(super) fn until(until: Instant) -> Self {
        Self { until, next: FIRST }
    }

    /// Waits for the next look; the last one is at the very end.
    pub(super) async fn next(&mut self, hall: &Hall<'_>) -> Next {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Next::Over;
        }
        let pause = self.next.min(left);
        self.next = (self.next * 2).min(LONGEST);
        if hall.rest(pause).await {
            Next::Look
        } else {
            Next::Stopped
        }
    }
}

/// What comes after a look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Another look.
    Look,
    /// Nothing: the time is up.
    Over,
    /// Nothing: the run was stopped.
    Stopped,
}
