//! Plan and personas in, the doors that are called out.

use super::hall::Hall;
use super::standing::Standing;
use super::stop::Stop;
use crate::cell::Door;
use crate::door::discovery::{Found, discover};
use crate::plan::Plan;

/// What the deployment's addresses turned out to be.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// Doors whose cells are called, in matrix order.
    pub(super) open: Vec<Door>,
    /// Doors that the scenario names and that do not answer; their cells stay in the matrix, unproven.
    pub(super) closed: Vec<Door>,
    /// What each MCP era answered.
    pub(super) found: Vec<Found>,
    /// The MCP door that fixtures use.
    pub(super) for_fixtures: Option<Door>,
}

/// The doors that are called where that does not hang on what the MCP URL answers, because the author names one era of it;
/// `None` where it does.
pub(super) fn stated(plan: &Plan) -> Option<Doors> {
    let wanted = &plan.matrix.doors;
    let eras = wanted.iter().filter(|door| door.speaks_mcp()).count();
    (eras == 1).then(|| decide(wanted, true, Vec::new()))
}

/// Asks the MCP URL for the era of a door that is called whatever it answers, and tells.
pub(super) async fn find_stated(hall: &Hall<'_>) {
    for found in ask(&hall.plan, &hall.standings, hall.stop).await {
        hall.tell_door(&found);
    }
}

/// Asks the MCP URL for its eras, and decides which are called.
pub(super) async fn find(plan: &Plan, standings: &[Standing], stop: &Stop) -> Doors {
    let found = ask(plan, standings, stop).await;
    let stated = plan.scenario.deployment.doors_stated;
    decide(&plan.matrix.doors, stated, found)
}

/// Asks as one persona after the other until each era is clear.
async fn ask(plan: &Plan, standings: &[Standing], stop: &Stop) -> Vec<Found> {
    let wanted = &plan.matrix.doors;
    let mut found: Vec<Found> = Vec::new();
    if wanted.iter().any(|door| door.speaks_mcp()) {
        for persona in eager(plan, standings) {
            let Some(entrance) = &standings[persona].entrance else {
                continue;
            };
            tokio::select! {
                fresh = discover(entrance, wanted) => found = clearer(found, fresh),
                () = stop.hurried() => break,
            }
            if found.iter().all(|one| one.answers.is_some()) {
                break;
            }
        }
    }
    found
}

/// Personas that have a way in and sign in, those that are allowed most first: the likeliest to be let in.
pub(super) fn eager(plan: &Plan, standings: &[Standing]) -> Vec<usize> {
    let mut personas = by_rights(plan);
    personas.retain(|persona| standings[*persona].entrance.is_some());
    personas
}

/// Personas that sign in, those that are allowed most first.
pub(super) fn by_rights(plan: &Plan) -> Vec<usize> {
    let rights = plan.matrix.rights();
    let allowed = |persona: usize| rights[persona].iter().sum::<u32>();
    let signs_in = |persona: &usize| plan.matrix.personas[*persona].signs_in;
    let all = 0..plan.matrix.personas.len();
    let mut personas: Vec<usize> = all.filter(signs_in).collect();
    personas.sort_by_key(|persona| std::cmp::Reverse(allowed(*persona)));
    personas
}

fn clearer(known: Vec<Found>, fresh: Vec<Found>) -> Vec<Found> {
    if known.is_empty() {
        return fresh;
    }
    let better = |old: Found, new: Found| if old.answers.is_some() { old } else { new };
    known
        .into_iter()
        .zip(fresh)
        .map(|(old, new)| better(old, new))
        .collect()
}

