//! Personas, operations and doors in, every check by its index out: cells are derived, never copied.

mod written;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Door, OperationName, PersonaName};
use crate::scenario::{Demands, Lane, Operation, Persona, Scenario, SignIn, Stated};
use written::Written;

/// The shape of a run: who, what, where, and what is demanded. Indices run operation-major, then door, then persona.
///
/// In the matrix of a shard every operation of the plan has its place, so that an index means the same in each of them;
/// those of other shards have no cells.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Written")]
pub struct Matrix {
    /// Rows, in the order of the scenario.
    pub personas: Vec<Row>,
    /// Columns, in the order of the scenario.
    pub operations: Vec<Column>,
    /// Doors, in matrix order.
    pub doors: Vec<Door>,
    /// Indices of cells that nobody selected, called so that refusals of selected ones prove something; ascending.
    #[serde(default)]
    pub controls: Vec<usize>,
    /// How many calls other shards hold that a persona may make at each door; empty where there are none.
    pub elsewhere: Vec<[u32; 3]>,
}

/// So many things that operations demand are compared with what the next demands.
const USUAL: usize = 8;

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
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: OperationName,
    /// Whether a call that gets through changes something.
    pub mutates: bool,
    /// What is demanded of its cells. Empty where another shard calls the operation.
    pub demands: Demands,
}

impl Column {
    /// Whether another shard calls the operation.
    pub fn is_elsewhere(&self) -> bool {
        self.demands.is_empty()
    }
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
    pub demand: Stated<'m>,
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
            demands: operation.demands.clone(),
        };
        Self {
            personas: scenario.personas.iter().map(row).collect(),
            operations: scenario.operations.iter().map(column).collect(),
            doors,
            controls: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// The same with the cells of these operations alone, each in its place.
    #[must_use]
    pub fn part(mut self, share: &[bool]) -> Self {
        let whole = self.rights();
        let none = Demands::default();
        for (column, own) in self.operations.iter_mut().zip(share) {
            if !own {
                column.demands = none.clone();
            }
        }
        let mut controls = std::mem::take(&mut self.controls);
        controls.retain(|index| self.check(*index).is_some());
        self.controls = controls;
        let own = self.rights();
        let others = |(whole, own): (&[u32; 3], &[u32; 3])| {
            [0, 1, 2].map(|door| whole[door].saturating_sub(own[door]))
        };
        self.elsewhere = whole.iter().zip(&own).map(others).collect();
        self
    }

    /// Whether some of the plan's operations are other shards'.
    pub fn is_part(&self) -> bool {
        self.elsewhere.iter().flatten().any(|count| *count > 0)
            || self.operations.iter().any(Column::is_elsewhere)
    }

    /// How many calls each persona may make at each door, in [`Door::ALL`]'s order: those of the whole plan, so that
    /// every shard takes a persona for the same.
    pub fn rights(&self) -> Vec<[u32; 3]> {
        let mut rights = self.elsewhere.clone();
        rights.resize(self.personas.len(), [0; 3]);
        for (demands, times) in self.alike() {
            demands.add_rights(&self.doors, times, &mut rights);
        }
        rights
    }

    /// What operations demand, with how many demand it; most of them demand one of a few things.
    fn alike(&self) -> Vec<(&Demands, u32)> {
        let mut alike: Vec<(&Demands, u32)> = Vec::new();
        for column in &self.operations {
            let mut usual = alike.iter_mut().take(USUAL);
            match usual.find(|(known, _)| known.are_held_with(&column.demands)) {
                Some((_, times)) => *times += 1,
                None => alike.push((&column.demands, 1)),
            }
        }
        alike
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
        let (personas, doors) = (self.personas.len(), self.doors.len());
        let (persona, place) = (index.checked_rem(personas)?, index.checked_div(personas)?);
        let (door, operation) = (place.checked_rem(doors)?, place.checked_div(doors)?);
        self.at(operation, door, persona)
    }

    /// The check of operation × door (by its place in `doors`) × persona; `None` where there is none.
    pub fn at(&self, operation: usize, place: usize, persona: usize) -> Option<Check<'_>> {
        let door = *self.doors.get(place)?;
        let demand = self.operations.get(operation)?.demands.get(persona, door)?;
        Some(Check {
            index: self.index(operation, place, persona),
            operation,
            door,
            persona,
            demand,
        })
    }

    /// The index here of a check of a matrix that differs in doors alone; `None` where its door is not here.
    pub fn index_of(&self, check: &Check<'_>) -> Option<usize> {
        let door = self.doors.iter().position(|door| *door == check.door)?;
        Some(self.index(check.operation, door, check.persona))
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
        column.demands.set(persona, door, None);
    }

    /// Every check, in matrix order.
    pub fn checks(&self) -> Checks<'_> {
        self.checks_in(0..self.doors.len())
    }

    /// The checks at a door (by its place in `doors`), in matrix order.
    pub fn checks_at(&self, place: usize) -> Checks<'_> {
        self.checks_in(place..place + 1)
    }

    fn checks_in(&self, places: Range<usize>) -> Checks<'_> {
        Checks {
            matrix: self,
            column: 0,
            place: places.start,
            places,
            lane: Strip::none(),
        }
    }

    /// The cells of operation × door (by its place in `doors`), persona by persona; `None` where there is no check.
    pub fn lane(&self, operation: usize, place: usize) -> impl Iterator<Item = Option<Check<'_>>> {
        self.lane_of(operation, place).unwrap_or_else(Strip::none)
    }

    fn lane_of(&self, operation: usize, place: usize) -> Option<Strip<'_>> {
        let door = *self.doors.get(place)?;
        Some(Strip {
            operation,
            door,
            first: self.index(operation, place, 0),
            persona: 0,
            demands: self.operations.get(operation)?.demands.at(door),
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

/// The checks of a matrix, one after the other.
#[derive(Clone, Debug)]
pub struct Checks<'m> {
    matrix: &'m Matrix,
    /// The doors' places in the matrix.
    places: Range<usize>,
    /// The operation and the door's place that come next.
    column: usize,
    place: usize,
    lane: Strip<'m>,
}

/// The cells of an operation at a door, persona by persona.
#[derive(Clone, Debug)]
struct Strip<'m> {
    operation: usize,
    door: Door,
    /// Index of the first cell.
    first: usize,
    persona: usize,
    demands: Lane<'m>,
}

