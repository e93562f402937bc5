//! Scenario and selection in, the ordered list of checks out; pure, sends nothing.

mod conduct;
mod digest;
mod listing;
mod matrix;

use std::sync::Arc;

use crate::cell::Door;
use crate::scenario::{Operation, Scenario};

pub use conduct::Conduct;
pub use listing::Planned;
pub use matrix::{Check, Column, Matrix, Row};

/// What of the scenario is to be run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Doors to test; empty means every door of the scenario.
    pub doors: Vec<Door>,
    /// Send no mutating call at all, not even for objects of the run's own.
    pub read_only: bool,
}

/// What will be sent, in which order, and what must come back.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario that it was laid from.
    pub scenario: Arc<Scenario>,
    /// Its shape; doors that turn out not to answer are dropped by [`Plan::through`].
    pub matrix: Matrix,
    /// Groups in firing order: reads, then writes, then deletions.
    pub groups: Vec<Group>,
    /// 16 hex digits that change when anything that would be sent or demanded changes; addresses and secrets left out.
    pub digest: String,
    selection: Selection,
}

/// The cells of one operation at one door, in firing order: refusals before those that must get through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Index of the operation.
    pub operation: usize,
    /// Where.
    pub door: Door,
    /// How its calls may be made.
    pub conduct: Conduct,
    /// Matrix indices.
    pub cells: Vec<usize>,
}

impl Plan {
    /// Lays the plan of a scenario.
    pub fn lay(scenario: Arc<Scenario>, selection: Selection) -> Self {
        let doors: Vec<Door> = scenario
            .deployment
            .doors
            .iter()
            .copied()
            .filter(|door| selection.doors.is_empty() || selection.doors.contains(door))
            .filter(|door| {
                scenario
                    .operations
                    .iter()
                    .any(|operation| operation.has(*door))
            })
            .collect();
        let digest = digest::of(&scenario, &doors, selection.read_only);
        Self::with_doors(scenario, selection, doors, digest)
    }

    /// The same plan through these doors only, those that answer; its digest stays.
    #[must_use]
    pub fn through(&self, doors: &[Door]) -> Self {
        let kept = self
            .matrix
            .doors
            .iter()
            .copied()
            .filter(|door| doors.contains(door))
            .collect();
        Self::with_doors(
            Arc::clone(&self.scenario),
            self.selection.clone(),
            kept,
            self.digest.clone(),
        )
    }

    /// How many checks there are.
    pub fn checks(&self) -> usize {
        self.groups.iter().map(|group| group.cells.len()).sum()
    }

    /// Whether fixtures may be made: calls that mutate are allowed, on objects of the run's own.
    pub fn may_make_objects(&self) -> bool {
        self.scenario.deployment.disposable && !self.selection.read_only
    }

    fn with_doors(
        scenario: Arc<Scenario>,
        selection: Selection,
        doors: Vec<Door>,
        digest: String,
    ) -> Self {
        let matrix = Matrix::of(&scenario, doors);
        let groups = groups(&scenario, &matrix, &selection);
        Self {
            scenario,
            matrix,
            groups,
            digest,
            selection,
        }
    }
}

fn groups(scenario: &Scenario, matrix: &Matrix, selection: &Selection) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(scenario.operations.len() * matrix.doors.len());
    for (index, operation) in scenario.operations.iter().enumerate() {
        let conduct = conduct::of(scenario, operation, selection.read_only);
        for (place, door) in matrix
            .doors
            .iter()
            .enumerate()
            .filter(|(_, door)| operation.has(**door))
        {
            let cells = firing_order(matrix, index, place);
            groups.push(Group {
                operation: index,
                door: *door,
                conduct,
                cells,
            });
        }
    }
    groups.sort_by_key(|group| weight(&scenario.operations[group.operation]));
    groups
}

fn firing_order(matrix: &Matrix, operation: usize, door: usize) -> Vec<usize> {
    let mut cells: Vec<usize> = (0..matrix.personas.len())
        .map(|persona| matrix.index(operation, door, persona))
        .filter(|index| matrix.check(*index).is_some())
        .collect();
    cells.sort_by_key(|index| {
        matrix
            .check(*index)
            .is_some_and(|check| check.demand.expectation.allows())
    });
    cells
}

/// Reads first, deletions last, so that nothing is gone before it was asked for.
fn weight(operation: &Operation) -> u8 {
    let deletes = operation
        .rest
        .as_ref()
        .is_some_and(|call| call.method == "DELETE");
    match (operation.mutates, deletes) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    }
}
