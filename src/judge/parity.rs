//! Rulings in, the finding that two doors disagree about the same persona and operation out.

use std::collections::BTreeMap;

use super::control::Controls;
use super::finding::Finding;
use super::law::{self, Ruling};
use super::outcome::Outcome;
use super::roll::Roll;
use super::roster;
use super::waived::Covered;
use crate::code::Code;

/// A persona and operation with the indices of its cells that got through and of those that were refused. There are many
/// such pairs, so that all take the same room.
#[derive(Default)]
struct Split {
    through: Vec<usize>,
    refused: Vec<usize>,
}

/// What disagrees for one reason: the failing cells, and what got through by the doors that let it through and those that
/// refused it.
#[derive(Default)]
struct Dispute {
    cells: Vec<usize>,
    sides: BTreeMap<(Vec<usize>, Vec<usize>), Vec<usize>>,
}

/// What got through one door and was refused at another, unless the scenario demands just that: one finding for the run, and
/// one for each waiver that accepts what is wrong with the cells themselves.
///
/// Its cells are those of the pairs that fail; where one of the `others` tells them all, they are not told again. An answer
/// that flips is on neither side.
pub(super) fn disagreements(
    roll: &Roll<'_>,
    controls: &Controls,
    rulings: &[Option<Ruling>],
    covered: &Covered,
    others: &[Finding],
) -> Vec<Finding> {
    let mut disputes: BTreeMap<Option<u16>, Dispute> = BTreeMap::new();
    let mut split = Split::default();
    for operation in 0..roll.matrix.operations.len() {
        for persona in 0..roll.matrix.personas.len() {
            split.fill(roll, controls, rulings, (operation, persona));
            for (waiver, cells) in failing(roll, &split, rulings, covered) {
                let dispute = disputes.entry(waiver).or_default();
                let through = on_account(waiver, &split.through, rulings, covered);
                let sides = (doors(roll, &through), doors(roll, &split.refused));
                dispute.sides.entry(sides).or_default().extend(through);
                dispute.cells.extend(cells);
            }
        }
    }
    let finding = |(waiver, mut dispute): (Option<u16>, Dispute)| {
        dispute.cells.sort_unstable();
        let mut finding = Finding::new(Code::DoorsDisagree, String::new(), dispute.cells);
        let told = others.iter().find(|other| finding.is_beside(other));
        finding.detail = detail(roll, &dispute.sides, told);
        Finding { waiver, ..finding }
    };
    disputes.into_iter().map(finding).collect()
}

/// What got through on this waiver's account: what is accepted by another, or by none and fails, is told there.
fn on_account(
    waiver: Option<u16>,
    through: &[usize],
    rulings: &[Option<Ruling>],
    covered: &Covered,
) -> Vec<usize> {
    let told_here = |index: &&usize| {
        let own = covered.by(**index);
        own == waiver || own.is_none() && !fails(rulings, **index)
    };
    let here: Vec<usize> = through.iter().filter(told_here).copied().collect();
    if here.is_empty() {
        through.to_vec()
    } else {
        here
    }
}

impl Split {
    /// Takes a persona and operation in place of the last.
    fn fill(
        &mut self,
        roll: &Roll<'_>,
        controls: &Controls,
        rulings: &[Option<Ruling>],
        (operation, persona): (usize, usize),
    ) {
        self.through.clear();
        self.refused.clear();
        for door in 0..roll.matrix.doors.len() {
            let index = roll.matrix.index(operation, door, persona);
            let sight = roll.sight(index);
            let flips = sight
                .second
                .is_some_and(|second| !second.outcome.is_silent())
                || rulings.get(index) == Some(&Some(Ruling::Fail(Code::Flips)));
            let reading = sight.reading.filter(|_| sight.gap.is_none() && !flips);
            match reading.map(|reading| controls.settle(index, reading.outcome)) {
                Some(outcome) if law::reached(outcome) => self.through.push(index),
                Some(
                    Outcome::Unauthenticated
                    | Outcome::Forbidden
                    | Outcome::RefusedInBand
                    | Outcome::Hidden,
                ) => {
                    self.refused.push(index);
                }
                Some(_) | None => {}
            }
        }
    }
}

/// The failing cells of pairs whose disagreement nobody demands, by the waiver that accepts the one that is to blame.
fn failing(
    roll: &Roll<'_>,
    split: &Split,
    rulings: &[Option<Ruling>],
    covered: &Covered,
) -> BTreeMap<Option<u16>, Vec<usize>> {
    let mut failing: BTreeMap<Option<u16>, Vec<usize>> = BTreeMap::new();
    for through in &split.through {
        for refused in &split.refused {
            let Some(blamed) = to_blame(roll, *through, *refused) else {
                continue;
            };
            let waiver = covered.by(blamed);
            for cell in [*through, *refused] {
                if fails(rulings, cell) && covered.by(cell) == waiver {
                    failing.entry(waiver).or_default().push(cell);
                }
            }
        }
    }
    for cells in failing.values_mut() {
        cells.sort_unstable();
        cells.dedup();
    }
    failing
}

