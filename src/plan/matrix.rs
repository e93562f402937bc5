//! Personas, operations and doors in, every check by its index out: cells are derived, never copied.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Door, OperationName, PersonaName};
use crate::scenario::{Demand, Operation, Persona, Scenario, SignIn};

/// The shape of a run: who, what, where, and what is demanded. Indices run operation-major, then door, then persona.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Matrix {
    /// Rows, in the order of the scenario.
    pub personas: Vec<Row>,
    /// Columns, in the order of the scenario.
    pub operations: Vec<Column>,
    /// Doors, in matrix order.
    pub doors: Vec<Door>,
    /// Indices of cells that nobody selected, called so that refusals of selected ones prove something; ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<usize>,
}

/// A persona as a row of the matrix.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: PersonaName,
    /// Its declared roles; `None` when the author does not say.
    pub roles: Option<Vec<String>>,
    /// Whether it signs in.
    pub signs_in: bool,
}

/// An operation as columns of the matrix, one for each door.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: OperationName,
    /// Whether a call that gets through changes something.
    pub mutates: bool,
    /// One entry a persona, each with one a door in [`Door::ALL`]'s order; `None` where there is no such cell.
    pub demands: Arc<[[Option<Demand>; 3]]>,
}

/// A cell with what is demanded of it.
#[derive(Clone, Copy, Debug)]
pub struct Check<'m> {
    /// Its index in the matrix.
    pub index: usize,
    /// Index of the operation.
    pub operation: usize,
    /// Where.
    pub door: Door,
    /// Index of the persona.
    pub persona: usize,
    /// What must come back, and the line that says so.
    pub demand: &'m Demand,
}

impl Matrix {
    /// The matrix of a scenario at these doors.
    pub fn of(scenario: &Scenario, doors: Vec<Door>) -> Self {
        let row = |persona: &Persona| Row {
            name: persona.name.clone(),
            roles: persona.roles.clone(),
            signs_in: !matches!(persona.sign_in, SignIn::None),
        };
        let column = |operation: &Operation| Column {
            name: operation.name.clone(),
            mutates: operation.mutates,
            demands: Arc::clone(&operation.demands),
        };
        Self {
            personas: scenario.personas.iter().map(row).collect(),
            operations: scenario.operations.iter().map(column).collect(),
            doors,
            controls: Vec::new(),
        }
    }

    /// How many indices there are, those without a check included.
    pub fn len(&self) -> usize {
        self.operations.len() * self.doors.len() * self.personas.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of operation × door (by its place in `doors`) × persona.
    pub fn index(&self, operation: usize, door: usize, persona: usize) -> usize {
        (operation * self.doors.len() + door) * self.personas.len() + persona
    }

    /// The check at an index; `None` where the operation has no such door or the cell was not selected.
    pub fn check(&self, index: usize) -> Option<Check<'_>> {
        let persona = index % self.personas.len();
        let place = index / self.personas.len();
        let door = *self.doors.get(place % self.doors.len())?;
        let operation = place / self.doors.len();
        let demand = self.operations.get(operation)?.demands[persona][door.index()].as_ref()?;
        Some(Check {
            index,
            operation,
            door,
            persona,
            demand,
        })
    }

    /// Whether the cell at an index is there for others alone.
    pub fn is_control(&self, index: usize) -> bool {
        self.controls.binary_search(&index).is_ok()
    }

    /// Takes the check at an index out.
    pub(super) fn leave_out(&mut self, index: usize) {
        let (persona, place) = (index % self.personas.len(), index / self.personas.len());
        let door = self.doors[place % self.doors.len()];
        let column = &mut self.operations[place / self.doors.len()];
        Arc::make_mut(&mut column.demands)[persona][door.index()] = None;
    }

    /// Every check, in matrix order.
    pub fn checks(&self) -> impl Iterator<Item = Check<'_>> {
        let doors = self.doors.len();
        let (columns, personas) = (self.operations.iter().enumerate(), self.personas.len());
        columns.flat_map(move |(operation, column)| {
            self.doors
                .iter()
                .enumerate()
                .flat_map(move |(place, door)| {
                    let first = (operation * doors + place) * personas;
                    let rows = column.demands.iter().enumerate();
                    rows.filter_map(move |(persona, demands)| {
                        Some(Check {
                            index: first + persona,
                            operation,
                            door: *door,
                            persona,
                            demand: demands[door.index()].as_ref()?,
                        })
                    })
                })
        })
    }

    /// The address of a check.
    pub fn cell(&self, check: &Check<'_>) -> Cell {
        Cell {
            persona: self.personas[check.persona].name.clone(),
            operation: self.operations[check.operation].name.clone(),
            door: check.door,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Expectation;

    fn two_by_two() -> Matrix {
        let row = |name: &str| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in: true,
        };
        let demand = |line| {
            Some(Demand {
                expectation: Expectation::Allow,
                line,
            })
        };
        let column = |name: &str, rest, mcp| Column {
            name: OperationName::new(name),
            mutates: false,
            demands: vec![[rest, mcp, None]; 2].into(),
        };
        Matrix {
            personas: vec![row("reader"), row("admin")],
            operations: vec![
                column("list", demand(1), demand(1)),
                column("purge", None, demand(2)),
            ],
            doors: vec![Door::Rest, Door::Mcp],
            controls: Vec::new(),
        }
    }

    #[test]
    fn an_index_leads_to_its_check_and_back() {
        let matrix = two_by_two();
        for check in matrix.checks() {
            let door = matrix.doors.iter().position(|door| *door == check.door);
            let index = matrix.index(check.operation, door.unwrap(), check.persona);
            assert_eq!(index, check.index);
        }
        assert!(matrix.check(matrix.len()).is_none());
    }

    #[test]
    fn an_operation_without_a_door_has_no_cell_there() {
        let matrix = two_by_two();
        let cells: Vec<String> = matrix
            .checks()
            .map(|check| matrix.cell(&check).to_string())
            .collect();
        assert_eq!(
            cells,
            [
                "reader/list/rest",
                "admin/list/rest",
                "reader/list/mcp",
                "admin/list/mcp",
                "reader/purge/mcp",
                "admin/purge/mcp"
            ]
        );
    }
}
