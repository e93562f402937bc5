//! Records of shards in, the joined record and its reports out.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Context;
use super::args;
use super::loading::reason;
use super::outputs::{self, Outputs};
use super::run::print;
use crate::exit::Exit;
use crate::merge::{Refusal, Source, merge as join};
use crate::report::Record;

/// Joins the records; the exit code is that of the whole run.
pub(super) fn merge(arguments: &args::Merge, context: &Context) -> Exit {
    match joined(arguments, context) {
        Ok((record, outputs)) => {
            let exit = Exit::of(&record)
                .worst(outputs.write(&record, context))
                .worst(print(arguments.outputs.format, &record, context));
            outputs.tell(context);
            exit
        }
        Err(exit) => exit,
    }
}

fn joined(arguments: &args::Merge, context: &Context) -> Result<(Record, Outputs), Exit> {
    let mut outputs = Outputs::plan(&arguments.outputs, None, None);
    if let Some(record) = &arguments.record {
        outputs.record.clone_from(record);
    }
    let paths = each_once(&arguments.records);
    if let Some(path) = paths.iter().find(|path| is_among(path, &outputs)) {
        context.terminal.say(format!(
            "error: {} would be read and written; leave it out, or name another file with --record or --report-dir",
            path.display()
        ));
        return Err(Exit::Usage);
    }
    let mut sources = paths
        .iter()
        .map(|path| open(path, context))
        .collect::<Result<Vec<_>, Exit>>()?;
    outputs::sweep(&arguments.outputs, None, context)?;
    outputs.clear(context)?;
    let record = write(&mut sources, &outputs.record).map_err(|refusal| {
        context.terminal.say(format!("error: {refusal}"));
        match refusal {
            Refusal::Unwritten(_) => Exit::ReportUnwritten,
            _ => Exit::Usage,
        }
    })?;
    Ok((record, outputs))
}

/// The paths without those that name a file again.
fn each_once(paths: &[PathBuf]) -> Vec<&PathBuf> {
    let mut known = Vec::new();
    let mut once = Vec::new();
    for path in paths {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if !known.contains(&real) {
            known.push(real);
            once.push(path);
        }
    }
    once
}

fn is_among(path: &Path, outputs: &Outputs) -> bool {
    let Ok(real) = fs::canonicalize(path) else {
        return false;
    };
    let mut written = outputs.paths();
    written.any(|path| fs::canonicalize(path).is_ok_and(|path| path == real))
}

fn open(path: &Path, context: &Context) -> Result<Source<BufReader<File>>, Exit> {
    let name = path.display().to_string();
    let file = File::open(path).and_then(|file| {
        let found = file.metadata()?;
        if found.is_file() {
            Ok(file)
        } else if found.is_dir() {
            Err(io::Error::from(io::ErrorKind::IsADirectory))
        } else {
            Err(io::Error::from(io::ErrorKind::NotSeekable))
        }
    });
    let file = file.map_err(|error| {
        context.terminal.say(format!(
            "error: cannot read record {name}: {}",
            reason(&error)
        ));
        Exit::Usage
    })?;
    Ok(Source {
        name,
        lines: BufReader::with_capacity(1 << 16, file),
    })
}

/// Readable by its owner only, like every record, and there as a whole or not at all.
fn write(sources: &mut [Source<BufReader<File>>], path: &Path) -> Result<Record, Refusal> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    let record = join(sources, &mut file)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(record)
}
