//! What an OpenAPI document and the lists of tools name in, who of the operations names it out, and what nobody does.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::lists::Listed;
use super::pairing::{Pair, pairs};
use super::roster;
use crate::cell::Door;
use crate::code::Code;
use crate::door::Ended;
use crate::openapi::{Document, Matching};
use crate::scenario::{LeftOut, Operation, Scenario, Undeclared};

/// Characters of a route's path in a sentence.
const NAME: usize = 96;

const DOCUMENT: &str = "the OpenAPI document";

/// What the deployment says of itself, beside the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Inventory<'i> {
    /// The scenario.
    pub scenario: &'i Scenario,
    /// What was read of the routes of its REST door, with the operations that are on them.
    pub document: Option<(&'i Document, &'i Matching)>,
    /// What each persona is shown at each MCP door; empty where nobody was asked.
    pub lists: &'i [Listed],
}

/// Routes and tools with the operations that name them.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// In the order of the document; `None` where none was read.
    pub routes: Option<Vec<Known>>,
    /// In the order of the first list that shows each; `None` where nobody was asked.
    pub tools: Option<Vec<Known>>,
    /// Routes and tools that are the same thing at two doors.
    pub pairs: Vec<Pair>,
    /// Operations with a REST shape that is on no route, by index.
    pub undocumented: Vec<usize>,
    /// What the owner leaves out.
    pub left_out: Vec<Excluded>,
}

/// A route or a tool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// `METHOD /path` as the document has it, or the tool's name.
    pub name: String,
    /// The `operationId` of a route; the name of a tool.
    pub id: Option<String>,
    /// Where it stands, in matrix order.
    pub doors: Vec<Door>,
    /// The operations that name it, by index.
    pub named_by: Vec<usize>,
    /// Whether nobody names it, on the owner's word.
    pub left_out: bool,
}

/// What the owner leaves out, and whether that is of use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Excluded {
    /// As the scenario has it.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Why it is of no use; absent where it is, or where nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// How many of all are named by an operation; what is left out counts for neither.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Share {
    /// Those that one names.
    pub named: usize,
    /// All.
    pub all: usize,
}

impl Share {
    fn of(known: &[Known]) -> Self {
        let counted = known.iter().filter(|one| !one.left_out);
        Self {
            all: counted.clone().count(),
            named: counted.filter(|one| !one.named_by.is_empty()).count(),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            named: self.named + other.named,
            all: self.all + other.all,
        }
    }

    /// Whole percent, rounded down: 100 is all of it. All of nothing is named.
    pub fn percent(self) -> usize {
        (self.named * 100).checked_div(self.all).unwrap_or(100)
    }
}

impl Known {
    /// Whether an operation should name it, and none does.
    pub fn is_forgotten(&self) -> bool {
        self.named_by.is_empty() && !self.left_out
    }
}

impl Coverage {
    /// Compares.
    pub fn of(inventory: &Inventory<'_>) -> Self {
        let extent = &inventory.scenario.deployment.extent;
        let routes = inventory.document.map(|(document, matching)| {
            let covers = |name: &str| {
                let (method, path) = name.split_once(' ').unwrap_or_default();
                extent
                    .left_out_routes
                    .iter()
                    .any(|one| one.covers_route(method, path))
            };
            routes(document, matching, covers)
        });
        let tools = (!inventory.lists.is_empty()).then(|| tools(inventory));
        let both = routes.as_deref().zip(tools.as_deref());
        let pairs = both.map(|(routes, tools)| pairs(routes, tools));
        let undocumented = inventory.document.map(|(_, matching)| {
            let operations = inventory.scenario.operations.iter().zip(&matching.on);
            let missing = operations
                .enumerate()
                .filter(|(_, (operation, on))| operation.rest.is_some() && on.is_empty());
            missing.map(|(index, _)| index).collect()
        });
        let mut left_out = Vec::new();
        left_out.extend(extent.left_out_routes.iter().map(|one| {
            let covered = |known: &Known| {
                let (method, path) = known.name.split_once(' ').unwrap_or_default();
                one.covers_route(method, path)
            };
            excluded(one, routes.as_deref(), covered, "route")
        }));
        let whole = tools.as_deref().filter(|_| are_whole(inventory.lists));
        left_out.extend(
            extent
                .left_out_tools
                .iter()
                .map(|one| excluded(one, whole, |known| one.covers_tool(&known.name), "tool")),
        );
        Self {
            routes,
            tools,
            pairs: pairs.unwrap_or_default(),
            undocumented: undocumented.unwrap_or_default(),
            left_out,
        }
    }

