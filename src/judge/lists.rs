//! What `tools/list` showed to whom in, what of it differs from the matrix out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::hint::Hint;
use super::law;
use super::outcome::Reading;
use super::roll::{Conclusion, Roll};
use super::roster;
use super::verdict::VerdictKind;
use super::waived::Waivers;
use crate::cell::{Door, PersonaName};
use crate::code::Code;
use crate::door::{Ended, Shown, Tool};
use crate::plan::{Check, Column};
use crate::scenario::{LeftOut, Undeclared};

/// Characters of a tool's name in a sentence.
const NAME: usize = 64;

/// Tools that a finding names for machines; a sentence names fewer.
const MOST: usize = 64;
/// Bytes of such a name.
const NAMED: usize = 256;

/// The list of one persona at one door.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Listed {
    /// Who asked.
    pub persona: PersonaName,
    /// Where.
    pub door: Door,
    /// What it was shown.
    #[serde(flatten)]
    pub shown: Shown,
}

/// A call of a tool that no operation names, by somebody who may do little.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Attempt {
    /// Who called.
    pub persona: PersonaName,
    /// Where.
    pub door: Door,
    /// Which tool.
    pub tool: String,
    /// HTTP status, 0 when there was none.
    pub status: u16,
    /// What the answer means.
    #[serde(flatten)]
    pub reading: Reading,
}

/// Every list of a run beside its matrix.
#[derive(Debug)]
pub struct Lists<'l> {
    /// What was seen of the cells.
    pub roll: &'l Roll<'l>,
    /// The tool that each operation names, by its index.
    pub tools: &'l [Option<&'l str>],
    /// One entry a persona and open MCP door; nothing for whoever was not asked.
    pub lists: &'l [Listed],
    /// Calls of tools that no operation names.
    pub attempts: &'l [Attempt],
    /// What such tools are to the author.
    pub undeclared: Undeclared,
    /// Tools that no operation has to name.
    pub left_out: &'l [LeftOut],
    /// What somebody accepts for a while.
    pub waivers: Waivers<'l>,
}

/// The tool among those that these lists show at a door, and no operation names, whose call is harmless: it says that it
/// only reads, and its name is one that can be asked for. The first by name.
pub fn harmless<'l>(
    lists: &'l [Listed],
    tools: &[Option<&str>],
    left_out: &[LeftOut],
    door: Door,
) -> Option<&'l str> {
    let here = lists.iter().filter(|listed| listed.door == door);
    let shown = here.flat_map(|listed| &listed.shown.tools);
    let is_named = |tool: &Tool| {
        let covered = left_out.iter().any(|one| one.covers_tool(&tool.name));
        covered || tools.contains(&Some(&tool.name))
    };
    let harmless =
        shown.filter(|tool| !is_named(tool) && tool.says_that_it_only_reads() && tool.is_plain());
    harmless.map(|tool| tool.name.as_str()).min()
}

impl Lists<'_> {
    /// The conclusion with what the lists add to it. A call that leaks is told by its cell, whatever the list shows.
    pub fn add_to(&self, conclusion: Conclusion) -> Conclusion {
        // Where nobody was asked there is nothing to compare.
        if self.lists.is_empty() && self.attempts.is_empty() {
            return conclusion;
        }
        Comparison::of(self).add_to(conclusion)
    }

    /// Whether a finding about a tool was looked for, and is not so: everybody's list was read and nobody's shows it, or it
    /// was called by whoever may do nothing, and no call got through.
    pub fn is_sound(&self, code: Code, tool: &str) -> bool {
        let comparison = Comparison::of(self);
        if code == Code::UndeclaredTool {
            comparison.is_gone(tool)
        } else {
            code == Code::DenyList && comparison.is_refused(tool)
        }
    }
}

/// A tool that no operation names, and who is shown it where.
struct Stray<'l> {
    tool: &'l Tool,
    personas: BTreeSet<usize>,
    doors: BTreeSet<Door>,
}

/// What is known of one persona at one door.
#[derive(Clone, Default)]
struct Entry<'l> {
    /// Its list, with the names in it.
    list: Option<(&'l Shown, HashSet<&'l str>)>,
    /// How many calls of the whole plan it may make.
    allowed: u32,
    /// Whether any of its calls got through.
    through: bool,
    /// Whether a call of a tool got through.
    tool_through: bool,
}

/// The lists, sorted by persona and door.
struct Comparison<'l> {
    roll: &'l Roll<'l>,
    tools: &'l [Option<&'l str>],
    attempts: &'l [Attempt],
    lists: &'l [Listed],
    undeclared: Undeclared,
    left_out: &'l [LeftOut],
    waivers: Waivers<'l>,
    declared: HashSet<&'l str>,
    entries: Vec<[Entry<'l>; 3]>,
}

impl<'l> Comparison<'l> {
    fn of(lists: &Lists<'l>) -> Self {
        let mut comparison = Self {
            roll: lists.roll,
            tools: lists.tools,
            attempts: lists.attempts,
            lists: lists.lists,
            undeclared: lists.undeclared,
            left_out: lists.left_out,
            waivers: lists.waivers,
            declared: lists.tools.iter().copied().flatten().collect(),
            entries: vec![Default::default(); lists.roll.matrix.personas.len()],
        };
        for (entries, rights) in comparison
            .entries
            .iter_mut()
            .zip(lists.roll.matrix.rights())
        {
            for (entry, allowed) in entries.iter_mut().zip(rights) {
                entry.allowed = allowed;
            }
        }
        for check in lists.roll.matrix.checks() {
            let through = comparison.got_through(&check);
            let entry = &mut comparison.entries[check.persona][check.door.index()];
            entry.through |= through;
            entry.tool_through |= through && lists.tools[check.operation].is_some();
        }
        for listed in lists.lists {
            if let Some(persona) = comparison.index(&listed.persona) {
                let names = listed.shown.tools.iter().map(|tool| tool.name.as_str());
                comparison.entries[persona][listed.door.index()].list =
                    Some((&listed.shown, names.collect()));
            }
        }
        comparison
    }

