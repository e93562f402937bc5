//! A GET or a message of the deprecated HTTP+SSE pair in, a stream that names its endpoint or an answer in it out (2024-11-05).

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use indexmap::IndexMap;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Serving;
use super::desk::Desk;
use super::envelope::{EVENT_STREAM, Message, wrap};
use super::legacy;
use crate::reference::call::Call;
use crate::reference::{chance, reply};

/// The revision of the pair.
const VERSION: &str = "2024-11-05";
/// A caller that opens streams without end pushes out the oldest, rather than filling the memory.
const MOST_STREAMS: usize = 1024;

/// The open streams, oldest first, by the id that their endpoint carries.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<IndexMap<String, UnboundedSender<Bytes>>>);

impl Streams {
    /// Opens a stream; its first event names the endpoint, a path at the stream's own origin.
    pub(super) fn open(&self) -> Response {
        let id = chance::secret();
        let (sender, receiver) = unbounded_channel();
        self.with(|streams| {
            streams.retain(|_, sender| !sender.is_closed());
            if streams.len() >= MOST_STREAMS {
                streams.shift_remove_index(0);
            }
            streams.insert(id.clone(), sender);
        });
        let first = event("endpoint", &format!("/messages?sessionId={id}"));
        let first = stream::once(async { Ok::<_, Infallible>(first) });
        let body = Body::from_stream(first.chain(stream::unfold(receiver, next)));
        reply::typed(StatusCode::OK, EVENT_STREAM, body)
    }

    /// Takes a message: 202, and the answer to a request goes into its stream. 404 without an open stream.
    pub(super) fn take(&self, desk: &Desk, call: &Call, serving: Serving) -> Response {
        let id = call.query("sessionId").unwrap_or_default();
        let Some(sender) = self.with(|streams| streams.get(&id).cloned()) else {
            return reply::empty(StatusCode::NOT_FOUND);
        };
        let body = call.object().unwrap_or_default();
        let Ok(message) = Message::read(&body) else {
            return reply::empty(StatusCode::BAD_REQUEST);
        };
        if message.id.is_some() {
            let outcome = match message.method {
                "initialize" => Ok(legacy::greeting(VERSION)),
                _ => legacy::dispatch(desk, &message, serving),
            };
            let answer: Value = wrap(message.id, outcome);
            // A client that has hung up hears nothing; nobody else does either.
            let _unheard = sender.send(event("message", &answer.to_string()));
        }
        reply::empty(StatusCode::ACCEPTED)
    }

    fn with<T>(&self, act: impl FnOnce(&mut IndexMap<String, UnboundedSender<Bytes>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn next(
    mut receiver: UnboundedReceiver<Bytes>,
) -> Option<(Result<Bytes, Infallible>, UnboundedReceiver<Bytes>)> {
    let event = receiver.recv().await?;
    Some((Ok(event), receiver))
}

fn event(name: &str, data: &str) -> Bytes {
    Bytes::from(format!("event: {name}\r\ndata: {data}\r\n\r\n"))
}
