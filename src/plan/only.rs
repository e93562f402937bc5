//! What `--only` says and the whole matrix in, the cells that it picks out and the controls that they need out.

use std::fmt;
use std::str::FromStr;

use super::conduct::{self, Conduct};
use super::matrix::{Check, Matrix};
use crate::cell::{Cell, Door, PersonaName};
use crate::scenario::{Scenario, nearest};

/// One choice of cells: those that fit everything that it names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Only {
    text: String,
    personas: Vec<String>,
    operations: Vec<String>,
    doors: Vec<String>,
}

/// Why a choice cannot be read, in a few words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl FromStr for Only {
    type Err = Unreadable;

    /// Reads `persona=…,operation=…,door=…`, of which each may be left out, or a cell's address `persona/operation/door`.
    /// A value is a name, a pattern with `*`, or several of these with `|` between them.
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut only = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        if !text.contains('=') {
            let parts: Vec<&str> = text.split('/').collect();
            let [persona, operation, door] = parts[..] else {
                return Err(Unreadable(
                    "say persona=NAME,operation=NAME,door=NAME, or PERSONA/OPERATION/DOOR"
                        .to_owned(),
                ));
            };
            (only.personas, only.operations) = (values(persona)?, values(operation)?);
            only.doors = values(door)?;
            return Ok(only);
        }
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let place = match key.trim() {
                "persona" => &mut only.personas,
                "operation" | "op" => &mut only.operations,
                "door" => &mut only.doors,
                other => {
                    return Err(Unreadable(format!(
                        "`{other}` is not one of persona, operation and door; several names go with `|` between them"
                    )));
                }
            };
            if !place.is_empty() {
                return Err(Unreadable(format!(
                    "`{}` stands twice; several names go with `|` between them",
                    key.trim()
                )));
            }
            *place = values(value)?;
        }
        Ok(only)
    }
}

fn values(text: &str) -> Result<Vec<String>, Unreadable> {
    let values: Vec<String> = text
        .split('|')
        .map(|value| value.trim().to_owned())
        .collect();
    if values.iter().any(String::is_empty) {
        return Err(Unreadable(
            "a name is missing; `*` stands for all of them".to_owned(),
        ));
    }
    Ok(values)
}

impl Only {
    /// The choice as it was typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it names that the scenario does not have, as one sentence; `None` where it has everything.
    pub fn unknown_in(&self, scenario: &Scenario) -> Option<String> {
        let mut personas: Vec<&str> = Vec::new();
        for persona in &scenario.personas {
            personas.extend([persona.name.as_str(), persona.name.persona()]);
        }
        personas.dedup();
        let operations = scenario.operations.iter().map(|one| one.name.as_str());
        let operations: Vec<&str> = operations.collect();
        let doors: Vec<&str> = Door::ALL.iter().map(|door| door.name()).collect();
        let unknown = stranger("persona", &self.personas, &personas);
        let unknown = unknown.or_else(|| stranger("operation", &self.operations, &operations));
        unknown.or_else(|| stranger("door", &self.doors, &doors))
    }

    fn picks(&self, cell: &Cell) -> bool {
        let persona = |pattern: &String| is_of(pattern, &cell.persona);
        let operation = |pattern: &String| fits(pattern, cell.operation.as_str());
        let door = |pattern: &String| fits(pattern, cell.door.name());
        (self.personas.is_empty() || self.personas.iter().any(persona))
            && (self.operations.is_empty() || self.operations.iter().any(operation))
            && (self.doors.is_empty() || self.doors.iter().any(door))
    }
}

/// As in `allow`, a persona's name means all of its rows.
fn is_of(pattern: &str, row: &PersonaName) -> bool {
    fits(pattern, row.as_str()) || fits(pattern, row.persona())
}

fn stranger(noun: &str, patterns: &[String], known: &[&str]) -> Option<String> {
    let has = |pattern: &str| known.iter().any(|name| fits(pattern, name));
    let pattern = patterns.iter().find(|pattern| !has(pattern))?;
    let meant = match nearest(pattern, known) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    };
    Some(format!("`{pattern}` is no {noun} of it{meant}"))
}

