//! An HTTP answer in, the JSON-RPC message with our id out (JSON-RPC 2.0 §5).

use std::fmt;
use std::slice;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::door::observation::sound::Sound;
use crate::door::observation::{is_document, readable, without_mark};
use crate::door::sse::Events;
use crate::tree::{Members, Tree};
use crate::wire::Reply;

/// A response message that keeps the rules.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::door) enum Message {
    /// Its `result`; in MCP always an object.
    Result(Told),
    /// Its `error`.
    Error(RpcError),
}

/// The result of the request with an id, in the message as it was sent: few look into it twice.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::door) struct Told {
    message: Bytes,
    id: u64,
}

impl Told {
    /// What a look at its members gives.
    pub(in crate::door) fn look<T>(&self, look: impl FnOnce(&Members<'_>) -> T) -> T {
        look(&self.read())
    }

    /// Its members, to be kept.
    pub(in crate::door) fn members(&self) -> Map<String, Value> {
        self.read().into_map()
    }

    fn read(&self) -> Members<'_> {
        let envelope = Envelope::read(&self.message, self.id);
        match envelope.and_then(Envelope::into_answer) {
            Some(Answer::Result(members)) => members,
            // It was one before.
            Some(Answer::Error(_)) | None => Members::default(),
        }
    }
}

/// An error object.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::door) struct RpcError {
    /// Its code.
    pub(in crate::door) code: i64,
    /// Its message as sent, neither scrubbed nor capped; empty when there is none.
    pub(in crate::door) message: String,
    /// Its data.
    pub(in crate::door) data: Option<Value>,
}

/// How an answer's body holds messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// One JSON document.
    Json,
    /// An event stream.
    Stream,
    /// Nothing that a client would read.
    Other,
}

/// What one message is to the request with our id.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// None of ours: another id, a notification, a request of the server, no JSON-RPC.
    Foreign,
    /// Carries our id and breaks the rules.
    Broken,
    /// The response.
    Ours,
}

/// An answer, and the messages that its body may hold, not yet read.
#[derive(Debug)]
pub(in crate::door) struct Messages<'r> {
    reply: &'r Reply,
    found: Found,
}

#[derive(Debug)]
enum Found {
    /// What may be one, and ends with the body.
    Document(Bytes),
    /// Those of an event stream.
    Events(Vec<Bytes>),
}

/// What an answer's body holds for the request with an id.
#[derive(Debug, Default)]
pub(in crate::door) struct Read<'m> {
    /// The response with that id, wherever the framing puts it. Ids are compared with their JSON type. `None` when there is
    /// none, when it breaks the rules (both or neither of `result` and `error`, a member twice, another `jsonrpc`), or when
    /// it stands in a batch.
    pub(in crate::door) message: Option<Message>,
    /// What is in its result.
    pub(in crate::door) result: Option<Members<'m>>,
    /// Where there is no such response: the first JSON-RPC error, whatever its id. Servers that cannot place a request answer
    /// with `null`, no id, or one of their own.
    pub(in crate::door) complaint: Option<RpcError>,
    /// Whether the whole body is one JSON document.
    pub(in crate::door) is_document: bool,
}

/// The response with that id alone; see [`Read::message`].
pub(in crate::door) fn answer(reply: &Reply, id: u64) -> Option<Message> {
    Messages::of(reply).read(id).message
}

impl<'r> Messages<'r> {
    /// Those in the body of an answer.
    pub(in crate::door) fn of(reply: &'r Reply) -> Self {
        let found = match framing(reply) {
            Framing::Json if !reply.truncated => {
                Found::Document(reply.body.slice_ref(without_mark(&reply.body)))
            }
            Framing::Stream => {
                let messages = Events::default().feed(&reply.body).into_iter();
                Found::Events(messages.map(Bytes::from).collect())
            }
            Framing::Json | Framing::Other => Found::Events(Vec::new()),
        };
        Self { reply, found }
    }

    /// What they are to the request with that id.
    pub(in crate::door) fn read(&self, id: u64) -> Read<'_> {
        let (mut read, mut is_answered) = (Read::default(), false);
        for message in self.each() {
            let Some(envelope) = Envelope::read(message, id) else {
                continue;
            };
            read.is_document = matches!(self.found, Found::Document(_));
            if !is_answered && envelope.answers() {
                is_answered = true;
                read.hear(envelope, message, id);
            } else if read.complaint.is_none() {
                read.complaint = envelope.into_error();
            }
        }
        if read.message.is_some() {
            read.complaint = None;
        }
        read.is_document = read.is_document || is_document(self.reply);
        read
    }

    fn each(&self) -> &[Bytes] {
        match &self.found {
            Found::Document(body) => slice::from_ref(body),
            Found::Events(messages) => messages,
        }
    }
}