/// Of a cell that got through and one that was refused, the one that does not do as demanded; `None` where both do.
fn to_blame(roll: &Roll<'_>, through: usize, refused: usize) -> Option<usize> {
    if allows(roll, through) {
        allows(roll, refused).then_some(refused)
    } else {
        Some(through)
    }
}

fn fails(rulings: &[Option<Ruling>], index: usize) -> bool {
    matches!(rulings.get(index), Some(Some(Ruling::Fail(_))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::{self, saw};
    use crate::judge::{Reading, Sight, Waivers};
    use crate::plan::{Column, Matrix, Row};
    use crate::scenario::{Demand, Expectation};
    use crate::waiver::Dated;

    /// What is demanded of `reader` at REST, MCP and MCP legacy, and what it saw there.
    type Seen = [(Expectation, Sight); 3];

    /// The disagreements, by waiver: their cells' doors and their words. `owner` gets through everywhere.
    fn disagreements_of(
        seen: &Seen,
        waived: &[(&str, &str)],
    ) -> Vec<(Option<u16>, Vec<Door>, String)> {
        let row = |name: &str| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in: true,
        };
        let demand = |expectation: &Expectation| {
            let expectation = expectation.clone();
            Some(Demand {
                expectation,
                line: 1,
            })
        };
        let matrix = Matrix {
            personas: vec![row("owner"), row("reader")],
            operations: vec![Column {
                name: OperationName::new("drop"),
                mutates: false,
                demands: [
                    [0; 3].map(|_| demand(&Expectation::Allow)),
                    [0, 1, 2].map(|door: usize| demand(&seen[door].0)),
                ]
                .into(),
            }],
            doors: Door::ALL.to_vec(),
            ..Matrix::default()
        };
        let owner = saw(Outcome::Granted);
        let sights: Vec<Sight> = seen.iter().flat_map(|(_, sight)| [owner, *sight]).collect();
        let waivers: Vec<Dated> = waived
            .iter()
            .map(|(code, door)| {
                serde_json::from_value(serde_json::json!({
                    "finding": code, "cells": [format!("reader/drop/{door}")], "reason": "r", "owner": "o",
                    "until": "2026-12-31", "line": 7, "days_left": 99,
                }))
                .unwrap()
            })
            .collect();
        let roll = exhibit::roll(&matrix, &sights);
        let findings = roll.conclude_under(Waivers(&waivers)).findings;
        let own = findings
            .into_iter()
            .filter(|finding| finding.code == Code::DoorsDisagree);
        own.map(|finding| {
            let doors = finding
                .cells
                .iter()
                .map(|cell| matrix.check(*cell).unwrap().door);
            (finding.waiver, doors.collect(), finding.detail)
        })
        .collect()
    }

    fn and_then(first: Outcome, second: Outcome) -> Sight {
        Sight {
            second: Some(Reading::plain(second)),
            ..saw(first)
        }
    }

    #[test]
    fn what_a_waiver_accepts_and_what_nobody_does_are_told_apart() {
        use Expectation::{Allow, Forbidden};
        let (yes, no) = (saw(Outcome::Granted), saw(Outcome::Forbidden));
        let two_leaks = disagreements_of(
            &[(Forbidden, no), (Forbidden, yes), (Forbidden, yes)],
            &[("leak", "mcp")],
        );
        let told = |through: &str, cells: &str| {
            format!("{through} let through what rest refused: {cells}")
        };
        assert_eq!(
            two_leaks,
            [
                (Some(0), vec![Door::Mcp], told("mcp", "the cells of leak")),
                (
                    None,
                    vec![Door::McpLegacy],
                    told("mcp-legacy", "the cells of leak")
                ),
            ]
        );
        let lockout_and_leak = disagreements_of(
            &[(Allow, no), (Allow, yes), (Forbidden, yes)],
            &[("lockout", "rest")],
        );
        assert_eq!(
            lockout_and_leak,
            [
                (
                    Some(0),
                    vec![Door::Rest],
                    told("mcp", "the cells of lockout")
                ),
                (
                    None,
                    vec![Door::McpLegacy],
                    told("mcp and mcp-legacy", "the cells of leak")
                ),
            ]
        );
    }

    #[test]
    fn an_answer_that_flips_is_on_neither_side_and_silence_does_not_make_it_flip() {
        use Expectation::Forbidden;
        use Outcome::{Forbidden as No, Granted as Yes, NoAnswer, Unauthenticated};
        for (rest, disagree) in [
            (saw(No), true),
            (and_then(No, NoAnswer), true),
            (and_then(No, Unauthenticated), false),
            (and_then(No, Yes), false),
            (saw(NoAnswer), false),
        ] {
            let seen = [
                (Forbidden, rest),
                (Forbidden, saw(Yes)),
                (Forbidden, saw(NoAnswer)),
            ];
            let disagreements = disagreements_of(&seen, &[]);
            assert_eq!(!disagreements.is_empty(), disagree, "{rest:?}");
        }
    }
}
