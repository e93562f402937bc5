//! Events in, lines of the record file and the folded record out.

mod pages;

use std::borrow::Cow;
use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::probe::State;
use crate::report::Record;
use crate::run::Event;
use crate::run::event::Observed;
use crate::run::line::{Head, Line, Moment, Written};
use crate::secret::Redactor;
use pages::Pages;

/// Longest time for which a line that may wait is held back.
const LATEST: Duration = Duration::from_millis(100);

/// Writes each event as one line, and folds it into the record that the reports render.
pub(super) struct Recorder {
    pages: Pages,
    run_id: String,
    head: Head,
    redactor: Arc<Redactor>,
    sequence: u64,
    clock: Clock,
    record: Record,
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
            pages: Pages::of(file),
            run_id: run_id.to_owned(),
            head: Head::of(run_id),
            redactor: Arc::clone(redactor),
            sequence: 0,
            clock: Clock::default(),
            record: Record::default(),
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
            pages: Pages::of(file),
            run_id: record.run_id().to_owned(),
            head: Head::of(record.run_id()),
            redactor: Arc::clone(redactor),
            sequence: record.next_line(),
            clock: Clock::default(),
            record,
        })
    }

    /// Takes the next event and the time of it. A file that can no longer be written does not end the run: the reports
    /// still hear the story.
    pub(super) fn hear(&mut self, event: &Event, now: SystemTime) {
        self.clock.set(now);
        let line = Written {
            head: &self.head,
            seq: self.sequence,
            at: &self.clock.moment,
            event,
        };
        self.sequence += 1;
        let text = self.pages.text();
        let start = text.len();
        line.put(text)
            .expect("an event has string keys and no failing serializer");
        let told = match self.redactor.redact(&text[start..]) {
            Cow::Borrowed(_) => None,
            Cow::Owned(told) => Some(told),
        };
        let masked = told.and_then(|told| {
            text.truncate(start);
            text.push_str(&told);
            masked(&told)
        });
        self.pages.end_line();
        self.record.open(&self.run_id, &self.clock.spelt);
        match masked {
            Some(line) => self.record.hear(&line.event),
            None => self.record.hear(event),
        }
        if !may_wait(event) {
            self.pages.write_out();
        }
    }

    /// The folded record, and why the file is not whole when it is not.
    pub(super) fn finish(mut self) -> (Record, Option<io::Error>) {
        let failure = self.pages.close();
        self.record.settle();
        (self.record, failure)
    }
}

/// Sees to it that no line is held back for long, for as long as it is polled.
pub(super) async fn keep_up(recorder: &RefCell<Recorder>) -> Infallible {
    loop {
        tokio::time::sleep(LATEST).await;
        recorder.borrow_mut().pages.write_out();
    }
}

/// What the process may take with it when it is killed: a moment's answers that were as demanded, and what follows from
/// lines that are written. Objects, and whatever speaks against the deployment, are written before anything else is done.
fn may_wait(event: &Event) -> bool {
    match event {
        Event::CellObserved(Observed { evidence, .. }) | Event::CellRepeated { evidence, .. } => {
            evidence.is_empty()
        }
        Event::RequirementChecked(checked) => {
            matches!(checked.state(), State::Held | State::NotApplicable)
        }
        Event::DoorFound { .. }
        | Event::Looked { .. }
        | Event::Settled(_)
        | Event::RoundStarted { .. }
        | Event::WaiverWeighed { .. }
        | Event::TokenAcquired { .. }
        | Event::TokenRenewed { .. }
        | Event::CellFinished { .. }
        | Event::CellsPassed { .. }
        | Event::ToolsListed(_)
        | Event::RoutesKnown { .. }
        | Event::CoverageCompared(_)
        | Event::FindingMade(_) => true,
        Event::RunStarted(_)
        | Event::WaiverStated(_)
        | Event::CellSettled { .. }
        | Event::FixtureMaking { .. }
        | Event::FixtureUnmade { .. }
        | Event::FixtureMade { .. }
        | Event::ToolTried(_)
        | Event::CleanupStarted { .. }
        | Event::Cleanup { .. }
        | Event::RunFinished { .. } => false,
    }
}

