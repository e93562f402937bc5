//! The `waivers` list in, what somebody accepts for a while out; nothing that the file does not have, nothing for ever.

use super::complaint::{Kind, Span};
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};
use super::register::Register;
use super::{Operation, Profile, RedirectUri, Terms};
use crate::cell::Door;
use crate::code::{Class, Code, Reach};
use crate::day::Day;
use crate::requirement::Requirement;
use crate::waiver::{Area, NoArea, Subject, Waiver};

/// Days that a waiver holds at most: a year.
const LONGEST: i64 = 366;
/// A verdict names its waiver by a number of two bytes.
const MOST: usize = u16::MAX as usize;

/// What waivers may name; `None` where its part of the file cannot be read.
pub(super) struct Known<'k> {
    pub(super) register: &'k Register<'k>,
    pub(super) operations: Option<&'k [Operation]>,
    pub(super) clients: &'k [Profile],
    /// What the MCP door waives by itself.
    pub(super) terms: Option<&'k Terms>,
}

/// Reads the list.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>, known: &Known<'_>) -> Vec<Waiver> {
    let items = reader.list(named.node, "`waivers`").unwrap_or_default();
    if items.len() > MOST {
        reader.complain(named.at, Kind::TooLarge);
        return Vec::new();
    }
    let mut waivers: Vec<Waiver> = Vec::with_capacity(items.len());
    for item in items {
        let at = start(item);
        let Some(waiver) = waiver(reader, item, known) else {
            continue;
        };
        if let Some(what) = twice(&waiver, &waivers, known) {
            reader.complain(at, Kind::WaivedTwice { what });
        }
        waivers.push(waiver);
    }
    waivers
}

const KEYS: &[&str] = &["finding", "cells", "about", "reason", "owner", "until"];

fn waiver(reader: &mut Reader<'_>, item: &Node<'_>, known: &Known<'_>) -> Option<Waiver> {
    let fields = reader.fields(start(item), item, "this waiver", KEYS)?;
    let subject = fields
        .need(reader, "finding")
        .and_then(|finding| subject(reader, finding.node));
    let cells = cells(reader, &fields, subject, known);
    let about = about(reader, &fields, subject, known);
    let reason = words(reader, &fields, "reason");
    let owner = words(reader, &fields, "owner");
    let until = fields
        .need(reader, "until")
        .and_then(|until| day(reader, until.node));
    Some(Waiver {
        finding: subject?,
        cells: cells?,
        about: about?,
        reason: reason?,
        owner: owner?,
        until: until?,
        line: fields.at.line,
    })
}

/// The first line of an item: a map's own place is where its first key stands.
fn start(item: &Node<'_>) -> Span {
    let first = item.entries().first().map(|entry| entry.key.span);
    first.unwrap_or(item.span)
}

fn subject(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Subject> {
    let word = reader.plain(node, "`finding`")?;
    if let Ok(requirement) = word.parse::<Requirement>() {
        return Some(Subject::Requirement(requirement));
    }
    let Ok(code) = word.parse::<Code>() else {
        let waivable = Code::ALL.iter().filter(|code| code.reach().is_some());
        let ids = Requirement::ALL.iter().map(|known| known.id());
        let known: Vec<&str> = waivable.map(|code| code.name()).chain(ids).collect();
        reader.unknown(
            node.span,
            "finding",
            node.as_text().unwrap_or_default(),
            &known,
        );
        return None;
    };
    if code.reach().is_none() {
        let why = unwaivable(code);
        reader.complain(node.span, Kind::NotWaivable { code, why });
        return None;
    }
    Some(Subject::Code(code))
}

/// What to do in place of a waiver.
fn unwaivable(code: Code) -> &'static str {
    match (code, code.class()) {
        (Code::SpecMust | Code::SpecShould | Code::SpecUnproven | Code::OpenWithoutToken, _) => {
            "name the requirement that is not kept, such as `finding: C-19`; the HTTP+SSE pair has none and must go"
        }
        (Code::DoorsDisagree, _) => {
            "waive what is wrong with the cell itself, such as `leak`; the disagreement follows it"
        }
        (Code::StaleWaiver | Code::ExpiredWaiver, _) => "remove the waiver that it is about",
        (Code::UndeclaredRoute, _) => {
            "leave the route out with a reason: `deployment: { rest: { ignore: { \"GET /health\": reason } } }`"
        }
        (_, Class::Note) => "it closes no gate; leave the waiver out",
        (_, Class::Unproven) => "what could not be judged is never green; find out why",
        (_, Class::Residue) => "remove what is left behind",
        (_, Class::Fail) => "what it leaves unjudged is never green; repair it",
    }
}

fn cells(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    subject: Option<Subject>,
    known: &Known<'_>,
) -> Option<Vec<Area>> {
    let wanted = reach(subject) == Some(Reach::Cells);
    if !is_placed(reader, fields, "cells", subject, wanted) {
        return None;
    }
    let Some(named) = fields.get("cells") else {
        return Some(Vec::new());
    };
    let items = several(named.node);
    if items.is_empty() {
        reader.complain(named.node.span, Kind::Empty { what: "cells" });
    }
    let mut areas: Vec<Area> = Vec::with_capacity(items.len());
    for item in items {
        let Some(area) = area(reader, item, known) else {
            continue;
        };
        if areas.contains(&area) {
            let (noun, name) = ("cell", area.to_string());
            reader.complain(item.span, Kind::Repeated { noun, name });
        } else {
            areas.push(area);
        }
    }
    (!items.is_empty() && areas.len() == items.len()).then_some(areas)
}

