//! The plan's groups in, every cell called out: jobs pull the next piece of work from one counter.

use std::cell::RefCell;
use std::sync::Arc;
use std::{iter, slice, vec};

use futures_util::future::join_all;

use super::asking;
use super::calling::{Called, Calling, NO_RENEWAL, ONE_RENEWAL};
use super::event::Event;
use super::hall::{Hall, Seen};
use super::live;
use super::object::bind_decoy;
use super::watch;
use crate::door::Ask;
use crate::judge::{Effect, Gap, Outcome};
use crate::plan::{Check, Conduct, Group, Plan};
use crate::scenario::Expectation;
use crate::scenario::template::Bindings;

/// Calls every cell as often as there are rounds, one round after the other: answers that flip do so over time, too.
pub(super) async fn call_rounds(hall: &Hall<'_>) {
    for round in 1..=hall.settings.course.rounds.max(1) {
        if hall.stop.is_stopped() || hall.limit.is_reached() {
            break;
        }
        hall.round.set(round);
        if round > 1 {
            hall.tell(Event::RoundStarted { round });
        }
        watch::prepare(hall).await;
        call_everything(hall).await;
    }
    watch::watch(hall).await;
}

/// Calls every cell, one wave after the other. Cells of a group that changes something are called one after the other, all
/// others of a wave side by side.
async fn call_everything(hall: &Hall<'_>) {
    for wave in hall.plan.groups.chunk_by(|one, next| one.wave == next.wave) {
        call_wave(hall, wave).await;
    }
}

async fn call_wave(hall: &Hall<'_>, groups: &[Group]) {
    let queue = Queue::of(&hall.plan, groups);
    let jobs = (0..hall.settings.jobs.max(1)).map(|_| async {
        while let Some((group, piece)) = queue.next() {
            call_piece(hall, group, piece.cells()).await;
        }
    });
    join_all(jobs).await;
}

/// The next piece of work, for whoever asks first.
struct Queue<'p> {
    plan: &'p Plan,
    left: RefCell<Left<'p>>,
}

/// What nobody has taken yet.
struct Left<'p> {
    groups: slice::Iter<'p, Group>,
    /// The group that is begun, and its cells.
    begun: Option<&'p Group>,
    cells: vec::IntoIter<usize>,
}

/// Cells that one job calls, one after the other.
#[derive(Debug, Eq, PartialEq)]
enum Piece {
    Cell(usize),
    Group(Vec<usize>),
}

impl Piece {
    fn cells(&self) -> &[usize] {
        match self {
            Self::Cell(cell) => slice::from_ref(cell),
            Self::Group(cells) => cells,
        }
    }
}

impl<'p> Queue<'p> {
    fn of(plan: &'p Plan, groups: &'p [Group]) -> Self {
        Self {
            plan,
            left: RefCell::new(Left {
                groups: groups.iter(),
                begun: None,
                cells: Vec::new().into_iter(),
            }),
        }
    }

    fn next(&self) -> Option<(&'p Group, Piece)> {
        let mut left = self.left.borrow_mut();
        loop {
            if let (Some(group), Some(cell)) = (left.begun, left.cells.next()) {
                let piece = match group.conduct {
                    Conduct::Live => {
                        let others = std::mem::take(&mut left.cells);
                        Piece::Group(iter::once(cell).chain(others).collect())
                    }
                    Conduct::Plain | Conduct::Decoy | Conduct::Withheld => Piece::Cell(cell),
                };
                return Some((group, piece));
            }
            let group = left.groups.next()?;
            left.begun = Some(group);
            left.cells = self.plan.cells(group).collect::<Vec<_>>().into_iter();
        }
    }
}

/// By persona and door, how many calls are under way at once when the first are.
pub(super) fn first_calls(plan: &Plan, jobs: usize) -> Vec<[usize; 3]> {
    let mut calls = vec![[0; 3]; plan.matrix.personas.len()];
    let mut waves = plan.groups.chunk_by(|one, next| one.wave == next.wave);
    let queue = Queue::of(plan, waves.next().unwrap_or_default());
    let pieces = iter::from_fn(|| queue.next()).take(jobs);
    for check in pieces.filter_map(|(_, piece)| plan.matrix.check(*piece.cells().first()?)) {
        calls[check.persona][check.door.index()] += 1;
    }
    calls
}

async fn call_piece(hall: &Hall<'_>, group: &Group, cells: &[usize]) {
    match group.conduct {
        // What is rare is boxed here and below: every call would carry its size about.
        Conduct::Live => Box::pin(live::call_group(hall, group, cells)).await,
        Conduct::Plain | Conduct::Decoy | Conduct::Withheld => {
            for check in cells
                .iter()
                .filter_map(|cell| hall.plan.matrix.check(*cell))
            {
                let seen = plain(hall, group.conduct, &check).await;
                hall.keep(&check, seen);
            }
        }
    }
}

