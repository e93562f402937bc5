//! First lines of records in, whether they belong together and the first line of the joined record out.

use std::io::{BufRead, Seek};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Source;
use super::part::{Mark, Part};
use super::refusal::{Difference, Refusal, Told};
use super::shape::{Overlap, Shape};
use crate::judge::Finding;
use crate::plan::{Matrix, Shard};
use crate::report::record::{Unreadable, label, parse};
use crate::run::line::{Label, Line};
use crate::run::{Beginning, Event, ShardRun, Shards, is_concluded};

/// What the line of a record says that begins it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) run_id: String,
    pub(super) at: String,
    pub(super) shards: Shards,
    /// Without the operations.
    beginning: Box<Beginning>,
}

/// The first line of each, and the matrix of all of them.
///
/// # Errors
/// One of them is no record, or names shards that cannot be; or two do not belong together.
pub(super) fn read_all<R: BufRead + Seek>(
    sources: &mut [Source<R>],
) -> Result<(Vec<Header>, Matrix), Refusal> {
    let mut headers: Vec<Header> = Vec::with_capacity(sources.len());
    let mut shape = Shape::default();
    for source in sources {
        let mut header = read(source)?;
        if let Some(first) = headers.first() {
            first.agree(&header)?;
            // Those of one plan are the same.
            header.beginning.tools = Vec::new();
        }
        let taken = shape.take(header.without_operations());
        taken.map_err(|Overlap| Refusal::Overlap {
            name: header.name.clone(),
        })?;
        headers.push(header);
    }
    Ok((headers, shape.matrix()))
}

fn read<R: BufRead>(source: &mut Source<R>) -> Result<Header, Refusal> {
    let unreadable = |cause| Refusal::Unreadable {
        name: source.name.clone(),
        cause,
    };
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        let read = source.lines.read_until(b'\n', &mut buffer);
        let read = read.map_err(|cause| unreadable(Unreadable::Interrupted(cause)))?;
        if read == 0 {
            break;
        }
        let line = parse(&buffer, number).map_err(unreadable)?;
        // Before a run its deployment may be looked at.
        let is_before =
            |line: &Line| matches!(line.event, Event::Looked { .. } | Event::Settled(_));
        if let Some(line) = line.filter(|line| !is_before(line)) {
            let header = Header::of(&source.name, line);
            let header = header.ok_or_else(|| unreadable(Unreadable::NoRun))?;
            return header.possible();
        }
    }
    Err(unreadable(Unreadable::NoRun))
}

impl Header {
    fn of(name: &str, line: Line) -> Option<Self> {
        let Event::RunStarted(beginning) = line.event else {
            return None;
        };
        // A run that nobody divided is the one shard of its plan.
        let shards = beginning.shards.clone().unwrap_or_else(|| Shards {
            of: 1,
            runs: vec![ShardRun {
                number: 1,
                run_id: line.run_id.clone(),
            }],
        });
        Some(Self {
            name: name.to_owned(),
            run_id: line.run_id,
            at: line.at,
            shards,
            beginning,
        })
    }

    /// The shape of its plan; of the record of one shard only personas and doors are kept.
    pub(super) fn matrix(&self) -> &Matrix {
        &self.beginning.matrix
    }

    /// Gives the matrix away, but for personas and doors.
    fn without_operations(&mut self) -> Matrix {
        let kept = Matrix {
            personas: self.matrix().personas.clone(),
            doors: self.matrix().doors.clone(),
            ..Matrix::default()
        };
        let whole = std::mem::replace(&mut self.beginning.matrix, Arc::new(kept));
        Arc::unwrap_or_clone(whole)
    }

    fn possible(self) -> Result<Self, Refusal> {
        let Shards { of, runs } = &self.shards;
        let are_there = (1..=Shard::MOST).contains(of)
            && !runs.is_empty()
            && runs.is_sorted_by(|one, next| one.number < next.number)
            && runs.iter().all(|run| (1..=*of).contains(&run.number));
        let distinct = |(at, run): (usize, &ShardRun)| {
            !runs[..at].iter().any(|known| known.run_id == run.run_id)
        };
        if are_there && runs.iter().enumerate().all(distinct) {
            Ok(self)
        } else {
            Err(Refusal::NoShards { name: self.name })
        }
    }

    /// A line of the record cannot be read.
    pub(super) fn unreadable(&self, cause: Unreadable) -> Refusal {
        Refusal::Unreadable {
            name: self.name.clone(),
            cause,
        }
    }

