//! An HTTP answer in, the JSON-RPC message with our id out (JSON-RPC 2.0 §5).

use std::borrow::Cow;
use std::fmt;

use http::header::CONTENT_TYPE;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::door::observation::without_mark;
use crate::door::sse::Events;
use crate::wire::Reply;

/// A response message that keeps the rules.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::door) enum Message {
    /// Its `result`; in MCP always an object.
    Result(Map<String, Value>),
    /// Its `error`.
    Error(RpcError),
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
    Ours(Message),
}

/// The response with that id, wherever the framing puts it. Ids are compared with their JSON type. `None` when there is
/// none, when it breaks the rules (both or neither of `result` and `error`, a member twice, another `jsonrpc`), or when
/// it stands in a batch.
pub(in crate::door) fn answer(reply: &Reply, id: u64) -> Option<Message> {
    let ours = bodies(reply)
        .into_iter()
        .map(|body| hear(&body, id))
        .find(|heard| *heard != Heard::Foreign);
    match ours {
        Some(Heard::Ours(message)) => Some(message),
        Some(Heard::Broken | Heard::Foreign) | None => None,
    }
}

/// The first JSON-RPC error in the answer, whatever its id: servers that cannot place a request answer with `null`,
/// no id, or one of their own.
pub(in crate::door) fn complaint(reply: &Reply) -> Option<RpcError> {
    bodies(reply)
        .iter()
        .find_map(|body| Envelope::read(body)?.into_error())
}

/// What a single message is to the request with that id.
pub(super) fn hear(body: &[u8], id: u64) -> Heard {
    let Some(envelope) = Envelope::read(body) else {
        return Heard::Foreign;
    };
    if envelope.method.is_some() || !envelope.ids.contains(&Value::from(id)) {
        return Heard::Foreign;
    }
    envelope.into_message().map_or(Heard::Broken, Heard::Ours)
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
    let stated = String::from_utf8_lossy(stated.as_bytes()).to_ascii_lowercase();
    let media_type = stated.split(';').next().unwrap_or_default().trim();
    match media_type {
        "application/json" => Framing::Json,
        "text/event-stream" => Framing::Stream,
        other if other.starts_with("application/") && other.ends_with("+json") => Framing::Json,
        _ => Framing::Other,
    }
}

fn bodies(reply: &Reply) -> Vec<Cow<'_, [u8]>> {
    match framing(reply) {
        Framing::Json if reply.truncated => Vec::new(),
        Framing::Json => vec![Cow::Borrowed(without_mark(&reply.body))],
        Framing::Stream => Events::default()
            .feed(&reply.body)
            .into_iter()
            .map(|message| Cow::Owned(message.into_bytes()))
            .collect(),
        Framing::Other => Vec::new(),
    }
}

/// The members that matter. Read by hand, because a plain JSON reader takes the last of two equal names and a
/// message with two answers must not count as either.
#[derive(Default)]
struct Envelope {
    jsonrpc: Option<Value>,
    ids: Vec<Value>,
    method: Option<Value>,
    result: Option<Value>,
    error: Option<Value>,
    doubled: bool,
}

impl Envelope {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    fn take(&mut self, name: &str, value: Value) {
        let slot = match name {
            "jsonrpc" => &mut self.jsonrpc,
            "method" => &mut self.method,
            "result" => &mut self.result,
            "error" => &mut self.error,
            "id" => {
                self.doubled |= !self.ids.is_empty();
                self.ids.push(value);
                return;
            }
            _ => return,
        };
        self.doubled |= slot.replace(value).is_some();
    }

    fn into_message(self) -> Option<Message> {
        if self.doubled || self.jsonrpc? != "2.0" {
            return None;
        }
        match (self.result, self.error) {
            (Some(Value::Object(result)), None) => Some(Message::Result(result)),
            (None, Some(error)) => error_object(error).map(Message::Error),
            _ => None,
        }
    }

    fn into_error(self) -> Option<RpcError> {
        match self.into_message()? {
            Message::Error(error) => Some(error),
            Message::Result(_) => None,
        }
    }
}

fn error_object(error: Value) -> Option<RpcError> {
    let Value::Object(mut error) = error else {
        return None;
    };
    Some(RpcError {
        code: error.get("code")?.as_i64()?,
        message: error
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        data: error.remove("data"),
    })
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            envelope.take(&name, value);
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::door::mcp::tests::reply;

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"ok":true}}"#;

    fn ok() -> Message {
        Message::Result(Map::from_iter([("ok".to_owned(), json!(true))]))
    }

    #[test]
    fn one_message_is_ours_broken_or_foreign() {
        let error = RpcError {
            code: -32001,
            message: "no".to_owned(),
            data: None,
        };
        let table = [
            (ANSWER, Heard::Ours(ok())),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":{"ok":true},"x":1}"#,
                Heard::Ours(ok()),
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"no"}}"#,
                Heard::Ours(Message::Error(error)),
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
            ("application/problem+json", ANSWER.to_owned()),
            ("application/json", format!("\u{feff}{ANSWER}\n")),
            ("", ANSWER.to_owned()),
            ("text/event-stream", event.clone()),
            ("text/event-stream;charset=utf-8", noisy.clone()),
            ("", event),
            ("", noisy),
        ];
        for (content_type, body) in table {
            assert_eq!(
                answer(&reply(200, content_type, body.clone()), 7),
                Some(ok()),
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
        assert_eq!(answer(&cut, 7), Some(ok()));
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
