//! Rows of demands in, one value out that operations which demand the same hold together.

use std::collections::HashSet;
use std::slice;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::Result;

use super::{Demand, Expectation};
use crate::cell::Door;
use crate::json;

/// One row a persona, each with one demand a door in [`Door::ALL`]'s order; `None` where the operation has no such door.
pub(super) type Rows = Vec<[Option<Demand>; 3]>;

/// What the matrix demands of an operation's cells: one row a persona, each with one demand a door.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Demands {
    /// The first of the lines that state them; those of the rows are counted from it, so that operations which demand the
    /// same have the same rows.
    line: u32,
    rows: Arc<Rows>,
}

/// An expectation with the line that states it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stated<'d> {
    /// What must come back.
    pub expectation: &'d Expectation,
    /// Line in the file, from 1.
    pub line: u32,
}

impl Stated<'_> {
    fn put(self, json: &mut String) -> Result<()> {
        match self.expectation {
            Expectation::Statuses(_) => {
                json.push_str(r#"{"expectation":"#);
                json::put(json, self.expectation)?;
                json.push_str(r#","line":"#);
            }
            word => {
                json.push_str(r#"{"expectation":""#);
                json.push_str(&word.word());
                json.push_str(r#"","line":"#);
            }
        }
        json::put_number(json, self.line);
        json.push('}');
        Ok(())
    }
}

impl Demands {
    /// The demand of a cell; `None` where there is no such cell.
    pub fn get(&self, persona: usize, door: Door) -> Option<Stated<'_>> {
        let demand = self.rows.get(persona)?[door.index()].as_ref()?;
        Some(self.stated(demand))
    }

    /// The demands at a door, persona by persona.
    pub fn at(&self, door: Door) -> Lane<'_> {
        Lane {
            rows: self.rows.iter(),
            door,
            line: self.line,
        }
    }

    /// Whether they are known to demand the same as others: those that are held together with them.
    pub fn are_held_with(&self, others: &Self) -> bool {
        Arc::ptr_eq(&self.rows, &others.rows)
    }

    /// Counts the cells at these doors that each persona may call, for so many operations that demand the same.
    pub fn add_rights(&self, doors: &[Door], times: u32, rights: &mut [[u32; 3]]) {
        for (row, rights) in self.rows.iter().zip(rights) {
            for door in doors.iter().map(|door| door.index()) {
                let may = |demand: &Demand| demand.expectation.allows();
                rights[door] += times * u32::from(row[door].as_ref().is_some_and(may));
            }
        }
    }

    /// Replaces the demand of a cell; that of a persona who has none is let be.
    pub fn set(&mut self, persona: usize, door: Door, demand: Option<Demand>) {
        let mut rows = self.absolute();
        if let Some(row) = rows.get_mut(persona) {
            row[door.index()] = demand;
        }
        *self = rows.into();
    }

    /// How many personas there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Puts the JSON of the rows.
    ///
    /// # Errors
    /// None: it has string keys and no failing serializer.
    pub fn put(&self, json: &mut String) -> Result<()> {
        let mut before = "[[";
        for row in self.rows.iter() {
            for demand in row {
                json.push_str(before);
                match demand {
                    Some(demand) => self.stated(demand).put(json)?,
                    None => json.push_str("null"),
                }
                before = ",";
            }
            before = "],[";
        }
        json.push_str(if self.is_empty() { "[]" } else { "]]" });
        Ok(())
    }

    fn stated<'d>(&self, demand: &'d Demand) -> Stated<'d> {
        Stated {
            expectation: &demand.expectation,
            line: self.line.saturating_add(demand.line),
        }
    }

    /// The rows with the lines as they are.
    fn absolute(&self) -> Rows {
        let mut rows = Rows::clone(&self.rows);
        for demand in rows.iter_mut().flatten().flatten() {
            demand.line = self.line.saturating_add(demand.line);
        }
        rows
    }
}

/// What is demanded at one door, persona by persona; `None` where the operation has no such door.
#[derive(Clone, Debug)]
pub struct Lane<'d> {
    rows: slice::Iter<'d, [Option<Demand>; 3]>,
    door: Door,
    line: u32,
}

impl Lane<'_> {
    /// That of nobody.
    pub fn none() -> Self {
        Self {
            rows: slice::Iter::default(),
            door: Door::Rest,
            line: 0,
        }
    }
}

