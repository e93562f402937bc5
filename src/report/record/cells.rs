//! What was heard of cells in, the same of any of them out; kept in a few bytes where there is no more to tell than usual.

use std::collections::HashMap;

use crate::door::Observation;
use crate::judge::{
    Effect, Gap, Layer, Mark, Outcome, Reading, Repeats, Sight, Signature, Verdict, VerdictKind,
};

/// What was heard of every cell, by matrix index.
#[derive(Debug, Default)]
pub(super) struct Cells {
    notes: Vec<Note>,
    papers: HashMap<usize, Papers>,
}

/// What is kept of every cell.
#[derive(Clone, Copy, Debug, Default)]
struct Note {
    outcome: Option<Outcome>,
    signature: Option<Signature>,
    gap: Option<Gap>,
    effect: Effect,
    status: u16,
    passed: bool,
    has_papers: bool,
    took_ms: u32,
}

/// What is kept of a cell that has more to tell.
#[derive(Debug, Default)]
struct Papers {
    rest: Rest,
    verdict: Option<Verdict>,
    evidence: Vec<Observation>,
    retries: Vec<String>,
}

/// What few cells have of a sight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rest {
    fingerprint: Option<Mark>,
    second: Option<Reading>,
    by: Option<Layer>,
    repeats: Repeats,
}

static PASS: Verdict = Verdict::PASS;

/// What was heard of one cell.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'r> {
    note: &'r Note,
    papers: Option<&'r Papers>,
}

impl Cells {
    /// So many of which nothing was heard.
    pub(super) fn new(count: usize) -> Self {
        Self {
            notes: vec![Note::default(); count],
            papers: HashMap::new(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// What was heard of a cell; `None` where there is no such index.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<Heard<'_>> {
        let note = self.notes.get(index)?;
        let papers = note.has_papers.then(|| self.papers.get(&index)).flatten();
        Some(Heard { note, papers })
    }

    /// What was seen of each.
    pub(super) fn sights(&self) -> Vec<Sight> {
        let heard = (0..self.len()).filter_map(|index| self.get(index));
        heard.map(|heard| heard.sight()).collect()
    }

    /// Takes what was seen.
    #[inline]
    pub(super) fn see(
        &mut self,
        index: usize,
        sight: Sight,
        took_ms: u64,
        evidence: &[Observation],
        retries: &[String],
    ) {
        self.put(index, sight);
        self.notes[index].took_ms = u32::try_from(took_ms).unwrap_or(u32::MAX);
        if self.notes[index].has_papers || !evidence.is_empty() || !retries.is_empty() {
            let papers = self.papers_mut(index);
            papers.evidence = evidence.to_vec();
            papers.retries = retries.to_vec();
        }
    }

    /// Changes what was seen.
    pub(super) fn change(&mut self, index: usize, change: impl FnOnce(&mut Sight)) {
        if let Some(heard) = self.get(index) {
            let mut sight = heard.sight();
            change(&mut sight);
            self.put(index, sight);
        }
    }

    /// Takes what came back to one more call.
    pub(super) fn see_more(&mut self, index: usize, evidence: &[Observation]) {
        if !evidence.is_empty() {
            let papers = self.papers_mut(index);
            papers.evidence.extend_from_slice(evidence);
        }
    }

    /// Takes the word.
    pub(super) fn judge(&mut self, index: usize, verdict: &Verdict) {
        self.notes[index].passed = *verdict == PASS;
        if !self.notes[index].passed {
            self.papers_mut(index).verdict = Some(verdict.clone());
        }
    }

    #[inline]
    fn put(&mut self, index: usize, sight: Sight) {
        let rest = Rest::of(&sight);
        self.notes[index].take(&sight);
        if self.notes[index].has_papers || rest != Rest::default() {
            self.papers_mut(index).rest = rest;
        }
    }

    fn papers_mut(&mut self, index: usize) -> &mut Papers {
        self.notes[index].has_papers = true;
        self.papers.entry(index).or_default()
    }
}

impl Note {
    fn take(&mut self, sight: &Sight) {
        self.outcome = sight.reading.map(|reading| reading.outcome);
        self.signature = sight.reading.and_then(|reading| reading.signature);
        self.gap = sight.gap;
        self.effect = sight.effect;
        self.status = sight.status;
    }

    fn sight(&self, rest: Rest) -> Sight {
        let reading = |outcome| Reading {
            outcome,
            signature: self.signature,
            fingerprint: rest.fingerprint,
        };
        Sight {
            reading: self.outcome.map(reading),
            status: self.status,
            second: rest.second,
            effect: self.effect,
            gap: self.gap,
            by: rest.by,
            repeats: rest.repeats,
        }
    }
}

impl Rest {
    fn of(sight: &Sight) -> Self {
        Self {
            fingerprint: sight.reading.and_then(|reading| reading.fingerprint),
            second: sight.second,
            by: sight.by,
            repeats: sight.repeats,
        }
    }
}

impl<'r> Heard<'r> {
    /// What was seen, as the judge needs it.
    pub fn sight(&self) -> Sight {
        let rest = self.papers.map(|papers| papers.rest);
        self.note.sight(rest.unwrap_or_default())
    }

    /// HTTP status, 0 when there was none.
    pub const fn status(&self) -> u16 {
        self.note.status
    }

    /// What the answer means; `None` when there was none.
    pub const fn outcome(&self) -> Option<Outcome> {
        self.note.outcome
    }

    /// How its answers compare, where the call was made in several rounds.
    pub fn repeats(&self) -> Repeats {
        let papers = self.papers.map(|papers| papers.rest.repeats);
        papers.unwrap_or_default()
    }

    /// The word on it; `None` until it is judged.
    #[inline]
    pub fn verdict(&self) -> Option<&'r Verdict> {
        if self.note.passed {
            return Some(&PASS);
        }
        self.papers?.verdict.as_ref()
    }

    /// Milliseconds of the attempt that counts.
    pub fn took_ms(&self) -> u64 {
        self.note.took_ms.into()
    }

    /// What came back, where it was kept.
    pub fn evidence(&self) -> &'r [Observation] {
        self.papers.map_or(&[], |papers| &papers.evidence)
    }

