//! An `mcp` shape in, the MCP request that it describes out, with its templates read.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::call;
use super::complaint::Kind;
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};
use super::register::Scope;
use super::template::{Bindings, JsonTemplate, Template, Unbound};
use crate::cell::Door;
use crate::json;

/// A request of MCP as the author wrote it, the same for both eras.
#[derive(Clone, Debug)]
pub enum McpCall {
    /// Calls a tool.
    Tool {
        /// The tool's name.
        name: Arc<str>,
        /// Its arguments, an object.
        arguments: JsonTemplate,
    },
    /// Reads a resource.
    Resource {
        /// Its URI; inserted values are percent-encoded, unless one is the whole URI.
        uri: Template,
    },
    /// Gets a prompt.
    Prompt {
        /// The prompt's name.
        name: Arc<str>,
        /// Its arguments, an object.
        arguments: JsonTemplate,
    },
    /// Asks for completions of an argument.
    Completion(Box<Completion>),
    /// Asks for the first page of a list.
    List(Listing),
    /// Asks the server what it is: `server/discover`, in the legacy era `initialize`.
    Discovery,
}

/// What is to be completed.
#[derive(Clone, Debug)]
pub struct Completion {
    /// What has the argument.
    pub of: Completed,
    /// The argument's name.
    pub argument: String,
    /// What was typed of it so far.
    pub value: Template,
}

/// What has an argument to be completed (2025-06-18 and later, `completion/complete`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Completed {
    /// A prompt, by name.
    Prompt(String),
    /// A resource template, as the server lists it (RFC 6570).
    Resource(String),
}

/// A list that a server gives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listing {
    /// Of tools.
    Tools,
    /// Of resources.
    Resources,
    /// Of resource templates.
    Templates,
    /// Of prompts.
    Prompts,
}

/// A method of MCP that a cell can ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum McpMethod {
    /// `tools/call`
    CallTool,
    /// `resources/read`
    ReadResource,
    /// `prompts/get`
    GetPrompt,
    /// `completion/complete`
    Complete,
    /// `tools/list`
    ListTools,
    /// `resources/list`
    ListResources,
    /// `resources/templates/list`
    ListTemplates,
    /// `prompts/list`
    ListPrompts,
    /// `server/discover`
    Discover,
    /// `initialize`
    Initialize,
}

impl McpMethod {
    /// The methods that name something which a server may not have.
    pub const NAMING: [Self; 4] = [
        Self::CallTool,
        Self::ReadResource,
        Self::GetPrompt,
        Self::Complete,
    ];

    /// The method as the wire spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallTool => "tools/call",
            Self::ReadResource => "resources/read",
            Self::GetPrompt => "prompts/get",
            Self::Complete => "completion/complete",
            Self::ListTools => "tools/list",
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::ListPrompts => "prompts/list",
            Self::Discover => "server/discover",
            Self::Initialize => "initialize",
        }
    }

    /// The method that asks the same at a door: the legacy era has no `server/discover`, and says in the answer to
    /// `initialize` what it is.
    #[must_use]
    pub const fn at(self, door: Door) -> Self {
        match (self, door) {
            (Self::Discover, Door::McpLegacy) => Self::Initialize,
            (Self::Initialize, Door::Mcp) => Self::Discover,
            _ => self,
        }
    }

    /// The place among [`McpMethod::NAMING`]; `None` for a method that names nothing.
    pub fn naming(self) -> Option<usize> {
        Self::NAMING.iter().position(|method| *method == self)
    }
}

impl Listing {
    const fn method(self) -> McpMethod {
        match self {
            Self::Tools => McpMethod::ListTools,
            Self::Resources => McpMethod::ListResources,
            Self::Templates => McpMethod::ListTemplates,
            Self::Prompts => McpMethod::ListPrompts,
        }
    }
}

