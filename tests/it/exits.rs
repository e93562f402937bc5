//! Each exit code is reached from outside, for its one reason.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, CATALOG, deployment, findings, text};
use crate::vacancy::Vacancy;

const REST_ONLY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/rest-only.yaml");

#[test]
fn zero_when_everything_conforms() {
    assert_eq!(Bench::new().run(&["demo"]).exit, 0);
}

#[test]
fn one_when_something_is_proven_wrong() {
    assert_eq!(
        Bench::new()
            .run(&["demo", "--fault", "writer-can-delete"])
            .exit,
        1
    );
}

#[test]
fn two_for_a_wrong_flag_a_missing_file_and_a_missing_variable() {
    for arguments in [
        &["run", "--no-such-flag", CATALOG][..],
        &["run", "nowhere.yaml"],
        &["run", CATALOG],
        &["explain", "leek"],
    ] {
        let ran = Bench::new().run(arguments);
        assert_eq!(ran.exit, 2, "{arguments:?}: {}", ran.stderr);
        assert!(
            ran.stdout.is_empty() && ran.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(ran.files().is_empty(), "{arguments:?} left files");
    }
}

#[test]
fn three_when_nothing_fails_but_something_is_unproven() {
    let ran = Bench::new().run(&["demo", "--fault", "waf-page"]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert!(!ran.stdout.contains("gets through exactly where it should."));
}

#[test]
fn three_when_the_host_cannot_be_reached() {
    let closed = Vacancy::new();
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment)
        .with("CATALOG_REST_URL", &format!("http://{closed}"))
        .with("CATALOG_MCP_URL", &format!("http://{closed}/mcp"));
    let ran = bench.run(&["run", CATALOG]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("connection refused"), "{}", ran.stdout);
}

#[test]
fn one_unreachable_provider_is_one_finding() {
    let closed = Vacancy::new();
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment)
        .with("ENTRA_AUTHORITY", &format!("http://{closed}"))
        .run(&["run", CATALOG]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.report();
    let findings = report["findings"].as_array().unwrap();
    let details: Vec<String> = findings.iter().map(|one| text(&one["detail"])).collect();
    assert!(
        details
            .iter()
            .any(|detail| detail.starts_with("reader, writer and admin could not sign in at")),
        "{details:?}"
    );
}

#[test]
fn four_when_nothing_is_selected() {
    let bench = Bench::new()
        .with("LOANS_URL", "http://127.0.0.1:9")
        .with("LOANS_ISSUER", "http://127.0.0.1:9");
    let ran = bench.run(&["plan", "--door", "mcp", REST_ONLY]);
    assert_eq!(ran.exit, 4, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn five_when_an_object_of_the_run_is_left_behind() {
    let deployment = deployment(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no-removal.yaml");
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let (before, after) = text.split_once("    remove:").unwrap();
    let (_, rest) = after.split_once("    decoy:").unwrap();
    let without = format!(
        "{before}    remove: {{ rest: \"GET /api/products/{{{{ product.id }}}}\" }}\n    decoy:{rest}"
    );
    std::fs::write(&path, without).unwrap();
    let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 5, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("left"), "{}", ran.stdout);
}

#[test]
fn nothing_is_made_that_nobody_could_remove() {
    let deployment = deployment(&[]);
    let closed = Vacancy::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest-removes.yaml");
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let mcp_shape = "      mcp: { tool: deleteProduct, arguments: { id: \"{{ product.id }}\" } }\n";
    std::fs::write(&path, text.replacen(mcp_shape, "", 1)).unwrap();
    let path = path.to_str().unwrap();
    let unanswered = format!("http://{closed}");
    for (variable, value, file) in [
        ("ADMIN_SECRET", "wrong", CATALOG),
        ("CATALOG_REST_URL", &unanswered, path),
    ] {
        let ran = Bench::against(&deployment)
            .with(variable, value)
            .run(&["run", file]);
        assert_eq!(ran.exit, 3, "{variable}: {}\n{}", ran.stdout, ran.stderr);
        let report = ran.report();
        assert_eq!(report["left_behind"], serde_json::json!([]), "{variable}");
        let unproven = &findings(&report)["fixture-failed"];
        let made_by_writer = "writer/createProduct/mcp".to_owned();
        assert!(unproven.contains(&made_by_writer), "{unproven:?}");
    }
}

#[test]
fn what_was_made_and_cannot_be_removed_is_told_and_no_more_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.yaml");
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let (before, find) = text.split_once("    find:\n").unwrap();
    let (_, after) = find.split_once("    remove:\n").unwrap();
    let without_find = format!("{before}    remove:\n{after}");
    for (name, from, to) in [
        (
            "a capture of nothing",
            "capture: { id: /id }",
            "capture: { id: /nowhere }",
        ),
        (
            "an owner who may not",
            "    as: admin\n",
            "    as: reader\n",
        ),
    ] {
        std::fs::write(&path, without_find.replacen(from, to, 1)).unwrap();
        let deployment = deployment(&[]);
        let ran = Bench::against(&deployment).run(&["run", "--jobs", "1", path.to_str().unwrap()]);
        assert_eq!(ran.exit, 5, "{name}: {}\n{}", ran.stdout, ran.stderr);
        let report = ran.report();
        let left = report["left_behind"].as_array().unwrap();
        assert_eq!(left.len(), 1, "{name}: {left:?}");
    }
}

#[test]
fn a_wrong_base_address_is_no_leak_and_hides_nothing_that_was_left_behind() {
    let deployment = deployment(&[]);
    let variables = deployment.variables();
    let (_, rest) = variables
        .iter()
        .find(|(name, _)| *name == "CATALOG_REST_URL")
        .unwrap();
    let bench = Bench::against(&deployment).with("CATALOG_REST_URL", &format!("{rest}/wrong"));
    let ran = bench.run(&["run", CATALOG]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
    assert_eq!(codes, ["broken"], "{}", ran.stdout);
}

#[test]
fn six_when_a_report_cannot_be_written() {
    let ran = Bench::new().run(&["demo", "--report", "json=/dev/full"]);
    assert_eq!(ran.exit, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("/dev/full"), "{}", ran.stderr);
    assert!(Path::new("/dev/full").exists());
}

#[test]
fn an_interrupted_run_says_so_at_once() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let deployment = deployment(&[]);
        let bench = Bench::against(&deployment).with("ENTRA_AUTHORITY", &address);
        let folder = tempfile::tempdir().unwrap();
        let mut command = bench.command(folder.path(), &["run", CATALOG]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        silent.accept().unwrap();
        let sent = Instant::now();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let status = child.wait().unwrap();
        // Two seconds of grace, and room for a machine that does much else; the call itself may take thirty.
        assert!(
            sent.elapsed() < Duration::from_secs(15),
            "took {:?}",
            sent.elapsed()
        );
        let mut stdout = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        assert_eq!(status.code(), Some(exit), "{stdout}");
        let reports = folder.path().join("reports");
        assert!(reports.join("TEST-rolecall.xml").exists());
        let record = std::fs::read_to_string(reports.join("rolecall.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
        assert_eq!(last["type"], "run.finished");
        assert_eq!(last["complete"], false);
    }
}

/// The article's scenario under another name, in a file of that name.
fn renamed(folder: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let path = folder.join(format!("{name}.yaml"));
    std::fs::write(
        &path,
        text.replace("name: Product Catalog", &format!("name: {name}")),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_interruption_says_what_happens_now_and_starts_no_further_scenario() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("ENTRA_AUTHORITY", &address);
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (
        renamed(folder.path(), "First"),
        renamed(folder.path(), "Second"),
    );
    let mut command = bench.command(folder.path(), &["run", &first, &second]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    silent.accept().unwrap();
    let signalled = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(signalled.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("rolecall: stopping"), "{stderr}");
    assert!(
        stderr.contains(&format!("rolecall: {second} was not run")),
        "{stderr}"
    );
}

#[test]
fn scenarios_whose_outputs_would_clash_are_not_run_together() {
    let folder = tempfile::tempdir().unwrap();
    let other = renamed(folder.path(), "Other");
    let same = renamed(folder.path(), "product  catalog");
    let deployment = deployment(&[]);
    for arguments in [
        &["run", CATALOG, &same][..],
        &["run", CATALOG, &other, "--format", "junit"],
        &["run", CATALOG, &other, "--report", "junit=x.xml"],
    ] {
        let ran = Bench::against(&deployment).run(arguments);
        assert_eq!(ran.exit, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.files().is_empty(), "{arguments:?} left files");
    }
}

#[test]
fn the_tables_of_two_scenarios_stand_apart() {
    let folder = tempfile::tempdir().unwrap();
    let other = renamed(folder.path(), "Other");
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", "-q", CATALOG, &other]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("\n\nOther · "), "{}", ran.stdout);
}

#[test]
fn the_readme_states_the_exit_codes_as_they_are() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for (code, meaning) in rolecall::exit::Exit::TABLE {
        assert!(
            readme.contains(&format!("| {code} | {meaning} |")),
            "the README lacks `| {code} | {meaning} |`"
        );
    }
}