/// Whether a name fits a pattern, in which `*` stands for any letters or none.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Leaves the picked cells in the matrix, and with them the allowed ones without which their refusals would prove nothing:
/// one of the same operation and door, and one of the same persona at the door.
pub(super) fn narrow(matrix: &mut Matrix, scenario: &Scenario, only: &[Only], read_only: bool) {
    let is_picked = |check: &Check<'_>| {
        let cell = matrix.cell(check);
        only.iter().any(|one| one.picks(&cell))
    };
    let picked: Vec<bool> = (0..matrix.len())
        .map(|index| matrix.check(index).as_ref().is_some_and(is_picked))
        .collect();
    let controls = controls(matrix, scenario, &picked, read_only);
    for (index, is_picked) in picked.into_iter().enumerate() {
        if !is_picked && controls.binary_search(&index).is_err() {
            matrix.leave_out(index);
        }
    }
    matrix.controls = controls;
}

/// Where allowed calls are missing that refusals among the picked cells need; sorted.
fn controls(matrix: &Matrix, scenario: &Scenario, picked: &[bool], read_only: bool) -> Vec<usize> {
    let mut search = Search {
        matrix,
        scenario,
        read_only,
        busy: vec![false; matrix.personas.len()],
        called: picked.to_vec(),
        controls: Vec::new(),
    };
    for check in matrix.checks().filter(|check| picked[check.index]) {
        search.busy[check.persona] = true;
    }
    let is_refusal = |check: &Check<'_>| !check.demand.expectation.allows();
    let picked = matrix.checks().filter(|check| picked[check.index]);
    for (place, refusal) in picked
        .filter(is_refusal)
        .map(|check| (door(matrix, &check), check))
    {
        let index = |operation, persona| matrix.index(operation, place, persona);
        let of_operation = (0..matrix.personas.len()).map(|one| index(refusal.operation, one));
        search.add_one_of(of_operation.collect());
        if matrix.personas[refusal.persona].signs_in {
            let of_persona = (0..matrix.operations.len()).map(|one| index(one, refusal.persona));
            search.add_one_of(of_persona.collect());
        }
    }
    search.controls.sort_unstable();
    search.controls
}

/// The place of a check's door among those of the matrix.
fn door(matrix: &Matrix, check: &Check<'_>) -> usize {
    check.index / matrix.personas.len() % matrix.doors.len()
}

struct Search<'s> {
    matrix: &'s Matrix,
    scenario: &'s Scenario,
    read_only: bool,
    /// By persona: whether it is called at all.
    busy: Vec<bool>,
    called: Vec<bool>,
    controls: Vec<usize>,
}

