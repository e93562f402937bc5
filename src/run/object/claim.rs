//! What an answer says of an object in, whether it can be this run's own out: nothing foreign is ever taken for it.

use serde_json::Value;

use crate::scenario::template::{Bindings, stays_in_place};
use crate::scenario::{McpCall, RestCall};

/// Bytes of a captured text at most: an id is short.
const LONGEST: usize = 1024;

/// Integers beyond this are no longer exact as JSON numbers (RFC 8259 §6), so that they may name another object.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The values at the pointers (RFC 6901), or in a few words what is wrong with the first that cannot be used.
///
/// A value goes into paths and arguments of calls that change and remove: one that is empty, steps up a path, cannot
/// be written down exactly or is no single value would aim them at something else.
pub(super) fn captured(
    pointers: &[(String, String)],
    answer: Option<&Value>,
) -> Result<Vec<(String, Value)>, String> {
    let value = |pointer: &str| {
        answer
            .and_then(|answer| answer.pointer(pointer))
            .filter(|value| !value.is_null())
    };
    pointers
        .iter()
        .map(|(name, pointer)| match value(pointer) {
            None => Err(format!("has nothing at `{pointer}`")),
            Some(found) if !is_usable(found) => Err(format!(
                "has a value at `{pointer}` that is not safe to put into a request"
            )),
            Some(found) => Ok((name.clone(), found.clone())),
        })
        .collect()
}

/// What an object must show to be what a call made: the call's own tag where every shape of it carries the tag, else
/// the run's id.
pub(super) fn mark(
    rest: Option<&RestCall>,
    mcp: Option<&McpCall>,
    bindings: &Bindings,
) -> Option<String> {
    let tagged = |names: Vec<String>| names.iter().any(|name| name == "tag");
    let by_tag =
        rest.is_none_or(|call| tagged(call.names())) && mcp.is_none_or(|call| tagged(call.names()));
    let name = if by_tag { "tag" } else { "run.id" };
    bindings.get(name)?.as_str().map(str::to_owned)
}

/// Whether any text in the data holds the mark, in whatever case a server keeps it.
pub(super) fn shows(data: &Value, mark: &str) -> bool {
    match data {
        Value::String(text) => text.to_lowercase().contains(&mark.to_lowercase()),
        Value::Array(items) => items.iter().any(|item| shows(item, mark)),
        Value::Object(fields) => fields.values().any(|field| shows(field, mark)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_usable(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            stays_in_place(text) && text.len() <= LONGEST && !text.contains(char::is_control)
        }
        Value::Number(number) => {
            number.is_i64()
                || number.is_u64()
                || number.as_f64().is_some_and(|number| number.abs() < EXACT)
        }
        Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, pointer)| ((*name).to_owned(), (*pointer).to_owned()))
            .collect()
    }

    #[test]
    fn captures_need_every_pointer_to_hit() {
        let pointers = pointers(&[("id", "/id"), ("etag", "/meta/etag")]);
        let whole = json!({"id": 7, "meta": {"etag": "x"}});
        assert_eq!(
            captured(&pointers, Some(&whole)),
            Ok(vec![
                ("id".to_owned(), json!(7)),
                ("etag".to_owned(), json!("x"))
            ])
        );
        let nothing = |pointer: &str| Err(format!("has nothing at `{pointer}`"));
        assert_eq!(
            captured(&pointers, Some(&json!({"id": 7}))),
            nothing("/meta/etag")
        );
        assert_eq!(captured(&pointers, None), nothing("/id"));
        assert_eq!(
            captured(&pointers, Some(&json!({"id": null}))),
            nothing("/id")
        );
    }

    #[test]
    fn a_value_that_would_aim_at_something_else_is_not_used() {
        let id = pointers(&[("id", "/id")]);
        for usable in [
            json!("7"),
            json!("a/b ü"),
            json!("docs/report.v1..pdf"),
            json!(7),
            json!(-1),
            json!(u64::MAX),
            json!(2.5),
            json!(true),
        ] {
            assert!(
                captured(&id, Some(&json!({"id": usable}))).is_ok(),
                "{usable}"
            );
        }
        for unusable in [
            json!(""),
            json!(" "),
            json!("."),
            json!(".."),
            json!("../admin"),
            json!("a/../b"),
            json!("a\\..\\b"),
            json!("a\r\nb"),
            json!("a\u{1b}[2J"),
            json!("x".repeat(LONGEST + 1)),
            json!([7]),
            json!({"$ne": null}),
            json!(1e300),
            serde_json::from_str("123456789012345678901234567890").unwrap(),
        ] {
            assert!(
                captured(&id, Some(&json!({"id": unusable}))).is_err(),
                "{unusable}"
            );
        }
    }

    #[test]
    fn a_mark_is_seen_in_any_text_and_in_any_case() {
        for (data, seen) in [
            (json!({"name": "rolecall 1C85-3"}), true),
            (json!([{"labels": ["x", "1c85-3"]}]), true),
            (json!("1c85-3"), true),
            (json!({"1c85-3": 1}), false),
            (json!({"name": "1c85", "n": 3}), false),
            (json!(null), false),
        ] {
            assert_eq!(shows(&data, "1c85-3"), seen, "{data}");
        }
    }
}
