//! What `tools/list` shows beside the matrix, from the scenario to every report.

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, shown_in_vain, text};

const STRANGER: &str = "  stranger:\n    roles: []\n    sign_in:\n      client_credentials: { client_id: \"${STRANGER_ID}\", client_secret: { env: STRANGER_SECRET } }\n";

/// The article's scenario with these lines in the map of its MCP door, and further personas.
fn scenario(mcp: &str, personas: &str) -> (TempDir, String) {
    let catalog = std::fs::read_to_string(CATALOG).unwrap();
    let door = format!("mcp: {{ url: \"${{CATALOG_MCP_URL}}\"{mcp} }}");
    let edited = catalog
        .replacen("mcp: ${CATALOG_MCP_URL}", &door, 1)
        .replacen("  anonymous:\n", &format!("{personas}  anonymous:\n"), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.yaml");
    std::fs::write(&path, edited).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn run(deployment: &Deployment, path: &str, arguments: &[&str]) -> Ran {
    let all = [&["run"], arguments, &[path]].concat();
    Bench::against(deployment).run(&all)
}

fn codes(ran: &Ran) -> Vec<String> {
    findings(&ran.report()).into_keys().collect()
}

/// The events of that type in the record.
fn events(ran: &Ran, kind: &str) -> Vec<Value> {
    let record = ran.file("reports/rolecall.jsonl");
    let lines = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] == kind).collect()
}

fn detail(ran: &Ran, code: &str) -> String {
    let report = ran.report();
    let findings = report["findings"].as_array().unwrap();
    let own = findings.iter().find(|finding| finding["code"] == code);
    text(&own.unwrap()["detail"])
}

