//! One event in, the record with it out; when nothing more comes, what was seen is judged.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::cells::Cells;
use super::facts::{DoorFacts, Ending, TokenFacts, WaiverFacts};
use super::{Record, Sums};
use crate::cell::{Door, OperationName, PersonaName};
use crate::door::Ended;
use crate::judge::{
    Code, Demanded, Finding, Gap, Layer, Listed, Repeats, Sight, Sights, Verdict, Waivers,
};
use crate::plan::Matrix;
use crate::probe::Checked;
use crate::run::event::Observed;
use crate::run::line::Line;
use crate::run::settling::Settled;
use crate::run::{Beginning, Event, Evidence};
use crate::scenario::RefusalShape;
use crate::waiver::{self, Area, Dated};

impl Record {
    /// Takes the next line.
    pub fn hear_line(&mut self, line: &Line) {
        self.open(&line.run_id, &line.at);
        self.next_line = line.seq + 1;
        self.speakers.hear(&line.run_id);
        self.ledger.hear(self.speakers.current());
        // In a joined record each run tells its own end before the whole one has its.
        if line.run_id != self.run_id && matches!(line.event, Event::RunFinished { .. }) {
            self.speakers.end();
            return;
        }
        self.hear(&line.event);
    }

    /// Takes the run's id and the time of its first line; only the first are heard.
    pub fn open(&mut self, run_id: &str, at: &str) {
        if self.run_id.is_empty() {
            run_id.clone_into(&mut self.run_id);
            at.clone_into(&mut self.started_at);
        }
    }

    /// Takes the next event. What names no cell of the matrix is passed over.
    pub fn hear(&mut self, event: &Event) {
        self.sums = Sums::default();
        match event {
            Event::RunStarted(beginning) => self.begin(beginning),
            Event::WaiverStated(dated) => self.note_waiver(dated),
            Event::WaiverWeighed { waiver, fate } => {
                if let Some(known) = self.waivers.get_mut(usize::from(*waiver)) {
                    known.fate = *fate;
                }
            }
            Event::DoorFound {
                door,
                answers,
                detail,
            } => self.note_door(*door, *answers, detail),
            // Of a persona whose token was renewed, the newest is shown.
            Event::TokenAcquired {
                persona,
                claims,
                fingerprint,
                took_ms,
            }
            | Event::TokenRenewed {
                persona,
                claims,
                fingerprint,
                took_ms,
            } => {
                let facts = TokenFacts {
                    claims: claims.clone(),
                    fingerprint: fingerprint.clone(),
                    took_ms: *took_ms,
                };
                self.note_token(persona, facts);
            }
            Event::FixtureMaking { fixture, tag, mark } => self.ledger.making(fixture, tag, mark),
            Event::FixtureUnmade { fixture, tag } => self.ledger.ended(fixture, tag),
            Event::FixtureMade {
                fixture,
                object,
                tag,
                values,
                seen,
            } => self.ledger.made(fixture, object, tag, values, *seen),
            // What the run itself said of its left-overs is told anew.
            Event::CleanupStarted { .. } => {
                self.findings.retain(|known| known.code != Code::LeftBehind);
            }
            Event::CellObserved(seen) => self.note_sight(seen),
            Event::Looked { .. } | Event::RoundStarted { .. } => {}
            Event::Settled(settled) => self.note_settled(settled),
            Event::CellSettled { .. } => self.note_effect(event),
            Event::CellRepeated { .. } => self.note_repetition(event),
            Event::CellFinished {
                persona,
                operation,
                door,
                verdict,
                repeats,
            } => {
                if let Some(index) = self.index(persona, operation, *door) {
                    self.cells.judge(index, verdict);
                    let repeats = repeats.unwrap_or_default();
                    self.cells.change(index, |sight| sight.repeats = repeats);
                }
            }
            Event::CellsPassed { cells } => self.note_passes(cells),
            Event::ToolsListed(listed) => self.note_list(listed),
            Event::ToolTried(attempt) => self.attempts.push(attempt.clone()),
            Event::RoutesKnown { operations } => self.on_routes.extend(operations),
            Event::CoverageCompared(covered) => self.coverage = Some(covered.clone()),
            Event::RequirementChecked(checked) => self.note_requirement(checked),
            Event::FindingMade(finding) => self.note_finding(finding.clone()),
            Event::Cleanup {
                fixture,
                object,
                removed,
                detail,
            } => {
                if *removed {
                    self.ledger.removed(fixture, object);
                } else {
                    self.ledger.left(fixture, object, detail);
                }
            }
            Event::RunFinished {
                complete,
                enough,
                took_ms,
            } => {
                self.speakers.end();
                self.enough = *enough;
                self.ending = Some(Ending {
                    complete: *complete,
                    took_ms: *took_ms,
                });
            }
        }
    }

