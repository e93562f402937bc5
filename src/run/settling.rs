//! A plan in, the wait until its deployment answers as demanded out: a few harmless cells are asked again and again before the run.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::calling::{Calling, NO_RENEWAL};
use super::event::Event;
use super::hall::Hall;
use super::work::{bind_decoys, may_send_decoys};
use super::{Means, asking, doors, standing};
use crate::judge::{Code, Finding};
use crate::plan::{Check, Conduct, Matrix, Plan};
use crate::scenario::SignIn;
use crate::token::Desk;

/// Between the first two looks; each further wait is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// Between two looks at most.
const LONGEST: Duration = Duration::from_secs(10);
/// Looks in a row that must find everything as demanded: each call goes over a connection of its own, to whichever gateway.
const IN_A_ROW: usize = 2;
/// Cells that are told by name.
const TOLD: usize = 8;

/// How a deployment settled before a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Settled {
    /// Whether everything that was asked was as demanded in the end.
    pub ready: bool,
    /// How often it was looked at.
    pub looks: usize,
    /// Cells that each look asked.
    pub asked: usize,
    /// Milliseconds from the first look to the end of the last.
    pub took_ms: u64,
    /// Cells that were not as demanded at first, with the last that they gave so; not all of them, if there are many.
    pub late: Vec<Late>,
}

/// What a cell gave that was not yet what is demanded.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Late {
    /// The cell's address, or the persona that could not call.
    pub cell: String,
    /// What it gave in the end, in a few words.
    pub gave: String,
    /// Milliseconds from the first look to the last that found it so.
    pub until_ms: u64,
}

