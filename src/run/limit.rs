//! What was seen of each cell in, whether enough of them have failed out.

use std::cell::{Cell, RefCell};

use super::hall::Hall;
use crate::judge::{Roll, VerdictKind};
use crate::plan::Check;

/// Counts failing cells as the judge would, were the run to end now: a refusal of the wrong kind fails only once a control
/// stands in, and what is waived does not.
#[derive(Debug)]
pub(super) struct Limit {
    most: Option<usize>,
    /// Cells that may fail; none that is as demanded.
    suspects: RefCell<Vec<usize>>,
    reached: Cell<bool>,
}

impl Limit {
    /// Takes how many failing cells are enough; `None` for no number of them.
    pub(super) fn new(most: Option<usize>) -> Self {
        Self {
            most,
            suspects: RefCell::default(),
            reached: Cell::default(),
        }
    }

    /// Whether enough cells have failed, so that no other is called.
    pub(super) fn is_reached(&self) -> bool {
        self.reached.get()
    }

    /// How many are enough, where that many were found.
    pub(super) fn met(&self) -> Option<usize> {
        self.most.filter(|_| self.reached.get())
    }

    /// Hears that something was seen of a cell.
    pub(super) fn weigh(&self, hall: &Hall<'_>, check: &Check<'_>) {
        let Some(most) = self.most.filter(|_| !self.reached.get()) else {
            return;
        };
        if self.may_count(hall, check) {
            self.reached.set(failures(hall) >= most);
        }
    }

    /// Whether the number of failing cells may have grown: by this cell, or because it is the control of another.
    fn may_count(&self, hall: &Hall<'_>, check: &Check<'_>) -> bool {
        let sight = hall.sights.borrow()[check.index];
        let mut suspects = self.suspects.borrow_mut();
        let Some(reading) = sight.reading.filter(|_| sight.gap.is_none()) else {
            return sight.reading.is_some();
        };
        let plain = sight.second.is_none() && !sight.effect.is_doubtful(check.demand.expectation);
        if !plain || !hall.as_demanded(check, reading, sight.status) {
            if !suspects.contains(&check.index) {
                suspects.push(check.index);
            }
            return true;
        }
        let personas = hall.plan.matrix.personas.len();
        let is_near = |other: usize| {
            other / personas == check.index / personas || other % personas == check.persona
        };
        check.demand.expectation.allows() && suspects.iter().any(|other| is_near(*other))
    }
}

fn failures(hall: &Hall<'_>) -> usize {
    let sights = hall.sights.borrow();
    let roll = Roll {
        matrix: &hall.plan.matrix,
        sights: sights.view(),
        mcp_refuses: hall.plan.scenario.deployment.mcp_refuses,
        // What lists and documents show is known only once the cells were called.
        shown: &[],
        earlier: &[],
    };
    let verdicts = roll.conclude_under(hall.waivers()).verdicts;
    let failed = |verdict: &&crate::judge::Verdict| verdict.kind == VerdictKind::Fail;
    let verdicts = verdicts.iter().filter_map(Option::as_deref);
    verdicts.filter(failed).count()
}
