//! An MCP URL and a persona's entrance in, the eras that it answers out.

use serde_json::Value;

use super::Entrance;
use super::mcp::message::{Message, RpcError};
use super::mcp::session::Handshake;
use super::mcp::{Spoken, modern};
use crate::cell::Door;

/// Codes that only revision 2026-07-28 defines: header mismatch, missing capability, unsupported version.
const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_VERSION: i64 = -32022;
/// JSON-RPC 2.0 §5.1.
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

/// Whether a door answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Which.
    pub door: Door,
    /// Whether it answers; `None` when nothing clear came back.
    pub answers: Option<bool>,
    /// What came back, in a few words; redacted.
    pub detail: String,
}

/// Asks the MCP URL for the wanted eras, independently; the legacy handshake is the persona's own and is kept. Nothing where
/// the deployment has no MCP URL.
pub async fn discover(entrance: &Entrance, wanted: &[Door]) -> Vec<Found> {
    let Some(way) = entrance.standing_way() else {
        return Vec::new();
    };
    let asked = modern::discover();
    let modern = async {
        if wanted.contains(&Door::Mcp) {
            Some(modern_door(&way.ask(asked).await))
        } else {
            None
        }
    };
    let legacy = async {
        if wanted.contains(&Door::McpLegacy) {
            let handshake = entrance.sessions.handshake(&way).await;
            Some(legacy_door(&handshake))
        } else {
            None
        }
    };
    let (modern, legacy) = tokio::join!(modern, legacy);
    modern.into_iter().chain(legacy).collect()
}

fn modern_door(spoken: &Spoken) -> Found {
    Found {
        door: Door::Mcp,
        answers: answers_modern(spoken),
        detail: detail("server/discover", spoken),
    }
}

fn legacy_door(handshake: &Handshake) -> Found {
    let (answers, detail) = match handshake {
        Handshake::Open(session) => {
            let version = session.version.to_str().unwrap_or_default();
            (
                Some(true),
                format!("initialize answered with revision {version}"),
            )
        }
        Handshake::Refused(refusal) => (answers_legacy(refusal), detail("initialize", refusal)),
    };
    Found {
        door: Door::McpLegacy,
        answers,
        detail,
    }
}

/// Whether an answer to `server/discover` comes from a server of the modern era (2026-07-28 Streamable HTTP, status
/// codes and errors). Refusals and crashes say nothing about the era.
pub(super) fn answers_modern(spoken: &Spoken) -> Option<bool> {
    let status = spoken.status()?;
    match (&spoken.message, spoken.error()) {
        _ if is_unclear(status) => None,
        (Some(Message::Result(result)), _) if status < 300 => {
            names_modern(result.members().get("supportedVersions"))
        }
        (_, Some(error)) if status < 300 => refuses_method(error),
        (_, Some(error)) if (400..500).contains(&status) => era_of(status, error),
        (_, None) if is_plain_no(status) => Some(false),
        _ => None,
    }
}

fn era_of(status: u16, error: &RpcError) -> Option<bool> {
    match error.code {
        HEADER_MISMATCH | MISSING_CAPABILITY => Some(true),
        UNSUPPORTED_VERSION => {
            let supported = error.data.as_ref().and_then(|data| data.get("supported"));
            Some(names_modern(supported).unwrap_or(true))
        }
        INVALID_PARAMS => speaks_of_meta(error).then_some(true),
        METHOD_NOT_FOUND => Some(status == 404),
        INVALID_REQUEST | -32019..=-32000 => Some(false),
        _ => None,
    }
}

/// With status 200, a server of the legacy era says that it knows no such method, or not before `initialize`.
fn refuses_method(error: &RpcError) -> Option<bool> {
    let unknown = error.code == METHOD_NOT_FOUND;
    let early = error.message.to_ascii_lowercase().contains("initializ");
    (unknown || early).then_some(false)
}

/// Whether an answer to `initialize` that opened no session comes from a server without the legacy era.
pub(super) fn answers_legacy(refusal: &Spoken) -> Option<bool> {
    let status = refusal.status()?;
    match refusal.error() {
        _ if is_unclear(status) => None,
        Some(error) if refuses_initialize(error) => Some(false),
        None if is_plain_no(status) => Some(false),
        _ => None,
    }
}

fn refuses_initialize(error: &RpcError) -> bool {
    match error.code {
        METHOD_NOT_FOUND | UNSUPPORTED_VERSION | INVALID_REQUEST | HEADER_MISMATCH => true,
        INVALID_PARAMS => speaks_of_meta(error),
        _ => false,
    }
}

/// A client error in no JSON-RPC words: whoever gave it did not read the message as one of its era.
fn is_plain_no(status: u16) -> bool {
    matches!(status, 400 | 404 | 405 | 406 | 415 | 422)
}

fn is_unclear(status: u16) -> bool {
    matches!(status, 401 | 403 | 429) || status >= 500
}

fn names_modern(versions: Option<&Value>) -> Option<bool> {
    let versions = versions?.as_array()?;
    Some(versions.iter().any(|version| version == modern::VERSION))
}

/// The revisions that an answer names: those of a result, or those of the error that refuses ours.
pub(super) fn supported(spoken: &Spoken) -> Option<Value> {
    match &spoken.message {
        Some(Message::Result(result)) => result.members().remove("supportedVersions"),
        Some(Message::Error(_)) | None => {
            let supported = spoken.error()?.data.as_ref()?.get("supported");
            supported.cloned()
        }
    }
}

