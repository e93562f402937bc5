//! A value of the record in, the word that reports put for it out.

use serde::Serialize;
use serde_json::Value;

use crate::judge::{Class, Code, VerdictKind};

/// The verdict that a finding of this code weighs like.
pub(super) fn weight(code: Code) -> VerdictKind {
    match code.class() {
        Class::Fail | Class::Residue => VerdictKind::Fail,
        Class::Unproven => VerdictKind::Unproven,
        Class::Note => VerdictKind::Skipped,
    }
}

/// The kebab-case word under which a value stands in a record.
pub(super) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
