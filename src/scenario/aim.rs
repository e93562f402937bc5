//! A call that changes something in, every id in it that the author wrote down out: it would aim at what others made.

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::complaint::Kind;
use super::raw::{Entry, Node, Value};
use super::reader::Reader;
use super::{McpCall, RestCall, Step};

/// Complains of literal ids in the path, the query, the body and the arguments of a call that changes something; `node`
/// holds its `rest` and `mcp` shapes, `within` the ids that only say where the run's own objects live.
pub(super) fn check(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    (rest, mcp): (Option<&RestCall>, Option<&McpCall>),
    within: &[String],
) {
    if let (Some(shape), Some(call)) = (node.get("rest"), rest) {
        let line = shape.get("request").unwrap_or(shape);
        let (path, query) = halves(call.target.source());
        path_of(reader, line, &call.method, path, within);
        query_of(reader, shape.get("query").unwrap_or(line), query, within);
        if let (Some(node), Some(body)) = (shape.get("json"), &call.json) {
            values(reader, node, &body.source(), within);
        }
    }
    if let (Some(shape), Some(McpCall::Tool { arguments, .. })) = (node.get("mcp"), mcp)
        && let Some(node) = shape.get("arguments")
    {
        values(reader, node, &arguments.source(), within);
    }
}

/// The shapes of a step, to be checked.
pub(super) fn shapes(step: &Step) -> (Option<&RestCall>, Option<&McpCall>) {
    (step.rest.as_ref(), step.mcp.as_ref())
}

/// Whether a method writes to what its path names, rather than below it (RFC 9110 §9.3).
pub(super) fn writes_in_place(method: &str) -> bool {
    matches!(method, "PUT" | "PATCH" | "DELETE")
}

fn halves(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn path_of(reader: &mut Reader<'_>, line: &Node<'_>, method: &str, path: &str, within: &[String]) {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (place, segment) in segments.iter().enumerate() {
        let is_last = place + 1 == segments.len();
        let before = place.checked_sub(1).map(|place| segments[place]);
        let text = percent_decode_str(segment).decode_utf8_lossy();
        let is_version = is_version(before, &text) && !is_last;
        if is_filled(segment) || is_version || !holds_id(&text) || is_nobodys(&text) {
            continue;
        }
        // What the path ends in is what the call changes, not where that lives.
        let is_aimed_at = is_last && writes_in_place(method);
        if is_aimed_at || !within.iter().any(|known| *known == text) {
            let place = "the path".to_owned();
            reader.complain(reader.narrow(line.span, segment), Kind::LiteralId { place });
        }
    }
}

fn query_of(reader: &mut Reader<'_>, node: &Node<'_>, query: &str, within: &[String]) {
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let text = percent_decode_str(value).decode_utf8_lossy();
        if !is_filled(value) && names_id(key, &text) && !within.iter().any(|known| *known == text) {
            let at = reader.narrow(node.span, key);
            let place = "the query".to_owned();
            reader.complain(at, Kind::LiteralId { place });
        }
    }
}

/// Values under keys that name an id, at any depth.
fn values(reader: &mut Reader<'_>, node: &Node<'_>, json: &Json, within: &[String]) {
    match (json, &node.value) {
        (Json::Object(fields), Value::Map(entries)) => {
            // The id of a JSON-RPC message names the message.
            let is_message = fields.contains_key("jsonrpc");
            for entry in entries {
                let Some((key, value)) = entry
                    .key
                    .as_text()
                    .and_then(|key| fields.get_key_value(key))
                else {
                    continue;
                };
                if !(is_message && key == "id") {
                    value_of(reader, entry, value, within);
                }
                values(reader, &entry.value, value, within);
            }
        }
        (Json::Array(items), Value::List(nodes)) => {
            for (item, node) in items.iter().zip(nodes) {
                values(reader, node, item, within);
            }
        }
        _ => {}
    }
}

fn value_of(reader: &mut Reader<'_>, entry: &Entry<'_>, value: &Json, within: &[String]) {
    let key = entry.key.as_text().unwrap_or_default();
    let single = std::slice::from_ref(value);
    let items = value.as_array().map_or(single, Vec::as_slice);
    let is_literal = |item: &Json| {
        let text = match item {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return false,
        };
        !is_filled(&text) && names_id(key, &text) && !within.contains(&text)
    };
    if items.iter().any(is_literal) {
        let place = format!("`{key}`");
        reader.complain(entry.value.span, Kind::LiteralId { place });
    }
}

