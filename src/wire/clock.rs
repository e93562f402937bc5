//! A deadline in, one alarm for everything that a call waits for out.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::time::{Instant, Sleep};

/// When a call was begun and when it ends.
pub(super) struct Clock<'c> {
    /// When the call was begun.
    pub(super) begun: Instant,
    alarm: Pin<&'c mut Sleep>,
}

impl<'c> Clock<'c> {
    /// The clock of a call that was begun at a moment; it rings when the alarm does.
    pub(super) fn new(begun: Instant, alarm: Pin<&'c mut Sleep>) -> Self {
        Self { begun, alarm }
    }

    /// What a future gives; `None` where the clock rings first.
    pub(super) fn wait<F: Future>(
        &mut self,
        mut future: Pin<&mut F>,
    ) -> impl Future<Output = Option<F::Output>> {
        poll_fn(move |context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.alarm.as_mut().poll(context).map(|()| None),
        })
    }

    /// Lets the clock ring earlier, not later.
    pub(super) fn bring_forward(&mut self, to: Instant) {
        if to < self.alarm.deadline() {
            self.alarm.as_mut().reset(to);
        }
    }

    /// Whether it should have rung by now.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.alarm.deadline()
    }
}
