//! A JSON-RPC request in, what was spoken back out: what both eras of the MCP door share.

pub(super) mod legacy;
pub(super) mod listener;
pub(super) mod message;
pub(super) mod modern;
pub(super) mod opened;
pub(super) mod result;

pub(super) mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::heading::heading;
use super::scrubber::Scrubber;
use super::{Answered, Observation, Payload, Rpc};
use crate::scenario::McpMethod;
use crate::secret::Redactor;
use crate::wire::{Call, Line, Reply, Silence, Wire};
use listener::Listener;
use message::{Message, Messages, Read, RpcError};
use opened::Opened;

/// Servers answer 406 unless both are listed, whichever they choose (Streamable HTTP, every revision).
const BOTH_FRAMINGS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Headers of a request besides those of its heading: those below, `host`, `content-length`, and at most three of its era.
pub(super) const OTHERS: usize = 7;

/// Headers of one request.
pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

/// What a scenario asks, without what an era adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inquiry<'a> {
    /// What is asked, in the era's own word.
    pub(super) method: McpMethod,
    /// The tool, resource or prompt that `params` name.
    pub(super) name: Option<&'a str>,
    /// An object.
    pub(super) params: &'a Arc<Value>,
}

impl Inquiry<'_> {
    /// What must be known of it to read its answer.
    pub(super) fn question(&self) -> Question {
        Question {
            request: self.line(),
            seeks: Some(self.method),
        }
    }

    /// The request in one line.
    pub(super) fn line(&self) -> String {
        match self.name {
            Some(name) => [self.method.name(), " ", name].concat(),
            None => self.method.name().to_owned(),
        }
    }
}

/// What must be known of a request to read its answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// The request in one line, such as `tools/call deleteProduct`.
    pub(super) request: String,
    /// What a result of it must be to count as one. `None` where none counts: a handshake that succeeds proves nothing
    /// of the call that it is made for.
    pub(super) seeks: Option<McpMethod>,
}

impl Question {
    /// A request of which no result counts.
    pub(super) fn in_vain(request: &str) -> Self {
        Self {
            request: request.to_owned(),
            seeks: None,
        }
    }
}

/// One JSON-RPC request or notification, ready but for its id.
#[derive(Clone, Debug)]
pub(super) struct Utterance {
    /// What is asked in it.
    pub(super) question: Question,
    /// The JSON-RPC method.
    pub(super) method: &'static str,
    /// Its params; `None` leaves them out.
    pub(super) params: Option<Arc<Value>>,
    /// The member `_meta` that goes into `params` besides, as it is written.
    pub(super) meta: Option<&'static str>,
    /// Headers that its era wants.
    pub(super) headers: Headers,
}

impl Utterance {
    /// The HTTP request: a POST to `url` with `heading` and what MCP needs besides. Without `id` it is a notification.
    pub(super) fn call(self, url: &str, heading: HeaderMap, id: Option<u64>) -> Call {
        let body = self.body(id);
        let mut headers = heading;
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, BOTH_FRAMINGS);
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        Call {
            method: Method::POST,
            url: url.to_owned(),
            headers,
            body,
        }
    }

    fn body(&self, id: Option<u64>) -> Bytes {
        let mut body = Vec::with_capacity(BODY);
        body.extend_from_slice(br#"{"jsonrpc":"2.0""#);
        if let Some(id) = id {
            member(&mut body, "id", &id);
        }
        member(&mut body, "method", self.method);
        if let Some(params) = &self.params {
            member(&mut body, "params", &**params);
            if let (Value::Object(stated), Some(meta)) = (&**params, self.meta) {
                // Into the object that was just closed.
                body.pop();
                body.extend_from_slice(if stated.is_empty() { b"" } else { b"," });
                body.extend_from_slice(meta.as_bytes());
                body.push(b'}');
            }
        }
        body.push(b'}');
        Bytes::from(body)
    }
}

/// Bytes that most requests stay below.
const BODY: usize = 512;

