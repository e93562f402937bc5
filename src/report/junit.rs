//! Record in, `JUnit` XML out: one test case a cell, one suite a door.

mod page;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;

use foldhash::fast::RandomState;

use super::record::{Entry, Record};
use super::sanitizer::{clean, excerpt};
use super::{chapter, hand, sight, waivers, wording};
use crate::cell::Door;
use crate::judge::{Code, Finding, VerdictKind};
use crate::probe::Checked;
use crate::requirement::Requirement;
use crate::waiver::Fate;
use page::{Banner, Case, Counts, Escaped, Kind, Page, Status};

/// Bytes of evidence that a case carries at most.
const OUTPUT_CAP: usize = 8 * 1024;

/// Characters of each part of a name; three of them and their dots stay below Azure's 512.
const NAME_CAP: usize = 150;

/// Where everything stands that is about the run rather than a cell.
const RUN: &str = "rolecall.run";

/// Writes the report, case by case in matrix order.
///
/// What consumers read decides the shape: a name pair is unique, since some keep the first of two and others the one
/// that passed; the message is repeated in the body, since GitLab shows nothing else; no attribute stands on a case
/// that the xUnit schema of Jenkins refuses; nothing that was not proven is anything but `failure` or `error`.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let names = Names::of(record);
    let mut taken = Taken::default();
    let rare = [
        ("requirements", chapter_suite(record, &names, &mut taken)),
        ("run", run_suite(record, &mut taken)),
    ];
    let doors = &record.matrix().doors;
    let lanes = weigh(record);
    let lanes = doors.iter().map(|door| lanes[door.index()]);
    let lanes: Vec<(Counts, u64)> = lanes.collect();
    let cells = lanes.iter().map(|(counts, _)| *counts);
    let counts = cells
        .chain(rare.iter().map(|(_, cases)| Counts::of(cases)))
        .fold(Counts::default(), Counts::and);
    let title = record.title();
    let title = excerpt(&title, NAME_CAP);
    let banner = record.uniform().map(|uniform| Banner {
        property: ("rolecall.banner", uniform.name()),
        words: uniform.words(),
    });
    let mut page = Page::open(out, &title, counts, record.took_ms())?;
    for (place, (door, (counts, took_ms))) in doors.iter().zip(lanes).enumerate() {
        let classes = names.classes(*door);
        let entries = record.entries_at(place);
        let told = entries.filter(|entry| is_told(record, entry));
        let mut cases = told.map(|entry| cell_case(record, &entry, &names, &classes));
        let name = format!("{}/{door}", names.scenario);
        page.suite(&name, counts, Some(took_ms), banner, &mut cases)?;
    }
    for (name, cases) in rare.into_iter().filter(|(_, cases)| !cases.is_empty()) {
        let name = format!("{}/{name}", names.scenario);
        let counts = Counts::of(&cases);
        page.suite(&name, counts, None, None, &mut cases.into_iter())?;
    }
    page.close()
}

/// The names of the matrix as cases carry them: cleaned, cut, and each its own.
struct Names<'r> {
    scenario: String,
    personas: Vec<Cow<'r, str>>,
    operations: Vec<Escaped<'r>>,
}

impl<'r> Names<'r> {
    fn of(record: &'r Record) -> Self {
        let matrix = record.matrix();
        let operations = matrix.operations.iter();
        let operations = distinct(operations.map(|column| column.name.as_str()));
        Self {
            scenario: slug(&record.title()),
            personas: distinct(matrix.personas.iter().map(|row| row.name.as_str())),
            operations: operations.into_iter().map(Escaped::of).collect(),
        }
    }

    /// The class of each persona's cells at a door.
    fn classes(&self, door: Door) -> Vec<Escaped<'static>> {
        let personas = self.personas.iter();
        let classes = personas.map(|persona| format!("{}.{door}.{persona}", self.scenario));
        classes.map(|class| Escaped::of(class.into())).collect()
    }
}

fn distinct<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Vec<Cow<'n, str>> {
    let mut taken = HashSet::with_capacity_and_hasher(names.len(), RandomState::default());
    let names = names.map(|name| {
        let short = excerpt(name, NAME_CAP);
        let mut unique = short.clone();
        for number in 2.. {
            if taken.insert(unique.clone()) {
                break;
            }
            unique = Cow::Owned(format!("{short} ({number})"));
        }
        unique
    });
    names.collect()
}

