//! Bytes of one connection in and out, whatever it is made of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

use super::tap::Tap;

/// What a connection must do, TLS or not, tunnelled or not.
pub(super) trait Pipe: Read + Write + Connection + Send + Unpin {}

impl<T: Read + Write + Connection + Send + Unpin> Pipe for T {}

/// A connection, whatever it is made of.
pub(super) struct Stream {
    pipe: Box<dyn Pipe>,
    forwarded: bool,
    /// How often it is read; `None` for as often as anybody asks.
    tap: Option<Tap>,
}

impl Stream {
    /// A connection to the destination itself.
    pub(super) fn new(pipe: impl Pipe + 'static) -> Self {
        Self {
            pipe: Box::new(pipe),
            forwarded: false,
            tap: None,
        }
    }

    /// The same connection, known to end at a proxy that forwards each request.
    pub(super) fn into_forwarder(self) -> Self {
        Self {
            forwarded: true,
            ..self
        }
    }

    /// The same connection, read no oftener than the tap allows.
    pub(super) fn behind(self, tap: Tap) -> Self {
        Self {
            tap: Some(tap),
            ..self
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        // To a forwarding proxy hyper writes the target in absolute form (RFC 9112 §3.2.2).
        self.pipe.connected().proxy(self.forwarded)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { pipe, tap, .. } = &mut *self;
        let read = || Pin::new(pipe).poll_read(context, into);
        match tap {
            Some(tap) => tap.ask(read),
            None => read(),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.pipe.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write_vectored(context, slices)
    }
}
