//! What is accepted for a while, from the scenario to every report.

use std::collections::BTreeMap;

use rolecall::day::Day;
use rolecall::reference::{Deployment, Fault};
use serde_json::Value;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, Ran, deployment, text};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/clients.yaml");
const REPORTS: [&str; 4] = ["table", "junit", "json", "markdown"];

fn in_days(days: i64) -> String {
    Day::of(std::time::SystemTime::now()).plus(days).to_string()
}

/// A waiver of that, for the next hundred days.
fn waiver(what: &str) -> String {
    until(what, &in_days(100))
}

fn until(what: &str, day: &str) -> String {
    format!("  - {{ {what}, reason: ticket 4711, owner: platform team, until: {day} }}\n")
}

fn leak(cells: &str) -> String {
    waiver(&format!("finding: leak, cells: [{cells}]"))
}

/// The scenario with these waivers, in a folder of its own.
fn scenario(text: &str, waivers: &[String]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waived.yaml");
    let waivers = waivers.concat();
    let text = if waivers.is_empty() {
        text.to_owned()
    } else {
        format!("{text}\nwaivers:\n{waivers}")
    };
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn catalog() -> String {
    std::fs::read_to_string(CATALOG).unwrap()
}

fn run_text(deployment: &Deployment, text: &str, waivers: &[String], arguments: &[&str]) -> Ran {
    let (_folder, path) = scenario(text, waivers);
    let all = [&["run"], arguments, &[path.as_str()]].concat();
    Bench::against(deployment).run(&all)
}

fn run(faults: &[Fault], waivers: &[String], arguments: &[&str]) -> Ran {
    run_text(&deployment(faults), &catalog(), waivers, arguments)
}

/// Cells of the findings that nobody accepts, by code, with the requirement's id; notes left out.
fn open(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    findings(ran, |finding| {
        finding["waiver"].is_null() && finding["class"] != "note"
    })
}

/// The same of those that a waiver accepts.
fn accepted(ran: &Ran) -> BTreeMap<String, Vec<String>> {
    findings(ran, |finding| finding["waiver"].is_u64())
}

fn findings(ran: &Ran, pick: impl Fn(&Value) -> bool) -> BTreeMap<String, Vec<String>> {
    let report = ran.report();
    let mut by_code: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        if pick(finding) {
            let name = [text(&finding["code"]), text(&finding["requirement"])].join(" ");
            let cells = finding["cells"].as_array().unwrap().iter().map(text);
            let known = by_code.entry(name.trim().to_owned()).or_default();
            known.extend(cells);
        }
    }
    by_code
}

fn codes(findings: &BTreeMap<String, Vec<String>>) -> Vec<&str> {
    findings.keys().map(String::as_str).collect()
}

/// What became of each waiver.
fn fates(ran: &Ran) -> Vec<String> {
    let report = ran.report();
    let waivers = report["waivers"].as_array().unwrap();
    waivers.iter().map(|waiver| text(&waiver["fate"])).collect()
}

fn waived_cells(ran: &Ran) -> Vec<String> {
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap().iter();
    cells
        .filter(|cell| cell["verdict"] == "waived")
        .map(|cell| text(&cell["id"]))
        .collect()
}

/// The waivers that accept what a fault is listed to lead to; `None` where not all of it can be waived.
fn waivers_of(fault: &Value) -> Option<Vec<String>> {
    let findings = fault["findings"].as_array().unwrap();
    let mut waivers = Vec::new();
    for finding in findings {
        let (code, requirement) = (text(&finding["code"]), text(&finding["requirement"]));
        let cells: Vec<String> = finding["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        match code.as_str() {
            "doors-disagree" => {}
            _ if !requirement.is_empty() => {
                waivers.push(waiver(&format!("finding: {requirement}")));
            }
            "leak"
            | "effect-despite-refusal"
            | "crashed-not-refused"
            | "wrong-refusal"
            | "broken" => {
                let cells = cells.join(", ");
                waivers.push(waiver(&format!("finding: {code}, cells: [{cells}]")));
            }
            "undeclared-tool" => {
                let names = match text(&fault["fault"]).as_str() {
                    "mcp-unlisted-tool-open" => "exportProducts, purgeProducts",
                    _ => "exportProducts",
                };
                waivers.push(waiver(&format!(
                    "finding: undeclared-tool, about: [{names}]"
                )));
            }
            _ => return None,
        }
    }
    (!waivers.is_empty()).then_some(waivers)
}

/// What no cell tells any more once its cells are waived.
const BESIDE: [(&str, &str); 4] = [
    ("gateway-open", "C-01"),
    ("mcp-no-auth", "C-01"),
    ("login-redirect", "C-01"),
    ("swapped-statuses", "C-01"),
];

