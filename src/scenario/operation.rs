//! The `operations` map in, what is attempted with every cell decided out; nothing that changes what is not ours.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::aim;
use super::call::{self, Shapes};
use super::complaint::{Kind, Span};
use super::fixture::{self, marks};
use super::raw::{Document, Node, Unread, Value};
use super::reader::{Fields, Named, Reader};
use super::register::Register;
use super::{Fixture, McpCall, McpMethod, Operation, RestCall, demand, mcp};
use crate::cell::OperationName;

/// The operations of a document.
pub(super) struct Read {
    /// In the order of the file.
    pub(super) all: Vec<Operation>,
    /// Those with a tool of which only the method says that they change nothing, by index, and where the tool's shape stands.
    unstated: Vec<(usize, Span)>,
}

/// Reads what is attempted, one operation after the other; `None` where the document says nothing of it.
///
/// # Errors
/// Where the document ends being one.
pub(super) fn read<'t>(
    reader: &mut Reader<'_>,
    root: &Node<'t>,
    document: &mut Document<'t>,
    register: &Register<'_>,
) -> Result<Option<Read>, Unread> {
    let Some(at) = document
        .long()
        .or_else(|| root.named("operations").map(|named| named.at))
    else {
        return Ok(None);
    };
    let mut read = Read {
        all: Vec::new(),
        unstated: Vec::new(),
    };
    let mut lines: HashMap<OperationName, u32, RandomState> = HashMap::default();
    while let Some(entry) = document.next()? {
        let Some(named) = reader.named(&entry) else {
            continue;
        };
        if let Some(first) = lines.get(named.name) {
            reader.repeated(named, *first);
            continue;
        }
        let name = OperationName::new(named.name);
        lines.insert(name.clone(), named.at.line);
        reader.name(named, "an operation");
        read.add(reader, named, name, register);
    }
    match root.get("operations") {
        Some(node) if !matches!(node.value, Value::Map(_)) => {
            reader.wrong(node, "`operations`", "a map");
        }
        _ if lines.is_empty() => reader.complain(at, Kind::Empty { what: "operations" }),
        _ => {}
    }
    read.all.shrink_to_fit();
    Ok(Some(read))
}

impl Read {
    fn add(
        &mut self,
        reader: &mut Reader<'_>,
        named: Named<'_>,
        name: OperationName,
        register: &Register<'_>,
    ) {
        let Some(operation) = operation(reader, named, name, register) else {
            return;
        };
        let has_tool = operation.mcp.as_ref().and_then(McpCall::tool).is_some();
        if !operation.mutates
            && has_tool
            && named.node.get("mutates").is_none()
            && let Some(shape) = named.node.get("mcp")
        {
            self.unstated.push((self.all.len(), shape.span));
        }
        self.all.push(operation);
    }

    /// Complains of operations that only the REST method says are harmless, and whose tool changes something elsewhere.
    pub(super) fn say_what_they_change(&self, reader: &mut Reader<'_>, fixtures: &[Fixture]) {
        let steps = fixtures.iter().flat_map(|one| [&one.create, &one.remove]);
        let steps = steps.filter_map(|step| step.mcp.as_ref()?.tool());
        let writes = self.all.iter().filter(|one| one.mutates);
        let writes = writes.filter_map(|one| one.mcp.as_ref()?.tool());
        let changing: HashSet<&str> = steps.chain(writes).collect();
        for (index, at) in &self.unstated {
            let tool = self.all[*index].mcp.as_ref().and_then(McpCall::tool);
            if let Some(tool) = tool.filter(|tool| changing.contains(tool)) {
                let tool = tool.to_owned();
                reader.complain(*at, Kind::MutatesElsewhere { tool });
            }
        }
    }
}

fn operation(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    name: OperationName,
    register: &Register<'_>,
) -> Option<Operation> {
    let known = &[
        "allow", "mutates", "uses", "creates", "settle", "rest", "mcp", "expect",
    ];
    let fields = reader.fields(named.at, named.node, "this operation", known)?;
    let uses = fields
        .get("uses")
        .map(|uses| fixtures(reader, uses.node, register));
    let creates = fields
        .get("creates")
        .map(|creates| register.fixture(reader, creates.node));
    let bound = uses
        .as_ref()
        .map(|uses| uses.places.clone())
        .unwrap_or_default();
    let scope =
        register.operation_scope(bound.clone(), uses.as_ref().is_some_and(|uses| uses.wrong));
    let shapes = call::shapes(reader, &fields, register, &scope);
    let demands = demand::read(reader, &fields, &shapes, register);
    let mutates = mutates(reader, &fields, &shapes)?;
    let settle = fields.get("settle").map(|named| {
        if !mutates || bound.is_empty() && creates.is_none() {
            reader.complain(named.at, Kind::SettlesNothing);
        }
        reader.duration(named.node)
    });
    let harm = Harm {
        mutates,
        uses: &bound,
        wrong: uses.is_some_and(|uses| uses.wrong),
    };
    let sound = reader.found.len();
    harmless(reader, &fields, &shapes, register, &harm);
    // What names no fixture yet is told that already.
    if mutates && reader.found.len() == sound {
        let calls = (shapes.rest.as_ref(), shapes.mcp.as_ref());
        aim::check(reader, named.node, calls, &register.within);
    }
    let Shapes {
        rest,
        mut mcp,
        has_rest,
        has_mcp,
    } = shapes;
    let whole = rest.is_some() == has_rest && mcp.is_some() == has_mcp;
    let creates = match creates {
        None => None,
        Some(place) => Some(place?),
    };
    if let Some(McpCall::Tool { name: tool, .. }) = &mut mcp
        && **tool == *name.as_str()
    {
        *tool = name.to_shared();
    }
    let line = named.at.line;
    whole.then_some(Operation {
        name,
        rest,
        mcp,
        mutates,
        uses: bound.into(),
        creates,
        settle: match settle {
            None => None,
            Some(length) => Some(length?),
        },
        demands: reader.demands.shared(demands?.into()),
        line,
    })
}

