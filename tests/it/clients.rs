//! The same users through different clients: rows, tokens, headers, redirects, and what may not be mixed.

use std::fs;

use rolecall::reference::{Fault, Listener, Seen};
use serde_json::Value;

use crate::bench::{Bench, Ran, deployment, findings, text};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/clients.yaml");

const ROWS: [&str; 7] = [
    "reader@copilot-studio",
    "reader@inspector",
    "reader@insomnia",
    "admin@copilot-studio",
    "admin@inspector",
    "admin@insomnia",
    "anonymous",
];

/// The shipped scenario with something changed in it, in a file of its own.
fn changed(changes: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let mut scenario = fs::read_to_string(CLIENTS).unwrap();
    for (old, new) in changes {
        assert!(scenario.contains(old), "{old}");
        scenario = scenario.replacen(old, new, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.yaml");
    fs::write(&path, scenario).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn names(ran: &Ran) -> Vec<String> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let personas = document["personas"].as_array().unwrap();
    personas.iter().map(|one| text(&one["persona"])).collect()
}

fn at(listener: Listener, seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|one| one.listener == listener).collect()
}

#[test]
fn each_client_of_a_persona_is_a_row_that_gets_what_its_roles_allow() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", CLIENTS]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.report();
    assert_eq!(report["summary"]["pass"], 42);
    assert!(findings(&report).is_empty());
    for row in ROWS {
        assert!(ran.stdout.contains(&format!("│ {row} ")), "{}", ran.stdout);
        let class = format!("classname=\"product-catalog-by-client.mcp.{row}\"");
        assert!(ran.file("reports/TEST-rolecall.xml").contains(&class));
    }
}

#[test]
fn redirects_are_asked_for_once_each_and_without_a_secret() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let secrets: Vec<String> = deployment
        .variables()
        .into_iter()
        .filter(|(name, _)| name.ends_with("_SECRET") || name.ends_with("_PASSWORD"))
        .map(|(_, value)| value)
        .collect();
    for command in ["run", "doctor"] {
        let before = deployment.traffic().len();
        assert_eq!(bench.run(&[command, CLIENTS]).exit, 0, "{command}");
        let seen = deployment.traffic().split_off(before);
        let asked: Vec<&Seen> = at(Listener::Identity, &seen)
            .into_iter()
            .filter(|one| one.path.contains("/authorize"))
            .collect();
        assert_eq!(asked.len(), 3, "{command}");
        for one in asked {
            assert_eq!((one.method.as_str(), one.status), ("GET", 302), "{one:?}");
            assert!(one.path.contains("prompt=none"), "{one:?}");
            assert!(!secrets.iter().any(|secret| one.path.contains(secret)));
        }
    }
}

#[test]
fn a_client_s_headers_go_with_every_call_of_its_rows_and_stay_secret() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("CLIENT_KEY", "k3y-canary");
    let (_folder, path) = changed(&[
        (
            "headers: { User-Agent: mcp-inspector }",
            "headers: { User-Agent: \"inspector {{ run.id }}\", X-Client-Key: { env: CLIENT_KEY } }",
        ),
        (
            "clients: [copilot-studio, inspector, insomnia]",
            "clients: [inspector]",
        ),
        (
            "clients: [copilot-studio, inspector, insomnia]",
            "clients: [inspector]",
        ),
        ("enough here\n", "enough here\n  disposable: true\n"),
    ]);
    let ran = bench.run(&["run", &path]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let seen = deployment.traffic();
    let by_user: Vec<&Seen> = at(Listener::Gateway, &seen)
        .into_iter()
        .filter(|one| one.client.is_some())
        .collect();
    for (method, status) in [("POST", 201), ("DELETE", 204)] {
        let own = |one: &&&Seen| one.method == method && one.status == status;
        assert!(
            by_user.iter().any(|one| own(&one)),
            "{method}: objects are made and removed"
        );
    }
    for one in by_user {
        let agent = one.user_agent.as_deref().unwrap_or_default();
        let run = agent.strip_prefix("inspector ").unwrap_or_default();
        let is_filled = !run.is_empty() && run.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(is_filled, "{one:?}");
    }
    let plan = bench.run(&["plan", &path]);
    let line = "every call carries User-Agent: inspector {{ run.id }}, X-Client-Key: (secret)";
    assert!(plan.stdout.contains(line), "{}", plan.stdout);
    for (path, content) in ran.files() {
        let content = String::from_utf8_lossy(&content);
        assert!(!content.contains("k3y-canary"), "{}", path.display());
    }
    assert!(!plan.stdout.contains("canary") && !ran.stdout.contains("canary"));
}

