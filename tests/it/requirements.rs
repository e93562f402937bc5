//! The requirements of the MCP authorization chapter, from the scenario to every report.

use std::collections::BTreeMap;

use rolecall::reference::{Deployment, Fault, Listener};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, text, with_door};

fn run(deployment: &Deployment, path: &str) -> Ran {
    Bench::against(deployment).run(&["run", path])
}

/// States by id.
fn states(report: &Value) -> BTreeMap<String, String> {
    let checked = report["requirements"].as_array().unwrap();
    checked
        .iter()
        .map(|one| (text(&one["id"]), text(&one["state"])))
        .collect()
}

fn codes(ran: &Ran) -> Vec<String> {
    findings(&ran.report()).into_keys().collect()
}

#[test]
fn without_a_fault_every_requirement_that_applies_is_held() {
    let ran = Bench::new().run(&["demo"]);
    let states = states(&ran.report());
    assert_eq!(states.len(), 28);
    let not_held: Vec<&str> = states
        .iter()
        .filter(|(_, state)| *state != "held")
        .map(|(id, state)| {
            assert_eq!(state, "not-applicable", "{id}");
            id.as_str()
        })
        .collect();
    assert_eq!(not_held, ["C-12", "C-14", "C-24", "C-26", "C-27"]);
    let line = "MCP authorization chapter: 23 held · 0 violated · 5 not applicable";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
}