    /// Ends the hearing. A run that was killed has no verdicts: what it saw is judged here, so that a leak once seen
    /// is reported; what it did not see is a gap. With its last line heard there is nothing to do.
    pub fn settle(&mut self) {
        if self.ending.is_some() {
            return;
        }
        for index in 0..self.cells.len() {
            self.cells.change(index, |sight| {
                // How often it was asked as demanded, nobody has told.
                sight.repeats = Repeats::default();
                if sight.reading.is_none() && sight.gap.is_none() {
                    sight.gap = Some(Gap::NotReached);
                }
            });
        }
        self.judge(false);
    }

    /// Judges all that was heard; `looked` says whether everything was looked at that no cell calls. What tools there are is
    /// compared where the record says which of them operations name.
    pub(crate) fn judge(&mut self, looked: bool) {
        self.sums = Sums::default();
        let sights = self.cells.sights();
        let mut tools: Vec<Option<&str>> = self.tools.iter().map(Option::as_deref).collect();
        let lists = if tools.is_empty() {
            &[]
        } else {
            &self.lists[..]
        };
        tools.resize(self.matrix.operations.len(), None);
        let waivers = self.waivers.iter().map(|known| known.dated.clone());
        let waivers: Vec<Dated> = waivers.collect();
        let evidence = Evidence {
            matrix: &self.matrix,
            sights: Sights::of(&sights),
            mcp_refuses: self.mcp_refuses,
            earlier: &self.findings,
            checked: &self.requirements,
            tools: &tools,
            on_routes: &self.on_routes,
            lists,
            attempts: &self.attempts,
            undeclared: self.undeclared,
            left_out: &self.left_out,
            waivers: Waivers(&waivers),
            looked,
            chosen: !self.only.is_empty(),
        };
        // Of a choice of doors it is known what it left out, of one of cells it is not.
        let is_whole = |area: &Area| !self.partial || self.only.is_empty() && area.door().is_some();
        let (fates, conclusion) = evidence.conclude(Vec::new(), &is_whole);
        for (known, fate) in self.waivers.iter_mut().zip(fates) {
            known.fate = fate;
        }
        for (index, verdict) in conclusion.verdicts.iter().enumerate() {
            if let Some(verdict) = verdict {
                self.cells.judge(index, verdict);
            }
        }
        for finding in conclusion.findings {
            self.note_finding(finding);
        }
    }

    fn begin(&mut self, beginning: &Beginning) {
        let Beginning {
            tool,
            scenario,
            path,
            digest,
            matrix,
            mcp_refuses,
            fixtures,
            rounds,
            only,
            partial,
            shards,
            environment,
            deployment: _,
            tools,
            undeclared,
            left_out,
        } = beginning;
        self.only.clone_from(only);
        self.partial = *partial;
        self.rounds = *rounds;
        self.tool.clone_from(tool);
        self.scenario.clone_from(scenario);
        self.path.clone_from(path);
        self.digest.clone_from(digest);
        self.mcp_refuses = *mcp_refuses;
        self.fixtures.clone_from(fixtures);
        self.shards.clone_from(shards);
        self.environment.clone_from(environment);
        self.tools.clone_from(tools);
        self.undeclared = *undeclared;
        self.left_out.clone_from(left_out);
        self.lay_out(matrix);
    }

