//! Events in, lines of the record out; and such lines in, what they say out.

mod written;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Result;

use super::event::Event;
pub use written::{Head, Moment, Written};

/// Event types of this version; a line of any other type comes from a newer one and is passed over.
const KNOWN: [&str; 26] = [
    "run.started",
    "waiver.stated",
    "door.found",
    "token.acquired",
    "token.renewed",
    "fixture.making",
    "fixture.unmade",
    "fixture.made",
    "cell.observed",
    "deployment.looked-at",
    "deployment.settled",
    "round.started",
    "cell.repeated",
    "cell.settled",
    "cell.finished",
    "cells.passed",
    "tools.listed",
    "tool.tried",
    "routes.known",
    "coverage.compared",
    "requirement.checked",
    "finding",
    "cleanup.started",
    "waiver.weighed",
    "cleanup",
    "run.finished",
];

/// One line of the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The run's id.
    pub run_id: String,
    /// Position in the record, from 0.
    pub seq: u64,
    /// RFC 3339 time in UTC, milliseconds.
    pub at: String,
    /// What happened.
    pub event: Event,
}

/// What a line says of itself: whose it is, and what sort of thing it tells. That is looked at first.
#[derive(Debug, Deserialize)]
pub struct Label<'l> {
    /// What the line is written by.
    #[serde(borrow)]
    pub schema: Cow<'l, str>,
    /// The run's id.
    #[serde(borrow)]
    pub run_id: Cow<'l, str>,
    /// The event's type.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'l, str>,
    seq: Option<u64>,
    #[serde(borrow)]
    at: Option<Cow<'l, str>>,
}

impl Line {
    /// Puts the line's JSON, without a line break.
    ///
    /// # Errors
    /// None: an event has string keys and no failing serializer.
    pub fn put(&self, json: &mut String) -> Result<()> {
        let line = Written {
            head: &Head::of(&self.run_id),
            seq: self.seq,
            at: &Moment::of(&self.at),
            event: &self.event,
        };
        line.put(json)
    }

    /// Reads a line of any schema.
    ///
    /// # Errors
    /// It is no JSON, or tells no event.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Label::read(bytes)?.line(bytes)
    }
}

impl<'l> Label<'l> {
    /// Reads what a line says of itself.
    ///
    /// # Errors
    /// It is no JSON, or does not say it.
    pub fn read(bytes: &'l [u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// Whether this version knows what such a line says.
    pub fn is_known(&self) -> bool {
        KNOWN.contains(&self.kind.as_ref())
    }

    /// The line that says so.
    ///
    /// # Errors
    /// It tells no event.
    pub fn line(&self, bytes: &[u8]) -> Result<Line> {
        let missing = serde_json::Error::missing_field;
        let at = self.at.as_deref().ok_or_else(|| missing("at"))?;
        Ok(Line {
            run_id: self.run_id.as_ref().to_owned(),
            seq: self.seq.ok_or_else(|| missing("seq"))?,
            at: at.to_owned(),
            event: self.event(bytes)?,
        })
    }

    fn event(&self, bytes: &[u8]) -> Result<Event> {
        // Finding the type among the fields, serde keeps all of them in memory. Where a line is long or there are many of
        // its type, they are read at once as what they are.
        match self.kind.as_ref() {
            "run.started" => serde_json::from_slice(bytes).map(Event::RunStarted),
            "cell.observed" => serde_json::from_slice(bytes).map(Event::CellObserved),
            "finding" => serde_json::from_slice(bytes).map(Event::FindingMade),
            _ => serde_json::from_slice(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    const EVERY: &str = include_str!("../../tests/fixtures/records/every.jsonl");

    #[test]
    fn every_event_type_of_this_version_is_known() {
        let refused = serde_json::from_str::<Event>(r#"{"type":"?"}"#)
            .unwrap_err()
            .to_string();
        assert_eq!(
            refused.matches('`').count(),
            2 * (KNOWN.len() + 1),
            "{refused}"
        );
        for kind in KNOWN {
            assert!(refused.contains(&format!("`{kind}`")), "{kind}: {refused}");
        }
    }

    #[test]
    fn every_line_says_what_its_type_tells_and_is_written_as_it_was_read() {
        let known = |text: &&str| Label::read(text.as_bytes()).unwrap().is_known();
        for text in EVERY.lines().filter(known) {
            let line = Line::read(text.as_bytes()).unwrap();
            let event: Event = serde_json::from_str(text).unwrap();
            assert_eq!(line.event, event, "{text}");
            let mut written = String::new();
            line.put(&mut written).unwrap();
            assert_eq!(Line::read(written.as_bytes()).unwrap(), line, "{text}");
            let fields = |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap() };
            let (written, read) = (fields(&written), fields(text));
            let first: Vec<&str> = written.keys().take(5).map(String::as_str).collect();
            assert_eq!(first, ["schema", "run_id", "seq", "at", "type"]);
            if matches!(event, Event::CellObserved(_) | Event::RunStarted(_)) {
                assert!(
                    read.iter().all(|(name, value)| written[name] == *value),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_line_without_place_or_time_is_none() {
        for missing in [r#""seq":1,"#, r#""at":"t","#] {
            let whole =
                r#"{"schema":"s","run_id":"r","seq":1,"at":"t","type":"round.started","round":2}"#;
            assert!(Line::read(whole.as_bytes()).is_ok());
            let text = whole.replace(missing, "");
            assert!(Line::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