impl Search<'_> {
    /// Takes the best of some cells for a control, unless one of them serves already.
    fn add_one_of(&mut self, cells: Vec<usize>) {
        let checks = cells.into_iter().filter_map(|cell| self.matrix.check(cell));
        let able: Vec<Check<'_>> = checks.filter(|check| self.may_serve(check)).collect();
        if able.iter().any(|check| self.called[check.index]) {
            return;
        }
        if let Some(best) = able.iter().min_by_key(|check| self.burden(check)) {
            self.called[best.index] = true;
            self.busy[best.persona] = true;
            self.controls.push(best.index);
        }
    }

    fn may_serve(&self, check: &Check<'_>) -> bool {
        check.demand.expectation.allows() && self.conduct(check) != Conduct::Withheld
    }

    /// What changes nothing goes before what does, and who is called anyway before who would have to sign in for it.
    fn burden(&self, check: &Check<'_>) -> (usize, bool) {
        let harm = match self.conduct(check) {
            Conduct::Plain => self.scenario.operations[check.operation].uses.len().min(1),
            Conduct::Decoy | Conduct::Withheld => 2,
            Conduct::Live => 3,
        };
        (harm, !self.busy[check.persona])
    }

    fn conduct(&self, check: &Check<'_>) -> Conduct {
        let operation = &self.scenario.operations[check.operation];
        conduct::of(self.scenario, operation, self.read_only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{CATALOG, plan};
    use crate::plan::{Plan, Selection};

    fn only(text: &str) -> Only {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn chosen(texts: &[&str], read_only: bool) -> Plan {
        let selection = Selection {
            only: texts.iter().map(|text| only(text)).collect(),
            read_only,
            ..Selection::default()
        };
        plan(CATALOG, &[], selection)
    }

    /// The picked cells, then the controls.
    fn cells(texts: &[&str], read_only: bool) -> (Vec<String>, Vec<String>) {
        let plan = chosen(texts, read_only);
        let name = |check: Check<'_>| plan.matrix.cell(&check).to_string();
        let is_control = |check: &Check<'_>| plan.matrix.is_control(check.index);
        let picked = plan.matrix.checks().filter(|check| !is_control(check));
        let controls = plan.matrix.checks().filter(is_control);
        (picked.map(name).collect(), controls.map(name).collect())
    }

    #[test]
    fn a_star_stands_for_any_letters_or_none() {
        for (pattern, name, expected) in [
            ("reader", "reader", true),
            ("reader", "readers", false),
            ("*", "", true),
            ("*Product", "deleteProduct", true),
            ("*Product", "listProducts", false),
            ("delete*", "deleteProduct", true),
            ("*e*P*", "deleteProduct", true),
            ("a*a", "a", false),
            ("mcp*", "mcp-legacy", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_choice_is_refused_with_the_way_to_say_it() {
        for (text, expected) in [
            ("reader", "say persona=NAME"),
            ("reader/deleteProduct", "say persona=NAME"),
            ("role=reader", "`role` is not one of"),
            ("persona=a,persona=b", "`persona` stands twice"),
            ("persona=", "a name is missing"),
            ("persona=a|,door=mcp", "a name is missing"),
            ("persona=a,b", "`b` is not one of"),
        ] {
            let error = text.parse::<Only>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_that_the_scenario_lacks_is_told_with_the_nearest() {
        let scenario = plan(CATALOG, &[], Selection::default()).scenario;
        for (text, expected) in [
            ("reader/deleteProduct/mcp", None),
            ("door=mcp*|rest", None),
            (
                "raeder/deleteProduct/mcp",
                Some("`raeder` is no persona of it; did you mean `reader`?"),
            ),
            (
                "operation=deleteProducts",
                Some("`deleteProducts` is no operation of it; did you mean `deleteProduct`?"),
            ),
            ("door=sse", Some("`sse` is no door of it")),
            ("persona=x*", Some("`x*` is no persona of it")),
        ] {
            let unknown = only(text).unknown_in(&scenario);
            assert_eq!(unknown.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_refusal_brings_its_controls_along() {
        let (picked, controls) = cells(&["reader/deleteProduct/mcp"], false);
        assert_eq!(picked, ["reader/deleteProduct/mcp"]);
        assert_eq!(
            controls,
            ["reader/listProducts/mcp", "admin/deleteProduct/mcp"]
        );
        let (picked, controls) = cells(&["anonymous/listProducts/rest"], false);
        assert_eq!(picked, ["anonymous/listProducts/rest"]);
        assert_eq!(controls, ["reader/listProducts/rest"]);
    }

    #[test]
    fn what_is_picked_anyway_is_control_enough() {
        let (picked, controls) = cells(&["operation=listProducts,door=rest"], false);
        assert_eq!((picked.len(), controls.len()), (4, 0));
        let (picked, controls) = cells(&["persona=reader", "persona=admin|writer"], false);
        assert_eq!((picked.len(), controls.len()), (54, 0));
    }

    #[test]
    fn choices_add_up_and_what_one_names_narrows_it() {
        let (picked, _) = cells(
            &["persona=reader,door=mcp*", "admin/getProduct/rest"],
            false,
        );
        assert_eq!(picked.len(), 13);
        assert_eq!(
            cells(&["persona=reader,operation=*Products,door=rest"], false)
                .0
                .len(),
            2
        );
    }

    #[test]
    fn a_call_that_may_not_be_made_is_no_control() {
        let (_, controls) = cells(&["reader/deleteProduct/mcp"], true);
        assert_eq!(controls, ["reader/listProducts/mcp"]);
    }

    #[test]
    fn only_doors_and_personas_with_cells_are_left() {
        let plan = chosen(&["reader/listProducts/rest"], false);
        assert_eq!(plan.matrix.doors, [Door::Rest]);
        assert_eq!(plan.callers(), [true, false, false, false]);
        let plan = chosen(&["reader/getProduct/rest"], false);
        assert_eq!(
            plan.callers(),
            [true, false, true, false],
            "whose the object is, too"
        );
        assert_eq!(chosen(&["anonymous/getProduct/rest"], false).checks(), 2);
    }

    #[test]
    fn the_choice_changes_the_digest() {
        let whole = plan(CATALOG, &[], Selection::default()).digest;
        let (one, other) = (
            chosen(&["reader/listProducts/rest"], false).digest,
            chosen(&["reader/listProducts/*"], false).digest,
        );
        assert!(one != whole && other != whole && one != other);
    }
}