    fn lay_out(&mut self, matrix: &Arc<Matrix>) {
        self.begun = true;
        self.matrix = Arc::clone(matrix);
        self.cells = Cells::new(matrix.len());
        self.latest.set(usize::MAX);
        self.tokens = vec![None; matrix.personas.len()];
        self.operations = matrix
            .operations
            .iter()
            .enumerate()
            .map(|(index, column)| (column.name.clone(), index))
            .collect();
    }

    fn index(&self, persona: &PersonaName, operation: &OperationName, door: Door) -> Option<usize> {
        let operation = self.operation(operation)?;
        let mut personas = self.matrix.personas.iter();
        let persona = personas.position(|row| row.name == *persona)?;
        let door = self.matrix.doors.iter().position(|known| *known == door)?;
        Some(self.matrix.index(operation, door, persona))
    }

    fn operation(&self, name: &OperationName) -> Option<usize> {
        let latest = self.latest.get();
        let column = self.matrix.operations.get(latest);
        if column.is_some_and(|column| column.name == *name) {
            return Some(latest);
        }
        let found = *self.operations.get(name)?;
        self.latest.set(found);
        Some(found)
    }

    /// The matrix index of the cell that was called; `None` where there is no such cell.
    pub(crate) fn index_of(&self, seen: &Observed) -> Option<usize> {
        let index = self.index(&seen.persona, &seen.operation, seen.door)?;
        self.matrix.check(index).map(|check| check.index)
    }

    fn note_sight(&mut self, seen: &Observed) {
        let Some(index) = self.index(&seen.persona, &seen.operation, seen.door) else {
            return;
        };
        let sight = Sight {
            reading: seen.reading,
            status: seen.status,
            second: seen.second,
            effect: seen.effect,
            gap: seen.gap,
            by: Layer::of_answers(&seen.evidence),
            repeats: Repeats::default(),
        };
        let (took_ms, evidence) = (seen.took_ms, &seen.evidence);
        self.cells
            .see(index, sight, took_ms, evidence, &seen.retries);
    }

    fn note_passes(&mut self, cells: &[Range<usize>]) {
        for stretch in cells {
            // A stretch that leads out of the matrix names no cell there.
            for index in stretch.start..stretch.end.min(self.cells.len()) {
                self.cells.judge(index, &Verdict::PASS);
                self.cells
                    .change(index, |sight| sight.repeats = Repeats::default());
            }
        }
    }

    fn note_effect(&mut self, event: &Event) {
        let Event::CellSettled {
            persona,
            operation,
            door,
            effect,
            gap,
            evidence,
        } = event
        else {
            return;
        };
        let Some(index) = self.index(persona, operation, *door) else {
            return;
        };
        self.cells.change(index, |sight| {
            (sight.effect, sight.gap) = (*effect, *gap);
            sight.by = sight.by.or_else(|| Layer::of_answers(evidence));
        });
        self.cells.see_more(index, evidence);
    }

    fn note_repetition(&mut self, event: &Event) {
        let Event::CellRepeated {
            persona,
            operation,
            door,
            status,
            reading,
            second,
            effect,
            gap,
            evidence,
            round: _,
        } = event
        else {
            return;
        };
        let shape = if door.speaks_mcp() {
            self.mcp_refuses
        } else {
            RefusalShape::Http
        };
        let Some(index) = self.index(persona, operation, *door) else {
            return;
        };
        let Some(check) = self.matrix.check(index) else {
            return;
        };
        let expectation = check.demand.expectation;
        let other = Sight {
            reading: *reading,
            status: *status,
            second: *second,
            effect: *effect,
            gap: *gap,
            by: Layer::of_answers(evidence),
            repeats: Repeats::default(),
        };
        self.cells.change(index, |sight| {
            *sight = sight.and_then(other, Demanded { expectation, shape });
        });
        self.cells.see_more(index, evidence);
    }

