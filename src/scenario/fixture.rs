//! The `fixtures` map in, objects that a run can make, find, read and remove again out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value as Json;

use super::aim;
use super::call::{self, Shapes};
use super::complaint::{Kind, Span};
use super::identity;
use super::raw::Value;
use super::reader::{Fields, Named, Reader};
use super::register::{Object, Register, Scope};
use super::template::stays_in_place;
use super::{Fixture, McpCall, RestCall, Step};
use crate::cell::Door;

/// Reads the objects that a run makes for itself.
pub(super) fn read(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
) -> Vec<Fixture> {
    let fixtures = reader
        .names(named.node, "`fixtures`", "a fixture")
        .unwrap_or_default();
    let read = |(place, named)| fixture(reader, named, place, register);
    fixtures.into_iter().enumerate().filter_map(read).collect()
}

fn fixture(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    place: usize,
    register: &Register<'_>,
) -> Option<Fixture> {
    if matches!(named.name, "run" | "tag") {
        reader.complain(
            named.at,
            Kind::ReservedName {
                name: named.name.to_owned(),
            },
        );
    }
    let known = &["as", "create", "read", "find", "remove", "decoy", "settle"];
    let fields = reader.fields(named.at, named.node, "this fixture", known)?;
    let owner = fields
        .need(reader, "as")
        .and_then(|owner| owner_index(reader, owner, register));
    let (bare, own) = (register.bare_scope(), register.own_scope(place));
    let create = fields
        .need(reader, "create")
        .and_then(|named| capturing(reader, named, register, &bare));
    let read = fields
        .get("read")
        .map(|named| step(reader, named, register, &own, &["rest", "mcp"]));
    let find = fields
        .get("find")
        .map(|named| capturing(reader, named, register, &bare));
    let remove = fields
        .need(reader, "remove")
        .and_then(|named| Some((named.at, step(reader, named, register, &own, SHAPES)?)));
    let object = register.object(place);
    let decoy = fields
        .get("decoy")
        .map(|named| decoy(reader, named, object));
    let settle = settle(reader, &fields)?;
    if let (Some((_, remove)), Some(named)) = (&remove, fields.get("remove"))
        && keeps_to_its_own(reader, named.at, remove, object)
    {
        aim::check(reader, named.node, aim::shapes(remove), &register.within);
    }
    finds_what_remove_needs(
        reader,
        &fields,
        object,
        find.as_ref().and_then(Option::as_ref),
        remove.as_ref(),
    );
    if let (Some(at), Some((create, _))) = (fields.get("create"), &create) {
        marked(reader, at.at, create);
        aim::check(reader, at.node, aim::shapes(create), &register.within);
    }
    let decoy = settled(decoy)?;
    let decoy_may_exist = decoy.as_deref().is_some_and(may_exist);
    if let (true, None, Some(named)) = (decoy_may_exist, fields.get("read"), fields.get("decoy")) {
        reader.complain(named.at, Kind::DecoyDoubtful);
    }
    let (create, capture) = create?;
    let (find, find_capture) = settled(find)?.unzip();
    Some(Fixture {
        name: named.name.to_owned(),
        owner: owner?,
        create,
        capture,
        read: settled(read)?,
        find,
        find_capture: find_capture.unwrap_or_default(),
        remove: remove?.1,
        decoy,
        decoy_may_exist,
        settle,
        line: named.at.line,
    })
}

/// How long what is written takes to be seen; none where nothing is said.
fn settle(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Duration> {
    let Some(named) = fields.get("settle") else {
        return Some(Duration::ZERO);
    };
    if fields.get("read").is_none() && fields.get("find").is_none() {
        reader.complain(named.at, Kind::SettlesNothing);
    }
    reader.duration(named.node)
}

const SHAPES: &[&str] = &["rest", "mcp"];

/// A step with the values that it captures.
type Capturing = (Step, Vec<(String, String)>);

/// What is absent is fine; what is there and wrong is not.
#[expect(
    clippy::option_option,
    reason = "absent, wrong and read are three things"
)]
fn settled<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |read| read.map(Some))
}

fn owner_index(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
) -> Option<usize> {
    let Some(name) = named.node.as_text() else {
        reader.wrong(named.node, "the fixture's owner", "text");
        return None;
    };
    let owner = register.persona(reader, named.node.span, name)?;
    let declared = register.personas.as_ref()?.get(owner)?;
    if declared.signs_in == Some(false) {
        reader.complain(
            named.node.span,
            Kind::OwnerAnonymous {
                persona: name.to_owned(),
            },
        );
        return None;
    }
    Some(owner)
}

fn step(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
    scope: &Scope<'_>,
    known: &'static [&'static str],
) -> Option<Step> {
    let fields = reader.fields(named.at, named.node, "this step", known)?;
    whole(call::shapes(reader, &fields, register, scope))
}

fn whole(shapes: Shapes) -> Option<Step> {
    let Shapes {
        rest,
        mcp,
        has_rest,
        has_mcp,
    } = shapes;
    (rest.is_some() == has_rest && mcp.is_some() == has_mcp).then_some(Step { rest, mcp })
}

fn capturing(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
    scope: &Scope<'_>,
) -> Option<Capturing> {
    let fields = reader.fields(
        named.at,
        named.node,
        "this step",
        &["rest", "mcp", "capture"],
    )?;
    let shapes = call::shapes(reader, &fields, register, scope);
    let pointers = fields
        .get("capture")
        .map(|capture| pointers(reader, capture))
        .unwrap_or_default();
    Some((whole(shapes)?, pointers))
}

