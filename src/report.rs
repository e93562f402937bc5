//! Record in, report out: table, junit, json, markdown. Pure: no network, no environment.

pub mod record;
pub mod sanitizer;
mod wording;

use std::io;

pub use record::Record;

/// A kind of report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The article's table, for a terminal.
    Table,
    /// JUnit XML, for CI.
    Junit,
    /// One JSON document.
    Json,
    /// The same grid in Markdown, for a job summary or a committed MATRIX.md.
    Markdown,
}

/// How a report for a terminal looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Whether colour may be used; it never carries meaning alone.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

/// Renders a record.
///
/// # Errors
/// Those of the writer.
pub fn render(
    _kind: Kind,
    _record: &Record,
    _look: Look,
    _out: &mut dyn io::Write,
) -> io::Result<()> {
    Ok(())
}
