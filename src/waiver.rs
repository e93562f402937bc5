//! A finding with its cells or names, a reason, an owner and a last day: what somebody accepts for a while.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cell::{Door, OperationName, PersonaName};
use crate::code::Code;
use crate::day::Day;
use crate::requirement::Requirement;

/// What somebody accepts for a while, and who and why.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Waiver {
    /// What is accepted.
    pub finding: Subject,
    /// Where, for a finding about cells; never empty then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Area>,
    /// Which, for a finding about tools or redirects; never empty then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, in UTC.
    pub until: Day,
    /// Line in the scenario, from 1.
    pub line: u32,
}

/// A waiver as it stands on the day of a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Dated {
    /// What is accepted.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// Days from the run to the waiver's last day; negative once it has run out.
    pub days_left: i64,
}

/// What a waiver accepts: a finding by its code, or that a requirement is not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A finding.
    Code(Code),
    /// A requirement of the MCP authorization chapter.
    Requirement(Requirement),
}

/// Cells by their address; any part may be any. It names what it names: `mcp` is that door alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Area {
    persona: Option<String>,
    operation: Option<String>,
    door: Option<Door>,
}

/// What became of a waiver in a run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It covers something.
    Used,
    /// What it names was judged, and is not wrong.
    Stale,
    /// Its last day is over.
    Expired,
    /// What it names was not judged, or fails for another reason.
    #[default]
    Idle,
}

impl Waiver {
    /// The same on a day.
    pub fn on(self, today: Day) -> Dated {
        Dated {
            days_left: today.days_to(self.until),
            waiver: self,
        }
    }

    /// Reason, owner and last day, as one piece of a sentence.
    pub fn words(&self) -> String {
        format!("{} ({}, until {})", self.reason, self.owner, self.until)
    }

    /// What it names, joined by commas; empty for a requirement.
    pub fn places(&self) -> String {
        let cells = self.cells.iter().map(Area::to_string);
        let all: Vec<String> = cells.chain(self.about.iter().cloned()).collect();
        all.join(", ")
    }

    /// What it accepts at these of its places: `leak at reader/drop/mcp`, `undeclared-tool about purge`, `C-19`.
    pub fn what(&self, places: &str) -> String {
        let finding = self.finding;
        match finding {
            Subject::Requirement(_) => finding.to_string(),
            Subject::Code(_) if self.about.is_empty() => format!("{finding} at {places}"),
            Subject::Code(_) => format!("{finding} about {places}"),
        }
    }
}

impl Dated {
    /// Whether its last day is not over.
    pub const fn holds(&self) -> bool {
        self.days_left >= 0
    }
}

impl Fate {
    /// The word's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => code.fmt(f),
            Self::Requirement(requirement) => requirement.fmt(f),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if let Ok(requirement) = word.parse() {
            return Ok(Self::Requirement(requirement));
        }
        let code = word.parse().map_err(serde::de::Error::custom)?;
        Ok(Self::Code(code))
    }
}

/// The part of an address that stands for any.
const ANY: &str = "*";

impl Area {
    /// Who, as written; `None` for anybody.
    pub fn persona(&self) -> Option<&str> {
        self.persona.as_deref()
    }

    /// What, as written; `None` for anything.
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Where; `None` for anywhere.
    pub const fn door(&self) -> Option<Door> {
        self.door
    }

    /// Whether a cell lies in it. A persona's name stands for each of its clients.
    pub fn holds(&self, persona: &PersonaName, operation: &OperationName, door: Door) -> bool {
        let is_persona = |name: &str| name == persona.as_str() || name == persona.persona();
        self.persona().is_none_or(is_persona)
            && self
                .operation()
                .is_none_or(|name| name == operation.as_str())
            && self.door.is_none_or(|known| known == door)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let persona = self.persona().unwrap_or(ANY);
        let operation = self.operation().unwrap_or(ANY);
        let door = self.door.map_or(ANY, Door::name);
        write!(f, "{persona}/{operation}/{door}")
    }
}

