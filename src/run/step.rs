//! One step of a fixture in, what it gave out: as the owner, through the first shape that works.

use serde_json::Value;

use super::asking;
use super::calling::{Called, Calling};
use super::hall::Hall;
use crate::cell::Door;
use crate::door::{Answer, Ask};
use crate::judge::Outcome;
use crate::scenario::template::{Bindings, Unbound};
use crate::scenario::{Fixture, Step};

/// What a step gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// It got through, with this data.
    Done(Option<Value>),
    /// There is no such object.
    Gone,
    /// Neither; in a few words, redacted.
    Failed(String),
}

impl Hall<'_> {
    /// The doors through which a step can be taken, REST before MCP.
    pub(super) fn ways(&self, step: &Step) -> Vec<Door> {
        let deployment = &self.plan.scenario.deployment;
        let rest = (step.rest.is_some() && deployment.rest.is_some()).then_some(Door::Rest);
        let mcp = self.doors.for_fixtures.filter(|_| step.mcp.is_some());
        rest.into_iter().chain(mcp).collect()
    }

    /// Whether every door of a step has fallen silent.
    pub(super) fn is_silent(&self, step: &Step) -> bool {
        let silent = self.silent.get();
        self.ways(step).iter().all(|door| silent[door.index()])
    }

    /// Takes a step through one door.
    pub(super) async fn take(
        &self,
        fixture: &Fixture,
        step: &Step,
        door: Door,
        bindings: &Bindings,
    ) -> Given {
        let deployment = &self.plan.scenario.deployment;
        let filled = match (door, &step.rest, &step.mcp) {
            (Door::Rest, Some(call), _) => asking::of_rest(deployment, call, bindings),
            (Door::Mcp | Door::McpLegacy, _, Some(call)) => {
                asking::of_tool(deployment, call, bindings)
            }
            _ => return Given::Failed(format!("it has no shape for {door}")),
        };
        match filled {
            Ok(ask) => self.take_filled(fixture, door, &ask).await,
            Err(Unbound(name)) => Given::Failed(format!("nothing binds {name}")),
        }
    }

    /// Takes a step through the first door that says something clear.
    pub(super) async fn take_any(
        &self,
        fixture: &Fixture,
        step: &Step,
        bindings: &Bindings,
    ) -> Given {
        let mut last = Given::Failed("no door to take it through".to_owned());
        for door in self.ways(step) {
            last = self.take(fixture, step, door, bindings).await;
            if !matches!(last, Given::Failed(_)) {
                break;
            }
        }
        last
    }

    async fn take_filled(&self, fixture: &Fixture, door: Door, ask: &Ask) -> Given {
        let persona = fixture.owner;
        let calling = Calling {
            persona,
            door,
            ask,
            changes: true,
            afresh: false,
            decoy: false,
        };
        let mut called = self.call(calling).await;
        // A refusal was not executed, so the owner may ask again: one flaky answer must not cost the object.
        if called
            .as_ref()
            .is_some_and(|called| refused(called.reading.outcome))
        {
            called = self
                .call(Calling {
                    afresh: true,
                    ..calling
                })
                .await;
        }
        called.map_or_else(|| Given::Failed(self.uncalled(persona).to_owned()), given)
    }

    fn uncalled(&self, persona: usize) -> &'static str {
        if self.standings[persona].entrance.is_some() {
            "the run ended first"
        } else {
            "the owner has no way in"
        }
    }
}

fn refused(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Unauthenticated | Outcome::Forbidden)
}

fn given(called: Called) -> Given {
    match called.reading.outcome {
        Outcome::Granted => Given::Done(called.answered.payload),
        Outcome::Hidden | Outcome::ToolError => Given::Gone,
        _ => Given::Failed(words(&called)),
    }
}

fn words(called: &Called) -> String {
    let observation = &called.answered.observation;
    match &observation.answer {
        Answer::Http(http) => format!("{} answered {}", observation.request, http.status),
        Answer::None(silence) => format!("{}: {silence}", observation.request),
    }
}