fn about(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    subject: Option<Subject>,
    known: &Known<'_>,
) -> Option<Vec<String>> {
    let wanted = reach(subject) == Some(Reach::Names);
    if !is_placed(reader, fields, "about", subject, wanted) {
        return None;
    }
    let Some(about) = fields.get("about") else {
        return Some(Vec::new());
    };
    let names = reader.texts(about.node, "`about`", "name")?;
    if names.is_empty() {
        reader.complain(about.node.span, Kind::Empty { what: "names" });
    }
    if subject == Some(Subject::Code(Code::RedirectUnregistered)) {
        redirects(reader, about.node, known);
    }
    (!names.is_empty()).then_some(names)
}

/// A redirect that no client has would be waived for nothing.
fn redirects(reader: &mut Reader<'_>, node: &Node<'_>, known: &Known<'_>) {
    let clients = known.clients.iter();
    let stated = clients.flat_map(|client| &client.redirects);
    let stated: Vec<&str> = stated.map(RedirectUri::as_str).collect();
    for item in several(node) {
        if let Some(name) = item.as_text().filter(|name| !stated.contains(name)) {
            reader.unknown(item.span, "redirect", name, &stated);
        }
    }
}

fn reach(subject: Option<Subject>) -> Option<Reach> {
    match subject? {
        Subject::Code(code) => code.reach(),
        Subject::Requirement(_) => None,
    }
}

/// Whether a key is there where it is needed, and nowhere else; where it is unknown what the finding is, nothing more is said.
fn is_placed(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &'static str,
    subject: Option<Subject>,
    wanted: bool,
) -> bool {
    match (subject, fields.get(key)) {
        (Some(_), None) if wanted => fields.need(reader, key).is_some(),
        (Some(subject), Some(named)) if !wanted => {
            let finding = subject.to_string();
            reader.complain(named.at, Kind::WaiverAstray { key, finding });
            false
        }
        (_, _) => true,
    }
}

/// The items of a list, or the one thing that stands in its place.
fn several<'n>(node: &'n Node<'n>) -> &'n [Node<'n>] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn area(reader: &mut Reader<'_>, item: &Node<'_>, known: &Known<'_>) -> Option<Area> {
    let text = reader.plain(item, "this cell")?;
    let area = match text.parse::<Area>() {
        Ok(area) => area,
        Err(NoArea::Door(word)) => {
            let doors = Door::ALL.map(Door::name);
            reader.unknown(reader.narrow(item.span, &word), "door", &word, &doors);
            return None;
        }
        Err(NoArea::Parts) => {
            reader.complain(item.span, Kind::CellAddress { everything: false });
            return None;
        }
        Err(NoArea::Everything) => {
            reader.complain(item.span, Kind::CellAddress { everything: true });
            return None;
        }
    };
    exists(reader, item, &area, known).then_some(area)
}

/// Complains of an area whose names nothing declares, and of one without any cell.
fn exists(reader: &mut Reader<'_>, item: &Node<'_>, area: &Area, known: &Known<'_>) -> bool {
    let before = reader.found.len();
    if let Some(persona) = area.persona() {
        let at = reader.narrow(item.span, persona);
        known.register.rows(reader, at, persona);
    }
    let (Some(personas), Some(operations)) = (&known.register.personas, known.operations) else {
        return reader.found.len() == before;
    };
    if let Some(operation) = area.operation() {
        let names: Vec<&str> = operations.iter().map(|one| one.name.as_str()).collect();
        if !names.contains(&operation) {
            let at = reader.narrow(item.span, operation);
            reader.unknown(at, "operation", operation, &names);
        }
    }
    let has_cell = |operation: &Operation| {
        personas.iter().enumerate().any(|(place, persona)| {
            Door::ALL.into_iter().any(|door| {
                operation.demands.get(place, door).is_some()
                    && area.holds(&persona.row, &operation.name, door)
            })
        })
    };
    if reader.found.len() == before && !operations.iter().any(has_cell) {
        reader.complain(item.span, Kind::NoSuchCell);
    }
    reader.found.len() == before
}

fn words(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let named = fields.need(reader, key)?;
    let place = format!("`{key}`");
    let text = reader.plain(named.node, place.as_str())?;
    if text.trim().is_empty() {
        reader.complain(named.node.span, Kind::EmptyText { place });
        return None;
    }
    Some(text)
}

fn day(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Day> {
    let text = reader.plain(node, "`until`")?;
    let latest = reader.today().plus(LONGEST);
    match text.parse::<Day>() {
        Err(_no_day) => reader.complain(node.span, Kind::Date),
        Ok(until) if until > latest => {
            reader.complain(node.span, Kind::WaiverTooLong { latest });
        }
        Ok(until) => return Some(until),
    }
    None
}

/// What of a waiver an earlier one, or the MCP door, waives already.
fn twice(waiver: &Waiver, earlier: &[Waiver], known: &Known<'_>) -> Option<String> {
    let mut alike = earlier.iter().filter(|one| one.finding == waiver.finding);
    if let Subject::Requirement(requirement) = waiver.finding {
        let terms = known.terms;
        let at_door = terms.is_some_and(|terms| terms.waiver(requirement).is_some());
        return (at_door || alike.next().is_some()).then(|| requirement.to_string());
    }
    alike.find_map(|one| {
        let area = waiver.cells.iter().find(|area| one.cells.contains(area));
        let name = waiver.about.iter().find(|name| one.about.contains(name));
        area.map(ToString::to_string).or_else(|| name.cloned())
    })
}
