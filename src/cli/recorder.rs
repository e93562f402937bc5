//! Events in, lines of the record file and the folded record out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
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
