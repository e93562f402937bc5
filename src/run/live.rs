//! The cells of one operation that changes something in, each called on this run's own objects and read back out.

use super::asking;
use super::calling::{Called, Calling};
use super::hall::{Hall, Seen};
use super::object::{Object, State};
use super::work;
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
    called: Called,
    effect: Effect,
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
        return Seen::gap(Gap::FixtureFailed);
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
    let mut seen = work::told(hall, check, first.called, again.map(|again| again.called));
    seen.effect = effect;
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
    let target = target(hall, check, spare, afresh)
        .await
        .ok_or(Gap::FixtureFailed)?;
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
        afresh,
        decoy: target.decoy,
    };
    let called = hall.call(calling).await.ok_or(Gap::NotReached)?;
    let used = compare(&before, &states(hall, &target.objects).await);
    let created = creation(hall, operation, &target.bindings, &called).await;
    spare.take_back(hall, target.objects, used, check).await;
    Ok(Tried {
        called,
        effect: together(used, created),
    })
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
    let bindings = hall.bindings(&format!("{}{suffix}", check.index));
    if operation.uses.is_empty() {
        return Some(Target {
            bindings,
            objects: Vec::new(),
            decoy: false,
        });
    }
    let Some(objects) = spare.objects(hall, check).await else {
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
        let mut objects = Vec::new();
        for fixture in &hall.plan.scenario.operations[check.operation].uses {
            self.made += 1;
            let tag = format!("{}f{fixture}n{}", check.index, self.made);
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
                    hall.objects.strike(object);
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

fn compare(before: &[State], after: &[State]) -> Effect {
    let known = |states: &[State]| !states.is_empty() && !states.contains(&State::Unknown);
    if before
        .iter()
        .zip(after)
        .any(|(before, after)| differ(before, after))
    {
        Effect::Changed
    } else if known(before) && known(after) {
        Effect::Unchanged
    } else {
        Effect::Unchecked
    }
}

fn differ(before: &State, after: &State) -> bool {
    *before != State::Unknown && *after != State::Unknown && before != after
}

/// Whether a creation left an object behind; whatever it left is taken into the ledger.
async fn creation(
    hall: &Hall<'_>,
    operation: &Operation,
    bindings: &Bindings,
    called: &Called,
) -> Effect {
    let Some(fixture) = operation.creates else {
        return Effect::Unchecked;
    };
    let answered = matches!(called.reading.outcome, Outcome::Granted)
        .then(|| {
            hall.objects
                .adopt_answer(hall, fixture, called.answered.payload.as_ref())
        })
        .flatten();
    if let Some(object) = answered {
        return existence(hall, &object).await;
    }
    match hall.objects.find(hall, fixture, bindings).await {
        Some(_) => Effect::Changed,
        None if hall.plan.scenario.fixtures[fixture].find.is_some() => Effect::Unchanged,
        None => Effect::Unchecked,
    }
}

async fn existence(hall: &Hall<'_>, object: &Object) -> Effect {
    match hall.objects.state(hall, object).await {
        State::There(_) => Effect::Changed,
        State::Gone => {
            hall.objects.strike(object);
            Effect::Unchanged
        }
        State::Unknown => Effect::Unchecked,
    }
}

fn together(used: Effect, created: Effect) -> Effect {
    match (used, created) {
        (Effect::Changed, _) | (_, Effect::Changed) => Effect::Changed,
        (Effect::Unchanged, _) | (_, Effect::Unchanged) => Effect::Unchanged,
        (Effect::Unchecked, Effect::Unchecked) => Effect::Unchecked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_effect_is_a_difference_between_two_known_states() {
        let there = |price: u32| State::There(Some(json!({ "price": price })));
        let table = [
            (there(1), there(1), Effect::Unchanged),
            (there(1), there(2), Effect::Changed),
            (there(1), State::Gone, Effect::Changed),
            (State::Gone, State::Gone, Effect::Unchanged),
            (State::Unknown, State::Gone, Effect::Unchecked),
            (there(1), State::Unknown, Effect::Unchecked),
        ];
        for (before, after, effect) in table {
            assert_eq!(
                compare(std::slice::from_ref(&before), std::slice::from_ref(&after)),
                effect,
                "{before:?} to {after:?}"
            );
        }
        assert_eq!(compare(&[], &[]), Effect::Unchecked);
    }
}
