//! One step of a fixture in, what it gave out: as the owner, through the first shape that works.

use serde_json::Value;

use super::asking;
use super::calling::{Called, Calling};
use super::hall::Hall;
use crate::cell::Door;
use crate::door::{Answer, Ask, Observation, Rpc};
use crate::judge::{Gap, Outcome};
use crate::scenario::template::{Bindings, Unbound};
use crate::scenario::{Fixture, McpMethod, Step};
use crate::token::RENEWALS;

/// Which step of a fixture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    Create,
    Read,
    Find,
    Remove,
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// It got through, with this data.
    Done(Option<Value>),
    /// There is no such object.
    Gone,
    /// Nothing was done; in a few words, redacted.
    Failed(String),
    /// Nobody can tell whether it was done; in a few words, redacted.
    Unclear(String),
    /// Nobody answered, and it may have been done all the same; in a few words, redacted.
    Unanswered(String),
}

impl Stage {
    fn of(self, fixture: &Fixture) -> Option<&Step> {
        match self {
            Self::Create => Some(&fixture.create),
            Self::Read => fixture.read.as_ref(),
            Self::Find => fixture.find.as_ref(),
            Self::Remove => Some(&fixture.remove),
        }
    }

    /// Whether what may have been done through one door may be tried through the next: a second creation would be a
    /// second object.
    fn is_repeatable(self) -> bool {
        self != Self::Create
    }
}

impl Hall<'_> {
    /// The doors through which a step can be taken, REST before MCP.
    pub(super) fn ways(&self, fixture: &Fixture, stage: Stage) -> Vec<Door> {
        let deployment = &self.plan.scenario.deployment;
        let Some(step) = stage.of(fixture) else {
            return Vec::new();
        };
        let rest = (step.rest.is_some() && deployment.rest.is_some()).then_some(Door::Rest);
        let mcp = self.doors.for_fixtures.filter(|_| step.mcp.is_some());
        rest.into_iter().chain(mcp).collect()
    }

    /// Whether every door of a step has fallen silent.
    pub(super) fn is_silent(&self, fixture: &Fixture, stage: Stage) -> bool {
        let silent = self.silent.get();
        self.ways(fixture, stage)
            .iter()
            .all(|door| silent[door.index()])
    }

    /// Takes a step through one door.
    pub(super) async fn take(
        &self,
        fixture: &Fixture,
        stage: Stage,
        door: Door,
        bindings: &Bindings,
    ) -> Given {
        let deployment = &self.plan.scenario.deployment;
        let step = stage.of(fixture);
        let rest = step.and_then(|step| step.rest.as_ref());
        let mcp = step.and_then(|step| step.mcp.as_ref());
        let filled = match (door, rest, mcp) {
            (Door::Rest, Some(call), _) => asking::of_rest(deployment, call, bindings),
            (Door::Mcp | Door::McpLegacy, _, Some(call)) => {
                asking::of_mcp(deployment, call, bindings)
            }
            _ => return Given::Failed(format!("it has no shape for {door}")),
        };
        match filled {
            Ok(ask) => self.take_filled(fixture, stage, door, &ask).await,
            Err(Unbound(name)) => Given::Failed(format!("nothing binds {name}")),
        }
    }

    /// Takes a step through the first door that says something clear.
    pub(super) async fn take_any(
        &self,
        fixture: &Fixture,
        stage: Stage,
        bindings: &Bindings,
    ) -> Given {
        let mut last = Given::Failed("no door to take it through".to_owned());
        for door in self.ways(fixture, stage) {
            last = self.take(fixture, stage, door, bindings).await;
            let next = match &last {
                Given::Done(_) | Given::Gone => false,
                // What nobody could remove again is not made.
                Given::Failed(_) => {
                    stage.is_repeatable() || !self.is_silent(fixture, Stage::Remove)
                }
                Given::Unclear(_) | Given::Unanswered(_) => stage.is_repeatable(),
            };
            if !next {
                break;
            }
        }
        last
    }

    async fn take_filled(&self, fixture: &Fixture, stage: Stage, door: Door, ask: &Ask) -> Given {
        let persona = fixture.owner;
        let calling = Calling {
            persona,
            door,
            ask,
            changes: !stage.is_repeatable(),
            afresh: false,
            decoy: false,
            // No object is left behind for want of a token.
            renewals: RENEWALS,
            shows: true,
        };
        let mut called = self.call(calling).await;
        // A refusal was not executed, so the owner may ask again: flaky answers must not cost the object.
        let mut again = 0;
        while again < called.as_ref().map_or(0, patience) {
            again += 1;
            let afresh = Calling {
                afresh: true,
                ..calling
            };
            called = self.call(afresh).await;
        }
        match called {
            // At a door that never granted anything, what is "not found" may be the door's own address.
            Ok(called) if says_gone(ask, &called) && !self.alive.get()[door.index()] => {
                Given::Failed(words(&called))
            }
            Ok(called) => given(ask, &called),
            Err(Gap::NotReached) if self.standing(persona).entrance.is_some() => Given::Unanswered(
                format!("{} was not answered before the run ended", ask.request()),
            ),
            Err(Gap::TokenRanOut) => Given::Failed("the owner's token had run out".to_owned()),
            Err(_) => Given::Failed("the owner has no way in".to_owned()),
        }
    }
}

