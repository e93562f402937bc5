//! Rulings in, findings out: one defect, one finding with all its cells.

use std::collections::BTreeMap;

use super::control::Controls;
use super::finding::Finding;
use super::hint::Hint;
use super::law::Ruling;
use super::mark::Mark;
use super::roll::{Gap, Roll};
use super::signature::Signature;
use super::waived::Covered;
use super::{reason, roster};
use crate::code::Code;
use crate::layer::Layer;

/// What makes one finding of cells: the code, who gave the answer where that is the defect, and who accepts it.
type Group = (Code, Author, Option<u16>);

/// Groups what failed or could not be judged by code and, where the answer itself is the defect, by who gave it. What a
/// waiver accepts stands apart, so that it hides nothing else.
///
/// Cells that lack nothing but a control are listed only where no other finding says why it is missing.
pub(super) fn findings(
    roll: &Roll<'_>,
    controls: &Controls,
    rulings: &[Option<Ruling>],
    covered: &Covered,
) -> Vec<Finding> {
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for (index, ruling) in rulings.iter().enumerate() {
        let code = ruling.and_then(|ruling| charge(roll, controls, index, ruling));
        if let Some(code) = code {
            groups
                .entry((code, author(roll, code, index), covered.by(index)))
                .or_default()
                .push(index);
        }
    }
    groups
        .into_iter()
        .map(|((code, author, waiver), cells)| Finding {
            waiver,
            ..word(roll, code, author, cells)
        })
        .collect()
}

/// Who gave an answer, as far as it is known: a signature or a fingerprint.
type Author = (Option<Signature>, Option<Mark>);

/// The code under which a cell is listed; `None` when it is fine or another finding covers it.
fn charge(roll: &Roll<'_>, controls: &Controls, index: usize, ruling: Ruling) -> Option<Code> {
    match ruling {
        Ruling::Pass => None,
        Ruling::Unproven(Code::NoControl) => {
            (!controls.explained(index)).then_some(Code::NoControl)
        }
        Ruling::Fail(code) | Ruling::Unproven(code) => Some(code),
        Ruling::Gap(Gap::NotReached) => {
            let told = roll
                .earlier
                .iter()
                .any(|finding| finding.code == Code::Incomplete);
            (!told).then_some(Code::Incomplete)
        }
        Ruling::Gap(
            Gap::PersonaStopped
            | Gap::SignInFailed
            | Gap::TokenRanOut
            | Gap::FixtureFailed
            | Gap::CreationWithheld
            | Gap::DecoyDoubtful
            | Gap::DoorClosed
            | Gap::NotPermitted,
        ) => None,
    }
}

fn author(roll: &Roll<'_>, code: Code, index: usize) -> Author {
    let reading = roll.sight(index).reading;
    let reading = reading.filter(|_| answer_is_the_defect(code));
    reading.map_or((None, None), |reading| {
        (reading.signature, reading.fingerprint)
    })
}

fn answer_is_the_defect(code: Code) -> bool {
    matches!(
        code,
        Code::CrashedNotRefused
            | Code::Lockout
            | Code::Broken
            | Code::WrongRefusal
            | Code::Intercepted
            | Code::NoAnswer
    )
}

/// Whose all the answers are; `None` where they are not what is wrong, or several answered.
fn answerer(roll: &Roll<'_>, code: Code, cells: &[usize]) -> Option<Layer> {
    let mut layers = cells.iter().map(|cell| roll.sight(*cell).by);
    let first = layers.next()??;
    let one = answer_is_the_defect(code) && layers.all(|layer| layer == Some(first));
    one.then_some(first)
}

fn word(roll: &Roll<'_>, code: Code, author: Author, cells: Vec<usize>) -> Finding {
    let (signature, fingerprint) = author;
    let detail = roster::tell(roll.matrix, &cells, &deed(code, author));
    let example = cells
        .first()
        .filter(|cell| needs_example(code) || roll.sight(**cell).repeats.are_mixed())
        .and_then(|cell| reason::example(roll, code, *cell));
    let detail = match example {
        Some(example) => format!("{detail} ({example})"),
        None => detail,
    };
    let hint = Hint::of(roll, code, signature, &cells);
    Finding {
        signature,
        fingerprint,
        hint,
        answered_by: answerer(roll, code, &cells),
        ..Finding::new(code, detail, cells)
    }
}

