//! The cells of one operation that changes something in, each called on this run's own objects and read back out.

use tokio::time::Instant;

use super::asking;
use super::calling::{Called, Calling};
use super::hall::{Hall, Seen};
use super::object::{self, Birth, Likelihood, Object, Objects, State};
use super::watch::{Made, Trace};
use super::work;
use crate::door::Ask;
use crate::judge::{Effect, Gap, Outcome};
use crate::plan::{Check, Group};
use crate::scenario::Operation;
use crate::scenario::template::Bindings;

/// Calls the cells one after the other, so that an effect can be laid at the door of the call that had it.
pub(super) async fn call_group(hall: &Hall<'_>, group: &Group, cells: &[usize]) {
    let mut spare = Spare::default();
    for check in cells
        .iter()
        .filter_map(|cell| hall.plan.matrix.check(*cell))
    {
        let seen = match hall.barred(check.persona, group.door) {
            Some(gap) => Seen::gap(gap),
            None => call_cell(hall, &check, &mut spare).await,
        };
        hall.keep(&check, seen);
    }
}

/// Objects that the refusals of a group share for as long as nothing happens to them.
#[derive(Debug, Default)]
struct Spare {
    objects: Option<Vec<Object>>,
    made: usize,
}

/// One call with what reading back showed.
struct Tried {
    ask: Ask,
    called: Called,
    effect: Effect,
    /// Whether what it did is only read back at the end.
    watched: bool,
}

/// The bindings of one call and the objects behind them; none behind decoys.
struct Target {
    bindings: Bindings,
    objects: Vec<Object>,
    decoy: bool,
}

async fn call_cell(hall: &Hall<'_>, check: &Check<'_>, spare: &mut Spare) -> Seen {
    // Also where a refusal is demanded: a leak would leave an object behind that nobody can remove.
    if let Some(fixture) = hall.plan.scenario.operations[check.operation].creates
        && !hall.objects.removable(hall, fixture).await
    {
        return Seen::gap(Gap::CreationWithheld);
    }
    let first = match attempt(hall, check, spare, false).await {
        Ok(tried) => tried,
        Err(gap) => return Seen::gap(gap),
    };
    let again = if work::worth_asking_again(hall, check, &first.called) {
        attempt(hall, check, spare, true).await.ok()
    } else {
        None
    };
    let effect = worse(
        check,
        first.effect,
        again.as_ref().map(|again| again.effect),
    );
    let answers = (first.called, again.map(|again| again.called));
    let mut seen = work::told(hall, check, &first.ask, answers, effect);
    if first.watched {
        hall.hold_evidence(check, &mut seen);
    }
    if effect == Effect::Changed {
        // Whatever the token was, what it did is to be judged.
        seen.gap = None;
    }
    seen
}

/// A refused write that happened at either attempt happened.
fn worse(check: &Check<'_>, first: Effect, again: Option<Effect>) -> Effect {
    match again {
        Some(Effect::Changed) if !check.demand.expectation.allows() => Effect::Changed,
        _ => first,
    }
}

async fn attempt(
    hall: &Hall<'_>,
    check: &Check<'_>,
    spare: &mut Spare,
    afresh: bool,
) -> Result<Tried, Gap> {
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    hall.still_running()?;
    let target = target(hall, check, spare, afresh).await;
    hall.still_running()?;
    let target = target.ok_or(Gap::FixtureFailed)?;
    let filled = asking::of_operation(
        &scenario.deployment,
        operation,
        check.door,
        &target.bindings,
    );
    let Some(Ok(ask)) = filled else {
        return Err(Gap::FixtureFailed);
    };
    let before = states(hall, &target.objects).await;
    let calling = Calling {
        persona: check.persona,
        door: check.door,
        ask: &ask,
        changes: true,
        afresh: afresh || hall.round.get() > 1,
        decoy: target.decoy,
        renewals: work::renewals(check),
        shows: true,
    };
    let birth = birth(operation, &target.bindings);
    if let Some(birth) = &birth {
        Objects::announce(hall, birth);
    }
    let called = hall.call(calling).await;
    if let Err(gap) = called
        && gap != Gap::NotReached
    {
        if let Some(birth) = &birth {
            Objects::renounce(hall, birth);
        }
        return Err(gap);
    }
    let trace = trace(hall, check, target, before, called.as_ref().ok());
    if !scenario.settle_of(operation).is_zero() {
        return watched_later(hall, ask, trace, called);
    }
    let created = trace.creation(hall).await;
    let called = called?;
    let used = trace.change(hall).await;
    spend(hall, &trace, &called);
    let objects = trace.objects.into_iter().map(|(object, _)| object);
    spare.take_back(hall, objects.collect(), used, check).await;
    Ok(Tried {
        ask,
        called,
        effect: object::together([used, created]),
        watched: false,
    })
}

