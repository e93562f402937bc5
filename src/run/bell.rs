//! Calls under way in, all of them woken out once nobody is to wait for them any longer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tokio::task::JoinHandle;

use super::stop::Stop;

/// Ends the waiting of a run's calls, all at once, when the run was stopped and its grace is over. Every call hears it, so
/// a call costs little: a seat is left with its waker in it, and whoever makes the next call takes the seat that was left last,
/// which is most often its own. Calls that are made only then, to clean up, have a grace of their own each.
#[derive(Debug)]
pub(super) struct Bell {
    stop: Stop,
    seats: Arc<Mutex<Seats>>,
    ringer: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seats {
    has_rung: bool,
    /// Who was in each seat last.
    wakers: Vec<Waker>,
    free: Vec<usize>,
}

impl Bell {
    /// A bell that rings after the grace of a run that is stopped.
    pub(super) fn of(stop: &Stop) -> Self {
        let seats: Arc<Mutex<Seats>> = Arc::default();
        let (of_all, hurried) = (Arc::clone(&seats), stop.clone());
        let ringer = tokio::spawn(async move {
            hurried.hurried().await;
            lock(&of_all).ring();
        });
        Self {
            stop: stop.clone(),
            seats,
            ringer,
        }
    }

    /// Waits for an answer; `None` where that took too long for a run that was stopped.
    pub(super) async fn heard_by<F: Future>(&self, answer: Pin<&mut F>) -> Option<F::Output> {
        if self.stop.is_stopped() {
            Box::pin(self.in_grace(answer)).await
        } else {
            self.in_seat(answer).await
        }
    }

    async fn in_grace<F: Future>(&self, answer: Pin<&mut F>) -> Option<F::Output> {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.stop.hurried() => None,
        }
    }

    fn in_seat<F: Future>(
        &self,
        mut answer: Pin<&mut F>,
    ) -> impl Future<Output = Option<F::Output>> {
        let mut seat: Option<Seat<'_>> = None;
        poll_fn(move |context| {
            if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            let own = seat.as_ref().map(|seat| seat.place);
            match lock(&self.seats).take(own, context.waker()) {
                None => return Poll::Ready(None),
                Some(place) if seat.is_none() => seat = Some(Seat { bell: self, place }),
                Some(_) => {}
            }
            Poll::Pending
        })
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.ringer.abort();
    }
}

fn lock(seats: &Mutex<Seats>) -> MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seats {
    /// Takes a seat, or stays in one's own; `None` once the bell has rung.
    fn take(&mut self, own: Option<usize>, waker: &Waker) -> Option<usize> {
        if self.has_rung {
            return None;
        }
        let Some(place) = own.or_else(|| self.free.pop()) else {
            self.wakers.push(waker.clone());
            return Some(self.wakers.len() - 1);
        };
        self.wakers[place].clone_from(waker);
        Some(place)
    }

    fn ring(&mut self) {
        self.has_rung = true;
        for waker in &self.wakers {
            waker.wake_by_ref();
        }
    }
}

/// A place from which the bell is heard, until it is left.
struct Seat<'b> {
    bell: &'b Bell,
    place: usize,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        lock(&self.bell.seats).free.push(self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::future::{FutureExt as _, join_all};
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::run::stop::Reason;

    const SECOND: Duration = Duration::from_secs(1);

    async fn answered_after(bell: &Bell, seconds: u32) -> Option<u32> {
        let answer = pin!(async {
            sleep(seconds * SECOND).await;
            seconds
        });
        bell.heard_by(answer).await
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_grace_of_a_stopped_run_nobody_waits_any_longer() {
        let (stop, begun) = (Stop::default(), Instant::now());
        let bell = Bell::of(&stop);
        drop(stop.at(10 * SECOND + SECOND / 2));
        // Of forty each is polled only when it is woken itself.
        let answers = join_all((0..40).map(|seconds| answered_after(&bell, seconds))).await;
        let expected = (0..40).map(|seconds| (seconds < 13).then_some(seconds));
        assert_eq!(answers, expected.collect::<Vec<_>>());
        assert_eq!(begun.elapsed().as_secs(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_a_run_that_was_stopped_have_a_grace_of_their_own() {
        let stop = Stop::default();
        let bell = Bell::of(&stop);
        stop.now(Reason::Interrupt);
        for seconds in [1, 3, 1, 9] {
            let begun = Instant::now();
            let answer = answered_after(&bell, seconds).await;
            assert_eq!(answer, (seconds < 2).then_some(seconds));
            assert_eq!(begun.elapsed().as_secs(), u64::from(seconds.min(2)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_take_the_seats_of_those_before_them() {
        let bell = Bell::of(&Stop::default());
        for seconds in 1..4 {
            let calls = join_all([1, 2].map(|calls| answered_after(&bell, seconds * calls)));
            assert_eq!(calls.await, [Some(seconds), Some(2 * seconds)]);
        }
        let seats = lock(&bell.seats);
        assert_eq!((seats.wakers.len(), seats.free.len()), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_moves_to_another_task_is_woken_there() {
        let stop = Stop::default();
        let bell = Arc::new(Bell::of(&stop));
        let own = Arc::clone(&bell);
        let mut call = Box::pin(async move { answered_after(&own, 9).await });
        // Its first seat knows the task of this test.
        assert!(call.as_mut().now_or_never().is_none());
        let elsewhere = tokio::spawn(call);
        stop.now(Reason::Interrupt);
        assert_eq!(elsewhere.await.ok(), Some(None));
    }
}