#[test]
fn what_is_shown_stands_in_every_report_and_what_is_refused_of_it_in_one_line() {
    let ran = Bench::new().run(&["demo", "-v"]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let line = "– listed-but-refused  Tools are shown to personas that are refused them, as demanded (8 cells)\n";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
    let lists = ran.report()["lists"].clone();
    let groups = lists.as_array().unwrap();
    assert_eq!(groups.len(), 1, "{lists}");
    assert_eq!(
        groups[0]["personas"].to_string(),
        r#"["reader","writer","admin"]"#
    );
    assert_eq!(groups[0]["doors"].to_string(), r#"["mcp","mcp-legacy"]"#);
    assert_eq!(groups[0]["ended"], "whole");
    assert_eq!(groups[0]["tools"].as_array().unwrap().len(), 6);
    let told = "reader, writer, admin at mcp, mcp-legacy: 6 tools: listProducts, getProduct,";
    for text in [&ran.stdout, &ran.file("reports/rolecall.md")] {
        assert!(
            text.contains("What tools/list shows") && text.contains(told),
            "{text}"
        );
    }
    let junit = ran.file("reports/TEST-rolecall.xml");
    assert!(!junit.contains("<failure") && !junit.contains("<error"));
    assert_eq!(events(&ran, "tools.listed").len(), 6);
    assert_eq!(events(&ran, "tool.tried").len(), 0);
}

#[test]
fn an_undeclared_tool_fails_until_the_author_says_otherwise() {
    let deployment = deployment(&[Fault::UndeclaredTool]);
    for (mcp, exit, codes_of_it) in [
        ("", 1, &["undeclared-tool"][..]),
        (", undeclared: fail", 1, &["undeclared-tool"]),
        (", undeclared: warn", 0, &["undeclared-tool-noted"]),
        (", undeclared: ignore", 0, &[]),
    ] {
        let (_folder, path) = scenario(mcp, "");
        let ran = run(&deployment, &path, &[]);
        assert_eq!(
            (ran.exit, codes(&ran)),
            (
                exit,
                codes_of_it.iter().map(|code| (*code).to_owned()).collect()
            ),
            "{mcp}: {}",
            ran.stdout
        );
        let tried = if exit == 1 { 2 } else { 0 };
        assert_eq!(events(&ran, "tool.tried").len(), tried, "{mcp}");
    }
    let (_folder, path) = scenario(", undeclared: never", "");
    let ran = run(&deployment, &path, &[]);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("undeclared"), "{}", ran.stderr);
}

#[test]
fn whoever_has_no_role_tries_the_one_tool_that_only_reads() {
    let deployment = deployment(&[Fault::McpUnlistedToolOpen]);
    let before = deployment.products();
    let (_folder, path) = scenario("", STRANGER);
    let ran = run(&deployment, &path, &[]);
    assert_eq!(deployment.products(), before);
    let tried = events(&ran, "tool.tried");
    let who: Vec<String> = tried
        .iter()
        .map(|one| {
            [&one["persona"], &one["door"], &one["tool"], &one["outcome"]]
                .map(text)
                .join(" ")
        })
        .collect();
    assert_eq!(
        who,
        [
            "stranger mcp exportProducts granted",
            "stranger mcp-legacy exportProducts granted"
        ]
    );
    let told = "stranger called exportProducts at mcp and mcp-legacy and got through to it";
    assert_eq!(detail(&ran, "deny-list"), told, "{}", ran.stdout);
}

#[test]
fn whoever_has_a_role_may_have_the_tool_so_that_a_call_is_told_and_proves_no_deny_list() {
    let ran = Bench::new().run(&["demo", "--fault", "mcp-unlisted-tool-open"]);
    assert_eq!(codes(&ran), ["undeclared-tool"]);
    let told = "; reader called exportProducts at mcp and mcp-legacy and got through to it";
    assert!(
        detail(&ran, "undeclared-tool").ends_with(told),
        "{}",
        ran.stdout
    );
}

#[test]
fn nothing_undeclared_is_called_by_a_run_that_only_reads() {
    let deployment = deployment(&[Fault::McpUnlistedToolOpen]);
    let (_folder, path) = scenario("", "");
    let ran = run(&deployment, &path, &["--read-only"]);
    assert_eq!(
        (ran.exit, events(&ran, "tool.tried").len()),
        (1, 0),
        "{}",
        ran.stdout
    );
    assert!(
        detail(&ran, "undeclared-tool").ends_with("was not tried"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_tool_that_is_gone_is_the_cause_of_what_cannot_be_called() {
    let ran = Bench::new().run(&["demo", "--fault", "tool-gone"]);
    assert_eq!(codes(&ran), ["broken"]);
    let cause = "No persona's tools/list shows the tool, and all of it was read";
    assert!(ran.stdout.contains(cause), "{}", ran.stdout);
}

#[test]
fn a_filtered_list_shows_nothing_in_vain() {
    let ran = Bench::new().run(&["demo", "--fault", "hidden-but-callable"]);
    assert_eq!(
        (ran.exit, codes(&ran), shown_in_vain(&ran.report())),
        (0, vec!["hidden-but-callable".to_owned()], vec![])
    );
    let report = ran.report();
    let requirements = report["requirements"].as_array().unwrap();
    let own = requirements.iter().find(|one| one["id"] == "C-24").unwrap();
    assert_eq!(own["state"], "held");
}

#[test]
fn a_list_that_may_be_kept_for_others_can_be_waived() {
    let deployment = deployment(&[Fault::ListFilteredPublic]);
    for (mcp, state, expected) in [
        ("", "violated", &["spec-should C-24"][..]),
        (", waive: { C-24: \"no cache in between\" }", "waived", &[]),
    ] {
        let (_folder, path) = scenario(mcp, "");
        let ran = run(&deployment, &path, &[]);
        let report = ran.report();
        let requirements = report["requirements"].as_array().unwrap();
        let own = requirements.iter().find(|one| one["id"] == "C-24").unwrap();
        assert_eq!(own["state"], state);
        assert_eq!(
            (ran.exit, codes(&ran)),
            (
                0,
                expected
                    .iter()
                    .map(|code| (*code).to_owned())
                    .collect::<Vec<_>>()
            )
        );
    }
}

#[test]
fn a_plan_foresees_the_lists() {
    let bench = Bench::new();
    let text = |arguments: &[&str]| {
        bench
            .run(&[&["plan"], arguments, &[CATALOG]].concat())
            .stdout
    };
    let plan = text(&[]);
    assert_eq!(
        plan.matches("tools/list, to its last page").count(),
        6,
        "{plan}"
    );
    assert_eq!(
        plan.matches("tools/call of a tool that no operation names")
            .count(),
        2
    );
    assert!(!text(&["--read-only"]).contains("that no operation names"));
    assert!(!text(&["--door", "rest"]).contains("to its last page"));
}
