//! Scenario in, what its deployment says that there is, beside what its operations name, out: no cell is called.

use std::sync::Arc;
use std::time::Instant;

use super::document::{self, Routes};
use super::doors::{self, Doors};
use super::hall::Hall;
use super::standing::{self, Standing};
use super::{Means, Unready, errand, listing};
use crate::cell::{Door, PersonaName};
use crate::door::Ended;
use crate::door::discovery::Found;
use crate::judge::{Coverage, Inventory, Listed};
use crate::openapi::Base;
use crate::plan::Plan;
use crate::scenario::{Location, Scenario};
use crate::token::Desk;

/// What there is, and who names it.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// Routes and tools with the operations that name them.
    pub coverage: Coverage,
    /// The OpenAPI document, as people know it, and where its paths were found; `None` where none was read.
    pub document: Option<(String, Base)>,
    /// What could not be read, and why: a sentence each.
    pub unread: Vec<String>,
}

/// Reads the OpenAPI document and, where `tools` are wanted, signs every persona in and asks for its lists. Nothing is
/// called.
///
/// # Errors
/// What every call needs cannot be had, or the document is a file that cannot be read; nothing was sent.
pub async fn take(
    mut scenario: Arc<Scenario>,
    tools: bool,
    means: &Means<'_>,
) -> Result<Stock, Unready> {
    let deadline = means.stop.at(means.settings.deadline);
    let desk = Desk::new(&scenario.personas, means.wire, means.redactor)
        .with_attendant(Arc::clone(means.attendant));
    errand::fetch(&mut scenario, &desk).await?;
    let plan = Plan::everywhere(scenario);
    let routes = document::at_hand(&plan)?;
    let (standings, routes) = tokio::join!(
        standing::sign_in(&plan.scenario, &desk, means, |_| tools),
        fetched(&plan, means, routes),
    );
    let scenario = Arc::clone(&plan.scenario);
    let (lists, mut unread) = if tools {
        listed(plan, desk, standings, means).await
    } else {
        Default::default()
    };
    if means.stop.is_stopped() {
        unread.push("the time was up before everything was read".to_owned());
    }
    let location = scenario.deployment.extent.openapi.as_ref();
    let source = location.map(Location::shown).unwrap_or_default();
    if let Routes::Unread(why) = &routes {
        unread.push(format!("{source} could not be read: {why}"));
    }
    let coverage = Coverage::of(&Inventory {
        scenario: &scenario,
        document: routes.known(),
        lists: &lists,
    });
    deadline.abort();
    Ok(Stock {
        coverage,
        document: routes
            .known()
            .map(|(_, matching)| (source, matching.base.clone())),
        unread,
    })
}

/// The document, whoever may call.
async fn fetched(plan: &Plan, means: &Means<'_>, at_hand: Routes) -> Routes {
    match document::wanted(plan) {
        Some(Location::Url(url)) => document::fetched_from(url, plan, means).await,
        Some(Location::File(_)) | None => at_hand,
    }
}

/// Every list, whoever asked, and what is not known for want of one; the sessions that were opened are ended.
async fn listed(
    plan: Plan,
    desk: Desk,
    standings: Vec<Standing>,
    means: &Means<'_>,
) -> (Vec<Listed>, Vec<String>) {
    let scenario = Arc::clone(&plan.scenario);
    let found = doors::find(&plan, &standings, means.stop).await;
    let mut unread = barred(&scenario, &standings);
    unread.extend(shut(&plan, &found));
    let lead = doors::eager(&plan, &standings).first().copied();
    let mut unheard = |_event| {};
    let hall = Hall::open(
        plan.through(&found.open),
        desk,
        standings,
        found,
        means,
        Instant::now(),
        &mut unheard,
    );
    listing::list_all(&hall).await;
    hall.end_sessions().await;
    let lists = hall.lists.take();
    let lead = lead.map(|persona| &scenario.personas[persona].name);
    let missed = |one: &Listed| missed(&scenario, one, lead == Some(&one.persona));
    unread.extend(lists.iter().filter_map(missed));
    (lists, unread)
}

/// Personas that could not ask.
fn barred(scenario: &Scenario, standings: &[Standing]) -> Vec<String> {
    let personas = scenario.personas.iter().zip(standings);
    let barred = personas.filter(|(_, standing)| standing.entrance.is_none());
    let told = |name: &PersonaName| {
        format!("{name} has no usable token, so its list of tools was not read")
    };
    barred.map(|(persona, _)| told(&persona.name)).collect()
}

/// MCP doors that the deployment has and that do not answer.
fn shut(plan: &Plan, found: &Doors) -> Vec<String> {
    let told = |door: &Door| format!("{door} does not answer, so nobody's list was read there");
    let mut shut: Vec<String> = found.closed.iter().map(told).collect();
    let wanted = plan.matrix.doors.iter().any(|door| door.speaks_mcp());
    let silent = |one: &Found| one.answers.is_none();
    let unclear = found.found.iter().filter(|one| silent(one));
    shut.extend(unclear.map(|one| format!("{} gives no clear answer: {}", one.door, one.detail)));
    if wanted && found.found.is_empty() {
        shut.push("nobody could ask the MCP doors".to_owned());
    }
    shut
}

/// What is not known because of a list. Who may list nothing is shown nothing, but then somebody who may most must have
/// been shown all.
fn missed(scenario: &Scenario, one: &Listed, leads: bool) -> Option<String> {
    let what = match one.shown.ended {
        Ended::Whole => return None,
        Ended::Refused if !leads => return None,
        Ended::Absent if scenario.tools().iter().all(Option::is_none) => return None,
        Ended::Refused => "is refused",
        Ended::Absent => "is not there",
        Ended::Cut => "was not read to its end",
        Ended::Unread => "was not read",
    };
    let (persona, door) = (&one.persona, one.door);
    let why = &one.shown.why;
    Some(format!("the list of {persona} at {door} {what} ({why})"))
}