    fn add_to(&self, conclusion: Conclusion) -> Conclusion {
        let missing = self.missing();
        let conclusion = self.explained(conclusion, &missing);
        let mut findings = Vec::new();
        let strays = self.by_waiver(self.undeclared_tools());
        findings.extend(strays.iter().filter_map(|(waiver, strays)| {
            let finding = self.strays(strays)?;
            Some(Finding {
                waiver: *waiver,
                ..finding
            })
        }));
        findings.extend(self.unread());
        findings.extend(self.reached());
        findings.extend(self.missed(&conclusion, &missing));
        findings.extend(self.shown_in_vain(&conclusion));
        findings.extend(self.hidden(&conclusion, &missing));
        conclusion.with(findings)
    }

    fn undeclared_tools(&self) -> BTreeMap<&'l str, Stray<'l>> {
        let mut strays: BTreeMap<&str, Stray<'_>> = BTreeMap::new();
        for listed in self.lists {
            let Some(persona) = self.index(&listed.persona) else {
                continue;
            };
            let tools = listed.shown.tools.iter();
            for tool in tools.filter(|tool| !self.is_named(&tool.name)) {
                let stray = strays.entry(&tool.name).or_insert_with(|| Stray {
                    tool,
                    personas: BTreeSet::new(),
                    doors: BTreeSet::new(),
                });
                stray.personas.insert(persona);
                stray.doors.insert(listed.door);
            }
        }
        strays
    }

    /// Whether an operation names a tool, or none has to.
    fn is_named(&self, tool: &str) -> bool {
        let mut left_out = self.left_out.iter();
        self.declared.contains(tool) || left_out.any(|one| one.covers_tool(tool))
    }

    /// The same by the waiver that accepts each, so that one that is accepted hides no other.
    fn by_waiver(
        &self,
        strays: BTreeMap<&'l str, Stray<'l>>,
    ) -> BTreeMap<Option<u16>, BTreeMap<&'l str, Stray<'l>>> {
        let mut groups: BTreeMap<Option<u16>, BTreeMap<&str, Stray<'_>>> = BTreeMap::new();
        for (name, stray) in strays {
            let code = self.code_of_strays();
            let waiver = code.and_then(|code| self.waivers.of_name(code, name));
            groups.entry(waiver).or_default().insert(name, stray);
        }
        groups
    }

    fn strays(&self, strays: &BTreeMap<&str, Stray<'_>>) -> Option<Finding> {
        let code = self.code_of_strays()?;
        if strays.is_empty() {
            return None;
        }
        let personas: BTreeSet<usize> = strays
            .values()
            .flat_map(|one| &one.personas)
            .copied()
            .collect();
        let doors: BTreeSet<Door> = strays
            .values()
            .flat_map(|one| &one.doors)
            .copied()
            .collect();
        let names: Vec<String> = strays.values().map(|stray| described(stray.tool)).collect();
        let names = roster::list(names.iter().map(String::as_str).collect());
        let (verb, who) = (are(personas.len()), self.names(&personas));
        let place = at(doors);
        let tried = if code == Code::UndeclaredTool {
            self.tried(strays)
        } else {
            String::new()
        };
        let detail = format!("{who} {verb} shown {names} at {place}{tried}");
        // A server may list what it likes; what is accepted is as short as its waiver.
        let names = strays.keys().copied().filter(|name| name.len() <= NAMED);
        Some(Finding::new(code, detail, Vec::new()).about(names.take(MOST)))
    }

    fn code_of_strays(&self) -> Option<Code> {
        match self.undeclared {
            Undeclared::Fail => Some(Code::UndeclaredTool),
            Undeclared::Warn => Some(Code::UndeclaredToolNoted),
            Undeclared::Ignore => None,
        }
    }

    /// What a call of one of them showed. By somebody who may do something it proves no more than that it can be called.
    fn tried(&self, strays: &BTreeMap<&str, Stray<'_>>) -> String {
        let is_own = |attempt: &Attempt| strays.contains_key(attempt.tool.as_str());
        if self.attempts.iter().any(is_own) {
            let told = self.reach(|attempt, persona| is_own(attempt) && !self.may_nothing(persona));
            return told.map_or_else(String::new, |(told, _)| format!("; {told}"));
        }
        let untried = "; whether a persona with fewer rights gets through to them was not tried";
        let safe = |door| harmless(self.lists, self.tools, self.left_out, door).is_some();
        let mut doors = strays.values().flat_map(|stray| &stray.doors);
        if doors.any(|door| safe(*door)) {
            untried.to_owned()
        } else {
            format!("{untried}, because none says that it only reads")
        }
    }

    /// Lists that may hide what nobody declared: those of personas that get through at the door, and were not read to
    /// their end. Who may list nothing is shown nothing, but then somebody who may most must have been shown all.
    fn unread(&self) -> Option<Finding> {
        let code = match self.undeclared {
            Undeclared::Fail => Code::ListUnread,
            Undeclared::Warn => Code::UndeclaredToolNoted,
            Undeclared::Ignore => return None,
        };
        let mut reasons: Vec<(String, BTreeSet<usize>, BTreeSet<Door>)> = Vec::new();
        for listed in self.lists {
            let Some(persona) = self.index(&listed.persona) else {
                continue;
            };
            if !self.is_missed(persona, listed.door, listed.shown.ended) {
                continue;
            }
            let why = unread_words(&listed.shown);
            match reasons.iter_mut().find(|(known, _, _)| *known == why) {
                Some((_, personas, doors)) => {
                    personas.insert(persona);
                    doors.insert(listed.door);
                }
                None => reasons.push((why, [persona].into(), [listed.door].into())),
            }
        }
        let clause = |(why, personas, doors): (String, BTreeSet<usize>, BTreeSet<Door>)| {
            let who = self.names(&personas);
            format!("the list of {who} at {} {why}", at(doors))
        };
        let clauses: Vec<String> = reasons.into_iter().map(clause).collect();
        (!clauses.is_empty()).then(|| Finding::new(code, clauses.join("; "), Vec::new()))
    }

    fn is_missed(&self, persona: usize, door: Door, ended: Ended) -> bool {
        let entry = &self.entries[persona][door.index()];
        match ended {
            Ended::Whole => false,
            Ended::Cut | Ended::Unread => entry.through,
            Ended::Refused => self.lead(door) == Some(persona),
            Ended::Absent => entry.tool_through,
        }
    }

