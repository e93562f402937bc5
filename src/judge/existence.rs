//! Lists of tools and routes of a document in, which operations are shown to exist out: controls of what nobody is allowed.

use std::collections::{HashMap, HashSet};

use super::lists::Listed;
use crate::cell::Door;
use crate::plan::{Column, Matrix};

/// Whether a column has cells at a door, and none of them must get through: then no call of its own can be a control.
pub(super) fn nobody_may(column: &Column, door: Door) -> bool {
    let demands = column.demands.iter();
    let mut demands = demands
        .filter_map(|row| row[door.index()].as_ref())
        .peekable();
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
