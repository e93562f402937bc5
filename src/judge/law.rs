//! What was demanded, what came back and whether a control stands in, the ruling out.

use super::outcome::Outcome;
use super::roll::{Effect, Gap};
use crate::code::Code;
use crate::scenario::{Expectation, RefusalShape};

/// What the law says of a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ruling {
    /// The demand is met, and that is proven.
    Pass,
    /// Proven not to be met.
    Fail(Code),
    /// The answer proves nothing.
    Unproven(Code),
    /// There is no answer.
    Gap(Gap),
}

/// One answer before the law.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) demand: &'a Expectation,
    pub(super) outcome: Outcome,
    /// HTTP status, 0 when there was none.
    pub(super) status: u16,
    pub(super) effect: Effect,
    /// Whether an allowed call of this operation got through at this door, and this persona somewhere at it.
    pub(super) control: bool,
    /// How the door is declared to refuse besides 401 and 403.
    pub(super) shape: RefusalShape,
}

/// What a write did was looked at, and nobody can tell.
const UNREAD: Ruling = Ruling::Unproven(Code::EffectUnread);

/// Whether a demand is one that authorization must stop: then a call that gets through is a leak.
pub(super) fn must_be_stopped(demand: &Expectation) -> bool {
    match demand {
        Expectation::Allow => false,
        Expectation::Unauthenticated
        | Expectation::Forbidden
        | Expectation::Deny
        | Expectation::Hidden => true,
        Expectation::Statuses(statuses) => !statuses.iter().any(|status| is_success(*status)),
    }
}

/// Whether an outcome shows that the call reached what it must not reach.
pub(super) fn reached(outcome: Outcome) -> bool {
    outcome.got_through() || outcome == Outcome::ToolError
}

/// The verdict table. A leak and an effect need no control; a pass of anything but an allowed call does.
///
/// A list may name the status of the backend's complaint about a decoy (404 as a disguise): then that is no leak.
pub(super) fn rule(case: Case<'_>) -> Ruling {
    if case.demand.allows() {
        return allowed(case);
    }
    if must_be_stopped(case.demand) {
        let disguise = case.outcome == Outcome::PastTheGuard && listed(case);
        if reached(case.outcome) && !disguise {
            return Ruling::Fail(Code::Leak);
        }
        if case.effect == Effect::Changed {
            return Ruling::Fail(Code::EffectDespiteRefusal);
        }
    }
    if meets(case) {
        let unread = must_be_stopped(case.demand) && case.effect == Effect::Unread;
        let met = if unread { UNREAD } else { Ruling::Pass };
        proven(case, met)
    } else {
        missed(case)
    }
}

/// Whether an answer is what was demanded, controls and effects aside: one that is not must be heard twice.
/// `status` is the HTTP status, 0 when there was none; `shape` is how the door is declared to refuse.
pub fn as_demanded(
    demand: &Expectation,
    outcome: Outcome,
    status: u16,
    shape: RefusalShape,
) -> bool {
    let case = Case {
        demand,
        outcome,
        status,
        effect: Effect::Unchecked,
        control: true,
        shape,
    };
    rule(case) == Ruling::Pass
}

/// What `first` and `second` together make of a cell: a leak stands, and an answer that says nothing contradicts nothing.
pub(super) fn rule_pair(first: Case<'_>, second: Outcome) -> Ruling {
    let ruling = rule(first);
    let leaked = must_be_stopped(first.demand) && reached(second);
    if leaked {
        return Ruling::Fail(Code::Leak);
    }
    let outranked = matches!(
        ruling,
        Ruling::Fail(Code::Leak | Code::EffectDespiteRefusal)
    );
    if outranked || first.outcome.is_silent() || second.is_silent() || first.outcome == second {
        return ruling;
    }
    Ruling::Fail(Code::Flips)
}