impl McpCall {
    /// What it asks.
    pub const fn method(&self) -> McpMethod {
        match self {
            Self::Tool { .. } => McpMethod::CallTool,
            Self::Resource { .. } => McpMethod::ReadResource,
            Self::Prompt { .. } => McpMethod::GetPrompt,
            Self::Completion(_) => McpMethod::Complete,
            Self::List(listing) => listing.method(),
            Self::Discovery => McpMethod::Discover,
        }
    }

    /// What it names as the author wrote it: a tool, a resource, a prompt; `None` where it names nothing.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Tool { name, .. } | Self::Prompt { name, .. } => Some(name),
            Self::Resource { uri } => Some(uri.source()),
            Self::Completion(completion) => Some(completion.of.name()),
            Self::List(_) | Self::Discovery => None,
        }
    }

    /// The tool that it calls; `None` where it calls none.
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The same, to be kept.
    pub fn tool_name(&self) -> Option<Arc<str>> {
        match self {
            Self::Tool { name, .. } => Some(Arc::clone(name)),
            _ => None,
        }
    }

    /// What goes along besides what it names, as the author wrote it.
    pub fn details(&self) -> Option<Json> {
        match self {
            Self::Tool { arguments, .. } | Self::Prompt { arguments, .. } => {
                Some(arguments.source())
            }
            Self::Completion(completion) => {
                let value = completion.value.source();
                Some(json!({ "name": completion.argument, "value": value }))
            }
            Self::Resource { .. } | Self::List(_) | Self::Discovery => None,
        }
    }

    /// The dotted names that its templates need, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Tool { arguments, .. } | Self::Prompt { arguments, .. } => arguments.names(),
            Self::Resource { uri } => uri.names(),
            Self::Completion(completion) => completion.value.names(),
            Self::List(_) | Self::Discovery => Vec::new(),
        }
    }

    /// What it names, filled.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_subject(&self, bindings: &Bindings) -> Result<Option<String>, Unbound> {
        match self {
            Self::Resource { uri } => uri.fill_uri(bindings).map(Some),
            _ => Ok(self.subject().map(str::to_owned)),
        }
    }

    /// Its `params`, filled, as JSON without what an era adds.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_params(&self, bindings: &Bindings) -> Result<String, Unbound> {
        Ok(match self {
            Self::Tool { name, arguments } | Self::Prompt { name, arguments } => {
                with_arguments(name, &arguments.fill(bindings)?)
            }
            Self::Resource { uri } => json!({ "uri": uri.fill_uri(bindings)? }).to_string(),
            Self::Completion(completion) => {
                let value = completion.value.fill(bindings)?;
                json!({
                    "ref": completion.of.reference(),
                    "argument": { "name": completion.argument, "value": value },
                })
                .to_string()
            }
            Self::List(_) | Self::Discovery => "{}".to_owned(),
        })
    }
}

/// The params of a tool's call or a prompt's: there are many of these, and their arguments are JSON already.
fn with_arguments(name: &str, arguments: &str) -> String {
    let mut params = String::with_capacity(name.len() + arguments.len() + 32);
    params.push_str("{\"name\":");
    json::put_text(&mut params, name);
    params.extend([",\"arguments\":", arguments, "}"]);
    params
}

impl Completed {
    fn name(&self) -> &str {
        match self {
            Self::Prompt(name) | Self::Resource(name) => name,
        }
    }

    fn reference(&self) -> Json {
        match self {
            Self::Prompt(name) => json!({ "type": "ref/prompt", "name": name }),
            Self::Resource(uri) => json!({ "type": "ref/resource", "uri": uri }),
        }
    }
}

/// The keys of which a shape has exactly one.
const REQUESTS: [&str; 6] = ["tool", "resource", "prompt", "complete", "list", "discover"];

/// Whether a shape is a tool's, or too wrong to tell.
pub(super) fn may_be_tool(node: &Node<'_>) -> bool {
    !matches!(node.value, Value::Map(_)) || node.get("tool").is_some()
}

