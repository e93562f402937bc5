//! A request and a session in, its request in the era of `initialize` out (revisions up to 2025-11-25).

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::message::Message;
use super::modern::{self, PROTOCOL_VERSION};
use super::{Headers, Inquiry, Question, Spoken, Utterance};
use crate::door::{Answer, HttpAnswer};
use crate::scenario::McpMethod;

/// The newest revision of this era; what `initialize` asks for.
pub(super) const VERSION: &str = "2025-11-25";

/// The header that names a session.
pub(in crate::door) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A server may use long ids; one beyond this would only fill its own header buffer.
const SESSION_CAP: usize = 4096;

/// What a handshake agreed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// The negotiated revision, such as `2025-06-18`.
    pub(in crate::door) version: HeaderValue,
    /// The session's id; `None` where the server keeps no sessions.
    pub(in crate::door) id: Option<HeaderValue>,
}

impl Session {
    /// The negotiated revision.
    pub fn version(&self) -> &str {
        self.version.to_str().unwrap_or_default()
    }

    /// The session's id; `None` where the server keeps no sessions.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref()?.to_str().ok()
    }

    /// What an answer to `initialize` opens. `None` when it has no result, names no revision of this era, or gives an
    /// id that is not visible ASCII (2025-11-25 transports, Session Management).
    pub(in crate::door) fn of(spoken: &Spoken) -> Option<Self> {
        let Some(Message::Result(told)) = &spoken.message else {
            return None;
        };
        let version = told.look(|result| {
            let version = result.get("protocolVersion")?.as_str();
            HeaderValue::from_str(version.filter(|version| is_of_this_era(version))?).ok()
        })?;
        let fits = spoken.session.as_ref().is_none_or(is_usable);
        fits.then(|| Self {
            version,
            id: spoken.session.clone(),
        })
    }
}

/// `initialize`, which opens a session.
pub(in crate::door) fn initialize() -> Utterance {
    initialize_as(VERSION)
}

/// `initialize` that asks for a revision.
pub(in crate::door) fn initialize_as(version: &str) -> Utterance {
    let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": modern::client_info() });
    let method = McpMethod::Initialize.name();
    Utterance {
        question: Question::in_vain(method),
        method,
        params: Some(params.to_string().into()),
        meta: None,
        headers: Vec::new(),
    }
}

/// The notification that ends a handshake.
pub(in crate::door) fn initialized(session: Option<&Session>) -> Utterance {
    let method = "notifications/initialized";
    Utterance {
        question: Question::in_vain(method),
        method,
        params: None,
        meta: None,
        headers: headers(session),
    }
}

/// What a scenario asks, in a session or without one. `initialize` is asked for itself, outside of any session.
pub(in crate::door) fn inquiry(session: Option<&Session>, inquiry: &Inquiry<'_>) -> Utterance {
    if inquiry.method == McpMethod::Initialize {
        return Utterance {
            question: inquiry.question(),
            ..initialize()
        };
    }
    Utterance {
        question: inquiry.question(),
        method: inquiry.method.name(),
        params: Some(Arc::clone(inquiry.params)),
        meta: None,
        headers: headers(session),
    }
}

/// Whether a call in a session was told that the session is gone: 404 (2025-11-25 transports, Session Management) by
/// someone who did not answer the call itself, or words about it, as the TypeScript SDK's v1 gives with 400.
pub(super) fn has_expired(session: &Session, name: Option<&str>, spoken: &Spoken) -> bool {
    let unplaced = spoken.status() == Some(404) && spoken.message.is_none();
    session.id.is_some() && (unplaced || is_about_the_session(name, spoken))
}

/// Whether a call was told only that it lacks a session: 400 or 404 with words about sessions or `initialize`, in a
/// JSON-RPC error or in plain text. It says nothing about the persona. `name` is what the call named.
pub(super) fn is_about_the_session(name: Option<&str>, spoken: &Spoken) -> bool {
    let Answer::Http(answer) = &spoken.answered.observation.answer else {
        return false;
    };
    let words = match spoken.error() {
        Some(error) => error.message.as_str(),
        None if is_plain(answer) => answer.body.as_str(),
        None => return false,
    };
    // A tool may be called `closeSession`; its name says nothing here.
    let words = match name {
        Some(name) if !name.is_empty() => words.replace(name, ""),
        Some(_) | None => words.to_owned(),
    };
    let words = words.to_ascii_lowercase();
    matches!(answer.status, 400 | 404)
        && ["session", "initializ"]
            .iter()
            .any(|word| words.contains(word))
}

fn is_plain(answer: &HttpAnswer) -> bool {
    matches!(answer.media_type().as_str(), "text/plain" | "")
}

pub(in crate::door) fn headers(session: Option<&Session>) -> Headers {
    let version = session.map_or(HeaderValue::from_static(VERSION), |session| {
        session.version.clone()
    });
    let id = session.and_then(|session| session.id.clone());
    let mut headers = vec![(PROTOCOL_VERSION, version)];
    headers.extend(id.map(|id| (SESSION, id)));
    headers
}

/// Whether a word is a date, as every revision's name is.
pub(in crate::door) fn is_revision(version: &str) -> bool {
    let shape = version
        .bytes()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq("0000-00-00".bytes())
}

/// Revisions are dates, so that those of this era are the smaller ones.
fn is_of_this_era(version: &str) -> bool {
    is_revision(version) && version < modern::VERSION
}

