//! The part of an answer that is data in, the data out when it is asked for: most calls' is never looked at.

use bytes::Bytes;
use serde_json::Value;

use super::mcp::result::Data;
use super::observation::without_mark;

/// The data in an answer, not yet read.
#[derive(Clone, Debug, Default)]
pub struct Payload(Kept);

#[derive(Clone, Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    /// A body that is one JSON document.
    Body(Bytes),
    /// The result of an MCP request.
    Result(Data),
}

impl Payload {
    /// Of a body that is one JSON document.
    pub(super) fn of_body(body: Bytes) -> Self {
        Self(Kept::Body(body))
    }

    /// Of a result.
    pub(super) fn of_result(data: Data) -> Self {
        Self(Kept::Result(data))
    }

    /// The data; `None` when there is none.
    pub fn value(&self) -> Option<Value> {
        match &self.0 {
            Kept::Nothing => None,
            Kept::Body(body) => serde_json::from_slice(without_mark(body)).ok(),
            Kept::Result(data) => data.value(),
        }
    }
}
