//! Signed-in personas and open MCP doors in, what `tools/list` shows to each out; then a harmless call of what nobody named.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::asking;
use super::calling::{Called, Calling, ONE_RENEWAL};
use super::doors;
use super::event::Event;
use super::hall::Hall;
use crate::cell::Door;
use crate::door::{Answer, Ask, Ended, Next, Pages, Rpc, Shown};
use crate::judge::{self, Attempt, Gap, Listed, Outcome};
use crate::probe;
use crate::scenario::{McpMethod, Undeclared};

/// How often a persona that gets through asks again for a list that it gets 401 for.
const PATIENCE: u32 = 6;

/// Longest time for one list, however slowly its pages come.
const LONGEST: Duration = Duration::from_secs(60);

/// A JSON-RPC error that says that the server has no such method (JSON-RPC 2.0 §5.1).
const NO_METHOD: i64 = -32601;

/// Reads the lists that are clear whatever the cells show: what is given or refused by someone who decides.
pub(super) async fn list_beside(hall: &Hall<'_>) -> Vec<Listed> {
    let mut lists = read(hall, places(hall)).await;
    lists.retain(|listed| listed.is_clear);
    lists.into_iter().map(|read| read.listed).collect()
}

/// Reads every list that is not known yet side by side, calls one undeclared tool a door where that does no harm, and tells
/// and keeps all of it.
pub(super) async fn list_everything(hall: &Hall<'_>, known: Vec<Listed>) {
    list_others(hall, known).await;
    for door in open_doors(hall) {
        if let Some(attempt) = attempt(hall, door).await {
            hall.tell(Event::ToolTried(attempt.clone()));
            hall.attempts.borrow_mut().push(attempt);
        }
    }
}

/// Reads every list side by side, and tells and keeps them.
pub(super) async fn list_all(hall: &Hall<'_>) {
    list_others(hall, Vec::new()).await;
}

/// The same where some are known. They are told in the order of personas and doors, whenever they were read.
async fn list_others(hall: &Hall<'_>, mut known: Vec<Listed>) {
    let places = places(hall);
    let name = |persona: usize| &hall.plan.matrix.personas[persona].name;
    let is_of = |listed: &Listed, (persona, door): (usize, Door)| {
        listed.persona == *name(persona) && listed.door == door
    };
    let mut unknown = places.clone();
    unknown.retain(|place| !known.iter().any(|listed| is_of(listed, *place)));
    known.extend(
        read(hall, unknown)
            .await
            .into_iter()
            .map(|read| read.listed),
    );
    for place in places {
        let listed = known.iter().position(|listed| is_of(listed, place));
        if let Some(listed) = listed.map(|at| known.swap_remove(at)) {
            hall.tell(Event::ToolsListed(listed.clone()));
            hall.lists.borrow_mut().push(listed);
        }
    }
}

/// A list that was asked for.
struct Read {
    listed: Listed,
    /// Whether asking again, once it is known who gets through, could not make more of it.
    is_clear: bool,
}

async fn read(hall: &Hall<'_>, places: Vec<(usize, Door)>) -> Vec<Read> {
    let asked = stream::iter(places).map(|(persona, door)| async move {
        let (shown, status) = list(hall, persona, door).await?;
        let is_clear = !matches!(status, 0 | 401 | 429 | 500..);
        let persona = hall.plan.matrix.personas[persona].name.clone();
        let listed = Listed {
            persona,
            door,
            shown,
        };
        Some(Read { listed, is_clear })
    });
    let lists: Vec<_> = asked.buffered(hall.settings.jobs.max(1)).collect().await;
    lists.into_iter().flatten().collect()
}

fn open_doors(hall: &Hall<'_>) -> Vec<Door> {
    let silent = |door: Door| hall.silent.get()[door.index()] && !hall.alive.get()[door.index()];
    let doors = hall.plan.matrix.doors.iter().copied();
    doors
        .filter(|door| door.speaks_mcp() && !hall.doors.closed.contains(door) && !silent(*door))
        .collect()
}

fn places(hall: &Hall<'_>) -> Vec<(usize, Door)> {
    let has_way_in = |persona: &usize| {
        hall.plan.matrix.personas[*persona].signs_in && hall.standings[*persona].entrance.is_some()
    };
    let personas = (0..hall.standings.len()).filter(has_way_in);
    let doors = open_doors(hall);
    personas
        .flat_map(|persona| doors.iter().map(move |door| (persona, *door)))
        .collect()
}

