//! Scenario in, every way in to its deployment out: what it says to a persona with a token, and to nobody.

use std::sync::Arc;

use futures_util::future::OptionFuture;
use serde::Serialize;

use super::object::bind_decoy;
use super::{Means, Unready, asking, doors, errand, standing};
use crate::cell::{Door, PersonaName};
use crate::door::enumeration::{Approach, Enumeration, Met, enumerate};
use crate::door::{Answer, Ask, Entrance, Heard, Said};
use crate::judge::{self, Outcome, Setting};
use crate::plan::{Plan, Selection};
use crate::scenario::Scenario;
use crate::token::Desk;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// Who asked with a token; nobody where no persona has one.
    pub persona: Option<PersonaName>,
    /// Personas that sign in, have no usable token and were tried first.
    pub barred: Vec<PersonaName>,
    /// Every way in.
    pub ways: Vec<WayIn>,
}

/// One way in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct WayIn {
    /// `rest`, `mcp`, `mcp-legacy`, or `http+sse`, which no cell of a matrix calls.
    pub door: &'static str,
    /// What was asked there.
    pub request: String,
    /// What it gave with a token.
    pub with_token: Option<Heard>,
    /// What it gave without one.
    pub without: Option<Heard>,
    /// Whether it is open without a token, and the scenario allows nobody anything there without one.
    pub open: bool,
}

impl WayIn {
    /// Whether it answers, and no cell of any matrix is called there.
    pub fn is_unlisted(&self) -> bool {
        let answers = |heard: &Option<Heard>| is_open(heard.as_ref());
        self.door == PAIR && (answers(&self.with_token) || answers(&self.without))
    }
}

/// The door whose name no matrix has.
const PAIR: &str = "http+sse";
const NO_READ: &str = "no read that needs no object";