fn is_usable(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    !bytes.is_empty() && bytes.len() <= SESSION_CAP && bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::heading::tests::NOBODY;
    use crate::door::mcp::tests::{lines, reply};
    use crate::secret::Redactor;

    fn tool(session: Option<&Session>, name: &str) -> Utterance {
        let params = Arc::from(json!({ "name": name, "arguments": {} }).to_string());
        inquiry(
            session,
            &Inquiry {
                method: McpMethod::CallTool,
                name: Some(name),
                params: &params,
            },
        )
    }

    fn spoken(status: u16, content_type: &'static str, session: &str, body: &str) -> Spoken {
        let mut reply = reply(status, content_type, body.to_owned());
        if !session.is_empty() {
            reply
                .headers
                .insert(SESSION, HeaderValue::from_str(session).unwrap());
        }
        Spoken::of(
            tool(None, "closeSession").question,
            &reply,
            7,
            &Redactor::default(),
        )
    }

    fn result(version: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"protocolVersion":{version}}}}}"#)
    }

    fn complaint(message: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32600,"message":"{message}"}}}}"#)
    }

    #[test]
    fn the_three_requests_of_the_era() {
        let session = Session {
            version: HeaderValue::from_static("2025-06-18"),
            id: Some(HeaderValue::from_static("s1")),
        };
        let fixed = [
            "POST http://h/mcp",
            "accept: application/json, text/event-stream",
            "content-type: application/json",
        ];
        let sent = |utterance: &Utterance, id| {
            let draft = utterance.clone().draft(&[]);
            let mut lines = lines(&draft.call("http://h/mcp", NOBODY, id));
            lines.retain(|line| !line.starts_with("user-agent: "));
            assert_eq!(lines[..3], fixed);
            lines[3..].to_vec()
        };
        let client = concat!(
            r#""clientInfo":{"name":"rolecall","version":""#,
            env!("CARGO_PKG_VERSION"),
            r#""}"#
        );
        let opening = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{}},{client}}}}}"#
        );
        assert_eq!(sent(&initialize(), Some(7)), [opening]);
        assert_eq!(
            sent(&initialized(Some(&session)), None),
            [
                "mcp-protocol-version: 2025-06-18",
                "mcp-session-id: s1",
                r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
            ]
        );
        let body = r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"listProducts","arguments":{}}}"#;
        assert_eq!(
            sent(&tool(Some(&session), "listProducts"), Some(8)),
            [
                "mcp-protocol-version: 2025-06-18",
                "mcp-session-id: s1",
                body
            ]
        );
        assert_eq!(
            sent(&tool(None, "listProducts"), Some(8)),
            ["mcp-protocol-version: 2025-11-25", body]
        );
    }

    #[test]
    fn a_session_needs_a_revision_of_its_era_and_a_usable_id() {
        let long = "x".repeat(SESSION_CAP + 1);
        let table = [
            (r#""2025-11-25""#, "s1", true),
            (r#""2024-11-05""#, "", true),
            (r#""2026-07-28""#, "s1", false),
            (r#""latest""#, "s1", false),
            ("20251125", "s1", false),
            (r#""2025-11-25""#, "s 1", false),
            (r#""2025-11-25""#, &long, false),
        ];
        for (version, id, opens) in table {
            let session = Session::of(&spoken(200, "application/json", id, &result(version)));
            assert_eq!(session.is_some(), opens, "{version} {id:.9}");
            if let Some(session) = session {
                assert_eq!(session.id.is_some(), !id.is_empty());
            }
        }
        assert!(Session::of(&spoken(401, "application/json", "s1", &complaint("no"))).is_none());
    }

    #[test]
    fn a_session_has_expired_when_404_answers_for_it() {
        let session = |id: Option<&'static str>| Session {
            version: HeaderValue::from_static(VERSION),
            id: id.map(HeaderValue::from_static),
        };
        let gone = spoken(404, "application/json", "", &complaint("Session not found"));
        let empty = spoken(404, "", "", "");
        let ours = spoken(
            404,
            "application/json",
            "",
            &complaint("no such tool").replace("null", "7"),
        );
        let name = Some("closeSession");
        assert!(has_expired(&session(Some("s1")), name, &gone));
        assert!(has_expired(&session(Some("s1")), name, &empty));
        assert!(!has_expired(&session(None), name, &gone));
        assert!(!has_expired(&session(Some("s1")), name, &ours));
        assert!(!has_expired(
            &session(Some("s1")),
            name,
            &spoken(400, "", "", "")
        ));
        let unknown = complaint("Bad Request: No valid session ID provided");
        assert!(has_expired(
            &session(Some("s1")),
            name,
            &spoken(400, "application/json", "", &unknown)
        ));
    }

    #[test]
    fn a_missing_session_is_told_from_a_refusal() {
        let json = "application/json";
        let table = [
            (
                400,
                json,
                complaint("Bad Request: Missing session ID"),
                true,
            ),
            (
                400,
                json,
                complaint("Bad Request: Server not initialized"),
                true,
            ),
            (404, json, complaint("Session not found"), true),
            (400, "text/plain", "Missing session ID".to_owned(), true),
            (400, json, complaint("Invalid arguments"), false),
            (404, json, complaint("Tool closeSession not found"), false),
            (401, json, complaint("session"), false),
            (403, json, r#"{"error":"session"}"#.to_owned(), false),
            (400, json, r#"{"error":"session"}"#.to_owned(), false),
            (404, "text/html", "Your session".to_owned(), false),
            (200, json, complaint("session"), false),
        ];
        for (status, content_type, body, about) in table {
            assert_eq!(
                is_about_the_session(
                    Some("closeSession"),
                    &spoken(status, content_type, "", &body)
                ),
                about,
                "{status} {body}"
            );
        }
    }
}
