//! The test of the tester: no fault, every check passes; each fault, exactly its findings and no others.

use std::collections::BTreeMap;

use rolecall::reference::Fault;
use serde_json::Value;

use crate::bench::{Bench, CATALOG, deployment, findings, shown_in_vain, text};

fn listed() -> Vec<Value> {
    let ran = Bench::new().run(&["demo", "--list-faults", "--format", "json"]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn without_a_fault_every_check_passes() {
    let ran = Bench::new().run(&["demo"]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.report();
    assert_eq!(report["summary"]["pass"], 72);
    assert!(findings(&report).is_empty());
    assert_eq!(shown_in_vain(&report).len(), 8);
}

/// Half of the faults in each test, because the machine that runs them has two cores.
#[test]
fn each_fault_of_the_first_half_leads_to_exactly_its_findings() {
    check_faults(0);
}

#[test]
fn each_fault_of_the_second_half_leads_to_exactly_its_findings() {
    check_faults(1);
}

fn check_faults(half: usize) {
    let faults = listed();
    assert!(faults.len() >= 46);
    let wrong: Vec<String> = faults
        .iter()
        .skip(half)
        .step_by(2)
        .filter_map(difference)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What a run with the fault gave other than the list says; `None` when nothing.
fn difference(fault: &Value) -> Option<String> {
    let name = text(&fault["fault"]);
    let ran = Bench::new().run(&["demo", "--fault", &name]);
    let report = ran.report();
    let got = findings(&report);
    let exact = fault["findings"]
        .as_array()
        .unwrap()
        .iter()
        .all(|finding| finding["exactly"] == true);
    let expected = findings(fault);
    let fits = if exact {
        got == expected
    } else {
        within(&got, &expected)
    };
    let (shown, listed) = (shown_in_vain(&report), strings(&fault["shown_in_vain"]));
    let fits = fits
        && if exact {
            shown == listed
        } else {
            shown.iter().all(|cell| listed.contains(cell))
        };
    let exit = fault["exit"].as_i64().unwrap();
    (!fits || i64::from(ran.exit) != exit).then(|| {
        format!(
            "{name}: exit {} (expected {exit})\n  got      {got:?} {shown:?}\n  expected {expected:?} {listed:?}",
            ran.exit
        )
    })
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(text).collect()
}

/// Where cells depend on the order of arrival: the same codes, and at least one of their cells each.
fn within(got: &BTreeMap<String, Vec<String>>, expected: &BTreeMap<String, Vec<String>>) -> bool {
    let same_codes = got.keys().eq(expected.keys());
    same_codes
        && got.iter().all(|(code, cells)| {
            !cells.is_empty() && cells.iter().all(|cell| expected[code].contains(cell))
        })
}

#[test]
fn every_fault_ends_with_a_line_that_says_what_to_do() {
    let ran = Bench::new().run(&["demo", "--fault", "mcp-no-tool-check"]);
    let last = ran.stdout.lines().last().unwrap();
    assert!(last.contains("rolecall explain leak"), "{last}");
}

#[test]
fn a_fault_that_does_not_exist_is_refused_with_the_nearest_name() {
    let ran = Bench::new().run(&["demo", "--fault", "mcp-no-aut"]);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("mcp-no-auth"), "{}", ran.stderr);
}

/// The article's scenario with the two rows that it forgets: signed in without a role, and with a role that only
/// begins like the one that is needed.
pub(crate) fn with_forgotten_rows() -> String {
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let row = |name: &str, roles: &str| {
        let upper = name.to_uppercase();
        format!(
            "  {name}:\n    roles: [{roles}]\n    sign_in:\n      client_credentials: {{ client_id: \"${{{upper}_ID}}\", client_secret: {{ env: {upper}_SECRET }} }}\n"
        )
    };
    let rows = row("stranger", "") + &row("nearmiss", "Products.Read, Products.WriteOnly");
    text.replacen("  anonymous:\n", &format!("{rows}  anonymous:\n"), 1)
        .replace(
            "allow: [reader, writer, admin]",
            "allow: [reader, writer, admin, nearmiss]",
        )
}

#[test]
fn what_the_articles_rows_cannot_see_is_seen_by_those_that_it_forgets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forgotten.yaml");
    std::fs::write(&path, with_forgotten_rows()).unwrap();
    for (faults, code, persona) in [
        (&[][..], "", ""),
        (
            &[Fault::RolesMissing500][..],
            "crashed-not-refused",
            "stranger",
        ),
        (&[Fault::SubstringRoles][..], "leak", "nearmiss"),
        (&[Fault::McpUnlistedToolOpen][..], "leak", "stranger"),
    ] {
        let deployment = deployment(faults);
        let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
        assert_eq!(ran.exit, i32::from(!faults.is_empty()), "{}", ran.stdout);
        for cell in findings(&ran.report()).get(code).into_iter().flatten() {
            assert!(cell.starts_with(persona), "{faults:?}: {cell}");
        }
        let found = findings(&ran.report()).contains_key(code);
        assert_eq!(found, !faults.is_empty(), "{faults:?}: {}", ran.stdout);
    }
}

const PRIMITIVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/mcp-primitives.yaml");
const LISTS: [&str; 5] = [
    "discover",
    "listTools",
    "listResources",
    "listTemplates",
    "listPrompts",
];
const FOR_READERS: [&str; 6] = [
    "listProducts",
    "readCatalog",
    "readProduct",
    "describeProduct",
    "completeName",
    "completeId",
];
const FOR_ADMINS: [&str; 4] = [
    "deleteProduct",
    "readLedger",
    "repriceCatalog",
    "completePercent",
];

/// What the roles of scenarios/mcp-primitives.yaml may not do: a stranger nothing but lists, a reader nothing of admins.
fn role_denied(persona: &str, operation: &str) -> bool {
    match persona {
        "stranger" => !LISTS.contains(&operation),
        "reader" => FOR_ADMINS.contains(&operation),
        _ => false,
    }
}

fn primitives(pick: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let operations = || LISTS.into_iter().chain(FOR_READERS).chain(FOR_ADMINS);
    let mut cells = Vec::new();
    for persona in ["stranger", "reader", "admin", "anonymous"] {
        for operation in operations().filter(|operation| pick(persona, operation)) {
            for door in ["mcp", "mcp-legacy"] {
                cells.push(format!("{persona}/{operation}/{door}"));
            }
        }
    }
    cells.sort();
    cells
}

/// Runs the scenario, with `refuses` as the author states it, against these faults; exit code and sorted findings.
fn run_primitives(faults: &[Fault], refuses: &str) -> (i32, BTreeMap<String, Vec<String>>, String) {
    let deployment = deployment(faults);
    let before = deployment.products();
    let text = std::fs::read_to_string(PRIMITIVES).unwrap();
    let stated = format!("undeclared: ignore, refuses: {refuses} }}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primitives.yaml");
    std::fs::write(&path, text.replacen("undeclared: ignore }", &stated, 1)).unwrap();
    let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
    assert_eq!(deployment.products(), before, "{faults:?}: {}", ran.stdout);
    let mut found = findings(&ran.report());
    for cells in found.values_mut() {
        cells.sort();
    }
    (ran.exit, found, ran.stdout)
}

#[test]
fn without_a_fault_every_kind_of_mcp_request_passes() {
    let (exit, found, stdout) = run_primitives(&[], "http");
    assert_eq!((exit, found), (0, BTreeMap::new()), "{stdout}");
    assert!(stdout.contains("120"), "{stdout}");
}

#[test]
fn each_fault_beyond_tools_leads_to_exactly_its_findings() {
    let completes = |o: &str| o.starts_with("complete");
    let table: [(Fault, &str, Vec<String>); 6] = [
        (
            Fault::OnlyToolsChecked,
            "leak",
            primitives(|p, o| role_denied(p, o) && o != "listProducts" && o != "deleteProduct"),
        ),
        (
            Fault::CompletionUnchecked,
            "leak",
            primitives(|p, o| role_denied(p, o) && completes(o)),
        ),
        (
            Fault::ResourceHidden,
            "wrong-refusal",
            primitives(|p, o| role_denied(p, o) && (o.starts_with("read") || o == "completeId")),
        ),
        (
            Fault::McpListOpen,
            "leak",
            primitives(|p, o| p == "anonymous" && ["discover", "listTools"].contains(&o)),
        ),
        (Fault::Swallowed202, "intercepted", primitives(role_denied)),
        (Fault::McpNoToolCheck, "leak", primitives(role_denied)),
    ];
    for (fault, code, cells) in table {
        let (exit, found, stdout) = run_primitives(&[fault], "http");
        let expected = BTreeMap::from([(code.to_owned(), cells)]);
        assert_eq!(found, expected, "{fault}: {stdout}");
        assert_eq!(exit, if code == "intercepted" { 3 } else { 1 }, "{fault}");
    }
}

#[test]
fn a_refusal_in_another_shape_is_wrong_until_the_scenario_declares_it() {
    for (fault, refuses) in [
        (Fault::RefusalInBand, "in-band"),
        (Fault::RefusalCode32001, "in-band"),
        (Fault::RefusalCode32600, "in-band"),
        (Fault::RefusalScopeText, "in-band"),
        (Fault::RefusalPermissionsText, "any"),
        (Fault::RefusalInner403, "in-band"),
        (Fault::RefusalAfterProgress, "in-band"),
        (Fault::RefusalHidden, "hidden"),
        (Fault::RefusalUnknownText, "hidden"),
        (Fault::ResourceHidden, "any"),
    ] {
        let (exit, found, stdout) = run_primitives(&[fault], "http");
        let codes: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            (exit, codes),
            (1, vec!["wrong-refusal"]),
            "{fault}: {stdout}"
        );
        let (exit, found, stdout) = run_primitives(&[fault], refuses);
        assert_eq!(
            (exit, found),
            (0, BTreeMap::new()),
            "{fault} {refuses}: {stdout}"
        );
    }
}