/// The event as it reads without the secret that was in it.
fn masked(told: &str) -> Option<Line> {
    Line::read(told.as_bytes()).ok()
}

/// The time as lines state it, spelt anew once a millisecond.
#[derive(Default)]
struct Clock {
    millisecond: Option<(u64, u32)>,
    spelt: String,
    moment: Moment,
}

impl Clock {
    fn set(&mut self, now: SystemTime) {
        let millisecond = Some(millisecond(now));
        if self.millisecond != millisecond {
            self.millisecond = millisecond;
            self.spelt.clear();
            write!(self.spelt, "{}", humantime::format_rfc3339_millis(now))
                .expect("a String takes all that is written to it");
            self.moment.set(&self.spelt);
        }
    }
}

/// Seconds since 1970, and milliseconds.
fn millisecond(now: SystemTime) -> (u64, u32) {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    (since.as_secs(), since.subsec_millis())
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
    let whole = Line::read(&tail[last..]).is_ok();
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
    use serde_json::{Value, json};

    use super::*;
    use crate::secret::Secret;

    fn event(value: Value) -> Event {
        serde_json::from_value(value).unwrap()
    }

    fn started() -> Event {
        event(json!({
            "type": "run.started", "tool": "0", "scenario": "s", "path": "p", "digest": "d", "mcp_refuses": "http",
            "matrix": {
                "personas": [{"name": "reader", "roles": null, "signs_in": true}],
                "operations": [{"name": "hunter2!", "mutates": false, "demands": [[{"expectation": "allow", "line": 7}, null, null]]}],
                "doors": ["rest"],
            },
        }))
    }

    fn observed(evidence: &Value) -> Event {
        event(json!({
            "type": "cell.observed", "persona": "reader", "operation": "hunter2!", "door": "rest", "status": 200,
            "reading": {"outcome": "granted"}, "took_ms": 1, "evidence": evidence,
        }))
    }

    fn hear(recorder: &mut Recorder, event: &Event) {
        recorder.hear(event, SystemTime::now());
    }

    fn lines(path: &Path) -> usize {
        std::fs::read_to_string(path).unwrap().lines().count()
    }

    #[test]
    fn what_was_as_demanded_may_wait_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rolecall.jsonl");
        let mut recorder = Recorder::create(&path, "r1", &Arc::default()).unwrap();
        hear(&mut recorder, &started());
        assert_eq!(lines(&path), 1);
        hear(&mut recorder, &observed(&json!([])));
        assert_eq!(lines(&path), 1);
        let made = json!({"type": "fixture.made", "fixture": "product", "object": "id=7"});
        hear(&mut recorder, &event(made));
        assert_eq!(lines(&path), 3);
        hear(&mut recorder, &observed(&json!([])));
        let leak = json!([{"request": "GET /", "answer": {"none": "closed"}, "took_ms": 1}]);
        hear(&mut recorder, &observed(&leak));
        assert_eq!(lines(&path), 5);
        hear(&mut recorder, &observed(&json!([])));
        let (_, failure) = recorder.finish();
        assert!(failure.is_none());
        assert_eq!(lines(&path), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn no_line_waits_for_longer_than_a_tenth_of_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rolecall.jsonl");
        let recorder = RefCell::new(Recorder::create(&path, "r1", &Arc::default()).unwrap());
        hear(&mut recorder.borrow_mut(), &started());
        hear(&mut recorder.borrow_mut(), &observed(&json!([])));
        tokio::select! {
            never = keep_up(&recorder) => match never {},
            () = tokio::time::sleep(LATEST + Duration::from_millis(1)) => {}
        }
        assert_eq!(lines(&path), 2);
    }

    #[test]
    fn a_secret_in_a_name_is_masked_in_the_file_and_in_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rolecall.jsonl");
        let redactor = Arc::new(Redactor::default());
        redactor.learn(&Secret::new("hunter2!".to_owned()));
        let mut recorder = Recorder::create(&path, "r1", &redactor).unwrap();
        hear(&mut recorder, &started());
        hear(&mut recorder, &observed(&json!([])));
        let (record, _) = recorder.finish();
        assert_eq!(record.matrix().operations[0].name.as_str(), "[redacted]");
        assert_eq!(record.entries().next().unwrap().heard.sight().status, 200);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("hunter2!"));
    }

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
