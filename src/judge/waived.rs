//! Waivers and a conclusion in, what they cover and what became of each out.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::law::Ruling;
use super::roll::{Conclusion, Roll};
use super::verdict::{Verdict, VerdictKind};
use crate::code::Code;
use crate::plan::{Check, Matrix};
use crate::requirement::Requirement;
use crate::waiver::{Area, Dated, Fate, Subject, Waiver};

/// Days before its last one from which a waiver is noted.
const SOON: i64 = 14;

/// The waivers of a run, in the order of the scenario; a verdict or finding names its own by its place here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waivers<'w>(pub &'w [Dated]);

/// The waiver of each failing cell that has one, by matrix index.
#[derive(Debug, Default)]
pub(super) struct Covered(BTreeMap<usize, u16>);

impl Covered {
    /// The waiver of a cell.
    pub(super) fn by(&self, index: usize) -> Option<u16> {
        self.0.get(&index).copied()
    }
}

impl<'w> Waivers<'w> {
    /// The waiver that accepts that a requirement is not kept.
    pub fn of_requirement(self, requirement: Requirement) -> Option<&'w Waiver> {
        self.in_force(Subject::Requirement(requirement))
            .map(|(_, waiver)| waiver)
            .next()
    }

    /// The waiver that accepts a finding about this tool or redirect.
    pub(super) fn of_name(self, code: Code, name: &str) -> Option<u16> {
        self.in_force(Subject::Code(code))
            .find(|(_, waiver)| waiver.about.iter().any(|known| known == name))
            .map(|(place, _)| place)
    }

    /// What is accepted of these rulings: each cell for just what it does.
    pub(super) fn cover(self, roll: &Roll<'_>, rulings: &[Option<Ruling>]) -> Covered {
        if self.0.is_empty() {
            return Covered::default();
        }
        let failing = rulings.iter().enumerate().filter_map(|(index, ruling)| {
            let Some(Ruling::Fail(code)) = ruling else {
                return None;
            };
            Some((index, self.of_cell(roll.matrix, *code, index)?))
        });
        Covered(failing.collect())
    }

    fn of_cell(self, matrix: &Matrix, code: Code, index: usize) -> Option<u16> {
        let check = matrix.check(index)?;
        let covers = |waiver: &Waiver| {
            waiver
                .cells
                .iter()
                .any(|area| lies_in(matrix, &check, area))
        };
        self.in_force(Subject::Code(code))
            .find(|(_, waiver)| covers(waiver))
            .map(|(place, _)| place)
    }

    fn in_force(self, subject: Subject) -> impl Iterator<Item = (u16, &'w Waiver)> {
        let numbered = (0..).zip(self.0);
        numbered
            .filter(move |(_, dated)| dated.holds() && dated.waiver.finding == subject)
            .map(|(place, dated)| (place, &dated.waiver))
    }
}

fn lies_in(matrix: &Matrix, check: &Check<'_>, area: &Area) -> bool {
    let persona = &matrix.personas[check.persona].name;
    let operation = &matrix.operations[check.operation].name;
    area.holds(persona, operation, check.door)
}

impl Conclusion {
    /// The same with findings about tools or redirects given to the waivers that accept all that they name.
    #[must_use]
    pub fn under(mut self, waivers: Waivers<'_>) -> Self {
        for finding in self.findings.iter_mut().filter(|one| one.waiver.is_none()) {
            let mut owners = finding
                .about
                .iter()
                .map(|name| waivers.of_name(finding.code, name));
            let first = owners.next().flatten();
            if owners.all(|owner| owner.is_some()) {
                finding.waiver = first;
            }
        }
        self
    }