/// What a call may have done, with the time by which that must show.
fn trace(
    hall: &Hall<'_>,
    check: &Check<'_>,
    target: Target,
    before: Vec<State>,
    called: Option<&Called>,
) -> Trace {
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    let granted = called.is_some_and(|called| called.reading.outcome == Outcome::Granted);
    let since = Instant::now();
    Trace {
        cell: check.index,
        operation: check.operation,
        objects: target.objects.into_iter().zip(before).collect(),
        made: made(operation, called),
        bindings: target.bindings,
        since,
        until: since + scenario.settle_of(operation),
        counts: granted || !check.demand.expectation.allows(),
    }
}

/// Until the watch at the end nobody can tell what the call did.
fn watched_later(
    hall: &Hall<'_>,
    ask: Ask,
    trace: Trace,
    called: Result<Called, Gap>,
) -> Result<Tried, Gap> {
    if let Ok(called) = &called {
        spend(hall, &trace, called);
    }
    let effect = if trace.counts {
        Effect::Unread
    } else {
        Effect::Unchecked
    };
    hall.traces.borrow_mut().push(trace);
    Ok(Tried {
        ask,
        called: called?,
        effect,
        watched: true,
    })
}

fn spend(hall: &Hall<'_>, trace: &Trace, called: &Called) {
    if !refused(called) {
        for (object, _) in &trace.objects {
            hall.objects.spend(object);
        }
    }
}

/// What a call was to make. `called` is `None` where the run ended before the answer.
fn made(operation: &Operation, called: Option<&Called>) -> Made {
    if operation.creates.is_none() {
        return Made::Nothing;
    }
    match called {
        Some(called) if called.reading.outcome == Outcome::Granted => {
            Made::Named(called.answered.payload.value())
        }
        Some(called) => Made::Unnamed(
            called
                .may_have_happened()
                .then(|| (Likelihood::Possible, "it had no clear answer".to_owned())),
        ),
        None => Made::Unnamed(Some((
            Likelihood::Possible,
            "it was not answered before the run ended".to_owned(),
        ))),
    }
}

/// Whether authorization said no, so that an object that is not found has not been removed by this call.
fn refused(called: &Called) -> bool {
    matches!(
        called.reading.outcome,
        Outcome::Unauthenticated | Outcome::Forbidden | Outcome::RefusedInBand
    )
}

/// A call that must get through, like one that is asked again, gets objects that no call has touched.
async fn target(
    hall: &Hall<'_>,
    check: &Check<'_>,
    spare: &mut Spare,
    afresh: bool,
) -> Option<Target> {
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    let suffix = if afresh { "b" } else { "" };
    let bindings = hall.bindings(&format!("{}{suffix}", hall.tag_of(check)));
    if operation.uses.is_empty() {
        return Some(Target {
            bindings,
            objects: Vec::new(),
            decoy: false,
        });
    }
    let Some(objects) = spare.objects(hall, check).await else {
        if !hall.objects.decoys_are_nobodys(hall, check.operation).await {
            return None;
        }
        let bindings = work::bind_decoys(hall, check.operation, bindings)?;
        return Some(Target {
            bindings,
            objects: Vec::new(),
            decoy: true,
        });
    };
    let bound = objects.iter().fold(bindings, |bindings, object| {
        object.bind(&scenario.fixtures[object.fixture], bindings)
    });
    Some(Target {
        bindings: bound,
        objects,
        decoy: false,
    })
}

impl Spare {
    async fn objects(&mut self, hall: &Hall<'_>, check: &Check<'_>) -> Option<Vec<Object>> {
        if let Some(objects) = self.objects.take() {
            return Some(objects);
        }
        if let Some(objects) = hall.prepared.borrow_mut().remove(&check.index) {
            return Some(objects);
        }
        let mut objects = Vec::new();
        for fixture in &hall.plan.scenario.operations[check.operation].uses {
            self.made += 1;
            let tag = format!("{}f{fixture}n{}", hall.tag_of(check), self.made);
            objects.push(hall.objects.make(hall, *fixture, tag).await?);
        }
        Some(objects)
    }

    /// Keeps objects that are as they were; strikes those that are gone. What an allowed call touched is not used again.
    async fn take_back(
        &mut self,
        hall: &Hall<'_>,
        objects: Vec<Object>,
        effect: Effect,
        check: &Check<'_>,
    ) {
        if effect == Effect::Changed {
            for object in &objects {
                if hall.objects.state(hall, object).await == State::Gone {
                    hall.objects.bury(hall, object);
                }
            }
        } else if !objects.is_empty() && !check.demand.expectation.allows() {
            self.objects = Some(objects);
        }
    }
}

async fn states(hall: &Hall<'_>, objects: &[Object]) -> Vec<State> {
    let mut states = Vec::with_capacity(objects.len());
    for object in objects {
        states.push(hall.objects.state(hall, object).await);
    }
    states
}

/// What a call of the operation makes, where it makes anything.
fn birth<'b>(operation: &Operation, bindings: &'b Bindings) -> Option<Birth<'b>> {
    let (rest, mcp) = (operation.rest.as_ref(), operation.mcp.as_ref());
    Some(Birth::new(operation.creates?, rest, mcp, bindings))
}
