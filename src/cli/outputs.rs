//! What the user wants written in, report files out: checked before the first call, written whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Context;
use super::args::{self, ReportTo};
use super::loading::reason;
use crate::exit::Exit;
use crate::plan::Shard;
use crate::report::{self, Kind, Look, Record};

/// Where the reports of one run go.
#[derive(Debug)]
pub(super) struct Outputs {
    /// The run's record.
    pub(super) record: PathBuf,
    reports: Vec<(Kind, PathBuf)>,
}

/// What is written when the user does not say.
const USUAL: [Kind; 3] = [Kind::Junit, Kind::Json, Kind::Markdown];

/// Columns of a table in a file.
const FILE_LOOK: Look = Look {
    colour: false,
    width: 120,
    all: false,
};

impl Outputs {
    /// Lays out the files of one run; `slug` tells apart the scenarios of one command, the shard the machines of one job.
    /// Of a shard nothing but the record is wanted, unless the user says so: reports are made of all shards together.
    pub(super) fn plan(outputs: &args::Outputs, slug: Option<&str>, shard: Option<Shard>) -> Self {
        let named = |name: &str| named(outputs, name, slug, shard);
        let usual = USUAL.into_iter().filter(|_| shard.is_none());
        let usual: Vec<ReportTo> = usual.map(|kind| ReportTo { kind, path: None }).collect();
        let wanted = if outputs.reports.is_empty() {
            usual.as_slice()
        } else {
            outputs.reports.as_slice()
        };
        let place = |report: &ReportTo| {
            let path = report
                .path
                .clone()
                .unwrap_or_else(|| named(report.kind.file_name()));
            (report.kind, path)
        };
        Self {
            record: named("rolecall.jsonl"),
            reports: wanted.iter().map(place).collect(),
        }
    }

    /// Removes what an earlier run left at these places and proves that each can be written, so that a crash never
    /// leaves yesterday's green and a full run never ends without its reports. What a run under way writes is not touched.
    ///
    /// # Errors
    /// [`Exit::Usage`], after the reason was said.
    pub(super) fn clear(&self, context: &Context) -> Result<(), Exit> {
        if is_held(&self.record) {
            context.terminal.say(format!(
                "error: another run is writing {}; give this one a --report-dir of its own",
                self.record.display()
            ));
            return Err(Exit::Usage);
        }
        clear_all(&self.paths().collect::<Vec<_>>(), context)
    }

    /// Writes every report; one that fails does not keep the others from being written.
    pub(super) fn write(&self, record: &Record, context: &Context) -> Exit {
        write_all(&self.reports, record, context)
    }

    /// Every file that the run writes, the record last.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let reports = self.reports.iter().map(|(_, path)| path.as_path());
        reports.chain([self.record.as_path()])
    }

    /// Says where everything is.
    pub(super) fn tell(&self, context: &Context) {
        let paths: Vec<String> = self
            .paths()
            .map(|path| path.display().to_string())
            .collect();
        let words = match paths.split_last() {
            Some((record, reports)) if !reports.is_empty() => {
                format!("{} and {record}", reports.join(", "))
            }
            _ => paths.concat(),
        };
        context.terminal.hint(format!("rolecall: wrote {words}"));
    }
}

/// Removes what an earlier run left at these places and proves that each can be written.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn clear_all(paths: &[&Path], context: &Context) -> Result<(), Exit> {
    for path in paths {
        clear(path).map_err(|error| {
            context.terminal.say(format!(
                "error: cannot write {}: {}",
                path.display(),
                reason(&error)
            ));
            Exit::Usage
        })?;
    }
    Ok(())
}

/// Where a file of a run lies: `slug` tells apart the scenarios of one command, the shard the machines of one job.
pub(super) fn named(
    outputs: &args::Outputs,
    name: &str,
    slug: Option<&str>,
    shard: Option<Shard>,
) -> PathBuf {
    let part = shard.map(|shard| format!("{}-of-{}", shard.number(), shard.of()));
    let words: Vec<&str> = slug.into_iter().chain(part.as_deref()).collect();
    let suffix = (!words.is_empty()).then(|| words.join("-"));
    outputs.report_dir.join(with_slug(name, suffix.as_deref()))
}

