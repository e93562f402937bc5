//! What is said of tokens: one persona's sheet, all side by side, exit codes.

use std::fs;

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, SHOWN_IN_VAIN, deployment, text};

/// The article's scenario with the reader's declaration changed.
fn declaring(lines: &str) -> (tempfile::TempDir, String) {
    let scenario = fs::read_to_string(CATALOG).unwrap();
    let changed = scenario.replacen("  reader:\n", &format!("  reader:\n{lines}"), 1);
    assert_ne!(scenario, changed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.yaml");
    fs::write(&path, changed).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn compared(persona: &Value, subject: &str) -> (String, Vec<String>) {
    let compared = persona["compared"].as_array().unwrap();
    let one = compared
        .iter()
        .find(|one| one["subject"] == subject)
        .unwrap();
    let codes = one["codes"].as_array().unwrap().iter().map(text).collect();
    (text(&one["result"]), codes)
}

#[test]
fn a_sheet_says_what_was_compared_and_that_the_signature_is_the_providers() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["token", "reader", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("reader: app-only token "),
        "{}",
        ran.stdout
    );
    for line in [
        "  ✓ roles           Products.Read",
        "  ✓ signature       verified",
        "  – fidelity        app-only",
        "\"aud\": \"api://",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn all_personas_stand_side_by_side() {
    let deployment = deployment(&[Fault::AdminInReaderGroup]);
    let bench = Bench::against(&deployment);
    let ran = bench.run(&["token", "--all", CATALOG]);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    let header = ran.stdout.lines().nth(1).unwrap();
    assert!(
        ["reader", "writer", "admin"]
            .iter()
            .all(|name| header.contains(name)),
        "{header}"
    );
    assert!(
        ran.stdout
            .contains("✗ reader: the token carries Products.Admin")
    );
    assert!(ran.stdout.contains("– anonymous: does not sign in"));

    let json = bench.run(&["token", "--all", CATALOG, "--format", "json"]);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let personas = document["personas"].as_array().unwrap();
    assert_eq!(personas.len(), 4);
    assert_eq!(
        compared(&personas[0], "roles"),
        ("differs".to_owned(), vec!["token-roles-extra".to_owned()])
    );
    assert_eq!(compared(&personas[1], "account").0, "same");
}

#[test]
fn a_refused_sign_in_is_unproven_and_told_beside_the_others() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("READER_SECRET", "not-it");
    assert_eq!(bench.run(&["token", "reader", CATALOG]).exit, 3);
    let ran = bench.run(&["token", "--all", CATALOG]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("✗ reader: reader could not sign in"),
        "{}",
        ran.stdout
    );
}

#[test]
fn who_is_asked_for_must_exist_and_someone_must_be() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    assert_eq!(bench.run(&["token", "nobody", CATALOG]).exit, 2);
    assert_eq!(bench.run(&["token"]).exit, 2);
}

/// The findings' codes of a run and its exit code.
fn ran(deployment: &Deployment, path: &str) -> (i32, Vec<String>) {
    let ran = Bench::against(deployment).run(&["run", path]);
    let codes = ran.report()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| text(&finding["code"]))
        .filter(|code| code != SHOWN_IN_VAIN)
        .collect();
    (ran.exit, codes)
}

#[test]
fn a_declaration_that_the_token_does_not_meet_stops_its_persona() {
    let table = [
        ("    fidelity: app\n", vec![]),
        ("    fidelity: user\n", vec!["token-fidelity"]),
        ("    scopes: [access_as_user]\n", vec!["token-scopes"]),
        (
            "    user: somebody@catalog.example\n",
            vec!["token-wrong-user"],
        ),
        (
            "    tenant: 00000000-0000-0000-0000-000000000000\n",
            vec!["token-tenant"],
        ),
    ];
    let deployment = deployment(&[]);
    for (lines, expected) in table {
        let (_folder, path) = declaring(lines);
        let exit = i32::from(!expected.is_empty());
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(ran(&deployment, &path), (exit, expected), "{lines}");
    }
}

#[test]
fn two_personas_that_are_one_account_are_one_finding() {
    let deployment = deployment(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twins.yaml");
    let scenario = fs::read_to_string(CATALOG).unwrap();
    let twins = scenario
        .replace("${WRITER_ID}", "${READER_ID}")
        .replace("WRITER_SECRET", "READER_SECRET")
        .replace("roles: [Products.Write]", "roles: [Products.Read]");
    fs::write(&path, twins).unwrap();
    let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let report = ran.report();
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "personas-share-account");
    assert_eq!(finding["cells"].as_array().unwrap().len(), 36);
}

#[test]
fn keys_are_asked_for_once_a_provider() {
    let deployment = deployment(&[]);
    assert_eq!(Bench::against(&deployment).run(&["run", CATALOG]).exit, 0);
    let seen = deployment.traffic();
    let asked = seen.iter().filter(|one| one.path.ends_with("/keys"));
    // The writer's endpoint makes a provider of its own.
    assert_eq!(asked.count(), 2);
}
