//! A result or an error in, its JSON-RPC envelope out.

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::reference::reply;

/// The `_meta` key that carries the protocol version of a modern request (2026-07-28 basic).
pub(super) const VERSION_META: &str = "io.modelcontextprotocol/protocolVersion";
/// The `_meta` key that carries the client's capabilities in a modern request.
pub(super) const CAPABILITIES_META: &str = "io.modelcontextprotocol/clientCapabilities";

/// The media type of a stream of server-sent events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The `_meta` key under which a modern result names its server (2026-07-28 basic).
pub(super) const SERVER_META: &str = "io.modelcontextprotocol/serverInfo";

/// Returns what the server calls itself in both eras.
pub(super) fn server_info() -> Value {
    json!({"name": "product-catalog", "version": "1.0.0"})
}

/// What a JSON-RPC error says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fail {
    /// The code, as JSON-RPC 2.0 and the revision of 2026-07-28 define it.
    pub(super) code: i64,
    /// One sentence.
    pub(super) message: String,
    /// More, for programs.
    pub(super) data: Option<Value>,
}

impl Fail {
    /// Returns an error without data.
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }
}

/// A message that is a request or a notification.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The request's id; none for a notification.
    pub(super) id: Option<&'a Value>,
    /// The method.
    pub(super) method: &'a str,
    /// The parameters, or null.
    pub(super) params: &'a Value,
}

impl<'a> Message<'a> {
    /// Reads the envelope; -32600 for a version other than 2.0, no method, or an id that is neither text nor number.
    pub(super) fn read(body: &'a Map<String, Value>) -> Result<Self, Fail> {
        let invalid = |why: &str| Fail::new(-32600, format!("Invalid Request: {why}"));
        if body.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid("jsonrpc must be 2.0"));
        }
        let id = body.get("id");
        if id.is_some_and(|id| !id.is_string() && !id.is_number()) {
            return Err(invalid("id must be text or a number"));
        }
        Ok(Self {
            id,
            method: body
                .get("method")
                .and_then(Value::as_str)
                .ok_or_else(|| invalid("no method"))?,
            params: body.get("params").unwrap_or(&Value::Null),
        })
    }
}

/// Returns the envelope of an answer; the id is null where the request had none that could be read.
pub(super) fn wrap(id: Option<&Value>, outcome: Result<Value, Fail>) -> Value {
    match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(fail) => {
            let mut error = json!({"code": fail.code, "message": fail.message});
            if let Some(data) = fail.data {
                error["data"] = data;
            }
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    }
}

/// Returns an HTTP answer that carries a JSON-RPC error.
pub(super) fn failed(status: StatusCode, id: Option<&Value>, fail: Fail) -> Response {
    reply::json(status, &wrap(id, Err(fail)))
}

/// Returns a stream with the answer in it. A comment goes before it, and a notification where there is one, so that a
/// reader who takes the first line is wrong.
pub(super) fn events(notice: Option<&Value>, answer: &Value) -> Response {
    let event = |message: &Value| format!("event: message\r\ndata: {message}\r\n\r\n");
    let before = notice.map(event).unwrap_or_default();
    let body = format!(": stream\r\n\r\n{before}{}", event(answer));
    let response = reply::typed(StatusCode::OK, EVENT_STREAM, body);
    reply::with(response, header::CACHE_CONTROL, "no-cache")
}

/// Answers a caller that does not accept both kinds of answer (streamable HTTP, all revisions).
pub(super) fn not_acceptable() -> Response {
    let text = "Not Acceptable: the client must accept both application/json and text/event-stream";
    failed(StatusCode::NOT_ACCEPTABLE, None, Fail::new(-32000, text))
}

/// Answers a body that is no JSON object: -32700 where it is no JSON at all, -32600 for an array or a bare value.
pub(super) fn unreadable(body: &[u8]) -> Response {
    let fail = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(_)) => Fail::new(-32600, "Invalid Request: batches are not supported"),
        Ok(_) => Fail::new(-32600, "Invalid Request: not an object"),
        Err(_) => Fail::new(-32700, "Parse error"),
    };
    failed(StatusCode::BAD_REQUEST, None, fail)
}