impl<'m> Read<'m> {
    fn hear(&mut self, ours: Envelope<'m>, message: &Bytes, id: u64) {
        match ours.into_answer() {
            Some(Answer::Result(members)) => {
                let message = message.clone();
                self.message = Some(Message::Result(Told { message, id }));
                self.result = Some(members);
            }
            Some(Answer::Error(error)) => self.message = Some(Message::Error(error)),
            None => {}
        }
    }
}

/// What a single message is to the request with that id.
pub(super) fn hear(body: &[u8], id: u64) -> Heard {
    match Envelope::read(body, id) {
        Some(envelope) if envelope.answers() => envelope
            .into_answer()
            .map_or(Heard::Broken, |_| Heard::Ours),
        Some(_) | None => Heard::Foreign,
    }
}

/// Whether a message answers the request with that id, rightly or wrongly.
pub(in crate::door) fn is_ours(message: &str, id: u64) -> bool {
    hear(message.as_bytes(), id) != Heard::Foreign
}

/// The framing that a body's first bytes announce; `None` while nothing but white space has come.
pub(super) fn sniff(body: &[u8]) -> Option<Framing> {
    if b"\xef\xbb\xbf".starts_with(body) {
        return None;
    }
    let first = *without_mark(body).trim_ascii_start().first()?;
    Some(match first {
        b'{' | b'[' => Framing::Json,
        b':' | b'a'..=b'z' => Framing::Stream,
        _ => Framing::Other,
    })
}

fn framing(reply: &Reply) -> Framing {
    let Some(stated) = reply.headers.get(CONTENT_TYPE) else {
        return sniff(&reply.body).unwrap_or(Framing::Other);
    };
    let stated = readable(stated.as_bytes());
    let media_type = stated.split(';').next().unwrap_or_default().trim();
    let is = |known: &str| media_type.eq_ignore_ascii_case(known);
    if is("application/json") {
        Framing::Json
    } else if is("text/event-stream") {
        Framing::Stream
    } else if is_json_of_a_kind(&media_type.to_ascii_lowercase()) {
        Framing::Json
    } else {
        Framing::Other
    }
}

fn is_json_of_a_kind(media_type: &str) -> bool {
    media_type.starts_with("application/") && media_type.ends_with("+json")
}

/// The members that matter. Read by hand, because a plain JSON reader takes the last of two equal names and a
/// message with two answers must not count as either.
#[derive(Default)]
struct Envelope<'m> {
    version: Option<Tree<'m>>,
    /// Whether an id of it is the one that is looked for; `None` where it has none.
    is_ours: Option<bool>,
    is_request: bool,
    result: Option<Tree<'m>>,
    error: Option<Tree<'m>>,
    is_doubled: bool,
}

/// What an envelope that keeps the rules holds.
enum Answer<'m> {
    Result(Members<'m>),
    Error(RpcError),
}

impl<'m> Envelope<'m> {
    /// Reads a message that may answer the request with that id.
    fn read(body: &'m [u8], id: u64) -> Option<Self> {
        // As a whole it is known to be text at less cost than string by string.
        let mut reader = serde_json::Deserializer::from_str(str::from_utf8(body).ok()?);
        let envelope = Looking(id).deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Some(envelope)
    }

    /// Whether it answers the request, rightly or wrongly.
    fn answers(&self) -> bool {
        !self.is_request && self.is_ours == Some(true)
    }

    fn into_answer(self) -> Option<Answer<'m>> {
        if self.is_doubled || !self.version?.is("2.0") {
            return None;
        }
        match (self.result, self.error) {
            (Some(Tree::Object(result)), None) => Some(Answer::Result(result)),
            (None, Some(error)) => error_object(&error).map(Answer::Error),
            _ => None,
        }
    }

    fn into_error(self) -> Option<RpcError> {
        match self.into_answer()? {
            Answer::Error(error) => Some(error),
            Answer::Result(_) => None,
        }
    }
}

fn error_object(error: &Tree<'_>) -> Option<RpcError> {
    let message = error.get("message").and_then(Tree::as_str);
    Some(RpcError {
        code: error.get("code")?.as_i64()?,
        message: message.unwrap_or_default().to_owned(),
        data: error.get("data").cloned().map(Tree::into_value),
    })
}

/// Looks for the answer to the request with an id.
struct Looking(u64);

