//! Events in, the run's record out: every report is a rendering of it.

mod cells;
mod facts;
mod hearing;
mod ledger;
mod reading;
mod speakers;
mod standing;
mod tally;

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::cell::OperationName;
use crate::judge::{Attempt, Finding, Listed, Uniform};
use crate::plan::{Check, Matrix};
use crate::probe::Checked;
use crate::run::cleanup::Remnant;
use crate::run::event::Covered;
use crate::run::settling::Settled;
use crate::run::{ShardRun, Shards};
use crate::scenario::{LeftOut, RefusalShape, Undeclared};
use cells::Cells;
use facts::Ending;
use ledger::Ledger;
use speakers::Speakers;

pub use cells::Heard;
pub use facts::{DoorFacts, Entry, LeftBehind, TokenFacts, WaiverFacts};
pub use reading::Unreadable;
pub(crate) use reading::{label, parse};
pub use standing::Standing;
pub use tally::Tally;

/// Everything that a run's events say, in matrix order. It grows with the cells, not with the bodies:
/// evidence is held only where an event carries it.
#[derive(Debug)]
pub struct Record {
    run_id: String,
    started_at: String,
    tool: String,
    scenario: String,
    path: String,
    digest: String,
    matrix: Arc<Matrix>,
    mcp_refuses: RefusalShape,
    operations: HashMap<OperationName, usize, RandomState>,
    /// The operation that was heard of last: most often the next cell is of the same.
    latest: Cell<usize>,
    cells: Cells,
    findings: Vec<Finding>,
    waivers: Vec<WaiverFacts>,
    requirements: Vec<Checked>,
    lists: Vec<Listed>,
    coverage: Option<Covered>,
    tokens: Vec<Option<TokenFacts>>,
    doors: Vec<DoorFacts>,
    ledger: Ledger,
    fixtures: String,
    next_line: u64,
    attempts: Vec<Attempt>,
    tools: Vec<Option<Arc<str>>>,
    on_routes: Vec<usize>,
    undeclared: Undeclared,
    left_out: Vec<LeftOut>,
    shards: Option<Shards>,
    environment: Option<String>,
    speakers: Speakers,
    ending: Option<Ending>,
    begun: bool,
    settled: Option<Settled>,
    rounds: u32,
    only: Vec<String>,
    partial: bool,
    enough: Option<usize>,
    cut: bool,
    sums: Sums,
}

/// What all cells come to, found out when it is first asked for, and anew once something more was heard.
#[derive(Debug, Default)]
struct Sums {
    count: OnceCell<Count>,
    uniform: OnceCell<Option<Uniform>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    tally: Tally,
    all_judged: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            run_id: String::new(),
            started_at: String::new(),
            tool: String::new(),
            scenario: String::new(),
            path: String::new(),
            digest: String::new(),
            matrix: Arc::default(),
            mcp_refuses: RefusalShape::default(),
            operations: HashMap::default(),
            latest: Cell::default(),
            cells: Cells::default(),
            findings: Vec::new(),
            waivers: Vec::new(),
            requirements: Vec::new(),
            lists: Vec::new(),
            coverage: None,
            tokens: Vec::new(),
            doors: Vec::new(),
            ledger: Ledger::default(),
            fixtures: String::new(),
            next_line: 0,
            attempts: Vec::new(),
            tools: Vec::new(),
            on_routes: Vec::new(),
            undeclared: Undeclared::default(),
            left_out: Vec::new(),
            shards: None,
            environment: None,
            speakers: Speakers::default(),
            ending: None,
            begun: false,
            settled: None,
            rounds: 1,
            only: Vec::new(),
            partial: false,
            enough: None,
            cut: false,
            sums: Sums::default(),
        }
    }
}

impl Record {
    /// Whether every cell had its turn and its verdict, and the record has its end.
    pub fn complete(&self) -> bool {
        let whole = self.ending.is_some_and(|ending| ending.complete) && !self.cut;
        whole && self.count().all_judged
    }