fn allowed(case: Case<'_>) -> Ruling {
    match case.outcome {
        Outcome::Granted if !listed(case) => Ruling::Fail(Code::Broken),
        Outcome::Granted if case.effect == Effect::Unchanged => Ruling::Fail(Code::NoEffect),
        Outcome::Granted if case.effect == Effect::Unread => UNREAD,
        Outcome::Granted | Outcome::PastTheGuard => Ruling::Pass,
        Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::RefusedInBand
        | Outcome::Hidden
        | Outcome::Redirected => Ruling::Fail(Code::Lockout),
        Outcome::ToolError | Outcome::Rejected | Outcome::Crashed => Ruling::Fail(Code::Broken),
        Outcome::Intercepted => Ruling::Unproven(Code::Intercepted),
        Outcome::NoAnswer => Ruling::Unproven(Code::NoAnswer),
    }
}

/// Whether the answer is of the kind that was demanded of a cell that is not simply allowed.
fn meets(case: Case<'_>) -> bool {
    let declared = match case.outcome {
        Outcome::RefusedInBand => matches!(case.shape, RefusalShape::InBand | RefusalShape::Any),
        Outcome::Hidden => matches!(case.shape, RefusalShape::Hidden | RefusalShape::Any),
        Outcome::Granted
        | Outcome::PastTheGuard
        | Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::ToolError
        | Outcome::Rejected
        | Outcome::Redirected
        | Outcome::Intercepted
        | Outcome::Crashed
        | Outcome::NoAnswer => false,
    };
    match case.demand {
        Expectation::Allow => case.outcome.got_through(),
        // How a door refuses roles says nothing of callers without a token: those get 401 (2026-07-28 authorization).
        Expectation::Unauthenticated => case.outcome == Outcome::Unauthenticated,
        Expectation::Forbidden => declared || case.outcome == Outcome::Forbidden,
        Expectation::Deny => {
            declared || matches!(case.outcome, Outcome::Unauthenticated | Outcome::Forbidden)
        }
        Expectation::Hidden => case.outcome == Outcome::Hidden,
        Expectation::Statuses(statuses) => meets_list(case, statuses),
    }
}

/// A listed success counts only as a call that got through; where passage is listed, so is the passage of a decoy.
fn meets_list(case: Case<'_>, statuses: &[u16]) -> bool {
    if case.outcome.is_silent() {
        return false;
    }
    let passage = case.outcome == Outcome::PastTheGuard && !must_be_stopped(case.demand);
    passage
        || statuses.contains(&case.status)
            && (!is_success(case.status) || case.outcome.got_through())
}

/// What a refusal that is not the one demanded, or no refusal at all, amounts to.
fn missed(case: Case<'_>) -> Ruling {
    match case.outcome {
        Outcome::Granted | Outcome::PastTheGuard | Outcome::ToolError => Ruling::Fail(Code::Broken),
        Outcome::Crashed => proven(case, Ruling::Fail(Code::CrashedNotRefused)),
        Outcome::Unauthenticated
        | Outcome::Forbidden
        | Outcome::RefusedInBand
        | Outcome::Hidden
        | Outcome::Redirected
        | Outcome::Rejected => proven(case, Ruling::Fail(Code::WrongRefusal)),
        Outcome::Intercepted => Ruling::Unproven(Code::Intercepted),
        Outcome::NoAnswer => Ruling::Unproven(Code::NoAnswer),
    }
}

const fn proven(case: Case<'_>, ruling: Ruling) -> Ruling {
    if case.control {
        ruling
    } else {
        Ruling::Unproven(Code::NoControl)
    }
}

/// Whether a list of statuses holds this one; every other demand lists nothing and so excludes nothing that it allows.
fn listed(case: Case<'_>) -> bool {
    match case.demand {
        Expectation::Statuses(statuses) => statuses.contains(&case.status),
        Expectation::Allow => true,
        Expectation::Unauthenticated
        | Expectation::Forbidden
        | Expectation::Deny
        | Expectation::Hidden => false,
    }
}

