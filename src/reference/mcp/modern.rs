//! A stateless request of 2026-07-28 in, one JSON answer out.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::envelope::{
    CAPABILITIES_META, Fail, Message, SERVER_META, VERSION_META, events, failed, server_info, wrap,
};
use super::{Manner, Serving};
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::reply;

/// The revision of this era.
pub(super) const VERSION: &str = "2026-07-28";
const NOT_FOUND: i64 = -32602;
const HEADER_MISMATCH: i64 = -32020;
const UNSUPPORTED_VERSION: i64 = -32022;

/// Answers one message: 202 for a notification, 400 for what the server validation of streamable HTTP rejects,
/// 404 for an unknown method, 400 for a resource or prompt that is not there (as the Python SDK maps -32602), otherwise
/// 200 with a result or a tool's error.
pub(super) fn answer(
    desk: &Desk,
    faults: &Faults,
    call: &Call,
    body: &Map<String, Value>,
    serving: Serving,
) -> Response {
    let message = match Message::read(body) {
        Ok(message) => message,
        Err(fail) => return failed(StatusCode::BAD_REQUEST, None, fail),
    };
    if let Err(fail) = validate(faults, call, &message) {
        return failed(StatusCode::BAD_REQUEST, message.id, fail);
    }
    if message.id.is_none() {
        return reply::empty(StatusCode::ACCEPTED);
    }
    match dispatch(desk, faults, &message, serving) {
        Some(outcome) if is_late(serving) => events(Some(&progress()), &wrap(message.id, outcome)),
        Some(outcome) => {
            let status = status(&message, serving, &outcome);
            reply::json(status, &wrap(message.id, outcome))
        }
        None => failed(
            StatusCode::NOT_FOUND,
            message.id,
            Fail::new(-32601, "Method not found"),
        ),
    }
}

fn status(message: &Message<'_>, serving: Serving, outcome: &Result<Value, Fail>) -> StatusCode {
    match (serving, outcome) {
        (Serving::Refusing(refusal), _) => refusal.status(),
        (_, Err(fail)) if fail.code == NOT_FOUND && message.method != "tools/call" => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    }
}

fn is_late(serving: Serving) -> bool {
    matches!(serving, Serving::Refusing(refusal) if refusal.manner == Manner::AfterProgress)
}

fn progress() -> Value {
    let params = json!({"progressToken": 1, "progress": 1});
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
}

fn validate(faults: &Faults, call: &Call, message: &Message<'_>) -> Result<(), Fail> {
    let mismatch = |name: &str| Fail::new(HEADER_MISMATCH, format!("Header mismatch: {name}"));
    let header = |name: &'static str| call.header(name).ok_or_else(|| mismatch(name));
    let version = header("mcp-protocol-version")?;
    check_meta(faults, message, version)?;
    if faults.contains(Fault::HeaderMismatchAccepted) {
        return Ok(());
    }
    if header("mcp-method")? != message.method {
        return Err(mismatch("mcp-method"));
    }
    if let Some(key) = mirrored(message.method) {
        let named = decode(header("mcp-name")?).ok_or_else(|| mismatch("mcp-name"))?;
        if message.params.get(key).and_then(Value::as_str) != Some(&named) {
            return Err(mismatch("mcp-name"));
        }
    }
    Ok(())
}

/// The parameter that `Mcp-Name` repeats.
fn mirrored(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    }
}

/// Notifications need no `_meta`; requests state version and capabilities in it.
fn check_meta(faults: &Faults, message: &Message<'_>, version: &str) -> Result<(), Fail> {
    let meta = message.params.get("_meta");
    let stated = meta
        .and_then(|meta| meta.get(VERSION_META))
        .and_then(Value::as_str);
    let capable = meta
        .and_then(|meta| meta.get(CAPABILITIES_META))
        .is_some_and(Value::is_object);
    if message.id.is_some() && (stated.is_none() || !capable) {
        return Err(Fail::new(
            -32602,
            "Invalid params: _meta lacks protocolVersion or clientCapabilities",
        ));
    }
    if stated.is_some_and(|stated| stated != version) {
        return Err(Fail::new(
            HEADER_MISMATCH,
            "Header mismatch: mcp-protocol-version",
        ));
    }
    if version != VERSION && !faults.contains(Fault::AnyVersion) {
        return Err(Fail {
            data: Some(json!({"supported": [VERSION], "requested": version})),
            ..Fail::new(UNSUPPORTED_VERSION, "Unsupported protocol version")
        });
    }
    Ok(())
}

/// Names that are not plain ASCII travel as `=?base64?…?=` and are compared decoded.
fn decode(value: &str) -> Option<String> {
    match value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

fn dispatch(
    desk: &Desk,
    faults: &Faults,
    message: &Message<'_>,
    serving: Serving,
) -> Option<Result<Value, Fail>> {
    let outcome = match message.method {
        "server/discover" => Ok(json!({
            "supportedVersions": [VERSION],
            "capabilities": Desk::capabilities(),
        })),
        _ => desk.answer(message, serving, NOT_FOUND)?,
    };
    let shared = message.method.ends_with("/list")
        || matches!(message.method, "server/discover" | "resources/read");
    let outcome = outcome.map(|result| {
        if shared {
            cacheable(result, scope(faults, message.method))
        } else {
            result
        }
    });
    Some(outcome.map(complete))
}

fn cacheable(mut result: Value, scope: &str) -> Value {
    result["ttlMs"] = json!(60_000);
    result["cacheScope"] = json!(scope);
    result
}

/// What needs a token is no one's to share.
fn scope(faults: &Faults, method: &str) -> &'static str {
    if faults.contains(Fault::ListFilteredPublic) && method == "tools/list" {
        "public"
    } else {
        "private"
    }
}

fn complete(mut result: Value) -> Value {
    result["resultType"] = json!("complete");
    result["_meta"] = json!({ SERVER_META: server_info() });
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_decoded_before_they_are_compared() {
        assert_eq!(decode("getProduct").as_deref(), Some("getProduct"));
        assert_eq!(
            decode("=?base64?Z2V0UHJvZHVjdA==?=").as_deref(),
            Some("getProduct")
        );
        assert_eq!(decode("=?base64?!?="), None);
    }
}