impl Strip<'_> {
    fn none() -> Self {
        Self {
            operation: 0,
            door: Door::Rest,
            first: 0,
            persona: 0,
            demands: Lane::none(),
        }
    }
}

impl<'m> Iterator for Strip<'m> {
    type Item = Option<Check<'m>>;

    #[inline]
    fn next(&mut self) -> Option<Option<Check<'m>>> {
        let demand = self.demands.next()?;
        let persona = self.persona;
        self.persona += 1;
        Some(demand.map(|demand| Check {
            index: self.first + persona,
            operation: self.operation,
            door: self.door,
            persona,
            demand,
        }))
    }
}

impl<'m> Iterator for Checks<'m> {
    type Item = Check<'m>;

    #[inline]
    fn next(&mut self) -> Option<Check<'m>> {
        loop {
            if let Some(check) = self.lane.find(Option::is_some) {
                return check;
            }
            self.lane = self.next_lane()?;
        }
    }
}

impl<'m> Checks<'m> {
    fn next_lane(&mut self) -> Option<Strip<'m>> {
        if self.place == self.places.end {
            self.column += 1;
            self.place = self.places.start;
        }
        let lane = self.matrix.lane_of(self.column, self.place);
        self.place += 1;
        lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Demand, Expectation};

    fn written(matrix: &Matrix) -> String {
        let mut json = String::new();
        matrix.put(&mut json).unwrap();
        json
    }

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
            ..Matrix::default()
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
    fn the_checks_of_a_door_and_of_a_lane_are_those_of_the_matrix() {
        let matrix = two_by_two();
        for (place, door) in matrix.doors.iter().enumerate() {
            let there = |check: &Check<'_>| check.door == *door;
            let all: Vec<usize> = matrix.checks().filter(there).map(|it| it.index).collect();
            let own = matrix.checks_at(place).map(|check| check.index);
            assert_eq!(own.collect::<Vec<_>>(), all);
            let lanes = (0..matrix.operations.len()).flat_map(|it| matrix.lane(it, place));
            let checks = lanes.flatten().map(|check| check.index);
            assert_eq!(checks.collect::<Vec<_>>(), all);
        }
        assert_eq!(matrix.checks_at(2).count(), 0);
        assert_eq!(
            matrix.lane(1, 0).map(|it| it.is_some()).collect::<Vec<_>>(),
            [false; 2]
        );
        assert_eq!(Matrix::default().checks().count(), 0);
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

    #[test]
    fn a_shard_keeps_the_places_of_the_plan_and_knows_everybodys_rights() {
        let whole = two_by_two();
        let part = whole.clone().part(&[false, true]);
        let cells: Vec<String> = part
            .checks()
            .map(|check| part.cell(&check).to_string())
            .collect();
        assert_eq!(cells, ["reader/purge/mcp", "admin/purge/mcp"]);
        for check in part.checks() {
            let same = whole.check(check.index).unwrap();
            assert_eq!(part.cell(&check), whole.cell(&same));
        }
        assert_eq!(part.rights(), whole.rights());
        assert!(part.is_part() && !whole.is_part());
    }

    #[test]
    fn a_shard_writes_down_no_operation_of_the_others() {
        let part = two_by_two().part(&[false, true]);
        let text = written(&part);
        assert!(!text.contains("list"), "{text}");
        let read: Matrix = serde_json::from_str(&text).unwrap();
        assert_eq!(read.len(), part.len());
        assert_eq!(read.operations[1], part.operations[1]);
        assert!(read.operations[0].is_elsewhere());
        assert_eq!(read.rights(), part.rights());
        let whole = two_by_two();
        let text = written(&whole);
        assert!(!text.contains("places") && !text.contains("elsewhere"));
        assert_eq!(serde_json::from_str::<Matrix>(&text).unwrap(), whole);
    }

    #[test]
    fn a_matrix_that_contradicts_itself_is_none() {
        let part = two_by_two().part(&[false, true]);
        let text = written(&part);
        for (old, new) in [
            ("\"places\":[1]", "\"places\":[2]"),
            ("\"places\":[1]", "\"places\":[0,1]"),
            ("\"places\":[1]", "\"places\":[]"),
            ("\"width\":2", "\"width\":9000000000"),
            ("\"rest\",\"mcp\"", "\"mcp\",\"mcp\""),
            ("\"elsewhere\":[", "\"elsewhere\":[[0,0,0],"),
            ("{\"name\":\"admin\",\"roles\":null,\"signs_in\":true}", ""),
        ] {
            let wrong = text.replacen(old, new, 1).replace(",]", "]");
            assert_ne!(wrong, text, "{old}");
            assert!(serde_json::from_str::<Matrix>(&wrong).is_err(), "{wrong}");
        }
    }
}