    /// How many routes are named.
    pub fn of_routes(&self) -> Option<Share> {
        self.routes.as_deref().map(Share::of)
    }

    /// How many tools are named.
    pub fn of_tools(&self) -> Option<Share> {
        self.tools.as_deref().map(Share::of)
    }

    /// What a run makes of it; what tools are that nobody names is told by the lists.
    pub fn findings(&self, scenario: &Scenario) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.strays(scenario.deployment.extent.routes));
        findings.extend(self.missing(scenario));
        findings.extend(self.forgotten_doors(scenario));
        findings.extend(self.stale());
        findings
    }

    fn strays(&self, undeclared: Undeclared) -> Option<Finding> {
        let code = match undeclared {
            Undeclared::Fail => Code::UndeclaredRoute,
            Undeclared::Warn => Code::UndeclaredRouteNoted,
            Undeclared::Ignore => return None,
        };
        let routes = self.routes.as_deref()?;
        let strays: Vec<&Known> = routes.iter().filter(|one| one.is_forgotten()).collect();
        if strays.is_empty() {
            return None;
        }
        let names: Vec<String> = strays.iter().map(|one| short(&one.name)).collect();
        let names = roster::list(names.iter().map(String::as_str).collect());
        let none = routes.iter().all(|one| one.named_by.is_empty());
        let doubt = if none {
            "; none is on any of its routes, so it may be the document of another API, or its paths stand elsewhere"
        } else {
            ""
        };
        let them = if strays.len() == 1 { "it" } else { "them" };
        let detail = format!("{DOCUMENT} names {names}, and no operation is on {them}{doubt}");
        Some(Finding::new(code, detail, Vec::new()))
    }

    fn missing(&self, scenario: &Scenario) -> Option<Finding> {
        let operations = self.undocumented.iter().filter_map(|index| {
            let operation = scenario.operations.get(*index)?;
            let call = operation.rest.as_ref()?;
            let request = short(&format!("{} {}", call.method, call.target.source()));
            Some(format!("{} ({request})", operation.name))
        });
        let operations: Vec<String> = operations.collect();
        let verb = if operations.len() == 1 { "is" } else { "are" };
        let names = roster::list(operations.iter().map(String::as_str).collect());
        let detail = format!("{names} {verb} not in {DOCUMENT}");
        (!operations.is_empty())
            .then(|| Finding::new(Code::DeclaredRouteMissing, detail, Vec::new()))
    }

    fn forgotten_doors(&self, scenario: &Scenario) -> Option<Finding> {
        let sentences: Vec<String> = self
            .pairs
            .iter()
            .filter_map(|pair| self.hole(*pair, &scenario.operations))
            .collect();
        let detail = roster::list(sentences.iter().map(String::as_str).collect());
        (!sentences.is_empty()).then(|| Finding::new(Code::DoorForgotten, detail, Vec::new()))
    }

    /// What of a pair nobody compares: one of its doors is not tested, or both are, under two names.
    pub fn hole(&self, pair: Pair, operations: &[Operation]) -> Option<String> {
        let route = self.routes.as_ref()?.get(pair.route)?;
        let tool = self.tools.as_ref()?.get(pair.tool)?;
        let name = |by: &[usize]| {
            let first = by.first().and_then(|index| operations.get(*index));
            first.map_or_else(String::new, |operation| operation.name.to_string())
        };
        let (route_name, tool_name) = (short(&route.name), short(&tool.name));
        match (route.named_by.as_slice(), tool.named_by.as_slice()) {
            ([], []) => None,
            (by, []) if !tool.left_out => Some(format!(
                "{} is tested at rest alone, and is the tool {tool_name} as well",
                name(by)
            )),
            ([], by) if !route.left_out => Some(format!(
                "{} is tested at mcp alone, and is {route_name} as well",
                name(by)
            )),
            (at_rest, at_mcp) if !at_rest.is_empty() && !at_mcp.is_empty() => {
                let together = at_rest.iter().any(|one| at_mcp.contains(one));
                (!together).then(|| {
                    format!(
                        "{route_name} and the tool {tool_name} are one, and tested as two operations, {} and {}",
                        name(at_rest),
                        name(at_mcp)
                    )
                })
            }
            _ => None,
        }
    }

    fn stale(&self) -> impl Iterator<Item = Finding> {
        self.left_out.iter().filter_map(|one| {
            let why = one.stale.as_ref()?;
            let detail = format!("ignore `{}`: {why} ({})", short(&one.name), one.reason);
            Some(Finding::new(Code::StaleWaiver, detail, Vec::new()))
        })
    }
}