/// Reads the `mcp` shape of an operation or a step: a tool's name, or a map with exactly one request.
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    scope: &Scope<'_>,
) -> Option<McpCall> {
    if matches!(named.node.value, Value::Text(_)) {
        let name = reader.plain(named.node, "the tool's name")?.into();
        let arguments = nothing();
        return Some(McpCall::Tool { name, arguments });
    }
    let known = &[
        "tool",
        "resource",
        "prompt",
        "complete",
        "list",
        "discover",
        "arguments",
    ];
    let sound = reader.found.len();
    let fields = reader.fields(named.at, named.node, "this `mcp` shape", known)?;
    let is_misspelt = reader.found.len() > sound;
    let stated: Vec<Named<'_>> = REQUESTS.iter().filter_map(|key| fields.get(key)).collect();
    let arguments = fields.get("arguments");
    let [request] = stated.as_slice() else {
        let count = stated.len();
        if count > 0 || !is_misspelt {
            reader.complain(fields.at, Kind::McpRequests { count });
        }
        return None;
    };
    if let Some(arguments) = arguments
        && !matches!(request.name, "tool" | "prompt")
    {
        let request = request.name.to_owned();
        reader.complain(arguments.at, Kind::ArgumentsAstray { request });
        return None;
    }
    match request.name {
        "tool" => {
            let name = reader.plain(request.node, "the tool's name");
            let arguments = object(reader, arguments, scope);
            let (name, arguments) = (name?.into(), arguments?);
            Some(McpCall::Tool { name, arguments })
        }
        "prompt" => {
            let name = reader.plain(request.node, "the prompt's name");
            let arguments = object(reader, arguments, scope);
            let (name, arguments) = (name?.into(), arguments?);
            Some(McpCall::Prompt { name, arguments })
        }
        "resource" => resource(reader, request.node, scope),
        "complete" => completion(reader, *request, scope),
        "list" => {
            let words = [
                ("tools", Listing::Tools),
                ("resources", Listing::Resources),
                ("resource-templates", Listing::Templates),
                ("prompts", Listing::Prompts),
            ];
            reader.word(request.node, "list", &words).map(McpCall::List)
        }
        _ => reader
            .word(request.node, "thing to discover", &[("server", ())])
            .map(|()| McpCall::Discovery),
    }
}

fn resource(reader: &mut Reader<'_>, node: &Node<'_>, scope: &Scope<'_>) -> Option<McpCall> {
    let expanded = reader.text(node, "this resource")?;
    let uri = scope.template(reader, node, &expanded.text)?;
    // What a variable or a capture brings is known only to the run.
    let known = expanded.whole && uri.literals().next().is_some();
    if known && !is_uri(&uri) {
        reader.complain(node.span, Kind::ResourceUri);
        return None;
    }
    Some(McpCall::Resource { uri })
}

/// A scheme, and nothing that no URI can hold (RFC 3986 §3.1, §2).
fn is_uri(uri: &Template) -> bool {
    let schemed = uri.source().split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    let writable = |text: &str| !text.contains(|c: char| c.is_control() || c.is_whitespace());
    schemed && uri.literals().all(writable)
}

fn completion(reader: &mut Reader<'_>, named: Named<'_>, scope: &Scope<'_>) -> Option<McpCall> {
    let known = &["prompt", "resource", "argument", "value"];
    let fields = reader.fields(named.at, named.node, "this completion", known)?;
    let of = completed(reader, &fields);
    let argument = fields
        .need(reader, "argument")
        .and_then(|argument| reader.plain(argument.node, "the argument's name"));
    let value = match fields.get("value") {
        None => Template::parse("").ok(),
        Some(value) => typed(reader, value.node, scope),
    };
    Some(McpCall::Completion(Box::new(Completion {
        of: of?,
        argument: argument?,
        value: value?,
    })))
}

/// What was typed; it may be nothing.
fn typed(reader: &mut Reader<'_>, node: &Node<'_>, scope: &Scope<'_>) -> Option<Template> {
    if let Value::Text(text) = &node.value {
        let expanded = reader.expand(node, text)?;
        return scope.template(reader, node, &expanded.text);
    }
    reader.wrong(node, "`value`", "text");
    None
}

