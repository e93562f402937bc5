//! Calls whose effect may show later in, what reading back showed by then out: all of them are watched at once, at the end.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;

use super::hall::Hall;
use super::object::{self, Birth, Likelihood, Object, Objects, Sought, State};
use super::pauses::{Next, Pauses};
use crate::judge::Effect;
use crate::plan::{Check, Conduct, Group};
use crate::scenario::template::Bindings;

/// What a call may have done, and when it was made.
#[derive(Debug)]
pub(super) struct Trace {
    /// Matrix index of its cell.
    pub(super) cell: usize,
    /// The objects that it named, each as it was before.
    pub(super) objects: Vec<(Object, State)>,
    /// What it was to make.
    pub(super) made: Made,
    /// What its calls were filled with.
    pub(super) bindings: Bindings,
    /// Index of its operation.
    pub(super) operation: usize,
    /// When it had been answered.
    pub(super) since: Instant,
    /// When its effect must have been seen, if there is one.
    pub(super) until: Instant,
    /// Whether its effect is one to be judged: an allowed call that did not get through has none.
    pub(super) counts: bool,
}

/// What a call was to make.
#[derive(Debug)]
pub(super) enum Made {
    /// Nothing.
    Nothing,
    /// An object that its answer names.
    Named(Option<Value>),
    /// An object if at all, to be searched for. Where it may have been made, how likely that is and why.
    Unnamed(Option<(Likelihood, String)>),
}

/// Objects that are made and awaited at once: where reading lags, a wait is long and a call is not.
const AT_ONCE: usize = 64;

/// Makes the objects of cells whose effects take a while to be seen: each is awaited until it can be read.
pub(super) async fn prepare(hall: &Hall<'_>) {
    let settles = |group: &&Group| {
        let operation = &hall.plan.scenario.operations[group.operation];
        group.conduct == Conduct::Live && !hall.plan.scenario.settle_of(operation).is_zero()
    };
    let groups = hall.plan.groups.iter().filter(settles);
    let cells = groups.flat_map(|group| hall.plan.cells(group));
    let checks = cells.filter_map(|cell| hall.plan.matrix.check(cell));
    stream::iter(checks)
        .for_each_concurrent(AT_ONCE, |check| async move {
            if hall.barred(check.persona, check.door).is_none() {
                prepare_cell(hall, check).await;
            }
        })
        .await;
}

async fn prepare_cell(hall: &Hall<'_>, check: Check<'_>) {
    let mut objects = Vec::new();
    for fixture in &hall.plan.scenario.operations[check.operation].uses {
        let tag = format!("{}f{fixture}n0", hall.tag_of(&check));
        match hall.objects.make(hall, *fixture, tag).await {
            Some(object) => objects.push(object),
            None => return,
        }
    }
    if !objects.is_empty() {
        hall.prepared.borrow_mut().insert(check.index, objects);
    }
}

/// Watches what all those calls did until their time is up, and keeps it.
pub(super) async fn watch(hall: &Hall<'_>) {
    let traces = hall.traces.take();
    let effects = join_all(traces.iter().map(|trace| trace.effect(hall))).await;
    let mut by_cell: BTreeMap<usize, Effect> = BTreeMap::new();
    let judged = traces.iter().zip(effects).filter(|(trace, _)| trace.counts);
    for (trace, effect) in judged {
        let Some(check) = hall.plan.matrix.check(trace.cell) else {
            continue;
        };
        by_cell
            .entry(trace.cell)
            .and_modify(|known| *known = hall.demanded(&check).worse(*known, effect))
            .or_insert(effect);
    }
    for (cell, effect) in by_cell {
        if let Some(check) = hall.plan.matrix.check(cell) {
            hall.keep_effect(&check, effect);
        }
    }
}

impl Trace {
    /// What reading back shows by the end of the operation's time. An effect ends the wait, and only its end shows that there
    /// is none.
    async fn effect(&self, hall: &Hall<'_>) -> Effect {
        let (used, created) = tokio::join!(self.change(hall), self.creation(hall));
        object::together([used, created])
    }

