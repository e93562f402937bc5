//! Events in, lines of the record file and the folded record out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::report::Record;
use crate::run::Event;
use crate::run::event::{Line, SCHEMA};
use crate::secret::Redactor;

/// Writes each event as one line, flushed at once, and folds it into the record that the reports render.
pub(super) struct Recorder {
    file: File,
    run_id: String,
    redactor: Arc<Redactor>,
    sequence: u64,
    record: Record,
    failure: Option<io::Error>,
}

impl Recorder {
    /// Opens the record file, readable by its owner only, and locks it against other runs where the file system can.
    pub(super) fn create(path: &Path, run_id: &str, redactor: &Arc<Redactor>) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::Error::from(io::ErrorKind::ResourceBusy));
        }
        Ok(Self {
            file,
            run_id: run_id.to_owned(),
            redactor: Arc::clone(redactor),
            sequence: 0,
            record: Record::default(),
            failure: None,
        })
    }

    /// Opens the file of a record that was read, to add to it; a last line that was cut is taken off first.
    pub(super) fn resume(
        path: &Path,
        record: Record,
        redactor: &Arc<Redactor>,
    ) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::Error::from(io::ErrorKind::ResourceBusy));
        }
        end_line(&mut file)?;
        Ok(Self {
            file,
            run_id: record.run_id().to_owned(),
            redactor: Arc::clone(redactor),
            sequence: record.next_line(),
            record,
            failure: None,
        })
    }

    /// Takes the next event. A file that can no longer be written does not end the run: the reports still hear the story.
    pub(super) fn hear(&mut self, event: Event) {
        let line = Line {
            schema: SCHEMA.to_owned(),
            run_id: self.run_id.clone(),
            seq: self.sequence,
            at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            event,
        };
        self.sequence += 1;
        let (text, line) = self.redacted(line);
        if self.failure.is_none() {
            self.failure = writeln!(self.file, "{text}")
                .and_then(|()| self.file.flush())
                .err();
        }
        self.record.hear_line(&line);
    }

    /// The folded record, and why the file is not whole when it is not.
    pub(super) fn finish(mut self) -> (Record, Option<io::Error>) {
        self.record.settle();
        (self.record, self.failure)
    }

    fn redacted(&self, line: Line) -> (String, Line) {
        let text = serde_json::to_string(&line)
            .expect("an event has string keys and no failing serializer");
        match self.redactor.redact(&text) {
            std::borrow::Cow::Borrowed(_) => (text, line),
            std::borrow::Cow::Owned(masked) => {
                let line = serde_json::from_str(&masked).unwrap_or(line);
                (masked, line)
            }
        }
    }
}

/// Sees to it that the next line begins a line: takes off what was cut, and leaves the position at the end.
fn end_line(file: &mut File) -> io::Result<()> {
    let mut tail = Vec::new();
    let mut start = file.seek(SeekFrom::End(0))?;
    while start > 0 && !tail.contains(&b'\n') {
        let step = start.min(BLOCK);
        start -= step;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        (&*file).take(step).read_to_end(&mut block)?;
        block.extend_from_slice(&tail);
        tail = block;
    }
    let end = tail.iter().rposition(|byte| *byte == b'\n');
    let last = end.map_or(0, |end| end + 1);
    let whole = serde_json::from_slice::<Line>(&tail[last..]).is_ok();
    if whole {
        file.seek(SeekFrom::End(0))?;
        return file.write_all(b"\n");
    }
    file.set_len(start + last as u64)?;
    file.seek(SeekFrom::End(0)).map(drop)
}

/// Bytes that are looked at for the last line's beginning at once.
const BLOCK: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_line_begins_a_line_whatever_the_last_was() {
        let long = "x".repeat(200_000);
        let whole = r#"{"schema":"s","run_id":"r","seq":1,"at":"t","type":"run.finished","complete":true,"took_ms":1}"#;
        for (text, kept) in [
            (String::new(), String::new()),
            ("a\n".to_owned(), "a\n".to_owned()),
            ("a\n{\"cut".to_owned(), "a\n".to_owned()),
            (format!("a\n{long}"), "a\n".to_owned()),
            (format!("{long}\n{long}"), format!("{long}\n")),
            (format!("a\n{whole}"), format!("a\n{whole}\n")),
            ("cut".to_owned(), String::new()),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            end_line(&mut file).unwrap();
            file.write_all(b"next\n").unwrap();
            let mut now = String::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_string(&mut now).unwrap();
            assert_eq!(now, format!("{kept}next\n"));
        }
    }
}
