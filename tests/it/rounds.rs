//! How often cells are called, how far a run goes, and which cells it calls.

use std::fs;

use rolecall::reference::Fault;
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, text};

fn run(faults: &[Fault], arguments: &[&str]) -> Ran {
    let deployment = deployment(faults);
    let before = deployment.products();
    let all: Vec<&str> = ["run"]
        .iter()
        .chain(arguments)
        .chain(&[CATALOG])
        .copied()
        .collect();
    let ran = Bench::against(&deployment).run(&all);
    assert_eq!(deployment.products(), before, "{}", ran.stdout);
    ran
}

fn verdicts(report: &Value, verdict: &str) -> Vec<String> {
    let cells = report["cells"].as_array().unwrap().iter();
    cells
        .filter(|cell| cell["verdict"] == verdict)
        .map(|cell| text(&cell["id"]))
        .collect()
}

#[test]
fn a_sound_deployment_gives_the_same_in_every_round() {
    let ran = run(&[], &["--repeat", "4"]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(findings(&ran.report()).is_empty());
    assert!(ran.stdout.contains("4 rounds"), "{}", ran.stdout);
    let record = ran.file("reports/rolecall.jsonl");
    assert!(
        !record.contains("cell.repeated"),
        "what is the same is not told again"
    );
}

/// What one round misses: a hole behind one of many gateways.
#[test]
fn a_leak_of_one_call_in_many_is_found_by_calling_often_and_never_lost() {
    let ran = run(&[Fault::StaleReplica], &[]);
    assert_eq!(ran.exit, 0, "one round does not meet it: {}", ran.stdout);
    let deployment = deployment(&[Fault::StaleReplica]);
    let ran = Bench::against(&deployment).run(&["run", "--repeat", "8", CATALOG]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let found = findings(&ran.report());
    let codes: Vec<&String> = found.keys().collect();
    assert_eq!(codes, ["leak"], "{}", ran.stdout);
    let cells = ran.report()["cells"].as_array().unwrap().clone();
    for cell in cells
        .iter()
        .filter(|cell| found["leak"].contains(&text(&cell["id"])))
    {
        assert_eq!(cell["repeats"]["asked"], 8, "{cell}");
        assert!(cell["repeats"]["astray"].as_u64() <= Some(2), "{cell}");
        let reason = text(&cell["reason"]);
        assert!(
            reason.contains("of 8 answers were not as demanded"),
            "{reason}"
        );
    }
    assert!(ran.stdout.contains("1/8≠403"), "{}", ran.stdout);
    assert!(
        ran.file("reports/TEST-rolecall.xml")
            .contains("of 8 answers")
    );
    assert!(ran.file("reports/rolecall.md").contains("1/8≠403"));
}

/// A single round may find a call lucky; many rounds do not. Nothing is written, since a read-back needs the owner's luck.
#[test]
fn a_token_that_is_refused_now_and_then_flips_everywhere() {
    let ran = run(&[Fault::Flaky401], &["--read-only", "--repeat", "12"]);
    let report = ran.report();
    assert_eq!(ran.exit, 1);
    let found = findings(&report);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["flips"],
        "{}",
        ran.stdout
    );
    assert!(found["flips"].len() > 20, "{:?}", found["flips"]);
    let signed_in = |cell: &String| !cell.starts_with("anonymous/");
    assert!(found["flips"].iter().all(signed_in), "{:?}", found["flips"]);
}

#[test]
fn a_run_ends_at_the_first_failing_cell_cleans_up_and_tells_what_it_did_not_reach() {
    let ran = run(&[Fault::McpNoAuth], &["--fail-fast", "--jobs", "1"]);
    let report = ran.report();
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(verdicts(&report, "fail"), ["anonymous/listProducts/mcp"]);
    assert!(verdicts(&report, "unproven").len() > 60);
    assert_eq!(report["run"]["ended_after_failures"], 1);
    assert!(findings(&report).contains_key("incomplete"));
    assert!(report["requirements"].as_array().unwrap().is_empty());
    assert!(
        ran.stdout
            .contains("ended at the first failing cell, as it was told")
    );
    let xml = ran.file("reports/TEST-rolecall.xml");
    assert!(xml.contains("ended at the first failing cell"), "{xml}");
}

#[test]
fn a_run_ends_at_so_many_failing_cells_as_it_is_told() {
    let ran = run(
        &[Fault::SwappedStatuses],
        &["--max-failures", "5", "--jobs", "1"],
    );
    assert_eq!(verdicts(&ran.report(), "fail").len(), 5, "{}", ran.stdout);
    let ran = run(&[Fault::WriterCanDelete], &["--max-failures", "4"]);
    assert_eq!(verdicts(&ran.report(), "fail").len(), 3);
    assert_eq!(ran.report()["run"]["complete"], true, "{}", ran.stdout);
    let ran = run(&[], &["--fail-fast"]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
}

/// A refusal of the wrong kind fails once somebody who may has got through, and not before.
#[test]
fn what_is_not_proven_does_not_end_a_run() {
    let ran = run(&[Fault::WafPage], &["--fail-fast"]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert_eq!(ran.report()["run"]["complete"], true);
}

#[test]
fn one_cell_is_called_with_the_controls_without_which_it_would_prove_nothing() {
    let ran = run(&[], &["--only", "reader/deleteProduct/mcp"]);
    let report = ran.report();
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(report["summary"]["checks"], 1);
    assert_eq!(report["summary"]["controls"], 2);
    let cells = report["cells"].as_array().unwrap();
    let controls: Vec<String> = cells
        .iter()
        .filter(|cell| cell["control"] == true)
        .map(|cell| text(&cell["id"]))
        .collect();
    assert_eq!(
        controls,
        ["reader/listProducts/mcp", "admin/deleteProduct/mcp"]
    );
    assert!(report["requirements"].as_array().unwrap().is_empty());
    let said = ran.stdout.replace('\n', " ");
    assert!(said.contains("1 check: 1 pass"), "{said}");
    assert!(said.contains("+ 2 control cells"), "{said}");
    assert!(said.contains("Every role that was judged"), "{said}");
    let cases = ran
        .file("reports/TEST-rolecall.xml")
        .matches("<testcase")
        .count();
    assert_eq!(cases, 1);
}

#[test]
fn who_is_not_needed_does_not_sign_in_and_no_other_door_is_asked() {
    let deployment = deployment(&[]);
    let ran =
        Bench::against(&deployment).run(&["run", "--only", "reader/listProducts/rest", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let seen = deployment.traffic();
    let tokens = seen
        .iter()
        .filter(|one| one.method == "POST" && one.path.contains("token"));
    assert_eq!(tokens.count(), 1);
    assert!(!seen.iter().any(|one| one.path.starts_with("/mcp")));
}

#[test]
fn a_control_that_fails_is_told() {
    let ran = run(
        &[Fault::ReaderLockedOut],
        &["--only", "persona=reader,operation=deleteProduct,door=rest"],
    );
    let report = ran.report();
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(report["summary"]["unproven"], 1);
    assert_eq!(findings(&report)["lockout"], ["reader/listProducts/rest"]);
    assert!(ran.file("reports/TEST-rolecall.xml").contains("lockout"));
}

#[test]
fn a_hole_is_found_by_its_cell_alone() {
    let ran = run(
        &[Fault::WriterCanDelete],
        &["--only", "writer/delete*/mcp|rest"],
    );
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(
        findings(&ran.report())["leak"],
        ["writer/deleteProduct/rest", "writer/deleteProduct/mcp"]
    );
}

#[test]
fn a_choice_that_names_nothing_is_refused_and_one_that_leaves_nothing_is_told() {
    for (only, exit, words) in [
        ("raeder/deleteProduct/mcp", 2, "did you mean `reader`?"),
        (
            "operation=deleteProdukt",
            2,
            "did you mean `deleteProduct`?",
        ),
        ("door=sse", 2, "is no door of it"),
        ("role=reader", 2, "not one of persona, operation and door"),
    ] {
        for command in ["run", "plan"] {
            let deployment = deployment(&[]);
            let ran = Bench::against(&deployment).run(&[command, "--only", only, CATALOG]);
            assert_eq!(ran.exit, exit, "{only}: {}", ran.stderr);
            assert!(ran.stderr.contains(words), "{only}: {}", ran.stderr);
            assert!(deployment.traffic().is_empty());
        }
    }
    let deployment = deployment(&[]);
    let arguments = ["run", "--door", "rest", "--only", "door=mcp", CATALOG];
    let ran = Bench::against(&deployment).run(&arguments);
    assert_eq!(ran.exit, 4, "{}", ran.stderr);
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_plan_of_chosen_cells_lists_what_a_run_of_them_sends() {
    let ran = Bench::new().run(&["plan", "--only", "anonymous/getProduct/rest", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("anonymous/getProduct/rest"));
    assert!(ran.stdout.contains("allow, as a control"), "{}", ran.stdout);
    for absent in [
        "tools/list",
        "C-0",
        "writer",
        "deleteProduct/",
        "initialize",
    ] {
        assert!(!ran.stdout.contains(absent), "{absent}: {}", ran.stdout);
    }
}

/// A thousand cells and more of a sound deployment, each called twice: no alarm.
#[test]
fn many_cells_of_a_sound_deployment_raise_no_alarm() {
    let catalog = fs::read_to_string(CATALOG).unwrap();
    let (head, _) = catalog.split_once("operations:\n").unwrap();
    let operations = (0..50).fold(String::new(), |text, number| {
        text + &format!(
            "  list{number}:\n    allow: [reader, writer, admin]\n    rest: GET /api/products?page={number}\n    mcp: listProducts\n"
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.yaml");
    let scenario = format!("{head}operations:\n{operations}");
    let scenario = scenario
        .replacen(
            "mcp: ${CATALOG_MCP_URL}",
            "mcp: { url: \"${CATALOG_MCP_URL}\", undeclared: ignore }",
            1,
        )
        .replacen("${CATALOG_OPENAPI:-}", "", 1);
    fs::write(&path, scenario).unwrap();
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", "--repeat", "2", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let report = ran.report();
    assert_eq!(report["summary"]["pass"], 600);
    assert!(findings(&report).is_empty());
}