    /// What became of the objects that the call named.
    pub(super) async fn change(&self, hall: &Hall<'_>) -> Effect {
        let watched = self.objects.iter();
        let watched = watched.map(|(object, before)| self.change_of(hall, object, before));
        object::together(join_all(watched).await)
    }

    /// A change is read twice: what changes by itself is none, and where reading lags, nor is one that comes and goes.
    async fn change_of(&self, hall: &Hall<'_>, object: &Object, before: &State) -> Effect {
        let mut pauses = Pauses::until(self.until);
        loop {
            let after = hall.objects.state(hall, object).await;
            let mut effect = object::effect(before, &after);
            if effect == Effect::Changed && (after.is_there() || self.is_patient()) {
                let again = hall.objects.state(hall, object).await;
                effect = if after.is_there() {
                    object::confirmed(before, &after, &again)
                } else {
                    object::effect(before, &again)
                };
            }
            if effect == Effect::Changed && self.is_patient() && !after.is_there() {
                hall.objects.bury(hall, object);
            }
            if matches!(effect, Effect::Changed | Effect::Unchecked) || !before.is_there() {
                return effect;
            }
            match pauses.next(hall).await {
                Next::Look => {}
                Next::Over => return effect,
                Next::Stopped => return Effect::Unread,
            }
        }
    }

    /// Whether a creation left an object behind; whatever it left is taken into the ledger.
    pub(super) async fn creation(&self, hall: &Hall<'_>) -> Effect {
        let operation = &hall.plan.scenario.operations[self.operation];
        let Some(fixture) = operation.creates else {
            return Effect::Unchecked;
        };
        let (rest, mcp) = (operation.rest.as_ref(), operation.mcp.as_ref());
        let birth = Birth::new(fixture, rest, mcp, &self.bindings);
        let doubt = match &self.made {
            Made::Named(answer) => {
                let answer = answer.as_ref();
                match hall
                    .objects
                    .claim_by(hall, &birth, answer, self.until)
                    .await
                {
                    Ok((object, state)) => {
                        hall.objects.try_removal(hall, &object).await;
                        return object::existence(&state);
                    }
                    Err(words) => {
                        Some((Likelihood::Certain, format!("it was accepted, but {words}")))
                    }
                }
            }
            Made::Unnamed(doubt) => doubt.clone(),
            Made::Nothing => return Effect::Unchecked,
        };
        let doubt = doubt.map(|(likelihood, words)| {
            (likelihood, format!("{} made it: {words}", operation.name))
        });
        if let Some((likelihood, words)) = &doubt {
            hall.objects.owe(&birth, *likelihood, words);
        }
        let (sought, effect) = search(hall, &birth, self.until).await;
        match &doubt {
            Some((likelihood, words)) => hall.objects.account(&birth, *likelihood, &sought, words),
            None if matches!(sought, Sought::Found(_)) => {}
            None => Objects::renounce(hall, &birth),
        }
        effect
    }

    /// Whether reading is known to lag behind writing.
    fn is_patient(&self) -> bool {
        self.until > self.since
    }
}

/// What a search finds by then of what a call has made, and what that says of the call.
async fn search(hall: &Hall<'_>, birth: &Birth<'_>, until: Instant) -> (Sought, Effect) {
    let mut pauses = Pauses::until(until);
    loop {
        let sought = hall.objects.find(hall, birth).await;
        let effect = match &sought {
            Sought::Found(_) => return (sought, Effect::Changed),
            Sought::Unsearchable => return (sought, Effect::Unchecked),
            Sought::Nothing => Effect::Unchanged,
            Sought::Unsure(_) => Effect::Unread,
        };
        match pauses.next(hall).await {
            Next::Look => {}
            Next::Over => return (sought, effect),
            Next::Stopped => return (sought, Effect::Unread),
        }
    }
}
