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

/// Whether the data shows the mark on the object with these values: in a list that holds many, on the very item that has
/// them. Data that has none of the values speaks of the object that was asked for.
pub(super) fn shows_on(data: &Value, mark: &str, values: &[(String, Value)]) -> bool {
    let known: Vec<&Value> = values.iter().map(|(_, value)| value).collect();
    let told = known.iter().copied().filter(|value| holds(data, value));
    let told: Vec<&Value> = told.collect();
    marked_with(data, mark, &told)
}

/// Whether a mark stands beside all of the values that are not found above it already.
fn marked_with(data: &Value, mark: &str, wanted: &[&Value]) -> bool {
    let items = match data {
        Value::Array(items) if items.len() > 1 => items,
        Value::Array(items) => return items.iter().any(|item| marked_with(item, mark, wanted)),
        Value::Object(fields) => {
            // What stands beside a list holds for each of its items.
            let beside = |value: &&&Value| !fields.values().any(|field| is_beside(field, value));
            let missing: Vec<&Value> = wanted.iter().filter(beside).copied().collect();
            let here = missing.is_empty() && fields.values().any(|field| shows(field, mark));
            return here
                || fields
                    .values()
                    .any(|field| marked_with(field, mark, &missing));
        }
        _ => return wanted.is_empty() && shows(data, mark),
    };
    items.iter().any(|item| marked_with(item, mark, wanted))
}

/// Whether a field holds the value outside of lists of several.
fn is_beside(field: &Value, value: &Value) -> bool {
    match field {
        Value::Array(items) if items.len() > 1 => false,
        Value::Array(items) => items.iter().any(|item| is_beside(item, value)),
        Value::Object(fields) => fields.values().any(|field| is_beside(field, value)),
        _ => is_same(field, value),
    }
}

fn holds(data: &Value, value: &Value) -> bool {
    match data {
        Value::Array(items) => items.iter().any(|item| holds(item, value)),
        Value::Object(fields) => fields.values().any(|field| holds(field, value)),
        _ => is_same(data, value),
    }
}

/// Whether two values name the same: one server writes a number where another writes text.
fn is_same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    text(one).eq_ignore_ascii_case(&text(other))
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
    fn in_a_list_of_many_the_mark_must_stand_on_the_object_itself() {
        let id = |value: Value| vec![("id".to_owned(), value)];
        let many =
            json!({"items": [{"id": 1, "name": "somebody's"}, {"id": 2, "name": "m-1"}], "q": "x"});
        for (data, values, shown) in [
            (json!({"id": 1, "name": "m-1"}), id(json!(1)), true),
            (json!({"name": "m-1"}), id(json!(1)), true),
            (json!({"id": 1, "name": "somebody's"}), id(json!(1)), false),
            (many.clone(), id(json!(2)), true),
            (many.clone(), id(json!("2")), true),
            (many, id(json!(1)), false),
            (
                json!([{"id": 1}, {"id": 2, "name": "m-1"}]),
                id(json!(1)),
                false,
            ),
            (
                json!({"data": {"id": 1, "labels": [{"k": "a"}, {"k": "m-1"}]}}),
                id(json!(1)),
                true,
            ),
            (
                json!({"data": {"id": 1}, "meta": {"labels": ["a", "m-1"]}}),
                id(json!(1)),
                true,
            ),
            (
                json!({"items": [{"id": 1, "name": "m-1"}]}),
                id(json!(1)),
                true,
            ),
            (json!("m-1"), id(json!(1)), true),
        ] {
            assert_eq!(shows_on(&data, "m-1", &values), shown, "{data} {values:?}");
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
