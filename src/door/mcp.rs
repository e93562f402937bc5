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
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};

use super::heading::{Headers, Heading, Sender};
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

/// What a scenario asks, without what an era adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inquiry<'a> {
    /// What is asked, in the era's own word.
    pub(super) method: McpMethod,
    /// The tool, resource or prompt that `params` name.
    pub(super) name: Option<&'a str>,
    /// An object, as it is written.
    pub(super) params: &'a Arc<str>,
}

impl Inquiry<'_> {
    /// What must be known of it to read its answer.
    pub(super) fn question(&self) -> Question {
        Question {
            request: self.line().into(),
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
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The request in one line, such as `tools/call deleteProduct`.
    pub(super) request: Arc<str>,
    /// What a result of it must be to count as one. `None` where none counts: a handshake that succeeds proves nothing
    /// of the call that it is made for.
    pub(super) seeks: Option<McpMethod>,
}

impl Question {
    /// A request of which no result counts.
    pub(super) fn in_vain(request: &str) -> Self {
        Self {
            request: request.into(),
            seeks: None,
        }
    }
}

/// What one JSON-RPC request or notification says.
#[derive(Clone, Debug)]
pub(super) struct Utterance {
    /// What is asked in it.
    pub(super) question: Question,
    /// The JSON-RPC method.
    pub(super) method: &'static str,
    /// Its params, as they are written; `None` leaves them out.
    pub(super) params: Option<Arc<str>>,
    /// The member `_meta` that goes into `params`, an object, besides, as it is written.
    pub(super) meta: Option<&'static str>,
    /// Headers that its era wants.
    pub(super) headers: Headers,
}

impl Utterance {
    /// The HTTP request: a POST with the scenario's headers and what MCP needs besides.
    pub(super) fn draft(self, stated: &[(HeaderName, HeaderValue)]) -> Draft {
        let body = self.body();
        let mut fixed = self.headers;
        fixed.extend([(CONTENT_TYPE, JSON), (ACCEPT, BOTH_FRAMINGS)]);
        Draft {
            question: self.question,
            heading: Heading::new(stated, &[], fixed),
            body,
        }
    }

    /// The message after its id.
    fn body(&self) -> String {
        let mut body = String::with_capacity(BODY);
        body.extend([",\"method\":\"", self.method, "\""]);
        if let Some(params) = &self.params {
            body.push_str(",\"params\":");
            match (self.meta, params.strip_suffix('}')) {
                (Some(meta), Some("{")) => body.extend(["{", meta, "}"]),
                (Some(meta), Some(stated)) => body.extend([stated, ",", meta, "}"]),
                (None, _) | (_, None) => body.push_str(params),
            }
        }
        body.push('}');
        body
    }
}

/// Bytes that most messages stay below.
const BODY: usize = 512;

/// One JSON-RPC request or notification, ready but for its id and for who makes it.
#[derive(Clone, Debug)]
pub struct Draft {
    question: Question,
    heading: Heading,
    body: String,
}

impl Draft {
    /// The HTTP request to `url` as somebody makes it. Without `id` it is a notification.
    pub(super) fn call(&self, url: &str, sender: Sender<'_>, id: Option<u64>) -> Call {
        Call {
            method: Method::POST,
            url: url.to_owned(),
            headers: self.heading.of(sender),
            body: self.body(id),
        }
    }

    fn body(&self, id: Option<u64>) -> Bytes {
        let mut digits = itoa::Buffer::new();
        let [name, id] = id.map_or(["", ""], |id| [",\"id\":", digits.format(id)]);
        Bytes::from([r#"{"jsonrpc":"2.0""#, name, id, &self.body].concat())
    }
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
    pub(super) headers: &'e [(HeaderName, HeaderValue)],
    pub(super) sender: Sender<'e>,
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
    pub(super) async fn ask(&self, utterance: Utterance) -> Spoken {
        self.make(&utterance.draft(self.headers)).await
    }

    /// The same with a request that is ready.
    pub(super) async fn make(&self, draft: &Draft) -> Spoken {
        let id = self.ids.next();
        let call = draft.call(self.url, self.sender, Some(id));
        let question = draft.question.clone();
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
        let draft = utterance.draft(self.headers);
        let call = draft.call(self.url, self.sender, None);
        drop(self.line.send(call, &mut |_| true).await);
    }

    /// A request to `url` without a body: what GET and DELETE are (2025-11-25 transports).
    pub(super) fn bare(&self, method: Method, url: &str, mut headers: Headers) -> Call {
        headers.push((ACCEPT, STREAM));
        Call {
            method,
            url: url.to_owned(),
            headers: Heading::new(self.headers, &[], headers).of(self.sender),
            body: Bytes::new(),
        }
    }

    pub(super) fn signed_in(&self) -> bool {
        self.sender.authorization.is_some()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use http::HeaderMap;

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