/// Writes one more member of a message; `name` needs no escape.
fn member<T: Serialize + ?Sized>(body: &mut Vec<u8>, name: &'static str, value: &T) {
    for piece in [",\"", name, "\":"] {
        body.extend_from_slice(piece.as_bytes());
    }
    serde_json::to_writer(body, value)
        .expect("a JSON value has string keys and memory takes every byte");
}

/// What came back to an utterance.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    /// What is kept of it.
    pub(super) answered: Answered,
    /// The JSON-RPC message with our id.
    pub(super) message: Option<Message>,
    /// Where there is none: a JSON-RPC error with another id or none, as servers give to what they could not place.
    pub(super) complaint: Option<RpcError>,
    /// The `Mcp-Session-Id` of the answer.
    pub(super) session: Option<HeaderValue>,
}

impl Spoken {
    /// Reads an answer; `id` is the one that the request carried.
    pub(super) fn of(question: Question, reply: &Reply, id: u64, redactor: &Redactor) -> Self {
        Self::keeping(question, reply, id, Scrubber::of_message(redactor, id))
    }

    /// The same with what `scrubber` keeps.
    fn keeping(question: Question, reply: &Reply, id: u64, scrubber: Scrubber<'_>) -> Self {
        let messages = Messages::of(reply);
        let read = messages.read(id);
        let (rpc, payload) = meaning(question.seeks, &read, &scrubber);
        let observation = Observation::of_read(
            question.request,
            reply,
            read.is_document,
            Some(rpc),
            &scrubber,
        );
        Self {
            answered: Answered {
                observation,
                payload,
            },
            message: read.message,
            complaint: read.complaint,
            session: reply.headers.get(legacy::SESSION).cloned(),
        }
    }

    /// What is kept where no answer came.
    pub(super) fn silent(
        question: Question,
        silence: Silence,
        since: Instant,
        redactor: &Redactor,
    ) -> Self {
        let scrubber = Scrubber::new(redactor);
        let observation =
            Observation::silent(question.request, silence, since.elapsed(), &scrubber);
        Self {
            answered: Answered {
                observation,
                payload: Payload::default(),
            },
            message: None,
            complaint: None,
            session: None,
        }
    }

    /// The HTTP status; `None` where no answer came.
    pub(super) fn status(&self) -> Option<u16> {
        self.answered.observation.status()
    }

    /// The JSON-RPC error in it, to our id or not.
    pub(super) fn error(&self) -> Option<&RpcError> {
        match &self.message {
            Some(Message::Error(error)) => Some(error),
            Some(Message::Result(_)) => None,
            None => self.complaint.as_ref(),
        }
    }
}

fn meaning(seeks: Option<McpMethod>, read: &Read<'_>, scrubber: &Scrubber<'_>) -> (Rpc, Payload) {
    match (&read.message, seeks) {
        (Some(Message::Result(told)), Some(method)) => result::read(method, told, read, scrubber),
        (Some(Message::Error(error)), _) => (result::error(error, scrubber), Payload::default()),
        (Some(Message::Result(_)), None) | (None, _) => (Rpc::Absent, Payload::default()),
    }
}

/// Draws the ids of an entrance's requests, each one once.
#[derive(Debug)]
pub(super) struct Ids(AtomicU64);

impl Ids {
    /// Begins at a place drawn by lot, so that an answer meant for another persona does not carry an id of ours by
    /// chance. Nine digits: some servers keep ids in 32 bits.
    pub(super) fn new() -> Self {
        let lot = getrandom::u64().unwrap_or_default();
        Self(AtomicU64::new(100_000_000 + lot % 800_000_000))
    }

    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// One persona's way to the MCP URL, over one line.
#[derive(Clone, Debug)]
pub(super) struct Way<'e> {
    pub(super) url: &'e str,
    /// Headers that every request carries.
    pub(super) headers: &'e [(String, HeaderValue)],
    /// Headers of the persona's client.
    pub(super) carried: &'e [(String, HeaderValue)],
    pub(super) authorization: Option<&'e HeaderValue>,
    pub(super) wire: &'e Wire,
    pub(super) line: &'e Line,
    pub(super) ids: &'e Ids,
    pub(super) opened: &'e Opened,
    pub(super) redactor: &'e Redactor,
    /// Headers that are kept besides the usual ones.
    pub(super) kept: &'e [String],
}

