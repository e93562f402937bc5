//! Effects that show later, and policies that are live later.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rolecall::reference::Fault;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, text};

/// The article's scenario whose fixture takes a while, made by a tool alone where `by_tool` says so.
fn scenario(settle: &str, by_tool: bool) -> (TempDir, String) {
    let catalog = fs::read_to_string(CATALOG).unwrap();
    let mut edited = catalog.replacen(
        "    as: admin\n",
        &format!("    as: admin\n    {settle}\n"),
        1,
    );
    assert_ne!(edited, catalog);
    if by_tool {
        let rest = "      rest: { request: POST /api/products, json: { name: \"rolecall {{ tag }}\", price: 1 } }\n";
        assert!(edited.contains(rest));
        edited = edited.replacen(rest, "", 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settling.yaml");
    fs::write(&path, edited).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// A run of it against these faults: what it came to, how long it took, and whether the store is as it was before.
fn run(faults: &[Fault], settle: &str, by_tool: bool) -> (Ran, Duration, bool) {
    let deployment = deployment(faults);
    let before = deployment.products();
    let (_folder, path) = scenario(settle, by_tool);
    let begun = Instant::now();
    let ran = Bench::against(&deployment).run(&["run", &path]);
    let took = begun.elapsed();
    let same = deployment.products() == before;
    (ran, took, same)
}

fn cells(pick: &[(&str, &str)]) -> Vec<String> {
    let mut cells = Vec::new();
    for operation in ["createProduct", "updateProduct", "deleteProduct"] {
        for door in ["rest", "mcp", "mcp-legacy"] {
            for (persona, _) in pick.iter().filter(|(_, one)| *one == operation) {
                cells.push(format!("{persona}/{operation}/{door}"));
            }
        }
    }
    cells
}

#[test]
fn an_effect_that_shows_within_its_time_passes_and_all_are_awaited_at_once() {
    for by_tool in [false, true] {
        let (ran, took, same) = run(&[Fault::LateEffects], "settle: 6s", by_tool);
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        assert_eq!(ran.report()["summary"]["pass"], 72);
        assert!(findings(&ran.report()).is_empty());
        assert!(same, "what was made is gone");
        // Objects are awaited for the lag of two seconds, effects for six, removals for the lag again: not so for every cell.
        assert!(took < Duration::from_secs(25), "{took:?}");
    }
}

#[test]
fn an_effect_that_shows_after_its_time_is_none() {
    let (ran, _, _) = run(&[Fault::LateEffects], "settle: 200ms", false);
    assert_eq!(ran.exit, 1);
    let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
    assert_eq!(codes, ["left-behind", "no-effect"], "{}", ran.stdout);
}

#[test]
fn a_refused_creation_that_comes_later_is_found_and_removed() {
    let refused = cells(&[("reader", "createProduct")]);
    let expected = BTreeMap::from([("effect-despite-refusal".to_owned(), refused)]);
    let (ran, _, same) = run(&[Fault::LateCreationDespite403], "settle: 5s", false);
    assert_eq!(findings(&ran.report()), expected, "{}", ran.stdout);
    assert_eq!(ran.exit, 1);
    assert!(same, "what came late is gone");
    for cell in ran.report()["cells"].as_array().unwrap() {
        let is_wrong = cell["verdict"] != "pass";
        assert_eq!(cell["evidence"].is_array(), is_wrong, "{cell}");
    }
}

#[test]
fn refused_writes_that_are_read_only_later_are_found() {
    let faults = [Fault::ExecutedDespite403, Fault::LateEffects];
    let (ran, _, _) = run(&faults, "settle: 5s", false);
    let refused = cells(&[
        ("reader", "createProduct"),
        ("reader", "updateProduct"),
        ("reader", "deleteProduct"),
        ("writer", "deleteProduct"),
    ]);
    let expected = BTreeMap::from([("effect-despite-refusal".to_owned(), refused)]);
    assert_eq!(findings(&ran.report()), expected, "{}", ran.stdout);
}

#[test]
fn a_deployment_that_settles_at_once_passes_with_a_time_to_settle() {
    let (ran, _, same) = run(&[], "settle: 300ms", false);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(same);
    let (ran, _, _) = run(&[Fault::WriteLost], "settle: 300ms", false);
    let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
    assert_eq!(codes, ["left-behind", "no-effect"], "{}", ran.stdout);
}

#[test]
fn a_time_to_settle_that_is_none_is_told_with_its_place() {
    for (settle, words) in [
        ("settle: 5", "this is no length of time"),
        ("settle: fast", "this is no length of time"),
        ("settle: 11m", "longer than ten minutes"),
    ] {
        let (_folder, path) = scenario(settle, false);
        let ran = Bench::new().run(&["plan", &path]);
        assert_eq!(ran.exit, 2, "{settle}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(ran.stderr.contains("such as 5s or 2m"), "{}", ran.stderr);
    }
}

#[test]
fn a_run_that_waits_until_the_policy_is_live_meets_no_gap_and_tells_it() {
    let ran = Bench::new().run(&["demo", "--fault", "policy-late", "--settle", "1m"]);
    let report = ran.report();
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(report["summary"]["pass"], 72);
    let settled = &report["run"]["settled"];
    assert_eq!(settled["ready"], true, "{settled}");
    let late: Vec<String> = settled["late"]
        .as_array()
        .unwrap()
        .iter()
        .map(|late| text(&late["cell"]))
        .collect();
    assert!(
        late.contains(&"reader/updateProduct/rest".to_owned()),
        "{late:?}"
    );
    let notes: Vec<String> = findings(&report).into_keys().collect();
    assert_eq!(notes, ["settled-late"]);
    assert!(ran.stderr.contains("not settled yet"), "{}", ran.stderr);
    assert!(ran.stdout.contains("settled in "), "{}", ran.stdout);
}

#[test]
fn a_deployment_that_is_ready_is_asked_twice_and_changed_in_nothing() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let ran = Bench::against(&deployment).run(&["run", "--read-only", "--settle", "1m", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(ran.report()["run"]["settled"]["looks"], 2);
    assert!(findings(&ran.report()).is_empty());
    assert_eq!(deployment.products(), before);
}

#[test]
fn when_the_time_is_up_the_run_is_made_all_the_same_and_its_verdict_tells() {
    let ran = Bench::new().run(&["demo", "--fault", "writer-can-delete", "--settle", "1s"]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(ran.report()["run"]["settled"]["ready"], false);
    let found = findings(&ran.report());
    assert_eq!(found["leak"].len(), 3);
    assert!(found.contains_key("settled-late"));
}

#[test]
fn a_record_with_looks_before_the_run_can_be_rendered_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let arguments = ["demo", "--settle", "10s", "--repeat", "2"];
    let output = bench.command(folder.path(), &arguments).output().unwrap();
    assert!(output.status.success());
    let arguments = ["report", "reports/rolecall.jsonl", "--format", "json"];
    let again = bench.command(folder.path(), &arguments).output().unwrap();
    let written = fs::read(folder.path().join("reports/rolecall.json")).unwrap();
    assert_eq!(
        String::from_utf8(again.stdout).unwrap(),
        String::from_utf8(written).unwrap()
    );
}
