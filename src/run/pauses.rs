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

    /// Waits for the next look, also once the run was stopped: what it made is cleaned up all the same. Whether there is one.
    pub(super) async fn next_to_the_end(&mut self) -> bool {
        let pause = self.take();
        tokio::time::sleep(pause.unwrap_or_default()).await;
        pause.is_some()
    }

    /// Waits for the next look; the last one is at the very end.
    pub(super) async fn next(&mut self, hall: &Hall<'_>) -> Next {
        let Some(pause) = self.take() else {
            return Next::Over;
        };
        if hall.rest(pause).await {
            Next::Look
        } else {
            Next::Stopped
        }
    }

    /// How long the next wait is; `None` where the time is up.
    fn take(&mut self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        let pause = self.next.min(left);
        self.next = (self.next * 2).min(LONGEST);
        (!left.is_zero()).then_some(pause)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_second_and_the_last_look_is_at_the_very_end() {
        let begun = Instant::now();
        let mut pauses = Pauses::until(begun + Duration::from_millis(3250));
        let mut looks = Vec::new();
        while pauses.next_to_the_end().await {
            looks.push(begun.elapsed().as_millis());
        }
        assert_eq!(looks, [100, 300, 700, 1500, 2500, 3250]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_time_is_no_second_look() {
        assert!(!Pauses::until(Instant::now()).next_to_the_end().await);
    }
}