async fn plain(hall: &Hall<'_>, conduct: Conduct, check: &Check<'_>) -> Seen {
    if let Some(gap) = hall.barred(check.persona, check.door) {
        return Seen::gap(gap);
    }
    match conduct {
        Conduct::Withheld => return Seen::gap(Gap::NotPermitted),
        Conduct::Decoy if !Box::pin(may_send_decoys(hall, check.operation)).await => {
            return Seen::gap(Gap::DecoyDoubtful);
        }
        Conduct::Decoy | Conduct::Plain | Conduct::Live => {}
    }
    match filled(hall, conduct, check).await {
        Some((ask, decoy)) => seen(hall, check, &ask, decoy).await,
        None => Seen::gap(Gap::FixtureFailed),
    }
}

/// What only reads may read anything.
pub(super) async fn may_send_decoys(hall: &Hall<'_>, operation: usize) -> bool {
    !hall.plan.scenario.operations[operation].mutates
        || hall.objects.decoys_are_nobodys(hall, operation).await
}

/// The call of a cell, and whether it names what cannot exist; `None` where an object that it needs could not be had.
async fn filled(hall: &Hall<'_>, conduct: Conduct, check: &Check<'_>) -> Option<(Arc<Ask>, bool)> {
    if conduct == Conduct::Plain
        && let Some(ask) = shared_ask(hall, check)
    {
        return Some((ask, false));
    }
    let bindings = hall.bindings(&hall.tag_of(check));
    let (bindings, decoy) = if conduct == Conduct::Decoy {
        (bind_decoys(hall, check.operation, bindings)?, true)
    } else {
        Box::pin(bind_shared(hall, check.operation, bindings)).await?
    };
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    let ask = asking::of_operation(&scenario.deployment, operation, check.door, &bindings);
    Some((Arc::new(ask?.ok()?), decoy))
}

/// The call of a cell where it is the same for every persona; the personas of an operation follow each other, so the
/// last one made is kept.
fn shared_ask(hall: &Hall<'_>, check: &Check<'_>) -> Option<Arc<Ask>> {
    let place = (check.operation, check.door);
    let mut last = hall.last_ask.borrow_mut();
    let known = last.as_ref().filter(|(known, _)| *known == place);
    if let Some((_, ask)) = known {
        return ask.clone();
    }
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    let shared =
        operation.uses.is_empty() && asking::is_shared(&scenario.deployment, operation, check.door);
    let ask = shared.then(|| {
        let bindings = &hall.untagged;
        asking::of_operation(&scenario.deployment, operation, check.door, bindings)
    });
    let ask = ask.flatten().and_then(Result::ok).map(Arc::new);
    *last = Some((place, ask.clone()));
    ask
}

/// The shared objects that the operation names; decoys where one could not be made, so that its refusals are still tried.
async fn bind_shared(
    hall: &Hall<'_>,
    operation: usize,
    bindings: Bindings,
) -> Option<(Bindings, bool)> {
    let scenario = &hall.plan.scenario;
    let mut bound = bindings.clone();
    for fixture in &scenario.operations[operation].uses {
        match hall.objects.shared(hall, *fixture).await {
            Some(object) => bound = object.bind(&scenario.fixtures[*fixture], bound),
            None => return bind_decoys(hall, operation, bindings).map(|bindings| (bindings, true)),
        }
    }
    Some((bound, false))
}

/// The decoy values of every fixture that the operation names; `None` when one has none.
pub(super) fn bind_decoys(
    hall: &Hall<'_>,
    operation: usize,
    bindings: Bindings,
) -> Option<Bindings> {
    let scenario = &hall.plan.scenario;
    let mut uses = scenario.operations[operation].uses.iter();
    uses.try_fold(bindings, |bindings, fixture| {
        bind_decoy(&scenario.fixtures[*fixture], bindings)
    })
}

async fn seen(hall: &Hall<'_>, check: &Check<'_>, ask: &Ask, decoy: bool) -> Seen {
    let operation = &hall.plan.scenario.operations[check.operation];
    let calling = Calling {
        persona: check.persona,
        door: check.door,
        ask,
        changes: operation.mutates && !decoy,
        // Each round meets another of several gateways, if there are several.
        afresh: hall.round.get() > 1,
        decoy,
        renewals: renewals(check),
        shows: true,
    };
    let first = match hall.call(calling).await {
        Ok(first) => first,
        Err(gap) => return Seen::gap(gap),
    };
    let again = if worth_asking_again(hall, check, &first) {
        let afresh = hall.call(Calling {
            afresh: true,
            ..calling
        });
        Box::pin(afresh).await.ok()
    } else {
        None
    };
    let accepted = |called: &Called| called.reading.outcome == Outcome::Granted;
    if decoy && operation.mutates && (accepted(&first) || again.as_ref().is_some_and(accepted)) {
        Box::pin(hall.objects.look_at_decoys(hall, check.operation)).await;
    }
    told(hall, check, ask, (first, again), Effect::Unchecked)
}