fn is_filled(text: &str) -> bool {
    text.contains("{{")
}

/// Whether a key with this value names an object: `id` with anything, `orderId` with what looks like an id.
fn names_id(key: &str, value: &str) -> bool {
    const WHOLE: [&str; 6] = ["id", "_id", "ids", "uuid", "guid", "key_id"];
    const ENDS: [&str; 12] = [
        "Id", "ID", "Ids", "IDs", "_id", "_ids", "-id", "-ids", "Uuid", "UUID", "Guid", "GUID",
    ];
    let is_id = WHOLE.contains(&key.to_lowercase().as_str());
    let ends = ENDS.iter().any(|end| key.ends_with(end));
    !value.is_empty() && !is_nobodys(value) && (is_id || ends && looks_like_id(value))
}

/// A number after `api` and the like is a version: `/rest/api/3/issue`.
fn is_version(before: Option<&str>, segment: &str) -> bool {
    let roots = ["api", "rest", "v", "version", "services"];
    let number = segment.len() <= 8 && segment.bytes().all(|byte| byte.is_ascii_digit());
    number && before.is_some_and(|before| roots.contains(&before.to_lowercase().as_str()))
}

/// Whether a segment is an id, or holds one as `Products(42)`, `42:cancel` and `item;id=42` do.
fn holds_id(segment: &str) -> bool {
    let quoted = segment.ends_with(')') && segment.contains("('");
    let pieces = segment.split([':', ';', '=', ',', '(', ')', '\'', '"']);
    quoted || looks_like_id(segment) || pieces.filter(|piece| *piece != segment).any(looks_like_id)
}

/// Whether a text looks like what a store gives its objects for a name: numbers, UUIDs, hexadecimal digests, ULIDs, and
/// words with a long random end such as `prod_Nv3kQ81x`. Words, versions and dates do not.
pub(super) fn looks_like_id(text: &str) -> bool {
    let text = text.trim_matches(['{', '}']);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || is_date(text) {
        return false;
    }
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    number.bytes().all(|byte| byte.is_ascii_digit())
        || is_hexadecimal(text)
        || is_numbered(text)
        || is_random(text, digits)
}

/// Whether an id is one that no store gives: the nil and the max UUID (RFC 9562 §5.9, §5.10), zeros, at least nine nines,
/// a number below zero.
pub(super) fn is_nobodys(id: &str) -> bool {
    if !looks_like_id(id) && !is_hexadecimal(id) {
        return false;
    }
    let bare: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    let all = |letter: u8| bare.bytes().all(|byte| byte.eq_ignore_ascii_case(&letter));
    let nines = bare.len() >= 9 && all(b'9');
    all(b'0') || all(b'f') || nines || id.starts_with('-')
}

