//! What a record holds of one cell, token, door or object.

use serde_json::Value;

use crate::cell::Door;
use crate::door::Observation;
use crate::judge::{Sight, Verdict, VerdictKind};
use crate::plan::Check;
use crate::waiver::{self, Dated};

/// What was heard of one cell; a few bytes where it passed.
#[derive(Debug, Default)]
pub struct Heard {
    /// What was seen, as the judge needs it.
    pub sight: Sight,
    took_ms: u32,
    passed: bool,
    papers: Option<Box<Papers>>,
}

/// What is kept of a cell that has more to tell than that it passed.
#[derive(Debug, Default)]
struct Papers {
    verdict: Option<Verdict>,
    evidence: Vec<Observation>,
    retries: Vec<String>,
}

static PASS: Verdict = Verdict::PASS;

impl Heard {
    /// Takes what was seen.
    pub(super) fn see(
        &mut self,
        sight: Sight,
        took_ms: u64,
        evidence: &[Observation],
        retries: &[String],
    ) {
        self.sight = sight;
        self.took_ms = u32::try_from(took_ms).unwrap_or(u32::MAX);
        if self.papers.is_some() || !evidence.is_empty() || !retries.is_empty() {
            let papers = self.papers.get_or_insert_default();
            papers.evidence = evidence.to_vec();
            papers.retries = retries.to_vec();
        }
    }

    /// Takes what came back to one more call.
    pub(super) fn see_more(&mut self, evidence: &[Observation]) {
        let papers = self.papers.get_or_insert_default();
        papers.evidence.extend_from_slice(evidence);
    }

    /// Takes the word.
    pub(super) fn judge(&mut self, verdict: &Verdict) {
        self.passed = *verdict == PASS;
        if !self.passed {
            self.papers.get_or_insert_default().verdict = Some(verdict.clone());
        }
    }

    /// The word on it; `None` until it is judged.
    pub fn verdict(&self) -> Option<&Verdict> {
        if self.passed {
            return Some(&PASS);
        }
        self.papers.as_ref()?.verdict.as_ref()
    }

    /// Milliseconds of the attempt that counts.
    pub fn took_ms(&self) -> u64 {
        self.took_ms.into()
    }

    /// What came back, where it was kept.
    pub fn evidence(&self) -> &[Observation] {
        self.papers.as_ref().map_or(&[], |papers| &papers.evidence)
    }

    /// Attempts before the one that counts, each with its wait and reason, in words.
    pub fn retries(&self) -> &[String] {
        self.papers.as_ref().map_or(&[], |papers| &papers.retries)
    }

    /// The verdict's kind; what was not judged is unproven.
    pub fn kind(&self) -> VerdictKind {
        self.verdict()
            .map_or(VerdictKind::Unproven, |verdict| verdict.kind)
    }
}

/// A check with what was heard of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'r> {
    /// Which cell, and what is demanded of it.
    pub check: Check<'r>,
    /// What was heard.
    pub heard: &'r Heard,
}

/// What a persona's token said of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenFacts {
    /// Allow-listed claims.
    pub claims: Value,
    /// First 8 hex digits of the token's SHA-256.
    pub fingerprint: String,
    /// Milliseconds.
    pub took_ms: u64,
}

/// Whether a door answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DoorFacts {
    /// Which.
    pub door: Door,
    /// Whether it answers; `None` when nothing clear came back.
    pub answers: Option<bool>,
    /// What came back, in a few words.
    pub detail: String,
}

/// What somebody accepts for a while, and what became of that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WaiverFacts {
    /// What, who, why and until when.
    pub dated: Dated,
    /// What became of it; idle until it is weighed.
    pub fate: waiver::Fate,
}

/// An object of the run that is not known to be gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftBehind<'r> {
    /// Which fixture.
    pub fixture: &'r str,
    /// Its captured values, as one line.
    pub object: &'r str,
    /// What came back when it was to be removed.
    pub detail: &'r str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) complete: bool,
    pub(super) took_ms: u64,
}
