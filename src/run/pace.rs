//! A rate in, the moment for each call out.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Spaces calls evenly so that no more than so many a second start.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Option<Duration>,
    next: Cell<Option<Instant>>,
}

impl Pace {
    /// Takes calls a second; `None` for no limit.
    pub(super) fn new(rate: Option<f64>) -> Self {
        let gap = rate
            .filter(|rate| *rate > 0.0)
            .map(|rate| Duration::from_secs_f64(1.0 / rate));
        Self {
            gap,
            next: Cell::new(None),
        }
    }

    /// Waits for this call's turn.
    pub(super) async fn turn(&self) {
        let Some(gap) = self.gap else { return };
        let now = Instant::now();
        let mine = self.next.get().map_or(now, |next| next.max(now));
        self.next.set(Some(mine + gap));
        tokio::time::sleep_until(mine).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_calls_at_ten_a_second_take_nine_tenths() {
        let pace = Pace::new(Some(10.0));
        let start = Instant::now();
        for _ in 0..10 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::from_millis(900));
    }

    #[tokio::test(start_paused = true)]
    async fn no_rate_is_no_wait() {
        let pace = Pace::new(None);
        let start = Instant::now();
        pace.turn().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