/// Removes the `JUnit` files of earlier runs, also those of scenarios that this one does not run: whoever publishes
/// `TEST-*.xml` would take yesterday's for today's. A shard leaves those of its siblings, which may run beside it.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn sweep(
    outputs: &args::Outputs,
    shard: Option<Shard>,
    context: &Context,
) -> Result<(), Exit> {
    let usual = outputs.reports.is_empty();
    let junit = |report: &ReportTo| report.kind == Kind::Junit && report.path.is_none();
    if !usual && !outputs.reports.iter().any(junit) {
        return Ok(());
    }
    let siblings = shard.map(|shard| format!("-of-{}", shard.of()));
    remove_junit(&outputs.report_dir, siblings.as_deref()).map_err(|error| {
        context.terminal.say(format!(
            "error: cannot remove earlier reports from {}: {}",
            outputs.report_dir.display(),
            reason(&error)
        ));
        Exit::Usage
    })
}

fn remove_junit(folder: &Path, siblings: Option<&str>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    let (stem, ending) = ("TEST-rolecall", ".xml");
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let middle = name
            .to_str()
            .and_then(|name| name.strip_prefix(stem)?.strip_suffix(ending));
        let ours = middle.is_some_and(|middle| middle.is_empty() || middle.starts_with('-'));
        let is_sibling =
            siblings.is_some_and(|ending| middle.is_some_and(|middle| middle.ends_with(ending)));
        if ours && !is_sibling && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes reports of a record.
pub(super) fn write_all(reports: &[(Kind, PathBuf)], record: &Record, context: &Context) -> Exit {
    let mut exit = Exit::Conforms;
    for (kind, path) in reports {
        if let Err(error) = write(*kind, path, record) {
            context.terminal.say(format!(
                "error: cannot write {}: {}",
                path.display(),
                reason(&error)
            ));
            exit = Exit::ReportUnwritten;
        }
    }
    exit
}

/// Writes a text as a report is written.
pub(super) fn write_text(path: &Path, text: &str, context: &Context) -> Exit {
    let written = NamedTempFile::new_in(parent(path)).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        finish(file, path)
    });
    match written {
        Ok(()) => Exit::Conforms,
        Err(error) => {
            context.terminal.say(format!(
                "error: cannot write {}: {}",
                path.display(),
                reason(&error)
            ));
            Exit::ReportUnwritten
        }
    }
}

fn finish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    let permissions = fs::Permissions::from_mode(0o640);
    file.as_file().set_permissions(permissions)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn write(kind: Kind, path: &Path, record: &Record) -> io::Result<()> {
    if is_device(path) {
        let mut device = fs::OpenOptions::new().write(true).open(path)?;
        return report::render(kind, record, FILE_LOOK, &mut device);
    }
    let mut file = NamedTempFile::new_in(parent(path))?;
    report::render(kind, record, FILE_LOOK, &mut file)?;
    finish(file, path)
}

/// A pipe, a terminal or the like: it is written to as it is, and never removed or replaced.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Whether a run under way holds the record; it locks the file for as long as it lives.
pub(super) fn is_held(record: &Path) -> bool {
    fs::File::open(record)
        .is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn clear(path: &Path) -> io::Result<()> {
    if is_device(path) {
        return Ok(());
    }
    let folder = parent(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)?;
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    NamedTempFile::new_in(folder).map(drop)
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn with_slug(name: &str, slug: Option<&str>) -> String {
    match (slug, name.rsplit_once('.')) {
        (Some(slug), Some((stem, ending))) => format!("{stem}-{slug}.{ending}"),
        (Some(slug), None) => format!("{name}-{slug}"),
        (None, _) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_scenarios_of_one_command_do_not_share_a_file() {
        assert_eq!(
            with_slug("TEST-rolecall.xml", Some("catalog")),
            "TEST-rolecall-catalog.xml"
        );
        assert_eq!(with_slug("TEST-rolecall.xml", None), "TEST-rolecall.xml");
    }

    #[test]
    fn what_an_earlier_run_left_is_gone_before_the_first_call() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("TEST-rolecall.xml");
        fs::write(&old, "yesterday's green").unwrap();
        clear(&old).unwrap();
        assert!(!old.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn junit_files_of_other_scenarios_are_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "TEST-rolecall.xml",
            "TEST-rolecall-catalog.xml",
            "TEST-rolecaller.xml",
            "TEST-other.xml",
            "rolecall-notes.md",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_junit(folder.path(), None).unwrap();
        remove_junit(&folder.path().join("nowhere"), None).unwrap();
        let left = names.map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, false, true, true, true]);
    }

    #[test]
    fn a_shard_leaves_the_reports_of_its_siblings() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "TEST-rolecall.xml",
            "TEST-rolecall-1-of-3.xml",
            "TEST-rolecall-1-of-4.xml",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_junit(folder.path(), Some("-of-3")).unwrap();
        let left = names.map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, false]);
    }

    #[test]
    fn a_folder_in_a_reports_place_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(clear(folder.path()).is_err());
    }
}