    /// The persona that is allowed most at a door, of those that get through there; of several the first.
    fn lead(&self, door: Door) -> Option<usize> {
        let entry = |persona: usize| &self.entries[persona][door.index()];
        let signs_in = |persona: usize| self.roll.matrix.personas[persona].signs_in;
        let personas = (0..self.entries.len()).rev();
        personas
            .filter(|persona| signs_in(*persona) && entry(*persona).through)
            .max_by_key(|persona| entry(*persona).allowed)
    }

    fn got_through(&self, check: &Check<'_>) -> bool {
        let reading = self.roll.sight(check.index).reading;
        reading.is_some_and(|reading| reading.outcome.got_through())
    }

    /// Calls of tools that no operation names, by somebody who may do nothing: no rule lets that through. What a waiver
    /// accepts stands apart.
    fn reached(&self) -> Vec<Finding> {
        let waiver = |attempt: &Attempt| self.waivers.of_name(Code::DenyList, &attempt.tool);
        let waivers: BTreeSet<Option<u16>> = self.attempts.iter().map(waiver).collect();
        let reached = waivers.into_iter().filter_map(|own| {
            self.reach(|attempt, persona| waiver(attempt) == own && self.may_nothing(persona))
        });
        reached
            .map(|(detail, tools)| Finding::new(Code::DenyList, detail, Vec::new()).about(tools))
            .collect()
    }

    /// Who reached which tools where, of the calls that count.
    fn reach(
        &self,
        counts: impl Fn(&Attempt, usize) -> bool,
    ) -> Option<(String, BTreeSet<&'l str>)> {
        let reached = |attempt: &&Attempt| {
            let persona = self.index(&attempt.persona);
            law::reached(attempt.reading.outcome)
                && persona.is_some_and(|persona| counts(attempt, persona))
        };
        let attempts: Vec<&Attempt> = self.attempts.iter().filter(reached).collect();
        let persona = &attempts.first()?.persona;
        let doors = attempts.iter().map(|attempt| attempt.door).collect();
        let tools = attempts.iter().map(|attempt| attempt.tool.as_str());
        let tools: BTreeSet<&str> = tools.collect();
        let names = roster::list(tools.iter().copied().collect());
        let place = at(doors);
        let detail = format!("{persona} called {names} at {place} and got through to it");
        Some((detail, tools))
    }

    /// Whether all lists were read and none shows this tool.
    fn is_gone(&self, tool: &str) -> bool {
        let mut doors = self
            .roll
            .matrix
            .doors
            .iter()
            .filter(|door| door.speaks_mcp());
        let (Undeclared::Fail, Some(_)) = (self.undeclared, self.lists.first()) else {
            return false;
        };
        doors.all(|door| {
            self.is_whole(*door) && !self.lists_at(*door).any(|(_, names)| names.contains(tool))
        })
    }

    /// Whether somebody who may do nothing called this tool, and got through nowhere.
    fn is_refused(&self, tool: &str) -> bool {
        let mut calls = self.attempts.iter().filter(|attempt| {
            let persona = self.index(&attempt.persona);
            attempt.tool == tool && persona.is_some_and(|persona| self.may_nothing(persona))
        });
        let refused = |attempt: &Attempt| {
            let outcome = attempt.reading.outcome;
            !law::reached(outcome) && !outcome.is_silent()
        };
        calls.clone().next().is_some() && calls.all(refused)
    }

    /// Whether a persona has no role, or is allowed nothing.
    fn may_nothing(&self, persona: usize) -> bool {
        let roles = self.roll.matrix.personas[persona].roles.as_ref();
        let allowed = self.entries[persona].iter().any(|entry| entry.allowed > 0);
        roles.is_some_and(Vec::is_empty) || !allowed
    }

    /// Operations with the doors where nobody's list shows their tool, though all of it was read.
    fn missing(&self) -> Vec<(usize, Door)> {
        let doors = self.roll.matrix.doors.iter().copied();
        let whole = doors.filter(|door| self.is_whole(*door));
        let missing = whole.flat_map(|door| {
            let named = self.tools.iter().enumerate();
            let own = named.filter(|(operation, _)| !self.is_elsewhere(*operation));
            own.filter_map(move |(operation, tool)| {
                let is_shown =
                    |tool: &str| self.lists_at(door).any(|(_, names)| names.contains(tool));
                tool.filter(|tool| !is_shown(tool))
                    .map(|_| (operation, door))
            })
        });
        missing.collect()
    }

    fn is_elsewhere(&self, operation: usize) -> bool {
        let column = self.roll.matrix.operations.get(operation);
        column.is_some_and(Column::is_elsewhere)
    }

    fn lists_at(&self, door: Door) -> impl Iterator<Item = &(&'l Shown, HashSet<&'l str>)> {
        self.entries
            .iter()
            .filter_map(move |entries| entries[door.index()].list.as_ref())
    }

    /// Whether all that anybody is shown at a door was read.
    fn is_whole(&self, door: Door) -> bool {
        let ended = |persona: usize| {
            self.entries[persona][door.index()]
                .list
                .as_ref()
                .map(|(shown, _)| shown.ended)
        };
        let of_lead = self.lead(door).and_then(ended);
        let mut lists = self.lists_at(door);
        of_lead == Some(Ended::Whole)
            && !lists.any(|(shown, _)| matches!(shown.ended, Ended::Cut | Ended::Unread))
    }

    /// Whoever is locked out of a tool that is not there has no problem with its role.
    fn explained(&self, mut conclusion: Conclusion, missing: &[(usize, Door)]) -> Conclusion {
        for finding in &mut conclusion.findings {
            let of_missing = |cell: &usize| {
                let check = self.roll.matrix.check(*cell);
                check.is_some_and(|check| missing.contains(&(check.operation, check.door)))
            };
            let fails = matches!(finding.code, Code::Broken | Code::Lockout);
            if fails
                && finding.hint.is_none()
                && !finding.cells.is_empty()
                && finding.cells.iter().all(of_missing)
            {
                finding.hint = Some(Hint::ToolMissing);
            }
        }
        conclusion
    }

