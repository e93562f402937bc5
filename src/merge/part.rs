//! First lines of records in, which piece of which record tells of which shard out: each shard once.

use std::collections::BTreeMap;
use std::io::{BufRead, Seek, SeekFrom};

use super::Source;
use super::header::Header;
use super::refusal::{Difference, Refusal, Told};
use crate::judge::{Code, Finding};
use crate::report::record::Unreadable;
use crate::run::{Event, ShardRun};
use crate::waiver::Waiver;

/// The piece of a record that tells of one shard.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) run: ShardRun,
    /// Index of the record.
    pub(super) source: usize,
    /// Where its lines begin.
    pub(super) start: Mark,
    /// How many lines it has.
    pub(super) lines: u64,
    /// Whether the run has told its end, and how many lines it has told of what it saw.
    told: (bool, u64),
    /// What somebody accepts for a while.
    waivers: Vec<Waiver>,
}

/// A place in a record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// Bytes before it.
    pub(super) bytes: u64,
    /// Lines before it.
    pub(super) lines: u64,
}

/// What records hold: each shard's piece, by its number, and what their runs found out that no cell's answer can show, with
/// the record that says so.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) parts: Vec<Part>,
    pub(super) findings: Vec<(usize, Finding)>,
    /// Verdicts that tell how often a cell's answers were not as demanded: of that they alone tell.
    pub(super) repeats: Vec<Event>,
}

/// Looks through all of them. Of two copies of a shard the one counts that tells more.
///
/// # Errors
/// Two runs called the same shard, or a record cannot be read.
pub(super) fn all<R: BufRead + Seek>(
    headers: &[Header],
    sources: &mut [Source<R>],
) -> Result<Contents, Refusal> {
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    let (mut findings, mut repeats) = (Vec::new(), Vec::new());
    for (at, (header, source)) in headers.iter().zip(sources).enumerate() {
        let contents = contents(header, at, source)?;
        findings.extend(contents.findings);
        repeats.extend(contents.repeats);
        for part in contents.parts {
            let known = parts.get(&part.run.number);
            if let Some(known) = known.filter(|known| known.run != part.run) {
                return Err(twice(headers, known, &part));
            }
            if known.is_none_or(|known| part.told > known.told) {
                parts.insert(part.run.number, part);
            }
        }
    }
    let parts: Vec<Part> = parts.into_values().collect();
    agree(headers, &parts)?;
    Ok(Contents {
        parts,
        findings,
        repeats,
    })
}

/// Whether all runs state the same waivers, as far as they came to state them.
fn agree(headers: &[Header], parts: &[Part]) -> Result<(), Refusal> {
    let mut stating = parts.iter().filter(|part| !part.waivers.is_empty());
    let Some(first) = stating.next() else {
        return Ok(());
    };
    let told = |part: &Part| Told {
        name: headers[part.source].name.clone(),
        says: format!("{} of them", part.waivers.len()),
    };
    let differs = |other: &&Part| {
        let both_ended = first.told.0 && other.told.0;
        let mut pairs = first.waivers.iter().zip(&other.waivers);
        pairs.any(|(one, other)| one != other)
            || both_ended && first.waivers.len() != other.waivers.len()
    };
    match stating.find(differs) {
        Some(other) => Err(Refusal::Differ {
            what: Difference::Waivers,
            one: told(first),
            other: told(other),
        }),
        None => Ok(()),
    }
}

fn twice(headers: &[Header], one: &Part, other: &Part) -> Refusal {
    let told = |part: &Part| Told {
        name: headers[part.source].name.clone(),
        says: part.run.run_id.clone(),
    };
    Refusal::Twice {
        number: one.run.number,
        one: told(one),
        other: told(other),
    }
}

/// The pieces of a record, found by whose lines they are: a joined one holds its shards one after the other, and then what
/// it came to itself.
fn contents<R: BufRead + Seek>(
    header: &Header,
    at: usize,
    source: &mut Source<R>,
) -> Result<Contents, Refusal> {
    let nothing = |run: &ShardRun| Part {
        run: run.clone(),
        source: at,
        start: Mark::default(),
        lines: 0,
        told: (false, 0),
        waivers: Vec::new(),
    };
    let mut parts: Vec<Part> = header.shards.runs.iter().map(nothing).collect();
    let (mut findings, mut repeats) = (Vec::new(), Vec::new());
    let mut begun = false;
    each_line(source, Mark::default(), u64::MAX, |mark, bytes, is_cut| {
        let Some(label) = header.label(mark, bytes, is_cut)? else {
            return Ok(());
        };
        let part = parts
            .iter_mut()
            .find(|part| part.run.run_id == label.run_id);
        if part.is_none() && label.run_id != header.run_id {
            return Err(header.foreign(mark));
        }
        if label.kind == "run.started" && std::mem::replace(&mut begun, true) {
            let number = mark.lines + 1;
            return Err(header.unreadable(Unreadable::SecondRun { number }));
        }
        if label.kind == "cell.finished" && tells_of_repeats(bytes) {
            repeats.extend(
                header
                    .line(mark, &label, bytes, is_cut)?
                    .map(|line| line.event),
            );
        }
        if label.kind == "cleanup.started" {
            // What the run itself said of its left-overs is told anew from here on.
            findings.retain(|(_, known): &(usize, Finding)| known.code != Code::LeftBehind);
        }
        if label.kind == "finding" {
            findings.extend(
                header
                    .finding(mark, &label, bytes, is_cut)?
                    .map(|finding| (at, finding)),
            );
        } else if let Some(part) = part {
            if part.lines == 0 {
                part.start = mark;
            }
            part.lines = mark.lines + 1 - part.start.lines;
            part.told.0 |= label.kind == "run.finished";
            let is_verdict = matches!(label.kind.as_ref(), "cell.finished" | "cells.passed");
            part.told.1 += u64::from(!is_verdict);
            if label.kind == "waiver.stated"
                && let Some(line) = header.line(mark, &label, bytes, is_cut)?
                && let Event::WaiverStated(dated) = line.event
            {
                part.waivers.push(dated.waiver);
            }
        }
        Ok(())
    })?;
    Ok(Contents {
        parts,
        findings,
        repeats,
    })
}

/// Whether a verdict may tell of several rounds: few do, and the others need not be read.
fn tells_of_repeats(bytes: &[u8]) -> bool {
    const KEY: &[u8] = b"\"repeats\"";
    bytes.windows(KEY.len()).any(|piece| piece == KEY)
}

/// Gives lines of a record to `hear`, each with its place and whether its end is missing.
///
/// # Errors
/// Those of `hear`, and those of reading.
pub(super) fn each_line<R: BufRead + Seek>(
    source: &mut Source<R>,
    mut mark: Mark,
    lines: u64,
    mut hear: impl FnMut(Mark, &[u8], bool) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let name = source.name.as_str();
    let interrupted = |cause| Refusal::Unreadable {
        name: name.to_owned(),
        cause: Unreadable::Interrupted(cause),
    };
    let start = SeekFrom::Start(mark.bytes);
    source.lines.seek(start).map_err(interrupted)?;
    let mut buffer = Vec::new();
    for _ in 0..lines {
        buffer.clear();
        let read = source.lines.read_until(b'\n', &mut buffer);
        let read = read.map_err(interrupted)?;
        if read == 0 {
            break;
        }
        hear(mark, &buffer, buffer.last() != Some(&b'\n'))?;
        mark.bytes += read as u64;
        mark.lines += 1;
    }
    Ok(())
}