/// Whether an answer is one that must be heard twice: not what was demanded, and given by someone who decides.
pub(super) fn worth_asking_again(hall: &Hall<'_>, check: &Check<'_>, called: &Called) -> bool {
    let decided = !matches!(
        called.reading.outcome,
        Outcome::Intercepted | Outcome::NoAnswer
    );
    decided && called.gap.is_none() && !met(hall, check, called)
}

/// A cell that a 401 could satisfy asks how tokens are refused: its persona's is never renewed for it.
pub(super) fn renewals(check: &Check<'_>) -> usize {
    let asks_for_refusal = match check.demand.expectation {
        Expectation::Unauthenticated | Expectation::Deny => true,
        Expectation::Statuses(statuses) => statuses.contains(&401),
        Expectation::Allow | Expectation::Forbidden | Expectation::Hidden => false,
    };
    if asks_for_refusal {
        NO_RENEWAL
    } else {
        ONE_RENEWAL
    }
}

fn met(hall: &Hall<'_>, check: &Check<'_>, called: &Called) -> bool {
    hall.as_demanded(check, called.reading, called.status())
}

/// What is kept of a cell's answers: evidence only where answer or effect is not what was demanded.
pub(super) fn told(
    hall: &Hall<'_>,
    check: &Check<'_>,
    ask: &Ask,
    (first, again): (Called, Option<Called>),
    effect: Effect,
) -> Seen {
    let as_demanded = met(hall, check, &first) && !effect.is_doubtful(check.demand.expectation);
    if let Some(gallery) = hall.gallery {
        let signed_in = hall.plan.matrix.personas[check.persona].signs_in;
        for called in [Some(&first), again.as_ref()].into_iter().flatten() {
            gallery.note(check.index, check.door, signed_in, called);
        }
    }
    let again = again.filter(|again| again.gap.is_none());
    let second = again
        .as_ref()
        .map(|again| again.reading)
        .filter(|again| again.outcome != first.reading.outcome);
    let mut seen = Seen {
        status: first.status(),
        reading: Some(first.reading),
        second,
        effect,
        gap: first.gap,
        took_ms: first.answered.observation.took_ms,
        ..Seen::default()
    };
    seen.retries = first.retries;
    if !as_demanded {
        let standing = hall.standing(check.persona);
        let entrance = standing.entrance.as_ref();
        let recipe = entrance.and_then(|entrance| entrance.recipe(check.door, ask));
        seen.evidence
            .push(first.answered.observation.made_by(recipe));
        seen.evidence.extend(
            again
                .filter(|_| second.is_some())
                .map(|again| again.answered.observation),
        );
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Door;
    use crate::plan::tests::{CATALOG, plan};
    use crate::plan::{Selection, Wave};

    fn group(conduct: Conduct, operation: usize) -> Group {
        Group {
            operation,
            door: Door::Rest,
            conduct,
            wave: Wave::Reads,
        }
    }

    #[test]
    fn a_group_that_changes_something_is_one_piece_and_any_other_one_a_cell() {
        let plan = plan(CATALOG, &[], Selection::default());
        let nowhere = plan.matrix.operations.len();
        let groups = [
            group(Conduct::Plain, 0),
            group(Conduct::Decoy, nowhere),
            group(Conduct::Live, 5),
            group(Conduct::Withheld, 1),
        ];
        let queue = Queue::of(&plan, &groups);
        let pieces: Vec<_> = iter::from_fn(|| queue.next().map(|(_, piece)| piece)).collect();
        let mut expected: Vec<Piece> = [3, 0, 1, 2].map(Piece::Cell).into();
        expected.push(Piece::Group(vec![60, 61, 63, 62]));
        expected.extend([15, 12, 13, 14].map(Piece::Cell));
        assert_eq!(pieces, expected);
        assert!(queue.next().is_none());
    }

    #[test]
    fn the_first_calls_are_those_of_as_many_pieces_as_there_are_jobs() {
        let plan = plan(CATALOG, &[], Selection::default());
        let count = |jobs| {
            let calls = first_calls(&plan, jobs);
            calls.iter().flatten().sum::<usize>()
        };
        let first_wave = |group: &&Group| group.wave == plan.groups[0].wave;
        let groups = plan.groups.iter().take_while(first_wave);
        let pieces: usize = groups
            .map(|group| match group.conduct {
                Conduct::Live => 1,
                _ => plan.cells(group).count(),
            })
            .sum();
        assert!(pieces > 3, "{pieces}");
        assert_eq!([count(0), count(3), count(999)], [0, 3, pieces]);
        let door = plan.groups[0].door;
        let mut asked = first_calls(&plan, 1).into_iter().flatten();
        assert_eq!(
            asked.position(|calls| calls == 1).map(|at| at % 3),
            Some(door.index())
        );
    }
}