impl<'de> DeserializeSeed<'de> for Looking {
    type Value = Envelope<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Looking {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope<'de>, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(name) = members.next_key()? {
            envelope.is_doubled |= match name {
                Name::Version => envelope.version.replace(members.next_value()?).is_some(),
                Name::Result => envelope.result.replace(members.next_value()?).is_some(),
                Name::Error => envelope.error.replace(members.next_value()?).is_some(),
                Name::Id => {
                    let id: Tree<'_> = members.next_value()?;
                    let is_ours = id.as_u64() == Some(self.0);
                    let before = envelope.is_ours.replace(is_ours);
                    envelope.is_ours = Some(is_ours || before == Some(true));
                    before.is_some()
                }
                Name::Method => {
                    members.next_value::<Sound>()?;
                    std::mem::replace(&mut envelope.is_request, true)
                }
                Name::Other => {
                    members.next_value::<Sound>()?;
                    false
                }
            };
        }
        Ok(envelope)
    }
}

/// The name of a member.
enum Name {
    Version,
    Id,
    Method,
    Result,
    Error,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Names)
    }
}

struct Names;

impl Visitor<'_> for Names {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "jsonrpc" => Name::Version,
            "id" => Name::Id,
            "method" => Name::Method,
            "result" => Name::Result,
            "error" => Name::Error,
            _ => Name::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::door::mcp::tests::reply;

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"ok":true}}"#;

    fn complaint(reply: &Reply) -> Option<RpcError> {
        Messages::of(reply).read(7).complaint
    }

    /// The members of a result, or the error.
    fn said(reply: &Reply) -> Option<Result<Value, RpcError>> {
        let messages = Messages::of(reply);
        let read = messages.read(7);
        let kept = match read.message? {
            Message::Result(told) => Ok(Value::Object(told.members())),
            Message::Error(error) => Err(error),
        };
        let looked_at = read.result.map(|result| Value::Object(result.into_map()));
        assert_eq!(looked_at, kept.clone().ok());
        Some(kept)
    }

    fn ok() -> Value {
        json!({ "ok": true })
    }

    #[test]
    fn one_message_is_ours_broken_or_foreign() {
        let table = [
            (ANSWER, Heard::Ours),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{"ok":true},"x":1}"#,
                Heard::Ours,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"no"}}"#,
                Heard::Ours,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":""}}"#,
                Heard::Broken,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{},"error":null}"#,
                Heard::Broken,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{},"result":{}}"#,
                Heard::Broken,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":1},"error":{"code":2}}"#,
                Heard::Broken,
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"id":8,"result":{}}"#,
                Heard::Broken,
            ),
            (
                r#"{"jsonrpc":"2.0","id":8,"id":7,"result":{}}"#,
                Heard::Broken,
            ),
            (r#"{"jsonrpc":"2.0","id":7}"#, Heard::Broken),
            (r#"{"jsonrpc":"2.0","id":7,"result":null}"#, Heard::Broken),
            (r#"{"jsonrpc":"2.0","id":7,"result":"ok"}"#, Heard::Broken),
            (r#"{"jsonrpc":"2.0","id":7,"error":"no"}"#, Heard::Broken),
            (
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":"1"}}"#,
                Heard::Broken,
            ),
            (r#"{"jsonrpc":"1.0","id":7,"result":{}}"#, Heard::Broken),
            (r#"{"jsonrpc":2.0,"id":7,"result":{}}"#, Heard::Broken),
            (r#"{"id":7,"result":{}}"#, Heard::Broken),
            (r#"{"jsonrpc":"2.0","id":"7","result":{}}"#, Heard::Foreign),
            (r#"{"jsonrpc":"2.0","id":7.0,"result":{}}"#, Heard::Foreign),
            (r#"{"jsonrpc":"2.0","id":8,"result":{}}"#, Heard::Foreign),
            (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, Heard::Foreign),
            (r#"{"jsonrpc":"2.0","result":{}}"#, Heard::Foreign),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
                Heard::Foreign,
            ),
            (
                r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#,
                Heard::Foreign,
            ),
            (r#"[{"jsonrpc":"2.0","id":7,"result":{}}]"#, Heard::Foreign),
            ("", Heard::Foreign),
            ("null", Heard::Foreign),
            (r#"{"jsonrpc":"2.0","id":7,"result":{}"#, Heard::Foreign),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{}} trailing"#,
                Heard::Foreign,
            ),
        ];
        for (body, heard) in table {
            assert_eq!(hear(body.as_bytes(), 7), heard, "{body}");
        }
    }

    #[test]
    fn the_answer_is_found_in_either_framing() {
        let event = format!("event: message\r\ndata: {ANSWER}\r\n\r\n");
        let noisy = [
            "\u{feff}: ping\n\ndata:\n",
            r#"data: {"jsonrpc":"2.0","method":"notifications/progress"}"#,
            "\n",
            r#"data: {"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}"#,
            "\n",
            r#"data: {"jsonrpc":"2.0","id":6,"result":{}}"#,
            "\n",
            r#"data: {"jsonrpc":"2.0","#,
            r#"data: "id":7,"#,
            r#"data: "result":{"ok":true}}"#,
            "\n",
        ]
        .join("\n");
        let table: [(&'static str, String); 9] = [
            ("application/json", ANSWER.to_owned()),
            ("Application/JSON; charset=utf-8", ANSWER.to_owned()),
            ("Application/Problem+JSON", ANSWER.to_owned()),
            ("application/json", format!("\u{feff}{ANSWER}\n")),
            ("", ANSWER.to_owned()),
            ("text/event-stream", event.clone()),
            ("Text/Event-Stream;charset=utf-8", noisy.clone()),
            ("", event),
            ("", noisy),
        ];
        for (content_type, body) in table {
            assert_eq!(
                said(&reply(200, content_type, body.clone())),
                Some(Ok(ok())),
                "{content_type}: {body}"
            );
        }
    }

    #[test]
    fn what_no_client_would_read_is_no_answer() {
        let batch = format!("[{ANSWER}]");
        let table: [(&'static str, String); 11] = [
            ("application/json", batch.clone()),
            ("application/json", String::new()),
            ("application/json", format!("data: {ANSWER}\n\n")),
            ("application/json", format!("{}1", "[".repeat(100_000))),
            ("text/event-stream", ANSWER.to_owned()),
            ("text/event-stream", format!("data: {batch}\n\n")),
            ("text/event-stream", format!("data: {ANSWER}\n")),
            (
                "text/event-stream",
                format!("event: other\ndata: {ANSWER}\n\n"),
            ),
            (
                "text/event-stream",
                format!("data: {{\"jsonrpc\":\"2.0\",\"id\":7}}\n\ndata: {ANSWER}\n\n"),
            ),
            ("text/html", ANSWER.to_owned()),
            ("", "<html>".to_owned()),
        ];
        for (content_type, body) in table {
            assert_eq!(
                answer(&reply(200, content_type, body.clone()), 7),
                None,
                "{content_type}: {body:.60}"
            );
        }
    }

    #[test]
    fn a_cut_document_is_no_answer_but_a_whole_event_before_the_cut_is() {
        let cut = Reply {
            truncated: true,
            ..reply(200, "application/json", ANSWER)
        };
        assert_eq!(answer(&cut, 7), None);
        let cut = Reply {
            truncated: true,
            ..reply(
                200,
                "text/event-stream",
                format!("data: {ANSWER}\n\ndata: {{"),
            )
        };
        assert_eq!(said(&cut), Some(Ok(ok())));
    }

    #[test]
    fn whether_a_body_is_a_document_is_known_in_any_framing() {
        let bodies = [
            ANSWER,
            " {} ",
            "[]",
            "7",
            "\u{feff}{\"a\":1}",
            r#"{"jsonrpc":"2.0","id":7,"result":{"a":1e999}}"#,
            r#"{"x":"\ud800"}"#,
            r#"{"method":1e999}"#,
            "data: {}\n\n",
            "{",
            "",
        ];
        for content_type in ["application/json", "text/event-stream", "text/plain", ""] {
            for (body, truncated) in bodies.iter().flat_map(|body| [(body, false), (body, true)]) {
                let reply = Reply {
                    truncated,
                    ..reply(200, content_type, *body)
                };
                assert_eq!(
                    Messages::of(&reply).read(7).is_document,
                    is_document(&reply),
                    "{content_type}: {body} {truncated}"
                );
            }
        }
    }

    #[test]
    fn an_error_is_kept_with_its_data() {
        let error = |data| RpcError {
            code: -32001,
            message: "no".to_owned(),
            data,
        };
        for (data, kept) in [
            ("", None),
            (r#","data":null"#, Some(Value::Null)),
            (r#","data":[7]"#, Some(json!([7]))),
        ] {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":7,"error":{{"code":-32001,"message":"no"{data}}}}}"#
            );
            assert_eq!(
                said(&reply(200, "application/json", body)),
                Some(Err(error(kept)))
            );
        }
    }

    #[test]
    fn a_complaint_needs_no_id_of_ours() {
        for id in [r#""id":null,"#, r#""id":"server-error","#, ""] {
            let body = format!(
                r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-32600,"message":"Missing session ID"}}}}"#
            );
            let complaint = complaint(&reply(400, "application/json", body)).unwrap();
            assert_eq!(
                (complaint.code, complaint.message.as_str()),
                (-32600, "Missing session ID")
            );
        }
        assert_eq!(complaint(&reply(200, "application/json", ANSWER)), None);
        assert_eq!(
            complaint(&reply(
                401,
                "application/json",
                r#"{"error":"invalid_token"}"#
            )),
            None
        );
    }
}