impl Way<'_> {
    /// Sends a request and reads until the message with its id, the answer's end or a cap.
    pub(super) async fn ask(&self, mut utterance: Utterance) -> Spoken {
        let id = self.ids.next();
        let question = std::mem::take(&mut utterance.question);
        let call = utterance.call(self.url, self.heading(), Some(id));
        let mut listener = Listener::new(id);
        let since = Instant::now();
        match self
            .line
            .send(call, &mut |read| listener.enough(read))
            .await
        {
            Ok(reply) => {
                let scrubber = Scrubber::of_message(self.redactor, id).keeping(self.kept);
                Spoken::keeping(question, &reply, id, scrubber)
            }
            Err(silence) => Spoken::silent(question, silence, since, self.redactor),
        }
    }

    /// Sends `initialize`; the session that its answer opens, if it opens one, is remembered until it is ended.
    pub(super) async fn open(&self, utterance: Utterance) -> Spoken {
        let spoken = self.ask(utterance).await;
        if let Some(session) = legacy::Session::of(&spoken) {
            self.opened.note(&session);
        }
        spoken
    }

    /// Sends a notification; its answer says nothing that the next call would not.
    pub(super) async fn notify(&self, utterance: Utterance) {
        let call = utterance.call(self.url, self.heading(), None);
        drop(self.line.send(call, &mut |_| true).await);
    }

    /// A request to `url` without a body: what GET and DELETE are (2025-11-25 transports).
    pub(super) fn bare(&self, method: Method, url: &str, headers: Headers) -> Call {
        let mut heading = self.heading();
        heading.insert(ACCEPT, STREAM);
        heading.extend(headers);
        Call {
            method,
            url: url.to_owned(),
            headers: heading,
            body: Bytes::new(),
        }
    }

    pub(super) fn signed_in(&self) -> bool {
        self.authorization.is_some()
    }

    /// The headers of a request before its own.
    pub(super) fn heading(&self) -> HeaderMap {
        heading(self.headers, self.carried, self.authorization, OTHERS)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    /// An answer with that status, content type (none when empty) and body.
    pub(in crate::door) fn reply(
        status: u16,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Reply {
            status,
            headers,
            body: body.into(),
            truncated: false,
            took: Duration::ZERO,
        }
    }

    /// Request line, sorted headers, body.
    pub(in crate::door) fn lines(call: &Call) -> Vec<String> {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<String> = call.headers.iter().map(header).collect();
        lines.sort();
        lines.insert(0, format!("{} {}", call.method, call.url));
        lines.push(String::from_utf8(call.body.to_vec()).unwrap());
        lines
    }

    #[test]
    fn every_id_is_drawn_once_and_has_nine_digits() {
        let ids = Ids::new();
        let drawn: Vec<u64> = (0..3).map(|_| ids.next()).collect();
        assert_eq!(drawn, [drawn[0], drawn[0] + 1, drawn[0] + 2]);
        assert_eq!(drawn[0].to_string().len(), 9);
    }

    #[test]
    fn a_handshake_has_no_result_that_counts() {
        let body =
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"protocolVersion":"2025-11-25"}}"#;
        let reply = reply(200, "application/json", body);
        let redactor = Redactor::default();
        let spoken = Spoken::of(legacy::initialize().question, &reply, 7, &redactor);
        assert!(matches!(spoken.message, Some(Message::Result(_))));
        let crate::door::Answer::Http(answer) = spoken.answered.observation.answer else {
            panic!("an answer came");
        };
        assert_eq!(answer.rpc, Some(Rpc::Absent));
    }
}
