//! A persona and a door in, a call that it is allowed and that changes nothing out.

use super::calling::{Called, Calling};
use super::hall::Hall;
use super::{asking, work};
use crate::cell::Door;
use crate::plan::Check;

/// A check that demands passage of an operation that does not mutate; one without fixtures before one with decoys.
pub(super) fn check<'h>(hall: &'h Hall<'_>, persona: usize, door: Door) -> Option<Check<'h>> {
    let scenario = &hall.plan.scenario;
    let of = |check: &Check<'_>| &scenario.operations[check.operation];
    let callable = |check: &Check<'_>| {
        let decoys = of(check).uses.iter();
        check.persona == persona
            && check.door == door
            && check.demand.expectation.allows()
            && !of(check).mutates
            && decoys
                .map(|fixture| &scenario.fixtures[*fixture])
                .all(|fixture| fixture.decoy.is_some())
    };
    let checks = hall.plan.matrix.checks().filter(callable);
    checks.min_by_key(|check| of(check).uses.len())
}

/// Calls it, with decoys where it names fixtures.
pub(super) async fn call(hall: &Hall<'_>, check: &Check<'_>) -> Option<Called> {
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    let bindings = work::bind_decoys(hall, check.operation, hall.bindings("look"))?;
    let ask = asking::of_operation(&scenario.deployment, operation, check.door, &bindings)?.ok()?;
    let calling = Calling {
        persona: check.persona,
        door: check.door,
        ask: &ask,
        changes: false,
        afresh: false,
        decoy: !operation.uses.is_empty(),
        renewals: work::renewals(check),
        shows: true,
    };
    hall.call(calling).await.ok()
}

impl Hall<'_> {
    /// Makes such a call at a door where nothing was granted yet: only then does "not found" mean anything there.
    pub(super) async fn wake(&self, persona: usize, door: Door) {
        if self.alive.get()[door.index()] {
            return;
        }
        if let Some(check) = check(self, persona, door)
            && self.plan.scenario.operations[check.operation]
                .uses
                .is_empty()
        {
            call(self, &check).await;
        }
    }
}