/// Half of the faults in each test, because the machine that runs them has two cores.
#[test]
fn each_fault_of_the_first_half_passes_once_it_is_waived_and_is_told_in_every_report() {
    check_faults(0);
}

#[test]
fn each_fault_of_the_second_half_passes_once_it_is_waived_and_is_told_in_every_report() {
    check_faults(1);
}

fn check_faults(half: usize) {
    let ran = Bench::new().run(&["demo", "--list-faults", "--format", "json"]);
    let faults: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let faults = faults.iter().skip(half).step_by(2);
    let waived: Vec<(String, Vec<String>)> = faults
        .filter_map(|fault| Some((text(&fault["fault"]), waivers_of(fault)?)))
        .collect();
    assert!(waived.len() > 15, "{}", waived.len());
    let wrong: Vec<String> = waived
        .into_iter()
        .filter_map(|(name, waivers)| difference(&name, waivers))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is not as it should be of a run with the fault and its waivers; `None` when nothing.
fn difference(name: &str, mut waivers: Vec<String>) -> Option<String> {
    let beside = BESIDE.iter().filter(|(known, _)| *known == name);
    waivers.extend(beside.map(|(_, id)| waiver(&format!("finding: {id}"))));
    let ran = run(&[name.parse().unwrap()], &waivers, &[]);
    // Where allowed calls fail, refusals have no control, waived or not.
    let is_unproven = waivers.iter().any(|waiver| waiver.contains("broken"));
    let junit = ran.file("reports/TEST-rolecall.xml");
    let markdown = ran.file("reports/rolecall.md");
    let told = |text: &str| text.contains("Waived") && text.contains("in use");
    let fails = junit.contains("<failure") || junit.contains("<error");
    let fits = [
        ran.exit == if is_unproven { 3 } else { 0 },
        is_unproven || open(&ran).is_empty(),
        fates(&ran).iter().all(|fate| fate == "used"),
        told(&ran.stdout) && told(&markdown),
        junit.contains("waived: ticket 4711 (platform team"),
        is_unproven || !fails,
    ];
    (fits != [true; 6]).then(|| format!("{name}: {fits:?} {:?} {:?}", open(&ran), fates(&ran)))
}

#[test]
fn a_waiver_of_leaks_leaves_what_no_cell_tells_to_be_told() {
    let cells = "anonymous/*/mcp, anonymous/*/mcp-legacy, reader/*/mcp, reader/*/mcp-legacy, writer/*/mcp, writer/*/mcp-legacy";
    let ran = run(&[Fault::McpNoAuth], &[leak(cells)], &[]);
    let open = open(&ran);
    assert!(open.contains_key("open-without-token C-01"), "{open:?}");
    assert!(!open.contains_key("leak"), "{open:?}");
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(waived_cells(&ran).len(), 20);
}

#[test]
fn what_is_waived_in_one_cell_fails_in_the_next() {
    let own = "reader/deleteProduct/mcp";
    let ran = run(&[Fault::McpNoToolCheck], &[leak(own)], &[]);
    assert_eq!(ran.exit, 1);
    assert_eq!(waived_cells(&ran), [own]);
    let (open, accepted) = (open(&ran), accepted(&ran));
    assert_eq!(codes(&open), ["doors-disagree", "leak"]);
    assert_eq!(codes(&accepted), ["doors-disagree", "leak"]);
    for cells in open.values() {
        assert_eq!(cells.len(), 7);
        assert!(!cells.contains(&own.to_owned()));
    }
    for cells in accepted.values() {
        assert_eq!(*cells, [own]);
    }
    let table = ran.stdout;
    let told = table.split("\n✗ leak ").nth(1).unwrap();
    let finding = told.split("\n\n").next().unwrap();
    assert!(finding.contains("deleteProduct at mcp-legacy"), "{finding}");
    assert!(!finding.contains("reader/deleteProduct/mcp,"), "{finding}");
    assert!(table.contains("7 fail · 0 unproven · 1 waived"), "{table}");
}

#[test]
fn a_waived_wrong_refusal_waives_no_leak_that_takes_its_place() {
    let waivers = [waiver(
        "finding: wrong-refusal, cells: [\"*/deleteProduct/mcp\"]",
    )];
    let ran = run(&[Fault::McpNoToolCheck], &waivers, &[]);
    assert_eq!((ran.exit, waived_cells(&ran)), (1, Vec::new()));
    assert_eq!(codes(&open(&ran)), ["doors-disagree", "leak"]);
    assert_eq!(fates(&ran), ["idle"]);
}

#[test]
fn a_waived_lockout_is_no_control() {
    let waivers = [waiver("finding: lockout, cells: [reader/*/*]")];
    let ran = run(&[Fault::ReaderLockedOut], &waivers, &[]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert_eq!(waived_cells(&ran).len(), 9);
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap().iter();
    let unproven = cells.filter(|cell| cell["verdict"] == "unproven");
    assert_eq!(unproven.count(), 9, "the reader's refusals");
}

#[test]
fn a_waiver_that_nothing_needs_fails_in_every_report() {
    let waivers = [leak("reader/deleteProduct/mcp, writer/deleteProduct/mcp")];
    let ran = run(&[], &waivers, &[]);
    assert_eq!(ran.exit, 1);
    assert_eq!(codes(&open(&ran)), ["stale-waiver"]);
    assert_eq!(fates(&ran), ["stale"]);
    let told = "the waiver of leak at reader/deleteProduct/mcp, writer/deleteProduct/mcp is no longer needed: ticket 4711";
    assert!(text(&ran.report()["findings"][0]["detail"]).contains(told));
    let junit = ran.file("reports/TEST-rolecall.xml");
    assert!(junit.contains("<failure") && junit.contains("type=\"stale-waiver\""));
    for text in [&ran.stdout, &ran.file("reports/rolecall.md")] {
        assert!(text.contains("stale-waiver") && text.contains("no longer needed"));
    }
}

#[test]
fn each_place_of_a_waiver_is_needed_or_named() {
    let waivers = [leak("writer/deleteProduct/*, reader/deleteProduct/mcp")];
    let ran = run(&[Fault::WriterCanDelete], &waivers, &[]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(fates(&ran), ["used"]);
    let report = ran.report();
    let findings = report["findings"].as_array().unwrap();
    let stale = findings.iter().find(|one| one["code"] == "stale-waiver");
    let detail = text(&stale.unwrap()["detail"]);
    assert!(
        detail.contains("the waiver of leak at reader/deleteProduct/mcp is no longer needed"),
        "{detail}"
    );
}

#[test]
fn a_waiver_that_has_run_out_covers_nothing_and_fails_itself() {
    let at = |day: &str| [until("finding: leak, cells: [writer/deleteProduct/*]", day)];
    let ran = run(&[Fault::WriterCanDelete], &at(&in_days(-1)), &[]);
    assert_eq!(ran.exit, 1);
    assert_eq!(codes(&open(&ran)), ["expired-waiver", "leak"]);
    assert!(ran.stdout.contains("(ran out 1 day ago)"), "{}", ran.stdout);
    let junit = ran.file("reports/TEST-rolecall.xml");
    assert!(junit.contains("type=\"expired-waiver\"") && junit.contains("type=\"leak\""));
    let ran = run(&[], &at("2020-02-29"), &[]);
    assert_eq!((ran.exit, codes(&open(&ran))), (1, vec!["expired-waiver"]));
    assert_eq!(fates(&ran), ["expired"]);
}

#[test]
fn the_last_day_counts_and_the_last_fortnight_is_noted() {
    for (days, noted) in [(1, true), (14, true), (16, false)] {
        let what = "finding: leak, cells: [writer/deleteProduct/*]";
        let ran = run(
            &[Fault::WriterCanDelete],
            &[until(what, &in_days(days))],
            &[],
        );
        assert_eq!((ran.exit, fates(&ran)), (0, vec!["used".to_owned()]));
        assert_eq!(ran.stdout.contains("– waiver-ends"), noted, "{days}");
    }
}

#[test]
fn what_was_not_judged_says_nothing_of_its_waiver() {
    let waivers = [leak("reader/deleteProduct/mcp")];
    for arguments in [&["--door", "rest"][..], &["--read-only"]] {
        let ran = run(&[], &waivers, arguments);
        assert_eq!((ran.exit, fates(&ran)), (0, vec!["idle".to_owned()]));
        let junit = ran.file("reports/TEST-rolecall.xml");
        let case = "<testcase name=\"waiver leak at reader/deleteProduct/mcp\"";
        assert!(junit.contains(case), "{junit}");
        for text in [&ran.stdout, &ran.file("reports/rolecall.md"), &junit] {
            assert!(text.contains("not judged in this run"), "{text}");
        }
    }
}

#[test]
fn a_tool_is_waived_by_its_name_and_no_other_with_it() {
    let waived = |name: &str| waiver(&format!("finding: undeclared-tool, about: [{name}]"));
    let faults = [Fault::UndeclaredTool];
    let ran = run(&faults, &[waived("exportProducts")], &[]);
    assert_eq!((ran.exit, open(&ran).len()), (0, 0), "{}", ran.stdout);
    let ran = run(&faults, &[waived("dropEverything")], &[]);
    assert_eq!(ran.exit, 1);
    assert_eq!(codes(&open(&ran)), ["stale-waiver", "undeclared-tool"]);
    let waivers = [
        waived("exportProducts"),
        waiver("finding: deny-list, about: [exportProducts]"),
    ];
    let stranger = "  stranger:\n    roles: []\n    sign_in:\n      client_credentials: { client_id: \"${STRANGER_ID}\", client_secret: { env: STRANGER_SECRET } }\n";
    let stranger = catalog().replacen("  anonymous:\n", &format!("{stranger}  anonymous:\n"), 1);
    // This fault lets the stranger into a declared tool as well, and there is a second tool that nobody declares.
    let unlisted = deployment(&[Fault::McpUnlistedToolOpen]);
    let ran = run_text(&unlisted, &stranger, &waivers, &[]);
    assert_eq!(codes(&accepted(&ran)), ["deny-list", "undeclared-tool"]);
    let rest = ran.report();
    let findings = rest["findings"].as_array().unwrap().iter();
    let mut open = findings.filter(|one| one["waiver"].is_null());
    let other = open.find(|one| one["code"] == "undeclared-tool").unwrap();
    assert_eq!(other["about"].to_string(), "[\"purgeProducts\"]");
    assert!(
        !text(&other["detail"]).contains("exportProducts"),
        "{other}"
    );
    let guarded = deployment(&[Fault::UndeclaredTool]);
    let ran = run_text(&guarded, &stranger, &waivers, &[]);
    assert_eq!(
        (ran.exit, fates(&ran)),
        (1, vec!["used".to_owned(), "stale".to_owned()])
    );
}

#[test]
fn a_redirect_is_waived_by_its_address() {
    let clients = std::fs::read_to_string(CLIENTS).unwrap();
    let ran = run_text(&deployment(&[Fault::RedirectRemoved]), &clients, &[], &[]);
    let report = ran.report();
    let about = text(&report["findings"][0]["about"][0]);
    let waivers = [waiver(&format!(
        "finding: redirect-unregistered, about: [\"{about}\"]"
    ))];
    for (faults, exit, fate) in [
        (&[Fault::RedirectRemoved][..], 0, "used"),
        (&[], 1, "stale"),
    ] {
        let ran = run_text(&deployment(faults), &clients, &waivers, &[]);
        assert_eq!(
            (ran.exit, fates(&ran)),
            (exit, vec![fate.to_owned()]),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_requirement_is_waived_for_a_while() {
    let at = |day: &str| [until("finding: c-19", day)];
    let ran = run(&[Fault::AnyOrigin], &at(&in_days(100)), &[]);
    assert_eq!(
        (ran.exit, fates(&ran)),
        (0, vec!["used".to_owned()]),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("w C-19"), "{}", ran.stdout);
    let ran = run(&[], &at(&in_days(100)), &[]);
    assert_eq!((ran.exit, fates(&ran)), (1, vec!["stale".to_owned()]));
    assert_eq!(codes(&open(&ran)), ["stale-waiver C-19"]);
    let ran = run(&[Fault::AnyOrigin], &at(&in_days(-1)), &[]);
    assert_eq!((ran.exit, fates(&ran)), (1, vec!["expired".to_owned()]));
    assert_eq!(codes(&open(&ran)), ["expired-waiver", "spec-must C-19"]);
}

#[test]
fn the_end_of_a_waiver_is_no_word_that_a_token_may_stand_in_a_url() {
    for (day, exit, state) in [(in_days(9), 0, "waived"), (in_days(-9), 1, "unproven")] {
        let ran = run(&[], &[until("finding: C-15", &day)], &[]);
        let report = ran.report();
        let requirements = report["requirements"].as_array().unwrap();
        let own = requirements.iter().find(|one| one["id"] == "C-15").unwrap();
        assert_eq!(
            (ran.exit, own["state"].as_str()),
            (exit, Some(state)),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn a_record_is_rendered_the_same_on_any_later_day_and_a_killed_one_keeps_its_waivers() {
    let (_folder, path) = scenario(
        &catalog(),
        &[
            leak("writer/deleteProduct/*"),
            leak("reader/deleteProduct/mcp"),
            until(
                "finding: leak, cells: [reader/createProduct/mcp]",
                "2020-01-01",
            ),
        ],
    );
    let deployment = deployment(&[Fault::WriterCanDelete]);
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::against(&deployment);
    let output = |arguments: &[&str]| {
        let ran = bench.command(folder.path(), arguments).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    output(&["run", &path]);
    let record = folder.path().join("reports/rolecall.jsonl");
    let whole = std::fs::read_to_string(&record).unwrap();
    for kind in REPORTS {
        let file = [
            "rolecall.txt",
            "TEST-rolecall.xml",
            "rolecall.json",
            "rolecall.md",
        ][REPORTS.iter().position(|known| *known == kind).unwrap()];
        let again = output(&["report", "reports/rolecall.jsonl", "--format", kind]).1;
        if let Ok(written) = std::fs::read_to_string(folder.path().join("reports").join(file)) {
            assert_eq!(written, again, "{kind}");
        }
    }
    let told = |line: &&str| {
        !["cell.finished", "finding", "waiver.weighed", "run.finished"]
            .iter()
            .any(|kind| line.contains(&format!("\"type\":\"{kind}\"")))
    };
    let killed: Vec<&str> = whole.lines().filter(told).collect();
    std::fs::write(folder.path().join("killed.jsonl"), killed.join("\n") + "\n").unwrap();
    let (exit, json) = output(&["report", "killed.jsonl", "--format", "json"]);
    let document: Value = serde_json::from_str(&json).unwrap();
    let fates: Vec<&str> = document["waivers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|waiver| waiver["fate"].as_str())
        .collect();
    assert_eq!(fates, ["used", "stale", "expired"], "{json}");
    assert_eq!(document["summary"]["waived"], 3);
    assert_eq!(exit, Some(1));
}

#[test]
fn a_plan_lists_its_waivers_and_its_digest_covers_them() {
    let digest = |waivers: &[String]| {
        let (_folder, path) = scenario(&catalog(), waivers);
        let plan = Bench::new()
            .run(&["plan", "--format", "json", &path])
            .stdout;
        let plan: Value = serde_json::from_str(&plan).unwrap();
        (
            text(&plan["digest"]),
            plan["waivers"].as_array().unwrap().len(),
        )
    };
    let one = [leak("reader/deleteProduct/mcp")];
    assert_ne!(digest(&[]).0, digest(&one).0);
    assert_eq!((digest(&[]).1, digest(&one).1), (0, 1));
    let later = ["# a line more\n".to_owned(), one[0].clone()];
    assert_eq!(digest(&later).0, digest(&one).0);
    let (_folder, path) = scenario(&catalog(), &one);
    let plan = Bench::new().run(&["plan", &path]).stdout;
    let line = "leak at reader/deleteProduct/mcp           ticket 4711 (platform team, until";
    assert!(plan.contains(line), "{plan}");
}

#[test]
fn what_waive_and_waivers_both_name_is_waived_twice() {
    let door = "mcp: { url: \"${CATALOG_MCP_URL}\", waive: { C-07: known } }";
    let text = catalog().replacen("mcp: ${CATALOG_MCP_URL}", door, 1);
    let (_folder, path) = scenario(&text, &[waiver("finding: C-07")]);
    let ran = Bench::new().run(&["plan", &path]);
    assert_eq!(ran.exit, 2);
    assert!(
        ran.stderr.contains("`C-07` is waived twice"),
        "{}",
        ran.stderr
    );
}

/// Who asks a part only has not seen that the rest needs no waiver; nor does what is waived end a run.
#[test]
fn what_was_not_asked_for_is_no_reason_to_call_a_waiver_stale() {
    let waivers = [
        leak("writer/deleteProduct/*"),
        waiver("finding: undeclared-tool, about: [exportProducts]"),
        waiver("finding: C-19"),
    ];
    for arguments in [
        &["--only", "writer/listProducts/rest"][..],
        &["--only", "writer/deleteProduct/rest"],
        &["--door", "rest"],
        &["--fail-fast"],
    ] {
        let ran = run(&[Fault::WriterCanDelete], &waivers, arguments);
        let stale = open(&ran).remove("stale-waiver");
        let is_asked = arguments == ["--fail-fast"];
        assert_eq!(stale.is_some(), is_asked, "{arguments:?}: {}", ran.stdout);
        assert!(
            !open(&ran).contains_key("incomplete"),
            "{arguments:?}: {}",
            ran.stdout
        );
    }
    let sound = run(
        &[],
        &[leak("writer/deleteProduct/*")],
        &["--only", "writer/deleteProduct/rest"],
    );
    assert_eq!(sound.exit, 0, "{}", sound.stdout);
    let whole = run(
        &[],
        &[leak("writer/deleteProduct/rest")],
        &["--only", "writer/deleteProduct/rest"],
    );
    assert!(
        open(&whole).contains_key("stale-waiver"),
        "{}",
        whole.stdout
    );
}
