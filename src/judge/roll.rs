//! Everything seen in a run in, verdicts and findings out: controls, parity, one finding a defect.

use serde::{Deserialize, Serialize};

use super::control::Controls;
use super::finding::Finding;
use super::law::{self, Case, Ruling};
use super::outcome::Reading;
use super::verdict::Verdict;
use super::{docket, parity, reason};
use crate::plan::{Check, Matrix};
use crate::scenario::RefusalShape;

/// Everything that was seen, one sight an index of the matrix.
#[derive(Debug)]
pub struct Roll<'r> {
    /// The shape of the run.
    pub matrix: &'r Matrix,
    /// What was seen of each cell, by matrix index.
    pub sights: &'r [Sight],
    /// How the MCP doors are declared to refuse.
    pub mcp_refuses: RefusalShape,
    /// Findings that were made before any call: token preflight, sign-in, fixtures.
    pub earlier: &'r [Finding],
}

/// What was seen of one cell; a few bytes each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// What its answer means; `None` when there was none.
    pub reading: Option<Reading>,
    /// HTTP status, 0 when there was none.
    pub status: u16,
    /// What the same call on a fresh connection gave, where it was asked again and differed in outcome.
    pub second: Option<Reading>,
    /// What reading back showed after a write.
    pub effect: Effect,
    /// Why there is no answer to judge.
    pub gap: Option<Gap>,
}

/// What reading back showed after a write.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Not looked at.
    #[default]
    Unchecked,
    /// The object is as it was.
    Unchanged,
    /// The object was made, changed or removed.
    Changed,
}

/// Why a cell has no answer to judge.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The persona's token differs from its declaration, so its calls were not made.
    PersonaStopped,
    /// The persona could not sign in.
    SignInFailed,
    /// The object that the call needs could not be made.
    FixtureFailed,
    /// A door that the scenario names does not answer.
    DoorClosed,
    /// The run ended before its turn.
    NotReached,
    /// A mutating call that this run may not make: verdict `skipped`.
    NotPermitted,
}

/// Verdicts by matrix index (`None` where there is no check) and findings, the gravest first.
#[derive(Debug, Default)]
pub struct Conclusion {
    /// One entry an index of the matrix.
    pub verdicts: Vec<Option<Verdict>>,
    /// Each with its cells in matrix order; sorted by severity, then code, then first cell.
    pub findings: Vec<Finding>,
}

impl Roll<'_> {
    /// Judges everything at once. A sight that is missing counts as a cell that the run did not reach.
    pub fn conclude(&self) -> Conclusion {
        let controls = Controls::of(self);
        let rulings = self.rulings(&controls);
        let mut findings = docket::findings(self, &controls, &rulings);
        findings.extend(parity::disagreement(self, &controls, &rulings));
        findings.extend_from_slice(self.earlier);
        findings.sort_by(|left, right| left.order().cmp(&right.order()));
        Conclusion { verdicts: reason::verdicts(self, &controls, &rulings), findings }
    }

    /// What was seen of a cell.
    pub(super) fn sight(&self, index: usize) -> Sight {
        self.sights.get(index).copied().unwrap_or_default()
    }

    fn rulings(&self, controls: &Controls) -> Vec<Option<Ruling>> {
        let indices = 0..self.matrix.len();
        indices.map(|index| self.matrix.check(index).map(|check| self.ruling(&check, controls))).collect()
    }

    fn ruling(&self, check: &Check<'_>, controls: &Controls) -> Ruling {
        let sight = self.sight(check.index);
        if let Some(gap) = sight.gap {
            return self.leak_before(check, &sight).unwrap_or(Ruling::Gap(gap));
        }
        let Some(reading) = sight.reading else { return Ruling::Gap(Gap::NotReached) };
        let shape = if check.door.speaks_mcp() { self.mcp_refuses } else { RefusalShape::Http };
        let case = Case {
            demand: &check.demand.expectation,
            outcome: controls.settle(check.index, reading.outcome),
            status: sight.status,
            effect: sight.effect,
            control: controls.stand(check.index),
            shape,
        };
        match sight.second {
            Some(second) => law::rule_pair(case, controls.settle(check.index, second.outcome)),
            None => law::rule(case),
        }
    }

    /// A leak that was seen before the cell's answer was given up stands.
    fn leak_before(&self, check: &Check<'_>, sight: &Sight) -> Option<Ruling> {
        let mut readings = [sight.reading, sight.second].into_iter().flatten();
        let leaked = law::must_be_stopped(&check.demand.expectation)
            && readings.any(|reading| law::reached(reading.outcome));
        leaked.then_some(Ruling::Fail(super::code::Code::Leak))
    }
}