/// The name pairs of cases that are about no cell.
#[derive(Default)]
struct Taken(HashSet<(String, String)>);

impl Taken {
    /// A case with a name pair of its own.
    fn case(&mut self, class: &str, name: &str, status: Status) -> Case<'static> {
        let mut unique = name.to_owned();
        for number in 2.. {
            if self.0.insert((class.to_owned(), unique.clone())) {
                break;
            }
            unique = format!("{name} ({number})");
        }
        Case {
            name: Escaped::of(unique.into()),
            class: Escaped::of(class.to_owned().into()),
            took_ms: None,
            status,
            output: None,
        }
    }
}

/// A control that passed is nobody's result; one that did not is told like any other cell.
fn is_told(record: &Record, entry: &Entry<'_>) -> bool {
    entry.heard.kind() != VerdictKind::Pass || !record.matrix().is_control(entry.check.index)
}

/// How many cases of each door end how, in [`Door::ALL`]'s order, and their milliseconds together.
fn weigh(record: &Record) -> [(Counts, u64); 3] {
    let mut lanes = [(Counts::default(), 0_u64); 3];
    for entry in record.entries().filter(|entry| is_told(record, entry)) {
        let (counts, took_ms) = &mut lanes[entry.check.door.index()];
        *took_ms = took_ms.saturating_add(entry.heard.took_ms());
        counts.tests += 1;
        match entry.heard.kind() {
            VerdictKind::Pass => {}
            VerdictKind::Fail => counts.failures += 1,
            VerdictKind::Unproven => counts.errors += 1,
            VerdictKind::Skipped | VerdictKind::Waived => counts.skipped += 1,
        }
    }
    lanes
}

fn cell_case<'n>(
    record: &Record,
    entry: &Entry<'_>,
    names: &'n Names<'_>,
    classes: &'n [Escaped<'_>],
) -> Case<'n> {
    let told = entry.heard.kind() != VerdictKind::Pass && !entry.heard.evidence().is_empty();
    Case {
        name: names.operations[entry.check.operation].borrowed(),
        class: classes[entry.check.persona].borrowed(),
        took_ms: Some(entry.heard.took_ms()),
        status: cell_status(record, entry),
        output: told.then(|| evidence(entry)),
    }
}

fn cell_status(record: &Record, entry: &Entry<'_>) -> Status {
    match entry.heard.kind() {
        VerdictKind::Pass => passed(entry),
        VerdictKind::Fail => not_green(record, entry, Kind::Failure, ""),
        VerdictKind::Unproven => not_green(record, entry, Kind::Error, "unproven."),
        VerdictKind::Skipped => skipped(&format!("skipped: {}", cell_message(entry))),
        VerdictKind::Waived => {
            let waiver = entry.heard.verdict().and_then(|verdict| verdict.waiver);
            skipped(&waived(record, waiver, &cell_message(entry)))
        }
    }
}

fn not_green(record: &Record, entry: &Entry<'_>, kind: Kind, prefix: &str) -> Status {
    let verdict = entry.heard.verdict();
    let code = verdict
        .and_then(|verdict| verdict.code)
        .map_or("not-judged", Code::name);
    let message = cell_message(entry);
    let body = format!("{message}\n{}", cell_body(record, entry));
    bad(kind, &format!("{prefix}{code}"), &message, &body)
}

fn cell_message(entry: &Entry<'_>) -> String {
    let verdict = entry.heard.verdict();
    let reason = verdict.map_or("", |verdict| verdict.reason.as_str());
    if reason.is_empty() {
        format!("got {}", sight::got(entry))
    } else {
        clean(reason).into_owned()
    }
}

/// Why, who and until when before what is accepted.
fn waived(record: &Record, waiver: Option<u16>, message: &str) -> String {
    let stated = record.waiver(waiver).map(|known| &known.dated.waiver);
    stated.map_or_else(
        || format!("waived: {message}"),
        |waiver| format!("waived: {}: {message}", clean(&waiver.words())),
    )
}

/// A pass; attempts that the transport lost are told as what they are, and change nothing.
fn passed(entry: &Entry<'_>) -> Status {
    let retries = entry.heard.retries().iter();
    Status::Success {
        retries: retries.map(|retry| clean(retry).into_owned()).collect(),
    }
}

