//! Record in, its matrix as one Markdown table out.

use std::io;

use super::escape;
use crate::report::mark::{Mark, heading, sign};
use crate::report::record::{Entry, Record};
use crate::report::wording;

/// Columns that a page still shows side by side; beyond them a row is an operation at a door, and personas are columns.
const WIDE: usize = 24;

/// Writes the table.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let places = places(record);
    if places.len() > WIDE {
        by_operation(record, &places, out)
    } else {
        by_persona(record, &places, out)
    }
}

fn by_persona(
    record: &Record,
    places: &[(usize, usize)],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let matrix = record.matrix();
    write!(out, "| persona | roles |")?;
    for (operation, door) in places {
        let name = escape(matrix.operations[*operation].name.as_str());
        write!(out, " {name} {} |", heading(matrix.doors[*door]))?;
    }
    writeln!(out, "\n|{}", "---|".repeat(places.len() + 2))?;
    let mut line = String::new();
    for persona in personas(record) {
        let row = &matrix.personas[persona];
        let name = escape(row.name.as_str());
        write!(out, "| {name} | {} |", wording::roles(row, escape))?;
        for (operation, door) in places {
            let entry = record.entry_at(*operation, *door, persona);
            put_mark(entry.as_ref(), &mut line);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        line.clear();
    }
    Ok(())
}

fn by_operation(
    record: &Record,
    places: &[(usize, usize)],
    out: &mut impl io::Write,
) -> io::Result<()> {
    let matrix = record.matrix();
    let rows = &matrix.personas;
    let told: Vec<bool> = (0..rows.len()).map(|it| record.has_row(it)).collect();
    let personas = || rows.iter().zip(&told).filter(|(_, told)| **told);
    write!(out, "| operation | door |")?;
    for (row, _) in personas() {
        let name = escape(row.name.as_str());
        match wording::roles(row, escape) {
            roles if roles.is_empty() => write!(out, " {name} |")?,
            roles => write!(out, " {name} ({roles}) |")?,
        }
    }
    writeln!(out, "\n|{}", "---|".repeat(personas().count() + 2))?;
    let mut line = String::new();
    for (operation, door) in places {
        line.push_str("| ");
        line.push_str(&escape(matrix.operations[*operation].name.as_str()));
        line.push_str(" | ");
        line.push_str(heading(matrix.doors[*door]));
        line.push_str(" |");
        let cells = record.lane(*operation, *door).zip(&told);
        for (entry, _) in cells.filter(|(_, told)| **told) {
            put_mark(entry.as_ref(), &mut line);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        line.clear();
    }
    Ok(())
}

fn personas(record: &Record) -> impl Iterator<Item = usize> {
    let all = 0..record.matrix().personas.len();
    all.filter(|persona| record.has_row(*persona))
}

/// One square of the table, with the bar after it; no other bar stands in it.
fn put_mark(entry: Option<&Entry<'_>>, line: &mut String) {
    let mark = entry.map_or(Mark::ABSENT, Mark::of);
    line.push(' ');
    line.push(sign(mark.kind));
    let words = line.len();
    mark.put_words(line);
    if line.as_bytes()[words..].contains(&b'|') {
        let barred = line.split_off(words);
        line.push_str(&barred.replace('|', "/"));
    }
    line.push_str(" |");
}

/// Operation and door, by their indices, where at least one persona has a cell.
fn places(record: &Record) -> Vec<(usize, usize)> {
    let matrix = record.matrix();
    let all = (0..matrix.operations.len())
        .flat_map(|operation| (0..matrix.doors.len()).map(move |door| (operation, door)));
    let has_cell = |operation, door| record.lane(operation, door).any(|entry| entry.is_some());
    all.filter(|(operation, door)| has_cell(*operation, *door))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(operations: usize) -> Record {
        let demand = json!({"expectation": "allow", "line": 7});
        let operation = |number: usize| json!({"name": format!("op{number}"), "mutates": false, "demands": [[demand, demand, null], [demand, null, null]]});
        let operations: Vec<Value> = (0..operations).map(operation).collect();
        let event = json!({
            "type": "run.started", "tool": "0", "scenario": "s", "path": "p", "digest": "d", "mcp_refuses": "http",
            "matrix": {
                "personas": [
                    {"name": "reader", "roles": ["Products.Read"], "signs_in": true},
                    {"name": "nobody", "roles": null, "signs_in": false},
                ],
                "operations": operations,
                "doors": ["rest", "mcp"],
            },
        });
        let mut record = Record::default();
        record.hear(&serde_json::from_value(event).unwrap());
        record
    }

    fn table(operations: usize) -> Vec<String> {
        let mut out = Vec::new();
        write(&record(operations), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_too_wide_for_a_page_is_told_operation_by_operation() {
        let narrow = table(WIDE / 2);
        assert_eq!(narrow.len(), 2 + 2);
        assert!(narrow[0].starts_with("| persona | roles | op0 REST | op0 MCP | op1 REST |"));
        let tall = table(WIDE / 2 + 1);
        assert_eq!(tall.len(), 2 + WIDE + 2);
        assert_eq!(
            tall[0],
            "| operation | door | reader (Products.Read) | nobody (no token) |"
        );
        assert_eq!(tall[1], "|---|---|---|---|");
        assert_eq!(tall[2], "| op0 | REST | ? | ? |");
        assert_eq!(tall[3], "| op0 | MCP | ? | – |");
    }
}
