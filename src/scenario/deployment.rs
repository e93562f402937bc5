//! The `deployment` map in, its doors with their URLs and headers out.

use super::address::{self, Bounds};
use super::complaint::Kind;
use super::extent;
use super::fingerprint;
use super::header;
use super::production;
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};
use super::register::Register;
use super::terms;
use super::{Denials, Deployment, Entry, RefusalShape};
use crate::cell::Door;

/// Reads what is under test.
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
) -> Option<Deployment> {
    let known = &[
        "rest",
        "mcp",
        "doors",
        "disposable",
        "fingerprints",
        "production",
        "within",
    ];
    let fields = reader.fields(named.at, named.node, "the deployment", known)?;
    let rest = fields
        .get("rest")
        .and_then(|rest| entry(reader, rest, register));
    let mcp = fields
        .get("mcp")
        .and_then(|mcp| entry(reader, mcp, register));
    let (mcp_refuses, mcp_denials) = fields
        .get("mcp")
        .and_then(|mcp| refuses(reader, mcp))
        .unwrap_or_default();
    let requirements = fields
        .get("mcp")
        .map(|mcp| terms::read(reader, mcp.node))
        .unwrap_or_default();
    let node = |key: &str| fields.get(key).map(|door| door.node);
    let extent = extent::read(reader, node("rest"), node("mcp"));
    if fields.get("rest").is_none() && fields.get("mcp").is_none() {
        reader.complain(fields.at, Kind::NoDeployment);
    }
    let stated = fields
        .get("doors")
        .map(|stated| doors(reader, stated, register));
    let doors_stated = stated.is_some();
    let doors = stated.unwrap_or_else(|| {
        Door::ALL
            .into_iter()
            .filter(|door| fields.get(shape(*door)).is_some())
            .collect()
    });
    let fingerprints = fields
        .get("fingerprints")
        .map(|list| fingerprint::read(reader, list.node, register))
        .unwrap_or_default();
    let disposable = flag(reader, &fields);
    let production = fields
        .get("production")
        .map(|named| production::read(reader, named))
        .unwrap_or_default();
    let within = fields
        .get("within")
        .and_then(|within| reader.texts(within.node, "`within`", "id"))
        .unwrap_or_default();
    Some(Deployment {
        rest,
        mcp,
        doors,
        doors_stated,
        mcp_refuses,
        mcp_denials,
        fingerprints,
        requirements,
        extent,
        disposable,
        production,
        within,
    })
}

fn flag(reader: &mut Reader<'_>, fields: &Fields<'_>) -> bool {
    fields
        .get("disposable")
        .and_then(|flag| reader.flag(flag.node, "`disposable`"))
        .unwrap_or_default()
}

fn entry(reader: &mut Reader<'_>, named: Named<'_>, register: &Register<'_>) -> Option<Entry> {
    let bounds = if named.name == "rest" {
        Bounds::Base
    } else {
        Bounds::Endpoint
    };
    if !matches!(named.node.value, Value::Map(_)) {
        let url = address::read(reader, named.node, "this URL", bounds)?;
        return Some(Entry {
            url,
            headers: Vec::new(),
            line: named.node.span.line,
        });
    }
    let known: &[&str] = if named.name == "rest" {
        &["url", "headers", "openapi", "undeclared", "ignore"]
    } else {
        &[
            "url",
            "headers",
            "refuses",
            "requirements",
            "waive",
            "expired_token",
            "undeclared",
            "ignore",
        ]
    };
    let fields = reader.fields(named.at, named.node, "this door", known)?;
    let scope = register.bare_scope();
    let headers = fields
        .get("headers")
        .map(|headers| header::read(reader, headers.node, &scope))
        .unwrap_or_default();
    let url = fields.need(reader, "url")?;
    let line = url.node.span.line;
    let url = address::read(reader, url.node, "this URL", bounds)?;
    Some(Entry { url, headers, line })
}

/// Characters that words of a denial have at least: fewer stand in any text, and everything would be one.
const SHORTEST: usize = 4;

/// A shape of refusal, or a map with the shape and its marks.
fn refuses(reader: &mut Reader<'_>, mcp: Named<'_>) -> Option<(RefusalShape, Denials)> {
    let node = mcp.node.get("refuses")?;
    if !matches!(node.value, Value::Map(_)) {
        return Some((refusal_shape(reader, node)?, Denials::default()));
    }
    let known = &["shape", "codes", "texts"];
    let fields = reader.fields(node.span, node, "`refuses`", known)?;
    let shape = fields
        .need(reader, "shape")
        .and_then(|shape| refusal_shape(reader, shape.node));
    let codes = fields
        .get("codes")
        .map(|codes| codes_of(reader, codes.node))
        .unwrap_or_default();
    let texts = fields
        .get("texts")
        .map(|texts| texts_of(reader, texts.node))
        .unwrap_or_default();
    Some((shape?, Denials { codes, texts }))
}

fn codes_of(reader: &mut Reader<'_>, node: &Node<'_>) -> Vec<i64> {
    let mut codes = Vec::new();
    for item in reader.list(node, "`codes`").unwrap_or_default() {
        match &item.value {
            Value::Number(number) if number.is_i64() => codes.extend(number.as_i64()),
            _ => reader.complain(item.span, Kind::DenialCode),
        }
    }
    codes
}

fn texts_of(reader: &mut Reader<'_>, node: &Node<'_>) -> Vec<String> {
    let texts = reader.texts(node, "`texts`", "text").unwrap_or_default();
    let short = |item: &&Node<'_>| {
        let text = item.as_text();
        text.is_some_and(|text| !text.is_empty() && text.trim().chars().count() < SHORTEST)
    };
    if let Value::List(items) = &node.value {
        for item in items.iter().filter(short) {
            reader.complain(item.span, Kind::DenialText);
        }
    }
    texts
}

fn refusal_shape(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<RefusalShape> {
    let words = [
        ("http", RefusalShape::Http),
        ("in-band", RefusalShape::InBand),
        ("hidden", RefusalShape::Hidden),
        ("any", RefusalShape::Any),
    ];
    reader.word(node, "shape of refusal", &words)
}

/// Doors of the deployment, each once, in the order of the matrix.
pub(super) fn doors(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
) -> Vec<Door> {
    let Some(items) = reader.list(named.node, "`doors`") else {
        return Vec::new();
    };
    let words = Door::ALL.map(|door| (door.name(), door));
    let mut doors = Vec::new();
    if items.is_empty() {
        reader.complain(named.node.span, Kind::Empty { what: "doors" });
    }
    for item in items {
        let Some(door) = reader.word(item, "door", &words) else {
            continue;
        };
        if doors.contains(&door) {
            reader.complain(
                item.span,
                Kind::Repeated {
                    noun: "door",
                    name: door.name().to_owned(),
                },
            );
        } else if !register.reachable[door.index()] {
            reader.complain(item.span, Kind::NoAddress { door });
        } else {
            doors.push(door);
        }
    }
    doors.sort_unstable();
    doors
}

fn shape(door: Door) -> &'static str {
    if door.speaks_mcp() { "mcp" } else { "rest" }
}
