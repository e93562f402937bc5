//! What the file declares in, what its names may refer to out: personas, fixtures with their captures, doors.

use std::collections::HashSet;

use super::complaint::{Kind, Span};
use super::raw::{Node, Value};
use super::reader::{Named, Reader};
use super::spelling::{listed, nearest};
use super::template::{Template, needs};
use crate::cell::{Door, PersonaName};

/// The names that a file declares, also those whose declarations are wrong: one mistake is one complaint.
pub(super) struct Register<'n> {
    /// Personas in the order of the file, one entry for each client that one signs in by; `None` when the file has no list of
    /// them that can be read.
    pub(super) personas: Option<Vec<Declared<'n>>>,
    /// Clients in the order of the file; `None` likewise, and none where the file has no `clients`.
    pub(super) clients: Option<Vec<&'n str>>,
    /// Fixtures in the order of the file; `None` likewise.
    pub(super) fixtures: Option<Vec<Object<'n>>>,
    /// Whether the deployment has a URL for each door; all true when it cannot be read.
    pub(super) reachable: [bool; 3],
    /// Ids that only say where the run's own objects live, once the deployment was read.
    pub(super) within: Vec<String>,
}

/// A persona by one of its clients, as far as others refer to it.
pub(super) struct Declared<'n> {
    /// The persona's name in the file.
    name: &'n str,
    /// The client of `clients`, when it has any.
    pub(super) client: Option<&'n str>,
    /// Its name as a row.
    pub(super) row: PersonaName,
    /// Whether it signs in; `None` when that cannot be read.
    pub(super) signs_in: Option<bool>,
}

/// A fixture, as far as templates refer to it.
pub(super) struct Object<'n> {
    pub(super) name: &'n str,
    /// The names that `create` captures; `None` when they cannot be read.
    pub(super) captures: Option<Vec<&'n str>>,
    /// Whether it has a `find`.
    pub(super) findable: bool,
}

impl Object<'_> {
    /// Whether a dotted name is a capture of this fixture, or could be one.
    pub(super) fn binds(&self, dotted: &str) -> bool {
        let Some(capture) = dotted
            .strip_prefix(self.name)
            .and_then(|rest| rest.strip_prefix('.'))
        else {
            return false;
        };
        self.captures
            .as_ref()
            .is_none_or(|captures| captures.contains(&capture))
    }

    fn bound(&self) -> impl Iterator<Item = String> {
        self.captures
            .iter()
            .flatten()
            .map(|capture| format!("{}.{capture}", self.name))
    }
}

impl<'n> Register<'n> {
    /// Looks the names up, without judging anything.
    pub(super) fn of(root: &'n Node<'n>) -> Self {
        let deployment = root.get("deployment");
        let stated = |key: &str| deployment.is_some_and(|node| node.get(key).is_some());
        // Without any URL that is the mistake, not each shape.
        let none = !stated("rest") && !stated("mcp");
        let (rest, mcp) = (none || stated("rest"), none || stated("mcp"));
        Self {
            personas: declarations(root, "personas", rows)
                .map(|rows| rows.into_iter().flatten().collect()),
            clients: declarations(root, "clients", |name, _| name)
                .or_else(|| root.get("clients").is_none().then(Vec::new)),
            fixtures: declarations(root, "fixtures", |name, node| Object {
                name,
                captures: captures(node),
                findable: node.get("find").is_some(),
            })
            .or_else(|| root.get("fixtures").is_none().then(Vec::new)),
            reachable: [rest, mcp, mcp],
            within: Vec::new(),
        }
    }

    /// The rows that a value names, by their places: all of a persona, or the one of `persona@client`. None when the name is
    /// no persona's.
    pub(super) fn rows(&self, reader: &mut Reader<'_>, at: Span, name: &str) -> Vec<usize> {
        let Some(personas) = &self.personas else {
            return Vec::new();
        };
        let meant = |persona: &Declared<'_>| persona.name == name || persona.row.as_str() == name;
        let places = personas.iter().enumerate();
        let found: Vec<usize> = places
            .filter_map(|(place, persona)| meant(persona).then_some(place))
            .collect();
        if found.is_empty() {
            let mut known: Vec<&str> = personas.iter().map(|persona| persona.name).collect();
            known.dedup();
            known.extend(
                personas
                    .iter()
                    .filter(|persona| persona.client.is_some())
                    .map(|persona| persona.row.as_str()),
            );
            reader.unknown(at, "persona", name, &known);
        }
        found
    }