/// `2024-01-01`, with or without more words, is a version of an API.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut is = |digits: usize| {
        parts.next().is_some_and(|part| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let is_date = is(4) && is(2) && is(2);
    is_date && parts.all(|part| part.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// At least eight hexadecimal digits, of which the hyphens of a UUID may stand between.
fn is_hexadecimal(text: &str) -> bool {
    let bare = text.replace('-', "");
    bare.len() >= 8 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `order-12345`: a word with a long number.
fn is_numbered(text: &str) -> bool {
    let end = text.rsplit(['-', '_', '.']).next().unwrap_or_default();
    end.len() < text.len() && end.len() >= 5 && end.bytes().all(|byte| byte.is_ascii_digit())
}

/// `prod_Nv3kQ81x`, a ULID, base64: letters and several digits in no order.
fn is_random(text: &str, digits: usize) -> bool {
    let end = text.rsplit(['_', '-']).next().unwrap_or_default();
    let is_token = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
    };
    let turns = |part: &str| {
        let kinds: Vec<bool> = part.bytes().map(|byte| byte.is_ascii_digit()).collect();
        kinds.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    let long = text.len() >= 16 && digits >= 3 && turns(text) >= 3;
    let ending = end.len() < text.len() && end.len() >= 8 && turns(end) >= 2;
    is_token(text) && (long || ending)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scenario::complaint::Complaints;
    use crate::scenario::{Missing, Scenario, Sources};

    #[test]
    fn what_looks_like_an_id_is_told_from_words_versions_and_dates() {
        for id in [
            "1",
            "42",
            "-7",
            "20240101",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "{3FA85F64-5717-4562-B3FC-2C963F66AFA6}",
            "3fa85f6457174562b3fc2c963f66afa6",
            "507f1f77bcf86cd799439011",
            "deadbee1",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "prod_Nv3kQ81x",
            "order-12345",
            "MDQ6VXNlcjE2Nzg5",
            "V1StGXR8_Z5jdHi6B-myT",
        ] {
            assert!(looks_like_id(id), "{id}");
        }
        for word in [
            "",
            "v2",
            "v1.0",
            "1.0",
            "beta",
            "2024-01-01",
            "2024-01-01-preview",
            "oauth2",
            "api-2024",
            "products",
            "feedface",
            "utf-8",
            "iso-8601",
            "generateOauth2TokenForUser",
            "s3-bucket-notifications",
            "step-2",
            "$batch",
            "me",
        ] {
            assert!(!looks_like_id(word), "{word}");
        }
    }

    #[test]
    fn versions_dates_and_declared_places_stay_fine_and_nothing_else_does() {
        for (request, fine) in [
            ("PUT /api/v2/things/{{ thing.id }}", true),
            ("PUT /2024-01-01/things/{{ thing.id }}", true),
            ("PUT /rest/api/3/things/{{ thing.id }}", true),
            ("POST /shops/4711/things/{{ thing.id }}/reopen", true),
            ("PUT /things/{{ thing.id }}:publish", true),
            ("PUT /things/{{ thing.id }}?api-version=2024-01-01", true),
            ("DELETE /things?like={{ thing.id }}", true),
            ("PUT /things/{{ thing.id }}?parentId=0", true),
            ("PUT /shops/4712/things/{{ thing.id }}", false),
            ("PUT /shops/4711?like={{ thing.id }}", false),
            ("POST /42/reopen?like={{ thing.id }}", false),
            ("DELETE /api/3?like={{ thing.id }}", false),
            ("PUT /things/{{ thing.id }}?parentId=42", false),
        ] {
            let text = SCENARIO.replace("REQUEST", request);
            assert_eq!(read(&text).is_ok(), fine, "{request}");
        }
    }

    const SCENARIO: &str = r#"
rolecall: 1
name: Things
deployment: { rest: "https://a.example", within: ["4711"] }
identity: { endpoints: { token: "https://i.example/token" } }
personas: { one: { sign_in: { client_credentials: { client_id: a, client_secret: { env: A } } } } }
fixtures:
  thing:
    as: one
    create: { rest: { request: POST /things, json: { name: "{{ tag }}" } }, capture: { id: /id } }
    remove: { rest: "DELETE /things/{{ thing.id }}" }
operations:
  change: { allow: [one], mutates: true, uses: thing, rest: "REQUEST" }
"#;

    fn read(text: &str) -> Result<Scenario, Complaints> {
        let sources = Sources {
            variables: BTreeMap::new(),
            missing: Missing::Kept,
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
            today: "2026-06-01".parse().unwrap(),
        };
        Scenario::read("x.yaml", text, &sources)
    }

    #[test]
    fn some_ids_are_nobodys() {
        for (id, nobodys) in [
            ("00000000-0000-0000-0000-000000000000", true),
            ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", true),
            ("0", true),
            ("-1", true),
            ("999999999", true),
            ("999", false),
            ("7", false),
            ("3fa85f64-5717-4562-b3fc-2c963f66afa6", false),
        ] {
            assert_eq!(is_nobodys(id), nobodys, "{id}");
        }
    }

    #[test]
    fn an_id_is_seen_in_its_wrapping() {
        for (segment, holds) in [
            ("Products(42)", true),
            ("Products('any')", true),
            ("42:cancel", true),
            ("item;id=42", true),
            ("products:batchDelete", false),
            ("Products", false),
            ("Count()", false),
        ] {
            assert_eq!(holds_id(segment), holds, "{segment}");
        }
    }

    #[test]
    fn a_key_tells_an_id_by_its_end() {
        for (key, value, names) in [
            ("id", "SKU", true),
            ("ID", "1", true),
            ("_id", "x", true),
            ("orderId", "42", true),
            ("order_id", "42", true),
            ("unitId", "kg", false),
            ("valid", "1", false),
            ("paid", "42", false),
            ("price", "42", false),
            ("id", "", false),
        ] {
            assert_eq!(names_id(key, value), names, "{key}: {value}");
        }
    }
}