fn pointers(reader: &mut Reader<'_>, named: Named<'_>) -> Vec<(String, String)> {
    let entries = reader
        .names(named.node, "`capture`", "a capture")
        .unwrap_or_default();
    let read = |entry: Named<'_>| {
        Some((
            entry.name.to_owned(),
            identity::pointer(reader, entry.node)?,
        ))
    };
    entries.into_iter().filter_map(read).collect()
}

/// A `remove` that names no value of its own object would remove somebody else's.
fn keeps_to_its_own(
    reader: &mut Reader<'_>,
    at: Span,
    remove: &Step,
    object: Option<&Object<'_>>,
) -> bool {
    let Some(object) = object else { return false };
    let keeps = each_names(remove, |name| name == "tag" || object.binds(name));
    if !keeps {
        let fixture = object.name.to_owned();
        reader.complain(at, Kind::RemovesForeign { fixture });
    }
    keeps
}

/// What a creation makes is removed once it shows the call's tag or the run's id; without either it never would.
fn marked(reader: &mut Reader<'_>, at: Span, create: &Step) {
    let rest = create.rest.as_ref().map(RestCall::aims);
    let mcp = create.mcp.as_ref().map(McpCall::names);
    for (names, door) in [(rest, Door::Rest), (mcp, Door::Mcp)] {
        if names.is_some_and(|names| !names.iter().any(|name| marks(name))) {
            reader.complain(at, Kind::CreatesUnmarked { door });
        }
    }
    if create.rest.as_ref().is_some_and(writes_over) {
        reader.complain(at, Kind::CreatesOver);
    }
}

/// Whether a creation writes to what its path names, and names nothing new there.
pub(super) fn writes_over(call: &RestCall) -> bool {
    let names = call.target.names();
    aim::writes_in_place(&call.method) && !names.iter().any(|name| marks(name))
}

/// Whether a run-time value tells what a call made from what others made.
pub(super) fn marks(name: &str) -> bool {
    matches!(name, "tag" | "run.id")
}

/// What `find` finds is removed like what `create` made: it must carry the tag, and give all that `remove` names.
fn finds_what_remove_needs(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    object: Option<&Object<'_>>,
    find: Option<&Capturing>,
    remove: Option<&(Span, Step)>,
) {
    let (Some(object), Some(named), Some((step, taken))) = (object, fields.get("find"), find)
    else {
        return;
    };
    if !each_names(step, |name| name == "tag") {
        reader.complain(named.at, Kind::FindsForeign);
    }
    let captures = named.node.get("capture");
    for entry in captures.map_or(&[][..], |capture| capture.entries()) {
        let name = entry.key.as_text().unwrap_or_default();
        known_capture(reader, entry.key.span, name, object);
    }
    let needed = remove.map(|(_, remove)| names(remove)).unwrap_or_default();
    let prefix = format!("{}.", object.name);
    for capture in needed.iter().filter_map(|name| name.strip_prefix(&prefix)) {
        if !taken.iter().any(|(name, _)| name == capture) {
            let capture = capture.to_owned();
            reader.complain(named.at, Kind::FindsTooLittle { capture });
        }
    }
}

/// Whether each shape of a step names something of the wanted.
fn each_names(step: &Step, wanted: impl Fn(&str) -> bool) -> bool {
    let named = |names: Vec<String>| names.iter().any(|name| wanted(name));
    let rest = step.rest.as_ref().is_none_or(|call| named(call.aims()));
    let mcp = step.mcp.as_ref().is_none_or(|call| named(call.names()));
    rest && mcp
}

/// The dotted names that a step's shapes need, each once, sorted.
fn names(step: &Step) -> BTreeSet<String> {
    let rest = step.rest.iter().flat_map(RestCall::names);
    let mcp = step.mcp.iter().flat_map(McpCall::names);
    rest.chain(mcp).collect()
}

fn decoy(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    object: Option<&Object<'_>>,
) -> Option<Vec<(String, Json)>> {
    let entries = reader.entries(named.node, "`decoy`")?;
    let object = object?;
    for capture in object.captures.iter().flatten() {
        if !entries.iter().any(|entry| entry.name == *capture) {
            reader.complain(
                named.at,
                Kind::DecoyIncomplete {
                    capture: (*capture).to_owned(),
                },
            );
        }
    }
    let mut values = Vec::with_capacity(entries.len());
    for entry in entries {
        known_capture(reader, entry.at, entry.name, object);
        let Some(value) = decoy_value(reader, entry) else {
            continue;
        };
        if value.as_str().is_some_and(|text| !stays_in_place(text)) {
            reader.complain(entry.node.span, Kind::DecoyAstray);
        }
        values.push((entry.name.to_owned(), value));
    }
    Some(values)
}

/// Whether a decoy's values look like an object's, and none of them is nobody's.
fn may_exist(decoy: &[(String, Json)]) -> bool {
    let text = |(_, value): &(String, Json)| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    let texts: Vec<String> = decoy.iter().map(text).collect();
    let nobodys = texts.iter().any(|text| aim::is_nobodys(text));
    !nobodys && texts.iter().any(|text| aim::looks_like_id(text))
}

/// A number stays one, as a captured number does: a tool whose schema wants an integer refuses text before its guard.
fn decoy_value(reader: &mut Reader<'_>, entry: Named<'_>) -> Option<Json> {
    match &entry.node.value {
        Value::Number(number) => Some(Json::Number(number.clone())),
        _ => reader
            .plain(entry.node, format!("the decoy's `{}`", entry.name))
            .map(Json::String),
    }
}

fn known_capture(reader: &mut Reader<'_>, at: Span, name: &str, object: &Object<'_>) {
    let Some(captures) = &object.captures else {
        return;
    };
    if !captures.contains(&name) {
        reader.unknown(at, "capture", name, captures);
    }
}