    fn note_door(&mut self, door: Door, answers: Option<bool>, detail: &str) {
        // Of several runs the one counts that saw most of the door.
        let clearness = |answers: Option<bool>| match answers {
            Some(true) => 2,
            Some(false) => 1,
            None => 0,
        };
        let known = self.doors.iter().find(|known| known.door == door);
        if self.is_joined()
            && known.is_some_and(|known| clearness(known.answers) >= clearness(answers))
        {
            return;
        }
        self.doors.retain(|known| known.door != door);
        self.doors.push(DoorFacts {
            door,
            answers,
            detail: detail.to_owned(),
        });
        self.doors.sort_by_key(|known| known.door);
    }

    fn note_token(&mut self, persona: &PersonaName, facts: TokenFacts) {
        let index = self
            .matrix
            .personas
            .iter()
            .position(|row| row.name == *persona);
        if let Some(place) = index.and_then(|index| self.tokens.get_mut(index)) {
            *place = Some(facts);
        }
    }

    /// Each run states all of them; where some began on the last day of one and others after it, the latest day counts.
    fn note_waiver(&mut self, dated: &Dated) {
        let stated = self.speakers.next_waiver();
        match self.waivers.get_mut(stated) {
            Some(known) => known.dated.days_left = known.dated.days_left.min(dated.days_left),
            None => self.waivers.push(WaiverFacts {
                dated: dated.clone(),
                fate: waiver::Fate::default(),
            }),
        }
    }

    /// Of several runs the one counts that waited in vain, or the longest.
    fn note_settled(&mut self, settled: &Settled) {
        let weight = |one: &Settled| (!one.ready, one.took_ms);
        let known = self.settled.as_ref().filter(|_| self.is_joined());
        if known.is_none_or(|known| weight(known) < weight(settled)) {
            self.settled = Some(settled.clone());
        }
    }

    /// How often the cells' answers were not as demanded, as their runs told it; nobody has told it of the others.
    pub(crate) fn count_repeats(&mut self, told: &[Event]) {
        for index in 0..self.cells.len() {
            self.cells
                .change(index, |sight| sight.repeats = Repeats::default());
        }
        for event in told {
            let Event::CellFinished {
                persona,
                operation,
                door,
                repeats: Some(repeats),
                ..
            } = event
            else {
                continue;
            };
            if let Some(index) = self.index(persona, operation, *door) {
                self.cells.change(index, |sight| sight.repeats = *repeats);
            }
        }
    }

    /// Of several runs, the list that was read to its end counts, with whatever the others were shown besides.
    fn note_list(&mut self, listed: &Listed) {
        let same =
            |known: &&mut Listed| known.persona == listed.persona && known.door == listed.door;
        let is_joined = self.is_joined();
        let Some(known) = self.lists.iter_mut().find(same).filter(|_| is_joined) else {
            self.lists.push(listed.clone());
            return;
        };
        let is_better = known.shown.ended != Ended::Whole && listed.shown.ended == Ended::Whole;
        let mut shown = listed.shown.clone();
        if is_better {
            std::mem::swap(&mut known.shown, &mut shown);
        }
        let names: HashSet<String> = known
            .shown
            .tools
            .iter()
            .map(|tool| tool.name.clone())
            .collect();
        let more = shown.tools.into_iter();
        known
            .shown
            .tools
            .extend(more.filter(|tool| !names.contains(&tool.name)));
    }

    fn note_requirement(&mut self, checked: &Checked) {
        let is_joined = self.is_joined();
        let known = &mut self.requirements;
        let earlier = known
            .iter()
            .find(|one| is_joined && one.requirement == checked.requirement);
        let checked = earlier.map_or_else(
            || checked.clone(),
            |earlier| earlier.clone().joined(checked),
        );
        known.retain(|one| one.requirement != checked.requirement);
        let place = known.partition_point(|one| one.requirement < checked.requirement);
        known.insert(place, checked);
    }

    fn note_finding(&mut self, finding: Finding) {
        if self.findings.contains(&finding) {
            return;
        }
        let rank = |finding: &Finding| (finding.code, finding.cells.first().copied());
        let place = self
            .findings
            .partition_point(|known| rank(known) <= rank(&finding));
        self.findings.insert(place, finding);
    }
}