/// The fixtures that `uses` lists, and whether it lists anything that is none.
struct Uses {
    places: Vec<usize>,
    wrong: bool,
}

fn fixtures(reader: &mut Reader<'_>, node: &Node<'_>, register: &Register<'_>) -> Uses {
    let items = if let Value::List(items) = &node.value {
        items.as_slice()
    } else {
        std::slice::from_ref(node)
    };
    let mut uses = Uses {
        places: Vec::with_capacity(items.len()),
        wrong: false,
    };
    for item in items {
        match register.fixture(reader, item) {
            None => uses.wrong = true,
            Some(place) if uses.places.contains(&place) => {
                let name = item.as_text().unwrap_or_default().to_owned();
                reader.complain(
                    item.span,
                    Kind::Repeated {
                        noun: "fixture",
                        name,
                    },
                );
            }
            Some(place) => uses.places.push(place),
        }
    }
    uses
}

/// Whether a call changes something: what the author says, or what the method means (safe methods, RFC 9110 §9.2.1).
/// A tool's name means nothing, so an operation with a tool alone must say; every other request of MCP reads.
fn mutates(reader: &mut Reader<'_>, fields: &Fields<'_>, shapes: &Shapes) -> Option<bool> {
    if let Some(stated) = fields.get("mutates") {
        let flag = reader.flag(stated.node, "`mutates`");
        if let (Some(false), Some(method)) = (flag, unsafe_method(shapes)) {
            reader.complain(stated.node.span, Kind::MutatesDenied { method });
        }
        return flag;
    }
    if let Some(rest) = &shapes.rest {
        return Some(!matches!(
            &*rest.method,
            "GET" | "HEAD" | "OPTIONS" | "TRACE"
        ));
    }
    let shape = fields.get("mcp").filter(|_| !shapes.has_rest)?;
    if mcp::may_be_tool(shape.node) {
        reader.complain(fields.at, Kind::MutatesUnstated);
        return None;
    }
    let reads = shapes.mcp.as_ref()?.method() != McpMethod::CallTool;
    reads.then_some(false)
}

/// The method of a shape that changes something by its meaning; a POST may be a search.
fn unsafe_method(shapes: &Shapes) -> Option<String> {
    let method = &shapes.rest.as_ref()?.method;
    matches!(&**method, "PUT" | "PATCH" | "DELETE").then(|| method.to_string())
}

/// What an operation may do harm to.
struct Harm<'u> {
    mutates: bool,
    uses: &'u [usize],
    wrong: bool,
}

/// A call that changes something changes only what this run made.
fn harmless(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    shapes: &Shapes,
    register: &Register<'_>,
    harm: &Harm<'_>,
) {
    match (harm.mutates, fields.get("creates")) {
        (false, Some(creates)) => reader.complain(creates.at, Kind::CreatesReadOnly),
        (false, None) => {}
        (true, Some(creates)) => {
            tagged(reader, fields, shapes, register, creates);
            places_anew(reader, fields, shapes.rest.as_ref());
        }
        (true, None) if harm.wrong => {}
        (true, None) if harm.uses.is_empty() => reader.complain(fields.at, Kind::ChangesForeign),
        (true, None) => named_in_each(reader, fields, shapes, register, harm.uses),
    }
}

fn tagged(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    shapes: &Shapes,
    register: &Register<'_>,
    creates: Named<'_>,
) {
    let mut findable = register
        .fixtures
        .iter()
        .flatten()
        .filter(|object| object.findable);
    let found = findable.any(|object| creates.node.as_text() == Some(object.name));
    for door in shapes.without(|name| if found { name == "tag" } else { marks(name) }) {
        let kind = if found {
            Kind::CreatesUntagged { door }
        } else {
            Kind::CreatesUnmarked { door }
        };
        if let Some(shape) = fields.get(door.name()) {
            reader.complain(shape.at, kind);
        }
    }
}

/// A creation that writes to what its path names must name something new there.
fn places_anew(reader: &mut Reader<'_>, fields: &Fields<'_>, rest: Option<&RestCall>) {
    if let (Some(call), Some(shape)) = (rest, fields.get("rest"))
        && fixture::writes_over(call)
    {
        reader.complain(shape.at, Kind::CreatesOver);
    }
}

fn named_in_each(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    shapes: &Shapes,
    register: &Register<'_>,
    uses: &[usize],
) {
    let objects = || uses.iter().filter_map(|place| register.object(*place));
    let Some(first) = objects().next() else {
        return;
    };
    let capture = first
        .captures
        .as_ref()
        .and_then(|captures| captures.first())
        .copied()
        .unwrap_or("id");
    for door in shapes.without(|name| objects().any(|object| object.binds(name))) {
        if let Some(shape) = fields.get(door.name()) {
            let fixture = format!("{}.{capture}", first.name);
            reader.complain(shape.at, Kind::ShapeWithoutFixture { door, fixture });
        }
    }
}