/// The finding that the routes of the REST door are not known; `None` where the author does not want to know.
pub fn unread(undeclared: Undeclared, source: &str, why: &str) -> Option<Finding> {
    let code = match undeclared {
        Undeclared::Fail => Code::CoverageUnread,
        Undeclared::Warn => Code::UndeclaredRouteNoted,
        Undeclared::Ignore => return None,
    };
    let detail = format!("{DOCUMENT} at {source} could not be read: {why}");
    Some(Finding::new(code, detail, Vec::new()))
}

fn routes(document: &Document, matching: &Matching, covers: impl Fn(&str) -> bool) -> Vec<Known> {
    let mut routes: Vec<Known> = document
        .routes
        .iter()
        .map(|route| Known {
            name: route.to_string(),
            id: route.operation_id.clone(),
            doors: vec![Door::Rest],
            named_by: Vec::new(),
            left_out: false,
        })
        .collect();
    for (operation, on) in matching.on.iter().enumerate() {
        for route in on {
            routes[*route].named_by.push(operation);
        }
    }
    for route in &mut routes {
        route.left_out = route.named_by.is_empty() && covers(&route.name);
    }
    routes
}

fn tools(inventory: &Inventory<'_>) -> Vec<Known> {
    let left_out = &inventory.scenario.deployment.extent.left_out_tools;
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (operation, tool) in inventory.scenario.tools().into_iter().enumerate() {
        if let Some(tool) = tool {
            by_name.entry(tool).or_default().push(operation);
        }
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut tools: Vec<Known> = Vec::new();
    for listed in inventory.lists {
        for tool in &listed.shown.tools {
            let place = *places.entry(&tool.name).or_insert_with(|| {
                let named_by = by_name.get(tool.name.as_str()).cloned().unwrap_or_default();
                let covered = left_out.iter().any(|one| one.covers_tool(&tool.name));
                tools.push(Known {
                    name: tool.name.clone(),
                    id: Some(tool.name.clone()),
                    doors: Vec::new(),
                    left_out: named_by.is_empty() && covered,
                    named_by,
                });
                tools.len() - 1
            });
            let doors = &mut tools[place].doors;
            if !doors.contains(&listed.door) {
                doors.push(listed.door);
                doors.sort_unstable();
            }
        }
    }
    tools
}

fn excluded(
    one: &LeftOut,
    known: Option<&[Known]>,
    covers: impl Fn(&Known) -> bool,
    noun: &str,
) -> Excluded {
    let stale = known.and_then(|known| {
        let mut covered = known.iter().filter(|known| covers(known)).peekable();
        if covered.peek().is_none() {
            return Some(format!("there is no such {noun}"));
        }
        covered
            .all(|known| !known.left_out)
            .then(|| format!("an operation names that {noun}"))
    });
    Excluded {
        name: one.name.clone(),
        reason: one.reason.clone(),
        stale,
    }
}

/// Whether all that anybody is shown was read.
fn are_whole(lists: &[Listed]) -> bool {
    let mut ends = lists.iter().map(|listed| listed.shown.ended);
    ends.clone().any(|ended| ended == Ended::Whole)
        && ends.all(|ended| matches!(ended, Ended::Whole | Ended::Refused))
}

fn short(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
