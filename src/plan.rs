//! Scenario and selection in, the ordered list of checks out; pure, sends nothing.

mod conduct;
mod digest;
mod guard;
mod listing;
mod matrix;
mod offers;
mod only;
mod shard;

use std::sync::Arc;

use crate::cell::Door;
use crate::scenario::production::HostPattern;
use crate::scenario::{McpCall, Operation, Scenario};

pub use conduct::Conduct;
pub use guard::{Guard, Guarded};
pub use listing::{Planned, Stage};
pub use matrix::{Check, Checks, Column, Matrix, Row};
pub use offers::Offer;
pub use only::{Only, Unreadable};
pub use shard::{NoShard, Shard};

/// What of the scenario is to be run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Doors to test; empty means every door of the scenario.
    pub doors: Vec<Door>,
    /// Send no mutating call at all, not even for objects of the run's own.
    pub read_only: bool,
    /// Hosts of production besides those that the scenario names.
    pub production: Vec<HostPattern>,
    /// Production hosts that the user named to have them changed.
    pub meant: Vec<String>,
    /// Cells to test; empty means all of them. What any of these picks is tested.
    pub only: Vec<Only>,
}

/// What will be sent, in which order, and what must come back.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario that it was laid from.
    pub scenario: Arc<Scenario>,
    /// Its shape; doors that turn out not to answer are dropped by [`Plan::through`].
    pub matrix: Arc<Matrix>,
    /// Groups in firing order: reads, then writes, then deletions.
    pub groups: Vec<Group>,
    /// 16 hex digits that change when anything that would be sent or demanded changes; addresses and secrets left out.
    pub digest: String,
    /// The production hosts among its addresses.
    pub guard: Guard,
    /// Which part of the plan is called; `None` for all of it.
    pub shard: Option<Shard>,
    /// By operation: whether the shard calls it; empty without one.
    share: Arc<[bool]>,
    selection: Selection,
}

/// The cells of one operation at one door; [`Plan::cells`] tells which they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Index of the operation.
    pub operation: usize,
    /// Where.
    pub door: Door,
    /// How its calls may be made.
    pub conduct: Conduct,
    /// When they may be made.
    pub wave: Wave,
}

/// When a call is made: the next wave begins once the last call of the one before was answered, so that nothing is gone
/// before it was asked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Wave {
    /// Calls that change nothing.
    Reads,
    /// Calls that change something.
    Writes,
    /// Calls that remove something.
    Deletions,
}

impl Plan {
    /// Lays the plan of a scenario.
    pub fn lay(scenario: Arc<Scenario>, selection: Selection) -> Self {
        let doors: Vec<Door> = doors_of(&scenario, &selection).collect();
        let digest = digest::of(&scenario, &doors, selection.read_only);
        let guard = Guard::of(&scenario, &selection);
        let plan = Self::with_doors(scenario, selection, doors, digest, guard);
        if plan.is_whole() {
            return plan;
        }
        let reached: Vec<Door> = plan.matrix.checks().map(|check| check.door).collect();
        let digest = digest::narrowed(&plan.digest, &plan.matrix);
        Self {
            digest,
            ..plan.through(&reached)
        }
    }

    /// The plan of a scenario at every door of its deployment, also those that no operation has a shape for; of one that only
    /// looks.
    pub fn everywhere(scenario: Arc<Scenario>) -> Self {
        let selection = Selection {
            read_only: true,
            ..Selection::default()
        };
        let doors = scenario.deployment.doors.clone();
        let digest = digest::of(&scenario, &doors, selection.read_only);
        let guard = Guard::of(&scenario, &selection);
        Self::with_doors(scenario, selection, doors, digest, guard)
    }

    /// The same plan through these doors only, those that answer; its digest stays.
    #[must_use]
    pub fn through(self, doors: &[Door]) -> Self {
        let mut kept = self.matrix.doors.clone();
        kept.retain(|door| doors.contains(door));
        if kept == self.matrix.doors {
            return self;
        }
        let kept = Self::with_doors(self.scenario, self.selection, kept, self.digest, self.guard);
        match self.shard {
            Some(shard) => kept.cut(shard, self.share),
            None => kept,
        }
    }

