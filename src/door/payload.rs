//! The part of an answer that is data in, the data out when it is asked for: most calls' is never looked at.

use bytes::Bytes;
use serde_json::Value;

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
    /// A text that is one.
    Text(String),
    Data(Value),
}

impl Payload {
    /// Of a body that is one JSON document.
    pub(super) fn of_body(body: Bytes) -> Self {
        Self(Kept::Body(body))
    }

    /// Of a text that is one.
    pub(super) fn of_text(text: String) -> Self {
        Self(Kept::Text(text))
    }

    /// Of data that is read already.
    pub(super) fn of_data(data: Value) -> Self {
        Self(Kept::Data(data))
    }

    /// The data; `None` when there is none.
    pub fn value(&self) -> Option<Value> {
        match &self.0 {
            Kept::Nothing => None,
            Kept::Body(body) => serde_json::from_slice(without_mark(body)).ok(),
            Kept::Text(text) => serde_json::from_str(text).ok(),
            Kept::Data(data) => Some(data.clone()),
        }
    }
}
