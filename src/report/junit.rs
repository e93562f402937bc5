//! Record in, `JUnit` XML out: one test case a cell, one suite a door.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::record::{Entry, Record};
use super::sanitizer::{clean, excerpt};
use super::{chapter, hand, sight, waivers, wording};
use crate::cell::Door;
use crate::judge::{Code, Finding, VerdictKind};
use crate::probe::Checked;
use crate::requirement::Requirement;
use crate::waiver::Fate;

/// Bytes of evidence that a case carries at most.
const OUTPUT_CAP: usize = 8 * 1024;

/// Characters of each part of a name; three of them and their dots stay below Azure's 512.
const NAME_CAP: usize = 150;

/// Where everything stands that is about the run rather than a cell.
const RUN: &str = "rolecall.run";

/// Writes the report.
///
/// What consumers read decides the shape: a name pair is unique, since some keep the first of two and others the one
/// that passed; the message is repeated in the body, since GitLab shows nothing else; no attribute stands on a case
/// that the xUnit schema of Jenkins refuses; nothing that was not proven is anything but `failure` or `error`.
///
/// # Errors
/// Those of the writer.
pub(super) fn write(record: &Record, out: &mut impl io::Write) -> io::Result<()> {
    let mut names = Names {
        scenario: slug(record.scenario()),
        taken: HashSet::new(),
    };
    let mut report = Report::new(excerpt(record.scenario(), NAME_CAP));
    report.time = record.took_ms().map(Duration::from_millis);
    for door in &record.matrix().doors {
        report.add_test_suite(suite(record, *door, &mut names));
    }
    let about_chapter = chapter_suite(record, &mut names);
    if !about_chapter.test_cases.is_empty() {
        report.add_test_suite(about_chapter);
    }
    let about_run = run_suite(record, &mut names);
    if !about_run.test_cases.is_empty() {
        report.add_test_suite(about_run);
    }
    report.serialize(out).map_err(unwritten)
}

/// Gives every case a name pair of its own.
struct Names {
    scenario: String,
    taken: HashSet<(String, String)>,
}

impl Names {
    fn case(&mut self, class: String, name: &str, status: TestCaseStatus) -> TestCase {
        let mut unique = name.to_owned();
        for number in 2.. {
            if self.taken.insert((class.clone(), unique.clone())) {
                break;
            }
            unique = format!("{name} ({number})");
        }
        let mut case = TestCase::new(unique, status);
        case.set_classname(class);
        case
    }
}

fn suite(record: &Record, door: Door, names: &mut Names) -> TestSuite {
    let mut suite = TestSuite::new(format!("{}/{door}", names.scenario));
    let mut total = 0_u64;
    // A control that passed is nobody's result; one that did not is told like any other cell.
    let told = |entry: &Entry<'_>| {
        entry.heard.kind() != VerdictKind::Pass || !record.matrix().is_control(entry.check.index)
    };
    let entries = record.entries().filter(|entry| entry.check.door == door);
    for entry in entries.filter(told) {
        total = total.saturating_add(entry.heard.took_ms);
        suite.add_test_case(cell_case(record, &entry, names));
    }
    suite.set_time(Duration::from_millis(total));
    if let Some(uniform) = record.uniform() {
        suite.add_property(("rolecall.banner", uniform.name()));
        suite.set_system_out(uniform.words());
    }
    suite
}

fn cell_case(record: &Record, entry: &Entry<'_>, names: &mut Names) -> TestCase {
    let matrix = record.matrix();
    let persona = excerpt(matrix.personas[entry.check.persona].name.as_str(), NAME_CAP);
    let operation = excerpt(
        matrix.operations[entry.check.operation].name.as_str(),
        NAME_CAP,
    );
    let class = format!("{}.{}.{persona}", names.scenario, entry.check.door);
    let mut case = names.case(class, &operation, cell_status(record, entry));
    case.set_time(Duration::from_millis(entry.heard.took_ms));
    if entry.heard.kind() != VerdictKind::Pass && !entry.heard.evidence().is_empty() {
        case.set_system_out(evidence(entry));
    }
    case
}

