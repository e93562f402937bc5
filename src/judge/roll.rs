//! Everything seen in a run in, verdicts and findings out: controls, parity, one finding a defect.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::control::Controls;
use super::finding::Finding;
use super::law::{self, Case, Ruling};
use super::outcome::Reading;
use super::repeats::Repeats;
use super::sightings::Sights;
use super::verdict::{Verdict, VerdictKind};
use super::waived::Waivers;
use super::{docket, intermittent, parity, reason};
use crate::cell::Door;
use crate::code::Code;
use crate::layer::Layer;
use crate::plan::{Check, Matrix};
use crate::requirement::Requirement;
use crate::scenario::{Expectation, RefusalShape};

/// Everything that was seen, one sight an index of the matrix.
#[derive(Debug)]
pub struct Roll<'r> {
    /// The shape of the run.
    pub matrix: &'r Matrix,
    /// What was seen of each cell, by matrix index.
    pub sights: Sights<'r>,
    /// How the MCP doors are declared to refuse.
    pub mcp_refuses: RefusalShape,
    /// Findings that were made before any call: token preflight, sign-in, fixtures.
    pub earlier: &'r [Finding],
    /// Which operations are shown to exist, see [`shown`](super::shown); empty where none needs it.
    pub shown: &'r [bool],
}

/// What was seen of one cell; a few bytes each.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Sight {
    /// What its answer means; `None` when there was none.
    pub reading: Option<Reading>,
    /// HTTP status, 0 when there was none.
    pub status: u16,
    /// What the same call on a fresh connection gave, where it was asked again and differed in outcome.
    pub second: Option<Reading>,
    /// What reading back showed after a write.
    pub effect: Effect,
    /// Why there is no answer to judge.
    pub gap: Option<Gap>,
    /// Whose the answer is, where it is not what was demanded and its marks tell.
    pub by: Option<Layer>,
    /// How its answers compare, where the call was made in several rounds.
    pub repeats: Repeats,
}

/// What reading back showed after a write.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Not looked at.
    #[default]
    Unchecked,
    /// Looked at, and nobody can tell.
    Unread,
    /// The object is as it was.
    Unchanged,
    /// The object was made, changed or removed.
    Changed,
}

impl Effect {
    /// The word in records and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Unread => "unread",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
        }
    }

    /// Whether it may be what a cell fails by.
    pub fn is_doubtful(self, demand: &Expectation) -> bool {
        match self {
            Self::Unchecked => false,
            Self::Unread => true,
            Self::Unchanged => demand.allows(),
            Self::Changed => !demand.allows(),
        }
    }
}

/// Why a cell has no answer to judge.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// The persona's token differs from its declaration, so its calls were not made.
    PersonaStopped,
    /// The persona could not sign in.
    SignInFailed,
    /// The persona's token ran out, and no other took its place.
    TokenRanOut,
    /// The object that the call needs could not be made.
    FixtureFailed,
    /// What the call makes could not be removed again, or an object before it cannot be accounted for.
    CreationWithheld,
    /// The decoy that the call would be made with names an object that is there, or may.
    DecoyDoubtful,
    /// A door that the scenario names does not answer.
    DoorClosed,
    /// The run ended before its turn.
    NotReached,
    /// A mutating call that this run may not make: verdict `skipped`.
    NotPermitted,
}

/// Verdicts by matrix index (`None` where there is no check) and findings, the gravest first.
#[derive(Debug, Default)]
pub struct Conclusion {
    /// One entry an index of the matrix.
    pub verdicts: Vec<Option<Arc<Verdict>>>,
    /// Each with its cells in matrix order; sorted by severity, then code, then first cell.
    pub findings: Vec<Finding>,
}

impl Conclusion {
    /// Whether a cell of a persona that does not sign in, or that no operation allows, fails at a door: then what the
    /// door does to a caller without a valid token is told already.
    pub fn tells_of_strangers<'c>(
        &'c self,
        matrix: &'c Matrix,
    ) -> impl Fn(Requirement, Door) -> bool + use<'c> {
        let rights = matrix.rights();
        move |requirement, door| {
            let is_stranger = |persona: usize| {
                let signs_in = matrix.personas[persona].signs_in;
                requirement == Requirement::TokenDemanded && !signs_in
                    || requirement == Requirement::AudienceChecked
                        && signs_in
                        && rights[persona] == [0; 3]
            };
            let fails = |index: usize| {
                let verdict = self.verdicts.get(index).and_then(Option::as_ref);
                verdict.is_some_and(|verdict| verdict.kind == VerdictKind::Fail)
            };
            matrix
                .checks()
                .any(|check| check.door == door && is_stranger(check.persona) && fails(check.index))
        }
    }

    /// The same with findings that no cell's answer can show.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self.findings
            .sort_by(|left, right| left.order().cmp(&right.order()));
        self
    }
}

impl Roll<'_> {
    /// Judges everything at once. A sight that is missing counts as a cell that the run did not reach.
    pub fn conclude(&self) -> Conclusion {
        self.conclude_under(Waivers::default())
    }

    /// The same, with what these waivers accept as waived. Nothing else changes by them: no control, no other cell.
    pub fn conclude_under(&self, waivers: Waivers<'_>) -> Conclusion {
        let controls = Controls::of(self);
        let mut rulings = self.rulings(&controls);
        intermittent::fold(self, &controls, &mut rulings);
        let covered = waivers.cover(self, &rulings);
        let mut findings = docket::findings(self, &controls, &rulings, &covered);
        let disputes = parity::disagreements(self, &controls, &rulings, &covered, &findings);
        findings.extend(disputes);
        findings.extend_from_slice(self.earlier);
        findings.sort_by(|left, right| left.order().cmp(&right.order()));
        Conclusion {
            verdicts: reason::verdicts(self, &controls, &rulings, &covered),
            findings,
        }
    }

    /// What was seen of a cell.
    pub(super) fn sight(&self, index: usize) -> Sight {
        self.sights.get(index).unwrap_or_default()
    }

    fn rulings(&self, controls: &Controls) -> Vec<Option<Ruling>> {
        let mut rulings = vec![None; self.matrix.len()];
        for check in self.matrix.checks() {
            rulings[check.index] = Some(self.ruling(&check, controls));
        }
        rulings
    }

    fn ruling(&self, check: &Check<'_>, controls: &Controls) -> Ruling {
        let sight = self.sight(check.index);
        let (Some(reading), None) = (sight.reading, sight.gap) else {
            return unanswered(check, sight);
        };
        let shape = if check.door.speaks_mcp() {
            self.mcp_refuses
        } else {
            RefusalShape::Http
        };
        let case = Case {
            demand: check.demand.expectation,
            outcome: controls.settle(check.index, reading.outcome),
            status: sight.status,
            effect: sight.effect,
            control: controls.stand(check.index),
            shape,
        };
        let ruling = match sight.second {
            Some(second) => law::rule_pair(case, controls.settle(check.index, second.outcome)),
            None => law::rule(case),
        };
        if ruling == Ruling::Unproven(Code::NoControl) {
            controls.without_control(check.index, case)
        } else {
            ruling
        }
    }
}