/// Asks for every way in, once with the token of the persona that is allowed most and has one, once without. Nothing is
/// changed; every session that this opens is ended.
///
/// # Errors
/// What every call needs cannot be had; nothing was sent.
pub async fn survey(mut scenario: Arc<Scenario>, means: &Means<'_>) -> Result<Survey, Unready> {
    let deadline = means.stop.at(means.settings.deadline);
    let desk = Desk::new(&scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    errand::fetch(&mut scenario, &desk).await?;
    let plan = Plan::lay(scenario, Selection::default());
    let (barred, caller) = signed_in(&plan, &desk, means).await;
    let client = caller.as_ref().map_or(0, |(persona, _)| *persona);
    let nobody = standing::without_token(&plan.scenario, client, means);
    let entrance = caller.as_ref().map(|(_, entrance)| entrance);
    let read = harmless(&plan, means);
    let ask = read.as_ref().map(|(_, ask)| ask);
    let asked = async {
        let with_token = OptionFuture::from(entrance.map(|entrance| met(entrance, ask)));
        let both = tokio::join!(with_token, met(&nobody, ask));
        let ended = OptionFuture::from(entrance.map(Entrance::end_sessions));
        tokio::join!(ended, nobody.end_sessions());
        both
    };
    let ways = tokio::select! {
        (with_token, without) = asked => merged(&plan, read.as_ref(), with_token, without),
        () = means.stop.hurried() => Vec::new(),
    };
    deadline.abort();
    let name = |persona: usize| plan.matrix.personas[persona].name.clone();
    Ok(Survey {
        persona: caller.map(|(persona, _)| name(persona)),
        barred: barred.into_iter().map(name).collect(),
        ways,
    })
}

/// The first persona that has a usable token, and those that have none and were tried before.
async fn signed_in(
    plan: &Plan,
    desk: &Desk,
    means: &Means<'_>,
) -> (Vec<usize>, Option<(usize, Entrance)>) {
    let mut barred = Vec::new();
    for persona in doors::by_rights(plan) {
        let mut standings =
            standing::sign_in(&plan.scenario, desk, means, |one| one == persona).await;
        match standings.swap_remove(persona).entrance {
            Some(entrance) => return (barred, Some((persona, entrance))),
            None => barred.push(persona),
        }
    }
    (barred, None)
}

/// What one caller meets.
#[derive(Default)]
struct Sight {
    rest: Option<Heard>,
    mcp: Enumeration,
}

async fn met(entrance: &Entrance, read: Option<&Ask>) -> Sight {
    let rest = OptionFuture::from(read.map(|ask| at_rest(entrance, ask)));
    let (rest, mcp) = tokio::join!(rest, enumerate(entrance));
    Sight { rest, mcp }
}

async fn at_rest(entrance: &Entrance, ask: &Ask) -> Heard {
    let answered = entrance.call(Door::Rest, ask).await;
    let status = match &answered.observation.answer {
        Answer::Http(http) => http.status,
        Answer::None(silence) => return Heard::silent(*silence),
    };
    let reading = judge::read(&answered.observation, &Setting::default());
    match reading.outcome {
        Outcome::Granted => Heard::open(status.to_string()),
        Outcome::Unauthenticated | Outcome::Forbidden => Heard::of_status(status),
        Outcome::Rejected if (400..500).contains(&status) => Heard::of_status(status),
        outcome => Heard::unclear(format!("{status}, {}", outcome.name())),
    }
}

/// The first REST read of the scenario with its operation; before all others one that nobody may make without a token and
/// that needs no object.
fn harmless(plan: &Plan, means: &Means<'_>) -> Option<(usize, Ask)> {
    let scenario = &plan.scenario;
    let of = |operation: usize| &scenario.operations[operation];
    let reads = |operation: &usize| {
        let rest = of(*operation).rest.as_ref();
        rest.is_some_and(|call| call.method == "GET") && !of(*operation).mutates
    };
    let mut candidates: Vec<usize> = (0..scenario.operations.len()).filter(reads).collect();
    candidates
        .sort_by_key(|operation| (is_public_read(plan, *operation), of(*operation).uses.len()));
    candidates.into_iter().find_map(|operation| {
        let bindings = asking::bindings(means.settings, "doors");
        let mut uses = of(operation).uses.iter();
        let bindings = uses.try_fold(bindings, |bindings, fixture| {
            bind_decoy(&scenario.fixtures[*fixture], bindings)
        })?;
        let ask = asking::of_operation(&scenario.deployment, of(operation), Door::Rest, &bindings)?;
        Some((operation, ask.ok()?))
    })
}

fn is_public_read(plan: &Plan, operation: usize) -> bool {
    is_public(plan, |door, one| door == Door::Rest && one == operation)
}

/// Whether the scenario allows somebody who does not sign in anything at such a cell, by door and operation.
fn is_public(plan: &Plan, at: impl Fn(Door, usize) -> bool) -> bool {
    plan.matrix.checks().any(|check| {
        at(check.door, check.operation)
            && !plan.matrix.personas[check.persona].signs_in
            && check.demand.expectation.allows()
    })
}

fn merged(
    plan: &Plan,
    read: Option<&(usize, Ask)>,
    with: Option<Sight>,
    without: Sight,
) -> Vec<WayIn> {
    let with = with.unwrap_or_default();
    let mut ways = Vec::new();
    if plan.scenario.deployment.rest.is_some() {
        ways.push(WayIn {
            door: Door::Rest.name(),
            request: read.map_or_else(|| NO_READ.to_owned(), |(_, ask)| ask.request().to_string()),
            with_token: with.rest,
            open: is_open(without.rest.as_ref())
                && !read.is_some_and(|(operation, _)| is_public_read(plan, *operation)),
            without: without.rest,
        });
    }
    let public = is_public(plan, |door, _| door.speaks_mcp());
    let path = mcp_path(plan);
    let nobody: Vec<&Met> = with.mcp.bare.iter().chain(&without.mcp.met).collect();
    let unknown = |one: &&Met| {
        !with
            .mcp
            .met
            .iter()
            .any(|known| known.approach == one.approach)
    };
    let more = without.mcp.met.iter().filter(unknown);
    for one in with.mcp.met.iter().chain(more) {
        let heard_by_nobody = nobody.iter().filter(|other| other.approach == one.approach);
        let without = heard_by_nobody.max_by_key(|other| other.heard.said == Said::Open);
        let without = without.map(|other| other.heard.clone());
        let mut heard_with = with.mcp.met.iter();
        let heard_with = heard_with.find(|other| other.approach == one.approach);
        ways.push(WayIn {
            door: door(&one.approach),
            request: request(&one.approach, &path),
            with_token: heard_with.map(|other| other.heard.clone()),
            open: is_open(without.as_ref()) && !public,
            without,
        });
    }
    ways
}

fn is_open(heard: Option<&Heard>) -> bool {
    heard.is_some_and(|heard| heard.said == Said::Open)
}

const fn door(approach: &Approach) -> &'static str {
    match approach {
        Approach::Discover => Door::Mcp.name(),
        Approach::Initialize(_) | Approach::Stream | Approach::End => Door::McpLegacy.name(),
        Approach::Pair(_) | Approach::Messages(_) => PAIR,
    }
}

fn request(approach: &Approach, own: &str) -> String {
    match approach {
        Approach::Discover => "server/discover".to_owned(),
        Approach::Initialize(revision) => format!("initialize {revision}"),
        Approach::Stream => format!("GET {own}"),
        Approach::End => format!("DELETE {own}"),
        Approach::Pair(path) => format!("GET {path}"),
        Approach::Messages(path) => format!("POST {path}"),
    }
}

/// The path of the MCP URL.
fn mcp_path(plan: &Plan) -> String {
    let entry = plan.scenario.deployment.mcp.as_ref();
    let url = entry.and_then(|entry| entry.url.parse::<http::Uri>().ok());
    url.map_or_else(String::new, |url| url.path().to_owned())
}