fn cell_status(record: &Record, entry: &Entry<'_>) -> TestCaseStatus {
    let verdict = entry.heard.verdict.as_ref();
    let code = verdict
        .and_then(|verdict| verdict.code)
        .map_or("not-judged", Code::name);
    let reason = verdict.map_or("", |verdict| verdict.reason.as_str());
    let message = if reason.is_empty() {
        format!("got {}", sight::got(entry))
    } else {
        clean(reason).into_owned()
    };
    match entry.heard.kind() {
        VerdictKind::Pass => passed(entry),
        VerdictKind::Fail => bad(
            NonSuccessKind::Failure,
            code,
            &message,
            &[message.clone(), cell_body(record, entry)].join("\n"),
        ),
        VerdictKind::Unproven => {
            let kind = format!("unproven.{code}");
            bad(
                NonSuccessKind::Error,
                &kind,
                &message,
                &[message.clone(), cell_body(record, entry)].join("\n"),
            )
        }
        VerdictKind::Skipped => skipped(&format!("skipped: {message}")),
        VerdictKind::Waived => {
            let waiver = verdict.and_then(|verdict| verdict.waiver);
            skipped(&waived(record, waiver, &message))
        }
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
fn passed(entry: &Entry<'_>) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    for retry in entry.heard.retries() {
        let mut rerun = TestRerun::new(NonSuccessKind::Error);
        rerun
            .set_type("retry")
            .set_message(clean(retry))
            .set_description(clean(retry));
        status.add_rerun(rerun);
    }
    status
}

fn bad(kind: NonSuccessKind, ty: &str, message: &str, body: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(ty)
        .set_message(message)
        .set_description(body);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    // GitLab shows the content, the others the attribute.
    status.set_message(message).set_description(message);
    status
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
        let code = entry
            .heard
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.code);
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
fn chapter_suite(record: &Record, names: &mut Names) -> TestSuite {
    let mut suite = TestSuite::new(format!("{}/requirements", names.scenario));
    for checked in record.requirements() {
        let class = format!("{}.requirements", names.scenario);
        let title = checked.requirement.title().trim_end_matches('.');
        let name = format!("{} {title}", checked.requirement);
        let name = excerpt(&name, NAME_CAP).into_owned();
        let mut case = names.case(class, &name, requirement_status(record, checked));
        let seen = checked
            .places
            .iter()
            .filter_map(|place| place.seen.as_deref());
        let pages: Vec<String> = seen.map(sight::page).collect();
        if !pages.is_empty() {
            case.set_system_out(capped(pages.join("\n\n")));
        }
        suite.add_test_case(case);
    }
    suite
}

fn requirement_status(record: &Record, checked: &Checked) -> TestCaseStatus {
    let why = chapter::why(checked);
    let word = chapter::word(checked.state());
    let finding = of_requirement(record, checked.requirement);
    let mut lines = vec![why.clone()];
    lines.extend(finding.into_iter().flat_map(advice));
    lines.push(format!("source: {}", checked.requirement.source()));
    let body = lines.join("\n");
    let code = |otherwise: Code| finding.map_or(otherwise, |finding| finding.code).name();
    if checked.is_stale() {
        return bad(
            NonSuccessKind::Failure,
            code(Code::StaleWaiver),
            &why,
            &body,
        );
    }
    match chapter::weight(checked) {
        VerdictKind::Pass => TestCaseStatus::success(),
        VerdictKind::Fail => bad(NonSuccessKind::Failure, code(Code::SpecMust), &why, &body),
        VerdictKind::Unproven => {
            let kind = format!("unproven.{}", code(Code::SpecUnproven));
            bad(NonSuccessKind::Error, &kind, &why, &body)
        }
        VerdictKind::Skipped | VerdictKind::Waived => skipped(&format!("{word}: {why}")),
    }
}

fn of_requirement(record: &Record, requirement: Requirement) -> Option<&Finding> {
    let mut findings = record.findings().iter();
    findings.find(|finding| finding.requirement == Some(requirement))
}

/// What no cell's case can tell: a run that did not end, findings about no cell, objects that were left behind.
fn run_suite(record: &Record, names: &mut Names) -> TestSuite {
    let mut suite = TestSuite::new(format!("{}/run", names.scenario));
    if !record.complete() {
        let message = wording::cut_short(record);
        let status = bad(NonSuccessKind::Error, "incomplete", &message, &message);
        suite.add_test_case(names.case(RUN.to_owned(), "completeness", status));
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
        suite.add_test_case(finding_case(record, finding, names));
    }
    let idle = record.waivers().iter();
    for waiver in idle.filter(|waiver| waiver.fate == Fate::Idle) {
        let words = clean(&waiver.dated.waiver.words()).into_owned();
        let message = format!("{}: {words}", waivers::told(record, waiver));
        let name = format!("waiver {}", excerpt(&waivers::subject(waiver), NAME_CAP));
        suite.add_test_case(names.case(RUN.to_owned(), &name, skipped(&message)));
    }
    for left_out in record
        .coverage()
        .iter()
        .flat_map(|covered| &covered.left_out)
    {
        let status = skipped(&format!("left out: {}", clean(&left_out.reason)));
        let name = format!("left-out {}", excerpt(&left_out.name, NAME_CAP));
        suite.add_test_case(names.case(RUN.to_owned(), &name, status));
    }
    for left in record.left_behind() {
        let message = format!(
            "{} {} {}",
            clean(left.fixture),
            clean(left.object),
            clean(left.detail)
        );
        let status = bad(
            NonSuccessKind::Error,
            Code::LeftBehind.name(),
            &message,
            &message,
        );
        let name = format!(
            "{} {}",
            Code::LeftBehind.name(),
            excerpt(left.fixture, NAME_CAP)
        );
        suite.add_test_case(names.case(RUN.to_owned(), &name, status));
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

fn finding_case(record: &Record, finding: &Finding, names: &mut Names) -> TestCase {
    let code = finding.code.name();
    let detail = clean(&finding.detail);
    let body = [vec![detail.clone().into_owned()], advice(finding)]
        .concat()
        .join("\n");
    let status = match wording::weight(finding) {
        VerdictKind::Fail => bad(NonSuccessKind::Failure, code, &detail, &body),
        VerdictKind::Skipped => skipped(&format!("note: {detail}")),
        VerdictKind::Waived => skipped(&waived(record, finding.waiver, &detail)),
        VerdictKind::Pass | VerdictKind::Unproven => bad(
            NonSuccessKind::Error,
            &format!("unproven.{code}"),
            &detail,
            &body,
        ),
    };
    names.case(RUN.to_owned(), code, status)
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

fn unwritten(error: SerializeError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

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
