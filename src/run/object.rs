//! Fixtures in, objects of this run out: made, read, found, removed, and never forgotten.

mod claim;
mod decoy;
mod debt;
mod inheritance;
mod removal;
mod state;

use std::cell::RefCell;

use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::event::Event;
use super::hall::Hall;
use super::pauses::{Next, Pauses};
use super::step::{Given, Stage};
use crate::scenario::template::Bindings;
use crate::scenario::{Fixture, McpCall, RestCall};
use claim::{captured, shows_on};
use debt::Debt;

pub(super) use debt::{Likelihood, Sought};
pub(super) use state::{State, confirmed, effect, existence, together};

/// An object that this run made.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Index of its fixture.
    pub(super) fixture: usize,
    values: Vec<(String, Value)>,
    tag: Value,
    /// The earlier run that made it; `None` for this one.
    made_by: Option<String>,
    number: usize,
}

/// Every object that this run made.
#[derive(Debug)]
pub(super) struct Objects {
    shared: Vec<OnceCell<Option<Object>>>,
    made: RefCell<Vec<Made>>,
    debts: RefCell<Vec<Debt>>,
    failures: RefCell<Vec<(usize, String)>>,
    left: RefCell<Vec<String>>,
    /// By fixture: why its decoy may not be sent in calls that change something, once that was looked into.
    decoys: Vec<OnceCell<Option<String>>>,
    /// Fixtures whose decoy a call was accepted with.
    written: RefCell<Vec<usize>>,
    /// By fixture: why no more are made, where one stands, or may stand, that its owner cannot remove.
    lost: RefCell<Vec<Option<String>>>,
}

#[derive(Debug)]
struct Made {
    object: Object,
    gone: bool,
    /// Whether reading it ever showed it: only then does its absence mean something.
    seen: bool,
    /// Whether a call that may have removed it was not refused.
    spent: bool,
    maker: Maker,
}

/// Which run made an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Maker {
    /// This one.
    Present,
    /// An earlier one: the object must show once more that it is that run's own.
    Earlier,
}

/// A call that makes an object: what it carried tells what it made from everything else.
#[derive(Clone, Debug)]
pub(super) struct Birth<'b> {
    /// Index of the fixture that it makes one of.
    pub(super) fixture: usize,
    /// The call's bindings.
    pub(super) bindings: &'b Bindings,
    /// What the object must show.
    mark: String,
}

impl<'b> Birth<'b> {
    /// Of a call with these shapes, either of which may have been used.
    pub(super) fn new(
        fixture: usize,
        rest: Option<&RestCall>,
        mcp: Option<&McpCall>,
        bindings: &'b Bindings,
    ) -> Self {
        Self {
            fixture,
            bindings,
            mark: claim::mark(rest, mcp, bindings).unwrap_or_default(),
        }
    }

    fn tag(&self) -> &str {
        let tag = self.bindings.get("tag").and_then(Value::as_str);
        tag.unwrap_or_default()
    }
}

impl Object {
    /// The bindings with this object's values among them.
    pub(super) fn bind(&self, fixture: &Fixture, bindings: Bindings) -> Bindings {
        bind(fixture, &self.values, bindings)
    }

    /// What its own steps are filled with: its values, and the tag that it was made with.
    fn own(&self, hall: &Hall<'_>) -> Bindings {
        let fixture = &hall.plan.scenario.fixtures[self.fixture];
        let bindings = hall.bindings("").with("tag", self.tag.clone());
        let bindings = match &self.made_by {
            Some(run) => bindings.with("run.id", Value::from(run.as_str())),
            None => bindings,
        };
        self.bind(fixture, bindings)
    }

    /// Its captured values as one line, such as `id=7`.
    pub(super) fn shown(&self) -> String {
        let words: Vec<String> = self
            .values
            .iter()
            .map(|(name, value)| format!("{name}={}", plain(value)))
            .collect();
        words.join(" ")
    }
}

/// The bindings with a fixture's decoy values among them; `None` when it has none.
pub(super) fn bind_decoy(fixture: &Fixture, bindings: Bindings) -> Option<Bindings> {
    let decoy = fixture.decoy.as_ref()?;
    Some(bind(fixture, decoy, bindings))
}

