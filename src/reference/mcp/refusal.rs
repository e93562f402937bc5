//! A manner of refusing and what was asked in, the refusal inside MCP's own messages out, as servers of the field give it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::envelope::{Fail, Message};
use super::tools::failure;

/// How a server that pronounces the refusal itself words it, with the rule that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The manner.
    pub(crate) manner: Manner,
    /// What the caller lacks.
    pub(crate) rule: &'static str,
}

/// The manners of the servers that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `Forbidden: …`, as tools say it that raise an error of their own.
    Forbidden,
    /// JSON-RPC error -32001 (Python SDK, `MCPError`).
    Code32001,
    /// JSON-RPC error -32600 (C# SDK, authorization filters).
    Code32600,
    /// Words about a scope (`FastMCP`, `AuthMiddleware`).
    ScopeText,
    /// Words about permissions (`FastMCP`, `AuthMiddleware` with an own check).
    PermissionsText,
    /// No such thing, in a tool result (`FastMCP`, component auth).
    UnknownText,
    /// An inner 403 as the text of a success.
    Inner403,
    /// An inner 401 as the text of a success.
    Inner401,
    /// A JSON-RPC error in a stream that has begun with progress.
    AfterProgress,
    /// Error -32602 about a resource that is not there, with HTTP 400 in the modern era (`FastMCP`, component auth).
    NotFound,
}

impl Refusal {
    /// What is answered: a result, or an error.
    pub(super) fn outcome(self, message: &Message<'_>) -> Result<Value, Fail> {
        let noun = noun(message.method);
        let name = name(message.params);
        let rule = self.rule;
        match self.manner {
            Manner::Forbidden => spoken(message, format!("Forbidden: {rule}")),
            Manner::Code32001 => Err(Fail::new(-32001, format!("Forbidden: {rule}"))),
            Manner::Code32600 => {
                let text = format!("Access forbidden: This {noun} requires authorization.");
                Err(Fail::new(-32600, text))
            }
            Manner::ScopeText => {
                let text = format!(
                    "Authorization failed for {noun} '{name}': insufficient scope (required: {rule})"
                );
                spoken(message, text)
            }
            Manner::PermissionsText => {
                let text =
                    format!("Authorization failed for {noun} '{name}': insufficient permissions");
                spoken(message, text)
            }
            Manner::UnknownText => spoken(message, format!("Unknown {noun}: '{name}'")),
            Manner::Inner403 => inner(message, "HTTP 403 Forbidden"),
            Manner::Inner401 => inner(message, "HTTP 401 Unauthorized"),
            Manner::AfterProgress => Err(Fail::new(-32603, format!("Forbidden: {rule}"))),
            Manner::NotFound => {
                let text = format!("Resource not found: '{name}'");
                Err(Fail::new(-32602, text))
            }
        }
    }

    /// The HTTP status in the modern era.
    pub(super) fn status(self) -> StatusCode {
        match self.manner {
            Manner::NotFound => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        }
    }
}

/// Only a tool can fail within its result; everything else fails by an error.
fn spoken(message: &Message<'_>, text: String) -> Result<Value, Fail> {
    match message.method {
        "tools/call" => Ok(failure(&text)),
        _ => Err(Fail::new(-32603, text)),
    }
}

fn inner(message: &Message<'_>, text: &str) -> Result<Value, Fail> {
    let block = json!({"type": "text", "text": text});
    match message.method {
        "tools/call" => Ok(json!({"content": [block], "isError": false})),
        "resources/read" => Ok(json!({"contents": [{"uri": name(message.params), "text": text}]})),
        "prompts/get" => Ok(json!({"messages": [{"role": "user", "content": block}]})),
        _ => Err(Fail::new(-32603, text)),
    }
}

fn noun(method: &str) -> &'static str {
    match method {
        "resources/read" => "resource",
        "prompts/get" | "completion/complete" => "prompt",
        _ => "tool",
    }
}

fn name(params: &Value) -> &str {
    let reference = params.get("ref").unwrap_or(params);
    let named = ["name", "uri"]
        .iter()
        .find_map(|key| reference.get(key)?.as_str());
    named.unwrap_or_default()
}