    /// Tools that are in nobody's list, where no other finding says so.
    fn missed(&self, conclusion: &Conclusion, missing: &[(usize, Door)]) -> Option<Finding> {
        let told = |place: &(usize, Door)| {
            let explained = conclusion
                .findings
                .iter()
                .filter(|finding| finding.hint == Some(Hint::ToolMissing));
            let mut checks = explained
                .flat_map(|finding| &finding.cells)
                .filter_map(|cell| self.roll.matrix.check(*cell));
            checks.any(|check| (check.operation, check.door) == *place)
        };
        let untold: Vec<(usize, Door)> = missing
            .iter()
            .copied()
            .filter(|place| !told(place))
            .collect();
        if untold.is_empty() {
            return None;
        }
        let tools: BTreeSet<&str> = untold
            .iter()
            .filter_map(|(operation, _)| self.tools[*operation])
            .collect();
        let verb = are(tools.len());
        let tools = roster::list(tools.into_iter().collect());
        let place = at(untold.iter().map(|(_, door)| *door).collect());
        let cells = self.cells(conclusion, |check, through| {
            through && untold.contains(&(check.operation, check.door))
        });
        let called = if cells.is_empty() {
            ""
        } else {
            ", and gets called"
        };
        let detail = format!("{tools} {verb} in nobody's list at {place}{called}");
        Some(Finding::new(Code::DeclaredToolMissing, detail, cells))
    }

    /// Tools that a persona is shown and, as demanded, refused.
    fn shown_in_vain(&self, conclusion: &Conclusion) -> Option<Finding> {
        let cells = self.cells(conclusion, |check, through| {
            !through && self.tool_shown_to(check) == Some(true)
        });
        self.about(
            Code::ListedButRefused,
            cells,
            "lists and, as demanded, may not call",
        )
    }

    /// Tools that a persona may call and, unlike others, is not shown.
    fn hidden(&self, conclusion: &Conclusion, missing: &[(usize, Door)]) -> Option<Finding> {
        let cells = self.cells(conclusion, |check, through| {
            through
                && self.tool_shown_to(check) == Some(false)
                && !missing.contains(&(check.operation, check.door))
        });
        self.about(Code::HiddenButCallable, cells, "may call and is not shown")
    }

    fn about(&self, code: Code, cells: Vec<usize>, deed: &str) -> Option<Finding> {
        let detail = roster::tell(self.roll.matrix, &cells, deed);
        (!cells.is_empty()).then(|| Finding::new(code, detail, cells))
    }

    /// Cells that passed, with whether their call got through, at doors where some list says of a tool whether it is there.
    fn cells(
        &self,
        conclusion: &Conclusion,
        pick: impl Fn(&Check<'_>, bool) -> bool,
    ) -> Vec<usize> {
        let passed = |check: &Check<'_>| {
            let verdict = conclusion
                .verdicts
                .get(check.index)
                .and_then(Option::as_ref);
            verdict.is_some_and(|verdict| verdict.kind == VerdictKind::Pass)
        };
        let says = |door: Door| {
            let mut lists = self.lists_at(door);
            lists.any(|(shown, names)| !names.is_empty() || shown.ended == Ended::Whole)
        };
        let matrix = self.roll.matrix;
        let doors = matrix.doors.iter().enumerate();
        let told = doors.filter(|(_, door)| says(**door));
        let checks = told.flat_map(|(place, _)| matrix.checks_at(place));
        let picked = checks.filter(|check| passed(check) && pick(check, self.got_through(check)));
        let mut cells: Vec<usize> = picked.map(|check| check.index).collect();
        cells.sort_unstable();
        cells
    }

    /// Whether a cell's tool is in the list of its persona; `None` where it calls none, or the list does not say.
    fn tool_shown_to(&self, check: &Check<'_>) -> Option<bool> {
        let tool = self.tools[check.operation]?;
        let (shown, names) = self.entries[check.persona][check.door.index()]
            .list
            .as_ref()?;
        let is_shown = names.contains(tool);
        (is_shown || shown.ended == Ended::Whole).then_some(is_shown)
    }

    fn index(&self, persona: &PersonaName) -> Option<usize> {
        let mut personas = self.roll.matrix.personas.iter();
        personas.position(|row| row.name == *persona)
    }