    /// Attempts before the one that counts, each with its wait and reason, in words.
    pub fn retries(&self) -> &'r [String] {
        self.papers.map_or(&[], |papers| &papers.retries)
    }

    /// The verdict's kind; what was not judged is unproven.
    pub fn kind(&self) -> VerdictKind {
        self.verdict()
            .map_or(VerdictKind::Unproven, |verdict| verdict.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Sight {
        Sight {
            reading: Some(Reading {
                outcome: Outcome::Forbidden,
                signature: Some(Signature::Quota),
                fingerprint: Some(Mark::of("filter", None)),
            }),
            status: 403,
            second: Some(Reading::plain(Outcome::Granted)),
            effect: Effect::Changed,
            gap: Some(Gap::DoorClosed),
            by: Some(Layer::Gateway),
            repeats: Repeats {
                asked: 3,
                astray: 1,
                status: 200,
            },
        }
    }

    #[test]
    fn a_sight_comes_out_as_it_went_in_and_twice_the_last_one() {
        let usual = Sight {
            reading: Some(Reading::plain(Outcome::Granted)),
            status: 200,
            ..Sight::default()
        };
        let mut cells = Cells::new(2);
        for sight in [usual, refused(), Sight::default(), refused(), usual] {
            cells.see(1, sight, 7, &[], &[]);
            assert_eq!(cells.sights(), [Sight::default(), sight]);
        }
        cells.change(1, |sight| sight.effect = Effect::Unchanged);
        assert_eq!(cells.get(1).unwrap().sight().effect, Effect::Unchanged);
        assert!(cells.get(2).is_none());
    }

    #[test]
    fn what_passes_as_usual_has_no_papers_and_takes_a_few_bytes() {
        let mut cells = Cells::new(1);
        let usual = Sight {
            reading: Some(Reading {
                signature: Some(Signature::Quota),
                ..Reading::plain(Outcome::Forbidden)
            }),
            status: 403,
            ..Sight::default()
        };
        cells.see(0, usual, 3, &[], &[]);
        cells.judge(0, &Verdict::PASS);
        assert!(cells.papers.is_empty());
        assert_eq!(size_of::<Note>(), 12);
        let failed = Verdict {
            kind: VerdictKind::Fail,
            ..Verdict::PASS
        };
        cells.judge(0, &failed);
        assert_eq!(cells.get(0).unwrap().kind(), VerdictKind::Fail);
        cells.judge(0, &Verdict::PASS);
        assert_eq!(cells.get(0).unwrap().kind(), VerdictKind::Pass);
    }
}