fn speaks_of_meta(error: &RpcError) -> bool {
    ["_meta", "io.modelcontextprotocol/"]
        .iter()
        .any(|word| error.message.contains(word))
}

fn detail(request: &str, spoken: &Spoken) -> String {
    match (&spoken.answered.observation.answer, spoken.error()) {
        (super::Answer::None(silence), _) => format!("{request}: {silence}"),
        (super::Answer::Http(answer), None) => format!("{request} answered {}", answer.status),
        (super::Answer::Http(answer), Some(error)) => {
            format!(
                "{request} answered {} with JSON-RPC error {}",
                answer.status, error.code
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use http::header::HeaderValue;

    use super::*;
    use crate::door::mcp::legacy::{self, Session};
    use crate::door::mcp::tests::reply;
    use crate::secret::Redactor;
    use crate::wire::Silence;

    fn heard(status: u16, body: &str) -> Spoken {
        let content_type = if body.starts_with('{') {
            "application/json"
        } else {
            "text/html"
        };
        Spoken::of(
            modern::discover().question,
            &reply(status, content_type, body.to_owned()),
            7,
            &Redactor::default(),
        )
    }

    fn error(code: i64, message: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{code},"message":"{message}"}}}}"#)
    }

    fn unsupported(supported: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"error":{{"code":-32022,"message":"","data":{{"supported":{supported}}}}}}}"#
        )
    }

    fn discovered(versions: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"supportedVersions":{versions}}}}}"#)
    }

    #[test]
    fn the_modern_era_is_told_from_the_answer_to_discovery() {
        let table = [
            (
                200,
                discovered(r#"["2026-07-28","2025-11-25"]"#),
                Some(true),
            ),
            (200, discovered(r#"["2025-11-25"]"#), Some(false)),
            (200, discovered("7"), None),
            (
                200,
                r#"{"jsonrpc":"2.0","id":7,"result":{}}"#.to_owned(),
                None,
            ),
            (400, error(-32020, ""), Some(true)),
            (400, error(-32021, ""), Some(true)),
            (400, error(-32022, ""), Some(true)),
            (400, unsupported(r#"["2026-07-28"]"#), Some(true)),
            (400, unsupported(r#"["2025-11-25"]"#), Some(false)),
            (400, error(-32602, "missing _meta key"), Some(true)),
            (400, error(-32602, "Invalid request parameters"), None),
            (404, error(-32601, "Method not found"), Some(true)),
            (400, error(-32601, "Method not found"), Some(false)),
            (200, error(-32601, "Method not found"), Some(false)),
            (
                200,
                error(
                    -32602,
                    "Received request before initialization was complete",
                ),
                Some(false),
            ),
            (200, error(-32603, "oops"), None),
            (400, error(-32600, "Missing session ID"), Some(false)),
            (
                400,
                error(-32000, "Bad Request: Unsupported protocol version"),
                Some(false),
            ),
            (404, error(-32001, "Session not found"), Some(false)),
            (401, error(-32000, ""), None),
            (401, String::new(), None),
            (403, error(-32001, ""), None),
            (429, error(-32000, ""), None),
            (500, error(-32020, ""), None),
            (302, String::new(), None),
            (400, String::new(), Some(false)),
            (404, "<html>".to_owned(), Some(false)),
            (405, String::new(), Some(false)),
            (409, String::new(), None),
            (200, "<html>".to_owned(), None),
        ];
        for (status, body, answers) in table {
            assert_eq!(
                answers_modern(&heard(status, &body)),
                answers,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn the_legacy_era_is_told_from_the_answer_to_its_handshake() {
        let table = [
            (400, error(-32022, ""), Some(false)),
            (404, error(-32601, "Method not found"), Some(false)),
            (200, error(-32601, "Method not found"), Some(false)),
            (405, error(-32600, ""), Some(false)),
            (400, error(-32020, "missing Mcp-Method"), Some(false)),
            (400, error(-32602, "missing _meta"), Some(false)),
            (400, error(-32602, "bad clientInfo"), None),
            (400, error(-32000, "busy"), None),
            (401, error(-32600, ""), None),
            (503, error(-32600, ""), None),
            (404, "<html>".to_owned(), Some(false)),
            (405, String::new(), Some(false)),
            (409, String::new(), None),
            (200, discovered("[]"), None),
        ];
        for (status, body, answers) in table {
            let found = legacy_door(&Handshake::Refused(Box::new(heard(status, &body))));
            assert_eq!(
                (found.door, found.answers),
                (Door::McpLegacy, answers),
                "{status} {body}"
            );
        }
        let session = Session {
            version: HeaderValue::from_static("2025-06-18"),
            id: None,
        };
        let found = legacy_door(&Handshake::Open(session));
        assert_eq!(found.answers, Some(true));
        assert_eq!(found.detail, "initialize answered with revision 2025-06-18");
    }

    #[test]
    fn the_detail_repeats_nothing_that_the_server_worded() {
        assert_eq!(
            modern_door(&heard(401, "")).detail,
            "server/discover answered 401"
        );
        let told = modern_door(&heard(400, &error(-32600, "words of the server")));
        assert_eq!(
            told.detail,
            "server/discover answered 400 with JSON-RPC error -32600"
        );
        let silent = Spoken::silent(
            legacy::initialize().question,
            Silence::Tls,
            Instant::now(),
            &Redactor::default(),
        );
        let found = legacy_door(&Handshake::Refused(Box::new(silent)));
        assert_eq!(
            (found.answers, found.detail.as_str()),
            (None, "initialize: TLS failed")
        );
    }
}