    fn names(&self, personas: &BTreeSet<usize>) -> String {
        let name = |persona: &usize| self.roll.matrix.personas[*persona].name.as_str();
        roster::list(personas.iter().map(name).collect())
    }
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn at(doors: BTreeSet<Door>) -> String {
    roster::list(doors.into_iter().map(Door::name).collect())
}

fn unread_words(shown: &Shown) -> String {
    let why = &shown.why;
    match shown.ended {
        Ended::Cut => format!("was not read to its end: {why}"),
        Ended::Refused => format!("is refused: {why}"),
        Ended::Absent => format!("is not offered: {why}"),
        Ended::Whole | Ended::Unread => format!("could not be read: {why}"),
    }
}

/// A tool with what its annotations say of it.
fn described(tool: &Tool) -> String {
    let mut name: String = tool.name.chars().take(NAME).collect();
    if name.len() < tool.name.len() {
        name.push('…');
    }
    let says = match (tool.read_only, tool.destructive) {
        (_, Some(true)) => "says that it destroys",
        (Some(true), _) => "says that it only reads",
        (_, Some(false)) => "says that it destroys nothing",
        (_, None) => "does not say whether it destroys",
    };
    format!("{name} ({says})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::OperationName;
    use crate::judge::{Effect, Outcome, Sight, Sights};
    use crate::plan::{Column, Matrix, Row};
    use crate::scenario::{Demand, Expectation, RefusalShape};
    use crate::waiver::Dated;

    const PERSONAS: [&str; 3] = ["reader", "admin", "anonymous"];
    /// A tool for both, a tool for admins, and something that is no tool.
    const TOOLS: [Option<&str>; 3] = [Some("list"), Some("drop"), None];
    const DOORS: [Door; 2] = [Door::Mcp, Door::McpLegacy];

    fn demanded(persona: usize, operation: usize) -> Expectation {
        match (persona, operation) {
            (2, _) => Expectation::Unauthenticated,
            (0, 1) => Expectation::Forbidden,
            _ => Expectation::Allow,
        }
    }

    fn matrix() -> Matrix {
        let row = |name: &&str| Row {
            name: PersonaName::new(*name),
            roles: Some(vec![(*name).to_owned()]),
            signs_in: *name != "anonymous",
        };
        let column = |operation: usize| {
            let demand = |persona: usize| {
                let demand = Demand {
                    expectation: demanded(persona, operation),
                    line: 1,
                };
                [None, Some(demand.clone()), Some(demand)]
            };
            Column {
                name: OperationName::new(["list", "drop", "discover"][operation]),
                mutates: false,
                demands: (0..PERSONAS.len()).map(demand).collect(),
            }
        };
        Matrix {
            personas: PERSONAS.iter().map(row).collect(),
            operations: (0..TOOLS.len()).map(column).collect(),
            doors: DOORS.to_vec(),
            ..Matrix::default()
        }
    }

    fn sound(check: &Check<'_>) -> Outcome {
        match demanded(check.persona, check.operation) {
            Expectation::Allow => Outcome::Granted,
            Expectation::Unauthenticated => Outcome::Unauthenticated,
            Expectation::Forbidden
            | Expectation::Deny
            | Expectation::Hidden
            | Expectation::Statuses(_) => Outcome::Forbidden,
        }
    }

    fn tool(name: &str, read_only: Option<bool>, destructive: Option<bool>) -> Tool {
        Tool {
            name: name.to_owned(),
            read_only,
            destructive,
        }
    }

    fn plain(name: &str) -> Tool {
        tool(name, None, None)
    }

    fn listed(persona: &str, door: Door, tools: &[Tool], ended: Ended) -> Listed {
        Listed {
            persona: PersonaName::new(persona),
            door,
            shown: Shown {
                tools: tools.to_vec(),
                public: false,
                ended,
                why: "why".to_owned(),
            },
        }
    }

    fn attempt(persona: &str, door: Door, tool: &str, outcome: Outcome) -> Attempt {
        Attempt {
            persona: PersonaName::new(persona),
            door,
            tool: tool.to_owned(),
            status: 200,
            reading: Reading::plain(outcome),
        }
    }

    fn waiver(finding: &str, about: &str) -> Dated {
        serde_json::from_value(serde_json::json!({
            "finding": finding, "about": [about], "reason": "r", "owner": "o", "until": "2026-12-31", "line": 7,
            "days_left": 99,
        }))
        .unwrap()
    }

    /// The same lists at both doors.
    fn both(lists: &[(&str, &[Tool], Ended)]) -> Vec<Listed> {
        let at = |door: Door| {
            let lists = lists.iter();
            lists.map(move |(persona, tools, ended)| listed(persona, door, tools, *ended))
        };
        DOORS.into_iter().flat_map(at).collect()
    }

    /// What is so, what is listed, and the findings with the number of their cells.
    type Comparing = (&'static str, Vec<Listed>, &'static [(Code, usize)]);

    struct Case<'c> {
        lists: Vec<Listed>,
        attempts: Vec<Attempt>,
        undeclared: Undeclared,
        left_out: Vec<LeftOut>,
        waivers: Vec<Dated>,
        /// Operations that another shard calls.
        elsewhere: Vec<usize>,
        outcome: &'c dyn Fn(&Check<'_>) -> Outcome,
    }

    impl Case<'_> {
        fn new(lists: Vec<Listed>) -> Self {
            Self {
                lists,
                attempts: Vec::new(),
                undeclared: Undeclared::Fail,
                left_out: Vec::new(),
                waivers: Vec::new(),
                elsewhere: Vec::new(),
                outcome: &sound,
            }
        }

        fn findings(&self) -> Vec<Finding> {
            self.compared(|lists| lists.add_to(lists.roll.conclude()).findings)
        }

        fn is_sound(&self, code: Code, tool: &str) -> bool {
            self.compared(|lists| lists.is_sound(code, tool))
        }

        fn compared<T>(&self, of: impl Fn(&Lists<'_>) -> T) -> T {
            let mut matrix = matrix();
            for operation in &self.elsewhere {
                matrix.operations[*operation].demands = [].into();
            }
            let sight = |check: Check<'_>| Sight {
                reading: Some(Reading::plain((self.outcome)(&check))),
                status: 200,
                effect: Effect::Unchecked,
                ..Sight::default()
            };
            let sights: Vec<Sight> = (0..matrix.len())
                .map(|index| matrix.check(index).map(sight).unwrap_or_default())
                .collect();
            let roll = Roll {
                matrix: &matrix,
                sights: Sights::of(&sights),
                mcp_refuses: RefusalShape::Any,
                earlier: &[],
                shown: &[],
            };
            let lists = Lists {
                roll: &roll,
                tools: &TOOLS,
                lists: &self.lists,
                attempts: &self.attempts,
                undeclared: self.undeclared,
                left_out: &self.left_out,
                waivers: Waivers(&self.waivers),
            };
            of(&lists)
        }

