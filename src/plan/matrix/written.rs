//! A matrix in, its JSON out, and back: of a shard's only its own operations are written, each with its place.

use serde::ser::{SerializeStruct as _, Serializer};
use serde::{Deserialize, Serialize};

use super::{Column, Matrix, Row};
use crate::cell::{Door, OperationName};
use crate::scenario::Demands;

/// Operations of a plan at most: a scenario has no room for more.
const MOST_OPERATIONS: usize = 1_000_000;

/// A matrix as it is written.
#[derive(Deserialize)]
pub(super) struct Written {
    personas: Vec<Row>,
    operations: Vec<Column>,
    doors: Vec<Door>,
    /// Where each of the operations stands among all of the plan; absent where they are all of it.
    places: Option<Vec<usize>>,
    /// How many the plan has.
    #[serde(default)]
    width: usize,
    #[serde(default)]
    elsewhere: Vec<[u32; 3]>,
    #[serde(default)]
    controls: Vec<usize>,
}

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = self.operations.iter().enumerate();
        let own = all.filter(|(_, column)| !column.is_elsewhere());
        let (places, columns): (Vec<usize>, Vec<&Column>) = own.unzip();
        let is_part = self.is_part();
        let mut matrix = serializer.serialize_struct("Matrix", 7)?;
        matrix.serialize_field("personas", &self.personas)?;
        matrix.serialize_field("operations", &columns)?;
        matrix.serialize_field("doors", &self.doors)?;
        if !self.controls.is_empty() {
            matrix.serialize_field("controls", &self.controls)?;
        }
        if is_part {
            matrix.serialize_field("places", &places)?;
            matrix.serialize_field("width", &self.operations.len())?;
            matrix.serialize_field("elsewhere", &self.elsewhere)?;
        }
        matrix.end()
    }
}

/// Why a written matrix is none.
const CONTRADICTS: &str = "a matrix that contradicts itself";

impl TryFrom<Written> for Matrix {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        if !written.agrees() {
            return Err(CONTRADICTS);
        }
        let Some(places) = written.places else {
            return Ok(Self {
                personas: written.personas,
                operations: written.operations,
                doors: written.doors,
                elsewhere: written.elsewhere,
                controls: written.controls,
            });
        };
        let mut operations = vec![elsewhere(); written.width];
        for (place, column) in places.into_iter().zip(written.operations) {
            operations[place] = column;
        }
        Ok(Self {
            personas: written.personas,
            operations,
            doors: written.doors,
            elsewhere: written.elsewhere,
            controls: written.controls,
        })
    }
}

/// An operation of another shard, whose name is not known here.
fn elsewhere() -> Column {
    Column {
        name: OperationName::new(""),
        mutates: false,
        demands: Demands::default(),
    }
}

impl Written {
    /// Whether every operation has a demand for every persona and a place of its own, so that an index can be taken apart.
    fn agrees(&self) -> bool {
        let all = self.personas.len();
        let mut columns = self.operations.iter();
        let distinct = |(at, door): (usize, &Door)| !self.doors[..at].contains(door);
        self.doors.iter().enumerate().all(distinct)
            && columns.all(|column| column.demands.len() == all)
            && (self.elsewhere.is_empty() || self.elsewhere.len() == all)
            && self.controls.is_sorted_by(|one, next| one < next)
            && self.are_placed()
    }

    fn are_placed(&self) -> bool {
        let Some(places) = &self.places else {
            return true;
        };
        self.width <= MOST_OPERATIONS
            && places.len() == self.operations.len()
            && places.is_sorted_by(|one, next| one < next)
            && places.last().is_none_or(|last| *last < self.width)
    }
}
