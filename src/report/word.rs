//! A value of the record in, the one word under which it stands there out.

use serde::Serialize;
use serde_json::Value;

/// The kebab-case word under which a value stands in a record.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
