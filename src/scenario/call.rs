//! A REST or MCP shape in, the call that it describes out, with its templates read.

use std::borrow::Cow;

use super::complaint::Kind;
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};
use super::register::{Register, Scope};
use super::template::{JsonTemplate, Template, percent_encoded};
use super::{HeaderText, McpCall, RestCall, header, mcp};
use crate::cell::Door;
use crate::json;

/// The two shapes of one operation or step, and whether each is there at all, wrong or not.
pub(super) struct Shapes {
    pub(super) rest: Option<RestCall>,
    pub(super) mcp: Option<McpCall>,
    pub(super) has_rest: bool,
    pub(super) has_mcp: bool,
}

impl Shapes {
    /// The doors whose shape names nothing of the wanted; a shape that cannot be read is not judged.
    pub(super) fn without(&self, wanted: impl Fn(&str) -> bool) -> Vec<Door> {
        let lacks = |names: Vec<String>| !names.iter().any(|name| wanted(name));
        let rest = self.rest.as_ref().is_some_and(|call| lacks(call.aims()));
        let mcp = self.mcp.as_ref().is_some_and(|call| lacks(call.names()));
        [(rest, Door::Rest), (mcp, Door::Mcp)]
            .into_iter()
            .filter(|(lacks, _)| *lacks)
            .map(|(_, door)| door)
            .collect()
    }
}

/// Reads `rest` and `mcp` of an operation or a step; neither is a complaint.
pub(super) fn shapes(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    register: &Register<'_>,
    scope: &Scope<'_>,
) -> Shapes {
    let (rest, mcp) = (fields.get("rest"), fields.get("mcp"));
    if rest.is_none() && mcp.is_none() {
        reader.complain(fields.at, Kind::NoShape);
    }
    for (shape, door) in [(rest, Door::Rest), (mcp, Door::Mcp)] {
        if let Some(shape) = shape {
            register.reach(reader, shape, door);
        }
    }
    Shapes {
        rest: rest.and_then(|shape| rest_call(reader, shape, scope)),
        mcp: mcp.and_then(|shape| mcp::read(reader, shape, scope)),
        has_rest: rest.is_some(),
        has_mcp: mcp.is_some(),
    }
}

impl RestCall {
    /// The dotted names that its target and body need: what it aims at. A header aims at nothing.
    pub(super) fn aims(&self) -> Vec<String> {
        let body = self.json.iter().flat_map(JsonTemplate::names);
        self.target.names().into_iter().chain(body).collect()
    }

    /// The dotted names that its templates need, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.target.names();
        for (_, value) in &self.headers {
            match value {
                HeaderText::Plain(template) => names.extend(template.names()),
                HeaderText::Secret(_) | HeaderText::Command(_) => {}
            }
        }
        names.extend(self.json.iter().flat_map(JsonTemplate::names));
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn rest_call(reader: &mut Reader<'_>, named: Named<'_>, scope: &Scope<'_>) -> Option<RestCall> {
    if matches!(named.node.value, Value::Text(_)) {
        let (method, target) = request(reader, named.node, scope)?;
        return Some(RestCall {
            method,
            target,
            headers: Box::default(),
            json: None,
        });
    }
    let fields = reader.fields(
        named.at,
        named.node,
        "this `rest` shape",
        &["request", "query", "headers", "json"],
    )?;
    let line = fields
        .need(reader, "request")
        .and_then(|line| request(reader, line.node, scope));
    let query = fields
        .get("query")
        .map(|query| query_text(reader, query.node, scope))
        .unwrap_or_default();
    let headers = fields
        .get("headers")
        .map(|headers| header::read(reader, headers.node, scope))
        .unwrap_or_default()
        .into();
    let json = fields
        .get("json")
        .map(|body| json(reader, body.node, scope));
    let (method, target) = line?;
    let target = with_query(&target, &query)?;
    let json = match json {
        None => None,
        Some(json) => Some(json?),
    };
    Some(RestCall {
        method,
        target,
        headers,
        json,
    })
}

/// Methods that nobody has to spell out once more for every operation.
const USUAL: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

fn spelt(method: &str) -> Cow<'static, str> {
    let usual = USUAL.into_iter().find(|usual| *usual == method);
    usual.map_or_else(|| Cow::Owned(method.to_owned()), Cow::Borrowed)
}

/// `METHOD /path`: the method a token in upper case (RFC 9110 §9.1), the path in origin form (RFC 9112 §3.2.1).
fn request(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    scope: &Scope<'_>,
) -> Option<(Cow<'static, str>, Template)> {
    let expanded = reader.text(node, "this request")?;
    let Some((method, target)) = expanded.text.split_once(' ') else {
        reader.complain(node.span, Kind::Request("this is no method and path"));
        return None;
    };
    if let Err(kind) = check_method(method) {
        reader.complain(reader.narrow(node.span, method), kind);
        return None;
    }
    let template = scope.template(reader, node, target)?;
    let known = expanded.whole || !target.starts_with("${");
    if known && let Err(kind) = check_target(&template) {
        reader.complain(reader.narrow(node.span, target), kind);
        return None;
    }
    Some((spelt(method), template))
}