/// Looks until everything is as demanded or the time is up, and tells each look. What is left is for the run to find.
///
/// What is seen here is not the run's: the deployment may still be taking its policies in. Where it was not as demanded, a
/// note says so.
pub(super) async fn settle(
    plan: &Plan,
    means: &Means<'_>,
    most: Duration,
    tell: &mut dyn FnMut(Event),
) -> Option<Finding> {
    let mut diary = Diary::new();
    let until = Instant::now() + most;
    let mut pause = FIRST;
    let mut in_a_row = 0;
    loop {
        let look = tokio::select! {
            look = look(plan, means) => look,
            () = means.stop.ended() => break,
        };
        diary.note(&look);
        in_a_row = if look.astray.is_empty() {
            in_a_row + 1
        } else {
            0
        };
        tell(Event::Looked {
            asked: look.asked,
            astray: look.told(),
        });
        if in_a_row == IN_A_ROW || Instant::now() >= until {
            break;
        }
        if in_a_row == 0 {
            let left = until.saturating_duration_since(Instant::now());
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                () = means.stop.ended() => break,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
    let settled = diary.close(in_a_row > 0);
    let finding = worded(&settled);
    tell(Event::Settled(settled));
    finding
}

/// What is worth a note, where anything is.
fn worded(settled: &Settled) -> Option<Finding> {
    if settled.late.is_empty() && settled.ready {
        return None;
    }
    let late: Vec<String> = settled
        .late
        .iter()
        .take(TOLD)
        .map(|late| {
            let seconds = Duration::from_millis(late.until_ms).as_secs_f32();
            format!("{} {} until {seconds:.1} s", late.cell, late.gave)
        })
        .collect();
    let seconds = Duration::from_millis(settled.took_ms).as_secs_f32();
    let words = if settled.ready {
        format!("everything was as demanded {seconds:.1} s after the first look")
    } else {
        format!(
            "not everything was as demanded after {seconds:.1} s, and the run was made all the same"
        )
    };
    let more = settled.late.len().saturating_sub(TOLD);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    let words = format!("{words}: {}{more}", late.join("; "));
    Some(Finding::new(Code::SettledLate, words, Vec::new()))
}

/// What the looks found, as far as it is told.
struct Diary {
    begun: Instant,
    looks: usize,
    asked: usize,
    late: Vec<Late>,
}

impl Diary {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            looks: 0,
            asked: 0,
            late: Vec::new(),
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn note(&mut self, look: &Look) {
        let until_ms = self.elapsed_ms();
        self.looks += 1;
        self.asked = self.asked.max(look.asked);
        for (cell, gave) in &look.astray {
            let known = self.late.iter_mut().find(|late| late.cell == *cell);
            match known {
                Some(late) => (late.gave, late.until_ms) = (gave.clone(), until_ms),
                None => self.late.push(Late {
                    cell: cell.clone(),
                    gave: gave.clone(),
                    until_ms,
                }),
            }
        }
    }

    fn close(self, ready: bool) -> Settled {
        Settled {
            ready,
            looks: self.looks,
            asked: self.asked,
            took_ms: self.elapsed_ms(),
            late: self.late,
        }
    }
}

/// What one look found: cells that were asked, and those that are not as demanded, with what they gave.
#[derive(Default)]
struct Look {
    asked: usize,
    astray: Vec<(String, String)>,
}

impl Look {
    fn told(&self) -> Vec<String> {
        let told = self.astray.iter().take(TOLD);
        let mut told: Vec<String> = told.map(|(cell, gave)| format!("{cell} {gave}")).collect();
        let more = self.astray.len().saturating_sub(TOLD);
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        told
    }
}

/// Everything anew: tokens, since a role may have been assigned meanwhile, doors, since they may have been opened, and calls.
async fn look(plan: &Plan, means: &Means<'_>) -> Look {
    let desk = Desk::new(&plan.scenario.personas, means.wire, means.redactor);
    let callers = plan.callers();
    let may_ask = |persona: usize| callers[persona] && signs_in_alone(plan, persona);
    let standings = standing::sign_in(&plan.scenario, &desk, means, may_ask).await;
    let mut look = Look::default();
    for (persona, standing) in standings.iter().enumerate() {
        if may_ask(persona) && standing.gap.is_some() {
            let name = plan.matrix.personas[persona].name.to_string();
            look.astray.push((name, "had no usable token".to_owned()));
        }
    }
    let found = doors::find(plan, &standings, means.stop).await;
    let mut unheard = |_event| {};
    let hall = Hall::open(
        plan.clone().through(&found.open),
        desk,
        standings,
        found,
        means,
        std::time::Instant::now(),
        &mut unheard,
    );
    let probes = probes(&hall.plan, &may_ask);
    let asked = join_all(probes.into_iter().map(|check| ask(&hall, check))).await;
    hall.end_sessions().await;
    look.asked = asked.iter().flatten().count();
    let astray = asked
        .into_iter()
        .flatten()
        .filter_map(|(cell, gave)| Some((cell, gave?)));
    look.astray.extend(astray);
    look
}

/// Whoever is asked for again and again must cost nothing: no person's time, no refresh token, no attempt that counts towards
/// locking an account.
fn signs_in_alone(plan: &Plan, persona: usize) -> bool {
    matches!(
        plan.scenario.personas[persona].sign_in,
        SignIn::None | SignIn::ClientCredentials { .. } | SignIn::ManagedIdentity { .. }
    )
}

/// One cell that is allowed and one that is refused for each persona at each door, none of which can change anything: reads
/// that need no object, and calls with decoy values. Of each persona another operation, as far as there are any.
fn probes<'p>(plan: &'p Plan, may_ask: &dyn Fn(usize) -> bool) -> Vec<Check<'p>> {
    let matrix: &Matrix = &plan.matrix;
    let mut probes: Vec<Check<'p>> = Vec::new();
    for door in &matrix.doors {
        for persona in (0..matrix.personas.len()).filter(|persona| may_ask(*persona)) {
            for allowed in [true, false] {
                let fits: Vec<Check<'_>> = matrix
                    .checks()
                    .filter(|check| check.persona == persona && check.door == *door)
                    .filter(|check| check.demand.expectation.allows() == allowed)
                    .filter(|check| !(allowed && plan.matrix.operations[check.operation].mutates))
                    .filter(|check| is_harmless(plan, check))
                    .collect();
                if !fits.is_empty() {
                    probes.push(fits[persona % fits.len()]);
                }
            }
        }
    }
    probes
}

fn is_harmless(plan: &Plan, check: &Check<'_>) -> bool {
    let operation = &plan.scenario.operations[check.operation];
    let has_decoys = |fixture: &usize| plan.scenario.fixtures[*fixture].decoy.is_some();
    let mut groups = plan.groups.iter();
    let group = groups.find(|group| group.operation == check.operation && group.door == check.door);
    let is_withheld = group.is_none_or(|group| group.conduct == Conduct::Withheld);
    let needs_own = operation.mutates && operation.uses.is_empty();
    !is_withheld
        && operation.creates.is_none()
        && !needs_own
        && operation.uses.iter().all(has_decoys)
}