    /// The same plan, of which this shard's operations alone are called; its digest stays.
    #[must_use]
    pub fn part(self, shard: Shard) -> Self {
        let mut cells = vec![0; self.matrix.operations.len()];
        for check in self.matrix.checks() {
            cells[check.operation] += 1;
        }
        self.cut(shard, shard.share(&cells).into())
    }

    fn cut(mut self, shard: Shard, own: Arc<[bool]>) -> Self {
        self.matrix = Arc::new(Arc::unwrap_or_clone(self.matrix).part(&own));
        self.groups.retain(|group| own[group.operation]);
        self.shard = Some(shard);
        self.share = own;
        self
    }

    /// 16 hex digits that change when the address of a door changes, and tell nobody which it is: two runs of one plan can
    /// be told apart by where they went.
    pub fn addresses(&self) -> String {
        digest::of_addresses(&self.scenario)
    }

    /// Whether a door of the deployment is tested, or would be if an operation had a shape for it.
    pub fn wants(&self, door: Door) -> bool {
        let chosen = &self.selection.doors;
        let is_chosen = chosen.is_empty() || chosen.contains(&door);
        is_chosen && self.scenario.deployment.doors.contains(&door)
    }

    /// How many checks there are.
    pub fn checks(&self) -> usize {
        self.matrix.checks().count()
    }

    /// Matrix indices of the cells of a group, in firing order: refusals before those that must get through.
    pub fn cells(&self, group: &Group) -> impl Iterator<Item = usize> {
        let Group {
            operation, door, ..
        } = *group;
        let doors = self.matrix.doors.iter();
        let place = doors.into_iter().position(|known| *known == door);
        let personas = 0..place.map_or(0, |_| self.matrix.personas.len());
        let index = move |persona| {
            self.matrix
                .index(operation, place.unwrap_or_default(), persona)
        };
        let cells = move |allows: bool| {
            let fits = move |index: &usize| {
                let check = self.matrix.check(*index);
                check.is_some_and(|check| check.demand.expectation.allows() == allows)
            };
            personas.clone().map(index).filter(fits)
        };
        cells(false).chain(cells(true))
    }

    /// Whether every cell at its doors is tested.
    pub fn is_whole(&self) -> bool {
        self.selection.only.is_empty()
    }

    /// Whether the user left cells out, by choosing cells or doors.
    pub fn is_partial(&self) -> bool {
        !self.is_whole() || !self.selection.doors.is_empty()
    }

    /// How the cells were chosen; empty where all of them are tested.
    pub fn only(&self) -> &[Only] {
        &self.selection.only
    }

    /// By persona: whether a run of this plan needs its token, for a cell or for an object that a cell needs.
    pub fn callers(&self) -> Vec<bool> {
        let mut callers = vec![self.is_whole(); self.matrix.personas.len()];
        for check in self.matrix.checks() {
            callers[check.persona] = true;
            if self.may_make_objects() {
                let operation = &self.scenario.operations[check.operation];
                for fixture in operation.uses.iter().chain(&operation.creates) {
                    callers[self.scenario.fixtures[*fixture].owner] = true;
                }
            }
        }
        callers
    }

    /// Whether no call may be made that changes anything: the user said so, or did not name a production host.
    pub fn is_read_only(&self) -> bool {
        self.selection.read_only || self.guard.holds()
    }

    /// Whether fixtures may be made: calls that mutate are allowed, on objects of the run's own.
    pub fn may_make_objects(&self) -> bool {
        self.scenario.deployment.disposable && !self.is_read_only()
    }

    /// Digest of what objects are made of and where, 16 hex digits: whoever removes what an earlier run left compares it.
    pub fn fixtures_digest(&self) -> String {
        digest::of_fixtures(&self.scenario)
    }

