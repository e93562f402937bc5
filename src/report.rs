//! Record in, report out: table, junit, json, markdown. Pure: no network, no environment.

mod chapter;
pub mod dossier;
mod hand;
mod lists;
mod waivers;
pub mod checkup;
pub mod coverage;
pub mod doors;
mod extent;
mod json;
mod junit;
pub mod kind;
mod mark;
mod markdown;
pub mod record;
pub mod sanitizer;
mod sight;
mod specimen;
pub mod summary;
mod table;
pub mod tokens;
mod wording;

use std::io;

pub use kind::Kind;
pub use record::Record;
pub use specimen::{Private, Specimen};

/// How a report for a terminal looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Whether colour may be used; it never carries meaning alone.
    pub colour: bool,
    /// Columns; fewer than 40 are taken for 40.
    pub width: usize,
    /// Whether also what is as it should be is listed.
    pub all: bool,
}

/// Bytes that are written at once: the system takes them for half of what eight times an eighth cost it.
const PAGE: usize = 64 * 1024;

/// Renders a record. Two renderings of one record are the same to the byte; those of two runs of the same scenario
/// against the same deployment differ in times and the run's id alone.
///
/// # Errors
/// Those of the writer.
pub fn render(kind: Kind, record: &Record, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(PAGE, out);
    match kind {
        Kind::Table => table::write(record, look, &mut out)?,
        Kind::Junit => junit::write(record, &mut out)?,
        Kind::Json => json::write(record, &mut out)?,
        Kind::Markdown => markdown::write(record, &mut out)?,
    }
    io::Write::flush(&mut out)
}