    /// The persona that a value names where only one can be meant: by the first of its clients, unless the value says which.
    pub(super) fn persona(&self, reader: &mut Reader<'_>, at: Span, name: &str) -> Option<usize> {
        self.rows(reader, at, name).first().copied()
    }

    /// The rows of the persona with this name in the file.
    pub(super) fn rows_of(&self, name: &str) -> impl Iterator<Item = &Declared<'n>> {
        let personas = self.personas.iter().flatten();
        personas.filter(move |persona| persona.name == name)
    }

    /// Whether a persona names the client.
    pub(super) fn is_signed_in_by(&self, client: &str) -> bool {
        let mut personas = self.personas.iter().flatten();
        personas.any(|persona| persona.client == Some(client))
    }

    /// The place of the client with this name in the file.
    pub(super) fn place_of_client(&self, name: &str) -> Option<usize> {
        let mut clients = self.clients.as_ref()?.iter();
        clients.position(|client| *client == name)
    }

    /// Complains of a name that is no client's.
    pub(super) fn client(&self, reader: &mut Reader<'_>, at: Span, name: &str) {
        if let (None, Some(clients)) = (self.place_of_client(name), &self.clients) {
            reader.unknown(at, "client", name, clients);
        }
    }

    /// The fixture that a value names, by its place in the file.
    pub(super) fn fixture(&self, reader: &mut Reader<'_>, node: &Node<'_>) -> Option<usize> {
        let Value::Text(name) = &node.value else {
            reader.wrong(node, "this fixture", "text");
            return None;
        };
        let fixtures = self.fixtures.as_ref()?;
        let found = fixtures.iter().position(|fixture| fixture.name == name);
        if found.is_none() {
            let known: Vec<&str> = fixtures.iter().map(|fixture| fixture.name).collect();
            reader.unknown(node.span, "fixture", name, &known);
        }
        found
    }

    /// Complains when the deployment has no URL for a shape.
    pub(super) fn reach(&self, reader: &mut Reader<'_>, shape: Named<'_>, door: Door) {
        if !self.reachable[door.index()] {
            reader.complain(shape.at, Kind::NoAddress { door });
        }
    }

    /// What templates may name where no fixture exists yet: the run's own values.
    pub(super) fn bare_scope(&self) -> Scope<'_> {
        self.scope(Vec::new(), false)
    }

    /// What stays the same for the whole run: its id, and when its objects expire.
    pub(super) fn run_scope(&self) -> Scope<'_> {
        Scope {
            run: &RUN[..2],
            ..self.bare_scope()
        }
    }

    /// What a fixture's steps on itself may name.
    pub(super) fn own_scope(&self, fixture: usize) -> Scope<'_> {
        self.scope(vec![fixture], false)
    }

    /// What an operation that uses these fixtures may name; `open` when `uses` is wrong already.
    pub(super) fn operation_scope(&self, uses: Vec<usize>, open: bool) -> Scope<'_> {
        Scope {
            open: open || self.fixtures.is_none(),
            ..self.scope(uses, true)
        }
    }

    fn scope(&self, bound: Vec<usize>, extensible: bool) -> Scope<'_> {
        Scope {
            declared: self.fixtures.as_deref().unwrap_or_default(),
            bound,
            extensible,
            open: false,
            run: &RUN,
        }
    }

    /// The declared fixture at an index.
    pub(super) fn object(&self, index: usize) -> Option<&Object<'n>> {
        self.fixtures.as_ref()?.get(index)
    }
}

/// The names that templates of one place may use.
pub(super) struct Scope<'r> {
    declared: &'r [Object<'r>],
    bound: Vec<usize>,
    /// Whether the author can bind more by `uses`.
    extensible: bool,
    open: bool,
    run: &'static [&'static str],
}

/// The values that every call binds; all but the last are the same for all of them.
const RUN: [&str; 3] = ["run.id", "run.expires", "tag"];