    /// Every check with what was heard of it, in matrix order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let checks = self.matrix.checks();
        checks.filter_map(|check| self.entry_of(check))
    }

    /// The same at one door, by its place in the matrix.
    pub fn entries_at(&self, place: usize) -> impl Iterator<Item = Entry<'_>> {
        let checks = self.matrix.checks_at(place);
        checks.filter_map(|check| self.entry_of(check))
    }

    /// The cells of operation × door (by its place in the matrix), persona by persona; `None` where there is no check.
    pub fn lane(&self, operation: usize, place: usize) -> impl Iterator<Item = Option<Entry<'_>>> {
        let checks = self.matrix.lane(operation, place);
        checks.map(|check| self.entry_of(check?))
    }

    #[inline]
    fn entry_of<'r>(&'r self, check: Check<'r>) -> Option<Entry<'r>> {
        let heard = self.cells.get(check.index)?;
        Some(Entry { check, heard })
    }

    /// The check at a matrix index; `None` where there is none.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.entry_of(self.matrix.check(index)?)
    }

    /// The check of operation × door (by its place in the matrix) × persona; `None` where there is none.
    pub fn entry_at(&self, operation: usize, place: usize, persona: usize) -> Option<Entry<'_>> {
        self.entry_of(self.matrix.at(operation, place, persona)?)
    }

    /// Whether a persona has any cell; where there is none at all, everybody counts.
    pub fn has_row(&self, persona: usize) -> bool {
        self.only.is_empty() || self.entries().any(|entry| entry.check.persona == persona)
    }

    /// The checks that a finding covers.
    pub fn covered<'r>(&'r self, finding: &'r Finding) -> impl Iterator<Item = Entry<'r>> {
        finding.cells.iter().filter_map(|index| self.entry(*index))
    }

    /// Findings, the gravest first, then by their first cell.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether a finding only adds something to another one that tells all of its cells.
    pub fn is_told_beside(&self, finding: &Finding) -> bool {
        self.findings.iter().any(|other| finding.is_beside(other))
    }

    /// What the scenario waives, in its order: a verdict or finding names its waiver by its place here.
    pub fn waivers(&self) -> &[WaiverFacts] {
        &self.waivers
    }

    /// The waiver at a place.
    pub fn waiver(&self, place: Option<u16>) -> Option<&WaiverFacts> {
        self.waivers.get(usize::from(place?))
    }

    /// What came of the requirements of the MCP authorization chapter, by id; empty where no MCP door was tested.
    pub fn requirements(&self) -> &[Checked] {
        &self.requirements
    }

    /// The tools that each persona is shown at each MCP door, in the order in which they were asked.
    pub fn lists(&self) -> &[Listed] {
        &self.lists
    }

    /// How much of the deployment the operations name; `None` where the author does not say how much they are to.
    pub fn coverage(&self) -> Option<&Covered> {
        self.coverage.as_ref()
    }

    /// Whether everybody met the same, so that the run as a whole is suspect.
    pub fn uniform(&self) -> Option<Uniform> {
        *self.sums.uniform.get_or_init(|| self.find_uniform())
    }

    fn find_uniform(&self) -> Option<Uniform> {
        let sight = |index: usize| self.cells.get(index).map(|heard| heard.sight());
        Uniform::of(&self.matrix, |index| sight(index).unwrap_or_default())
    }

    /// How many checks got which word; cells that nobody chose are left out.
    pub fn tally(&self) -> Tally {
        self.count().tally
    }

    fn count(&self) -> Count {
        *self.sums.count.get_or_init(|| {
            let mut all_judged = true;
            let kinds = self.entries().filter_map(|entry| {
                all_judged &= entry.heard.verdict().is_some();
                let is_chosen = !self.matrix.is_control(entry.check.index);
                is_chosen.then(|| entry.heard.kind())
            });
            Count {
                tally: kinds.collect(),
                all_judged,
            }
        })
    }

    /// What the record as a whole says.
    pub fn standing(&self) -> Standing {
        Standing::of(self)
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// RFC 3339 time of the first line, in UTC.
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    /// Milliseconds from the first line to the last; `None` when the run did not end.
    pub fn took_ms(&self) -> Option<u64> {
        self.ending.map(|ending| ending.took_ms)
    }

    /// How the deployment settled before the run, where that was waited for.
    pub fn settled(&self) -> Option<&Settled> {
        self.settled.as_ref()
    }

    /// How often every cell was to be called.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How cells were chosen, as it was typed; empty where all of them were.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// How many failing cells ended the run early, where they did.
    pub fn enough(&self) -> Option<usize> {
        self.enough
    }

    /// Version of rolecall that made the run.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// The scenario's name.
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Which environment the scenario was read for; `None` where nobody named one.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The scenario's name, with the environment that it was read for.
    pub fn title(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{} · {environment}", self.scenario),
            None => self.scenario.clone(),
        }
    }

    /// The scenario's path as the user gave it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Digest of the plan, 16 hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Which shards of the plan it tells of; `None` where nobody divided it.
    pub fn shards(&self) -> Option<&Shards> {
        self.shards.as_ref()
    }

    /// Whether it tells of some shards of the plan and not of all.
    pub fn is_part(&self) -> bool {
        self.shards
            .as_ref()
            .is_some_and(|shards| !shards.is_whole())
    }

    /// Whether it was joined from records of shards.
    pub fn is_joined(&self) -> bool {
        let is_itself = |run: &ShardRun| run.run_id == self.run_id;
        self.shards
            .as_ref()
            .is_some_and(|shards| !shards.runs.iter().any(is_itself))
    }

    /// The shape of the run.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// What the token of the persona with that index said; `None` when it has none.
    pub fn token(&self, persona: usize) -> Option<&TokenFacts> {
        self.tokens.get(persona)?.as_ref()
    }

    /// How many personas signed in.
    pub fn signed_in(&self) -> usize {
        self.tokens.iter().flatten().count()
    }

    /// Which doors were asked, and whether they answer.
    pub fn doors(&self) -> &[DoorFacts] {
        &self.doors
    }

    /// Objects of the run that are not known to be gone, in the order in which they were made.
    pub fn left_behind(&self) -> impl Iterator<Item = LeftBehind<'_>> {
        let killed = |speaker| !self.speakers.has_ended(speaker);
        self.ledger.left_behind(killed)
    }

    /// The same for whoever removes them, with creations that had no clear end.
    pub fn remnants(&self) -> Vec<Remnant> {
        let killed = |speaker| !self.speakers.has_ended(speaker);
        let run_id = |speaker| {
            self.speakers
                .run_id(speaker)
                .unwrap_or(&self.run_id)
                .to_owned()
        };
        self.ledger.remnants(killed, run_id)
    }

    /// Digest of the addresses and of what the run's objects are made of; empty where none were to be made.
    pub fn fixtures(&self) -> &str {
        &self.fixtures
    }

    /// Position of the next line, for whoever adds one.
    pub fn next_line(&self) -> u64 {
        self.next_line
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::judge::Code::{Leak, NoAnswer};
    use crate::judge::{Gap, VerdictKind};
    use crate::run::Event;

    fn event(value: Value) -> Event {
        serde_json::from_value(value).unwrap()
    }

    fn begun() -> Record {
        let demand = json!({"expectation": "403", "line": 7});
        let mut record = Record::default();
        record.hear(&event(json!({
            "type": "run.started", "tool": "0.1.0", "scenario": "Catalog", "path": "rolecall.yaml", "digest": "0123456789abcdef",
            "mcp_refuses": "http",
            "matrix": {
                "personas": [{"name": "reader", "roles": null, "signs_in": true}],
                "operations": [{"name": "deleteProduct", "mutates": true, "demands": [[demand, demand, null]]}],
                "doors": ["rest", "mcp"],
            },
        })));
        record
    }

    fn observed(door: &str) -> Event {
        event(json!({
            "type": "cell.observed", "persona": "reader", "operation": "deleteProduct", "door": door, "status": 403,
            "reading": {"outcome": "forbidden"}, "took_ms": 3, "retries": ["502 after 3 ms, waited 200 ms"],
        }))
    }

    fn passed(door: &str) -> Event {
        event(json!({
            "type": "cell.finished", "persona": "reader", "operation": "deleteProduct", "door": door, "kind": "pass",
        }))
    }

    fn finished(complete: bool) -> Event {
        event(json!({"type": "run.finished", "complete": complete, "took_ms": 9}))
    }

    fn finding(code: &str, cells: &[usize]) -> Event {
        event(json!({"type": "finding", "code": code, "detail": "d", "cells": cells}))
    }

    #[test]
    fn a_run_told_to_its_end_is_complete() {
        let mut record = begun();
        for door in ["rest", "mcp"] {
            record.hear(&observed(door));
            record.hear(&passed(door));
        }
        record.hear(&finished(true));
        record.settle();
        assert!(record.complete());
        assert_eq!(
            record.tally().to_string(),
            "2 checks: 2 pass · 0 fail · 0 unproven"
        );
        assert_eq!(
            record.entries().next().unwrap().heard.retries(),
            ["502 after 3 ms, waited 200 ms"]
        );
        assert_eq!(record.standing(), Standing::Conforms);
    }

    #[test]
    fn one_line_judges_all_that_passed_and_no_cell_that_is_not_there() {
        let mut record = begun();
        for door in ["rest", "mcp"] {
            record.hear(&observed(door));
        }
        let cells = json!([{"start": 1, "end": 900}, {"start": 900, "end": 901}]);
        record.hear(&event(json!({"type": "cells.passed", "cells": cells})));
        let kinds: Vec<_> = record.entries().map(|entry| entry.heard.kind()).collect();
        assert_eq!(kinds, [VerdictKind::Unproven, VerdictKind::Pass]);
        assert_eq!(record.entries().nth(1).unwrap().heard.retries().len(), 1);
    }

    #[test]
    fn a_cell_without_a_verdict_keeps_a_record_from_being_complete() {
        let mut record = begun();
        record.hear(&observed("rest"));
        record.hear(&passed("rest"));
        record.hear(&finished(true));
        assert!(!record.complete());
        assert_eq!(record.tally().unproven, 1);
        assert_eq!(record.standing(), Standing::Unproven);
    }

    #[test]
    fn a_killed_run_is_never_green() {
        let mut record = begun();
        record.hear(&observed("rest"));
        record.hear(&passed("rest"));
        record.settle();
        assert!(!record.complete());
        assert_ne!(record.standing(), Standing::Conforms);
        assert_eq!(
            record.entry(1).unwrap().heard.sight().gap,
            Some(Gap::NotReached)
        );
    }

    #[test]
    fn findings_stand_in_order_of_gravity_and_once() {
        let mut record = begun();
        for (code, cells) in [
            ("no-answer", &[0][..]),
            ("leak", &[1]),
            ("leak", &[0]),
            ("leak", &[1]),
        ] {
            record.hear(&finding(code, cells));
        }
        let order: Vec<_> = record
            .findings()
            .iter()
            .map(|finding| (finding.code, finding.cells.clone()))
            .collect();
        assert_eq!(
            order,
            [(Leak, vec![0]), (Leak, vec![1]), (NoAnswer, vec![0])]
        );
    }

    #[test]
    fn a_finding_about_a_cell_that_is_not_there_covers_nothing() {
        let mut record = begun();
        record.hear(&finding("leak", &[99]));
        assert_eq!(record.covered(&record.findings()[0]).count(), 0);
    }

    #[test]
    fn an_object_is_left_behind_until_it_is_removed() {
        let made = event(json!({"type": "fixture.made", "fixture": "product", "object": "id=7"}));
        let cleanup = |removed: bool| {
            event(
                json!({"type": "cleanup", "fixture": "product", "object": "id=7", "removed": removed, "detail": "409"}),
            )
        };
        let mut record = begun();
        record.hear(&made);
        assert_eq!(
            record.left_behind().count(),
            1,
            "killed before its clean-up"
        );
        record.hear(&cleanup(false));
        assert_eq!(record.left_behind().next().unwrap().detail, "409");
        record.hear(&finished(true));
        assert_eq!(record.standing(), Standing::LeftBehind);
        record.hear(&cleanup(true));
        assert_eq!(record.left_behind().count(), 0);
    }
}
