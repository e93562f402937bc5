//! Pieces of records in, the lines of the joined record and the record itself out.

use std::io::{BufRead, BufWriter, Seek, Write};
use std::time::SystemTime;

use super::Source;
use super::header::Header;
use super::part::{Part, each_line};
use super::refusal::Refusal;
use crate::cell::Door;
use crate::judge::{Code, Effect, Finding, Gap};
use crate::plan::Matrix;
use crate::report::Record;
use crate::report::record::Entry;
use crate::run::Event;
use crate::run::event::Observed;
use crate::run::line::Line;
use crate::run::passes::{simply_passed, stretches};
use crate::run::shards::named;
use crate::waiver::Fate;

/// Writes a joined record while it is made.
pub(super) struct Scribe<'o> {
    out: BufWriter<&'o mut dyn Write>,
    /// The line that is written, kept for its room.
    text: String,
    joint: Header,
    record: Record,
    sequence: u64,
    /// By matrix index: which shard told of the cell, 0 for none.
    tellers: Vec<u32>,
    /// What no cell's answer can show.
    kept: Vec<Finding>,
    /// Shards whose run did not come to its end.
    unfinished: Vec<u32>,
    end: Option<SystemTime>,
}

impl<'o> Scribe<'o> {
    /// Writes the first line.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn begin(joint: Header, out: &'o mut dyn Write) -> Result<Self, Refusal> {
        let mut scribe = Self {
            out: BufWriter::with_capacity(1 << 16, out),
            text: String::new(),
            record: Record::default(),
            sequence: 0,
            tellers: vec![0; joint.matrix().len()],
            kept: Vec::new(),
            unfinished: Vec::new(),
            end: humantime::parse_rfc3339(&joint.at).ok(),
            joint,
        };
        let line = scribe.line(scribe.joint.event());
        let line = Line {
            at: scribe.joint.at.clone(),
            ..line
        };
        scribe.write(&line)?;
        scribe.record.hear_line(&line);
        Ok(scribe)
    }

    /// Copies what a shard saw. Verdicts, and findings that follow from them, are left out: they are come to anew.
    ///
    /// # Errors
    /// The record cannot be read, tells of another shard's cells, or writing failed.
    pub(super) fn copy<R: BufRead + Seek>(
        &mut self,
        part: &Part,
        header: &Header,
        source: &mut Source<R>,
    ) -> Result<(), Refusal> {
        let mut complete = false;
        each_line(source, part.start, part.lines, |mark, bytes, is_cut| {
            let Some(label) = header.label(mark, bytes, is_cut)? else {
                return Ok(());
            };
            if label.run_id != part.run.run_id.as_str() {
                return Err(header.foreign(mark));
            }
            match label.kind.as_ref() {
                "run.started" | "cell.finished" | "cells.passed" | "finding" | "waiver.weighed" => {
                    return Ok(());
                }
                _ if !label.is_known() => return self.copy_line(bytes),
                _ => {}
            }
            let Some(line) = header.line(mark, &label, bytes, is_cut)? else {
                return Ok(());
            };
            match &line.event {
                Event::RunFinished { complete: all, .. } => {
                    complete = *all;
                    self.end = self.end.max(humantime::parse_rfc3339(&line.at).ok());
                }
                Event::CellObserved(seen) => self.claim(part.run.number, seen, header)?,
                _ => {}
            }
            self.record.hear_line(&line);
            self.copy_line(bytes)
        })?;
        if !complete {
            self.unfinished.push(part.run.number);
        }
        Ok(())
    }

    /// Judges, and writes what that comes to.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn conclude(mut self, repeats: &[Event]) -> Result<Record, Refusal> {
        self.tell_unreached()?;
        self.record.count_repeats(repeats);
        let words = |finding: &Finding| {
            let cells = finding.cells.clone();
            (finding.code, cells, finding.detail.clone())
        };
        self.kept.sort_by_cached_key(words);
        for finding in [std::mem::take(&mut self.kept), self.gaps()].concat() {
            self.record.hear(&Event::FindingMade(finding));
        }
        let complete = self.unfinished.is_empty() && self.joint.shards.is_whole();
        self.record.judge(complete);
        self.write_verdicts()?;
        let findings = self.record.findings().to_vec();
        for finding in findings {
            let line = self.line(Event::FindingMade(finding));
            self.write(&line)?;
        }
        for (waiver, fate) in self.fates() {
            let line = self.line(Event::WaiverWeighed { waiver, fate });
            self.write(&line)?;
        }
        let line = self.line(Event::RunFinished {
            complete,
            enough: None,
            took_ms: self.took_ms(),
        });
        self.write(&line)?;
        self.record.hear_line(&line);
        self.out.flush()?;
        Ok(self.record)
    }

    /// One shard's cells are told of by that shard alone.
    fn claim(&mut self, number: u32, seen: &Observed, header: &Header) -> Result<(), Refusal> {
        let Some(index) = self.record.index_of(seen) else {
            return Ok(());
        };
        let teller = &mut self.tellers[index];
        if *teller != 0 && *teller != number {
            return Err(Refusal::Overlap {
                name: header.name.clone(),
            });
        }
        *teller = number;
        Ok(())
    }

    /// Keeps what a run found out that no cell's answer can show. What several say in the same words is said once, of all
    /// their cells.
    pub(super) fn keep(&mut self, doors: &[Door], mut finding: Finding) {
        let there = |index: &usize| replaced(*index, doors, self.joint.matrix());
        finding.cells = finding.cells.iter().filter_map(there).collect();
        let same = |known: &&mut Finding| says_the_same(known, &finding);
        match self.kept.iter_mut().find(same) {
            Some(known) => {
                known.cells.append(&mut finding.cells);
                known.cells.sort_unstable();
                known.cells.dedup();
            }
            None => self.kept.push(finding),
        }
    }

    /// Cells that no shard came to.
    fn tell_unreached(&mut self) -> Result<(), Refusal> {
        let matrix = self.joint.matrix().clone();
        for check in matrix.checks() {
            if self.tellers[check.index] != 0 {
                continue;
            }
            let cell = matrix.cell(&check);
            let line = self.line(Event::CellObserved(Observed {
                persona: cell.persona,
                operation: cell.operation,
                door: cell.door,
                status: 0,
                reading: None,
                second: None,
                effect: Effect::Unchecked,
                gap: Some(Gap::NotReached),
                retries: Vec::new(),
                took_ms: 0,
                evidence: Vec::new(),
            }));
            self.write(&line)?;
            self.record.hear_line(&line);
        }
        Ok(())
    }

    /// Shards that are missing, and those whose run did not come to its end, with the cells that they did not reach.
    fn gaps(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let of = self.joint.shards.of;
        let missing: Vec<u32> = self.joint.shards.missing().collect();
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let words = format!("{} of {of} {verb} missing", named(&missing));
            findings.push(Finding::new(Code::Incomplete, words, Vec::new()));
        }
        if !self.unfinished.is_empty() {
            let words = format!("{} of {of} did not run to the end", named(&self.unfinished));
            let unreached = self.record.entries();
            let unreached =
                unreached.filter(|entry| entry.heard.sight().gap == Some(Gap::NotReached));
            let cells = unreached.map(|entry| entry.check.index).collect();
            findings.push(Finding::new(Code::Incomplete, words, cells));
        }
        findings
    }

    fn write_verdicts(&mut self) -> Result<(), Refusal> {
        let record = std::mem::take(&mut self.record);
        let passes = |entry: &Entry<'_>| {
            let verdict = entry.heard.verdict();
            verdict.is_some_and(|verdict| simply_passed(verdict, &entry.heard.sight()))
        };
        let cells = stretches(record.matrix(), |index| {
            record.entry(index).is_some_and(|entry| passes(&entry))
        });
        if !cells.is_empty() {
            let line = self.line(Event::CellsPassed { cells });
            self.write(&line)?;
        }
        let others = record.entries().filter(|entry| !passes(entry));
        let mut verdicts = others.filter_map(|entry| {
            let cell = record.matrix().cell(&entry.check);
            Some(Event::CellFinished {
                persona: cell.persona,
                operation: cell.operation,
                door: cell.door,
                verdict: entry.heard.verdict()?.clone(),
                repeats: Some(entry.heard.sight().repeats).filter(|it| it.are_worth_telling()),
            })
        });
        let written = verdicts.try_for_each(|event| {
            let line = self.line(event);
            self.write(&line)
        });
        drop(verdicts);
        self.record = record;
        written
    }

    /// What became of each waiver.
    fn fates(&self) -> Vec<(u16, Fate)> {
        let fates = self.record.waivers().iter().map(|known| known.fate);
        (0..).zip(fates).collect()
    }

    /// From the first line of the first run to the last of the last.
    fn took_ms(&self) -> u64 {
        let start = humantime::parse_rfc3339(&self.joint.at).ok();
        let took = start
            .zip(self.end)
            .and_then(|(start, end)| end.duration_since(start).ok());
        took.map_or(0, |took| {
            u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// The next line of the joined run. Its time is that of the last run's end: nothing depends on when it is joined.
    fn line(&self, event: Event) -> Line {
        let at = self.end.map_or_else(
            || self.joint.at.clone(),
            |end| humantime::format_rfc3339_millis(end).to_string(),
        );
        Line {
            run_id: self.joint.run_id.clone(),
            seq: self.sequence,
            at,
            event,
        }
    }

    fn write(&mut self, line: &Line) -> Result<(), Refusal> {
        self.text.clear();
        line.put(&mut self.text).map_err(std::io::Error::from)?;
        self.text.push('\n');
        self.out.write_all(self.text.as_bytes())?;
        self.sequence += 1;
        Ok(())
    }

    fn copy_line(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.out.write_all(bytes.trim_ascii_end())?;
        self.out.write_all(b"\n")?;
        self.sequence += 1;
        Ok(())
    }
}

fn says_the_same(one: &Finding, other: &Finding) -> bool {
    let words = |finding: &Finding| (finding.code, finding.signature, finding.hint);
    words(one) == words(other) && one.detail == other.detail
}

/// The index that a cell of a matrix with these doors has in one that may have more.
fn replaced(index: usize, doors: &[Door], joint: &Matrix) -> Option<usize> {
    let personas = joint.personas.len();
    let (persona, place) = (index.checked_rem(personas)?, index.checked_div(personas)?);
    let door = doors.get(place.checked_rem(doors.len())?)?;
    let at = joint.doors.iter().position(|known| known == door)?;
    let index = joint.index(place / doors.len(), at, persona);
    joint.check(index).map(|check| check.index)
}
