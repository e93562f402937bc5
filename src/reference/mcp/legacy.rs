//! A request of a session (2025-03-26 to 2025-11-25) in, a stream of server-sent events out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Serving;
use super::desk::Desk;
use super::envelope::{self, EVENT_STREAM, Fail, Message, failed, server_info, wrap};
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::{chance, reply};

const NEWEST: &str = "2025-11-25";
const VERSIONS: [&str; 3] = [NEWEST, "2025-06-18", "2025-03-26"];
/// A caller that opens sessions and never ends them pushes out the oldest, rather than filling the memory.
const MOST_SESSIONS: usize = 4096;
/// Resource not found (2025-11-25 resources, Error Handling).
const NO_RESOURCE: i64 = -32002;
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// What a client can ask to be told of at least, in rising order (server/utilities/logging).
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// The request in a session at which a server that starts anew does so, once.
const RESTART: u64 = 15;

/// A request with whom its token is about, where a policy has looked at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'c> {
    /// The request.
    pub(super) call: &'c Call,
    /// The subject of its token.
    pub(super) subject: Option<&'c str>,
}

/// An open session.
#[derive(Debug)]
struct Open {
    /// The subject that opened it; nobody's in particular where no policy looked at a token.
    owner: Option<String>,
    /// The index of its log level.
    level: usize,
}

/// All open sessions by their ids, oldest first.
#[derive(Debug)]
pub(super) struct Sessions {
    faults: Faults,
    open: Mutex<IndexMap<String, Open>>,
    opened: AtomicU64,
    requests: AtomicU64,
}

impl Sessions {
    /// No session yet.
    pub(super) fn new(faults: Faults) -> Self {
        Self {
            faults,
            open: Mutex::default(),
            opened: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }
    }

    /// Returns who opened the session that a call names.
    pub(super) fn owner(&self, call: &Call) -> Option<String> {
        let id = call.header("mcp-session-id")?;
        self.with(|open| open.get(id)?.owner.clone())
    }

    fn open(&self, subject: Option<&str>) -> String {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let id = if self.faults.contains(Fault::GuessableSessions) {
            format!("session-{number:08}")
        } else {
            chance::secret()
        };
        self.with(|open| {
            if open.len() >= MOST_SESSIONS {
                open.shift_remove_index(0);
            }
            let owner = subject.map(str::to_owned);
            open.insert(id.clone(), Open { owner, level: 0 });
        });
        id
    }

    fn level(&self, id: &str) -> usize {
        self.with(|open| open.get(id).map_or(0, |session| session.level))
    }

    /// -32602 for a level that there is not.
    fn set_level(&self, id: &str, params: &Value) -> Result<Value, Fail> {
        let asked = params.get("level").and_then(Value::as_str);
        let level = LEVELS.iter().position(|level| Some(*level) == asked);
        let level = level.ok_or_else(|| Fail::new(-32602, "Invalid params: no such level"))?;
        self.with(|open| {
            if let Some(known) = open.get_mut(id) {
                known.level = level;
            }
        });
        Ok(json!({}))
    }

    fn with<T>(&self, act: impl FnOnce(&mut IndexMap<String, Open>) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Missing id: 400. Unknown, ended or somebody else's: 404 (streamable HTTP, session management).
    fn check<'a>(&self, caller: Caller<'a>) -> Result<&'a str, Box<Response>> {
        let refused = |status, text| Box::new(failed(status, None, Fail::new(-32600, text)));
        let Some(id) = caller.call.header("mcp-session-id") else {
            let text = "Bad Request: Missing session ID";
            return Err(refused(StatusCode::BAD_REQUEST, text));
        };
        let turn = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if turn == RESTART && self.faults.contains(Fault::SessionsForgotten) {
            self.with(IndexMap::clear);
        }
        let anybody = self.faults.contains(Fault::SessionNotBound);
        let is_own = |session: &Open| {
            anybody || session.owner.is_none() || session.owner.as_deref() == caller.subject
        };
        if self.with(|open| open.get(id).is_some_and(is_own)) {
            return Ok(id);
        }
        Err(refused(StatusCode::NOT_FOUND, "Session not found"))
    }
}

