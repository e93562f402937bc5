//! An exchange in, what is kept of it out: scrubbed, capped, ready to be judged.

use serde::{Deserialize, Serialize};

use crate::wire::Silence;

/// What is kept of one exchange. Nothing in it holds a known secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Observation {
    /// The request in one line, such as `DELETE /api/products/7` or `tools/call deleteProduct`.
    pub request: String,
    /// What came back.
    pub answer: Answer,
    /// Milliseconds from sending to the last byte that was read.
    pub took_ms: u64,
}

/// What came back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// An HTTP answer, complete or cut.
    Http(HttpAnswer),
    /// No HTTP answer at all.
    None(Silence),
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct HttpAnswer {
    /// Status code, 100 to 999 as sent.
    pub status: u16,
    /// Headers that tell who answered and why, names in lower case, in the order received; values redacted and capped at 512 bytes.
    pub headers: Vec<(String, String)>,
    /// The body's first 4 KiB as text, redacted; invalid UTF-8 replaced.
    pub body: String,
    /// Bytes of body that were read.
    pub body_bytes: u64,
    /// Whether the body ended before its end: cut by the cap, the deadline or the peer.
    pub truncated: bool,
    /// Whether the whole body is one JSON document.
    pub json: bool,
    /// What the JSON-RPC message with our id says; `None` at the REST door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc: Option<Rpc>,
}

impl HttpAnswer {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The media type without parameters, in lower case; empty when there is none.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// What a JSON-RPC answer says (JSON-RPC 2.0 §5).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rpc {
    /// A result.
    Result {
        /// `isError` of a tool result.
        is_error: bool,
        /// Its text blocks joined by newlines, capped at 2 KiB, redacted.
        text: String,
    },
    /// An error object.
    Error {
        /// Its code.
        code: i64,
        /// Its message, capped at 2 KiB, redacted.
        message: String,
    },
    /// No message with our id: another id, both or neither of `result` and `error`, a batch, or no JSON-RPC at all.
    Absent,
}
