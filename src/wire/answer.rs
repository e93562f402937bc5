//! A response in frames in, a reply within its caps and its deadline out.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::response::Parts;
use http_body_util::BodyExt;
use hyper::body::Body;

use super::clock::Clock;
use super::{Reply, Silence};

/// Bytes of header names and values that an answer may have.
pub(super) const HEAD_CAP: u16 = u16::MAX;

/// Reads until the end, `cap` bytes, the clock's end, or until `enough` says so of what was read so far.
///
/// # Errors
/// [`Silence::Unreadable`] when the head is beyond [`HEAD_CAP`]: hyper's own limit is one of its buffer, which grows past it.
pub(super) async fn read<B>(
    head: Parts,
    body: &mut B,
    clock: &mut Clock<'_>,
    cap: usize,
    enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> Result<Reply, Silence>
where
    B: Body<Data = Bytes> + Unpin,
{
    if size(&head.headers) > usize::from(HEAD_CAP) {
        return Err(Silence::Unreadable);
    }
    let (body, truncated) = drain(body, clock, cap, enough).await;
    let took = clock.begun.elapsed();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        truncated,
        took,
    })
}

fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

async fn drain<B>(
    body: &mut B,
    clock: &mut Clock<'_>,
    cap: usize,
    enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> (Bytes, bool)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut pile = Pile::default();
    while !body.is_end_stream() {
        let frame = match clock.wait(pin!(body.frame())).await {
            Some(None) => break,
            Some(Some(Ok(frame))) => frame,
            Some(Some(Err(_))) | None => return (pile.end(), true),
        };
        // Trailers hold nothing that a verdict reads.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let room = cap - pile.bytes().len();
        if data.len() > room {
            pile.add(data.slice(..room));
            return (pile.end(), true);
        }
        pile.add(data);
        if enough(pile.bytes()) {
            break;
        }
        // While frames are always at hand nothing is waited for, and the alarm alone would never be looked at.
        if !body.is_end_stream() && clock.is_over() {
            return (pile.end(), true);
        }
    }
    (pile.end(), false)
}

/// Frames put together; a body of one frame, the usual case, is not copied.
#[derive(Default)]
struct Pile {
    first: Bytes,
    joined: BytesMut,
}

impl Pile {
    fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() {
            &self.first
        } else {
            &self.joined
        }
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

    fn end(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}