/// One persona's list, and the status that ended it, 0 where none did; `None` when the run ended before anything of it came.
async fn list(hall: &Hall<'_>, persona: usize, door: Door) -> Option<(Shown, u16)> {
    let mut pages = Pages::new(hall.redactor);
    let until = Instant::now() + LONGEST;
    let (mut cursor, mut refused, mut read) = (None, 0, false);
    loop {
        let ask = request(hall, McpMethod::ListTools, None, &params(cursor.as_deref()))?;
        let Ok(called) = tokio::time::timeout_at(until, call(hall, persona, door, &ask)).await
        else {
            let why = "it took longer than a minute";
            return Some((pages.close(Ended::Unread, why), 0));
        };
        let called = match called {
            Ok(called) if called.gap.is_none() => called,
            Err(Gap::NotReached) => {
                return read.then(|| (pages.close(Ended::Cut, "the run ended"), 0));
            }
            Ok(_) | Err(_) => {
                return Some((pages.close(Ended::Unread, "its token ran out"), 0));
            }
        };
        match called.reading.outcome {
            Outcome::Granted => match pages.take(&result(&called), bytes(&called)) {
                Next::Page(next) => {
                    cursor = Some(next);
                    read = true;
                }
                Next::End(ended, why) => return Some((pages.close(ended, why), called.status())),
            },
            Outcome::Unauthenticated if refused < PATIENCE && gets_through(hall, persona, door) => {
                refused += 1;
            }
            _ => {
                let (ended, why) = ending(&called);
                return Some((pages.close(ended, &why), called.status()));
            }
        }
    }
}

fn params(cursor: Option<&str>) -> Value {
    cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }))
}

fn request(
    hall: &Hall<'_>,
    method: McpMethod,
    name: Option<String>,
    params: &Value,
) -> Option<Ask> {
    let entry = hall.plan.scenario.deployment.mcp.as_ref();
    let headers = asking::door_headers(entry, &hall.bindings("list")).ok()?;
    Some(Ask::mcp(method, name, params.to_string(), headers))
}

async fn call(hall: &Hall<'_>, persona: usize, door: Door, ask: &Ask) -> Result<Called, Gap> {
    hall.still_running()?;
    let calling = Calling {
        persona,
        door,
        ask,
        changes: false,
        afresh: false,
        decoy: false,
        renewals: ONE_RENEWAL,
        shows: false,
    };
    hall.call(calling).await
}

fn result(called: &Called) -> Value {
    called.answered.payload.value().unwrap_or_default()
}

fn bytes(called: &Called) -> u64 {
    match &called.answered.observation.answer {
        Answer::Http(answer) => answer.body_bytes,
        Answer::None(_) => 0,
    }
}

fn gets_through(hall: &Hall<'_>, persona: usize, door: Door) -> bool {
    let sights = hall.sights.borrow();
    let mut checks = hall.plan.matrix.checks();
    checks.any(|check| {
        let reading = sights[check.index].reading;
        check.persona == persona
            && check.door == door
            && reading.is_some_and(|reading| reading.outcome.got_through())
    })
}

/// What an answer that holds no list comes to.
fn ending(called: &Called) -> (Ended, String) {
    let why = format!("{}, {}", called.status(), called.reading.outcome.name());
    let ended = match (called.reading.outcome, &called.answered.observation.answer) {
        (_, Answer::Http(answer))
            if matches!(
                answer.rpc,
                Some(Rpc::Error {
                    code: NO_METHOD,
                    ..
                })
            ) =>
        {
            Ended::Absent
        }
        (Outcome::Unauthenticated | Outcome::Forbidden | Outcome::RefusedInBand, _) => {
            Ended::Refused
        }
        _ => Ended::Unread,
    };
    (ended, why)
}

/// Calls a tool that no operation names with the fewest rights that a persona has. Only what says of itself that it
/// reads is called, never with `--read-only`, and only where the author means the matrix to name every tool.
async fn attempt(hall: &Hall<'_>, door: Door) -> Option<Attempt> {
    let scenario = &hall.plan.scenario;
    let wanted = scenario.deployment.requirements.undeclared == Undeclared::Fail;
    if !wanted || hall.plan.is_read_only() || hall.stop.is_stopped() {
        return None;
    }
    let left_out = &scenario.deployment.extent.left_out_tools;
    let tool = judge::harmless(&hall.lists.borrow(), &scenario.tools(), left_out, door)?.to_owned();
    let persona = least(hall)?;
    let params = json!({ "name": tool, "arguments": {} });
    let ask = request(hall, McpMethod::CallTool, Some(tool.clone()), &params)?;
    let called = call(hall, persona, door, &ask).await.ok()?;
    if called.gap.is_some() {
        return None;
    }
    Some(Attempt {
        persona: hall.plan.matrix.personas[persona].name.clone(),
        door,
        tool,
        status: called.status(),
        reading: called.reading,
    })
}

/// A persona without any role, else the one that is allowed least. Nobody, where only one signs in: it may have every
/// right.
fn least(hall: &Hall<'_>) -> Option<usize> {
    let foreigner = probe::foreigner(&hall.plan);
    let mut personas = doors::eager(&hall.plan, &hall.standings);
    personas.retain(|persona| Some(*persona) != foreigner);
    let roles = |persona: usize| hall.plan.matrix.personas[persona].roles.as_ref();
    let stranger = personas
        .iter()
        .copied()
        .find(|persona| roles(*persona).is_some_and(Vec::is_empty));
    let last = personas.last().copied().filter(|_| personas.len() > 1);
    stranger.or(last)
}
