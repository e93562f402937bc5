//! A matrix in, its JSON out, and back: of a shard's only its own operations are written, each with its place.

use serde::Deserialize;
use serde_json::Result;

use super::{Column, Matrix, Row};
use crate::cell::{Door, OperationName};
use crate::json;
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

impl Matrix {
    /// Puts its JSON. It is long, most of it are demands, and serde's way to write them is felt.
    ///
    /// # Errors
    /// None: it has string keys and no failing serializer.
    pub fn put(&self, json: &mut String) -> Result<()> {
        json.push_str(r#"{"personas":"#);
        json::put(json, &self.personas)?;
        put_columns(json, &mut self.own().map(|(_, column)| column))?;
        json.push_str(r#","doors":"#);
        json::put(json, &self.doors)?;
        if !self.controls.is_empty() {
            json.push_str(r#","controls":"#);
            json::put(json, &self.controls)?;
        }
        if self.is_part() {
            let places: Vec<usize> = self.own().map(|(place, _)| place).collect();
            json.push_str(r#","places":"#);
            json::put(json, &places)?;
            json.push_str(r#","width":"#);
            json::put_number(json, self.operations.len());
            json.push_str(r#","elsewhere":"#);
            json::put(json, &self.elsewhere)?;
        }
        json.push('}');
        Ok(())
    }

    fn own(&self) -> impl Iterator<Item = (usize, &Column)> {
        let all = self.operations.iter().enumerate();
        all.filter(|(_, column)| !column.is_elsewhere())
    }
}

fn put_columns(json: &mut String, columns: &mut dyn Iterator<Item = &Column>) -> Result<()> {
    json.push_str(r#","operations":["#);
    let mut before = r#"{"name":"#;
    for column in columns {
        json.push_str(before);
        json::put_text(json, column.name.as_str());
        json.push_str(if column.mutates {
            r#","mutates":true,"demands":"#
        } else {
            r#","mutates":false,"demands":"#
        });
        column.demands.put(json)?;
        json.push('}');
        before = r#",{"name":"#;
    }
    json.push(']');
    Ok(())
}

/// Why a written matrix is none.
const CONTRADICTS: &str = "a matrix that contradicts itself";

impl TryFrom<Written> for Matrix {
    type Error = &'static str;

    fn try_from(written: Written) -> std::result::Result<Self, &'static str> {
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
