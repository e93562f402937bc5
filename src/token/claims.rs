//! A token in, what it says of itself out; the signature is not looked at.

use serde_json::{Map, Value};

/// The payload of a JWT (RFC 7519), unverified.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the payload; `None` when the text is no JWT of three parts with a JSON object in the middle.
    pub fn read(_token: &str) -> Option<Self> {
        None
    }

    /// The claims that may be shown, by allow-list.
    pub fn shown(&self) -> Value {
        Value::Null
    }
}
