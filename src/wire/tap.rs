//! A question for what has come in, its answer out, asked no oftener than whoever drives a connection has use for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

/// How often a connection is asked for what has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Reads {
    /// Not again: nothing has come.
    None,
    /// Once: what has come fits into one read most often, and nobody relies on being woken for more.
    One,
    /// Until nothing has come.
    All,
}

/// Opens the way from a connection for as many reads as one drive of it has use for. hyper asks several times a drive, and a
/// connection that had nothing once has nothing later in the same drive: events are looked for between drives.
#[derive(Clone, Debug)]
pub(super) struct Tap(Arc<AtomicU8>);

impl Default for Tap {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Reads::All as u8)))
    }
}

impl Tap {
    /// What may be read until it is opened again.
    pub(super) fn open(&self, reads: Reads) {
        self.0.store(reads as u8, Ordering::Relaxed);
    }

    /// Asks, if that is of use; otherwise it is as if nothing had come.
    pub(super) fn ask<T>(&self, read: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.is(Reads::None) {
            return Poll::Pending;
        }
        let read = read();
        if read.is_pending() || self.is(Reads::One) {
            self.open(Reads::None);
        }
        read
    }

    fn is(&self, reads: Reads) -> bool {
        self.0.load(Ordering::Relaxed) == reads as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_read_as_often_as_the_tap_allows() {
        for (reads, most) in [(Reads::None, 0), (Reads::One, 1), (Reads::All, 9)] {
            let (tap, mut asked, mut answered) = (Tap::default(), 0, 0);
            tap.open(reads);
            for _ in 0..9 {
                let read = tap.ask(|| {
                    asked += 1;
                    Poll::Ready(())
                });
                answered += u32::from(read.is_ready());
            }
            assert_eq!([asked, answered], [most; 2], "{reads:?}");
        }
    }

    #[test]
    fn where_nothing_had_come_nothing_is_read_until_the_tap_is_opened_again() {
        let tap = Tap::default();
        for reads in [Reads::One, Reads::All] {
            tap.open(reads);
            assert_eq!(tap.ask(|| Poll::<u8>::Pending), Poll::Pending);
            assert_eq!(tap.ask(|| Poll::Ready(7)), Poll::Pending, "{reads:?}");
            tap.open(reads);
            assert_eq!(tap.ask(|| Poll::Ready(7)), Poll::Ready(7));
        }
    }
}
