//! Cells in, one readable clause out: who, what and where, each named once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::Matrix;

/// Names that one list shows before it counts the rest.
const NAMES: usize = 8;
/// Clauses that one sentence shows before it counts the rest.
const CLAUSES: usize = 6;

/// What one persona did: operations by index, with the doors (by index) of each set of operations.
type Reach = BTreeMap<Vec<usize>, Vec<usize>>;

/// Says "reader and anonymous {deed} createProduct at mcp and mcp-legacy; writer {deed} …", in matrix order.
pub(super) fn tell(matrix: &Matrix, cells: &[usize], deed: &str) -> String {
    let mut clauses = Vec::new();
    for (personas, reach) in gather(matrix, cells) {
        let who = list(
            personas
                .iter()
                .map(|index| matrix.personas[*index].name.as_str())
                .collect(),
        );
        for (doors, operations) in in_order(&reach) {
            let what = list(
                operations
                    .iter()
                    .map(|index| matrix.operations[*index].name.as_str())
                    .collect(),
            );
            let place = list(
                doors
                    .iter()
                    .map(|index| matrix.doors[*index].name())
                    .collect(),
            );
            clauses.push(format!("{who} {deed} {what} at {place}"));
        }
    }
    let more = clauses.len().saturating_sub(CLAUSES);
    clauses.truncate(CLAUSES);
    let mut text = clauses.join("; ");
    if more > 0 {
        let _ = write!(text, "; and so on, {} cells in all", cells.len());
    }
    text
}

/// Joins names: "a", "a and b", "a, b and c", "a, b, … and 12 more".
pub(super) fn list(mut names: Vec<&str>) -> String {
    let more = if names.len() > NAMES {
        names.split_off(NAMES - 1).len()
    } else {
        0
    };
    match (names.pop(), more) {
        (None, _) => String::new(),
        (Some(last), 0) if names.is_empty() => last.to_owned(),
        (Some(last), 0) => format!("{} and {last}", names.join(", ")),
        (Some(last), more) => {
            names.push(last);
            format!("{} and {more} more", names.join(", "))
        }
    }
}

/// Personas that did the same, in matrix order of the first of each.
fn gather(matrix: &Matrix, cells: &[usize]) -> Vec<(Vec<usize>, Reach)> {
    let (personas, doors) = (matrix.personas.len(), matrix.doors.len());
    let mut deeds: BTreeMap<usize, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    for cell in cells {
        let place = cell / personas;
        deeds
            .entry(cell % personas)
            .or_default()
            .entry(place / doors)
            .or_default()
            .push(place % doors);
    }
    let mut groups: Vec<(Vec<usize>, Reach)> = Vec::new();
    for (persona, operations) in deeds {
        let reach = by_doors(operations);
        match groups.iter_mut().find(|(_, known)| *known == reach) {
            Some((group, _)) => group.push(persona),
            None => groups.push((vec![persona], reach)),
        }
    }
    groups
}

fn by_doors(operations: BTreeMap<usize, Vec<usize>>) -> Reach {
    let mut reach = Reach::new();
    for (operation, doors) in operations {
        reach.entry(doors).or_default().push(operation);
    }
    reach
}

fn in_order(reach: &Reach) -> Vec<(&Vec<usize>, &Vec<usize>)> {
    let mut parts: Vec<_> = reach.iter().collect();
    parts.sort_by(|left, right| left.1.cmp(right.1));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::plan::{Column, Row};

    #[test]
    fn a_list_reads_like_a_sentence_and_counts_what_it_leaves_out() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        for (count, expected) in [
            (0, ""),
            (1, "a"),
            (2, "a and b"),
            (3, "a, b and c"),
            (8, "a, b, c, d, e, f, g and h"),
            (10, "a, b, c, d, e, f, g and 3 more"),
        ] {
            assert_eq!(list(names.iter().copied().take(count).collect()), expected);
        }
    }

    /// As many personas as operations, each of which did something else.
    fn matrix(personas: usize) -> Matrix {
        let row = |number: usize| Row {
            name: PersonaName::new(format!("p{number}")),
            roles: None,
            signs_in: true,
        };
        let column = |number: usize| Column {
            name: OperationName::new(format!("o{number}")),
            mutates: false,
            demands: vec![[None, None, None]; personas].into(),
        };
        Matrix {
            personas: (0..personas).map(row).collect(),
            operations: (0..personas).map(column).collect(),
            doors: vec![Door::Rest],
            ..Matrix::default()
        }
    }

    #[test]
    fn a_sentence_has_a_clause_a_deed_and_counts_the_cells_of_those_that_it_leaves_out() {
        for (personas, end) in [
            (1, "p0 met o0 at rest"),
            (6, "; p5 met o5 at rest"),
            (7, "; p5 met o5 at rest; and so on, 7 cells in all"),
        ] {
            let matrix = matrix(personas);
            let cells: Vec<usize> = (0..personas).map(|one| matrix.index(one, 0, one)).collect();
            let text = tell(&matrix, &cells, "met");
            assert!(
                text.starts_with("p0 met o0 at rest") && text.ends_with(end),
                "{text}"
            );
        }
    }
}