    /// What became of each waiver, and the conclusion with what is to be said of them. `requirement` says what became of the
    /// waiver of a requirement; `is_sound` whether a tool or redirect was looked at, and the finding is not so; `is_whole`
    /// whether a run was to call every cell of an area: of one that was not, what is left out may need the waiver.
    #[must_use]
    pub fn weighed(
        self,
        matrix: &Matrix,
        waivers: Waivers<'_>,
        requirement: &dyn Fn(Requirement) -> Fate,
        is_sound: &dyn Fn(Code, &str) -> bool,
        is_whole: &dyn Fn(&Area) -> bool,
    ) -> (Vec<Fate>, Self) {
        let mut fates = Vec::with_capacity(waivers.0.len());
        let mut words = Words::default();
        for dated in waivers.0 {
            let scales = Scales {
                matrix,
                conclusion: &self,
                waiver: &dated.waiver,
                requirement,
                is_sound,
                is_whole,
            };
            let (fate, needless) = if dated.holds() {
                scales.weigh()
            } else {
                (Fate::Expired, Vec::new())
            };
            words.add(dated, fate, &needless);
            fates.push(fate);
        }
        (fates, self.with(words.findings()))
    }
}

/// What is to be said of the waivers, by the finding that says it.
#[derive(Default)]
struct Words(BTreeMap<Code, Vec<String>>);

impl Words {
    /// That a waiver has run out, that nothing at some of its places needs it, or that it runs out soon.
    fn add(&mut self, dated: &Dated, fate: Fate, needless: &[String]) {
        let waiver = &dated.waiver;
        let whole = waiver.what(&waiver.places());
        if fate == Fate::Expired {
            self.say(Code::ExpiredWaiver, waiver, &whole, "ran out");
            return;
        }
        if !needless.is_empty() {
            let part = waiver.what(&needless.join(", "));
            self.say(Code::StaleWaiver, waiver, &part, "is no longer needed");
        }
        if fate != Fate::Stale && dated.days_left <= SOON {
            self.say(Code::WaiverEnds, waiver, &whole, "runs out soon");
        }
    }

    fn say(&mut self, code: Code, waiver: &Waiver, what: &str, happened: &str) {
        let (line, words) = (waiver.line, waiver.words());
        let clause = format!("line {line}: the waiver of {what} {happened}: {words}");
        self.0.entry(code).or_default().push(clause);
    }

    fn findings(self) -> Vec<Finding> {
        let finding = |(code, clauses): (Code, Vec<String>)| {
            Finding::new(code, clauses.join("; "), Vec::new())
        };
        self.0.into_iter().map(finding).collect()
    }
}

/// One waiver beside what a run found.
struct Scales<'s> {
    matrix: &'s Matrix,
    conclusion: &'s Conclusion,
    waiver: &'s Waiver,
    requirement: &'s dyn Fn(Requirement) -> Fate,
    is_sound: &'s dyn Fn(Code, &str) -> bool,
    is_whole: &'s dyn Fn(&Area) -> bool,
}

