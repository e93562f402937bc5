//! A map of headers in, names and values fit to be sent out; a value that sounds secret must be a reference.

use super::HeaderText;
use super::complaint::{Kind, sounds_secret};
use super::raw::{Node, Value};
use super::reader::{Named, Reader};
use super::register::Scope;
use super::sign_in::origin;

/// Reads the headers of an entry, a call or a client.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    scope: &Scope<'_>,
) -> Vec<(String, HeaderText)> {
    let entries = reader.entries(node, "`headers`").unwrap_or_default();
    entries
        .into_iter()
        .filter_map(|entry| header(reader, entry, scope))
        .collect()
}

fn header(
    reader: &mut Reader<'_>,
    entry: Named<'_>,
    scope: &Scope<'_>,
) -> Option<(String, HeaderText)> {
    let name = entry.name.to_owned();
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        reader.complain(entry.at, Kind::HeaderName);
        return None;
    }
    let lower = name.to_ascii_lowercase();
    if let Some(why) = own(&lower) {
        reader.complain(entry.at, Kind::OwnHeader { name: lower, why });
        return None;
    }
    let text = if sounds_secret(&name) || matches!(entry.node.value, Value::Map(_)) {
        secret(reader, entry.node, &name)?
    } else {
        plain(reader, entry.node, &name, scope)?
    };
    Some((name, text))
}

/// A variable or a file, read now, or a program, which the run asks.
fn secret(reader: &mut Reader<'_>, node: &Node<'_>, name: &str) -> Option<HeaderText> {
    if let Some(words) = origin::command_of(node) {
        return origin::command(reader, words).map(HeaderText::Command);
    }
    let secret = reader.secret(node, format!("header `{name}`"))?;
    if !HeaderText::can_hold(secret.expose()) {
        reader.complain(node.span, Kind::HeaderValue);
        return None;
    }
    Some(HeaderText::Secret(secret))
}

fn plain(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    name: &str,
    scope: &Scope<'_>,
) -> Option<HeaderText> {
    let expanded = reader.text(node, format!("header `{name}`"))?;
    if !HeaderText::can_hold(&expanded.text) {
        reader.complain(node.span, Kind::HeaderValue);
        return None;
    }
    scope
        .template(reader, node, &expanded.text)
        .map(HeaderText::Plain)
}

/// Why a header is not the author's to set.
fn own(name: &str) -> Option<&'static str> {
    match name {
        "authorization" => Some("it carries the persona's token; say how the persona signs in"),
        "host" => Some("it follows from the URL"),
        "content-length" | "transfer-encoding" | "trailer" => {
            Some("it follows from the body (RFC 9112 §6)")
        }
        "mcp-protocol-version" | "mcp-method" | "mcp-name" | "mcp-session-id" => {
            Some("it follows from the MCP revision and the call")
        }
        "connection" | "keep-alive" | "proxy-connection" | "te" | "upgrade" => {
            Some("it belongs to the connection, not to the call (RFC 9110 §7.6.1)")
        }
        _ => None,
    }
}