/// A cell without an answer to judge: a leak that was seen all the same stands.
fn unanswered(check: &Check<'_>, sight: Sight) -> Ruling {
    let mut readings = [sight.reading, sight.second].into_iter().flatten();
    let leaked = law::must_be_stopped(check.demand.expectation)
        && readings.any(|reading| law::reached(reading.outcome));
    if leaked {
        Ruling::Fail(Code::Leak)
    } else {
        Ruling::Gap(sight.gap.unwrap_or(Gap::NotReached))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::{self, answered};
    use crate::judge::{Class, Hint, Outcome, Signature, Uniform, VerdictKind};
    use crate::plan::{Column, Row};
    use crate::scenario::Demand;
    use crate::waiver::{Area, Dated, Subject};

    const PERSONAS: [&str; 4] = ["reader", "writer", "admin", "anonymous"];
    const OPERATIONS: [&str; 6] = [
        "listProducts",
        "getProduct",
        "searchProducts",
        "createProduct",
        "updateProduct",
        "deleteProduct",
    ];

    fn demanded(persona: usize, operation: usize) -> Expectation {
        let needed = [0, 0, 0, 1, 1, 2][operation];
        match persona {
            3 => Expectation::Unauthenticated,
            _ if persona >= needed => Expectation::Allow,
            _ => Expectation::Forbidden,
        }
    }

    fn article() -> Matrix {
        let row = |name: &&str| Row {
            name: PersonaName::new(*name),
            roles: None,
            signs_in: *name != "anonymous",
        };
        let demands = |operation| {
            let demand = |persona| {
                Some(Demand {
                    expectation: demanded(persona, operation),
                    line: 1,
                })
            };
            (0..4)
                .map(|persona| [demand(persona), demand(persona), demand(persona)])
                .collect()
        };
        let column = |(operation, name): (usize, &&str)| Column {
            name: OperationName::new(*name),
            mutates: operation > 2,
            demands: demands(operation),
        };
        Matrix {
            personas: PERSONAS.iter().map(row).collect(),
            operations: OPERATIONS.iter().enumerate().map(column).collect(),
            doors: Door::ALL.to_vec(),
            ..Matrix::default()
        }
    }

    /// A cell of the article with what a sound deployment would do.
    #[derive(Clone, Copy)]
    struct Square {
        persona: &'static str,
        operation: &'static str,
        door: Door,
        allowed: bool,
    }

    impl Square {
        fn mcp(&self) -> bool {
            self.door.speaks_mcp()
        }

        fn anonymous(&self) -> bool {
            self.persona == "anonymous"
        }

        fn denied_by_role(&self) -> bool {
            !self.allowed && !self.anonymous()
        }

        fn writes(&self) -> bool {
            OPERATIONS[3..].contains(&self.operation)
        }

        fn is(&self, persona: &str, operation: &str) -> bool {
            self.persona == persona && self.operation == operation
        }

        fn sound(&self) -> Sight {
            if self.allowed {
                answered(Outcome::Granted, 200)
            } else if self.anonymous() {
                answered(Outcome::Unauthenticated, 401)
            } else {
                answered(Outcome::Forbidden, 403)
            }
        }
    }

    fn signed(outcome: Outcome, status: u16, signature: Signature) -> Sight {
        Sight {
            reading: Some(Reading {
                signature: Some(signature),
                ..Reading::plain(outcome)
            }),
            status,
            ..Sight::default()
        }
    }

    fn gap(gap: Gap) -> Sight {
        Sight {
            gap: Some(gap),
            ..Sight::default()
        }
    }

    fn squares(matrix: &Matrix) -> Vec<Square> {
        let square = |check: Check<'_>| Square {
            persona: PERSONAS[check.persona],
            operation: OPERATIONS[check.operation],
            door: check.door,
            allowed: check.demand.expectation.allows(),
        };
        matrix.checks().map(square).collect()
    }

    fn conclude(fault: impl Fn(&Square) -> Option<Sight>, earlier: &[Finding]) -> Conclusion {
        let matrix = article();
        let sights: Vec<Sight> = squares(&matrix)
            .iter()
            .map(|square| fault(square).unwrap_or_else(|| square.sound()))
            .collect();
        Roll {
            matrix: &matrix,
            sights: Sights::of(&sights),
            mcp_refuses: RefusalShape::Http,
            earlier,
            shown: &[],
        }
        .conclude()
    }

    fn cells(of: impl Fn(&Square) -> bool) -> Vec<usize> {
        let squares = squares(&article());
        (0..squares.len())
            .filter(|index| of(&squares[*index]))
            .collect()
    }

    /// Asserts that the findings are exactly these, each with exactly its cells, and that no other cell fails.
    fn expect(name: &str, conclusion: &Conclusion, expected: &[(Code, Vec<usize>)]) {
        let found: Vec<(Code, Vec<usize>)> = conclusion
            .findings
            .iter()
            .map(|finding| (finding.code, finding.cells.clone()))
            .collect();
        assert_eq!(found, expected, "{name}: {:#?}", conclusion.findings);
        for (index, verdict) in conclusion.verdicts.iter().enumerate() {
            let verdict = verdict.as_ref().expect("every square is a check");
            let listed = expected
                .iter()
                .any(|(code, cells)| code.class() == Class::Fail && cells.contains(&index));
            let stopped = verdict
                .code
                .is_some_and(|code| code.name().starts_with("token-"));
            assert_eq!(
                verdict.kind == VerdictKind::Fail,
                listed && !stopped,
                "{name}: {index} {verdict:?}"
            );
            assert_eq!(
                verdict.reason.is_empty(),
                verdict.kind == VerdictKind::Pass,
                "{name}: {verdict:?}"
            );
        }
    }

    type Fault = Box<dyn Fn(&Square) -> Option<Sight>>;
    type Pick = Box<dyn Fn(&Square) -> bool>;
    /// What is wrong, how it shows, and the findings with their cells.
    type Wrong = (&'static str, Fault, Vec<(Code, Pick)>);

    fn fault(affects: impl Fn(&Square) -> bool + 'static, sight: Sight) -> Fault {
        Box::new(move |square| affects(square).then_some(sight))
    }

    fn pick(affects: impl Fn(&Square) -> bool + 'static) -> Pick {
        Box::new(affects)
    }

    #[test]
    fn a_sound_deployment_passes_every_check() {
        let conclusion = conclude(|_| None, &[]);
        expect("sound", &conclusion, &[]);
        assert!(
            conclusion
                .verdicts
                .iter()
                .all(|verdict| verdict.as_ref().unwrap().kind == VerdictKind::Pass)
        );
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of faults")]
    fn each_fault_gives_exactly_its_findings_with_exactly_its_cells() {
        use Code as C;
        let got_in = answered(Outcome::Granted, 200);
        let rows: Vec<Wrong> = vec![
            (
                "mcp without any policy",
                fault(Square::mcp, got_in),
                vec![
                    (C::Leak, pick(|s| s.mcp() && !s.allowed)),
                    (C::DoorsDisagree, pick(|s| s.mcp() && !s.allowed)),
                ],
            ),
            (
                "mcp that does not look at the tool",
                fault(|s| s.mcp() && !s.anonymous(), got_in),
                vec![
                    (C::Leak, pick(|s| s.mcp() && s.denied_by_role())),
                    (C::DoorsDisagree, pick(|s| s.mcp() && s.denied_by_role())),
                ],
            ),
            (
                "rest without any policy",
                fault(|s| !s.mcp(), got_in),
                vec![
                    (C::Leak, pick(|s| !s.mcp() && !s.allowed)),
                    (C::DoorsDisagree, pick(|s| !s.mcp() && !s.allowed)),
                ],
            ),
            (
                "writer may delete",
                fault(|s| s.is("writer", "deleteProduct"), got_in),
                vec![(C::Leak, pick(|s| s.is("writer", "deleteProduct")))],
            ),
            (
                "reader locked out",
                fault(|s| s.persona == "reader", answered(Outcome::Forbidden, 403)),
                vec![(C::Lockout, pick(|s| s.persona == "reader" && s.allowed))],
            ),
            (
                "reader locked out at one door",
                fault(
                    |s| !s.mcp() && s.is("reader", "listProducts"),
                    answered(Outcome::Forbidden, 403),
                ),
                vec![
                    (
                        C::Lockout,
                        pick(|s| !s.mcp() && s.is("reader", "listProducts")),
                    ),
                    (
                        C::DoorsDisagree,
                        pick(|s| !s.mcp() && s.is("reader", "listProducts")),
                    ),
                ],
            ),
            (
                "body swallowed",
                fault(|s| s.mcp() && s.allowed, answered(Outcome::Rejected, 400)),
                vec![(C::Broken, pick(|s| s.mcp() && s.allowed))],
            ),
            (
                "one issuer",
                fault(|_| true, answered(Outcome::Unauthenticated, 401)),
                vec![(C::Lockout, pick(|s| s.allowed))],
            ),
            (
                "statuses swapped",
                Box::new(|s| {
                    let swapped = if s.anonymous() {
                        answered(Outcome::Forbidden, 403)
                    } else {
                        answered(Outcome::Unauthenticated, 401)
                    };
                    (!s.allowed).then_some(swapped)
                }),
                vec![(C::WrongRefusal, pick(|s| !s.allowed))],
            ),
            (
                "executed despite 403",
                fault(
                    Square::denied_by_role,
                    Sight {
                        effect: Effect::Changed,
                        ..answered(Outcome::Forbidden, 403)
                    },
                ),
                vec![(C::EffectDespiteRefusal, pick(Square::denied_by_role))],
            ),
            (
                "refusal in band",
                fault(
                    |s| s.mcp() && s.denied_by_role(),
                    answered(Outcome::RefusedInBand, 200),
                ),
                vec![(C::WrongRefusal, pick(|s| s.mcp() && s.denied_by_role()))],
            ),
            (
                "refusal hidden",
                fault(
                    |s| s.mcp() && s.denied_by_role(),
                    answered(Outcome::Hidden, 200),
                ),
                vec![(C::WrongRefusal, pick(|s| s.mcp() && s.denied_by_role()))],
            ),
            (
                "crash on denial",
                fault(
                    Square::denied_by_role,
                    signed(Outcome::Crashed, 500, Signature::PolicyCrash),
                ),
                vec![(C::CrashedNotRefused, pick(Square::denied_by_role))],
            ),
            (
                "delete route missing",
                fault(
                    |s| !s.mcp() && s.operation == "deleteProduct",
                    signed(Outcome::Hidden, 404, Signature::RouteMissing),
                ),
                vec![(
                    C::Broken,
                    pick(|s| s.is("admin", "deleteProduct") && !s.mcp()),
                )],
            ),
            (
                "wrong base address, decoys asked",
                Box::new(|s| {
                    let outcome = if s.operation == "getProduct" || s.operation == "deleteProduct" {
                        Outcome::PastTheGuard
                    } else {
                        Outcome::Hidden
                    };
                    (!s.mcp()).then_some(answered(outcome, 404))
                }),
                vec![(C::Broken, pick(|s| !s.mcp() && s.allowed))],
            ),
            (
                "subscription key",
                fault(
                    |_| true,
                    signed(Outcome::Intercepted, 401, Signature::SubscriptionKey),
                ),
                vec![(C::Intercepted, pick(|_| true))],
            ),
            (
                "firewall page",
                fault(
                    Square::denied_by_role,
                    signed(Outcome::Intercepted, 403, Signature::EdgePage),
                ),
                vec![(C::Intercepted, pick(Square::denied_by_role))],
            ),
            (
                "login redirect",
                fault(
                    Square::anonymous,
                    signed(Outcome::Redirected, 302, Signature::LoginRedirect),
                ),
                vec![(C::WrongRefusal, pick(Square::anonymous))],
            ),
            (
                "empty success",
                fault(
                    Square::denied_by_role,
                    signed(Outcome::Intercepted, 200, Signature::EmptyAnswer),
                ),
                vec![(C::Intercepted, pick(Square::denied_by_role))],
            ),
            (
                "quota spent",
                fault(
                    |s| !s.anonymous(),
                    signed(Outcome::Intercepted, 403, Signature::Quota),
                ),
                vec![(C::Intercepted, pick(|s| !s.anonymous()))],
            ),
            (
                "backend down",
                fault(
                    |s| s.allowed,
                    signed(Outcome::NoAnswer, 502, Signature::GatewayError),
                ),
                vec![(C::NoAnswer, pick(|s| s.allowed))],
            ),
            (
                "write lost",
                fault(
                    |s| s.allowed && s.writes(),
                    Sight {
                        effect: Effect::Unchanged,
                        ..answered(Outcome::Granted, 200)
                    },
                ),
                vec![(C::NoEffect, pick(|s| s.allowed && s.writes()))],
            ),
            (
                "flaky 401",
                fault(
                    |s| s.persona == "admin" && s.door == Door::Mcp,
                    Sight {
                        second: Some(Reading::plain(Outcome::Granted)),
                        ..answered(Outcome::Unauthenticated, 401)
                    },
                ),
                vec![(
                    C::Flips,
                    pick(|s| s.persona == "admin" && s.door == Door::Mcp),
                )],
            ),
            (
                "interrupted",
                fault(Square::writes, gap(Gap::NotReached)),
                vec![(C::Incomplete, pick(Square::writes))],
            ),
            (
                "read only",
                fault(Square::writes, gap(Gap::NotPermitted)),
                vec![],
            ),
        ];
        for (name, fault, findings) in rows {
            let expected: Vec<_> = findings
                .into_iter()
                .map(|(code, pick)| (code, cells(pick)))
                .collect();
            expect(name, &conclude(fault, &[]), &expected);
        }
    }

    #[test]
    fn a_note_is_not_what_stopped_a_persona() {
        let of_writer = cells(|square| square.persona == "writer");
        let earlier = [
            Finding::new(Code::TokenStale, "an old token", of_writer.clone()),
            Finding::new(Code::TokenRolesMissing, "a role less", of_writer.clone()),
        ];
        let stop = fault(
            |square| square.persona == "writer",
            gap(Gap::PersonaStopped),
        );
        let conclusion = conclude(stop, &earlier);
        for cell in of_writer {
            let verdict = conclusion.verdicts[cell].as_ref().unwrap();
            assert_eq!(verdict.code, Some(Code::TokenRolesMissing));
        }
    }

    #[test]
    fn a_stopped_persona_is_told_by_the_earlier_finding_alone() {
        let of_writer = cells(|square| square.persona == "writer");
        let earlier = [Finding::new(
            Code::TokenRolesMissing,
            "writer's token lacks Products.Write",
            of_writer.clone(),
        )];
        let stop = fault(
            |square| square.persona == "writer",
            gap(Gap::PersonaStopped),
        );
        let conclusion = conclude(stop, &earlier);
        expect(
            "stale roles",
            &conclusion,
            &[(Code::TokenRolesMissing, of_writer.clone())],
        );
        for cell in of_writer {
            let verdict = conclusion.verdicts[cell].as_ref().unwrap();
            assert_eq!(
                (verdict.kind, verdict.code),
                (VerdictKind::Unproven, Some(Code::TokenRolesMissing))
            );
        }
        let stop = fault(|square| square.persona == "admin", gap(Gap::SignInFailed));
        let of_admin = cells(|square| square.persona == "admin");
        let earlier = [Finding::new(
            Code::SignInFailed,
            "admin could not sign in",
            of_admin.clone(),
        )];
        expect(
            "no admin",
            &conclude(stop, &earlier),
            &[(Code::SignInFailed, of_admin)],
        );
    }

    /// The article with a deletion that nobody is allowed, and what the deletion's cells gave.
    fn closed(deletion: impl Fn(usize) -> Sight, shown: &[bool]) -> Conclusion {
        let mut matrix = article();
        let demand = Some(Demand {
            expectation: Expectation::Deny,
            line: 1,
        });
        matrix.operations[5].demands = [[(); 3]; 4].map(|row| row.map(|()| demand.clone())).into();
        let sound = squares(&matrix).into_iter().enumerate();
        let sights: Vec<Sight> = sound
            .map(|(index, square)| match index / 12 {
                5 => deletion(index % 4),
                _ => square.sound(),
            })
            .collect();
        let roll = Roll {
            matrix: &matrix,
            sights: Sights::of(&sights),
            mcp_refuses: RefusalShape::Any,
            earlier: &[],
            shown,
        };
        roll.conclude()
    }

    /// Shown to exist: the deletion, and others, by operation and door.
    fn shown(places: &[(usize, usize)]) -> Vec<bool> {
        let all = (0..6).flat_map(|operation| (0..3).map(move |door| (operation, door)));
        all.map(|place| places.contains(&place)).collect()
    }

    /// Operations and doors.
    type Places = &'static [(usize, usize)];

    #[test]
    fn what_nobody_is_allowed_proves_nothing_unless_it_is_shown_to_exist() {
        let refused = |_| answered(Outcome::Forbidden, 403);
        let conclusion = closed(refused, &[]);
        expect(
            "nobody",
            &conclusion,
            &[(Code::NotShown, (60..72).collect())],
        );
        let reason = &conclusion.verdicts[60].as_ref().unwrap().reason;
        assert_eq!(
            reason,
            "expected deny, got 403, but nobody is allowed deleteProduct at rest, and no OpenAPI document names it beside a route that somebody gets through to (deployment.rest.openapi): it may not exist"
        );
        let reason = &conclusion.verdicts[64].as_ref().unwrap().reason;
        assert!(
            reason.contains("at mcp, and nobody's tools/list"),
            "{reason}"
        );
        // By itself a document shows no more than a hope; beside a route that works it shows a route.
        let cases: [(Places, Vec<usize>); 5] = [
            (&[(5, 0)], (60..72).collect()),
            (&[(5, 0), (0, 0)], (64..72).collect()),
            (&[(5, 0), (0, 1)], (60..72).collect()),
            (&[(5, 1), (1, 1), (5, 2), (1, 2)], (60..64).collect()),
            (&[(0, 0), (0, 1), (0, 2)], (60..72).collect()),
        ];
        for (places, cells) in cases {
            let conclusion = closed(refused, &shown(places));
            expect(
                &format!("{places:?}"),
                &conclusion,
                &[(Code::NotShown, cells)],
            );
        }
        let all = [(5, 0), (0, 0), (5, 1), (0, 1), (5, 2), (0, 2)];
        expect("all", &closed(refused, &shown(&all)), &[]);
    }

    #[test]
    fn what_is_shown_to_exist_is_judged_by_the_demanded_refusal_alone() {
        let all = shown(&[(5, 0), (0, 0), (5, 1), (0, 1), (5, 2), (0, 2)]);
        let cells = || (60..72).collect();
        let hidden = closed(|_| answered(Outcome::Hidden, 404), &all);
        assert_eq!(
            hidden.findings[0].code,
            Code::NoControl,
            "404 may mean that it is elsewhere"
        );
        let crashed = closed(|_| answered(Outcome::Crashed, 500), &all);
        expect("crashed", &crashed, &[(Code::NoControl, cells())]);
        let open = closed(|_| answered(Outcome::Granted, 200), &all);
        expect("open", &open, &[(Code::Leak, cells())]);
        let unread = Sight {
            effect: Effect::Unread,
            ..answered(Outcome::Forbidden, 403)
        };
        expect(
            "unread",
            &closed(|_| unread, &all),
            &[(Code::EffectUnread, cells())],
        );
    }

    #[test]
    fn a_refusal_without_control_says_which_finding_explains_it() {
        let down = fault(
            |square| square.allowed,
            signed(Outcome::NoAnswer, 502, Signature::GatewayError),
        );
        let conclusion = conclude(down, &[]);
        let verdict = conclusion.verdicts[3].as_ref().unwrap();
        assert_eq!(
            (verdict.kind, verdict.code),
            (VerdictKind::Unproven, Some(Code::NoControl))
        );
        assert!(
            verdict
                .reason
                .ends_with("so the door may be shut to everyone (see no-answer)"),
            "{}",
            verdict.reason
        );
        let locked = conclude(
            fault(
                |square| square.persona == "reader",
                answered(Outcome::Forbidden, 403),
            ),
            &[],
        );
        let verdict = locked.verdicts[36].as_ref().unwrap();
        assert_eq!(
            verdict.reason,
            "expected 403, got 403, but reader got through nowhere at rest: its token may be the reason (see lockout)"
        );
    }

    #[test]
    fn findings_say_who_what_and_where() {
        let open = conclude(
            |square| square.mcp().then(|| answered(Outcome::Granted, 200)),
            &[],
        );
        let leak = &open.findings[0];
        assert_eq!(
            leak.detail,
            "reader got through createProduct, updateProduct and deleteProduct at mcp and mcp-legacy; \
             writer got through deleteProduct at mcp and mcp-legacy; \
             anonymous got through listProducts, getProduct, searchProducts, createProduct, updateProduct and \
             deleteProduct at mcp and mcp-legacy"
        );
        assert_eq!(
            open.findings[1].detail,
            "mcp and mcp-legacy let through what rest refused: the cells of leak"
        );
        let verdict = open.verdicts[leak.cells[0]].as_ref().unwrap();
        assert_eq!(
            verdict.reason,
            "expected 401, got 200: the call got through"
        );
    }

    #[test]
    fn a_pattern_of_cells_points_at_its_cause() {
        let hint = |fault: Fault| conclude(fault, &[]).findings[0].hint;
        let got_in = answered(Outcome::Granted, 200);
        assert_eq!(
            hint(fault(Square::mcp, got_in)),
            Some(Hint::McpNotInherited)
        );
        assert_eq!(
            hint(fault(|square| square.mcp() && !square.anonymous(), got_in)),
            Some(Hint::ToolNameUnread)
        );
        assert_eq!(
            hint(fault(|_| true, answered(Outcome::Unauthenticated, 401))),
            Some(Hint::IssuerOrAudience)
        );
        let swallowed = fault(
            |square| square.mcp() && square.allowed,
            answered(Outcome::Rejected, 400),
        );
        assert_eq!(hint(swallowed), Some(Hint::BodyConsumed));
        assert_eq!(
            hint(fault(|square| square.is("writer", "deleteProduct"), got_in)),
            Some(Hint::DoorsAgree)
        );
        let at_mcp_alone = |square: &Square| square.is("writer", "deleteProduct") && square.mcp();
        assert_eq!(hint(fault(at_mcp_alone, got_in)), None);
        let forgotten = |square: &Square| {
            square.mcp() && square.operation == "deleteProduct" && !square.anonymous()
        };
        assert_eq!(hint(fault(forgotten, got_in)), Some(Hint::ToolForgotten));
        let at_rest = |square: &Square| square.door == Door::Rest;
        assert_eq!(hint(fault(at_rest, got_in)), Some(Hint::RestUnguarded));
        assert_eq!(
            hint(fault(
                move |square| at_rest(square) && !square.anonymous(),
                got_in
            )),
            Some(Hint::RestRolesUnchecked)
        );
        assert_eq!(
            hint(fault(
                |square| square.anonymous() && square.mcp() && square.operation == "listProducts",
                got_in
            )),
            Some(Hint::ListsUnguarded)
        );
        assert_eq!(
            hint(fault(at_rest, answered(Outcome::Forbidden, 403))),
            Some(Hint::RefusedBeforeToken)
        );
        assert_eq!(
            hint(fault(
                move |square| at_rest(square) && !square.anonymous(),
                answered(Outcome::Forbidden, 403)
            )),
            None
        );
        assert_eq!(
            hint(fault(
                |square| square.mcp() && square.allowed,
                answered(Outcome::RefusedInBand, 200)
            )),
            Some(Hint::AuthorizationNotForwarded)
        );
        assert_eq!(
            hint(fault(
                |square| square.mcp() && square.allowed && square.persona == "reader",
                answered(Outcome::RefusedInBand, 200)
            )),
            None
        );
        assert_eq!(
            hint(fault(
                |square| square.allowed,
                signed(Outcome::Crashed, 500, Signature::PolicyCrash)
            )),
            Some(Hint::ExpressionAlwaysFails)
        );
        assert_eq!(
            hint(fault(
                |square| square.persona == "reader",
                answered(Outcome::Unauthenticated, 401)
            )),
            None
        );
    }

    #[test]
    fn hint_then_signature_then_code_word_the_cause() {
        let mut finding = Finding::new(Code::Broken, "x", vec![]);
        assert_eq!(finding.cause(), Code::Broken.cause());
        finding.signature = Some(Signature::RouteMissing);
        assert_eq!(finding.remedy(), Signature::RouteMissing.remedy());
        finding.hint = Some(Hint::BodyConsumed);
        assert_eq!(finding.cause(), Hint::BodyConsumed.cause());
        assert!(
            Hint::ALL
                .iter()
                .all(|hint| hint.cause().ends_with('.') && hint.remedy().ends_with('.'))
        );
    }

    #[test]
    fn a_demanded_difference_between_doors_is_no_disagreement() {
        let mut matrix = article();
        let demand = Demand {
            expectation: Expectation::Allow,
            line: 1,
        };
        let column = &mut matrix.operations[5];
        column.demands.set(1, Door::ALL[1], Some(demand));
        let index = |door: Door| matrix.index(5, door.index(), 1);
        let mut sights: Vec<Sight> = squares(&matrix).iter().map(Square::sound).collect();
        sights[index(Door::Mcp)] = answered(Outcome::Granted, 200);
        sights[index(Door::Rest)] = answered(Outcome::Unauthenticated, 401);
        let roll = exhibit::roll(&matrix, &sights);
        expect(
            "demanded",
            &roll.conclude(),
            &[(Code::WrongRefusal, vec![index(Door::Rest)])],
        );
    }

    #[test]
    fn a_short_roll_is_incomplete_and_an_empty_matrix_has_no_verdict() {
        let matrix = article();
        let roll = Roll {
            matrix: &matrix,
            sights: Sights::of(&[]),
            mcp_refuses: RefusalShape::Http,
            earlier: &[],
            shown: &[],
        };
        expect(
            "nothing seen",
            &roll.conclude(),
            &[(Code::Incomplete, (0..72).collect())],
        );
        let matrix = Matrix::default();
        let roll = Roll {
            matrix: &matrix,
            sights: Sights::of(&[]),
            mcp_refuses: RefusalShape::Http,
            earlier: &[],
            shown: &[],
        };
        assert!(roll.conclude().verdicts.is_empty());
    }

    fn any_reading() -> impl Strategy<Value = Reading> {
        let outcome = prop::sample::select(&Outcome::ALL[..]);
        let signature = prop::option::of(prop::sample::select(&Signature::ALL[..]));
        (outcome, signature).prop_map(|(outcome, signature)| Reading {
            signature,
            ..Reading::plain(outcome)
        })
    }

    fn any_sight() -> impl Strategy<Value = Sight> {
        let status = prop::sample::select(vec![0_u16, 200, 204, 302, 400, 401, 403, 404, 500, 502]);
        let effect =
            prop::sample::select(vec![Effect::Unchecked, Effect::Unchanged, Effect::Changed]);
        let gaps = [
            Gap::PersonaStopped,
            Gap::SignInFailed,
            Gap::TokenRanOut,
            Gap::FixtureFailed,
            Gap::CreationWithheld,
            Gap::DecoyDoubtful,
            Gap::DoorClosed,
            Gap::NotReached,
            Gap::NotPermitted,
        ];
        let gap = prop::option::weighted(0.1, prop::sample::select(gaps.to_vec()));
        let second = prop::option::weighted(0.1, any_reading());
        (
            prop::option::weighted(0.95, any_reading()),
            status,
            second,
            effect,
            gap,
        )
            .prop_map(|(reading, status, second, effect, gap)| Sight {
                reading,
                status,
                second,
                effect,
                gap,
                repeats: Repeats::default(),
                by: None,
            })
    }

    fn any_demand() -> impl Strategy<Value = Option<Demand>> {
        let expectation = prop_oneof![
            4 => Just(Expectation::Allow),
            1 => Just(Expectation::Unauthenticated),
            2 => Just(Expectation::Forbidden),
            1 => Just(Expectation::Deny),
            1 => Just(Expectation::Hidden),
            1 => prop::collection::vec(prop::sample::select(vec![200_u16, 204, 302, 403, 404]), 1..3)
                .prop_map(Expectation::Statuses),
        ];
        prop::option::weighted(
            0.9,
            expectation.prop_map(|expectation| Demand {
                expectation,
                line: 1,
            }),
        )
    }

    fn any_shown() -> impl Strategy<Value = Vec<bool>> {
        prop::collection::vec(any::<bool>(), 0..=18)
    }

    fn any_roll() -> impl Strategy<Value = (Matrix, Vec<Sight>, RefusalShape)> {
        let demands = prop::collection::vec(any_demand(), 72);
        let sights = prop::collection::vec(any_sight(), 0..=72);
        let shapes = vec![
            RefusalShape::Http,
            RefusalShape::InBand,
            RefusalShape::Hidden,
            RefusalShape::Any,
        ];
        (demands, sights, prop::sample::select(shapes)).prop_map(|(demands, sights, shape)| {
            let mut matrix = article();
            for (index, demand) in demands.into_iter().enumerate() {
                let column = &mut matrix.operations[index / 12];
                column
                    .demands
                    .set(index % 4, Door::ALL[index / 4 % 3], demand);
            }
            (matrix, sights, shape)
        })
    }

    fn any_waivers() -> impl Strategy<Value = Vec<Dated>> {
        let codes = [
            "leak",
            "lockout",
            "wrong-refusal",
            "crashed-not-refused",
            "broken",
            "flips",
        ];
        let part = |names: Vec<&'static str>| prop_oneof![1 => Just("*"), 3 => prop::sample::select(names)];
        let area = (
            prop::sample::select(PERSONAS.to_vec()),
            part(OPERATIONS.to_vec()),
            part(Door::ALL.map(Door::name).to_vec()),
        )
            .prop_map(|(persona, operation, door)| format!("{persona}/{operation}/{door}"));
        let waiver = (
            prop::sample::select(codes.to_vec()),
            prop::collection::vec(area, 1..4),
            -2_i64..9,
        )
            .prop_map(|(finding, cells, days_left)| {
                serde_json::from_value(serde_json::json!({
                    "finding": finding, "cells": cells, "reason": "r", "owner": "o", "until": "2026-12-31", "line": 1,
                    "days_left": days_left,
                }))
                .unwrap()
            });
        prop::collection::vec(waiver, 0..6)
    }

    fn readings(sight: &Sight) -> impl Iterator<Item = Outcome> {
        [sight.reading, sight.second]
            .into_iter()
            .flatten()
            .map(|reading| reading.outcome)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn no_refusal_passes_without_a_control((matrix, sights, shape) in any_roll(), shown in any_shown()) {
            let roll = Roll { matrix: &matrix, sights: Sights::of(&sights), mcp_refuses: shape, earlier: &[], shown: &shown };
            let conclusion = roll.conclude();
            let got_through = |check: &Check<'_>| {
                check.demand.expectation.allows()
                    && roll.sight(check.index).gap.is_none()
                    && readings(&roll.sight(check.index)).any(Outcome::got_through)
            };
            let is_shown = |check: &Check<'_>| shown.get(check.index / 4).copied().unwrap_or_default();
            for check in matrix.checks() {
                let verdict = conclusion.verdicts[check.index].as_ref().unwrap();
                if verdict.kind != VerdictKind::Pass {
                    continue;
                }
                let sight = roll.sight(check.index);
                if check.demand.expectation.allows() {
                    prop_assert!(sight.reading.unwrap().outcome.got_through());
                    continue;
                }
                let here = |other: &Check<'_>| other.operation == check.operation && other.door == check.door;
                let control = matrix.checks().any(|other| here(&other) && got_through(&other));
                let closed = !matrix.checks().any(|other| here(&other) && other.demand.expectation.allows());
                let beside = matrix.checks().any(|other| other.door == check.door && is_shown(&other) && got_through(&other));
                let vouched = closed && is_shown(&check) && beside;
                prop_assert!(control || vouched, "{:?} {verdict:?}", matrix.cell(&check));
                // V11: a persona that was to get through somewhere at the door did so.
                let own = |other: &Check<'_>| {
                    other.persona == check.persona && other.door == check.door
                };
                let due = |other: &Check<'_>| {
                    other.demand.expectation.allows()
                        && roll.sight(other.index).gap != Some(Gap::NotPermitted)
                };
                let through = |other: &Check<'_>| {
                    let sight = roll.sight(other.index);
                    sight.gap.is_none() && readings(&sight).any(Outcome::got_through)
                };
                let awaited = matrix.personas[check.persona].signs_in
                    && matrix.checks().filter(own).any(|other| due(&other));
                let at_home = matrix.checks().filter(own).any(|other| through(&other));
                prop_assert!(!awaited || at_home, "{:?} {verdict:?}", matrix.cell(&check));
                prop_assert!(!sight.reading.unwrap().outcome.is_silent());
            }
        }

        #[test]
        fn where_everybody_met_the_same_no_refusal_passes(
            (matrix, sights, shape) in any_roll(),
            shown in any_shown(),
            same in prop::sample::select(&Outcome::ALL[..]),
        ) {
            let sights: Vec<Sight> = sights
                .iter()
                .map(|sight| Sight { reading: Some(Reading::plain(same)), second: None, ..*sight })
                .collect();
            let roll = Roll { matrix: &matrix, sights: Sights::of(&sights), mcp_refuses: shape, earlier: &[], shown: &shown };
            let conclusion = roll.conclude();
            let Some(uniform) = Uniform::of(&matrix, |index| roll.sight(index)) else {
                return Ok(());
            };
            let must_be_refused = |check: &Check<'_>| law::must_be_stopped(check.demand.expectation);
            for check in matrix.checks() {
                let verdict = conclusion.verdicts[check.index].as_ref().unwrap();
                let passes = verdict.kind == VerdictKind::Pass;
                // A list may name the status of the backend's own complaint as a disguise: that is passage as demanded.
                let disguise = roll.sight(check.index).reading.is_some_and(|reading| reading.outcome == Outcome::PastTheGuard);
                match uniform {
                    Uniform::Refused => prop_assert!(!passes, "{verdict:?}"),
                    Uniform::Granted => prop_assert!(!passes || disguise || !must_be_refused(&check), "{verdict:?}"),
                }
            }
        }

        #[test]
        fn a_call_that_got_through_where_it_must_not_is_a_leak((matrix, sights, shape) in any_roll()) {
            let roll = Roll { matrix: &matrix, sights: Sights::of(&sights), mcp_refuses: shape, earlier: &[], shown: &[] };
            let conclusion = roll.conclude();
            let leaks = conclusion.findings.iter().filter(|finding| finding.code == Code::Leak);
            let listed: Vec<usize> = leaks.flat_map(|finding| finding.cells.clone()).collect();
            for check in matrix.checks() {
                let sight = roll.sight(check.index);
                let got_in = readings(&sight).any(|outcome| outcome == Outcome::Granted);
                if got_in && law::must_be_stopped(check.demand.expectation) {
                    let verdict = conclusion.verdicts[check.index].as_ref().unwrap();
                    prop_assert_eq!((verdict.kind, verdict.code), (VerdictKind::Fail, Some(Code::Leak)));
                    prop_assert!(listed.contains(&check.index));
                }
            }
        }

        #[test]
        fn a_waiver_changes_the_word_on_its_own_cells_and_nothing_else(
            (matrix, sights, shape) in any_roll(), waivers in any_waivers(),
        ) {
            let roll = Roll { matrix: &matrix, sights: Sights::of(&sights), mcp_refuses: shape, earlier: &[], shown: &[] };
            let (plain, waived) = (roll.conclude(), roll.conclude_under(Waivers(&waivers)));
            for check in matrix.checks() {
                let before = plain.verdicts[check.index].as_ref().unwrap();
                let after = waived.verdicts[check.index].as_ref().unwrap();
                let accepted = before.code.is_some_and(|code| {
                    before.kind == VerdictKind::Fail && waivers.iter().any(|dated| {
                        let cell = matrix.cell(&check);
                        let holds = |area: &Area| area.holds(&cell.persona, &cell.operation, cell.door);
                        dated.holds() && dated.waiver.finding == Subject::Code(code) && dated.waiver.cells.iter().any(holds)
                    })
                });
                prop_assert_eq!(after.kind == VerdictKind::Waived, accepted);
                prop_assert_eq!(after.waiver.is_some(), accepted);
                prop_assert_eq!((after.code, &after.reason), (before.code, &before.reason));
                if !accepted {
                    prop_assert_eq!(after.kind, before.kind);
                }
                let told = |of: &Conclusion, open: bool| of.findings.iter().any(|finding| {
                    finding.cells.contains(&check.index) && (!open || finding.waiver.is_none())
                });
                prop_assert_eq!(told(&plain, false), told(&waived, false));
                prop_assert_eq!(told(&waived, true), told(&plain, true) && !accepted);
            }
        }

        #[test]
        fn there_is_one_verdict_a_check_and_the_same_roll_is_judged_the_same((matrix, sights, shape) in any_roll()) {
            let roll = Roll { matrix: &matrix, sights: Sights::of(&sights), mcp_refuses: shape, earlier: &[], shown: &[] };
            let (first, second) = (roll.conclude(), roll.conclude());
            prop_assert_eq!(&first.verdicts, &second.verdicts);
            prop_assert_eq!(&first.findings, &second.findings);
            prop_assert_eq!(first.verdicts.len(), matrix.len());
            prop_assert_eq!(first.verdicts.iter().flatten().count(), matrix.checks().count());
            prop_assert!(first.findings.is_sorted_by_key(|finding| (finding.code, finding.cells.first().copied())));
            for (index, verdict) in first.verdicts.iter().enumerate() {
                let failed = verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Fail);
                let told = first.findings.iter().any(|finding| {
                    finding.cells.contains(&index) && finding.code.class() == Class::Fail
                });
                prop_assert_eq!(failed, told, "{} {:?}", index, verdict);
            }
        }
    }

    #[test]
    fn an_effect_is_doubtful_where_the_cell_may_fail_by_it() {
        for (effect, allowed, refused) in [
            (Effect::Unchecked, false, false),
            (Effect::Unread, true, true),
            (Effect::Unchanged, true, false),
            (Effect::Changed, false, true),
        ] {
            assert_eq!(
                effect.is_doubtful(&Expectation::Allow),
                allowed,
                "{effect:?}"
            );
            assert_eq!(
                effect.is_doubtful(&Expectation::Forbidden),
                refused,
                "{effect:?}"
            );
        }
    }

    /// A token that opens nothing is as good as one that is meant for somebody else.
    #[test]
    fn a_strangers_failing_cell_tells_what_a_door_does_without_a_valid_token() {
        let mut matrix = article();
        for column in &mut matrix.operations {
            for door in Door::ALL {
                let demand = column.demands.get(0, door).map(|demand| Demand {
                    expectation: Expectation::Forbidden,
                    line: demand.line,
                });
                column.demands.set(0, door, demand);
            }
        }
        let (reader, writer, anonymous) = (0, 1, 3);
        let (token, audience) = (Requirement::TokenDemanded, Requirement::AudienceChecked);
        for (persona, kind, told) in [
            (anonymous, VerdictKind::Fail, Some(token)),
            (anonymous, VerdictKind::Unproven, None),
            (reader, VerdictKind::Fail, Some(audience)),
            (reader, VerdictKind::Waived, None),
            (writer, VerdictKind::Fail, None),
        ] {
            let mut verdicts = vec![Some(Arc::new(Verdict::PASS)); matrix.len()];
            let verdict = Verdict {
                kind,
                ..Verdict::PASS
            };
            verdicts[matrix.index(2, 1, persona)] = Some(Arc::new(verdict));
            let conclusion = Conclusion {
                verdicts,
                findings: Vec::new(),
            };
            let tells = conclusion.tells_of_strangers(&matrix);
            for requirement in [token, audience, Requirement::QueryIgnored] {
                for door in Door::ALL {
                    let expected = told == Some(requirement) && door == Door::Mcp;
                    let case = format!("{persona} {kind}: {requirement} at {door}");
                    assert_eq!(tells(requirement, door), expected, "{case}");
                }
            }
        }
    }
}