/// The cell with what it gave, where that is not what is demanded.
async fn ask(hall: &Hall<'_>, check: Check<'_>) -> Option<(String, Option<String>)> {
    if hall.barred(check.persona, check.door).is_some() {
        return None;
    }
    let scenario = &hall.plan.scenario;
    let operation = &scenario.operations[check.operation];
    if !operation.uses.is_empty() && !may_send_decoys(hall, check.operation).await {
        return None;
    }
    let bindings = hall.bindings(&format!("s{}", check.index));
    let bindings = bind_decoys(hall, check.operation, bindings)?;
    let ask = asking::of_operation(&scenario.deployment, operation, check.door, &bindings)?.ok()?;
    let calling = Calling {
        persona: check.persona,
        door: check.door,
        ask: &ask,
        changes: false,
        afresh: true,
        decoy: !operation.uses.is_empty(),
        renewals: NO_RENEWAL,
        shows: true,
    };
    let cell = hall.plan.matrix.cell(&check).to_string();
    let Ok(called) = hall.call(calling).await else {
        return Some((cell, Some("was not answered".to_owned())));
    };
    let met = hall.as_demanded(&check, called.reading, called.status());
    let demanded = &check.demand.expectation;
    let gave = match called.status() {
        0 => format!("gave no answer ({demanded} is demanded)"),
        status => {
            let outcome = called.reading.outcome.name();
            format!("gave {status} ({outcome}; {demanded} is demanded)")
        }
    };
    Some((cell, (!met).then_some(gave)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Selection;
    use crate::plan::tests::{CATALOG, plan};

    fn asked(text: &str, read_only: bool) -> Vec<String> {
        let selection = Selection {
            read_only,
            ..Selection::default()
        };
        let plan = plan(text, &[], selection);
        let probes = probes(&plan, &|persona| signs_in_alone(&plan, persona));
        let at_rest = probes.iter().filter(|check| check.door.name() == "rest");
        at_rest
            .map(|check| plan.matrix.cell(check).to_string())
            .collect()
    }

    #[test]
    fn one_allowed_and_one_refused_call_a_persona_change_nothing() {
        assert_eq!(
            asked(CATALOG, false),
            [
                "reader/listProducts/rest",
                "reader/updateProduct/rest",
                "writer/getProduct/rest",
                "writer/deleteProduct/rest",
                "admin/searchProducts/rest",
                "anonymous/updateProduct/rest",
            ]
        );
        assert!(
            !asked(CATALOG, true)
                .iter()
                .any(|cell| cell.contains("updateProduct"))
        );
    }

    #[test]
    fn nobody_who_must_be_asked_in_person_is_asked() {
        let person = CATALOG.replacen(
            "client_credentials: { client_id: \"${READER_ID}\", client_secret: { env: READER_SECRET } }",
            "device_code: { client_id: \"${READER_ID}\" }",
            1,
        );
        assert_ne!(person, CATALOG);
        assert!(
            !asked(&person, false)
                .iter()
                .any(|cell| cell.starts_with("reader"))
        );
    }

    #[test]
    fn a_settled_deployment_is_worth_no_note() {
        let settled = |ready, late: &[&str]| Settled {
            ready,
            looks: 2,
            asked: 9,
            took_ms: 3100,
            late: late
                .iter()
                .map(|cell| Late {
                    cell: (*cell).to_owned(),
                    gave: "gave 404 (past-the-guard; 403 is demanded)".to_owned(),
                    until_ms: 2900,
                })
                .collect(),
        };
        assert_eq!(worded(&settled(true, &[])), None);
        let note = worded(&settled(true, &["reader/updateProduct/rest"])).unwrap();
        assert_eq!(
            note.detail,
            "everything was as demanded 3.1 s after the first look: reader/updateProduct/rest gave 404 (past-the-guard; 403 is demanded) until 2.9 s"
        );
        let note = worded(&settled(false, &["a"; 10])).unwrap();
        assert!(
            note.detail
                .starts_with("not everything was as demanded after 3.1 s")
        );
        assert!(note.detail.ends_with("; and 2 more"), "{}", note.detail);
    }
}
