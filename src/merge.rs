//! Records of a plan's shards in, the record of the whole run out: joined line by line, and judged anew.

mod header;
mod part;
mod refusal;
mod scribe;
mod shape;

use std::io::{BufRead, Seek, Write};

use header::Header;
use scribe::Scribe;

use crate::report::Record;

pub use refusal::{Difference, Refusal, Told};

/// A record to be joined.
#[derive(Debug)]
pub struct Source<R> {
    /// How it is called when something is wrong with it.
    pub name: String,
    /// Its lines, from the first.
    pub lines: R,
}

/// Joins records and writes the record of all of them. In which order they are named, and which of them were joined before,
/// makes no difference to a byte of it.
///
/// What a shard saw is copied as it stands, under the id of its run; verdicts and what follows from them are the joined
/// run's own, come to by the judge that judges every run. The same run may be given twice. A shard that is missing, or did
/// not come to its end, leaves the joined run incomplete, which is a finding of it.
///
/// # Errors
/// The records cannot be those of one plan's shards, one is none, or writing failed.
pub fn merge<R: BufRead + Seek>(
    sources: &mut [Source<R>],
    out: &mut dyn Write,
) -> Result<Record, Refusal> {
    let (headers, matrix) = header::read_all(sources)?;
    let contents = part::all(&headers, sources)?;
    let joint = Header::joined(&headers, &contents.parts, matrix)?;
    let mut scribe = Scribe::begin(joint, out)?;
    for (source, finding) in contents.findings {
        scribe.keep(&headers[source].matrix().doors, finding);
    }
    for part in &contents.parts {
        scribe.copy(part, &headers[part.source], &mut sources[part.source])?;
    }
    scribe.conclude(&contents.repeats)
}

#[cfg(test)]
mod trial;
