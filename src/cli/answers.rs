//! What a run could not place in, files for the corpus out: each new, none overwritten.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::Context;
use super::loading::reason;
use crate::exit::Exit;
use crate::judge::VerdictKind;
use crate::report::{Private, Record, Specimen};
use crate::run::Gallery;
use crate::scenario::Scenario;

/// Makes the folder and proves that it can be written to.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn prepare(folder: &Path, context: &Context) -> Result<(), Exit> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.and_then(|()| tempfile::NamedTempFile::new_in(folder).map(drop))
        .map_err(|error| {
            context.terminal.say(format!(
                "error: cannot write answers to {}: {}",
                folder.display(),
                reason(&error)
            ));
            Exit::Usage
        })
}

/// Writes one file for each shape of answer that some cell got which did not pass.
pub(super) fn save(
    folder: &Path,
    gallery: &Gallery,
    record: &Record,
    scenario: &Scenario,
    context: &Context,
) -> Exit {
    let private = Private {
        run_id: record.run_id(),
        hosts: hosts(scenario),
    };
    let passed = |index: usize| {
        let kind = record.entry(index).map(|entry| entry.heard.kind());
        kind == Some(VerdictKind::Pass)
    };
    let (mut new, mut exit) = (0, Exit::Conforms);
    for piece in gallery.unproven(passed) {
        let Some(specimen) = Specimen::of(&piece, &private) else {
            continue;
        };
        match write(folder, &specimen, context) {
            Ok(written) => new += usize::from(written),
            Err(error) => {
                context.terminal.say(format!(
                    "error: cannot write {}: {}",
                    folder.join(&specimen.name).display(),
                    reason(&error)
                ));
                exit = Exit::ReportUnwritten;
            }
        }
    }
    context.terminal.hint(format!(
        "rolecall: new answers in {} that nobody is known for: {new}; docs/answers.md says how to fill them in",
        folder.display()
    ));
    exit
}

/// Whether the file is new; one that stands there, or whatever else does, is left as it is.
fn write(folder: &Path, specimen: &Specimen, context: &Context) -> io::Result<bool> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.join(&specimen.name));
    match opened {
        Ok(mut file) => {
            file.write_all(context.redactor.redact(&specimen.text).as_bytes())?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The hosts of the scenario's doors, with their ports first.
fn hosts(scenario: &Scenario) -> Vec<String> {
    let deployment = &scenario.deployment;
    let entries = [&deployment.rest, &deployment.mcp].into_iter().flatten();
    let mut hosts = Vec::new();
    for url in entries.filter_map(|entry| entry.url.parse::<http::Uri>().ok()) {
        hosts.extend(url.authority().map(ToString::to_string));
        hosts.extend(url.host().map(str::to_owned));
    }
    hosts.sort_by_key(|host| std::cmp::Reverse(host.len()));
    hosts.dedup();
    hosts
}
