//! What is found on the way to a deployment, whose it is, and what nobody was asked.

use std::fs;

use rolecall::reference::{Fault, Listener};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment, text};
use crate::vacancy::Vacancy;

/// A station as `branch/step health whose`.
fn stations(ran: &Ran) -> Vec<String> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let stations = document["stations"].as_array().unwrap();
    stations
        .iter()
        .map(|station| {
            let words = ["branch", "step", "health", "whose"].map(|name| text(&station[name]));
            format!("{}/{} {} {}", words[0], words[1], words[2], words[3])
        })
        .collect()
}

fn broken(ran: &Ran) -> Vec<String> {
    let all = stations(ran).into_iter();
    all.filter(|station| station.contains(" broken ")).collect()
}

#[test]
fn a_good_deployment_is_whole_and_nothing_on_it_is_changed() {
    let deployment = deployment(&[]);
    let products = deployment.products();
    let bench = Bench::against(&deployment);
    let ran = bench.run(&["doctor", CATALOG]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.ends_with("Nothing is broken on the way.\n"));
    for line in [
        "  ✓ clock",
        "  ✓ keys             1 published",
        "persona writer",
        "  ✓ token            as declared",
        "  ✓ mcp-legacy       initialize answered",
        "  ✓ reader           GET /api/products → 200, granted",
        "  – anonymous        nothing harmless is allowed to it",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    assert_eq!(deployment.products(), products);
    let seen = deployment.traffic();
    let tokens = seen
        .iter()
        .filter(|one| one.listener == Listener::Identity && one.method == "POST");
    assert_eq!(tokens.count(), 3);
}

#[test]
fn stations_come_in_the_order_of_the_way() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["doctor", CATALOG, "--format", "json"]);
    assert_eq!(ran.exit, 0);
    let mut branches: Vec<String> = stations(&ran)
        .iter()
        .map(|station| {
            let branch = station.split('/').next().unwrap_or_default();
            branch.split(" http").next().unwrap_or_default().to_owned()
        })
        .collect();
    branches.dedup();
    let expected = [
        "identity provider",
        "door rest",
        "door mcp",
        "persona reader",
        "persona writer",
        "persona admin",
        "persona anonymous",
        "MCP eras",
        "calls at rest",
        "calls at mcp",
        "calls at mcp-legacy",
    ];
    assert_eq!(branches, expected);
}

#[test]
fn each_defect_is_laid_at_the_right_door() {
    let table: [(Fault, &[&str]); 6] = [
        (
            Fault::StaleRoles,
            &["persona writer/token broken identity provider"],
        ),
        (Fault::DeleteRouteMissing, &[]),
        (
            Fault::OneIssuer,
            &[
                "calls at rest/reader broken gateway",
                "MCP eras/mcp broken gateway",
            ],
        ),
        (
            Fault::SubscriptionKeyRequired,
            &[
                "calls at rest/reader broken client",
                "MCP eras/mcp broken gateway",
            ],
        ),
        (
            Fault::BackendDown502,
            &["calls at rest/reader broken backend"],
        ),
        (Fault::Quota403, &["calls at rest/reader broken gateway"]),
    ];
    for (fault, expected) in table {
        let deployment = deployment(&[fault]);
        let ran = Bench::against(&deployment).run(&["doctor", CATALOG, "--format", "json"]);
        let found = broken(&ran);
        assert_eq!(
            ran.exit,
            i32::from(!expected.is_empty()),
            "{fault}: {found:?}"
        );
        for station in expected {
            assert!(found.iter().any(|one| one == station), "{fault}: {found:?}");
        }
        assert_eq!(found.is_empty(), expected.is_empty(), "{fault}: {found:?}");
    }
}

/// The provider gave no token either way; only one of them is its fault.
#[test]
fn what_this_machine_lacks_to_sign_in_with_is_not_laid_at_the_provider() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("WRITER_SECRET", "wrong");
    let catalog = fs::read_to_string(CATALOG).unwrap();
    let methods = [
        "client_secret: { env: READER_SECRET }",
        "client_secret: { env: ADMIN_SECRET }",
    ];
    let programs = [
        "client_secret: { command: [no-such-program] }",
        "certificate: { key: { file: no.key } }",
    ];
    let mut scenario = catalog;
    for (method, program) in methods.iter().zip(programs) {
        assert!(scenario.contains(method));
        scenario = scenario.replace(method, program);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("no.key"), "no key").unwrap();
    fs::write(folder.path().join("rolecall.yaml"), scenario).unwrap();
    let arguments = ["doctor", "--format", "json"];
    let output = bench.command(folder.path(), &arguments).output().unwrap();
    let ran = Ran::of(output, folder);
    let found = broken(&ran);
    let expected = [
        "persona reader/sign-in broken client",
        "persona writer/sign-in broken identity provider",
        "persona admin/sign-in broken client",
    ];
    assert_eq!(found, expected, "{}", ran.stdout);
}

#[test]
fn a_branch_ends_at_its_first_broken_step_and_the_others_go_on() {
    let closed = Vacancy::new();
    let deployment = deployment(&[]);
    let bench =
        Bench::against(&deployment).with("CATALOG_MCP_URL", &format!("https://{closed}/mcp"));
    let ran = bench.run(&["doctor", CATALOG, "--format", "json"]);
    assert_eq!(ran.exit, 1);
    assert_eq!(broken(&ran), ["door mcp/connection broken edge"]);
    let all = stations(&ran);
    assert!(
        !all.iter().any(|one| one.starts_with("door mcp/TLS")),
        "{all:?}"
    );
    assert!(
        !all.iter().any(|one| one.starts_with("calls at mcp")),
        "{all:?}"
    );
    assert!(
        all.iter()
            .any(|one| one.starts_with("calls at rest/reader whole")),
        "{all:?}"
    );
}

#[test]
fn a_wrong_provider_leaves_every_persona_unasked() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("ENTRA_TENANT_ID", "elsewhere");
    let ran = bench.run(&["doctor", CATALOG, "--format", "json"]);
    assert_eq!(ran.exit, 1);
    let found = broken(&ran);
    assert!(
        found.len() == 1 && found[0].ends_with("/discovery broken identity provider"),
        "{found:?}"
    );
    let posted = deployment
        .traffic()
        .iter()
        .any(|one| one.listener == Listener::Identity && one.method == "POST");
    assert!(!posted, "a secret went to a provider that is not trusted");
}

#[test]
fn a_refused_sign_in_says_so_and_no_secret() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("READER_SECRET", "canary-91fd0c");
    let ran = bench.run(&["-vvv", "doctor", CATALOG]);
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.contains("7000215"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("  – reader           not called: it has no token")
    );
    assert!(!ran.stdout.contains("canary-91fd0c") && !ran.stderr.contains("canary-91fd0c"));
}