impl Scope<'_> {
    /// Text that may hold templates of this scope.
    pub(super) fn template(
        &self,
        reader: &mut Reader<'_>,
        node: &Node<'_>,
        text: &str,
    ) -> Option<Template> {
        self.check(reader, node, text)?;
        Template::parse(text).ok()
    }

    /// Complains of templates that are none of this scope.
    pub(super) fn check(&self, reader: &mut Reader<'_>, node: &Node<'_>, text: &str) -> Option<()> {
        let mut dangling = match needs(text) {
            Ok(names) => names,
            Err(malformed) => {
                reader.complain(
                    reader.narrow(node.span, "{{"),
                    Kind::MalformedTemplate(malformed.0),
                );
                return None;
            }
        };
        dangling.retain(|name| !self.binds(name));
        dangling.sort_unstable();
        dangling.dedup();
        for name in &dangling {
            // A name that a variable brought may be a secret.
            let written = node.as_text().is_some_and(|written| written.contains(name));
            let kind = self.dangling(if written { name } else { "…" });
            reader.complain(reader.narrow(node.span, name), kind);
        }
        dangling.is_empty().then_some(())
    }

    fn objects(&self) -> impl Iterator<Item = &Object<'_>> {
        self.bound
            .iter()
            .filter_map(|index| self.declared.get(*index))
    }

    fn binds(&self, name: &str) -> bool {
        self.open || self.run.contains(&name) || self.objects().any(|object| object.binds(name))
    }

    fn dangling(&self, name: &str) -> Kind {
        let bound: Vec<String> = self
            .run
            .iter()
            .map(|name| (*name).to_owned())
            .chain(self.objects().flat_map(Object::bound))
            .collect();
        let known: Vec<&str> = bound.iter().map(String::as_str).collect();
        let unused = self
            .declared
            .iter()
            .find(|object| self.extensible && object.binds(name));
        Kind::Dangling {
            name: name.to_owned(),
            near: nearest(name, &known).map(str::to_owned),
            unused: unused.map(|object| object.name.to_owned()),
            known: listed(&known),
        }
    }
}

fn declarations<'n, T>(
    root: &'n Node<'n>,
    key: &str,
    declare: impl Fn(&'n str, &'n Node<'n>) -> T,
) -> Option<Vec<T>> {
    let node = root
        .get(key)
        .filter(|node| matches!(node.value, Value::Map(_)))?;
    let mut seen = HashSet::new();
    let named = node
        .entries()
        .iter()
        .filter_map(|entry| Some((entry.key.as_text()?, &entry.value)));
    Some(
        named
            .filter(|(name, _)| seen.insert(*name))
            .map(|(name, node)| declare(name, node))
            .collect(),
    )
}

/// A persona once for each of its clients; once without one where it has none.
fn rows<'n>(name: &'n str, persona: &'n Node<'n>) -> Vec<Declared<'n>> {
    let signs_in = signs_in(persona);
    let row = |client: Option<&'n str>| Declared {
        name,
        client,
        row: client.map_or_else(
            || PersonaName::new(name),
            |client| PersonaName::by(name, client),
        ),
        signs_in,
    };
    let clients = clients(persona);
    if clients.is_empty() {
        return vec![row(None)];
    }
    clients.into_iter().map(Some).map(row).collect()
}

fn clients<'n>(persona: &'n Node<'n>) -> Vec<&'n str> {
    let mut seen = HashSet::new();
    let items = match persona.get("clients").map(|clients| &clients.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let names = items.iter().filter_map(Node::as_text);
    names.filter(|name| seen.insert(*name)).collect()
}

fn signs_in(persona: &Node<'_>) -> Option<bool> {
    let sign_in = persona.get("sign_in")?;
    match &sign_in.value {
        Value::Text(text) => (text == "none").then_some(false),
        Value::Map(_) => Some(true),
        _ => None,
    }
}

fn captures<'n>(fixture: &'n Node<'n>) -> Option<Vec<&'n str>> {
    let create = fixture
        .get("create")
        .filter(|create| matches!(create.value, Value::Map(_)))?;
    match create.get("capture") {
        None => Some(Vec::new()),
        Some(Node {
            value: Value::Map(entries),
            ..
        }) => entries.iter().map(|entry| entry.key.as_text()).collect(),
        Some(_) => None,
    }
}