/// Codes whose cells differ in what came back: the first answer is told.
fn needs_example(code: Code) -> bool {
    matches!(
        code,
        Code::Broken | Code::Flips | Code::WrongRefusal | Code::Lockout | Code::CrashedNotRefused
    )
}

/// What personas did or met, as the middle of "reader … listProducts at rest".
fn deed(code: Code, author: Author) -> String {
    match code {
        Code::Leak => "got through".into(),
        Code::EffectDespiteRefusal => "changed data by refused calls of".into(),
        Code::CrashedNotRefused => "got a crash in place of a refusal from".into(),
        Code::Lockout => "could not get through".into(),
        Code::Broken => "got no working answer from".into(),
        Code::NoEffect => "got success without effect from".into(),
        Code::Flips => "got answers that change from call to call from".into(),
        Code::WrongRefusal => "got another refusal than demanded from".into(),
        Code::Intercepted => {
            let what = match author {
                (Some(signature), _) => signature.words().to_owned(),
                (None, Some(mark)) => format!("fingerprint {}", mark.words()),
                (None, None) => "something that is not authorization".to_owned(),
            };
            format!("met {what} in place of")
        }
        Code::NoAnswer => "got no usable answer from".into(),
        Code::EffectUnread => "had effects that could not be read back from".into(),
        Code::NoControl => "got refusals that no allowed call stands against from".into(),
        Code::NotShown => "got refusals that nothing shows to be of something from".into(),
        Code::Incomplete => "had no turn at".into(),
        Code::DoorsDisagree
        | Code::OpenWithoutToken
        | Code::SpecMust
        | Code::SpecShould
        | Code::SpecUnproven
        | Code::DenyList
        | Code::UndeclaredTool
        | Code::UndeclaredRoute
        | Code::CoverageUnread
        | Code::DeclaredRouteMissing
        | Code::UndeclaredRouteNoted
        | Code::DoorForgotten
        | Code::ListUnread
        | Code::DeclaredToolMissing
        | Code::UndeclaredToolNoted
        | Code::HiddenButCallable
        | Code::ListedButRefused
        | Code::StaleWaiver
        | Code::ExpiredWaiver
        | Code::WaiverEnds
        | Code::TokenRolesMissing
        | Code::TokenRolesExtra
        | Code::TokenAudience
        | Code::TokenIssuer
        | Code::TokenTenant
        | Code::TokenExpired
        | Code::TokenOpaque
        | Code::TokenClient
        | Code::TokenWrongUser
        | Code::TokenFidelity
        | Code::TokenScopes
        | Code::TokenSignature
        | Code::TokenIsDirectoryAdmin
        | Code::PersonasShareAccount
        | Code::TokenStale
        | Code::TokenGroupsOverage
        | Code::ClockSkew
        | Code::SettledLate
        | Code::DoorUnlisted
        | Code::SignInFailed
        | Code::RedirectUnregistered
        | Code::RedirectUnproven
        | Code::TokenRanOut
        | Code::FixtureFailed
        | Code::DoorClosed
        | Code::LeftBehind => code.name().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::answered;
    use crate::judge::{Outcome, Reading, Sight, Sights};
    use crate::plan::{Column, Matrix, Row};
    use crate::scenario::{Demand, Expectation, RefusalShape};

    /// The findings of a run in which `owner` gets through and others, who must not, see this.
    fn findings(others: &[Sight], earlier: &[Finding]) -> Vec<Finding> {
        let row = |name: &str| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in: true,
        };
        let demand = |expectation| {
            let line = 1;
            [Some(Demand { expectation, line }), None, None]
        };
        let mut demands = vec![demand(Expectation::Allow)];
        demands.resize(1 + others.len(), demand(Expectation::Forbidden));
        let matrix = Matrix {
            personas: ["owner", "reader", "writer"][..demands.len()]
                .iter()
                .map(|name| row(name))
                .collect(),
            operations: vec![Column {
                name: OperationName::new("list"),
                mutates: false,
                demands: demands.into(),
            }],
            doors: vec![Door::Rest],
            ..Matrix::default()
        };
        let sights = [&[answered(Outcome::Granted, 200)], others].concat();
        let roll = Roll {
            matrix: &matrix,
            sights: Sights::of(&sights),
            mcp_refuses: RefusalShape::Http,
            earlier,
            shown: &[],
        };
        roll.conclude().findings
    }

    fn by(layer: Layer, sight: Sight) -> Sight {
        Sight {
            by: Some(layer),
            ..sight
        }
    }

    #[test]
    fn a_finding_names_who_answered_in_place_of_authorization() {
        let mark = Mark::of("corporate-waf", None);
        for (signature, fingerprint, met) in [
            (Some(Signature::IpFilter), None, "an IP filter"),
            (None, Some(mark), "fingerprint corporate-waf"),
            (None, None, "something that is not authorization"),
        ] {
            let reading = Reading {
                outcome: Outcome::Intercepted,
                signature,
                fingerprint,
            };
            let sight = Sight {
                reading: Some(reading),
                ..answered(reading.outcome, 403)
            };
            let findings = findings(&[sight], &[]);
            let detail = format!("reader met {met} in place of list at rest");
            let expected = Finding {
                signature,
                fingerprint,
                ..Finding::new(Code::Intercepted, detail, vec![1])
            };
            assert_eq!(findings, [expected]);
        }
    }

    #[test]
    fn an_answer_is_laid_to_the_layer_that_gave_all_of_them_where_it_is_what_is_wrong() {
        let wrong = answered(Outcome::Unauthenticated, 401);
        let leak = Sight {
            second: Some(Reading::plain(Outcome::Granted)),
            ..answered(Outcome::Intercepted, 403)
        };
        let (gateway, edge) = (Layer::Gateway, Layer::Edge);
        for (others, code, layer) in [
            (
                [by(gateway, wrong), by(gateway, wrong)],
                Code::WrongRefusal,
                Some(gateway),
            ),
            (
                [by(gateway, wrong), by(edge, wrong)],
                Code::WrongRefusal,
                None,
            ),
            ([by(gateway, wrong), wrong], Code::WrongRefusal, None),
            ([by(gateway, leak), by(gateway, leak)], Code::Leak, None),
        ] {
            let findings = findings(&others, &[]);
            let told: Vec<_> = findings
                .iter()
                .map(|one| (one.code, one.answered_by))
                .collect();
            assert_eq!(told, [(code, layer)], "{others:?}");
        }
    }

    /// Who answered first does not make two defects of one leak.
    #[test]
    fn a_leak_is_one_finding_whoever_gave_the_other_answer() {
        let leak = |signature| Sight {
            reading: Some(Reading {
                signature,
                ..Reading::plain(Outcome::Intercepted)
            }),
            second: Some(Reading::plain(Outcome::Granted)),
            ..Sight::default()
        };
        let findings = findings(&[leak(Some(Signature::IpFilter)), leak(None)], &[]);
        let told: Vec<_> = findings
            .iter()
            .map(|one| (one.code, one.signature, &*one.cells))
            .collect();
        assert_eq!(told, [(Code::Leak, None, &[1, 2][..])]);
    }

    #[test]
    fn an_answer_that_could_have_been_any_is_told_with_its_cell() {
        for (outcome, status, detail) in [
            (Outcome::Granted, 200, "reader got through list at rest"),
            (
                Outcome::Unauthenticated,
                401,
                "reader got another refusal than demanded from list at rest \
                 (reader/list/rest: expected 403, got 401: refused as not signed in)",
            ),
            (
                Outcome::Crashed,
                500,
                "reader got a crash in place of a refusal from list at rest \
                 (reader/list/rest: expected 403, got 500: the deployment crashed)",
            ),
        ] {
            let findings = findings(&[answered(outcome, status)], &[]);
            let details: Vec<&str> = findings.iter().map(|one| one.detail.as_str()).collect();
            assert_eq!(details, [detail]);
        }
    }

    #[test]
    fn what_had_no_turn_is_listed_unless_the_run_has_told_that_it_ended_early() {
        let told = |code| Finding::new(code, "", Vec::new());
        let not_reached = Sight {
            gap: Some(Gap::NotReached),
            ..Sight::default()
        };
        for (earlier, expected) in [
            (vec![], vec![(Code::Incomplete, vec![1])]),
            (
                vec![told(Code::ClockSkew)],
                vec![(Code::ClockSkew, vec![]), (Code::Incomplete, vec![1])],
            ),
            (
                vec![told(Code::Incomplete)],
                vec![(Code::Incomplete, vec![])],
            ),
        ] {
            let findings = findings(&[not_reached], &earlier);
            let listed: Vec<_> = findings
                .into_iter()
                .map(|one| (one.code, one.cells))
                .collect();
            assert_eq!(listed, expected, "{earlier:?}");
        }
    }
}
