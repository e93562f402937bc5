//! A JSON Lines file in, the record that it tells out.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead};

use super::Record;
use crate::run::Event;
use crate::run::event::SCHEMA;
use crate::run::line::{Label, Line};

/// Why a file is no run record. Lines count from 1. No text of the file is repeated.
#[derive(Debug)]
pub enum Unreadable {
    /// The file could not be read to its end.
    Interrupted(io::Error),
    /// The line is not JSON, or not an event.
    Line {
        /// Which.
        number: u64,
        /// Why.
        cause: serde_json::Error,
    },
    /// The line names another schema than `rolecall.event/1`.
    Schema {
        /// Which.
        number: u64,
    },
    /// The line begins a second run.
    SecondRun {
        /// Which.
        number: u64,
    },
    /// No run begins in the file.
    NoRun,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted(_) => f.write_str("the record could not be read to its end"),
            Self::Line { number, cause } => {
                write!(
                    f,
                    "line {number} of the record is not an event (column {})",
                    cause.column()
                )
            }
            Self::Schema { number } => {
                write!(
                    f,
                    "line {number} of the record is not of schema {SCHEMA}; a newer rolecall may read it"
                )
            }
            Self::SecondRun { number } => {
                write!(f, "line {number} of the record begins a second run")
            }
            Self::NoRun => f.write_str("the record holds no `run.started` line"),
        }
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Interrupted(cause) => Some(cause),
            Self::Line { cause, .. } => Some(cause),
            Self::Schema { .. } | Self::SecondRun { .. } | Self::NoRun => None,
        }
    }
}

impl Record {
    /// Reads a record, one JSON event a line, and settles it. Event types of a newer minor version are passed over.
    /// A last line that was cut is tolerated and makes the record incomplete.
    ///
    /// # Errors
    /// What is wrong with the file, by line.
    pub fn read(mut lines: impl BufRead) -> Result<Self, Unreadable> {
        let mut record = Self::default();
        let mut buffer = Vec::new();
        for number in 1.. {
            buffer.clear();
            if lines
                .read_until(b'\n', &mut buffer)
                .map_err(Unreadable::Interrupted)?
                == 0
            {
                break;
            }
            let whole = buffer.last() == Some(&b'\n');
            match parse(&buffer, number) {
                Ok(Some(line)) => record.admit(&line, number)?,
                Ok(None) => {}
                Err(Unreadable::Line { .. }) if !whole => record.cut = true,
                Err(unreadable) => return Err(unreadable),
            }
        }
        if !record.begun {
            return Err(Unreadable::NoRun);
        }
        record.settle();
        Ok(record)
    }

    fn admit(&mut self, line: &Line, number: u64) -> Result<(), Unreadable> {
        match &line.event {
            Event::RunStarted(_) if self.begun => {
                return Err(Unreadable::SecondRun { number });
            }
            Event::RunStarted(_) => {}
            // Before a run its deployment may be looked at.
            Event::Looked { .. } | Event::Settled(_) => {}
            _ if !self.begun => return Err(Unreadable::NoRun),
            _ => {}
        }
        self.hear_line(line);
        Ok(())
    }
}

/// Reads what a line says of itself; `None` where the line is blank.
///
/// # Errors
/// It is no line of a record, or of another schema.
pub(crate) fn label(bytes: &[u8], number: u64) -> Result<Option<Label<'_>>, Unreadable> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let label = Label::read(bytes).map_err(|cause| Unreadable::Line { number, cause })?;
    if label.schema != SCHEMA {
        return Err(Unreadable::Schema { number });
    }
    Ok(Some(label))
}

/// Reads a line; `None` where it is blank, or says what this version does not know.
///
/// # Errors
/// It is no line of a record, or of another schema.
pub(crate) fn parse(bytes: &[u8], number: u64) -> Result<Option<Line>, Unreadable> {
    let Some(label) = label(bytes, number)?.filter(Label::is_known) else {
        return Ok(None);
    };
    let line = label.line(bytes);
    line.map(Some)
        .map_err(|cause| Unreadable::Line { number, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"schema":"rolecall.event/1","run_id":"r1","seq":0,"at":"2026-01-01T00:00:00.000Z","type":"run.started","tool":"0.1.0","scenario":"Catalog","path":"rolecall.yaml","digest":"0123456789abcdef","matrix":{"personas":[{"name":"a","roles":null,"signs_in":false}],"operations":[{"name":"list","mutates":false,"demands":[[{"expectation":"401","line":3},null,null]]}],"doors":["rest"]},"mcp_refuses":"http"}"#;
    const PASS: &str = r#"{"schema":"rolecall.event/1","run_id":"r1","seq":1,"at":"t","type":"cell.finished","persona":"a","operation":"list","door":"rest","kind":"pass"}"#;
    const END: &str = r#"{"schema":"rolecall.event/1","run_id":"r1","seq":2,"at":"t","type":"run.finished","complete":true,"took_ms":5}"#;

    fn read(lines: &[&str]) -> Result<Record, Unreadable> {
        Record::read(lines.join("\n").as_bytes())
    }

    #[test]
    fn a_whole_record_is_complete() {
        let record = read(&[START, PASS, END]).unwrap();
        assert!(record.complete());
        assert_eq!(
            (record.run_id(), record.started_at()),
            ("r1", "2026-01-01T00:00:00.000Z")
        );
    }

    #[test]
    fn events_of_a_newer_minor_version_are_passed_over() {
        let newer = r#"{"schema":"rolecall.event/1","run_id":"r1","seq":1,"at":"t","type":"weather.changed","rain":1}"#;
        assert!(read(&[START, newer, PASS, "", END]).unwrap().complete());
    }

    #[test]
    fn a_cut_last_line_is_tolerated_at_any_byte_and_never_complete() {
        for at in 1..END.len() {
            let record = read(&[START, PASS, &END[..at]]).unwrap();
            assert!(!record.complete(), "cut at {at}");
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let error = read(&[START, &PASS[..40], END]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("line 2 of the record is not an event"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let other = END.replace("event/1", "event/2");
        let crooked = START.replace(
            r#""personas":[{"name":"a","roles":null,"signs_in":false}]"#,
            r#""personas":[]"#,
        );
        let table: [(&[&str], &str); 5] = [
            (&[], "holds no `run.started` line"),
            (&[PASS, END], "holds no `run.started` line"),
            (&[START, START], "line 2 of the record begins a second run"),
            (&[START, &other], "line 2 of the record is not of schema"),
            (&[&crooked, PASS], "line 1 of the record is not an event"),
        ];
        for (lines, wanted) in table {
            let error = read(lines).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