fn bad(kind: Kind, ty: &str, message: &str, body: &str) -> Status {
    Status::Bad {
        kind,
        ty: ty.to_owned(),
        message: message.to_owned(),
        body: body.to_owned(),
    }
}

fn skipped(message: &str) -> Status {
    Status::Skipped {
        message: message.to_owned(),
    }
}

fn cell_body(record: &Record, entry: &Entry<'_>) -> String {
    let demand = entry.check.demand;
    let mut lines = vec![
        format!("expected: {}", demand.expectation),
        format!("got: {}", sight::got(entry)),
    ];
    lines.extend(
        entry
            .heard
            .evidence()
            .iter()
            .map(|observation| format!("seen: {}", sight::line(observation))),
    );
    lines.extend(
        entry
            .heard
            .retries()
            .iter()
            .map(|retry| format!("retried: {}", clean(retry))),
    );
    let finding = record.findings().iter().find(|finding| {
        let code = entry.heard.verdict().and_then(|verdict| verdict.code);
        Some(finding.code) == code && finding.cells.binary_search(&entry.check.index).is_ok()
    });
    lines.extend(finding.into_iter().flat_map(advice));
    lines.push(format!("stated: {}:{}", clean(record.path()), demand.line));
    lines.extend(hand::of_entry(record, entry).map(|hand| format!("by hand:\n{hand}")));
    lines.join("\n")
}

fn advice(finding: &Finding) -> Vec<String> {
    let (cause, remedy) = (finding.cause(), finding.remedy());
    let layer = finding.layer().name();
    let parts = [("layer", layer), ("cause", cause), ("fix", remedy)];
    parts
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| format!("{label}: {}", clean(text)))
        .collect()
}

fn evidence(entry: &Entry<'_>) -> String {
    let pages: Vec<String> = entry.heard.evidence().iter().map(sight::page).collect();
    capped(pages.join("\n\n"))
}

