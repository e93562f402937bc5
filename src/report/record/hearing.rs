//! One event in, the record with it out; when nothing more comes, what was seen is judged.

use std::ops::Range;

use super::Record;
use super::facts::{DoorFacts, Ending, Heard, TokenFacts, WaiverFacts};
use crate::cell::{Door, OperationName, PersonaName};
use crate::judge::{
    Code, Conclusion, Demanded, Finding, Gap, Layer, Repeats, Roll, Sight, Verdict, Waivers,
};
use crate::plan::Matrix;
use crate::probe::{self, Checked};
use crate::run::Event;
use crate::run::event::Line;
use crate::scenario::RefusalShape;
use crate::waiver::{self, Dated};

impl Record {
    /// Takes the next line.
    pub fn hear_line(&mut self, line: &Line) {
        self.open(&line.run_id, &line.at);
        self.next_line = line.seq + 1;
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
        match event {
            Event::RunStarted { .. } => self.begin(event),
            Event::WaiverStated(dated) => self.waivers.push(WaiverFacts {
                dated: dated.clone(),
                fate: waiver::Fate::default(),
            }),
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
            Event::CellObserved { .. } => self.note_sight(event),
            Event::Looked { .. } | Event::RoundStarted { .. } => {}
            Event::Settled(settled) => self.settled = Some(settled.clone()),
            Event::CellSettled { .. } => self.note_effect(event),
            Event::CellRepeated { .. } => self.note_repetition(event),
            Event::CellFinished {
                persona,
                operation,
                door,
                verdict,
                repeats,
            } => {
                if let Some(heard) = self.place(persona, operation, *door) {
                    heard.judge(verdict);
                    heard.sight.repeats = repeats.unwrap_or_default();
                }
            }
            Event::CellsPassed { cells } => self.note_passes(cells),
            Event::ToolsListed(listed) => self.lists.push(listed.clone()),
            Event::ToolTried(_) => {}
            Event::CoverageCompared(covered) => self.coverage = Some(covered.clone()),
            Event::RequirementChecked(checked) => self.note_requirement(checked.clone()),
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
        for heard in &mut self.heard {
            // How often it was asked as demanded, nobody has told.
            heard.sight.repeats = Repeats::default();
            if heard.sight.reading.is_none() && heard.sight.gap.is_none() {
                heard.sight.gap = Some(Gap::NotReached);
            }
        }
        let sights: Vec<Sight> = self.heard.iter().map(|heard| heard.sight).collect();
        let roll = Roll {
            matrix: &self.matrix,
            sights: &sights,
            mcp_refuses: self.mcp_refuses,
            earlier: &self.findings,
            shown: &[],
        };
        let waivers: Vec<Dated> = self
            .waivers
            .iter()
            .map(|known| known.dated.clone())
            .collect();
        let conclusion = roll.conclude_under(Waivers(&waivers));
        let findings = probe::findings(
            &self.requirements,
            &conclusion.tells_of_strangers(&self.matrix),
        );
        let (fates, conclusion) = self.weighed(conclusion.with(findings), &waivers);
        for (known, fate) in self.waivers.iter_mut().zip(fates) {
            known.fate = fate;
        }
        for (heard, verdict) in self.heard.iter_mut().zip(conclusion.verdicts) {
            if let Some(verdict) = verdict {
                heard.judge(&verdict);
            }
        }
        for finding in conclusion.findings {
            self.note_finding(finding);
        }
    }

    /// Of tools and redirects nobody knows here whether they were looked at to the end.
    fn weighed(
        &self,
        conclusion: Conclusion,
        waivers: &[Dated],
    ) -> (Vec<waiver::Fate>, Conclusion) {
        let waivers = Waivers(waivers);
        let requirement = |requirement| probe::fate(&self.requirements, requirement);
        let conclusion = conclusion.under(waivers);
        let is_whole = |_: &_| self.only.is_empty();
        conclusion.weighed(
            &self.matrix,
            waivers,
            &requirement,
            &|_, _| false,
            &is_whole,
        )
    }

    fn begin(&mut self, event: &Event) {
        let Event::RunStarted {
            tool,
            scenario,
            path,
            digest,
            matrix,
            mcp_refuses,
            fixtures,
            rounds,
            only,
        } = event
        else {
            return;
        };
        self.only.clone_from(only);
        self.rounds = *rounds;
        self.tool.clone_from(tool);
        self.scenario.clone_from(scenario);
        self.path.clone_from(path);
        self.digest.clone_from(digest);
        self.mcp_refuses = *mcp_refuses;
        self.fixtures.clone_from(fixtures);
        self.lay_out(matrix);
    }

    fn lay_out(&mut self, matrix: &Matrix) {
        self.begun = true;
        self.matrix = matrix.clone();
        self.heard.clear();
        self.heard.resize_with(matrix.len(), Heard::default);
        self.tokens = vec![None; matrix.personas.len()];
        self.operations = matrix
            .operations
            .iter()
            .enumerate()
            .map(|(index, column)| (column.name.clone(), index))
            .collect();
    }

    fn place(
        &mut self,
        persona: &PersonaName,
        operation: &OperationName,
        door: Door,
    ) -> Option<&mut Heard> {
        let index = self.index(persona, operation, door)?;
        self.heard.get_mut(index)
    }

    fn index(&self, persona: &PersonaName, operation: &OperationName, door: Door) -> Option<usize> {
        let operation = *self.operations.get(operation)?;
        let persona = self
            .matrix
            .personas
            .iter()
            .position(|row| row.name == *persona)?;
        let door = self.matrix.doors.iter().position(|known| *known == door)?;
        Some(self.matrix.index(operation, door, persona))
    }

    fn note_sight(&mut self, event: &Event) {
        let Event::CellObserved {
            persona,
            operation,
            door,
            status,
            reading,
            second,
            effect,
            gap,
            retries,
            took_ms,
            evidence,
        } = event
        else {
            return;
        };
        let Some(heard) = self.place(persona, operation, *door) else {
            return;
        };
        let sight = Sight {
            reading: *reading,
            status: *status,
            second: *second,
            effect: *effect,
            gap: *gap,
            by: Layer::of_answers(evidence),
            repeats: Repeats::default(),
        };
        heard.see(sight, *took_ms, evidence, retries);
    }

    fn note_passes(&mut self, cells: &[Range<usize>]) {
        for stretch in cells {
            // A stretch that leads out of the matrix names no cell there.
            let end = stretch.end.min(self.heard.len());
            for heard in self.heard.get_mut(stretch.start..end).into_iter().flatten() {
                heard.judge(&Verdict::PASS);
                heard.sight.repeats = Repeats::default();
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
        let Some(heard) = self.place(persona, operation, *door) else {
            return;
        };
        (heard.sight.effect, heard.sight.gap) = (*effect, *gap);
        if !evidence.is_empty() {
            heard.sight.by = heard.sight.by.or_else(|| Layer::of_answers(evidence));
            heard.see_more(evidence);
        }
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
        let (Some(check), Some(heard)) = (self.matrix.check(index), self.heard.get_mut(index))
        else {
            return;
        };
        let expectation = &check.demand.expectation;
        let other = Sight {
            reading: *reading,
            status: *status,
            second: *second,
            effect: *effect,
            gap: *gap,
            by: Layer::of_answers(evidence),
            repeats: Repeats::default(),
        };
        heard.sight = heard.sight.and_then(other, Demanded { expectation, shape });
        if !evidence.is_empty() {
            heard.see_more(evidence);
        }
    }

    fn note_door(&mut self, door: Door, answers: Option<bool>, detail: &str) {
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

    fn note_requirement(&mut self, checked: Checked) {
        let known = &mut self.requirements;
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