#[test]
fn a_violation_stands_in_every_report_and_is_explained() {
    let ran = Bench::new().run(&["demo", "--fault", "any-origin"]);
    assert_eq!(ran.exit, 1);
    for part in [
        "✗ C-19 A request from a foreign origin is answered with 403. (MUST) violated",
        "✗ spec-must",
        "22 held · 1 violated",
        "rolecall explain C-19",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let junit = ran.file("reports/TEST-rolecall.xml");
    let case = junit
        .split("<testcase ")
        .find(|case| case.contains("name=\"C-19 "))
        .unwrap();
    assert!(case.contains("classname=\"product-catalog.requirements\""));
    assert!(case.contains("<failure") && case.contains("type=\"spec-must\""));
    assert_eq!(junit.matches("spec-must").count(), 1, "told once: {junit}");
    let markdown = ran.file("reports/rolecall.md");
    assert!(markdown.contains("## MCP authorization chapter"));
    assert!(markdown.contains(
        "| C-19 A request from a foreign origin is answered with 403. | MUST | violated |"
    ));
    let explained = Bench::new().run(&["explain", "c-19"]);
    assert_eq!(explained.exit, 0);
    assert!(
        explained
            .stdout
            .starts_with("C-19\n\nA request from a foreign origin")
    );
}

#[test]
fn the_record_renders_the_section_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let output = |arguments: &[&str]| {
        let ran = bench.command(folder.path(), arguments).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    for kind in ["table", "junit", "json", "markdown"] {
        let shown = output(&["demo", "--fault", "mcp-list-open", "--format", kind]);
        let again = output(&["report", "reports/rolecall.jsonl", "--format", kind]);
        assert_eq!(shown, again, "{kind}");
    }
    let killed = std::fs::read_to_string(folder.path().join("reports/rolecall.jsonl")).unwrap();
    let lines = killed.lines().take_while(|line| !line.contains("\"C-02\""));
    let killed: Vec<&str> = lines.collect();
    std::fs::write(folder.path().join("killed.jsonl"), killed.join("\n") + "\n").unwrap();
    let table = output(&["report", "killed.jsonl"]);
    assert!(table.contains("open-without-token"), "{table}");
}

#[test]
fn reports_are_the_same_with_one_job_and_with_many() {
    let strip = |jobs: &str| {
        let deployment = deployment(&[Fault::McpListOpen, Fault::AnyOrigin, Fault::NoScope]);
        let ran = Bench::against(&deployment).run(&["run", "--jobs", jobs, CATALOG]);
        let mut report = ran.report();
        for one in report["requirements"].as_array_mut().unwrap() {
            for place in one["places"].as_array_mut().unwrap() {
                place["seen"]["took_ms"].take();
                // The challenge names the deployment's own port.
                place["seen"]["answer"]["headers"].take();
            }
        }
        (
            report["requirements"].take(),
            ran.file("reports/rolecall.md"),
        )
    };
    assert_eq!(strip("1"), strip("256"));
}

#[test]
fn a_waiver_accepts_what_is_violated_and_nothing_else() {
    let open = deployment(&[Fault::AnyOrigin, Fault::NoPkce]);
    let (_folder, path) =
        with_door("waive: { C-19: no browser comes here, c-07: \"the provider's\" }");
    let ran = run(&open, &path);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(states(&ran.report())["C-19"], "waived");
    assert!(ran.stdout.contains("w C-19"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("no browser comes here"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.file("reports/rolecall.md")
            .contains("no browser comes here")
    );
    let junit = ran.file("reports/TEST-rolecall.xml");
    assert!(junit.contains("waived: no browser comes here"), "{junit}");
    let sound = deployment(&[Fault::NoPkce]);
    let stale = run(&sound, &path);
    assert_eq!(
        (stale.exit, codes(&stale)),
        (1, vec!["stale-waiver C-19".to_owned()])
    );
    let junit = stale.file("reports/TEST-rolecall.xml");
    assert!(junit.contains("type=\"stale-waiver\""), "{junit}");
}

#[test]
fn a_section_that_is_left_out_still_tries_calls_without_a_token() {
    let (_folder, path) = with_door("requirements: ignore");
    let open = run(&deployment(&[Fault::AnyOrigin, Fault::McpListOpen]), &path);
    assert_eq!(
        (open.exit, codes(&open)),
        (1, vec!["open-without-token C-01".to_owned()])
    );
    let ran = run(&deployment(&[Fault::AnyOrigin]), &path);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert_eq!(
        states(&ran.report()).into_keys().collect::<Vec<_>>(),
        ["C-01"]
    );
    assert!(ran.stdout.contains("C-01 alone"), "{}", ran.stdout);
}

#[test]
fn a_scenario_says_what_is_wrong_with_its_waivers() {
    let bench = Bench::against(&deployment(&[]));
    for (mcp, wanted) in [
        ("waive: { C-91: x }", "unknown requirement `C-91`"),
        ("waive: { C-19: \"\" }", "the reason is empty"),
        ("waive: { C-19: { } }", "the reason is a map, not text"),
        (
            "waive: { C-19: a, c-19: b }",
            "requirement `c-19` stands in this list twice",
        ),
        ("requirements: ignroe", "did you mean `ignore`?"),
        ("waive: [C-19]", "`waive` is a list, not a map"),
        ("expired_token: abc", "must not stand in the file"),
    ] {
        let (_folder, path) = with_door(mcp);
        let ran = bench.run(&["run", &path]);
        assert_eq!(ran.exit, 2, "{mcp}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{mcp}: {}", ran.stderr);
    }
}

#[test]
fn a_token_for_another_resource_and_one_that_ran_out_are_tried_where_they_are_at_hand() {
    let foreigner = "  foreigner:\n    identity:\n      entra: { authority: \"${ENTRA_AUTHORITY}\", tenant: \"${ENTRA_TENANT_ID}\", resource: \"${OTHER_RESOURCE}\" }\n    sign_in:\n      client_credentials: { client_id: \"${STRANGER_ID}\", client_secret: { env: STRANGER_SECRET } }\n";
    let (folder, path) = with_door("expired_token: { env: EXPIRED_TOKEN }");
    // Its token is no token here: 401 in every cell.
    let edited = std::fs::read_to_string(&path).unwrap();
    let edited = edited.replacen("  anonymous:\n", &format!("{foreigner}  anonymous:\n"), 1);
    let edited: String = edited
        .lines()
        .flat_map(|line| {
            let more = line
                .trim_start()
                .starts_with("allow: [")
                .then(|| "    expect: { foreigner: 401 }".to_owned());
            [Some(line.to_owned()), more]
        })
        .flatten()
        .map(|line| line + "\n")
        .collect();
    std::fs::write(&path, edited).unwrap();
    let sound = run(&deployment(&[]), &path);
    assert_eq!(sound.exit, 0, "{}\n{}", sound.stdout, sound.stderr);
    assert_eq!(states(&sound.report())["C-12"], "held");
    let old = run(&deployment(&[Fault::NoExpiryCheck]), &path);
    assert_eq!(
        (old.exit, codes(&old)),
        (1, vec!["spec-must C-11".to_owned()])
    );
    let borrowed = run(&deployment(&[Fault::NoAudienceCheck]), &path);
    assert_eq!(borrowed.exit, 1, "{}", borrowed.stdout);
    assert_eq!(states(&borrowed.report())["C-12"], "violated");
    let told = codes(&borrowed);
    assert!(
        !told.contains(&"spec-must C-12".to_owned()),
        "its cells tell it: {told:?}"
    );
    drop(folder);
}

#[test]
fn nobody_who_signs_in_leaves_nothing_held() {
    let deployment = deployment(&[]);
    let bench = ["READER", "WRITER", "ADMIN"]
        .iter()
        .fold(Bench::against(&deployment), |bench, name| {
            bench.with(&format!("{name}_SECRET"), "wrong")
        });
    let ran = bench.run(&["run", CATALOG]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    let held: Vec<String> = states(&ran.report())
        .into_iter()
        .filter(|(_, state)| state == "held")
        .map(|(id, _)| id)
        .collect();
    // Documents are public.
    assert_eq!(
        held,
        [
            "C-03", "C-04", "C-05", "C-06", "C-07", "C-08", "C-28", "C-30", "C-31"
        ]
    );
    assert!(
        !codes(&ran).iter().any(|code| code.starts_with("spec")),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_deployment_that_nobody_may_call_is_not_called() {
    let deployment = deployment(&[]);
    let catalog = std::fs::read_to_string(CATALOG).unwrap();
    let (head, rest) = catalog.split_once("  anonymous:").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nobody.yaml");
    std::fs::write(&path, format!("{head}\n{tail}")).unwrap();
    let bench = ["READER", "WRITER", "ADMIN"]
        .iter()
        .fold(Bench::against(&deployment), |bench, name| {
            bench.with(&format!("{name}_SECRET"), "wrong")
        });
    let ran = bench.run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    let seen = deployment.traffic();
    assert!(!seen.iter().any(|one| one.listener == Listener::Gateway));
    let told = states(&ran.report());
    assert!(!told.values().any(|state| state == "held"), "{told:?}");
}

#[test]
fn a_token_is_put_into_a_url_only_at_a_disposable_deployment() {
    let put = |text: &str| {
        let deployment = deployment(&[]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.yaml");
        std::fs::write(&path, text).unwrap();
        let ran = run(&deployment, path.to_str().unwrap());
        let queries = deployment
            .traffic()
            .iter()
            .filter(|one| one.path == "/mcp?…")
            .count();
        (queries, states(&ran.report())["C-15"].clone())
    };
    let catalog = std::fs::read_to_string(CATALOG).unwrap();
    assert_eq!(put(&catalog), (2, "held".to_owned()));
    let kept = catalog.replace("disposable: true", "disposable: false");
    assert_eq!(put(&kept), (0, "not-applicable".to_owned()));
    let waived = catalog.replacen(
        "mcp: ${CATALOG_MCP_URL}",
        "mcp: { url: \"${CATALOG_MCP_URL}\", waive: { C-15: \"logs are kept\" } }",
        1,
    );
    assert_eq!(put(&waived), (0, "waived".to_owned()));
}

#[test]
fn the_plan_lists_what_is_asked_and_a_run_without_an_mcp_door_asks_nothing() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let plan = bench.run(&["plan", CATALOG]);
    for line in [
        "C-01 at mcp ",
        "C-19 at mcp-legacy ",
        "initialize, for 5 sessions",
        "C-03 as nobody",
    ] {
        assert!(plan.stdout.contains(line), "{line}: {}", plan.stdout);
    }
    let rest = bench.run(&["run", "--door", "rest", CATALOG]);
    assert_eq!(rest.exit, 0, "{}", rest.stdout);
    assert!(states(&rest.report()).is_empty());
    assert!(!rest.stdout.contains("authorization chapter"));
    let gateway = deployment.traffic();
    let mcp = gateway
        .iter()
        .filter(|one| one.listener == Listener::Gateway && one.path.starts_with("/mcp"));
    assert_eq!(mcp.count(), 0);
}

#[test]
fn every_session_that_was_opened_for_the_requirements_is_ended() {
    let deployment = deployment(&[]);
    assert_eq!(run(&deployment, CATALOG).exit, 0);
    let seen = deployment.traffic();
    let ended = seen
        .iter()
        .filter(|one| one.method == "DELETE" && one.path == "/mcp" && one.status == 204);
    assert_eq!(ended.count(), 5 + 3, "those of the three personas, too");
}