    fn with_doors(
        scenario: Arc<Scenario>,
        selection: Selection,
        doors: Vec<Door>,
        digest: String,
        guard: Guard,
    ) -> Self {
        let read_only = selection.read_only || guard.holds();
        let mut matrix = Matrix::of(&scenario, doors);
        if !selection.only.is_empty() {
            only::narrow(&mut matrix, &scenario, &selection.only, read_only);
        }
        let groups = groups(&scenario, &matrix, read_only);
        Self {
            scenario,
            matrix: Arc::new(matrix),
            groups,
            digest,
            guard,
            shard: None,
            share: Arc::default(),
            selection,
        }
    }
}

/// The doors that are selected and that an operation has.
fn doors_of<'s>(scenario: &'s Scenario, selection: &'s Selection) -> impl Iterator<Item = Door> {
    let has = |door: &Door| scenario.operations.iter().any(|one| one.has(*door));
    let stated = scenario.deployment.doors.iter().copied();
    stated
        .filter(|door| selection.doors.is_empty() || selection.doors.contains(door))
        .filter(has)
}

fn groups(scenario: &Scenario, matrix: &Matrix, read_only: bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(scenario.operations.len() * matrix.doors.len());
    for (index, operation) in scenario.operations.iter().enumerate() {
        let conduct = conduct::of(scenario, operation, read_only);
        let wave = Wave::of(scenario, operation);
        for door in matrix.doors.iter().filter(|door| operation.has(**door)) {
            groups.push(Group {
                operation: index,
                door: *door,
                conduct,
                wave,
            });
        }
    }
    groups.sort_by_key(|group| group.wave);
    groups
}

impl Wave {
    /// Deletions are what the method says, and what a fixture's own `remove` calls.
    fn of(scenario: &Scenario, operation: &Operation) -> Self {
        let by_method = operation
            .rest
            .as_ref()
            .is_some_and(|call| call.method == "DELETE");
        let tool = operation.mcp.as_ref().and_then(McpCall::tool);
        let mut removals = scenario
            .fixtures
            .iter()
            .filter_map(|fixture| fixture.remove.mcp.as_ref()?.tool());
        let by_tool = tool.is_some_and(|tool| removals.any(|removal| removal == tool));
        match (operation.mutates, by_method || by_tool) {
            (false, _) => Self::Reads,
            (true, false) => Self::Writes,
            (true, true) => Self::Deletions,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::scenario::{Missing, Sources};

    pub(crate) const CATALOG: &str = include_str!("../scenarios/product-catalog.yaml");

    /// The plan of a scenario whose other variables have no value.
    pub(crate) fn plan(text: &str, variables: &[(&str, &str)], selection: Selection) -> Plan {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources {
            variables: variables.collect(),
            missing: Missing::Kept,
            today: "2026-06-01".parse().unwrap(),
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
        };
        let scenario = Scenario::read("test.yaml", text, &sources)
            .unwrap_or_else(|complaints| panic!("{complaints}"));
        Plan::lay(Arc::new(scenario), selection)
    }

    fn catalog() -> Plan {
        plan(CATALOG, &[], Selection::default())
    }

    #[test]
    fn reads_come_before_writes_and_deletions_last() {
        let whole = catalog();
        let mut order: Vec<&str> = whole
            .groups
            .iter()
            .map(|group| whole.matrix.operations[group.operation].name.as_str())
            .collect();
        order.dedup();
        assert_eq!(
            order,
            [
                "listProducts",
                "getProduct",
                "searchProducts",
                "createProduct",
                "updateProduct",
                "deleteProduct"
            ]
        );
        let operations = CATALOG.find("operations:\n").unwrap() + "operations:\n".len();
        let (head, body) = CATALOG.split_at(operations);
        let (others, last) = body.split_at(body.find("  deleteProduct:").unwrap());
        let turned = format!("{head}{last}\n{others}");
        let turned = plan(&turned, &[], Selection::default());
        let last = turned.groups.last().unwrap();
        assert_eq!(
            turned.matrix.operations[last.operation].name.as_str(),
            "deleteProduct",
            "wherever the file has it"
        );
    }

    #[test]
    fn a_tool_that_removes_fixtures_is_called_last_though_no_method_says_so() {
        let tools: String = CATALOG
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("    rest:"))
            .collect();
        let reads = "    allow: [reader, writer, admin]\n";
        let tools = tools.replace(reads, &format!("{reads}    mutates: false\n"));
        let plan = plan(&tools, &[], Selection::default());
        let last = plan.groups.last().unwrap();
        assert_eq!(last.wave, Wave::Deletions);
        assert_eq!(
            plan.matrix.operations[last.operation].name.as_str(),
            "deleteProduct"
        );
    }

    #[test]
    fn refusals_are_tried_before_calls_that_must_get_through() {
        let plan = catalog();
        for group in &plan.groups {
            let allowed: Vec<bool> = plan
                .cells(group)
                .map(|cell| {
                    let check = plan.matrix.check(cell).unwrap();
                    check.demand.expectation.allows()
                })
                .collect();
            assert!(allowed.is_sorted(), "{group:?}");
        }
        let deletion = plan.groups.last().unwrap();
        let personas: Vec<&str> = plan
            .cells(deletion)
            .map(|cell| {
                let check = plan.matrix.check(cell).unwrap();
                plan.matrix.personas[check.persona].name.as_str()
            })
            .collect();
        assert_eq!(personas, ["reader", "writer", "anonymous", "admin"]);
    }

    #[test]
    fn only_chosen_doors_and_those_that_an_operation_has_are_planned() {
        let doors = |text: &str, doors: &[Door]| {
            let selection = Selection {
                doors: doors.to_vec(),
                ..Selection::default()
            };
            plan(text, &[], selection).matrix.doors.clone()
        };
        assert_eq!(doors(CATALOG, &[]), Door::ALL);
        assert_eq!(doors(CATALOG, &[Door::McpLegacy]), [Door::McpLegacy]);
        let rest_alone: String = CATALOG
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("    mcp:"))
            .collect();
        assert_eq!(doors(&rest_alone, &[]), [Door::Rest]);
        assert_eq!(doors(&rest_alone, &[Door::Mcp]), []);
    }