fn completed(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Completed> {
    match (fields.get("prompt"), fields.get("resource")) {
        (Some(prompt), None) => reader
            .plain(prompt.node, "the prompt's name")
            .map(Completed::Prompt),
        (None, Some(resource)) => reader
            .plain(resource.node, "the resource template")
            .map(Completed::Resource),
        (prompt, resource) => {
            let count = usize::from(prompt.is_some()) + usize::from(resource.is_some());
            reader.complain(fields.at, Kind::CompletionOf { count });
            None
        }
    }
}

fn object(
    reader: &mut Reader<'_>,
    arguments: Option<Named<'_>>,
    scope: &Scope<'_>,
) -> Option<JsonTemplate> {
    match arguments {
        None => Some(nothing()),
        Some(Named { node, .. }) if !matches!(node.value, Value::Map(_)) => {
            reader.wrong(node, "`arguments`", "a map");
            None
        }
        Some(arguments) => call::json(reader, arguments.node, scope),
    }
}

fn nothing() -> JsonTemplate {
    JsonTemplate::written("{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_a_scheme_and_no_spaces() {
        for (text, good) in [
            ("products://catalog", true),
            ("products://{{ product.id }}", true),
            ("urn:isbn:1", true),
            ("file:///a%20b", true),
            ("catalog", false),
            ("/api/products", false),
            ("1x://a", false),
            ("products://a b", false),
            ("{{ a.id }}/x", false),
        ] {
            assert_eq!(is_uri(&Template::parse(text).unwrap()), good, "{text}");
        }
    }

    #[test]
    fn params_are_those_of_the_method() {
        let bindings = Bindings::default().with("p.id", json!("a/b"));
        let template = |text: &str| Template::parse(text).unwrap();
        let of = |of| {
            McpCall::Completion(Box::new(Completion {
                of,
                argument: "q".to_owned(),
                value: template("x {{ p.id }}"),
            }))
        };
        let typed = json!({ "name": "q", "value": "x a/b" });
        let table = [
            (
                McpCall::Tool {
                    name: "say \"it\"".into(),
                    arguments: JsonTemplate::written(
                        r#"{"id":"{{ p.id }}","deep":[1.5]}"#.to_owned(),
                    ),
                },
                Some("say \"it\""),
                json!({ "name": "say \"it\"", "arguments": { "id": "a/b", "deep": [1.5] } }),
            ),
            (
                McpCall::Prompt {
                    name: "ask".into(),
                    arguments: nothing(),
                },
                Some("ask"),
                json!({ "name": "ask", "arguments": {} }),
            ),
            (
                McpCall::Resource {
                    uri: template("p://{{ p.id }}"),
                },
                Some("p://a%2Fb"),
                json!({ "uri": "p://a%2Fb" }),
            ),
            (
                of(Completed::Prompt("ask".to_owned())),
                Some("ask"),
                json!({ "ref": { "type": "ref/prompt", "name": "ask" }, "argument": typed }),
            ),
            (
                of(Completed::Resource("p://{id}".to_owned())),
                Some("p://{id}"),
                json!({ "ref": { "type": "ref/resource", "uri": "p://{id}" }, "argument": typed }),
            ),
            (McpCall::List(Listing::Templates), None, json!({})),
            (McpCall::Discovery, None, json!({})),
        ];
        for (call, subject, params) in table {
            assert_eq!(
                call.fill_subject(&bindings).unwrap().as_deref(),
                subject,
                "{call:?}"
            );
            let filled = call.fill_params(&bindings).unwrap();
            assert_eq!(filled, params.to_string(), "{call:?}");
        }
    }

    #[test]
    fn each_era_has_its_own_word_for_discovery() {
        assert_eq!(McpMethod::Discover.at(Door::McpLegacy).name(), "initialize");
        assert_eq!(McpMethod::Discover.at(Door::Mcp).name(), "server/discover");
        assert_eq!(
            McpMethod::ListTools.at(Door::McpLegacy),
            McpMethod::ListTools
        );
    }
}