impl Scales<'_> {
    /// What became of the waiver, and the places that need none.
    fn weigh(&self) -> (Fate, Vec<String>) {
        let code = match self.waiver.finding {
            // That it is kept is told with the requirement.
            Subject::Requirement(requirement) => {
                return ((self.requirement)(requirement), Vec::new());
            }
            Subject::Code(code) => code,
        };
        let areas = self.waiver.cells.iter();
        let areas = areas.map(|area| (self.of_area(code, area), area.to_string()));
        let names = self.waiver.about.iter();
        let names = names.map(|name| (self.of_name(code, name), name.clone()));
        let places: Vec<(Fate, String)> = areas.chain(names).collect();
        let any = |fate| places.iter().any(|(known, _)| *known == fate);
        let whole = if any(Fate::Used) {
            Fate::Used
        } else if any(Fate::Idle) {
            Fate::Idle
        } else {
            Fate::Stale
        };
        let needless = places.into_iter().filter(|(fate, _)| *fate == Fate::Stale);
        (whole, needless.map(|(_, place)| place).collect())
    }

    fn of_area(&self, code: Code, area: &Area) -> Fate {
        let mut fate = Fate::Stale;
        let mut judged = false;
        for check in self.matrix.checks() {
            if !lies_in(self.matrix, &check, area) {
                continue;
            }
            judged = true;
            match self.verdict(&check) {
                Some((VerdictKind::Waived, Some(known))) if known == code => return Fate::Used,
                Some((VerdictKind::Pass | VerdictKind::Waived, _)) => {}
                // What fails for another reason may hide it.
                Some((VerdictKind::Fail | VerdictKind::Unproven | VerdictKind::Skipped, _))
                | None => fate = Fate::Idle,
            }
        }
        if judged && (self.is_whole)(area) {
            fate
        } else {
            Fate::Idle
        }
    }

    fn verdict(&self, check: &Check<'_>) -> Option<(VerdictKind, Option<Code>)> {
        let verdict: &Verdict = self.conclusion.verdicts.get(check.index)?.as_ref()?;
        Some((verdict.kind, verdict.code))
    }

    fn of_name(&self, code: Code, name: &String) -> Fate {
        let findings = self.conclusion.findings.iter();
        let mut own = findings.filter(|one| one.code == code && one.about.contains(name));
        if own.any(|finding| finding.waiver.is_some()) {
            Fate::Used
        } else if (self.is_sound)(code, name) {
            Fate::Stale
        } else {
            Fate::Idle
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::{self, saw};
    use crate::judge::{Gap, Outcome, Reading, Sight};
    use crate::plan::{Column, Row};
    use crate::scenario::{Demand, Expectation};

    const DOORS: [Door; 2] = [Door::Rest, Door::Mcp];

    /// Readers may list, admins may list and drop, at both doors.
    fn matrix() -> Matrix {
        let row = |name: &str| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in: true,
        };
        let demand = |expectation: Expectation| {
            let demand = Some(Demand {
                expectation,
                line: 1,
            });
            [demand.clone(), demand, None]
        };
        let column = |name: &str, of_reader: Expectation| Column {
            name: OperationName::new(name),
            mutates: false,
            demands: [demand(of_reader), demand(Expectation::Allow)].into(),
        };
        Matrix {
            personas: vec![row("reader"), row("admin")],
            operations: vec![
                column("list", Expectation::Allow),
                column("drop", Expectation::Forbidden),
            ],
            doors: DOORS.to_vec(),
            controls: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    fn dated(finding: &str, cells: &[&str], days_left: i64) -> Dated {
        serde_json::from_value(serde_json::json!({
            "finding": finding, "cells": cells, "reason": "r", "owner": "o", "until": "2026-12-31", "line": 7,
            "days_left": days_left,
        }))
        .unwrap()
    }

    /// What a run gives where the reader's `drop` shows this at each door.
    fn weigh(rest: Sight, mcp: Sight, waivers: &[Dated]) -> (Vec<Fate>, Conclusion) {
        let matrix = matrix();
        let mut sights = vec![saw(Outcome::Granted); matrix.len()];
        sights[matrix.index(1, 0, 0)] = rest;
        sights[matrix.index(1, 1, 0)] = mcp;
        let roll = exhibit::roll(&matrix, &sights);
        let conclusion = roll.conclude_under(Waivers(waivers));
        conclusion.weighed(
            &matrix,
            Waivers(waivers),
            &|_| Fate::Idle,
            &|_, _| false,
            &|_| true,
        )
    }

    fn codes(conclusion: &Conclusion, waiver: Option<u16>) -> Vec<Code> {
        let findings = conclusion.findings.iter();
        let own = findings.filter(|finding| finding.waiver == waiver);
        own.map(|finding| finding.code).collect()
    }

    /// What is so: the finding and cells of a waiver, the days that are left, what the reader's `drop` shows over MCP; then what
    /// becomes of the waiver, and the findings that nobody accepts.
    type Case<'r> = (
        &'r str,
        &'r str,
        &'r [&'r str],
        i64,
        Sight,
        Fate,
        &'r [Code],
    );

    #[test]
    fn each_waiver_ends_as_its_cells_do() {
        let (refused, leaked) = (saw(Outcome::Forbidden), saw(Outcome::Granted));
        let absent = Sight {
            gap: Some(Gap::NotReached),
            ..Sight::default()
        };
        let flipped = Sight {
            second: Some(Reading::plain(Outcome::Crashed)),
            ..refused
        };
        let drop = &["reader/drop/mcp"][..];
        let (leak, crash) = ("leak", "crashed-not-refused");
        #[rustfmt::skip]
        let table: &[Case<'_>] = &[
            ("it is so", leak, drop, 99, leaked, Fate::Used, &[]),
            ("on the last day", leak, drop, 0, leaked, Fate::Used, &[Code::WaiverEnds]),
            ("on the first day of the last two weeks", leak, drop, 14, leaked, Fate::Used, &[Code::WaiverEnds]),
            ("the day before", leak, drop, 15, leaked, Fate::Used, &[]),
            ("the day after the last", leak, drop, -1, leaked, Fate::Expired, &[Code::Leak, Code::DoorsDisagree, Code::ExpiredWaiver]),
            ("run out and repaired", leak, drop, -1, refused, Fate::Expired, &[Code::ExpiredWaiver]),
            ("it is repaired", leak, drop, 99, refused, Fate::Stale, &[Code::StaleWaiver]),
            ("it is repaired on the last day", leak, drop, 0, refused, Fate::Stale, &[Code::StaleWaiver]),
            ("something graver is so", crash, drop, 99, leaked, Fate::Idle, &[Code::Leak, Code::DoorsDisagree]),
            ("the call was not made", leak, drop, 99, absent, Fate::Idle, &[Code::Incomplete]),
            ("by any part", leak, &["*/*/mcp"], 99, leaked, Fate::Used, &[]),
            ("elsewhere", leak, &["reader/drop/rest"], 99, leaked, Fate::Stale, &[Code::Leak, Code::DoorsDisagree, Code::StaleWaiver]),
            ("one of two places", leak, &["reader/drop/rest", "reader/drop/mcp"], 99, leaked, Fate::Used, &[Code::StaleWaiver]),
            ("a door that was not tried", leak, &["reader/drop/mcp-legacy"], 99, refused, Fate::Idle, &[]),
            ("an answer that flips", "flips", drop, 99, flipped, Fate::Used, &[]),
        ];
        for (name, finding, cells, days, mcp, fate, open) in table {
            let waivers = [dated(finding, cells, *days)];
            let (fates, conclusion) = weigh(refused, *mcp, &waivers);
            assert_eq!(fates, [*fate], "{name}");
            assert_eq!(codes(&conclusion, None), *open, "{name}");
        }
    }

    #[test]
    fn a_waiver_takes_its_cells_out_of_a_finding_and_leaves_the_others() {
        let leaked = saw(Outcome::Granted);
        let waivers = [dated("leak", &["reader/drop/mcp"], 99)];
        let (_, conclusion) = weigh(leaked, leaked, &waivers);
        let matrix = matrix();
        let cell = |door: usize| matrix.index(1, door, 0);
        let told: Vec<(Option<u16>, Vec<usize>, &str)> = conclusion
            .findings
            .iter()
            .map(|one| (one.waiver, one.cells.clone(), one.detail.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (None, vec![cell(0)], "reader got through drop at rest"),
                (Some(0), vec![cell(1)], "reader got through drop at mcp"),
            ]
        );
        let kind = |door: usize| conclusion.verdicts[cell(door)].as_ref().unwrap().kind;
        assert_eq!((kind(0), kind(1)), (VerdictKind::Fail, VerdictKind::Waived));
    }

    #[test]
    fn a_disagreement_follows_the_cell_that_is_to_blame() {
        let (refused, leaked) = (saw(Outcome::Forbidden), saw(Outcome::Granted));
        let waivers = [dated("leak", &["reader/drop/mcp"], 99)];
        let (_, conclusion) = weigh(refused, leaked, &waivers);
        assert_eq!(
            codes(&conclusion, Some(0)),
            [Code::Leak, Code::DoorsDisagree]
        );
        // What is wrong with the refusal is nobody's to blame for the leak.
        let odd = saw(Outcome::RefusedInBand);
        let waivers = [dated("wrong-refusal", &["reader/drop/rest"], 99)];
        let (_, conclusion) = weigh(odd, leaked, &waivers);
        assert_eq!(codes(&conclusion, Some(0)), [Code::WrongRefusal]);
        assert_eq!(codes(&conclusion, None), [Code::Leak, Code::DoorsDisagree]);
    }

    #[test]
    fn of_two_waivers_for_one_cell_the_first_has_it_and_none_is_stale() {
        let waivers = [
            dated("leak", &["reader/drop/mcp"], 99),
            dated("leak", &["reader/*/mcp"], 99),
        ];
        let (fates, conclusion) = weigh(saw(Outcome::Forbidden), saw(Outcome::Granted), &waivers);
        assert_eq!(fates, [Fate::Used, Fate::Used]);
        assert_eq!(codes(&conclusion, Some(1)), []);
    }

    #[test]
    fn a_finding_about_names_is_waived_only_with_all_of_them() {
        let waiver = |names: &[&str]| {
            let mut dated = dated("undeclared-tool", &[], 99);
            dated.waiver.about = names.iter().map(|name| (*name).to_owned()).collect();
            dated
        };
        let finding = || Finding::new(Code::UndeclaredTool, "d", Vec::new()).about(["a", "b"]);
        let table: [(&[&[&str]], Option<u16>); 4] = [
            (&[&["a", "b"]], Some(0)),
            (&[&["c"], &["a"], &["b"]], Some(1)),
            (&[&["a"]], None),
            (&[&["b", "c"]], None),
        ];
        for (names, expected) in table {
            let waivers: Vec<Dated> = names.iter().map(|names| waiver(names)).collect();
            let conclusion = Conclusion::default().with(vec![finding()]);
            let conclusion = conclusion.under(Waivers(&waivers));
            assert_eq!(conclusion.findings[0].waiver, expected, "{names:?}");
        }
    }

    #[test]
    fn a_waiver_of_another_finding_is_not_used_by_what_its_cell_does() {
        let drop = &["reader/drop/mcp"];
        let waivers = [
            dated("crashed-not-refused", drop, 99),
            dated("leak", drop, 99),
        ];
        let (fates, _) = weigh(saw(Outcome::Forbidden), saw(Outcome::Granted), &waivers);
        assert_eq!(fates, [Fate::Stale, Fate::Used]);
    }

    #[test]
    fn a_requirement_is_waived_by_its_own_waiver_until_the_last_day() {
        let waivers = [
            dated("C-15", &[], -1),
            dated("C-19", &[], 0),
            dated("leak", &[], 9),
        ];
        let waivers = Waivers(&waivers);
        for (requirement, waived) in [
            (Requirement::OriginChecked, true),
            (Requirement::QueryIgnored, false),
            (Requirement::BatchRefused, false),
        ] {
            let own = waivers.of_requirement(requirement);
            let own = own.map(|waiver| waiver.finding);
            let expected = waived.then_some(Subject::Requirement(requirement));
            assert_eq!(own, expected, "{requirement}");
        }
    }

    #[test]
    fn a_waiver_of_a_name_ends_as_what_was_found_of_that_name() {
        let found = |code, name: &str, waiver| Finding {
            waiver,
            ..Finding::new(code, "d", Vec::new()).about([name])
        };
        let findings = vec![
            found(Code::UndeclaredTool, "accepted", Some(0)),
            found(Code::UndeclaredTool, "open", None),
            found(Code::DenyList, "graver", Some(1)),
        ];
        for (name, is_sound, fate) in [
            ("accepted", false, Fate::Used),
            ("open", false, Fate::Idle),
            ("graver", false, Fate::Idle),
            ("gone", true, Fate::Stale),
            ("not looked at", false, Fate::Idle),
        ] {
            let mut waiver = dated("undeclared-tool", &[], 99);
            waiver.waiver.about = vec![name.to_owned()];
            let (fates, _) = Conclusion::default().with(findings.clone()).weighed(
                &matrix(),
                Waivers(&[waiver]),
                &|_| Fate::Idle,
                &|code, own| is_sound && code == Code::UndeclaredTool && own == name,
                &|_| true,
            );
            assert_eq!(fates, [fate], "{name}");
        }
    }
}
