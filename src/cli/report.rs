//! Record file in, reports out.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use super::Context;
use super::args::{self, ReportTo};
use super::loading::reason;
use super::outputs;
use super::run::print;
use crate::exit::Exit;
use crate::report::{Kind, Record};

/// Renders a record again; the exit code is that of the run.
pub(super) fn report(arguments: &args::Report, context: &Context) -> Exit {
    let shown = arguments.record.display();
    let file = match File::open(&arguments.record) {
        Ok(file) => file,
        Err(error) => {
            context.terminal.say(format!(
                "error: cannot read record {shown}: {}",
                reason(&error)
            ));
            return Exit::Usage;
        }
    };
    let record = match Record::read(BufReader::new(file)) {
        Ok(record) => record,
        Err(unreadable) => {
            context.terminal.say(format!(
                "error: {shown}: {unreadable}; a run's record is its .jsonl file"
            ));
            return Exit::Usage;
        }
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

/// Without a path a report lands beside its record.
fn place(report: &ReportTo, arguments: &args::Report) -> (Kind, PathBuf) {
    let beside = || arguments.record.with_file_name(report.kind.file_name());
    (report.kind, report.path.clone().unwrap_or_else(beside))
}