/// Why text is no address of cells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoArea {
    /// It has other than three parts, or an empty one.
    Parts,
    /// Each part is any: that would be every cell there is.
    Everything,
    /// Its third part names no door; it holds the part.
    Door(String),
}

impl fmt::Display for NoArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts => f.write_str("this is no cell"),
            Self::Everything => f.write_str("this is every cell there is"),
            Self::Door(word) => write!(f, "`{word}` is no door"),
        }
    }
}

impl std::error::Error for NoArea {}

impl FromStr for Area {
    type Err = NoArea;

    fn from_str(text: &str) -> Result<Self, NoArea> {
        let parts: Vec<&str> = text.split('/').collect();
        let [persona, operation, door] = parts[..] else {
            return Err(NoArea::Parts);
        };
        if parts.contains(&"") {
            return Err(NoArea::Parts);
        }
        let named = |part: &str| (part != ANY).then(|| part.to_owned());
        let door = match named(door) {
            Some(word) => Some(word.parse().map_err(|_unknown| NoArea::Door(word))?),
            None => None,
        };
        let area = Self {
            persona: named(persona),
            operation: named(operation),
            door,
        };
        if area.persona.is_none() && area.operation.is_none() && area.door.is_none() {
            return Err(NoArea::Everything);
        }
        Ok(area)
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Area {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_holds_what_its_parts_name_and_no_other_door() {
        let holds = |area: &str, persona: &str, operation: &str, door: Door| {
            let area: Area = area.parse().unwrap();
            area.holds(
                &PersonaName::new(persona),
                &OperationName::new(operation),
                door,
            )
        };
        let table = [
            ("reader/drop/mcp", "reader", "drop", Door::Mcp, true),
            ("reader/drop/mcp", "reader", "drop", Door::McpLegacy, false),
            ("reader/drop/mcp", "writer", "drop", Door::Mcp, false),
            ("reader/drop/mcp", "reader", "list", Door::Mcp, false),
            ("*/drop/mcp", "writer", "drop", Door::Mcp, true),
            ("reader/*/*", "reader", "list", Door::Rest, true),
            ("reader/*/*", "reader@app", "list", Door::Rest, true),
            ("reader@app/*/*", "reader@app", "list", Door::Rest, true),
            ("reader@app/*/*", "reader@web", "list", Door::Rest, false),
        ];
        for (area, persona, operation, door, expected) in table {
            assert_eq!(
                holds(area, persona, operation, door),
                expected,
                "{area} {persona}/{operation}/{door}"
            );
        }
    }

    #[test]
    fn an_area_reads_back_and_what_is_none_is_refused() {
        for text in ["reader/drop/mcp-legacy", "*/*/rest", "a@b/*/*"] {
            assert_eq!(text.parse::<Area>().unwrap().to_string(), text);
        }
        let table = [
            ("reader/drop", NoArea::Parts),
            ("reader/drop/mcp/x", NoArea::Parts),
            ("reader//mcp", NoArea::Parts),
            ("", NoArea::Parts),
            ("*/*/*", NoArea::Everything),
            ("reader/drop/rset", NoArea::Door("rset".to_owned())),
        ];
        for (text, why) in table {
            assert_eq!(text.parse::<Area>(), Err(why), "{text}");
        }
    }

    #[test]
    fn the_last_day_still_counts() {
        let waiver: Waiver = serde_json::from_value(serde_json::json!({
            "finding": "leak", "cells": ["reader/drop/mcp"], "reason": "r", "owner": "o", "until": "2026-12-31", "line": 3,
        }))
        .unwrap();
        let on = |day: &str| waiver.clone().on(day.parse().unwrap());
        let table = [
            ("2026-12-30", 1, true),
            ("2026-12-31", 0, true),
            ("2027-01-01", -1, false),
        ];
        for (day, left, holds) in table {
            assert_eq!((on(day).days_left, on(day).holds()), (left, holds), "{day}");
        }
    }
}
