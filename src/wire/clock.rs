//! A deadline in, one alarm for everything that a call waits for out.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

type Alarm = Pin<Box<Sleep>>;

/// Alarms that no call needs at the moment. They stay set: to let one ring too early, once in the time that a call may take, is
/// cheaper than to set one for each call and to take it back.
#[derive(Default)]
pub(super) struct Alarms(Mutex<Vec<Alarm>>);

impl Alarms {
    /// An alarm that rings no later than `end`.
    fn take(&self, end: Instant) -> Alarm {
        let Some(mut alarm) = self.shelf().pop() else {
            return Box::pin(sleep_until(end));
        };
        if alarm.deadline() > end {
            alarm.as_mut().reset(end);
        }
        alarm
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<Alarm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Alarms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarms").field(&self.shelf().len()).finish()
    }
}

/// When a call was begun and when it ends.
pub(super) struct Clock<'c> {
    /// When the call was begun.
    pub(super) begun: Instant,
    end: Instant,
    /// `None` until something is waited for.
    alarm: Option<Alarm>,
    alarms: &'c Alarms,
}

impl<'c> Clock<'c> {
    /// The clock of a call that was begun at a moment; it rings at the end.
    pub(super) fn new(begun: Instant, end: Instant, alarms: &'c Alarms) -> Self {
        Self {
            begun,
            end,
            alarm: None,
            alarms,
        }
    }

    /// What a future gives; `None` where the clock rings first.
    pub(super) fn wait<F: Future>(
        &mut self,
        mut future: Pin<&mut F>,
    ) -> impl Future<Output = Option<F::Output>> {
        poll_fn(move |context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.ring(context).map(|()| None),
        })
    }

    /// Lets the clock ring earlier, not later.
    pub(super) fn bring_forward(&mut self, to: Instant) {
        self.end = self.end.min(to);
        if let Some(alarm) = &mut self.alarm
            && alarm.deadline() > self.end
        {
            alarm.as_mut().reset(self.end);
        }
    }

    /// Whether it should have rung by now.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    fn ring(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let end = self.end;
        let alarm = self.alarm.get_or_insert_with(|| self.alarms.take(end));
        while alarm.as_mut().poll(context).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            // It was set for an earlier call.
            alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl Drop for Clock<'_> {
    fn drop(&mut self) {
        self.alarms.shelf().extend(self.alarm.take());
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many seconds pass until the clock of a call that may take so many rings.
    async fn rings_after(seconds: u32, alarms: &Alarms) -> Duration {
        let begun = Instant::now();
        let mut clock = Clock::new(begun, begun + seconds * SECOND, alarms);
        assert_eq!(clock.wait(pin!(pending::<()>())).await, None);
        assert!(clock.is_over());
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_was_set_for_another_call_rings_for_each_at_its_end() {
        let alarms = Alarms::default();
        for answered_after in [1, 4, 2] {
            let begun = Instant::now();
            let mut clock = Clock::new(begun, begun + 5 * SECOND, &alarms);
            let answer = clock.wait(pin!(sleep(answered_after * SECOND))).await;
            assert_eq!(answer, Some(()));
            assert!(!clock.is_over());
        }
        for seconds in [7, 3, 60, 1, 5] {
            let rung = rings_after(seconds, &alarms).await;
            let late = rung.saturating_sub(seconds * SECOND);
            assert!(rung >= seconds * SECOND && late < SECOND / 100, "{rung:?}");
        }
        assert_eq!(alarms.shelf().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_brought_forward_rings_then_and_not_later() {
        let alarms = Alarms::default();
        for waits_first in [false, true] {
            let begun = Instant::now();
            let mut clock = Clock::new(begun, begun + 9 * SECOND, &alarms);
            if waits_first {
                assert_eq!(clock.wait(pin!(sleep(SECOND))).await, Some(()));
            }
            clock.bring_forward(begun + 20 * SECOND);
            clock.bring_forward(begun + 4 * SECOND);
            clock.bring_forward(begun + 6 * SECOND);
            assert_eq!(clock.wait(pin!(pending::<()>())).await, None);
            let late = begun.elapsed().saturating_sub(4 * SECOND);
            assert!(begun.elapsed() >= 4 * SECOND && late < SECOND / 100);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_have_an_alarm_each() {
        let alarms = Alarms::default();
        for _ in 0..2 {
            let all = [2, 1, 3].map(|seconds| rings_after(seconds, &alarms));
            let rung = futures_util::future::join_all(all).await;
            let seconds: Vec<u64> = rung.iter().map(Duration::as_secs).collect();
            assert_eq!(seconds, [2, 1, 3]);
        }
        assert_eq!(alarms.shelf().len(), 3);
    }
}