/// An era that answers is called. One that is unclear is called too, because silence about it would look green;
/// one that is clearly absent is left out, unless the author named it or nothing else would remain.
fn decide(wanted: &[Door], stated: bool, found: Vec<Found>) -> Doors {
    let says = |door: Door| {
        found
            .iter()
            .find(|one| one.door == door)
            .and_then(|one| one.answers)
    };
    let some_era = found.iter().any(|one| one.answers == Some(true));
    let absent = |door: Door| some_era && says(door) == Some(false);
    let closed: Vec<Door> = wanted
        .iter()
        .copied()
        .filter(|door| stated && absent(*door))
        .collect();
    let open: Vec<Door> = wanted
        .iter()
        .copied()
        .filter(|door| stated || !absent(*door))
        .collect();
    let for_fixtures = open
        .iter()
        .copied()
        .filter(|door| door.speaks_mcp())
        .max_by_key(|door| (says(*door) == Some(true), *door == Door::Mcp));
    Doors {
        open,
        closed,
        found,
        for_fixtures,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::door::Entrance;
    use crate::plan::Selection;
    use crate::plan::tests::{CATALOG, plan};
    use crate::token::Credential;
    use crate::wire::{Proxies, Settings, Wire};

    fn eras(modern: Option<bool>, legacy: Option<bool>) -> Vec<Found> {
        let found = |door, answers| Found {
            door,
            answers,
            detail: String::new(),
        };
        vec![found(Door::Mcp, modern), found(Door::McpLegacy, legacy)]
    }

    #[test]
    fn an_absent_era_is_left_out_and_an_unclear_one_is_not() {
        let table = [
            (
                eras(Some(true), Some(true)),
                false,
                vec![Door::Rest, Door::Mcp, Door::McpLegacy],
                vec![],
            ),
            (
                eras(Some(true), Some(false)),
                false,
                vec![Door::Rest, Door::Mcp],
                vec![],
            ),
            (
                eras(Some(false), Some(true)),
                false,
                vec![Door::Rest, Door::McpLegacy],
                vec![],
            ),
            (
                eras(None, Some(true)),
                false,
                vec![Door::Rest, Door::Mcp, Door::McpLegacy],
                vec![],
            ),
            (
                eras(None, None),
                false,
                vec![Door::Rest, Door::Mcp, Door::McpLegacy],
                vec![],
            ),
            (
                eras(Some(false), Some(false)),
                false,
                vec![Door::Rest, Door::Mcp, Door::McpLegacy],
                vec![],
            ),
            (
                eras(Some(true), Some(false)),
                true,
                vec![Door::Rest, Door::Mcp, Door::McpLegacy],
                vec![Door::McpLegacy],
            ),
        ];
        for (found, stated, open, closed) in table {
            let doors = decide(&Door::ALL, stated, found.clone());
            assert_eq!(
                (doors.open, doors.closed),
                (open, closed),
                "{found:?} stated {stated}"
            );
        }
    }

    #[test]
    fn fixtures_use_an_era_that_answers() {
        assert_eq!(
            decide(&Door::ALL, false, eras(None, Some(true))).for_fixtures,
            Some(Door::McpLegacy)
        );
        assert_eq!(
            decide(&Door::ALL, false, eras(Some(true), Some(true))).for_fixtures,
            Some(Door::Mcp)
        );
        assert_eq!(decide(&[Door::Rest], false, Vec::new()).for_fixtures, None);
    }

    fn standings(plan: &Plan, way_in: [bool; 4]) -> Vec<Standing> {
        let settings = Settings {
            connect: Duration::ZERO,
            request: Duration::ZERO,
            body_cap: 0,
            authorities: Vec::new(),
            proxies: Proxies::default(),
        };
        let wire = Wire::new(&settings).unwrap();
        let entrance = || {
            let deployment = &plan.scenario.deployment;
            Entrance::new(
                deployment,
                &wire,
                Credential::default(),
                Vec::new(),
                &Arc::default(),
            )
        };
        way_in
            .map(|is_let_in| Standing {
                entrance: is_let_in.then(entrance),
                credential: None,
                gap: None,
                faults: Vec::new(),
                here: false,
                event: None,
            })
            .into()
    }

    #[tokio::test]
    async fn whoever_is_allowed_most_asks_for_the_eras_first_and_anonymous_never() {
        let plan = plan(CATALOG, &[], Selection::default());
        let (reader, writer, admin) = (0, 1, 2);
        let all = standings(&plan, [true; 4]);
        assert_eq!(eager(&plan, &all), [admin, writer, reader]);
        let without_admin = standings(&plan, [true, true, false, true]);
        assert_eq!(eager(&plan, &without_admin), [writer, reader]);
    }

    #[test]
    fn what_one_persona_found_out_the_next_does_not_unsay() {
        let found = clearer(eras(None, Some(true)), eras(Some(false), None));
        assert_eq!(found, eras(Some(false), Some(true)));
        assert_eq!(clearer(Vec::new(), eras(None, None)), eras(None, None));
    }
}