const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::exhibit::usual_status;

    /// One letter an outcome, in the order of [`Outcome::ALL`]: granted, past-the-guard, unauthenticated, forbidden,
    /// refused-in-band, hidden, tool-error, rejected, redirected, intercepted, crashed, no-answer.
    const UNPROVEN: &str = "KKNNNNKNNINA";

    fn demands() -> Vec<(Expectation, &'static str, &'static str)> {
        vec![
            (Expectation::Allow, "PPLLLLBBLIBA", "PPLLLLBBLIBA"),
            (Expectation::Unauthenticated, "KKPWWWKWWICA", UNPROVEN),
            (Expectation::Forbidden, "KKWPWWKWWICA", UNPROVEN),
            (Expectation::Deny, "KKPPWWKWWICA", UNPROVEN),
            (Expectation::Hidden, "KKWWWPKWWICA", UNPROVEN),
            (
                Expectation::Statuses(vec![404]),
                "KPWWWPKWWICA",
                "KNNNNNKNNINA",
            ),
            (Expectation::Statuses(vec![302]), "KKWWWWKWPICA", UNPROVEN),
            (
                Expectation::Statuses(vec![401, 500]),
                "KKPWWWKWWIPA",
                UNPROVEN,
            ),
            (
                Expectation::Statuses(vec![200]),
                "PPLLLLBBLIBA",
                "PPLLLLBBLIBA",
            ),
            (
                Expectation::Statuses(vec![201]),
                "BPLLLLBBLIBA",
                "BPLLLLBBLIBA",
            ),
            (
                Expectation::Statuses(vec![200, 403]),
                "PPWPWWBWWICA",
                "NNNNNNBNNINA",
            ),
        ]
    }

    fn letter(ruling: Ruling) -> char {
        match ruling {
            Ruling::Pass => 'P',
            Ruling::Fail(Code::Leak) => 'K',
            Ruling::Fail(Code::EffectDespiteRefusal) => 'E',
            Ruling::Fail(Code::CrashedNotRefused) => 'C',
            Ruling::Fail(Code::Lockout) => 'L',
            Ruling::Fail(Code::Broken) => 'B',
            Ruling::Fail(Code::NoEffect) => 'O',
            Ruling::Fail(Code::WrongRefusal) => 'W',
            Ruling::Fail(Code::Flips) => 'F',
            Ruling::Unproven(Code::NoControl) => 'N',
            Ruling::Unproven(Code::EffectUnread) => 'R',
            Ruling::Unproven(Code::Intercepted) => 'I',
            Ruling::Unproven(Code::NoAnswer) => 'A',
            Ruling::Fail(_) | Ruling::Unproven(_) | Ruling::Gap(_) => '!',
        }
    }

    fn case(
        demand: &Expectation,
        outcome: Outcome,
        effect: Effect,
        control: bool,
        shape: RefusalShape,
    ) -> Case<'_> {
        Case {
            demand,
            outcome,
            status: usual_status(outcome),
            effect,
            control,
            shape,
        }
    }

    fn line(demand: &Expectation, effect: Effect, control: bool, shape: RefusalShape) -> String {
        Outcome::ALL
            .into_iter()
            .map(|outcome| letter(rule(case(demand, outcome, effect, control, shape))))
            .collect()
    }

    #[test]
    fn every_demand_meets_every_outcome_with_and_without_control() {
        for (demand, with, without) in demands() {
            for effect in [
                Effect::Unchecked,
                Effect::Unread,
                Effect::Unchanged,
                Effect::Changed,
            ] {
                let expected = |line: &str| match effect {
                    Effect::Unchecked => line.to_owned(),
                    Effect::Unread if demand.allows() && line.starts_with('P') => {
                        line.replacen('P', "R", 1)
                    }
                    Effect::Unread if must_be_stopped(&demand) => line.replace('P', "R"),
                    Effect::Unchanged if demand.allows() && line.starts_with('P') => {
                        line.replacen('P', "O", 1)
                    }
                    Effect::Changed if must_be_stopped(&demand) => {
                        let disguise = line.chars().nth(1) != Some('K');
                        let stays =
                            |place: usize| matches!(place, 0 | 6) || place == 1 && !disguise;
                        (0..line.len())
                            .map(|place| if stays(place) { 'K' } else { 'E' })
                            .collect()
                    }
                    Effect::Unread | Effect::Unchanged | Effect::Changed => line.to_owned(),
                };
                let http = RefusalShape::Http;
                assert_eq!(
                    line(&demand, effect, true, http),
                    expected(with),
                    "{demand} {effect:?} with control"
                );
                assert_eq!(
                    line(&demand, effect, false, http),
                    expected(without),
                    "{demand} {effect:?} without control"
                );
            }
        }
    }

    #[test]
    fn a_declared_shape_of_refusal_passes_besides_401_and_403() {
        for (shape, forbidden, hidden) in [
            (RefusalShape::Http, "KKWPWWKWWICA", "KKWWWPKWWICA"),
            (RefusalShape::InBand, "KKWPPWKWWICA", "KKWWWPKWWICA"),
            (RefusalShape::Hidden, "KKWPWPKWWICA", "KKWWWPKWWICA"),
            (RefusalShape::Any, "KKWPPPKWWICA", "KKWWWPKWWICA"),
        ] {
            assert_eq!(
                line(&Expectation::Forbidden, Effect::Unchecked, true, shape),
                forbidden,
                "{shape:?}"
            );
            assert_eq!(
                line(&Expectation::Hidden, Effect::Unchecked, true, shape),
                hidden,
                "{shape:?}"
            );
            assert_eq!(
                line(
                    &Expectation::Unauthenticated,
                    Effect::Unchecked,
                    true,
                    shape
                ),
                "KKPWWWKWWICA",
                "a missing token is 401 whatever {shape:?} says of roles"
            );
            assert_eq!(
                line(&Expectation::Forbidden, Effect::Unchecked, false, shape),
                UNPROVEN,
                "{shape:?}"
            );
        }
    }

    #[test]
    fn a_leak_stands_whatever_comes_after_it() {
        for (demand, _, _) in demands()
            .into_iter()
            .filter(|(demand, _, _)| must_be_stopped(demand))
        {
            for first in Outcome::ALL {
                for second in Outcome::ALL {
                    for control in [true, false] {
                        let case = case(
                            &demand,
                            first,
                            Effect::Unchecked,
                            control,
                            RefusalShape::Http,
                        );
                        let ruling = rule_pair(case, second);
                        if first == Outcome::Granted || reached(second) {
                            assert_eq!(letter(ruling), 'K', "{demand} {first:?} {second:?}");
                        }
                        if second.is_silent() {
                            assert_eq!(ruling, rule(case), "{demand} {first:?} {second:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn two_answers_of_authorization_flip() {
        for (demand, first, second, expected) in [
            (
                Expectation::Allow,
                Outcome::Unauthenticated,
                Outcome::Granted,
                'F',
            ),
            (
                Expectation::Allow,
                Outcome::Granted,
                Outcome::Forbidden,
                'F',
            ),
            (
                Expectation::Allow,
                Outcome::Forbidden,
                Outcome::Forbidden,
                'L',
            ),
            (Expectation::Allow, Outcome::NoAnswer, Outcome::Granted, 'A'),
            (
                Expectation::Allow,
                Outcome::Forbidden,
                Outcome::NoAnswer,
                'L',
            ),
            (
                Expectation::Forbidden,
                Outcome::Unauthenticated,
                Outcome::Forbidden,
                'F',
            ),
            (
                Expectation::Forbidden,
                Outcome::Crashed,
                Outcome::Forbidden,
                'F',
            ),
            (
                Expectation::Forbidden,
                Outcome::Intercepted,
                Outcome::Forbidden,
                'I',
            ),
            (
                Expectation::Forbidden,
                Outcome::Forbidden,
                Outcome::Granted,
                'K',
            ),
        ] {
            let case = case(&demand, first, Effect::Unchecked, true, RefusalShape::Http);
            assert_eq!(
                letter(rule_pair(case, second)),
                expected,
                "{demand} {first:?} {second:?}"
            );
        }
        let changed = case(
            &Expectation::Forbidden,
            Outcome::Forbidden,
            Effect::Changed,
            true,
            RefusalShape::Http,
        );
        assert_eq!(letter(rule_pair(changed, Outcome::Unauthenticated)), 'E');
    }
}
