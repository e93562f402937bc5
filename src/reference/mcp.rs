//! An admitted MCP call in, an answer of its era out: stateless 2026-07-28, or sessions up to 2025-11-25.

mod desk;
mod envelope;
mod legacy;
mod library;
mod modern;
mod pair;
mod refusal;
mod tools;

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::reference::api::Catalog;
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::Shown;
use crate::reference::reply;
use desk::Desk;
use envelope::VERSION_META;
use legacy::Sessions;
use pair::Streams;

pub(crate) use refusal::{Manner, Refusal};

/// How the server treats what a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    /// It does what is asked.
    Plainly,
    /// It acts as if there were no such tool, resource or prompt.
    AsUnknown,
    /// It lists only these tools.
    Showing(Shown),
    /// It answers itself that the caller may not.
    Refusing(Refusal),
}

/// The MCP server. It knows nothing of callers but whose session is whose.
#[derive(Debug)]
pub(crate) struct Server {
    faults: Faults,
    desk: Desk,
    sessions: Sessions,
    streams: Streams,
}

impl Server {
    /// Takes the store that it shares with the API.
    pub(crate) fn new(catalog: Arc<Catalog>, faults: Faults) -> Self {
        Self {
            desk: Desk::new(catalog, faults.clone()),
            sessions: Sessions::new(faults.clone()),
            streams: Streams::default(),
            faults,
        }
    }

    /// Returns whose session a call names.
    pub(crate) fn owner(&self, call: &Call) -> Option<String> {
        self.sessions.owner(call)
    }

    /// Opens the stream of server messages for anybody.
    #[expect(
        clippy::unused_self,
        reason = "the stream is the server's, whatever it is open for"
    )]
    pub(crate) fn open_stream(&self) -> Response {
        legacy::open_stream()
    }

    /// Opens a stream of the HTTP+SSE pair.
    pub(crate) fn stream(&self) -> Response {
        self.streams.open()
    }

    /// Takes a message of the HTTP+SSE pair.
    pub(crate) fn message(&self, call: &Call, serving: Serving) -> Response {
        self.streams.take(&self.desk, call, serving)
    }

    /// Answers one call in the era that its header and its `_meta` name. `subject` is whom its token is about, where a
    /// policy has looked at it.
    pub(crate) fn answer(&self, call: &Call, subject: Option<&str>, serving: Serving) -> Response {
        let any_origin = self.faults.contains(Fault::AnyOrigin);
        if call.headers.contains_key(header::ORIGIN) && !any_origin {
            // No browser page has business here, and a foreign Origin must be refused with 403 (2025-11-25 and later).
            return reply::json(
                StatusCode::FORBIDDEN,
                &json!({"error": "origin not allowed"}),
            );
        }
        let message = call.object();
        let modern = self.is_modern(call, message.as_ref());
        let caller = legacy::Caller { call, subject };
        match call.method {
            Method::POST if !accepts_both(call) => envelope::not_acceptable(),
            Method::POST if !call.declares_json() => {
                reply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Method::POST => match message {
                None => envelope::unreadable(&call.body),
                Some(message) if modern => {
                    modern::answer(&self.desk, &self.faults, call, &message, serving)
                }
                Some(message) => {
                    legacy::answer(&self.desk, &self.sessions, caller, &message, serving)
                }
            },
            Method::GET if !modern => legacy::listen(&self.sessions, caller),
            Method::DELETE if !modern => legacy::end(&self.sessions, caller),
            _ => reply::with(
                reply::empty(StatusCode::METHOD_NOT_ALLOWED),
                header::ALLOW,
                "POST",
            ),
        }
    }

    /// A legacy client names no version, or a legacy one; everything else is checked by the modern rules.
    fn is_modern(&self, call: &Call, message: Option<&Map<String, Value>>) -> bool {
        let version = call.header("mcp-protocol-version");
        let header_is_modern = if self.faults.contains(Fault::AnyVersion) {
            version == Some(modern::VERSION)
        } else {
            call.headers.contains_key("mcp-protocol-version")
                && !version.is_some_and(legacy::speaks)
        };
        let meta =
            message.and_then(|message| message.get("params")?.get("_meta")?.get(VERSION_META));
        header_is_modern || meta.is_some()
    }
}

fn accepts_both(call: &Call) -> bool {
    let accepted: Vec<&str> = call
        .headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .collect();
    ["application/json", "text/event-stream"]
        .iter()
        .all(|kind| {
            accepted
                .iter()
                .any(|range| range.eq_ignore_ascii_case(kind))
        })
}
