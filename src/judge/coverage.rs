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

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cell::PersonaName;
    use crate::door::{Shown, Tool};
    use crate::scenario::{Missing, Sources};

    /// What the owner leaves out; `list` is named by an operation after all, `gone` is not there.
    const LEFT_OUT: [&str; 2] = [
        "{ GET /health: probe, GET /a: mine, GET /gone: old }",
        "{ ping: echo, list: mine, gone: old }",
    ];

    /// One operation at both doors, one on no route, one at MCP alone.
    const OPERATIONS: &str = "{ list: { allow: [], rest: GET /a, mcp: { tool: list } }, \
         lost: { allow: [], rest: GET /nowhere }, fetch: { allow: [], mutates: false, mcp: { tool: get_b } } }";

    const PATHS: &str = "paths: { /a: { get: { operationId: list }, post: {} }, \
         /b: { get: { operationId: getB } }, /health: { get: {} } }";

    /// The scenario of a text that names no variable.
    pub(in crate::judge) fn scenario_of(text: &str) -> Scenario {
        let sources = Sources {
            variables: BTreeMap::new(),
            missing: Missing::Refused,
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
            today: "2026-06-01".parse().unwrap(),
        };
        Scenario::read("x.yaml", text, &sources)
            .map_err(|complaints| complaints.to_string())
            .unwrap()
    }

    fn scenario([routes, tools]: [&str; 2]) -> Scenario {
        scenario_of(&format!(
            "rolecall: 1\nname: x\ndeployment: {{ rest: {{ url: http://h, ignore: {routes} }}, mcp: {{ url: http://h/mcp, ignore: {tools} }} }}\npersonas: {{ nobody: {{ sign_in: none }} }}\noperations: {OPERATIONS}\n"
        ))
    }

    pub(in crate::judge) fn listed(door: Door, tools: &[&str], ended: Ended) -> Listed {
        let tool = |name: &&str| Tool {
            name: (*name).to_owned(),
            read_only: None,
            destructive: None,
        };
        Listed {
            persona: PersonaName::new("nobody"),
            door,
            shown: Shown {
                tools: tools.iter().map(tool).collect(),
                public: false,
                ended,
                why: String::new(),
            },
        }
    }

    fn coverage(scenario: &Scenario, paths: &str, lists: &[Listed]) -> Coverage {
        let document = Document::read(paths).unwrap();
        let matching = document.matching("http://h", &scenario.operations);
        Coverage::of(&Inventory {
            scenario,
            document: Some((&document, &matching)),
            lists,
        })
    }

    /// Everything of the deployment beside everything of the scenario.
    fn whole(scenario: &Scenario) -> Coverage {
        let lists = [
            listed(Door::McpLegacy, &["ping", "list"], Ended::Whole),
            listed(Door::Mcp, &["list", "get_b", "more"], Ended::Whole),
            listed(Door::Mcp, &["list"], Ended::Whole),
        ];
        coverage(scenario, PATHS, &lists)
    }

    fn known(name: &str, named_by: &[usize], left_out: bool) -> Known {
        Known {
            name: name.to_owned(),
            id: Some(name.to_owned()),
            doors: Vec::new(),
            named_by: named_by.to_vec(),
            left_out,
        }
    }

    fn told(findings: impl IntoIterator<Item = Finding>) -> Vec<(Code, String)> {
        let findings = findings.into_iter();
        findings
            .map(|finding| (finding.code, finding.detail))
            .collect()
    }

    #[test]
    fn a_share_is_of_what_is_not_left_out_and_never_rounded_up() {
        let parts = [
            known("named", &[0], false),
            known("forgotten", &[], false),
            known("left out", &[], true),
        ];
        let (half, more) = (Share::of(&parts), Share { named: 2, all: 5 });
        assert_eq!(half, Share { named: 1, all: 2 });
        assert_eq!(half.and(more), Share { named: 3, all: 7 });
        let forgotten = parts.map(|one| one.is_forgotten());
        assert_eq!(forgotten, [false, true, false]);
        for (named, all, percent) in [(0, 0, 100), (0, 3, 0), (2, 3, 66), (3, 3, 100)] {
            assert_eq!(Share { named, all }.percent(), percent, "{named} of {all}");
        }
    }

    #[test]
    fn routes_and_tools_stand_with_who_names_them_and_where() {
        type Line<'l> = (&'l str, &'l [Door], &'l [usize], bool);
        fn lines(known: Option<&Vec<Known>>) -> Vec<Line<'_>> {
            let known = known.unwrap().iter();
            known
                .map(|one| {
                    let name = one.name.as_str();
                    (name, &*one.doors, &*one.named_by, one.left_out)
                })
                .collect()
        }
        let scenario = scenario(LEFT_OUT);
        let coverage = whole(&scenario);
        let rest: &[Door] = &[Door::Rest];
        let routes: [Line<'_>; 4] = [
            ("GET /a", rest, &[0], false),
            ("POST /a", rest, &[], false),
            ("GET /b", rest, &[], false),
            ("GET /health", rest, &[], true),
        ];
        assert_eq!(lines(coverage.routes.as_ref()), routes);
        let tools: [Line<'_>; 4] = [
            ("ping", &[Door::McpLegacy], &[], true),
            ("list", &[Door::Mcp, Door::McpLegacy], &[0], false),
            ("get_b", &[Door::Mcp], &[2], false),
            ("more", &[Door::Mcp], &[], false),
        ];
        assert_eq!(lines(coverage.tools.as_ref()), tools);
        assert_eq!(coverage.of_routes(), Some(Share { named: 1, all: 3 }));
        assert_eq!(coverage.of_tools(), Some(Share { named: 2, all: 3 }));
        assert_eq!(coverage.undocumented, [1]);
        let pairs: Vec<_> = coverage
            .pairs
            .iter()
            .map(|one| (one.route, one.tool))
            .collect();
        assert_eq!(pairs, [(0, 1), (2, 2)]);
    }

    #[test]
    fn of_what_nobody_was_asked_nothing_is_known() {
        let scenario = scenario(LEFT_OUT);
        let nothing = Coverage::of(&Inventory {
            scenario: &scenario,
            document: None,
            lists: &[],
        });
        assert_eq!((nothing.of_routes(), nothing.of_tools()), (None, None));
        assert_eq!(nothing.findings(&scenario), []);
    }

    #[test]
    fn a_run_tells_what_is_forgotten_what_is_missing_and_what_is_left_out_in_vain() {
        let scenario = scenario(LEFT_OUT);
        let told = told(whole(&scenario).findings(&scenario));
        let stale = |name: &str, why: &str| (Code::StaleWaiver, format!("ignore `{name}`: {why}"));
        assert_eq!(
            told,
            [
                (
                    Code::UndeclaredRoute,
                    format!("{DOCUMENT} names POST /a and GET /b, and no operation is on them")
                ),
                (
                    Code::DeclaredRouteMissing,
                    format!("lost (GET /nowhere) is not in {DOCUMENT}")
                ),
                (
                    Code::DoorForgotten,
                    "fetch is tested at mcp alone, and is GET /b as well".to_owned()
                ),
                stale("GET /a", "an operation names that route (mine)"),
                stale("GET /gone", "there is no such route (old)"),
                stale("list", "an operation names that tool (mine)"),
                stale("gone", "there is no such tool (old)"),
            ]
        );
    }

    #[test]
    fn routes_that_nobody_is_on_are_as_grave_as_the_author_says() {
        let one = [known("GET /a", &[0], false), known("GET /b", &[], false)];
        let none = [known("GET /b", &[], false)];
        let named = [known("GET /a", &[0], false), known("GET /b", &[], true)];
        let doubt = "; none is on any of its routes, so it may be the document of another API, or its paths stand elsewhere";
        let (fail, warn) = (Code::UndeclaredRoute, Code::UndeclaredRouteNoted);
        for (routes, undeclared, code, doubt) in [
            (one.as_slice(), Undeclared::Fail, Some(fail), ""),
            (&one, Undeclared::Warn, Some(warn), ""),
            (&one, Undeclared::Ignore, None, ""),
            (&none, Undeclared::Fail, Some(fail), doubt),
            (&named, Undeclared::Fail, None, ""),
        ] {
            let coverage = Coverage {
                routes: Some(routes.to_vec()),
                ..Coverage::default()
            };
            let detail = format!("{DOCUMENT} names GET /b, and no operation is on it{doubt}");
            let expected: Vec<_> = code
                .into_iter()
                .map(|code| (code, detail.clone()))
                .collect();
            let told = told(coverage.strays(undeclared));
            assert_eq!(told, expected, "{routes:?} {undeclared:?}");
        }
    }

    #[test]
    fn a_document_that_cannot_be_read_is_as_grave_as_the_author_says() {
        let detail = format!("{DOCUMENT} at http://h/api could not be read: 404");
        for (undeclared, code) in [
            (Undeclared::Fail, Some(Code::CoverageUnread)),
            (Undeclared::Warn, Some(Code::UndeclaredRouteNoted)),
            (Undeclared::Ignore, None),
        ] {
            let expected: Vec<_> = code
                .into_iter()
                .map(|code| (code, detail.clone()))
                .collect();
            let told = told(unread(undeclared, "http://h/api", "404"));
            assert_eq!(told, expected, "{undeclared:?}");
        }
    }

    #[test]
    fn a_pair_has_a_hole_where_a_door_is_forgotten_or_named_apart() {
        type Side<'s> = (&'s [usize], bool);
        let scenario = scenario(LEFT_OUT);
        let at_rest = Some("list is tested at rest alone, and is the tool t as well");
        let at_mcp = Some("list is tested at mcp alone, and is GET /t as well");
        let apart =
            Some("GET /t and the tool t are one, and tested as two operations, list and fetch");
        let table: [(Side<'_>, Side<'_>, Option<&str>); 9] = [
            ((&[], false), (&[], false), None),
            ((&[0], false), (&[], false), at_rest),
            ((&[0], false), (&[], true), None),
            ((&[], false), (&[0], false), at_mcp),
            ((&[], true), (&[0], false), None),
            ((&[], true), (&[], true), None),
            ((&[0], false), (&[2], false), apart),
            ((&[0], false), (&[0], false), None),
            ((&[0, 1], false), (&[2, 1], false), None),
        ];
        for (route, tool, expected) in table {
            let coverage = Coverage {
                routes: Some(vec![known("GET /t", route.0, route.1)]),
                tools: Some(vec![known("t", tool.0, tool.1)]),
                ..Coverage::default()
            };
            let pair = Pair {
                route: 0,
                tool: 0,
                loosely: false,
            };
            let hole = coverage.hole(pair, &scenario.operations);
            assert_eq!(hole.as_deref(), expected, "{route:?} {tool:?}");
        }
    }

    /// A tool that one persona is shown alone may be in the list that was not read.
    #[test]
    fn nothing_is_called_missing_before_every_list_was_read() {
        let scenario = scenario(["{}", "{ gone: old }"]);
        for (ends, stale) in [
            (&[Ended::Whole][..], true),
            (&[Ended::Whole, Ended::Refused], true),
            (&[Ended::Refused], false),
            (&[Ended::Whole, Ended::Cut], false),
            (&[Ended::Whole, Ended::Unread], false),
        ] {
            let lists = ends
                .iter()
                .map(|ended| listed(Door::Mcp, &["list"], *ended));
            let lists: Vec<Listed> = lists.collect();
            let coverage = coverage(&scenario, PATHS, &lists);
            assert_eq!(coverage.left_out[0].stale.is_some(), stale, "{ends:?}");
        }
    }

    #[test]
    fn a_long_path_is_cut_in_a_sentence() {
        let path = |letters: usize| format!("/{}", "ä".repeat(letters));
        assert_eq!(short(&path(NAME - 1)), path(NAME - 1));
        assert_eq!(short(&path(NAME)), format!("{}…", path(NAME - 1)));
    }
}