/// How often the owner asks again after such an answer: a token that is good elsewhere is refused now and then where
/// one of several gateways has not caught up.
fn patience(called: &Called) -> u32 {
    if called.gap.is_some() {
        return 0;
    }
    match called.reading.outcome {
        Outcome::Unauthenticated => 6,
        Outcome::Forbidden => 1,
        _ => 0,
    }
}

fn given(ask: &Ask, called: &Called) -> Given {
    if called.reading.outcome == Outcome::Granted {
        Given::Done(data(called))
    } else if says_gone(ask, called) {
        Given::Gone
    } else if called.may_have_happened() {
        match called.reading.outcome {
            Outcome::NoAnswer => Given::Unanswered(words(called)),
            _ => Given::Unclear(words(called)),
        }
    } else {
        Given::Failed(words(called))
    }
}

/// The data of an answer; where it is no JSON, its text: two readings can be compared all the same.
fn data(called: &Called) -> Option<Value> {
    called
        .answered
        .payload
        .value()
        .or_else(|| text(&called.answered.observation).map(Value::from))
}

fn text(observation: &Observation) -> Option<&str> {
    let Answer::Http(http) = &observation.answer else {
        return None;
    };
    let text = match &http.rpc {
        Some(Rpc::Result { text, .. }) => text,
        Some(Rpc::Error { .. } | Rpc::Absent) => return None,
        None => &http.body,
    };
    (!text.is_empty() && !http.truncated && http.body_bytes <= WHOLE).then_some(text)
}

/// Bytes up to which an observation keeps a text uncut.
const WHOLE: u64 = 2048;

/// Whether the backend, and not a router or a tool that fails, says that there is no such object. A resource is the
/// object itself, so that its absence is the object's; a tool is not.
fn says_gone(ask: &Ask, called: &Called) -> bool {
    let Answer::Http(http) = &called.answered.observation.answer else {
        return false;
    };
    let reading = called.reading;
    match &http.rpc {
        None => reading.outcome == Outcome::Hidden && !reading.is_recognised(),
        Some(Rpc::Result { text: said, .. } | Rpc::Error { message: said, .. }) => {
            let failed = match reading.outcome {
                Outcome::ToolError | Outcome::Rejected => true,
                Outcome::Hidden => reads_resource(ask),
                _ => false,
            };
            failed && speaks_of_absence(said)
        }
        Some(Rpc::Absent) => false,
    }
}

fn reads_resource(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Mcp {
            method: McpMethod::ReadResource,
            ..
        }
    )
}

/// MCP has no code for "not found": tools say it in words.
fn speaks_of_absence(said: &str) -> bool {
    let said = said.to_lowercase();
    ABSENCE.iter().any(|words| said.contains(words))
}

const ABSENCE: [&str; 12] = [
    "not found",
    "notfound",
    "not exist",
    "n't exist",
    "no such",
    "no longer",
    "not find",
    "n't find",
    "unknown",
    "404",
    "been deleted",
    "was deleted",
];

fn words(called: &Called) -> String {
    let observation = &called.answered.observation;
    match &observation.answer {
        Answer::Http(http) => format!("{} answered {}", observation.request, http.status),
        Answer::None(silence) => format!("{}: {silence}", observation.request),
    }
}