fn bind(fixture: &Fixture, values: &[(String, Value)], bindings: Bindings) -> Bindings {
    values.iter().fold(bindings, |bindings, (name, value)| {
        bindings.with(&format!("{}.{name}", fixture.name), value.clone())
    })
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl Objects {
    /// A ledger with nothing in it, for so many fixtures.
    pub(super) fn none_of(fixtures: usize) -> Self {
        Self {
            shared: (0..fixtures).map(|_| OnceCell::new()).collect(),
            made: RefCell::default(),
            debts: RefCell::default(),
            failures: RefCell::default(),
            left: RefCell::default(),
            decoys: (0..fixtures).map(|_| OnceCell::new()).collect(),
            written: RefCell::default(),
            lost: RefCell::new(vec![None; fixtures]),
        }
    }

    /// The one object that all reads of a fixture share; `None` when it could not be made.
    pub(super) async fn shared(&self, hall: &Hall<'_>, fixture: usize) -> Option<Object> {
        self.shared[fixture]
            .get_or_init(|| self.make(hall, fixture, format!("f{fixture}")))
            .await
            .clone()
    }

    /// A new object, its owner's; `None` when it could not be made. The tag is unique within the run.
    pub(super) async fn make(
        &self,
        hall: &Hall<'_>,
        fixture: usize,
        tag: String,
    ) -> Option<Object> {
        if self.is_lost(fixture) {
            return None;
        }
        let plan = &hall.plan.scenario.fixtures[fixture];
        let bindings = hall.bindings(&tag);
        let create = &plan.create;
        let birth = Birth::new(
            fixture,
            create.rest.as_ref(),
            create.mcp.as_ref(),
            &bindings,
        );
        Self::announce(hall, &birth);
        let (likelihood, failure) = match hall.take_any(plan, Stage::Create, &bindings).await {
            Given::Done(answer) => match self
                .claim_by(hall, &birth, answer.as_ref(), Instant::now() + plan.settle)
                .await
            {
                Ok((object, _)) => return Some(object),
                Err(words) => (Likelihood::Certain, format!("it was made, but {words}")),
            },
            Given::Unclear(words) | Given::Unanswered(words) => (Likelihood::Possible, words),
            Given::Failed(words) => (Likelihood::Slight, words),
            Given::Gone => (
                Likelihood::Slight,
                "its owner was told that there is no such thing".to_owned(),
            ),
        };
        self.owe(&birth, likelihood, &failure);
        let sought = self.find(hall, &birth).await;
        self.account(&birth, likelihood, &sought, &failure);
        match sought {
            Sought::Found(object) => return Some(object),
            Sought::Nothing | Sought::Unsearchable if likelihood == Likelihood::Slight => {
                Self::renounce(hall, &birth);
            }
            Sought::Nothing | Sought::Unsearchable | Sought::Unsure(_) => {}
        }
        self.failures.borrow_mut().push((fixture, failure));
        None
    }

    /// Tells that a call is about to be sent that makes an object: a run that is killed meanwhile leaves that trace.
    pub(super) fn announce(hall: &Hall<'_>, birth: &Birth<'_>) {
        hall.tell(Event::FixtureMaking {
            fixture: hall.plan.scenario.fixtures[birth.fixture].name.clone(),
            tag: birth.tag().to_owned(),
            mark: birth.mark.clone(),
        });
    }

    /// Tells that the call made none.
    pub(super) fn renounce(hall: &Hall<'_>, birth: &Birth<'_>) {
        hall.tell(Event::FixtureUnmade {
            fixture: hall.plan.scenario.fixtures[birth.fixture].name.clone(),
            tag: birth.tag().to_owned(),
        });
    }

    /// Whether an object that a call of the matrix makes can be expected to be removable: its owner has a way in, and
    /// either has made one of its own or is at least answered where it would remove it.
    pub(super) async fn removable(&self, hall: &Hall<'_>, fixture: usize) -> bool {
        let plan = &hall.plan.scenario.fixtures[fixture];
        let made = self.shared(hall, fixture).await.is_some();
        let may_enter = hall.standing(plan.owner).entrance.is_some();
        let reachable = made || !hall.is_silent(plan, Stage::Remove);
        may_enter && reachable && !self.is_lost(fixture)
    }

    /// Whether an object stands, or may stand, that cannot be named or removed: then no more are made.
    fn is_lost(&self, fixture: usize) -> bool {
        self.lost.borrow()[fixture].is_some()
    }

    /// Sees to it that no more are made of a fixture; only the first reason counts.
    fn lose(&self, fixture: usize, words: impl Into<String>) {
        self.lost.borrow_mut()[fixture].get_or_insert_with(|| words.into());
    }

    /// Fixtures of which no more were made, with what happened before.
    pub(super) fn lost(&self) -> Vec<(usize, String)> {
        let lost = self.lost.borrow();
        let fixtures = lost.iter().enumerate();
        fixtures
            .filter_map(|(fixture, words)| Some((fixture, words.clone()?)))
            .collect()
    }

    /// Takes the object that the answer to its creation names into the ledger, with how it looks; or says in a few words
    /// why not: an object that does not show the call's mark, when it is read or else in the answer, may be anybody's.
    pub(super) async fn claim(
        &self,
        hall: &Hall<'_>,
        birth: &Birth<'_>,
        answer: Option<&Value>,
    ) -> Result<(Object, State), String> {
        let capture = &hall.plan.scenario.fixtures[birth.fixture].capture;
        let object = self.named(hall, birth, capture, answer)?;
        let state = self.state(hall, &object).await;
        let evidence = match &state {
            State::There(_, Some(said)) => Some(said),
            State::There(_, None) | State::Gone | State::Unknown | State::Unreadable => answer,
        };
        if evidence.is_some_and(|evidence| shows_on(evidence, &birth.mark, &object.values)) {
            return Ok((self.adopt(hall, object, &state), state));
        }
        Err(format!(
            "its answer names {}, which does not show {} and may be somebody else's",
            object.shown(),
            birth.mark
        ))
    }

    /// The same, asked again until the object can be read or the time is up.
    pub(super) async fn claim_by(
        &self,
        hall: &Hall<'_>,
        birth: &Birth<'_>,
        answer: Option<&Value>,
        until: Instant,
    ) -> Result<(Object, State), String> {
        let capture = &hall.plan.scenario.fixtures[birth.fixture].capture;
        // What the answer does not name, no waiting will.
        self.named(hall, birth, capture, answer)?;
        let mut pauses = Pauses::until(until);
        loop {
            match self.claim(hall, birth, answer).await {
                Ok((object, state)) => return Ok(self.seen_by(hall, object, state, pauses).await),
                Err(words) if pauses.next(hall).await != Next::Look => return Err(words),
                Err(_) => {}
            }
        }
    }

    /// An object of the ledger with how it looks, once it can be read or the time is up.
    async fn seen_by(
        &self,
        hall: &Hall<'_>,
        object: Object,
        mut state: State,
        mut pauses: Pauses,
    ) -> (Object, State) {
        while matches!(state, State::Gone | State::Unknown) {
            if pauses.next(hall).await != Next::Look {
                break;
            }
            state = self.state(hall, &object).await;
            self.made.borrow_mut()[object.number].seen |= state.is_there();
        }
        (object, state)
    }

    /// How an object looks now.
    pub(super) async fn state(&self, hall: &Hall<'_>, object: &Object) -> State {
        let fixture = &hall.plan.scenario.fixtures[object.fixture];
        if fixture.read.is_none() {
            return State::Unreadable;
        }
        let bindings = object.own(hall);
        for door in hall.ways(fixture, Stage::Read) {
            match hall.take(fixture, Stage::Read, door, &bindings).await {
                Given::Done(said) => return State::There(door, said),
                Given::Gone => return State::Gone,
                Given::Failed(_) | Given::Unclear(_) | Given::Unanswered(_) => {}
            }
        }
        State::Unknown
    }

    /// Strikes an object that is known to be gone.
    fn strike(&self, object: &Object) {
        self.made.borrow_mut()[object.number].gone = true;
    }

    /// Notes that a call on the object was not refused, so that it may be gone.
    pub(super) fn spend(&self, object: &Object) {
        self.made.borrow_mut()[object.number].spent = true;
    }

    /// Objects that could not be removed, one line each.
    pub(super) fn left_behind(&self) -> Vec<String> {
        self.left.borrow().clone()
    }

    /// Fixtures of which an object could not be made, with the reason; the first one of each.
    pub(super) fn failures(&self) -> Vec<(usize, String)> {
        let mut failures = self.failures.borrow().clone();
        failures.sort();
        failures.dedup_by_key(|(fixture, _)| *fixture);
        failures
    }

    /// The object that an answer names, not yet anybody's.
    fn named(
        &self,
        hall: &Hall<'_>,
        birth: &Birth<'_>,
        capture: &[(String, String)],
        answer: Option<&Value>,
    ) -> Result<Object, String> {
        let object = Object {
            fixture: birth.fixture,
            values: captured(capture, answer).map_err(|what| format!("its answer {what}"))?,
            tag: birth.bindings.get("tag").cloned().unwrap_or_default(),
            made_by: None,
            number: self.made.borrow().len(),
        };
        // A deployment that repeats a credential must not get it sent about in paths.
        if hall.redactor.redact(&object.shown()) != object.shown() {
            return Err("its answer names a secret in place of the object".to_owned());
        }
        Ok(object)
    }

    fn adopt(&self, hall: &Hall<'_>, object: Object, state: &State) -> Object {
        let mut made = self.made.borrow_mut();
        let object = Object {
            number: made.len(),
            ..object
        };
        made.push(Made {
            object: object.clone(),
            gone: false,
            seen: state.is_there(),
            spent: false,
            maker: Maker::Present,
        });
        hall.tell(Event::FixtureMade {
            fixture: hall.plan.scenario.fixtures[object.fixture].name.clone(),
            object: object.shown(),
            tag: object.tag.as_str().unwrap_or_default().to_owned(),
            values: object.values.clone(),
            seen: state.is_there(),
        });
        object
    }
}
