//! Record in, report out: table, junit, json, markdown. Pure: no network, no environment.

pub mod json;
pub mod junit;
pub mod kind;
mod mark;
pub mod markdown;
pub mod record;
pub mod sanitizer;
mod sight;
pub mod table;
mod word;

use std::io;

pub use kind::Kind;
pub use record::Record;

/// How a report for a terminal looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Whether colour may be used; it never carries meaning alone.
    pub colour: bool,
    /// Columns; fewer than 40 are taken for 40.
    pub width: usize,
}

/// Renders a record. Two renderings of one record are the same to the byte; those of two runs of the same scenario
/// against the same deployment differ in times and the run's id alone.
///
/// # Errors
/// Those of the writer.
pub fn render(kind: Kind, record: &Record, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    match kind {
        Kind::Table => table::write(record, look, out),
        Kind::Junit => junit::write(record, out),
        Kind::Json => json::write(record, out),
        Kind::Markdown => markdown::write(record, out),
    }
}