#[test]
fn tokens_of_one_persona_stand_side_by_side_by_client() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let ran = bench.run(&["token", "--all", CLIENTS, "--format", "json"]);
    assert_eq!((ran.exit, names(&ran)), (0, ROWS.map(str::to_owned).into()));
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ids = ["CONNECTOR_ID", "INSPECTOR_ID", "INSOMNIA_ID"];
    let variables = deployment.variables();
    for (row, id) in ids.iter().chain(&ids).enumerate() {
        let expected = variables.iter().find(|(name, _)| name == id).unwrap();
        let claims = &document["personas"][row]["claims"];
        assert_eq!(claims["appid"], expected.1, "{}", ROWS[row]);
    }
    let reader = bench.run(&["token", "reader", CLIENTS]);
    let header = reader.stdout.lines().nth(1).unwrap();
    assert!(ROWS[..3].iter().all(|row| header.contains(row)), "{header}");
    let one = bench.run(&["token", "admin@inspector", CLIENTS]);
    assert!(
        one.stdout
            .starts_with("admin@inspector: user-delegated token "),
        "{}",
        one.stdout
    );
    let unknown = bench.run(&["token", "reader@postman", CLIENTS]);
    assert_eq!(unknown.exit, 2);
    assert!(
        unknown.stderr.contains("reader@copilot-studio"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_persona_shares_its_account_with_itself_alone() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let (_folder, path) = changed(&[
        (
            "username: \"${ADMIN_USER}\", password: { env: ADMIN_PASSWORD }",
            "username: \"${READER_USER}\", password: { env: READER_PASSWORD }",
        ),
        ("roles: [Products.Admin]", "roles: [Products.Read]"),
    ]);
    let ran = bench.run(&["run", &path]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let found = findings(&ran.report());
    let shared = &found["personas-share-account"];
    assert_eq!(shared.len(), 36, "{found:?}");
    assert!(
        ran.stdout.contains("that of reader and admin,"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_client_that_is_not_let_in_fails_alone() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("INSPECTOR_ID", &{
        let variables = deployment.variables();
        let unconsented = variables.iter().find(|(name, _)| *name == "UNCONSENTED_ID");
        unconsented.unwrap().1.clone()
    });
    let ran = bench.run(&["run", CLIENTS]);
    let report = ran.report();
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let found = findings(&report);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["redirect-unregistered", "sign-in-failed"]
    );
    let cells = &found["sign-in-failed"];
    assert_eq!(cells.len(), 12);
    assert!(
        cells.iter().all(|cell| cell.contains("@inspector/")),
        "{cells:?}"
    );
}

#[test]
fn a_redirect_that_was_removed_is_found_in_every_format() {
    let deployment = deployment(&[Fault::RedirectRemoved]);
    let ran = Bench::against(&deployment).run(&["run", CLIENTS]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let report = ran.report();
    assert_eq!(report["summary"]["pass"], 42);
    let found = findings(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found["redirect-unregistered"].is_empty());
    let variables = deployment.variables();
    let uri = variables
        .iter()
        .find(|(name, _)| *name == "CONNECTOR_REDIRECT_URI");
    let uri = &uri.unwrap().1;
    let detail = text(&report["findings"][0]["detail"]);
    let advice = format!("Add exactly {uri} to the client's registration");
    assert!(
        detail.contains("client copilot-studio") && detail.contains(&advice),
        "{detail}"
    );
    for shown in [
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" "),
        ran.file("reports/TEST-rolecall.xml"),
        ran.file("reports/rolecall.md"),
    ] {
        assert!(shown.contains("redirect-unregistered"), "{shown}");
        assert!(shown.contains(uri.as_str()), "{shown}");
    }
    let doctor = Bench::against(&deployment).run(&["doctor", CLIENTS]);
    assert_eq!(doctor.exit, 1);
    assert!(
        doctor
            .stdout
            .contains("1 broken. Start with client copilot-studio, redirect"),
        "{}",
        doctor.stdout
    );
}

#[test]
fn a_provider_that_cannot_be_asked_leaves_the_run_unproven() {
    let deployment = deployment(&[]);
    let (_folder, path) = changed(&[(
        "    scope: api://${API_APP_ID}/access_as_user\n",
        "    scope: api://${API_APP_ID}/access_as_user\n    authorization_endpoint: http://127.0.0.1:9/authorize\n",
    )]);
    let ran = Bench::against(&deployment).run(&["run", &path]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    let found = findings(&ran.report());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["redirect-unproven"]);
}
