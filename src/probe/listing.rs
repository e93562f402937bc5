//! Plan in, the requests that see whether the requirements hold out, one line each.

use super::trick::{Trick, Voice};
use super::visit::SESSIONS;
use crate::cell::Door;
use crate::plan::{Plan, Planned, Stage};
use crate::requirement::Requirement;

/// Every request that a run would send about the requirements, in order. What is asked only where something is offered
/// is among them.
pub fn planned(plan: &Plan) -> Vec<Planned> {
    let doors = plan.matrix.doors.iter().copied();
    let doors: Vec<Door> = doors.filter(|door| door.speaks_mcp()).collect();
    let terms = &plan.scenario.deployment.requirements;
    let mut requests = Vec::new();
    for door in &doors {
        requests.extend(openings(*door));
        let tricks = Trick::ALL.iter().copied();
        let wanted = tricks.filter(|trick| trick.is_at(*door) && terms.checks(trick.requirement()));
        requests.extend(wanted.map(|trick| {
            let subject = format!("{} at {door}", trick.requirement());
            line(&subject, who(trick), trick.line(*door))
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

fn openings(door: Door) -> Vec<Planned> {
    let carrier = |request: String| line(&format!("carrier at {door}"), "caller", request);
    match door {
        Door::McpLegacy => vec![
            carrier(format!("initialize, {SESSIONS} times")),
            carrier("tools/list".to_owned()),
            carrier(format!("DELETE of {SESSIONS} sessions")),
        ],
        Door::Rest | Door::Mcp => vec![
            carrier("server/discover".to_owned()),
            carrier("tools/list".to_owned()),
        ],
    }
}

fn who(trick: Trick) -> &'static str {
    match trick.voice() {
        Voice::Nobody => "nobody",
        Voice::Caller => "the persona that may most",
        Voice::Other => "another persona",
        Voice::Foreigner => "a persona for another audience",
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
