//! Rulings in, the finding that two doors disagree about the same persona and operation out.

use std::collections::BTreeMap;

use super::control::Controls;
use super::finding::Finding;
use super::law::{self, Ruling};
use super::outcome::Outcome;
use super::roll::Roll;
use super::roster;
use crate::code::Code;

/// A persona and operation with the indices of its cells that got through and of those that were refused.
#[derive(Default)]
struct Split {
    through: Vec<usize>,
    refused: Vec<usize>,
}

/// One finding for the run: what got through one door and was refused at another, unless the scenario demands just that.
///
/// Its cells are those of the pairs that fail; where one of the `others` tells them all, they are not told again. An answer
/// that flips is on neither side.
pub(super) fn disagreement(
    roll: &Roll<'_>,
    controls: &Controls,
    rulings: &[Option<Ruling>],
    others: &[Finding],
) -> Option<Finding> {
    let mut cells = Vec::new();
    let mut sides: BTreeMap<(Vec<usize>, Vec<usize>), Vec<usize>> = BTreeMap::new();
    for operation in 0..roll.matrix.operations.len() {
        for persona in 0..roll.matrix.personas.len() {
            let split = split(roll, controls, rulings, operation, persona);
            let failing = failing(roll, &split, rulings);
            if !failing.is_empty() {
                sides
                    .entry((doors(roll, &split.through), doors(roll, &split.refused)))
                    .or_default()
                    .extend(&split.through);
                cells.extend(failing);
            }
        }
    }
    cells.sort_unstable();
    if cells.is_empty() {
        return None;
    }
    let mut finding = Finding::new(Code::DoorsDisagree, String::new(), cells);
    let told = others.iter().find(|other| finding.is_beside(other));
    finding.detail = detail(roll, &sides, told);
    Some(finding)
}

fn split(
    roll: &Roll<'_>,
    controls: &Controls,
    rulings: &[Option<Ruling>],
    operation: usize,
    persona: usize,
) -> Split {
    let mut split = Split::default();
    for door in 0..roll.matrix.doors.len() {
        let index = roll.matrix.index(operation, door, persona);
        let sight = roll.sight(index);
        let flips = sight
            .second
            .is_some_and(|second| !second.outcome.is_silent())
            || rulings.get(index) == Some(&Some(Ruling::Fail(Code::Flips)));
        let reading = sight.reading.filter(|_| sight.gap.is_none() && !flips);
        match reading.map(|reading| controls.settle(index, reading.outcome)) {
            Some(outcome) if law::reached(outcome) => split.through.push(index),
            Some(
                Outcome::Unauthenticated
                | Outcome::Forbidden
                | Outcome::RefusedInBand
                | Outcome::Hidden,
            ) => {
                split.refused.push(index);
            }
            Some(_) | None => {}
        }
    }
    split
}

/// The failing cells of pairs whose disagreement nobody demands.
fn failing(roll: &Roll<'_>, split: &Split, rulings: &[Option<Ruling>]) -> Vec<usize> {
    let undemanded =
        |through: usize, refused: usize| !allows(roll, through) || allows(roll, refused);
    let disputed = |index: &usize, pairs: &[usize], is_through: bool| {
        pairs.iter().any(|other| {
            if is_through {
                undemanded(*index, *other)
            } else {
                undemanded(*other, *index)
            }
        })
    };
    let through = split
        .through
        .iter()
        .filter(|index| disputed(index, &split.refused, true));
    let refused = split
        .refused
        .iter()
        .filter(|index| disputed(index, &split.through, false));
    let fails = |index: &usize| matches!(rulings.get(*index), Some(Some(Ruling::Fail(_))));
    through.chain(refused).copied().filter(fails).collect()
}

fn allows(roll: &Roll<'_>, index: usize) -> bool {
    roll.matrix
        .check(index)
        .is_some_and(|check| check.demand.expectation.allows())
}

fn doors(roll: &Roll<'_>, cells: &[usize]) -> Vec<usize> {
    cells
        .iter()
        .map(|cell| cell / roll.matrix.personas.len() % roll.matrix.doors.len())
        .collect()
}

fn detail(
    roll: &Roll<'_>,
    sides: &BTreeMap<(Vec<usize>, Vec<usize>), Vec<usize>>,
    told: Option<&Finding>,
) -> String {
    let names = |doors: &[usize]| {
        roster::list(
            doors
                .iter()
                .map(|door| roll.matrix.doors[*door].name())
                .collect(),
        )
    };
    let clauses = sides.iter().map(|((through, refused), cells)| {
        let mut cells = cells.clone();
        cells.sort_unstable();
        let what = match told {
            Some(other) => format!("the cells of {}", other.code),
            None => roster::tell(roll.matrix, &cells, "got through"),
        };
        format!(
            "{} let through what {} refused: {what}",
            names(through),
            names(refused)
        )
    });
    clauses.collect::<Vec<_>>().join("; moreover, ")
}
