//! A connection in, the same out, read no oftener than whoever drives it has use for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

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

impl Tap {
    /// A tap, and the connection behind it.
    pub(super) fn on<S>(stream: S) -> (Self, Tapped<S>) {
        let tap = Self(Arc::new(AtomicU8::new(Reads::None as u8)));
        let tapped = Tapped {
            stream,
            tap: tap.clone(),
        };
        (tap, tapped)
    }

    /// What may be read until it is opened again.
    pub(super) fn open(&self, reads: Reads) {
        self.0.store(reads as u8, Ordering::Relaxed);
    }

    fn is(&self, reads: Reads) -> bool {
        self.0.load(Ordering::Relaxed) == reads as u8
    }
}

/// A connection behind a tap: what it has no use for is answered as if nothing had come. What is written passes.
pub(super) struct Tapped<S> {
    stream: S,
    tap: Tap,
}

impl<S: Read + Unpin> Read for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.tap.is(Reads::None) {
            return Poll::Pending;
        }
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if read.is_pending() || self.tap.is(Reads::One) {
            self.tap.open(Reads::None);
        }
        read
    }
}

impl<S: Write + Unpin> Write for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use hyper::rt::ReadBuf;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;

    type Side = TokioIo<DuplexStream>;

    fn read(tapped: &mut Tapped<Side>) -> Option<Vec<u8>> {
        let mut room = [0; 2];
        let mut into = ReadBuf::new(&mut room);
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(tapped).poll_read(&mut context, into.unfilled()) {
            Poll::Ready(read) => read.map(|()| into.filled().to_vec()).ok(),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn what_came_is_read_as_often_as_the_tap_allows() {
        let table: [(Reads, &[&str]); 3] = [
            (Reads::None, &[]),
            (Reads::One, &["ab"]),
            (Reads::All, &["ab", "cd", "e"]),
        ];
        for (reads, expected) in table {
            let (mut far, near) = tokio::io::duplex(64);
            far.write_all(b"abcde").await.unwrap();
            let (tap, mut tapped) = Tap::on(TokioIo::new(near));
            tap.open(reads);
            let pieces = std::iter::from_fn(|| read(&mut tapped));
            let pieces: Vec<_> = pieces
                .map(|piece| String::from_utf8(piece).unwrap())
                .collect();
            assert_eq!(pieces, expected, "{reads:?}");
        }
    }

    #[tokio::test]
    async fn where_nothing_had_come_nothing_is_read_until_the_tap_is_opened_again() {
        let (mut far, near) = tokio::io::duplex(64);
        let (tap, mut tapped) = Tap::on(TokioIo::new(near));
        for reads in [Reads::One, Reads::All] {
            tap.open(reads);
            assert_eq!(read(&mut tapped), None);
            far.write_all(b"x").await.unwrap();
            assert_eq!(read(&mut tapped), None, "{reads:?}");
            tap.open(reads);
            assert_eq!(read(&mut tapped), Some(b"x".to_vec()));
        }
    }
}
