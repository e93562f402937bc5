//! A body in frames in, its bytes up to cap and deadline out.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

/// What was read of a body.
pub(super) struct Drained {
    /// The bytes, never more than the cap.
    pub(super) bytes: Bytes,
    /// Whether more was to come: cap, deadline or peer.
    pub(super) truncated: bool,
}

/// Where reading stops.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes at most.
    pub(super) cap: usize,
    /// Moment after which nothing more is waited for.
    pub(super) deadline: Instant,
}

/// Reads until the end, a limit, or until `enough` says so of what was read so far.
pub(super) async fn drain<B>(
    mut body: B,
    limits: Limits,
    enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> Drained
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut read = Pile::default();
    loop {
        let frame = match timeout_at(limits.deadline, body.frame()).await {
            Ok(None) => return read.end(false),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) | Err(_) => return read.end(true),
        };
        // Trailers hold nothing that a verdict reads.
        let Ok(data) = frame.into_data() else { continue };
        let room = limits.cap - read.len();
        if data.len() > room {
            read.add(data.slice(..room));
            return read.end(true);
        }
        read.add(data);
        if enough(read.bytes()) {
            return read.end(false);
        }
    }
}

/// Frames put together; a body of one frame, the usual case, is not copied.
#[derive(Default)]
struct Pile {
    first: Bytes,
    joined: BytesMut,
}

impl Pile {
    fn len(&self) -> usize {
        self.bytes().len()
    }

    fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }

    fn add(&mut self, frame: Bytes) {
        if self.bytes().is_empty() {
            self.first = frame;
            return;
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&self.first);
        }
        self.joined.extend_from_slice(&frame);
    }

    fn end(self, truncated: bool) -> Drained {
        let bytes = if self.joined.is_empty() { self.first } else { self.joined.freeze() };
        Drained { bytes, truncated }
    }
}