    /// What decides how a line is taken; `None` where it is blank, or the last and cut off.
    ///
    /// # Errors
    /// It is no line of a record.
    pub(super) fn label<'l>(
        &self,
        before: Mark,
        bytes: &'l [u8],
        is_cut: bool,
    ) -> Result<Option<Label<'l>>, Refusal> {
        match label(bytes, before.lines + 1) {
            Ok(label) => Ok(label),
            Err(Unreadable::Line { .. }) if is_cut => Ok(None),
            Err(cause) => Err(self.unreadable(cause)),
        }
    }

    /// The whole of a line whose label is known; `None` where it is the last and cut off.
    ///
    /// # Errors
    /// It is no line of a record.
    pub(super) fn line(
        &self,
        before: Mark,
        label: &Label<'_>,
        bytes: &[u8],
        is_cut: bool,
    ) -> Result<Option<Line>, Refusal> {
        match label.line(bytes) {
            Ok(line) => Ok(Some(line)),
            Err(_) if is_cut => Ok(None),
            Err(cause) => {
                let number = before.lines + 1;
                Err(self.unreadable(Unreadable::Line { number, cause }))
            }
        }
    }

    /// The finding that a line tells, unless judging comes to it again.
    ///
    /// # Errors
    /// It is no line of a record.
    pub(super) fn finding(
        &self,
        before: Mark,
        label: &Label<'_>,
        bytes: &[u8],
        is_cut: bool,
    ) -> Result<Option<Finding>, Refusal> {
        let line = self.line(before, label, bytes, is_cut)?;
        Ok(match line.map(|line| line.event) {
            Some(Event::FindingMade(finding)) if !is_concluded(&finding) => Some(finding),
            Some(_) | None => None,
        })
    }

    /// A line of the record is of a run that it does not name.
    pub(super) fn foreign(&self, before: Mark) -> Refusal {
        Refusal::Foreign {
            name: self.name.clone(),
            number: before.lines + 1,
        }
    }

    /// The first line of the record that joins these, whose parts and matrix are these.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn joined(
        headers: &[Self],
        parts: &[Part],
        matrix: Matrix,
    ) -> Result<Self, Refusal> {
        let named = parts.first().map(|part| &headers[part.source]);
        let (Some(known), Some(first)) = (headers.first(), named) else {
            return Err(Refusal::Nothing);
        };
        let starts = headers.iter().map(|header| header.at.as_str());
        let shards = Shards {
            of: first.shards.of,
            runs: parts.iter().map(|part| part.run.clone()).collect(),
        };
        let beginning = Beginning {
            matrix: Arc::new(matrix),
            shards: Some(shards.clone()),
            tools: known.beginning.tools.clone(),
            ..first.beginning.as_ref().clone()
        };
        Ok(Self {
            name: first.name.clone(),
            run_id: joint_id(&shards.runs),
            at: starts.min().unwrap_or_default().to_owned(),
            shards,
            beginning: Box::new(beginning),
        })
    }

    /// Whether another record is of the same plan, deployment and tool.
    ///
    /// # Errors
    /// The first difference, with what both say.
    fn agree(&self, other: &Self) -> Result<(), Refusal> {
        let differs = |(_, says): &&Fact| says(self) != says(other);
        let Some((what, says)) = FACTS.iter().find(differs) else {
            return Ok(());
        };
        let told = |header: &Self| Told {
            name: header.name.clone(),
            says: says(header),
        };
        Err(Refusal::Differ {
            what: *what,
            one: told(self),
            other: told(other),
        })
    }

    /// The line that says all of it.
    pub(super) fn event(&self) -> Event {
        Event::RunStarted(self.beginning.clone())
    }
}

/// An id that the same runs always have together: 8 hex digits.
fn joint_id(runs: &[ShardRun]) -> String {
    let mut hash = Sha256::new();
    for run in runs {
        hash.update(format!("{} {:?}\n", run.number, run.run_id));
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().copied().unwrap_or_default();
    format!("{:08x}", u32::from_be_bytes(first))
}

type Fact = (Difference, fn(&Header) -> String);

const FACTS: [Fact; 8] = [
    (Difference::Tool, |header| header.beginning.tool.clone()),
    (Difference::Scenario, |header| {
        header.beginning.scenario.clone()
    }),
    (Difference::Plan, |header| header.beginning.digest.clone()),
    (Difference::Shards, |header| header.shards.of.to_string()),
    (Difference::Rounds, |header| {
        header.beginning.rounds.to_string()
    }),
    (Difference::Environment, |header| {
        header
            .beginning
            .environment
            .clone()
            .unwrap_or_else(|| "none".to_owned())
    }),
    (Difference::Deployment, |header| {
        header.beginning.deployment.clone()
    }),
    (Difference::Personas, |header| {
        let names = header.matrix().personas.iter().map(|row| row.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }),
];
