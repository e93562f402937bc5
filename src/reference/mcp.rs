//! An admitted MCP call in, an answer of its era out: stateless 2026-07-28, or sessions up to 2025-11-25.

mod desk;
mod envelope;
mod legacy;
mod library;
mod modern;
mod refusal;
mod tools;

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::reference::api::Catalog;
use crate::reference::call::Call;
use crate::reference::fault::Faults;
use crate::reference::reply;
use desk::Desk;
use envelope::VERSION_META;
use legacy::Sessions;

pub(crate) use refusal::{Manner, Refusal};

/// How the server treats what a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serving {
    /// It does what is asked.
    Plainly,
    /// It acts as if there were no such tool, resource or prompt.
    AsUnknown,
    /// It answers itself that the caller may not.
    Refusing(Refusal),
}

/// The MCP server. It knows nothing of callers and their rights.
#[derive(Debug)]
pub(crate) struct Server {
    desk: Desk,
    sessions: Sessions,
}

impl Server {
    /// Takes the store that it shares with the API.
    pub(crate) fn new(catalog: Arc<Catalog>, faults: Faults) -> Self {
        Self {
            desk: Desk::new(catalog, faults),
            sessions: Sessions::default(),
        }
    }

    /// Answers one call in the era that its header and its `_meta` name.
    pub(crate) fn answer(&self, call: &Call, serving: Serving) -> Response {
        if call.headers.contains_key(header::ORIGIN) {
            // No browser page has business here, and a foreign Origin must be refused with 403 (2025-11-25 and later).
            return reply::json(
                StatusCode::FORBIDDEN,
                &json!({"error": "origin not allowed"}),
            );
        }
        let message = call.object();
        let modern = is_modern(call, message.as_ref());
        match call.method {
            Method::POST if !accepts_both(call) => envelope::not_acceptable(),
            Method::POST if !call.declares_json() => {
                reply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Method::POST => match message {
                None => envelope::unreadable(&call.body),
                Some(message) if modern => modern::answer(&self.desk, call, &message, serving),
                Some(message) => {
                    legacy::answer(&self.desk, &self.sessions, call, &message, serving)
                }
            },
            Method::GET if !modern => legacy::listen(&self.sessions, call),
            Method::DELETE if !modern => legacy::end(&self.sessions, call),
            _ => reply::with(
                reply::empty(StatusCode::METHOD_NOT_ALLOWED),
                header::ALLOW,
                "POST",
            ),
        }
    }
}

/// A legacy client names no version, or a legacy one; everything else is checked by the modern rules.
fn is_modern(call: &Call, message: Option<&Map<String, Value>>) -> bool {
    let header_is_modern = call.headers.contains_key("mcp-protocol-version")
        && !call
            .header("mcp-protocol-version")
            .is_some_and(legacy::speaks);
    let meta = message.and_then(|message| message.get("params")?.get("_meta")?.get(VERSION_META));
    header_is_modern || meta.is_some()
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
