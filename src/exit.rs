//! Outcome of the run in, exit code out.

use crate::report::Record;
use crate::report::record::Standing;

/// How the process ends. Nothing else decides an exit code.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Exit {
    /// Every check passed.
    Conforms,
    /// Something is proven wrong.
    Failed,
    /// The command line or the scenario is wrong; nothing was sent.
    Usage,
    /// Nothing is proven wrong, but something could not be judged, or the run is incomplete.
    Unproven,
    /// The selection left nothing to check.
    NothingSelected,
    /// Objects of the run could not be removed.
    LeftBehind,
    /// A report could not be written.
    ReportUnwritten,
    /// Interrupted before anything was judged.
    Interrupted(Signal),
}

/// What ended a run before its time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Exit {
    /// Every exit, the gravest first: of two, the earlier decides.
    const PRECEDENCE: [Self; 9] = [
        Self::Usage,
        Self::Failed,
        Self::LeftBehind,
        Self::ReportUnwritten,
        Self::Unproven,
        Self::Interrupted(Signal::Interrupt),
        Self::Interrupted(Signal::Terminate),
        Self::NothingSelected,
        Self::Conforms,
    ];

    /// Every code with its meaning, ascending: what the documentation states.
    pub const TABLE: [(u8, &'static str); 9] = [
        (0, "every check passed or is waived"),
        (
            1,
            "at least one check failed, a token is not what its persona declares, a client's redirect is not registered, a MUST of the specification is violated, there is a tool or a route that no operation names, or a waiver has run out or is not needed any more",
        ),
        (
            2,
            "the command line or the scenario is wrong; nothing was sent",
        ),
        (
            3,
            "nothing failed, but something could not be judged, or the run is incomplete",
        ),
        (4, "the selection left nothing to check"),
        (5, "objects that the run made could not be removed"),
        (6, "a report could not be written"),
        (130, "interrupted (SIGINT) before anything was judged"),
        (143, "terminated (SIGTERM) before anything was judged"),
    ];

    /// The process exit code: 0 to 6, or 128 plus the signal's number as shells have it.
    pub const fn code(self) -> u8 {
        match self {
            Self::Conforms => Standing::Conforms.code(),
            Self::Failed => Standing::Failed.code(),
            Self::Usage => 2,
            Self::Unproven => Standing::Unproven.code(),
            Self::NothingSelected => Standing::NothingSelected.code(),
            Self::LeftBehind => Standing::LeftBehind.code(),
            Self::ReportUnwritten => 6,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// What a run's record alone says.
    pub fn of(record: &Record) -> Self {
        match record.standing() {
            Standing::Conforms => Self::Conforms,
            Standing::Failed => Self::Failed,
            Standing::Unproven => Self::Unproven,
            Standing::NothingSelected => Self::NothingSelected,
            Standing::LeftBehind => Self::LeftBehind,
        }
    }

    /// What the record of an interrupted run says: the signal, if nothing is wrong and nothing was judged;
    /// otherwise what the record says, which is at least that it is incomplete.
    pub fn of_interrupted(record: &Record, by: Signal) -> Self {
        let tally = record.tally();
        match Self::of(record) {
            Self::Unproven | Self::NothingSelected if tally.pass == 0 => Self::Interrupted(by),
            said => said,
        }
    }

    /// The graver of the two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let mut gravest_first = Self::PRECEDENCE.into_iter();
        gravest_first
            .find(|exit| *exit == self || *exit == other)
            .unwrap_or(self)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn of_every_pair_the_graver_decides_in_either_order() {
        for (at, graver) in Exit::PRECEDENCE.into_iter().enumerate() {
            for milder in &Exit::PRECEDENCE[at..] {
                assert_eq!(graver.worst(*milder), graver);
                assert_eq!(milder.worst(graver), graver);
            }
        }
    }

    #[test]
    fn the_precedence_is_the_agreed_one() {
        assert_eq!(
            Exit::PRECEDENCE.map(Exit::code),
            [2, 1, 5, 6, 3, 130, 143, 4, 0]
        );
    }

    #[test]
    fn the_table_tells_every_code_once() {
        let mut codes = Exit::PRECEDENCE.map(Exit::code);
        codes.sort_unstable();
        assert_eq!(Exit::TABLE.map(|(code, _)| code), codes);
    }

    fn record(verdicts: [&str; 2], more: &[Value], complete: Option<bool>) -> Record {
        let demand = json!({"expectation": "401", "line": 1});
        let mut events = vec![json!({
            "type": "run.started", "tool": "0", "scenario": "s", "path": "p", "digest": "d", "mcp_refuses": "http",
            "matrix": {
                "personas": [{"name": "a", "roles": null, "signs_in": false}],
                "operations": [{"name": "o", "mutates": false, "demands": [[demand, demand, null]]}],
                "doors": ["rest", "mcp"],
            },
        })];
        for (door, verdict) in ["rest", "mcp"].into_iter().zip(verdicts) {
            events.push(
                json!({"type": "cell.finished", "persona": "a", "operation": "o", "door": door, "kind": verdict}),
            );
        }
        events.extend_from_slice(more);
        events.extend(
            complete.map(
                |complete| json!({"type": "run.finished", "complete": complete, "took_ms": 1}),
            ),
        );
        let mut record = Record::default();
        for event in events {
            record.hear(&serde_json::from_value(event).unwrap());
        }
        record
    }

    #[test]
    fn a_record_alone_decides_by_its_gravest_fact() {
        let finding =
            |code: &str| json!({"type": "finding", "code": code, "detail": "", "cells": []});
        let left = json!({"type": "cleanup", "fixture": "f", "object": "7", "removed": false});
        let table = [
            (["pass", "pass"], vec![], Some(true), 0),
            (["pass", "waived"], vec![], Some(true), 0),
            (["pass", "skipped"], vec![], Some(true), 0),
            (["skipped", "skipped"], vec![], Some(true), 4),
            (["pass", "unproven"], vec![], Some(true), 3),
            (["pass", "pass"], vec![], Some(false), 3),
            (["pass", "pass"], vec![], None, 3),
            (
                ["pass", "pass"],
                vec![finding("sign-in-failed")],
                Some(true),
                3,
            ),
            (
                ["pass", "pass"],
                vec![finding("token-roles-extra")],
                Some(true),
                1,
            ),
            (["pass", "unproven"], vec![left.clone()], Some(true), 5),
            (["fail", "unproven"], vec![left], Some(false), 1),
        ];
        for (verdicts, more, complete, code) in table {
            let record = record(verdicts, &more, complete);
            assert_eq!(
                Exit::of(&record).code(),
                code,
                "{verdicts:?} {more:?} {complete:?}"
            );
        }
    }

    #[test]
    fn an_interruption_counts_only_where_nothing_was_judged() {
        let table = [
            (["unproven", "unproven"], Some(false), 130),
            (["pass", "unproven"], Some(false), 3),
            (["fail", "unproven"], Some(false), 1),
            (["skipped", "skipped"], Some(false), 130),
            (["pass", "pass"], Some(true), 0),
        ];
        for (verdicts, complete, code) in table {
            let record = record(verdicts, &[], complete);
            assert_eq!(
                Exit::of_interrupted(&record, Signal::Interrupt).code(),
                code,
                "{verdicts:?}"
            );
        }
        let nothing = record(["unproven", "unproven"], &[], Some(false));
        assert_eq!(
            Exit::of_interrupted(&nothing, Signal::Terminate).code(),
            143
        );
    }
}