fn check_method(method: &str) -> Result<(), Kind> {
    let token = method.starts_with(|c: char| c.is_ascii_uppercase())
        && method
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    match method {
        "CONNECT" => Err(Kind::Request(
            "CONNECT asks for a tunnel, not for an operation",
        )),
        _ if token => Ok(()),
        _ => Err(Kind::Request("this is no method in upper case")),
    }
}

fn check_target(template: &Template) -> Result<(), Kind> {
    let source = template.source();
    if !source.starts_with('/') {
        return Err(Kind::Request(
            "this path does not begin with `/`; the deployment's URL goes before it",
        ));
    }
    if source.starts_with("//") {
        return Err(Kind::Request("`//` would begin with another host"));
    }
    if template
        .literals()
        .any(|text| text.contains(|c: char| c.is_control() || c == ' ' || !c.is_ascii()))
    {
        return Err(Kind::Request(
            "this path holds a space, a control character or a letter that is not ASCII",
        ));
    }
    // No name of a value holds one.
    if source.contains('#') {
        return Err(Kind::Request(
            "this path has a fragment, which is never sent",
        ));
    }
    Ok(())
}

fn query_text(reader: &mut Reader<'_>, node: &Node<'_>, scope: &Scope<'_>) -> Vec<String> {
    let entries = reader.entries(node, "`query`").unwrap_or_default();
    let pair = |entry: Named<'_>| {
        let key = percent_encoded(entry.name);
        let value = query_value(reader, entry, scope)?.into_encoded();
        Some(format!("{key}={value}"))
    };
    entries.into_iter().filter_map(pair).collect()
}

fn query_value(reader: &mut Reader<'_>, entry: Named<'_>, scope: &Scope<'_>) -> Option<Template> {
    let text = match &entry.node.value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => reader.expand(entry.node, text)?.text.into_owned(),
        Value::Null | Value::NoNumber | Value::List(_) | Value::Map(_) => {
            reader.wrong(
                entry.node,
                format!("query parameter `{}`", entry.name),
                "text",
            );
            return None;
        }
    };
    scope.template(reader, entry.node, &text)
}

fn with_query(target: &Template, query: &[String]) -> Option<Template> {
    if query.is_empty() {
        return Some(target.clone());
    }
    let joint = if target.source().contains('?') {
        '&'
    } else {
        '?'
    };
    Template::parse(&format!("{}{joint}{}", target.source(), query.join("&"))).ok()
}

/// A JSON value that is not null, with its templates read.
pub(super) fn json(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    scope: &Scope<'_>,
) -> Option<JsonTemplate> {
    if matches!(node.value, Value::Null) {
        reader.wrong(node, "this JSON value", "a value");
        return None;
    }
    let mut text = String::new();
    write(reader, node, scope, &mut text)?;
    Some(JsonTemplate::written(text))
}

/// Writes the node down as JSON; every item is read even when an earlier one is wrong.
fn write(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    scope: &Scope<'_>,
    json: &mut String,
) -> Option<()> {
    match &node.value {
        Value::Null => json.push_str("null"),
        Value::Bool(flag) => json.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => json.push_str(&number.to_string()),
        Value::NoNumber => {
            reader.wrong(node, "this JSON value", "a finite number");
            return None;
        }
        Value::Text(text) => {
            let expanded = reader.expand(node, text)?;
            scope.check(reader, node, &expanded.text)?;
            json::put_text(json, &expanded.text);
        }
        Value::List(items) => {
            let items = items.iter().map(|item| (None, item));
            return write_all(reader, items, scope, ('[', ']'), json);
        }
        Value::Map(_) => {
            let sound = reader.found.len();
            let entries = reader.entries(node, "this JSON value")?;
            let sound = reader.found.len() == sound;
            let entries = entries.iter().map(|entry| (Some(entry.name), entry.node));
            write_all(reader, entries, scope, ('{', '}'), json)?;
            return sound.then_some(());
        }
    }
    Some(())
}

/// Writes what a list or a map holds, each item after its key where it has one.
fn write_all<'n>(
    reader: &mut Reader<'_>,
    items: impl Iterator<Item = (Option<&'n str>, &'n Node<'n>)>,
    scope: &Scope<'_>,
    (open, close): (char, char),
    json: &mut String,
) -> Option<()> {
    let mut sound = Some(());
    json.push(open);
    for (place, (key, item)) in items.enumerate() {
        if place > 0 {
            json.push(',');
        }
        if let Some(key) = key {
            json::put_text(json, key);
            json.push(':');
        }
        sound = write(reader, item, scope, json).and(sound);
    }
    json.push(close);
    sound
}
