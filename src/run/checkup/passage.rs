//! Doors and standings in, their stations out: MCP eras, then one allowed call that changes nothing, by persona and door.

use super::station::Station;
use crate::judge::{Code, Gap, Layer, Outcome, Reading, Signature};
use crate::plan::Plan;
use crate::run::calling::Called;
use crate::run::doors::Doors;
use crate::run::hall::Hall;
use crate::run::harmless;

/// Tells what each MCP era answered.
pub(super) fn tell_eras(plan: &Plan, doors: &Doors, tell: &mut dyn FnMut(Station)) {
    let branch = "MCP eras";
    let speaks = doors.found.iter().any(|found| found.answers == Some(true));
    for door in plan.matrix.doors.iter().filter(|door| door.speaks_mcp()) {
        let step = door.name();
        let Some(found) = doors.found.iter().find(|found| found.door == *door) else {
            let why = "not tried: no persona has a token for it";
            tell(Station::passed(branch, step, why));
            continue;
        };
        let is_missed = doors.closed.contains(door) || !speaks;
        tell(match found.answers {
            Some(true) => Station::whole(branch, step, &found.detail),
            Some(false) if !is_missed => {
                Station::passed(branch, step, format!("not spoken: {}", found.detail))
            }
            Some(false) | None => Station::broken(
                branch,
                step,
                &found.detail,
                Layer::Gateway,
                Code::DoorClosed.remedy(),
            ),
        });
    }
}

/// Calls, for each persona and door, one operation that it is allowed and that changes nothing. Behind a door that gives
/// no answer nobody else is sent.
pub(super) async fn call_each(hall: &Hall<'_>, tell: &mut dyn FnMut(Station)) {
    for door in hall.plan.matrix.doors.clone() {
        let branch = format!("calls at {door}");
        let mut is_silent = false;
        for persona in 0..hall.plan.matrix.personas.len() {
            let step = hall.plan.matrix.personas[persona].name.to_string();
            let Some(check) = harmless::check(hall, persona, door) else {
                tell(Station::passed(
                    &branch,
                    &step,
                    "nothing harmless is allowed to it",
                ));
                continue;
            };
            let hindered = if is_silent {
                Some("not called: the door gives no answer")
            } else {
                hall.barred(persona, door).map(hindrance)
            };
            if let Some(why) = hindered {
                tell(Station::passed(&branch, &step, why));
                continue;
            }
            let called = harmless::call(hall, &check).await;
            is_silent = called
                .as_ref()
                .is_some_and(|called| called.reading.outcome == Outcome::NoAnswer);
            tell(told(&branch, &step, called.as_ref()));
        }
    }
}

const fn hindrance(gap: Gap) -> &'static str {
    match gap {
        Gap::PersonaStopped => "not called: its token is not the declared one",
        Gap::SignInFailed => "not called: it has no token",
        Gap::TokenRanOut => "not called: its token ran out",
        Gap::DoorClosed => "not called: the door is closed",
        Gap::NotReached
        | Gap::FixtureFailed
        | Gap::CreationWithheld
        | Gap::DecoyDoubtful
        | Gap::NotPermitted => "not called: the way there is broken",
    }
}

fn told(branch: &str, step: &str, called: Option<&Called>) -> Station {
    let Some(called) = called else {
        return Station::passed(branch, step, "not called: the examination was ended");
    };
    let request = &called.answered.observation.request;
    let reading = called.reading;
    let answer = match called.status() {
        0 => "no answer".to_owned(),
        status => status.to_string(),
    };
    let detail = format!("{request} → {answer}, {}", reading.outcome.name());
    if reading.outcome.got_through() {
        return Station::whole(branch, step, detail);
    }
    Station::broken(branch, step, detail, layer(reading), fix(reading))
}

/// A recognised answer says where to look; any other by what it means.
fn layer(reading: Reading) -> Layer {
    let by_outcome = match reading.outcome {
        Outcome::Granted
        | Outcome::PastTheGuard
        | Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::RefusedInBand
        | Outcome::Intercepted => Layer::Gateway,
        Outcome::Hidden | Outcome::Rejected => Layer::Client,
        Outcome::Redirected => Layer::IdentityProvider,
        Outcome::ToolError | Outcome::Crashed => Layer::Backend,
        Outcome::NoAnswer => Layer::Edge,
    };
    reading.signature.map_or(by_outcome, Signature::layer)
}

fn fix(reading: Reading) -> &'static str {
    let by_outcome = match reading.outcome {
        Outcome::Granted
        | Outcome::PastTheGuard
        | Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::RefusedInBand
        | Outcome::Hidden
        | Outcome::Redirected => Code::Lockout,
        Outcome::ToolError | Outcome::Rejected | Outcome::Crashed => Code::Broken,
        Outcome::Intercepted => Code::Intercepted,
        Outcome::NoAnswer => Code::NoAnswer,
    };
    reading
        .signature
        .map_or_else(|| by_outcome.remedy(), Signature::remedy)
}