        fn codes(&self) -> Vec<(Code, usize)> {
            let findings = self.findings();
            findings
                .iter()
                .map(|finding| (finding.code, finding.cells.len()))
                .collect()
        }
    }

    #[test]
    fn what_the_lists_show_is_compared_with_the_matrix() {
        use Ended::{Absent, Cut, Refused, Unread, Whole};
        let all = [plain("list"), plain("drop")];
        let more = [plain("list"), plain("drop"), plain("purge")];
        let one = [plain("list")];
        let cases: [Comparing; 14] = [
            (
                "not filtered",
                both(&[("reader", &all, Whole), ("admin", &all, Whole)]),
                &[(Code::ListedButRefused, 2)],
            ),
            (
                "filtered",
                both(&[("reader", &one, Whole), ("admin", &all, Whole)]),
                &[],
            ),
            (
                "one more for admins",
                both(&[("reader", &one, Whole), ("admin", &more, Whole)]),
                &[(Code::UndeclaredTool, 0)],
            ),
            (
                "one more for readers alone",
                both(&[
                    ("reader", &[plain("list"), plain("purge")], Whole),
                    ("admin", &all, Whole),
                ]),
                &[(Code::UndeclaredTool, 0)],
            ),
            (
                "hidden from readers, who may",
                both(&[("reader", &[], Whole), ("admin", &all, Whole)]),
                &[(Code::HiddenButCallable, 2)],
            ),
            (
                "in nobody's list",
                both(&[("reader", &one, Whole), ("admin", &one, Whole)]),
                &[(Code::DeclaredToolMissing, 2)],
            ),
            (
                "the most privileged was not read to the end",
                both(&[("reader", &one, Whole), ("admin", &one, Cut)]),
                &[(Code::ListUnread, 0)],
            ),
            (
                "the least privileged was not read",
                both(&[("reader", &[], Unread), ("admin", &all, Whole)]),
                &[(Code::ListUnread, 0)],
            ),
            (
                "the least privileged may not list",
                both(&[("reader", &[], Refused), ("admin", &all, Whole)]),
                &[],
            ),
            (
                "the most privileged may not list",
                both(&[("reader", &one, Whole), ("admin", &[], Refused)]),
                &[(Code::ListUnread, 0)],
            ),
            (
                "tools without a list",
                both(&[("reader", &[], Absent), ("admin", &[], Absent)]),
                &[(Code::ListUnread, 0)],
            ),
            (
                "cut, and something undeclared before",
                both(&[("reader", &one, Whole), ("admin", &more, Cut)]),
                &[(Code::UndeclaredTool, 0), (Code::ListUnread, 0)],
            ),
            (
                "at one door alone",
                vec![
                    listed("admin", Door::Mcp, &all, Whole),
                    listed("admin", Door::McpLegacy, &more, Whole),
                ],
                &[(Code::UndeclaredTool, 0)],
            ),
            ("nobody was asked", vec![], &[]),
        ];
        for (name, lists, expected) in cases {
            assert_eq!(Case::new(lists).codes(), expected, "{name}");
        }
    }

    #[test]
    fn the_author_may_know_that_there_is_more() {
        let more = [plain("list"), plain("drop"), plain("purge")];
        let table = [
            (Ended::Whole, Undeclared::Fail, vec![Code::UndeclaredTool]),
            (
                Ended::Whole,
                Undeclared::Warn,
                vec![Code::UndeclaredToolNoted],
            ),
            (Ended::Whole, Undeclared::Ignore, vec![]),
            (
                Ended::Cut,
                Undeclared::Warn,
                vec![Code::UndeclaredToolNoted; 2],
            ),
            (Ended::Cut, Undeclared::Ignore, vec![]),
        ];
        for (ended, undeclared, expected) in table {
            let case = Case {
                undeclared,
                ..Case::new(both(&[("admin", &more, ended)]))
            };
            let codes: Vec<Code> = case.codes().iter().map(|(code, _)| *code).collect();
            assert_eq!(codes, expected, "{ended:?} {undeclared:?}");
        }
    }

    #[test]
    fn a_list_that_nobody_gets_through_beside_is_told_by_the_cells() {
        let nobody = |_: &Check<'_>| Outcome::NoAnswer;
        let case = Case {
            outcome: &nobody,
            ..Case::new(both(&[
                ("reader", &[], Ended::Unread),
                ("admin", &[], Ended::Refused),
            ]))
        };
        assert!(case.codes().iter().all(|(code, _)| *code == Code::NoAnswer));
    }

    #[test]
    fn a_leak_is_told_once_whatever_the_list_shows() {
        let open = |check: &Check<'_>| match check.persona {
            2 => Outcome::Unauthenticated,
            _ => Outcome::Granted,
        };
        for tools in [&[plain("list")][..], &[plain("list"), plain("drop")]] {
            let case = Case {
                outcome: &open,
                ..Case::new(both(&[
                    ("reader", tools, Ended::Whole),
                    ("admin", &[plain("list"), plain("drop")], Ended::Whole),
                ]))
            };
            assert_eq!(case.codes(), [(Code::Leak, 2)]);
        }
    }

    #[test]
    fn a_tool_that_is_not_there_is_the_cause_of_what_fails() {
        let gone = |check: &Check<'_>| match (check.operation, sound(check)) {
            (1, Outcome::Granted) => Outcome::Hidden,
            (_, outcome) => outcome,
        };
        let one = [plain("list")];
        let lists = both(&[
            ("reader", &one, Ended::Whole),
            ("admin", &one, Ended::Whole),
        ]);
        let case = Case {
            outcome: &gone,
            ..Case::new(lists)
        };
        let findings = case.findings();
        assert_eq!(case.codes(), [(Code::Broken, 2)]);
        assert_eq!(findings[0].hint, Some(Hint::ToolMissing));
        let all = [plain("list"), plain("drop")];
        let lists = both(&[
            ("reader", &one, Ended::Whole),
            ("admin", &all, Ended::Whole),
        ]);
        let case = Case {
            outcome: &gone,
            ..Case::new(lists)
        };
        assert_eq!(case.findings()[0].hint, None);
    }

    #[test]
    fn only_a_call_of_somebody_who_may_nothing_shows_a_deny_list() {
        let more = [
            plain("list"),
            plain("drop"),
            tool("export", Some(true), None),
        ];
        for (outcome, reached) in [
            (Outcome::Granted, true),
            (Outcome::ToolError, true),
            (Outcome::Forbidden, false),
            (Outcome::RefusedInBand, false),
            (Outcome::Hidden, false),
            (Outcome::Rejected, false),
            (Outcome::NoAnswer, false),
        ] {
            for (persona, may_nothing) in [("reader", false), ("anonymous", true)] {
                let case = Case {
                    attempts: DOORS
                        .map(|door| attempt(persona, door, "export", outcome))
                        .into(),
                    ..Case::new(both(&[("admin", &more, Ended::Whole)]))
                };
                let told =
                    format!("{persona} called export at mcp and mcp-legacy and got through to it");
                let telling: Vec<Code> = case
                    .findings()
                    .iter()
                    .filter(|finding| finding.detail.contains(&told))
                    .map(|finding| finding.code)
                    .collect();
                let expected = match (reached, may_nothing) {
                    (false, _) => vec![],
                    (true, false) => vec![Code::UndeclaredTool],
                    (true, true) => vec![Code::DenyList],
                };
                assert_eq!(telling, expected, "{persona} {outcome:?}");
            }
        }
    }

    #[test]
    fn tools_are_named_with_what_they_say_and_capped() {
        let mut more = vec![
            tool("a-purge", Some(false), Some(true)),
            tool("b-export", Some(true), None),
            tool("c-liar", Some(true), Some(true)),
            tool("d-add", None, Some(false)),
            tool(&"e".repeat(200), None, None),
        ];
        let few = Case::new(both(&[("admin", &more, Ended::Whole)])).findings();
        let detail = &few[0].detail;
        for part in [
            "admin is shown a-purge (says that it destroys), b-export (says that it only reads), ",
            "c-liar (says that it destroys), d-add (says that it destroys nothing) and ",
            &format!(
                "{}… (does not say whether it destroys) at mcp and mcp-legacy; whether",
                "e".repeat(NAME)
            ),
        ] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
        assert!(!detail.contains("none says that it only reads"));
        more.remove(1);
        more.extend((0..100).map(|number| plain(&format!("f{number}"))));
        let many = Case::new(both(&[("admin", &more, Ended::Whole)])).findings();
        let detail = &many[0].detail;
        assert!(
            detail.contains(" and 97 more at ")
                && detail.ends_with("because none says that it only reads"),
            "{detail}"
        );
    }

    #[test]
    fn only_what_says_that_it_reads_and_has_a_plain_name_is_harmless() {
        let reads = |name: &str| tool(name, Some(true), Some(false));
        let table: [(&[Tool], Option<&str>); 5] = [
            (&[reads("z"), reads("b")], Some("b")),
            (&[reads("list"), plain("x")], None),
            (&[tool("x", Some(true), Some(true))], None),
            (&[reads("[redacted]"), reads("two words")], None),
            (&[], None),
        ];
        for (tools, expected) in table {
            let lists = [
                listed("admin", Door::Mcp, tools, Ended::Cut),
                listed("admin", Door::McpLegacy, &[reads("a")], Ended::Whole),
            ];
            assert_eq!(
                harmless(&lists, &TOOLS, &[], Door::Mcp),
                expected,
                "{tools:?}"
            );
        }
    }

    #[test]
    fn a_tool_is_gone_where_all_lists_were_read_and_none_shows_it() {
        use Ended::{Cut, Whole};
        let (one, more) = ([plain("list")], [plain("list"), plain("purge")]);
        let cases = [
            (
                "nobody is shown it",
                both(&[("admin", &one, Whole)]),
                Undeclared::Fail,
                true,
            ),
            (
                "somebody is",
                both(&[("reader", &more, Whole), ("admin", &one, Whole)]),
                Undeclared::Fail,
                false,
            ),
            (
                "at one door",
                vec![
                    listed("admin", Door::Mcp, &one, Whole),
                    listed("admin", Door::McpLegacy, &more, Whole),
                ],
                Undeclared::Fail,
                false,
            ),
            (
                "a list was not read to its end",
                both(&[("admin", &one, Cut)]),
                Undeclared::Fail,
                false,
            ),
            ("nobody was asked", vec![], Undeclared::Fail, false),
            (
                "nobody wants to know",
                both(&[("admin", &one, Whole)]),
                Undeclared::Warn,
                false,
            ),
        ];
        for (name, lists, undeclared, gone) in cases {
            let case = Case {
                undeclared,
                ..Case::new(lists)
            };
            assert_eq!(case.is_sound(Code::UndeclaredTool, "purge"), gone, "{name}");
            assert!(
                !case.is_sound(Code::DenyList, "purge"),
                "{name}: nobody called it"
            );
        }
    }

    #[test]
    fn a_deny_list_is_gone_where_whoever_may_nothing_called_and_was_refused_everywhere() {
        let at_both = |persona: &str, outcomes: [Outcome; 2]| {
            let calls = DOORS.into_iter().zip(outcomes);
            calls
                .map(|(door, outcome)| attempt(persona, door, "export", outcome))
                .collect()
        };
        let (refused, granted) = (Outcome::Forbidden, Outcome::Granted);
        for (attempts, gone) in [
            (at_both("anonymous", [refused, Outcome::Hidden]), true),
            (at_both("anonymous", [refused, granted]), false),
            (at_both("anonymous", [refused, Outcome::NoAnswer]), false),
            (at_both("reader", [refused, refused]), false),
            (vec![], false),
        ] {
            let case = Case {
                attempts,
                ..Case::new(vec![])
            };
            let attempts = &case.attempts;
            assert_eq!(
                case.is_sound(Code::DenyList, "export"),
                gone,
                "{attempts:?}"
            );
            for (code, tool) in [
                (Code::DenyList, "purge"),
                (Code::Leak, "export"),
                (Code::UndeclaredTool, "export"),
            ] {
                assert!(
                    !case.is_sound(code, tool),
                    "{code} about {tool}: {attempts:?}"
                );
            }
        }
    }

    #[test]
    fn tools_without_a_list_are_missed_only_by_whoever_gets_through_to_one() {
        let no_tool = |check: &Check<'_>| match (TOOLS[check.operation], sound(check)) {
            (Some(_), Outcome::Granted) => Outcome::NoAnswer,
            (_, outcome) => outcome,
        };
        let case = Case {
            outcome: &no_tool,
            ..Case::new(both(&[("admin", &[], Ended::Absent)]))
        };
        let codes = case.codes();
        assert!(
            codes.iter().all(|(code, _)| *code != Code::ListUnread),
            "{codes:?}"
        );
    }

    #[test]
    fn a_call_that_got_through_is_told_where_no_list_is_known() {
        let case = Case {
            attempts: vec![attempt("anonymous", Door::Mcp, "export", Outcome::Granted)],
            ..Case::new(Vec::new())
        };
        let codes: Vec<Code> = case.findings().iter().map(|one| one.code).collect();
        assert_eq!(codes, [Code::DenyList]);
    }

    #[test]
    fn what_a_waiver_accepts_stands_apart_from_what_nobody_does() {
        let more = ["list", "drop", "export", "purge"].map(plain);
        let reached = |tool| attempt("anonymous", Door::Mcp, tool, Outcome::Granted);
        let case = Case {
            attempts: ["export", "purge"].map(reached).into(),
            waivers: vec![
                waiver("undeclared-tool", "export"),
                waiver("deny-list", "purge"),
            ],
            ..Case::new(both(&[("admin", &more, Ended::Whole)]))
        };
        let findings = case.findings();
        let mut told: Vec<_> = findings
            .iter()
            .map(|one| (one.code, one.waiver, &*one.about))
            .collect();
        told.sort_unstable_by_key(|(code, waiver, about)| (*code, *waiver, about.to_vec()));
        let (export, purge) = (&["export".to_owned()][..], &["purge".to_owned()][..]);
        // Who accepts a deny-list is said with all findings about names.
        assert_eq!(
            told,
            [
                (Code::DenyList, None, export),
                (Code::DenyList, None, purge),
                (Code::UndeclaredTool, None, purge),
                (Code::UndeclaredTool, Some(0), export),
            ]
        );
    }

    #[test]
    fn what_the_owner_leaves_out_is_no_stray_and_is_not_called() {
        let reads = |name: &str| tool(name, Some(true), None);
        let more = [
            plain("list"),
            plain("drop"),
            reads("debug_dump"),
            reads("export"),
        ];
        let left_out = vec![LeftOut {
            name: "debug_*".to_owned(),
            reason: "why".to_owned(),
        }];
        let lists = both(&[("admin", &more, Ended::Whole)]);
        assert_eq!(
            harmless(&lists, &TOOLS, &left_out, Door::Mcp),
            Some("export")
        );
        let case = Case {
            left_out,
            ..Case::new(lists)
        };
        let findings = case.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].about, ["export"]);
    }

    #[test]
    fn a_finding_names_for_machines_what_is_short_enough_and_not_too_many() {
        let of_length = |length: usize| plain(&"x".repeat(length));
        let numbered: Vec<Tool> = (0..=MOST)
            .map(|number| plain(&format!("t{number}")))
            .collect();
        for (tools, named) in [
            (vec![of_length(NAMED), of_length(NAMED + 1)], 1),
            (numbered, MOST),
        ] {
            let findings = Case::new(both(&[("admin", &tools, Ended::Cut)])).findings();
            assert_eq!(findings[0].about.len(), named);
        }
    }

    #[test]
    fn a_list_that_was_not_read_is_told_with_who_where_and_why() {
        use Ended::{Absent, Cut, Refused, Unread, Whole};
        let one = [plain("list"), plain("drop")];
        let both_doors = "mcp and mcp-legacy";
        for (reader, admin, detail) in [
            (
                Unread,
                Cut,
                format!(
                    "the list of reader at {both_doors} could not be read: why; \
                     the list of admin at {both_doors} was not read to its end: why"
                ),
            ),
            (
                Cut,
                Cut,
                format!(
                    "the list of reader and admin at {both_doors} was not read to its end: why"
                ),
            ),
            (
                Whole,
                Refused,
                format!("the list of admin at {both_doors} is refused: why"),
            ),
            (
                Whole,
                Absent,
                format!("the list of admin at {both_doors} is not offered: why"),
            ),
        ] {
            let lists = both(&[("reader", &one[..1], reader), ("admin", &one, admin)]);
            let findings = Case::new(lists).findings();
            let mut unread = findings.iter().filter(|one| one.code == Code::ListUnread);
            assert_eq!(unread.next().map(|one| one.detail.as_str()), Some(&*detail));
        }
    }

    #[test]
    fn a_tool_in_nobodys_list_is_told_where_and_whether_it_is_called_all_the_same() {
        let one = [plain("list")];
        let lists = || {
            both(&[
                ("reader", &one, Ended::Whole),
                ("admin", &one, Ended::Whole),
            ])
        };
        let findings = Case::new(lists()).findings();
        let place = "drop is in nobody's list at mcp and mcp-legacy";
        assert_eq!(findings[0].detail, format!("{place}, and gets called"));
        let silent = |check: &Check<'_>| match (check.operation, sound(check)) {
            (1, Outcome::Granted) => Outcome::NoAnswer,
            (_, outcome) => outcome,
        };
        let case = Case {
            outcome: &silent,
            ..Case::new(lists())
        };
        let findings = case.findings();
        let mut missing = findings
            .iter()
            .filter(|one| one.code == Code::DeclaredToolMissing);
        assert_eq!(missing.next().map(|one| one.detail.as_str()), Some(place));
        // What fails for it at one door is told there.
        let at_mcp = |check: &Check<'_>| match (check.operation, check.door, sound(check)) {
            (1, Door::Mcp, Outcome::Granted) => Outcome::Rejected,
            (_, _, outcome) => outcome,
        };
        let case = Case {
            outcome: &at_mcp,
            ..Case::new(lists())
        };
        let findings = case.findings();
        let mut missing = findings
            .iter()
            .filter(|one| one.code == Code::DeclaredToolMissing);
        let detail = "drop is in nobody's list at mcp-legacy, and gets called";
        assert_eq!(missing.next().map(|one| one.detail.as_str()), Some(detail));
    }

    #[test]
    fn a_failure_is_laid_to_a_missing_tool_only_where_all_its_cells_call_one() {
        let one = [plain("list")];
        for (operations, hint) in [(&[1][..], Some(Hint::ToolMissing)), (&[0, 1], None)] {
            let gone =
                |check: &Check<'_>| match (operations.contains(&check.operation), sound(check)) {
                    (true, Outcome::Granted) => Outcome::Rejected,
                    (_, outcome) => outcome,
                };
            let case = Case {
                outcome: &gone,
                ..Case::new(both(&[
                    ("reader", &one, Ended::Whole),
                    ("admin", &one, Ended::Whole),
                ]))
            };
            let findings = case.findings();
            let mut broken = findings.iter().filter(|one| one.code == Code::Broken);
            assert_eq!(
                broken.next().map(|one| one.hint),
                Some(hint),
                "{operations:?}"
            );
        }
    }

    #[test]
    fn a_tool_that_another_shard_calls_is_missed_by_that_shard_alone() {
        let one = [plain("list")];
        let lists = both(&[
            ("reader", &one, Ended::Whole),
            ("admin", &one, Ended::Whole),
        ]);
        for (elsewhere, codes) in [
            (vec![], vec![(Code::DeclaredToolMissing, 2)]),
            (vec![1], vec![]),
        ] {
            let case = Case {
                elsewhere,
                ..Case::new(lists.clone())
            };
            assert_eq!(case.codes(), codes, "{:?}", case.elsewhere);
        }
    }
}
