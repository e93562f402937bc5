//! Record in, what the reports say of the MCP authorization chapter out.

use super::record::Record;
use super::sanitizer::clean;
use crate::judge::VerdictKind;
use crate::probe::{Checked, State};
use crate::requirement::{Level, Requirement};

/// The section's name in every report.
pub(super) const NAME: &str = "MCP authorization chapter";

/// How many requirements got which word; empty where none was checked.
pub(super) fn tally(record: &Record) -> String {
    let count = |state: State| {
        let checked = record.requirements().iter();
        checked.filter(|one| one.state() == state).count()
    };
    let always = [(State::Held, "held"), (State::Violated, "violated")];
    let rare = [
        (State::Unproven, "unproven"),
        (State::Waived, "waived"),
        (State::NotApplicable, "not applicable"),
    ];
    let rare = rare.into_iter().filter(|(state, _)| count(*state) > 0);
    let words = always.into_iter().chain(rare);
    let counts: Vec<String> = words
        .map(|(state, word)| format!("{} {word}", count(state)))
        .collect();
    if record.requirements().is_empty() {
        return String::new();
    }
    let left_out = if is_partial(record) {
        " (C-01 alone: the scenario ignores the others)"
    } else {
        ""
    };
    format!("{NAME}: {}{left_out}", counts.join(" · "))
}

fn is_partial(record: &Record) -> bool {
    let checked = record.requirements();
    record.complete()
        && checked
            .iter()
            .all(|one| one.requirement == Requirement::TokenDemanded)
}

/// The verdict that a requirement weighs like: what is no more than a note is not called a failure.
pub(super) fn weight(checked: &Checked) -> VerdictKind {
    let must = checked.requirement.level() == Level::Must;
    match checked.state() {
        _ if checked.is_stale() => VerdictKind::Fail,
        State::Held => VerdictKind::Pass,
        State::Violated if must => VerdictKind::Fail,
        State::Unproven if must => VerdictKind::Unproven,
        State::Waived => VerdictKind::Waived,
        State::Violated | State::Unproven | State::NotApplicable => VerdictKind::Skipped,
    }
}

/// Why, with the reason of a waiver after it.
pub(super) fn why(checked: &Checked) -> String {
    let why = checked.why();
    match &checked.waived {
        Some(reason) if checked.state() == State::Waived => {
            clean(&format!("{reason} ({why})")).into_owned()
        }
        Some(reason) if checked.is_stale() => {
            clean(&format!("{why}; the waiver is stale: {reason}")).into_owned()
        }
        Some(_) | None => clean(&why).into_owned(),
    }
}

/// The word, as people read it.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::NotApplicable => "not applicable",
        other => other.name(),
    }
}