/// Tells whether this is one of the versions that sessions can negotiate.
pub(super) fn speaks(version: &str) -> bool {
    VERSIONS.contains(&version)
}

/// Answers one message: a stream for a request, 202 for a notification or a response.
pub(super) fn answer(
    desk: &Desk,
    sessions: &Sessions,
    caller: Caller<'_>,
    body: &Map<String, Value>,
    serving: Serving,
) -> Response {
    let message = match Message::read(body) {
        Ok(message) => message,
        Err(fail) => return failed(StatusCode::BAD_REQUEST, None, fail),
    };
    if message.method == "initialize" && message.id.is_some() {
        return initialize(sessions, caller, &message);
    }
    let session = match sessions.check(caller) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    if message.id.is_none() {
        return reply::empty(StatusCode::ACCEPTED);
    }
    let outcome = match message.method {
        "logging/setLevel" => sessions.set_level(session, message.params),
        _ => dispatch(desk, &message, serving),
    };
    events(&wrap(message.id, outcome), sessions.level(session))
}

/// Opens the stream of server messages, which stays open and silent until the client hangs up.
pub(super) fn listen(sessions: &Sessions, caller: Caller<'_>) -> Response {
    match sessions.check(caller) {
        Ok(_) => open_stream(),
        Err(refusal) => *refusal,
    }
}

/// The stream of server messages.
pub(super) fn open_stream() -> Response {
    let first = stream::once(async {
        Ok::<_, std::convert::Infallible>(Bytes::from_static(b": listening\r\n\r\n"))
    });
    reply::typed(
        StatusCode::OK,
        EVENT_STREAM,
        Body::from_stream(first.chain(stream::pending())),
    )
}

/// Ends the session that the call names.
pub(super) fn end(sessions: &Sessions, caller: Caller<'_>) -> Response {
    match sessions.check(caller) {
        Ok(id) => {
            sessions.with(|open| open.shift_remove(id));
            reply::empty(StatusCode::NO_CONTENT)
        }
        Err(refusal) => *refusal,
    }
}

/// An unknown version is answered with the newest that sessions know, as the SDKs do.
fn initialize(sessions: &Sessions, caller: Caller<'_>, message: &Message<'_>) -> Response {
    let asked = message
        .params
        .get("protocolVersion")
        .and_then(Value::as_str);
    let version = asked.filter(|version| speaks(version)).unwrap_or(NEWEST);
    reply::with(
        events(&wrap(message.id, Ok(greeting(version))), 0),
        SESSION,
        &sessions.open(caller.subject),
    )
}

/// What `initialize` gives. Only this era lets a server speak of its own accord (server/utilities/logging).
pub(super) fn greeting(version: &str) -> Value {
    let mut capabilities = Desk::capabilities();
    capabilities["logging"] = json!({});
    json!({
        "protocolVersion": version,
        "capabilities": capabilities,
        "serverInfo": server_info(),
    })
}

/// Answers one request, but for `initialize`.
pub(super) fn dispatch(
    desk: &Desk,
    message: &Message<'_>,
    serving: Serving,
) -> Result<Value, Fail> {
    if message.method == "ping" {
        return Ok(json!({}));
    }
    desk.answer(message, serving, NO_RESOURCE)
        .unwrap_or_else(|| Err(Fail::new(-32601, "Method not found")))
}

/// The notification is left out where the session asked for graver ones only.
fn events(answer: &Value, level: usize) -> Response {
    let notice = json!({
        "jsonrpc": "2.0",
        "method": "notifications/message",
        "params": {"level": LEVELS[0], "logger": "product-catalog", "data": "request accepted"},
    });
    envelope::events((level == 0).then_some(&notice), answer)
}