    #[test]
    fn a_door_that_does_not_answer_takes_its_checks_with_it() {
        let plan = catalog();
        assert_eq!(plan.checks(), 72);
        let through = plan.through(&[Door::Rest, Door::McpLegacy]);
        assert_eq!(through.matrix.doors, [Door::Rest, Door::McpLegacy]);
        assert_eq!(through.checks(), 48);
    }

    #[test]
    fn the_shards_of_a_plan_are_the_plan() {
        let whole = catalog();
        for of in 1..=8 {
            let pieces = |plan: &Plan| -> Vec<(Group, Vec<usize>)> {
                let groups = plan.groups.iter();
                let piece = |group: &Group| (group.clone(), plan.cells(group).collect());
                groups.map(piece).collect()
            };
            let mut called = Vec::new();
            for number in 1..=of {
                let part = catalog().part(Shard::new(number, of).unwrap());
                assert_eq!(part.digest, whole.digest);
                assert_eq!(part.matrix.rights(), whole.matrix.rights());
                let checks = part.checks();
                called.extend(pieces(&part));
                let at_rest = part.through(&[Door::Rest]);
                assert_eq!(at_rest.checks() * 3, checks, "{number}/{of}");
            }
            let order = |(group, _): &(Group, Vec<usize>)| (group.operation, group.door);
            called.sort_by_key(order);
            let mut all = pieces(&whole);
            all.sort_by_key(order);
            assert_eq!(called, all, "of {of}");
        }
    }

    #[test]
    fn objects_are_made_only_where_the_author_gave_the_word() {
        let may = |text: &str, read_only| {
            let selection = Selection {
                read_only,
                ..Selection::default()
            };
            plan(text, &[], selection).may_make_objects()
        };
        let kept = CATALOG.replace("disposable: true", "disposable: false");
        assert!(may(CATALOG, false));
        assert!(!may(CATALOG, true));
        assert!(!may(&kept, false));
    }
}
