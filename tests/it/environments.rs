//! One scenario and several deployments in, a report of each, one summary and one exit code out.

use std::fmt::Write as _;
use std::path::Path;

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, deployment, text};

/// Which variables say where a deployment is; the others are of whoever signs in.
fn is_address(name: &str) -> bool {
    name.starts_with("CATALOG_")
}

/// The article's scenario, which names where two deployments are, and beside it a file for each with the rest.
fn two_environments(folder: &Path, deployments: [(&str, &Deployment); 2]) {
    let mut block = "environments:\n".to_owned();
    for (name, deployment) in deployments {
        let _infallible = writeln!(block, "  {name}:");
        let mut file = String::new();
        for (variable, value) in deployment.variables() {
            let _infallible = if is_address(variable) {
                writeln!(block, "    {variable}: {value}")
            } else {
                writeln!(file, "{variable}={value}")
            };
        }
        std::fs::write(folder.join(format!("{name}.env")), file).unwrap();
    }
    let scenario = std::fs::read_to_string(CATALOG).unwrap();
    let scenario = scenario.replacen("\nidentity:", &format!("\n{block}\nidentity:"), 1);
    std::fs::write(folder.join("catalog.yaml"), scenario).unwrap();
}

#[test]
fn each_environment_has_its_reports_and_all_have_one_summary() {
    let (sound, leaky) = (deployment(&[]), deployment(&[Fault::McpNoToolCheck]));
    let folder = tempfile::tempdir().unwrap();
    two_environments(folder.path(), [("prod-eu", &sound), ("prod-us", &leaky)]);
    let arguments = [
        "run",
        "--each-env",
        "prod-eu,prod-us",
        "--env-file",
        "{env}.env",
        "catalog.yaml",
    ];
    let output = Bench::new()
        .with("CATALOG_REST_URL", "http://127.0.0.1:1")
        .command(folder.path(), &arguments)
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
    let report =
        |name: &str| std::fs::read_to_string(folder.path().join("reports").join(name)).unwrap();
    let json = |name: &str| -> Value { serde_json::from_str(&report(name)).unwrap() };
    let eu = json("rolecall-product-catalog-prod-eu.json");
    assert_eq!(eu["scenario"]["environment"], "prod-eu");
    assert_eq!(
        (&eu["summary"]["pass"], &eu["exit_code"]),
        (&72.into(), &0.into())
    );
    assert_eq!(
        json("rolecall-product-catalog-prod-us.json")["exit_code"],
        1
    );
    let junit = report("TEST-rolecall-product-catalog-prod-us.xml");
    assert!(junit.contains("product-catalog-prod-us/mcp"), "{junit}");
    let summary = json("rolecall-summary.json");
    let exits: Vec<(String, i64)> = summary["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            (
                text(&run["environment"]),
                run["exit_code"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        exits,
        [("prod-eu".to_owned(), 0), ("prod-us".to_owned(), 1)]
    );
    assert!(
        report("rolecall-summary.md").contains("| Product Catalog · prod\\-eu |")
            || report("rolecall-summary.md").contains("| Product Catalog · prod-eu |")
    );
    assert!(
        stdout.ends_with("All of them together: exit 1\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("Product Catalog · prod-us · catalog.yaml"),
        "{stdout}"
    );
}

#[test]
fn nothing_is_sent_to_any_of_them_when_one_is_not_known() {
    let deployments = [deployment(&[]), deployment(&[])];
    let folder = tempfile::tempdir().unwrap();
    two_environments(
        folder.path(),
        [("prod-eu", &deployments[0]), ("prod-us", &deployments[1])],
    );
    for (names, file, wanted) in [
        (
            "prod-eu,prod-uss",
            "{env}.env",
            "there is no environment `prod-uss`; did you mean `prod-us`?",
        ),
        ("prod-eu,prod-eu", "{env}.env", "have the same variables"),
        (
            "prod-eu,prod/us",
            "{env}.env",
            "a name starts with a letter",
        ),
        (
            "prod-eu,prod-us",
            "env/{env}.env",
            "cannot read env file env/prod-eu.env",
        ),
        ("prod-eu,prod-us", "prod-eu.env", "has no value"),
    ] {
        let arguments = [
            "run",
            "--each-env",
            names,
            "--env-file",
            file,
            "catalog.yaml",
        ];
        let bench = Bench::new();
        if wanted == "has no value" {
            let text = std::fs::read_to_string(folder.path().join("prod-eu.env")).unwrap();
            std::fs::write(
                folder.path().join("prod-eu.env"),
                text.replace("READER_ID=", "READER="),
            )
            .unwrap();
        }
        let output = bench.command(folder.path(), &arguments).output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{names}: {words}");
        assert!(words.contains(wanted), "{names}: {words}");
        assert!(!folder.path().join("reports").exists(), "{names}");
    }
    for deployment in &deployments {
        assert_eq!(deployment.traffic().len(), 0);
    }
}

#[test]
fn what_earlier_runs_left_is_gone_before_the_first_begins() {
    let (one, other) = (deployment(&[]), deployment(&[]));
    let folder = tempfile::tempdir().unwrap();
    two_environments(folder.path(), [("prod-eu", &one), ("prod-us", &other)]);
    let old = [
        "rolecall-summary.json",
        "rolecall-product-catalog-prod-us.json",
    ];
    let reports = folder.path().join("reports");
    std::fs::create_dir(&reports).unwrap();
    for name in old {
        std::fs::write(reports.join(name), "yesterday's").unwrap();
    }
    // The record of the last of them cannot be written.
    std::fs::create_dir(reports.join("rolecall-product-catalog-prod-us.jsonl")).unwrap();
    let each = [
        "run",
        "--each-env",
        "prod-eu,prod-us",
        "--env-file",
        "{env}.env",
        "catalog.yaml",
    ];
    let output = Bench::new().command(folder.path(), &each).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    for name in old {
        assert!(!reports.join(name).exists(), "{name}");
    }
    assert_eq!(one.traffic().len(), 0);
}

#[test]
fn every_command_reads_a_scenario_for_an_environment() {
    let (one, other) = (deployment(&[]), deployment(&[]));
    let folder = tempfile::tempdir().unwrap();
    two_environments(folder.path(), [("prod-eu", &one), ("prod-us", &other)]);
    let common = ["--env", "prod-us", "--env-file", "{env}.env"];
    for command in [&["doors"][..], &["doctor"], &["plan"], &["token", "reader"]] {
        let arguments = [command, &["catalog.yaml"], &common].concat();
        let output = Bench::new()
            .command(folder.path(), &arguments)
            .output()
            .unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}: {words}");
    }
}
