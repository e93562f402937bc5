//! `allow` and `expect` in, what the matrix demands of every cell of the operation out.

use super::call::Shapes;
use super::complaint::Kind;
use super::demanded::Rows;
use super::raw::{Node, Value};
use super::reader::{Fields, Named, Reader};
use super::register::Register;
use super::spelling::{listed, nearest};
use super::{Demand, Expectation};
use crate::cell::Door;

/// Reads the demands: `expect` before `allow`; everything not allowed is denied (401 to a persona that does not sign
/// in, 403 to the others). A cell that nothing decides is a complaint.
pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    shapes: &Shapes,
    register: &Register<'_>,
) -> Option<Rows> {
    let doors = [shapes.has_rest, shapes.has_mcp, shapes.has_mcp];
    let before = reader.found.len();
    let allow = fields
        .get("allow")
        .map(|allow| allowed(reader, allow, register));
    let personas = register.personas.as_ref().map_or(0, Vec::len);
    let mut demands: Rows = vec![[None, None, None]; personas];
    if let Some(expect) = fields.get("expect") {
        expected(reader, expect, register, doors, &mut demands);
    }
    let sound = reader.found.len() == before;
    match (fields.get("allow"), allow) {
        (Some(stated), Some(allow)) => fill(&mut demands, &allow, stated.at.line, register, doors),
        // After a wrong `expect`, a missing cell is no second mistake.
        _ if sound => undecided(reader, fields, register, doors, &demands),
        _ => {}
    }
    register.personas.is_some().then_some(demands)
}

fn allowed(reader: &mut Reader<'_>, named: Named<'_>, register: &Register<'_>) -> Vec<usize> {
    let mut allowed = Vec::new();
    for item in reader.list(named.node, "`allow`").unwrap_or_default() {
        let Some(name) = item.as_text() else {
            reader.wrong(item, "this persona", "text");
            continue;
        };
        let rows = register.rows(reader, item.span, name);
        if rows.iter().any(|row| allowed.contains(row)) {
            reader.complain(
                item.span,
                Kind::Repeated {
                    noun: "persona",
                    name: name.to_owned(),
                },
            );
        } else {
            allowed.extend(rows);
        }
    }
    allowed
}

fn fill(demands: &mut Rows, allow: &[usize], line: u32, register: &Register<'_>, doors: [bool; 3]) {
    let personas = register.personas.as_deref().unwrap_or_default();
    for (place, (row, persona)) in demands.iter_mut().zip(personas).enumerate() {
        let expectation = match persona.signs_in {
            _ if allow.contains(&place) => Expectation::Allow,
            Some(false) => Expectation::Unauthenticated,
            Some(true) | None => Expectation::Forbidden,
        };
        for (cell, _) in row
            .iter_mut()
            .zip(doors)
            .filter(|(cell, has)| *has && cell.is_none())
        {
            *cell = Some(Demand {
                expectation: expectation.clone(),
                line,
            });
        }
    }
}

fn expected(
    reader: &mut Reader<'_>,
    named: Named<'_>,
    register: &Register<'_>,
    doors: [bool; 3],
    demands: &mut Rows,
) {
    let mut entries = reader.entries(named.node, "`expect`").unwrap_or_default();
    // What is said of one client goes before what is said of all.
    entries.sort_by_key(|entry| entry.name.contains('@'));
    for entry in entries {
        let rows = register.rows(reader, entry.at, entry.name);
        let row = if matches!(entry.node.value, Value::Map(_)) {
            by_door(reader, entry, doors)
        } else {
            let demand = demand(reader, entry);
            doors.map(|has| demand.clone().filter(|_| has))
        };
        for place in rows {
            if let Some(demands) = demands.get_mut(place) {
                demands.clone_from(&row);
            }
        }
    }
}

fn by_door(reader: &mut Reader<'_>, named: Named<'_>, doors: [bool; 3]) -> [Option<Demand>; 3] {
    let mut row = [None, None, None];
    let entries = reader
        .entries(named.node, "this expectation")
        .unwrap_or_default();
    for entry in &entries {
        let demand = demand(reader, *entry);
        match entry.name.parse::<Door>() {
            Err(_) => reader.unknown(entry.at, "door", entry.name, &Door::ALL.map(Door::name)),
            Ok(door) if !doors[door.index()] => {
                reader.complain(entry.at, Kind::NoSuchDoor { door });
            }
            Ok(door) => row[door.index()] = demand,
        }
    }
    // `mcp` speaks for both eras unless the older one is stated too.
    if !entries
        .iter()
        .any(|entry| entry.name == Door::McpLegacy.name())
    {
        let [_, modern, legacy] = &mut row;
        legacy.clone_from(modern);
    }
    row
}

fn demand(reader: &mut Reader<'_>, named: Named<'_>) -> Option<Demand> {
    let line = named.at.line;
    expectation(reader, named.node).map(|expectation| Demand { expectation, line })
}

fn expectation(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Expectation> {
    let near = match &node.value {
        Value::List(items) => return statuses(reader, node, items).map(Expectation::Statuses),
        Value::Number(number) => match number.as_u64() {
            Some(401) => return Some(Expectation::Unauthenticated),
            Some(403) => return Some(Expectation::Forbidden),
            _ => None,
        },
        Value::Text(text) => match &**text {
            "allow" => return Some(Expectation::Allow),
            "deny" => return Some(Expectation::Deny),
            "hidden" => return Some(Expectation::Hidden),
            other => nearest(other, &["allow", "deny", "hidden", "401", "403"]),
        },
        Value::Null | Value::Bool(_) | Value::NoNumber | Value::Map(_) => None,
    };
    reader.complain(node.span, Kind::Expectation { near });
    None
}

fn statuses(reader: &mut Reader<'_>, node: &Node<'_>, items: &[Node<'_>]) -> Option<Vec<u16>> {
    if items.is_empty() {
        reader.complain(node.span, Kind::Empty { what: "statuses" });
        return None;
    }
    let mut statuses = Vec::with_capacity(items.len());
    for item in items {
        let number = if let Value::Number(number) = &item.value {
            number.as_u64()
        } else {
            None
        };
        match number
            .and_then(|number| u16::try_from(number).ok())
            .filter(|status| (100..600).contains(status))
        {
            None => reader.complain(item.span, Kind::Status),
            Some(status) if statuses.contains(&status) => {
                reader.complain(
                    item.span,
                    Kind::Repeated {
                        noun: "status",
                        name: status.to_string(),
                    },
                );
            }
            Some(status) => statuses.push(status),
        }
    }
    (statuses.len() == items.len()).then_some(statuses)
}

fn undecided(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    register: &Register<'_>,
    doors: [bool; 3],
    demands: &Rows,
) {
    let Some(personas) = &register.personas else {
        return;
    };
    let open: Vec<String> = personas
        .iter()
        .zip(demands)
        .flat_map(|(persona, row)| {
            let open = move |door: &Door| doors[door.index()] && row[door.index()].is_none();
            Door::ALL
                .into_iter()
                .filter(open)
                .map(move |door| format!("{} at {door}", persona.row))
        })
        .collect();
    if !open.is_empty() {
        let cells: Vec<&str> = open.iter().map(String::as_str).collect();
        reader.complain(
            fields.at,
            Kind::Undecided {
                cells: listed(&cells),
            },
        );
    }
}
