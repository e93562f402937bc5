//! The test of the tester: no fault, every check passes; each fault, exactly its findings and no others.

use std::collections::BTreeMap;

use rolecall::reference::Fault;
use serde_json::Value;

use crate::bench::{Bench, CATALOG, deployment, findings, text};

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
    assert!(faults.len() >= 32);
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
    let exit = fault["exit"].as_i64().unwrap();
    (!fits || i64::from(ran.exit) != exit).then(|| {
        format!(
            "{name}: exit {} (expected {exit})\n  got      {got:?}\n  expected {expected:?}",
            ran.exit
        )
    })
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
fn with_forgotten_rows() -> String {
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
