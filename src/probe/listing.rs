//! Plan in, the requests that see whether the requirements hold out, one line each.

use super::foreigner::foreigner;
use super::trick::{Trick, Voice};
use super::visit::SESSIONS;
use crate::cell::Door;
use crate::plan::{Plan, Planned, Stage};
use crate::requirement::Requirement;
use crate::scenario::Terms;

/// Every request that a run would send about the requirements, in order. What is asked only where a door offers it is
/// among them.
pub fn planned(plan: &Plan) -> Vec<Planned> {
    let doors = plan.matrix.doors.iter().copied();
    let doors: Vec<Door> = doors.filter(|door| door.speaks_mcp()).collect();
    let terms = &plan.scenario.deployment.requirements;
    let mut requests = Vec::new();
    for door in &doors {
        requests.extend(openings(*door, terms));
        let tricks = Trick::ALL.iter().copied();
        let wanted = tricks.filter(|trick| {
            trick.is_at(*door) && terms.checks(trick.requirement()) && is_foreseen(*trick, plan)
        });
        requests.extend(wanted.map(|trick| {
            let subject = format!("{} at {door}", trick.requirement());
            line(&subject, who(trick.voice(), plan), trick.line(*door))
        }));
    }
    if !doors.is_empty() && terms.checks(Requirement::MetadataServed) {
        let documents = [
            ("C-03", "GET the protected resource metadata"),
            ("C-06", "GET the authorization server's metadata"),
        ];
        let known = documents
            .iter()
            .map(|(id, request)| line(id, "nobody", (*request).to_owned()));
        requests.extend(known);
    }
    requests
}

/// Whether the scenario has what a request needs.
fn is_foreseen(trick: Trick, plan: &Plan) -> bool {
    let deployment = &plan.scenario.deployment;
    let terms = &deployment.requirements;
    let needs = [
        (Trick::Expired, terms.expired.is_some()),
        (Trick::OtherAudience, foreigner(plan).is_some()),
        (
            Trick::InQuery,
            deployment.disposable
                && !plan.guard.holds()
                && !plan.scenario.waives(trick.requirement()),
        ),
    ];
    needs
        .iter()
        .all(|(needy, is_there)| *needy != trick || *is_there)
}

fn openings(door: Door, terms: &Terms) -> Vec<Planned> {
    let carrier = |request: String| line(&format!("{door}"), FIRST, request);
    let sessions = if terms.checks(Requirement::SessionUnguessable) {
        SESSIONS
    } else {
        1
    };
    match door {
        Door::McpLegacy => vec![
            carrier(format!("initialize, for {sessions} sessions")),
            carrier("tools/list".to_owned()),
        ],
        Door::Rest | Door::Mcp => vec![
            carrier("server/discover".to_owned()),
            carrier("tools/list".to_owned()),
        ],
    }
}

const FIRST: &str = "the first that may";

fn who(voice: Voice, plan: &Plan) -> &str {
    match voice {
        Voice::Nobody => "nobody",
        Voice::Caller => FIRST,
        Voice::Other => "the next that may",
        Voice::Foreigner => {
            foreigner(plan).map_or("nobody", |index| plan.matrix.personas[index].name.as_str())
        }
    }
}

fn line(subject: &str, persona: &str, request: String) -> Planned {
    Planned {
        stage: Stage::Requirement,
        persona: persona.to_owned(),
        subject: subject.to_owned(),
        request,
        json: None,
        expected: String::new(),
        conduct: None,
    }
}
