//! `openapi`, `undeclared` and `ignore` of a door in, how much of the deployment the matrix is to name out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::{self, Bounds};
use super::complaint::Kind;
use super::raw::{Node, Value};
use super::reader::{Named, Reader};
use super::terms::{self, Undeclared};

/// How much of the deployment the matrix is to name: all of it, but for what is said here.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// What names the routes of the REST door, when something does.
    pub openapi: Option<Location>,
    /// What routes are that the document names and no operation is on. For tools it stands in [`super::Terms`].
    pub routes: Undeclared,
    /// Routes that no operation has to be on.
    pub left_out_routes: Vec<LeftOut>,
    /// Tools that no operation has to name.
    pub left_out_tools: Vec<LeftOut>,
}

/// Where a document is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// A file.
    File(PathBuf),
    /// An absolute http(s) URL.
    Url(String),
}

/// A route or a tool that no operation has to name, or several.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LeftOut {
    /// As the author wrote it: a tool's name, or `METHOD /path` as the document has it; `*` at its end stands for any
    /// text, and in place of the method for all of them.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Extent {
    /// Whether the author says nothing of it.
    pub fn is_usual(&self) -> bool {
        let leaves_out = !self.left_out_routes.is_empty() || !self.left_out_tools.is_empty();
        self.openapi.is_none() && self.routes == Undeclared::Fail && !leaves_out
    }
}

impl Location {
    /// What a command line or a scenario names: a URL where it begins like one, else a file.
    pub fn of(text: &str) -> Self {
        if is_url(text) {
            Self::Url(text.to_owned())
        } else {
            Self::File(PathBuf::from(text))
        }
    }

    /// For people: a URL without its query, which may hold a key.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        }
    }
}

impl LeftOut {
    /// Whether it speaks of a tool of that name.
    pub fn covers_tool(&self, tool: &str) -> bool {
        is_like(&self.name, tool)
    }

    /// Whether it speaks of a route with that method and path; names of parameters mean nothing.
    pub fn covers_route(&self, method: &str, path: &str) -> bool {
        let Some((own_method, own_path)) = self.name.split_once(' ') else {
            return false;
        };
        let same_method = own_method == "*" || own_method == method;
        same_method && is_like(&nameless(own_path), &nameless(path))
    }
}

/// Whether a text is a name, or begins as one that ends with `*`.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// A path without the names in its braces and a slash at its end.
fn nameless(path: &str) -> String {
    let mut short = String::with_capacity(path.len());
    let mut inside = false;
    for letter in path.chars() {
        inside = inside && letter != '}';
        if !inside {
            short.push(letter);
        }
        inside = inside || letter == '{';
    }
    let trimmed = short.trim_end_matches('/').len();
    short.truncate(trimmed.max(1));
    short
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Reads them from the maps of the two doors.
pub(super) fn read(
    reader: &mut Reader<'_>,
    rest: Option<&Node<'_>>,
    mcp: Option<&Node<'_>>,
) -> Extent {
    let openapi = of(rest, "openapi").and_then(|node| location(reader, node));
    let routes = of(rest, "undeclared").and_then(|node| terms::undeclared(reader, node));
    let mut left_out = |door, is_route| {
        let node = of(door, "ignore");
        node.map(|node| left_out(reader, node, is_route))
            .unwrap_or_default()
    };
    Extent {
        left_out_routes: left_out(rest, true),
        left_out_tools: left_out(mcp, false),
        openapi,
        routes: routes.unwrap_or_default(),
    }
}

fn of<'n>(door: Option<&'n Node<'n>>, key: &str) -> Option<&'n Node<'n>> {
    door?.get(key)
}

/// A file beside the scenario, or a URL. An empty text is none, so that a variable can leave it open.
fn location(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Location> {
    let Value::Text(text) = &node.value else {
        reader.wrong(node, "`openapi`", "text");
        return None;
    };
    let expanded = reader.expand(node, text)?.text;
    if expanded.is_empty() {
        return None;
    }
    if is_url(&expanded) {
        return address::read(reader, node, "`openapi`", Bounds::Endpoint).map(Location::Url);
    }
    reader.plain(node, "`openapi`")?;
    Some(Location::File(reader.folder().join(&*expanded)))
}

fn left_out(reader: &mut Reader<'_>, node: &Node<'_>, is_route: bool) -> Vec<LeftOut> {
    let entries = reader.entries(node, "`ignore`").unwrap_or_default();
    let mut left_out = Vec::with_capacity(entries.len());
    for Named { name, at, node } in entries {
        if name.is_empty() || is_route && !is_route_like(name) {
            let kind = Kind::LeftOut { is_route };
            reader.complain(at, kind);
            continue;
        }
        if let Some(reason) = reader.plain(node, "the reason") {
            let name = name.to_owned();
            left_out.push(LeftOut { name, reason });
        }
    }
    left_out
}

/// `METHOD /path`.
fn is_route_like(name: &str) -> bool {
    name.split_once(' ').is_some_and(|(method, path)| {
        let is_method = method.chars().all(|letter| letter.is_ascii_uppercase());
        let is_path = path.starts_with('/') && !path.contains(' ');
        !method.is_empty() && (is_method || method == "*") && is_path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(name: &str) -> LeftOut {
        LeftOut {
            name: name.to_owned(),
            reason: "why".to_owned(),
        }
    }

    #[test]
    fn a_left_out_route_is_told_by_method_and_path() {
        let table = [
            ("GET /health", "GET /health", true),
            ("GET /health", "GET /health/", true),
            ("GET /health", "POST /health", false),
            ("GET /health", "GET /healthz", false),
            ("* /health", "POST /health", true),
            ("GET /health*", "GET /healthz", true),
            ("OPTIONS /*", "OPTIONS /a/{b}", true),
            ("DELETE /a/{id}/b", "DELETE /a/{name}/b", true),
            ("DELETE /a/{id}", "DELETE /a/{name}/b", false),
            ("GET /", "GET /", true),
        ];
        for (name, route, covered) in table {
            let (method, path) = route.split_once(' ').unwrap();
            let own = left_out(name);
            assert_eq!(own.covers_route(method, path), covered, "{name}: {route}");
        }
    }

    #[test]
    fn a_left_out_tool_is_told_by_its_name_or_how_it_begins() {
        assert!(left_out("ping").covers_tool("ping"));
        assert!(!left_out("ping").covers_tool("Ping"));
        assert!(left_out("debug_*").covers_tool("debug_all"));
    }

    #[test]
    fn only_a_method_and_a_path_are_like_a_route() {
        for (name, good) in [
            ("GET /health", true),
            ("* /health*", true),
            ("/health", false),
            ("get /health", false),
            ("GET health", false),
            ("GET /a b", false),
            (" /a", false),
        ] {
            assert_eq!(is_route_like(name), good, "{name}");
        }
    }

    #[test]
    fn a_location_is_shown_without_its_query() {
        let url = Location::of("https://a.example/openapi.json?code=hunter2");
        assert_eq!(url.shown(), "https://a.example/openapi.json");
        assert_eq!(
            Location::of("docs/openapi.yaml").shown(),
            "docs/openapi.yaml"
        );
    }
}
