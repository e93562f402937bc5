//! The ledger in, an empty deployment out, or what is left of it told.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::{Object, Objects, State};
use crate::run::event::Event;
use crate::run::hall::Hall;
use crate::run::pauses::Pauses;
use crate::run::step::{Given, Stage};

/// Objects in a row whose owner was not answered, after which the others are told without being asked for.
pub(super) const UNANSWERED: usize = 2;

/// Why an object is still in the ledger.
pub(super) struct Left {
    pub(super) words: String,
    /// Whether anybody answered at all.
    pub(super) answered: bool,
    /// Whether it may be that reading lags behind its removal.
    pub(super) lingers: bool,
}

impl Objects {
    /// Removes what is still there and tells of each object what became of it.
    pub(in crate::run) async fn remove_all(&self, hall: &Hall<'_>) {
        let standing: Vec<Object> = self
            .made
            .borrow()
            .iter()
            .filter(|made| !made.gone)
            .map(|made| made.object.clone())
            .collect();
        let mut silent = 0;
        let mut lingering = Vec::new();
        for object in standing {
            if silent >= UNANSWERED {
                self.tell_fate(hall, &object, Some(given_up()));
                continue;
            }
            let left = self.remove_own(hall, &object).await;
            let answered = left.as_ref().is_none_or(|left| left.answered);
            silent = if answered { 0 } else { silent + 1 };
            if left.as_ref().is_some_and(|left| left.lingers) {
                lingering.push((object, left));
            } else {
                self.tell_fate(hall, &object, left);
            }
        }
        self.await_removal(hall, lingering).await;
        self.settle_debts(hall, silent >= UNANSWERED).await;
    }

    /// Notes that an object is gone, which an allowed call removed, and tells it.
    pub(in crate::run) fn bury(&self, hall: &Hall<'_>, object: &Object) {
        self.strike(object);
        self.tell_fate(hall, object, None);
    }

    /// Waits until removed objects are no longer read, all at once, and tells of each what became of it.
    async fn await_removal(&self, hall: &Hall<'_>, lingering: Vec<(Object, Option<Left>)>) {
        let fates = lingering.into_iter().map(|(object, left)| async move {
            let gone = self.is_gone_in_time(hall, &object).await;
            (object, left.filter(|_| !gone))
        });
        for (object, left) in join_all(fates).await {
            self.tell_fate(hall, &object, left);
        }
    }

    async fn is_gone_in_time(&self, hall: &Hall<'_>, object: &Object) -> bool {
        let settle = hall.plan.scenario.fixtures[object.fixture].settle;
        let mut pauses = Pauses::until(Instant::now() + settle);
        loop {
            if self.state(hall, object).await == State::Gone {
                self.strike(object);
                return true;
            }
            if !pauses.next_to_the_end().await {
                return false;
            }
        }
    }

    /// Removes an object at once where its owner could make none: the first that stays is the last that is made.
    pub(in crate::run) async fn try_removal(&self, hall: &Hall<'_>, object: &Object) {
        if self.shared(hall, object.fixture).await.is_some() {
            return;
        }
        match self.remove(hall, object).await {
            None => self.tell_fate(hall, object, None),
            Some(left) if left.lingers && self.is_gone_in_time(hall, object).await => {
                self.tell_fate(hall, object, None);
            }
            Some(left) => {
                let words = format!("{} could not be removed: {}", object.shown(), left.words);
                self.lose(object.fixture, words);
            }
        }
    }

    /// Removes one object and tells what became of it; whether it is gone.
    pub(super) async fn remove_and_tell(&self, hall: &Hall<'_>, object: &Object) -> bool {
        let mut left = self.remove(hall, object).await;
        if left.as_ref().is_some_and(|left| left.lingers)
            && self.is_gone_in_time(hall, object).await
        {
            left = None;
        }
        let gone = left.is_none();
        self.tell_fate(hall, object, left);
        gone
    }

    fn tell_fate(&self, hall: &Hall<'_>, object: &Object, left: Option<Left>) {
        let fixture = hall.plan.scenario.fixtures[object.fixture].name.clone();
        let words = left.map(|left| left.words);
        if let Some(words) = &words {
            self.left
                .borrow_mut()
                .push(format!("{fixture} {}: {words}", object.shown()));
        }
        hall.tell(Event::Cleanup {
            fixture,
            object: object.shown(),
            removed: words.is_none(),
            detail: words.unwrap_or_default(),
        });
    }

    /// Removes one object through each door in turn until it is known to be gone; else says why it is not.
    pub(super) async fn remove(&self, hall: &Hall<'_>, object: &Object) -> Option<Left> {
        let fixture = &hall.plan.scenario.fixtures[object.fixture];
        let bindings = object.own(hall);
        let mut words = "no door to remove it through".to_owned();
        let mut answered = true;
        for door in hall.ways(fixture, Stage::Remove) {
            let given = hall.take(fixture, Stage::Remove, door, &bindings).await;
            let state = self.state(hall, object).await;
            let lingers = !fixture.settle.is_zero()
                && state.is_there()
                && matches!(given, Given::Done(_) | Given::Gone);
            answered = !matches!((&given, &state), (Given::Unanswered(_), State::Unknown));
            let Some(why) = self.remains(object, given, &state) else {
                self.strike(object);
                return None;
            };
            words = format!("{door}: {why}");
            if lingers {
                let answered = true;
                return Some(Left {
                    words,
                    answered,
                    lingers,
                });
            }
        }
        Some(Left {
            words,
            answered,
            lingers: false,
        })
    }

    /// Why an object is not known to be gone; `None` when it is. That it is not found means something only where reading
    /// is known to find such objects, or where a call was let through that may have removed it.
    fn remains(&self, object: &Object, given: Given, state: &State) -> Option<String> {
        let made = self.made.borrow();
        let known = &made[object.number];
        let readable = made
            .iter()
            .any(|made| made.seen && made.object.fixture == object.fixture);
        match (given, state) {
            (_, State::Gone) if known.seen => None,
            (Given::Gone, State::Gone) if readable => None,
            (Given::Done(_), State::There(..)) => {
                Some("its removal was accepted, and it is still there".to_owned())
            }
            (Given::Done(_), _) => None,
            (Given::Gone, State::There(..)) => {
                Some("there is no such thing, it says, and it is still there".to_owned())
            }
            (Given::Gone, _) if known.spent => None,
            (Given::Gone, _) => Some(
                "there is no such thing, it says, though nothing but this run knew of it"
                    .to_owned(),
            ),
            (Given::Failed(reason) | Given::Unclear(reason) | Given::Unanswered(reason), _) => {
                Some(reason)
            }
        }
    }
}

fn given_up() -> Left {
    Left {
        words: "not asked for: the deployment no longer answers".to_owned(),
        answered: false,
        lingers: false,
    }
}
