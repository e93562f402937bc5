//! Record file in, reports out.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::Context;
use super::args::{self, ReportTo};
use super::loading::reason;
use super::outputs;
use super::run::print;
use crate::exit::Exit;
use crate::report::{Kind, Record};

/// Renders a record again; the exit code is that of the run.
pub(super) fn report(arguments: &args::Report, context: &Context) -> Exit {
    let record = match read(&arguments.record, context) {
        Ok(record) => record,
        Err(exit) => return exit,
    };
    let reports: Vec<(Kind, PathBuf)> = arguments
        .reports
        .iter()
        .map(|report| place(report, arguments))
        .collect();
    let written = outputs::write_all(&reports, &record, context);
    Exit::of(&record)
        .worst(written)
        .worst(print(arguments.format, &record, context))
}

/// Reads a record.
///
/// # Errors
/// The exit code, once it was said why the record cannot be read.
pub(super) fn read(path: &Path, context: &Context) -> Result<Record, Exit> {
    let complain = |sentence: String| {
        context.terminal.say(sentence);
        Exit::Usage
    };
    let shown = path.display();
    let file = File::open(path).map_err(|error| {
        complain(format!(
            "error: cannot read record {shown}: {}",
            reason(&error)
        ))
    })?;
    Record::read(BufReader::new(file)).map_err(|unreadable| {
        complain(format!(
            "error: {shown}: {unreadable}; a run's record is its .jsonl file"
        ))
    })
}

/// Without a path a report lands beside its record.
fn place(report: &ReportTo, arguments: &args::Report) -> (Kind, PathBuf) {
    let beside = || arguments.record.with_file_name(report.kind.file_name());
    (report.kind, report.path.clone().unwrap_or_else(beside))
}