impl<'d> Iterator for Lane<'d> {
    type Item = Option<Stated<'d>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let demand = self.rows.next()?[self.door.index()].as_ref();
        Some(demand.map(|demand| Stated {
            expectation: &demand.expectation,
            line: self.line.saturating_add(demand.line),
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl From<Rows> for Demands {
    fn from(mut rows: Rows) -> Self {
        let lines = rows.iter().flatten().flatten().map(|demand| demand.line);
        let line = lines.min().unwrap_or_default();
        for demand in rows.iter_mut().flatten().flatten() {
            demand.line -= line;
        }
        Self {
            line,
            rows: Arc::new(rows),
        }
    }
}

impl<const N: usize> From<[[Option<Demand>; 3]; N]> for Demands {
    fn from(rows: [[Option<Demand>; 3]; N]) -> Self {
        Vec::from(rows).into()
    }
}

impl FromIterator<[Option<Demand>; 3]> for Demands {
    fn from_iter<I: IntoIterator<Item = [Option<Demand>; 3]>>(rows: I) -> Self {
        Vec::from_iter(rows).into()
    }
}

impl<'de> Deserialize<'de> for Demands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Rows::deserialize(deserializer).map(Self::from)
    }
}

/// Rows that are known, to be held once.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The first of them, which most operations have: to compare with them takes less than to make a hash.
    usual: Vec<Arc<Rows>>,
    others: HashSet<Arc<Rows>>,
}

/// So many are compared.
const USUAL: usize = 8;

impl Known {
    /// The same demands; where their rows are known, those.
    pub(super) fn shared(&mut self, demands: Demands) -> Demands {
        let Demands { line, rows } = demands;
        let mut usual = self.usual.iter();
        let known = usual.find(|known| **known == rows);
        if let Some(known) = known.or_else(|| self.others.get(&rows)) {
            let rows = Arc::clone(known);
            return Demands { line, rows };
        }
        if self.usual.len() < USUAL {
            self.usual.push(Arc::clone(&rows));
        } else {
            self.others.insert(Arc::clone(&rows));
        }
        Demands { line, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(lines: [u32; 2]) -> [Option<Demand>; 3] {
        let demand = |line| {
            Some(Demand {
                expectation: Expectation::Statuses([404].into()),
                line,
            })
        };
        [demand(lines[0]), None, demand(lines[1])]
    }

    #[test]
    fn demands_that_differ_in_place_alone_are_held_once() {
        let mut known = Known::default();
        let one = known.shared([row([7, 9]), row([8, 7])].into());
        let same = known.shared([row([17, 19]), row([18, 17])].into());
        let other = known.shared([row([17, 19]), row([18, 18])].into());
        assert!(Arc::ptr_eq(&one.rows, &same.rows));
        assert!(!Arc::ptr_eq(&one.rows, &other.rows));
        assert!(one.are_held_with(&same) && !one.are_held_with(&other));
        assert_eq!(same.get(1, Door::Rest).unwrap().line, 18);
        assert_eq!(same.get(1, Door::Mcp), None);
        assert_eq!(same.get(2, Door::Rest), None);
    }

    #[test]
    fn demands_are_written_with_their_own_lines_and_read_back() {
        let demands = Demands::from([row([7, 9]), [None, None, None]]);
        let mut text = String::new();
        demands.put(&mut text).unwrap();
        let cell = |line| format!(r#"{{"expectation":{{"statuses":[404]}},"line":{line}}}"#);
        let row = format!("[{},null,{}]", cell(7), cell(9));
        assert_eq!(text, format!("[{row},[null,null,null]]"));
        assert_eq!(serde_json::from_str::<Demands>(&text).unwrap(), demands);
    }

    #[test]
    fn a_demand_can_be_replaced() {
        let mut demands = Demands::from([row([7, 9]), row([8, 7])]);
        demands.set(0, Door::Rest, None);
        demands.set(1, Door::McpLegacy, None);
        assert_eq!(
            demands,
            [
                [None, None, row([7, 9])[2].clone()],
                [row([8, 7])[0].clone(), None, None]
            ]
            .into()
        );
        demands.set(0, Door::Rest, row([1, 1])[0].clone());
        assert_eq!(demands.get(0, Door::Rest).unwrap().line, 1);
        assert_eq!(demands.get(0, Door::McpLegacy).unwrap().line, 9);
    }
}