fn capped(mut text: String) -> String {
    if text.len() > OUTPUT_CAP {
        let room = OUTPUT_CAP - '…'.len_utf8();
        let end = (0..=room)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}

/// One case a requirement of the MCP authorization chapter.
fn chapter_suite(record: &Record, names: &Names<'_>, taken: &mut Taken) -> Vec<Case<'static>> {
    let class = format!("{}.requirements", names.scenario);
    let mut suite = Vec::new();
    for checked in record.requirements() {
        let title = checked.requirement.title().trim_end_matches('.');
        let name = format!("{} {title}", checked.requirement);
        let name = excerpt(&name, NAME_CAP).into_owned();
        let mut case = taken.case(&class, &name, requirement_status(record, checked));
        let seen = checked
            .places
            .iter()
            .filter_map(|place| place.seen.as_deref());
        let pages: Vec<String> = seen.map(sight::page).collect();
        case.output = (!pages.is_empty()).then(|| capped(pages.join("\n\n")));
        suite.push(case);
    }
    suite
}

fn requirement_status(record: &Record, checked: &Checked) -> Status {
    let why = chapter::why(checked);
    let word = chapter::word(checked.state());
    let finding = of_requirement(record, checked.requirement);
    let mut lines = vec![why.clone()];
    lines.extend(finding.into_iter().flat_map(advice));
    lines.push(format!("source: {}", checked.requirement.source()));
    let body = lines.join("\n");
    let code = |otherwise: Code| finding.map_or(otherwise, |finding| finding.code).name();
    if checked.is_stale() {
        return bad(Kind::Failure, code(Code::StaleWaiver), &why, &body);
    }
    match chapter::weight(checked) {
        VerdictKind::Pass => Status::Success {
            retries: Vec::new(),
        },
        VerdictKind::Fail => bad(Kind::Failure, code(Code::SpecMust), &why, &body),
        VerdictKind::Unproven => {
            let kind = format!("unproven.{}", code(Code::SpecUnproven));
            bad(Kind::Error, &kind, &why, &body)
        }
        VerdictKind::Skipped | VerdictKind::Waived => skipped(&format!("{word}: {why}")),
    }
}

fn of_requirement(record: &Record, requirement: Requirement) -> Option<&Finding> {
    let mut findings = record.findings().iter();
    findings.find(|finding| finding.requirement == Some(requirement))
}

/// What no cell's case can tell: a run that did not end, findings about no cell, objects that were left behind.
fn run_suite(record: &Record, taken: &mut Taken) -> Vec<Case<'static>> {
    let mut suite = Vec::new();
    if !record.complete() {
        let message = wording::cut_short(record);
        let status = bad(Kind::Error, "incomplete", &message, &message);
        suite.push(taken.case(RUN, "completeness", status));
    }
    let told_elsewhere = |finding: &Finding| match finding.code {
        Code::Incomplete => !record.complete(),
        Code::LeftBehind => record.left_behind().next().is_some(),
        _ if finding.waiver.is_some() && !finding.cells.is_empty() => true,
        _ => finding.requirement.is_some() || told_by_cells(record, finding),
    };
    for finding in record
        .findings()
        .iter()
        .filter(|finding| !told_elsewhere(finding))
    {
        suite.push(finding_case(record, finding, taken));
    }
    let idle = record.waivers().iter();
    for waiver in idle.filter(|waiver| waiver.fate == Fate::Idle) {
        let words = clean(&waiver.dated.waiver.words()).into_owned();
        let message = format!("{}: {words}", waivers::told(record, waiver));
        let name = format!("waiver {}", excerpt(&waivers::subject(waiver), NAME_CAP));
        suite.push(taken.case(RUN, &name, skipped(&message)));
    }
    for left_out in record
        .coverage()
        .iter()
        .flat_map(|covered| &covered.left_out)
    {
        let status = skipped(&format!("left out: {}", clean(&left_out.reason)));
        let name = format!("left-out {}", excerpt(&left_out.name, NAME_CAP));
        suite.push(taken.case(RUN, &name, status));
    }
    for left in record.left_behind() {
        let message = format!(
            "{} {} {}",
            clean(left.fixture),
            clean(left.object),
            clean(left.detail)
        );
        let status = bad(Kind::Error, Code::LeftBehind.name(), &message, &message);
        let name = format!(
            "{} {}",
            Code::LeftBehind.name(),
            excerpt(left.fixture, NAME_CAP)
        );
        suite.push(taken.case(RUN, &name, status));
    }
    suite
}

/// Whether a case of one of its cells is at least as bad as the finding.
fn told_by_cells(record: &Record, finding: &Finding) -> bool {
    let enough: &[VerdictKind] = match wording::weight(finding) {
        VerdictKind::Fail => &[VerdictKind::Fail],
        VerdictKind::Skipped => &[],
        _ => &[VerdictKind::Fail, VerdictKind::Unproven],
    };
    record
        .covered(finding)
        .any(|entry| enough.contains(&entry.heard.kind()))
}

fn finding_case(record: &Record, finding: &Finding, taken: &mut Taken) -> Case<'static> {
    let code = finding.code.name();
    let detail = clean(&finding.detail);
    let body = [vec![detail.clone().into_owned()], advice(finding)]
        .concat()
        .join("\n");
    let status = match wording::weight(finding) {
        VerdictKind::Fail => bad(Kind::Failure, code, &detail, &body),
        VerdictKind::Skipped => skipped(&format!("note: {detail}")),
        VerdictKind::Waived => skipped(&waived(record, finding.waiver, &detail)),
        VerdictKind::Pass | VerdictKind::Unproven => {
            bad(Kind::Error, &format!("unproven.{code}"), &detail, &body)
        }
    };
    taken.case(RUN, code, status)
}

/// A name's letters and digits in lower case, hyphens between.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let slug: String = words.join("-").chars().take(NAME_CAP).collect();
    if slug.is_empty() {
        "scenario".to_owned()
    } else {
        slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_cut_to_one_stay_two() {
        let long = "a".repeat(2 * NAME_CAP);
        let names = [long.as_str(), &long[..2 * NAME_CAP - 1], "b", "b (2)", "b"];
        let distinct = distinct(names.into_iter());
        assert!(
            distinct
                .iter()
                .all(|name| name.chars().count() <= NAME_CAP + 4)
        );
        assert_eq!(distinct.iter().collect::<HashSet<_>>().len(), 5);
        assert_eq!(distinct[2..], ["b", "b (2)", "b (3)"]);
    }

    #[test]
    fn a_class_name_has_no_dots_but_its_own() {
        let table = [
            ("Product Catalog", "product-catalog"),
            ("  v2.0 / Catalog! ", "v2-0-catalog"),
            ("Käse", "käse"),
            ("::[[", "scenario"),
        ];
        for (name, wanted) in table {
            assert_eq!(slug(name), wanted);
        }
    }
}
