//! Lists of tools and routes of a document in, which operations are shown to exist out: controls of what nobody is allowed.

use std::collections::{HashMap, HashSet};

use super::lists::Listed;
use crate::cell::Door;
use crate::plan::{Column, Matrix};

/// Whether a column has cells at a door, and none of them must get through: then no call of its own can be a control.
pub(super) fn nobody_may(column: &Column, door: Door) -> bool {
    let mut demands = column.demands.at(door).flatten().peekable();
    demands.peek().is_some() && demands.all(|demand| !demand.expectation.allows())
}

/// Whether there is an operation that nobody may call at some door.
pub fn needs_showing(matrix: &Matrix) -> bool {
    let mut columns = matrix.operations.iter();
    columns.any(|column| matrix.doors.iter().any(|door| nobody_may(column, *door)))
}

/// Which operations are shown to exist at which door, by place (operation × door of the matrix): on a route of the document,
/// or with a tool that somebody is shown there. Empty where every operation has somebody who may.
pub fn shown(
    matrix: &Matrix,
    tools: &[Option<&str>],
    on_routes: &[usize],
    lists: &[Listed],
) -> Vec<bool> {
    if !needs_showing(matrix) {
        return Vec::new();
    }
    let mut listed: HashMap<Door, HashSet<&str>> = HashMap::new();
    for one in lists {
        let names = one.shown.tools.iter().map(|tool| tool.name.as_str());
        listed.entry(one.door).or_default().extend(names);
    }
    let on_routes: HashSet<usize> = on_routes.iter().copied().collect();
    let is_listed = |operation: usize, door: Door| {
        let tool = tools.get(operation).copied().flatten();
        let names = listed.get(&door);
        tool.zip(names)
            .is_some_and(|(tool, names)| names.contains(tool))
    };
    let operations = 0..matrix.operations.len();
    let places =
        operations.flat_map(|operation| matrix.doors.iter().map(move |door| (operation, *door)));
    places
        .map(|(operation, door)| match door {
            Door::Rest => on_routes.contains(&operation),
            Door::Mcp | Door::McpLegacy => is_listed(operation, door),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Ended;
    use crate::judge::coverage::tests::{listed, scenario_of};

    /// Two operations at every door, which these personas may call.
    fn matrix(list: &str, drop: &str) -> Matrix {
        let scenario = scenario_of(&format!(
            "rolecall: 1\nname: x\ndeployment: {{ rest: http://h, mcp: http://h/mcp }}\npersonas: {{ nobody: {{ sign_in: none }} }}\noperations: {{ list: {{ allow: {list}, rest: GET /list, mcp: {{ tool: list }} }}, drop: {{ allow: {drop}, mutates: false, rest: GET /drop, mcp: {{ tool: drop }} }} }}\n"
        ));
        Matrix::of(&scenario, Door::ALL.to_vec())
    }

    const TOOLS: [Option<&str>; 2] = [Some("list"), Some("drop")];

    #[test]
    fn an_operation_is_shown_at_rest_by_a_document_and_at_each_mcp_door_by_its_lists() {
        let at = |door, tools: &[&str]| listed(door, tools, Ended::Whole);
        let at_legacy = [
            at(Door::McpLegacy, &["list"]),
            at(Door::McpLegacy, &["drop"]),
        ];
        let (yes, no) = (true, false);
        for (on_routes, lists, expected) in [
            (&[][..], vec![], [no, no, no, no, no, no]),
            (&[0], vec![], [yes, no, no, no, no, no]),
            (
                &[],
                vec![at(Door::Mcp, &["drop", "more"])],
                [no, no, no, no, yes, no],
            ),
            (&[1], at_legacy.into(), [no, no, yes, yes, no, yes]),
        ] {
            let shown = shown(&matrix("[]", "[]"), &TOOLS, on_routes, &lists);
            assert_eq!(shown, expected, "{on_routes:?} {lists:?}");
        }
    }

    #[test]
    fn nothing_is_looked_for_where_every_operation_has_somebody_who_may() {
        for (list, drop, needed) in [
            ("[nobody]", "[nobody]", false),
            ("[nobody]", "[]", true),
            ("[]", "[]", true),
        ] {
            let matrix = matrix(list, drop);
            assert_eq!(needs_showing(&matrix), needed, "{list} {drop}");
            let shown = shown(&matrix, &TOOLS, &[0, 1], &[]);
            assert_eq!(!shown.is_empty(), needed, "{list} {drop}");
        }
    }
}
