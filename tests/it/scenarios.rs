//! Scenario files in, what rolecall makes of them out: the shipped ones load, each bad one gets its complaints.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rolecall::cell::Door;
use rolecall::scenario::sign_in::{Proof, SecretSource};
use rolecall::scenario::{
    EntraEndpoint, Expectation, Missing, Provider, Scenario, SignIn, Sources,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(variables: &[(&str, &str)], missing: Missing) -> Sources {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<BTreeMap<_, _>>();
    Sources {
        variables,
        missing,
        today: "2026-06-01".parse().unwrap(),
        read_file: |path| fs::read_to_string(path),
    }
}

fn shipped(name: &str, variables: &[(&str, &str)], missing: Missing) -> Scenario {
    let path = format!("scenarios/{name}");
    let text = fs::read_to_string(root().join(&path)).unwrap();
    Scenario::read(&path, &text, &sources(variables, missing))
        .unwrap_or_else(|complaints| panic!("{complaints}"))
}

fn word(scenario: &Scenario, operation: &str, persona: &str, door: Door) -> String {
    let column = scenario
        .operations
        .iter()
        .find(|known| known.name.as_str() == operation)
        .unwrap();
    let row = scenario
        .personas
        .iter()
        .position(|known| known.name.as_str() == persona)
        .unwrap();
    let demand = column.demands.get(row, door);
    demand.map_or_else(|| "-".to_owned(), |demand| demand.expectation.to_string())
}

const CATALOG: &[(&str, &str)] = &[
    ("CATALOG_REST_URL", "http://127.0.0.1:8080/"),
    ("CATALOG_MCP_URL", "http://127.0.0.1:8080/mcp"),
    ("ENTRA_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
    ("API_APP_ID", "22222222-2222-4222-8222-222222222222"),
    ("READER_ID", "reader-id"),
    ("READER_SECRET", "reader-secret"),
    ("WRITER_ID", "writer-id"),
    ("WRITER_SECRET", "writer-secret"),
    ("ADMIN_ID", "admin-id"),
    ("ADMIN_SECRET", "admin-secret"),
];

#[test]
fn the_product_catalog_demands_what_the_article_ends_with() {
    let scenario = shipped("product-catalog.yaml", CATALOG, Missing::Refused);
    let table = [
        ("listProducts", ["allow", "allow", "allow", "401"]),
        ("getProduct", ["allow", "allow", "allow", "401"]),
        ("searchProducts", ["allow", "allow", "allow", "401"]),
        ("createProduct", ["403", "allow", "allow", "401"]),
        ("updateProduct", ["403", "allow", "allow", "401"]),
        ("deleteProduct", ["403", "403", "allow", "401"]),
    ];
    let operations: Vec<&str> = scenario
        .operations
        .iter()
        .map(|operation| operation.name.as_str())
        .collect();
    assert_eq!(operations, table.map(|(operation, _)| operation));
    for (operation, words) in table {
        for door in Door::ALL {
            let got = ["reader", "writer", "admin", "anonymous"]
                .map(|persona| word(&scenario, operation, persona, door));
            assert_eq!(got, words, "{operation} at {door}");
        }
    }
}

#[test]
fn the_product_catalog_signs_in_as_the_article_does() {
    let scenario = shipped("product-catalog.yaml", CATALOG, Missing::Refused);
    let names: Vec<&str> = scenario
        .personas
        .iter()
        .map(|persona| persona.name.as_str())
        .collect();
    assert_eq!(names, ["reader", "writer", "admin", "anonymous"]);
    let endpoints =
        scenario
            .personas
            .iter()
            .map(|persona| match &persona.identity.as_ref()?.provider {
                Provider::Entra { endpoint, .. } => Some(*endpoint),
                Provider::Oidc { .. } | Provider::Endpoints { .. } => None,
            });
    let (v1, v2) = (Some(EntraEndpoint::V1), Some(EntraEndpoint::V2));
    assert!(endpoints.eq([v2, v1, v2, None]));
    let identity = scenario.personas[0].identity.as_ref().unwrap();
    assert_eq!(
        identity.audiences,
        [
            "api://22222222-2222-4222-8222-222222222222",
            "22222222-2222-4222-8222-222222222222"
        ]
    );
    assert_eq!(
        identity.scope.as_deref(),
        Some("api://22222222-2222-4222-8222-222222222222/.default")
    );
    assert_eq!(
        scenario.deployment.rest.as_ref().unwrap().url,
        "http://127.0.0.1:8080"
    );
    assert_eq!(scenario.deployment.doors, Door::ALL);
    assert!(scenario.deployment.disposable && !scenario.deployment.doors_stated);
    let secrets: Vec<&str> = scenario
        .secrets
        .iter()
        .map(rolecall::secret::Secret::expose)
        .collect();
    assert_eq!(secrets, ["reader-secret", "writer-secret", "admin-secret"]);
}

#[test]
fn a_plan_without_variables_keeps_them_standing() {
    let scenario = shipped("product-catalog.yaml", &[], Missing::Kept);
    assert_eq!(scenario.deployment.rest.unwrap().url, "${CATALOG_REST_URL}");
    let SignIn::ClientCredentials { client, .. } = &scenario.personas[0].sign_in else {
        panic!()
    };
    let Proof::Secret(SecretSource::Value(secret)) = &client.proof else {
        panic!()
    };
    assert_eq!(client.id, "${READER_ID}");
    assert!(secret.is_empty() && scenario.secrets.is_empty());
}

#[test]
fn without_variables_every_missing_one_is_named_at_once() {
    let path = "scenarios/product-catalog.yaml";
    let text = fs::read_to_string(root().join(path)).unwrap();
    let complaints = Scenario::read(path, &text, &sources(&[], Missing::Refused)).unwrap_err();
    assert_eq!(complaints.len(), CATALOG.len());
}

#[test]
fn the_library_demands_what_its_table_says() {
    let variables = [
        ("LOANS_URL", "https://loans.example.com"),
        ("LOANS_API_KEY", "key"),
        ("LOANS_ISSUER", "https://id.example.com/realms/loans"),
        ("LOANS_MEMBER_PASSWORD", "one"),
        ("LOANS_LIBRARIAN_PASSWORD", "two"),
        ("LOANS_AUDITOR_SECRET", "three"),
    ];
    let scenario = shipped("rest-only.yaml", &variables, Missing::Refused);
    for (operation, words) in [
        ("listLoans", ["allow", "allow", "200|206", "401"]),
        ("borrow", ["allow", "allow", "403", "401"]),
        ("giveBack", ["403", "allow", "403", "401"]),
        ("overdueReport", ["hidden", "allow", "allow", "401"]),
    ] {
        let got = ["member", "librarian", "auditor", "passer-by"]
            .map(|persona| word(&scenario, operation, persona, Door::Rest));
        assert_eq!(got, words, "{operation}");
        assert_eq!(word(&scenario, operation, "member", Door::Mcp), "-");
    }
    assert_eq!(scenario.deployment.doors, [Door::Rest]);
    assert_eq!(
        scenario.personas[0]
            .identity
            .as_ref()
            .unwrap()
            .roles_pointer,
        "/realm_access/roles"
    );
    let find = scenario.fixtures[0]
        .find
        .as_ref()
        .unwrap()
        .rest
        .as_ref()
        .unwrap();
    assert_eq!(find.target.source(), "/loans?book=rolecall%20{{ tag }}");
}

/// A scenario whose fixture and identity have what Keycloak and a tool with integer ids call for.
const NOTES: &str = "
rolecall: 1
name: Notes
deployment: { rest: 'https://a.example.com', mcp: 'https://a.example.com/mcp', disposable: true }
identity:
  oidc: { issuer: 'https://id.example.com', roles: /realm_access/roles, ignore_roles: [offline_access, default-roles-x] }
personas:
  boss: { roles: [boss], sign_in: { client_credentials: { client_id: b, client_secret: { env: READER_SECRET } } } }
fixtures:
  note:
    as: boss
    create: { rest: { request: POST /notes, json: { text: '{{ tag }}' } }, capture: { id: /id, name: /name } }
    remove: { rest: 'DELETE /notes/{{ note.id }}' }
    decoy: { id: 999999999, name: '7' }
operations:
  list: { allow: [boss], rest: GET /notes }
";

#[test]
fn a_decoy_keeps_the_type_that_it_is_written_with() {
    let sources = sources(&[("READER_SECRET", "s")], Missing::Refused);
    let scenario = Scenario::read("x.yaml", NOTES, &sources)
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let decoy = scenario.fixtures[0].decoy.as_ref().unwrap();
    assert_eq!(
        decoy,
        &[
            ("id".to_owned(), serde_json::json!(999_999_999)),
            ("name".to_owned(), serde_json::json!("7"))
        ]
    );
}

#[test]
fn roles_that_everybody_has_are_ignored_where_the_identity_says_so() {
    let sources = sources(&[("READER_SECRET", "s")], Missing::Refused);
    let scenario = Scenario::read("x.yaml", NOTES, &sources)
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let identity = scenario.personas[0].identity.as_ref().unwrap();
    assert_eq!(
        identity.ignored_roles,
        ["offline_access", "default-roles-x"]
    );
}

#[test]
fn an_expectation_for_mcp_covers_both_eras_until_the_older_is_stated() {
    let text = "
rolecall: 1
name: Eras
deployment: { rest: 'https://a.example.com', mcp: 'https://a.example.com/mcp' }
personas: { guest: { sign_in: none }, other: { sign_in: none }, third: { sign_in: none } }
operations:
  list:
    allow: [third]
    rest: GET /items
    mcp: list
    expect:
      guest: { mcp: hidden }
      other:
        mcp: deny
        mcp-legacy: [404]
";
    let scenario = Scenario::read("x.yaml", text, &sources(&[], Missing::Refused))
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let row = |persona| Door::ALL.map(|door| word(&scenario, "list", persona, door));
    assert_eq!(row("guest"), ["401", "hidden", "hidden"]);
    assert_eq!(row("other"), ["401", "deny", "404"]);
    assert_eq!(row("third"), ["allow", "allow", "allow"]);
    let line = |persona: usize, door: Door| {
        let demands = &scenario.operations[0].demands;
        demands.get(persona, door).unwrap().line
    };
    assert_eq!(
        (
            line(0, Door::Rest),
            line(0, Door::Mcp),
            line(1, Door::McpLegacy)
        ),
        (8, 12, 15)
    );
    assert_eq!(
        scenario.operations[0]
            .demands
            .get(1, Door::Mcp)
            .unwrap()
            .expectation,
        &Expectation::Deny
    );
}

#[test]
fn fifteen_thousand_operations_of_one_line_load() {
    let mut text = "rolecall: 1\nname: Many\ndeployment: { rest: 'https://a.example.com' }\npersonas: { guest: { sign_in: none } }\noperations:\n".to_owned();
    for number in 0..15_000 {
        text.extend([format!(
            "  op{number}: {{ allow: [guest], rest: GET /items/{number} }}\n"
        )]);
    }
    let scenario = Scenario::read("x.yaml", &text, &sources(&[], Missing::Refused)).unwrap();
    assert_eq!(scenario.operations.len(), 15_000);
}

#[test]
fn a_secret_file_stands_beside_the_scenario_and_loses_its_line_end() {
    fn read(path: &Path) -> io::Result<String> {
        if path == Path::new("some/where/reader.secret") {
            Ok("hunter2\r\n".to_owned())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
    let text = "
rolecall: 1
name: File
deployment: { rest: { url: 'https://a.example.com', headers: { X-Token: { file: reader.secret } } } }
personas: { guest: { sign_in: none } }
operations: { list: { allow: [guest], rest: GET /items } }
";
    let sources = Sources {
        read_file: read,
        ..sources(&[], Missing::Refused)
    };
    let scenario = Scenario::read("some/where/x.yaml", text, &sources).unwrap();
    assert_eq!(scenario.secrets[0].expose(), "hunter2");
}

/// Two personas by two clients each, and whatever refers to them.
const BY_CLIENT: &str = "
rolecall: 1
name: Clients
deployment: { rest: 'https://a.example.com', disposable: true }
identity: { entra: { tenant: t, resource: 'api://x' } }
clients:
  a: { client_id: id-a, client_secret: { env: READER_SECRET }, scope: api://x/read, endpoint: v1 }
  b: { client_id: id-b }
personas:
  reader: { clients: [a, b], sign_in: { password: { username: r, password: { env: READER_SECRET }, scope: own } } }
  guest: { sign_in: none }
  admin: { clients: [b, a], sign_in: { refresh_token: { token: { env: READER_SECRET } } } }
  behalf: { clients: [a], sign_in: { on_behalf_of: { of: reader } } }
  other: { clients: [b], sign_in: { token_exchange: { of: admin@a } } }
fixtures:
  note:
    as: admin
    create: { rest: { request: POST /notes, json: { text: '{{ tag }}' } }, capture: { id: /id } }
    remove: { rest: 'DELETE /notes/{{ note.id }}' }
operations:
  list:
    allow: [reader, admin@b]
    rest: GET /notes
    expect: { admin@b: hidden, admin: [404], behalf: deny }
";

#[test]
fn a_persona_is_one_row_a_client_wherever_it_is_named() {
    let sources = sources(&[("READER_SECRET", "s")], Missing::Refused);
    let scenario = Scenario::read("x.yaml", BY_CLIENT, &sources)
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let rows = [
        ("reader@a", "id-a", "allow"),
        ("reader@b", "id-b", "allow"),
        ("guest", "", "401"),
        ("admin@b", "id-b", "hidden"),
        ("admin@a", "id-a", "404"),
        ("behalf@a", "id-a", "deny"),
        ("other@b", "id-b", "403"),
    ];
    for (place, (name, client, demand)) in rows.into_iter().enumerate() {
        let persona = &scenario.personas[place];
        assert_eq!(persona.name.as_str(), name);
        assert_eq!(persona.sign_in.client_id().unwrap_or_default(), client);
        assert_eq!(word(&scenario, "list", name, Door::Rest), demand, "{name}");
    }
    assert_eq!(scenario.personas.len(), rows.len());
    let subjects = [5, 6].map(|row| scenario.personas[row].sign_in.subject());
    assert_eq!(
        subjects,
        [Some(0), Some(4)],
        "the first client, unless one is named"
    );
    assert_eq!(scenario.fixtures[0].owner, 3);
}

#[test]
fn a_client_brings_its_proof_scope_and_endpoint() {
    let sources = sources(&[("READER_SECRET", "s")], Missing::Refused);
    let scenario = Scenario::read("x.yaml", BY_CLIENT, &sources)
        .unwrap_or_else(|complaints| panic!("{complaints}"));
    let sign_ins = scenario.personas[..2].iter().map(|persona| {
        let SignIn::Password { client, scope, .. } = &persona.sign_in else {
            panic!()
        };
        let Provider::Entra { endpoint, .. } = &persona.identity.as_ref().unwrap().provider else {
            panic!()
        };
        let proven = matches!(client.proof, Proof::Secret(_));
        (proven, scope.as_deref().unwrap(), *endpoint)
    });
    let expected = [
        (true, "api://x/read", EntraEndpoint::V1),
        (false, "own", EntraEndpoint::V2),
    ];
    assert!(sign_ins.eq(expected));
}

fn bad_files() -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/scenarios/bad");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_bad_scenario_gets_its_complaints() {
    let sources = sources(
        &[("READER_SECRET", "open-sesame"), ("EMPTY", "")],
        Missing::Refused,
    );
    let files = bad_files();
    assert!(files.len() >= 40);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let complaints = Scenario::read(&format!("bad/{name}.yaml"), &text, &sources).unwrap_err();
        let shown = complaints.to_string();
        assert!(
            !shown.contains("hunter2") && !shown.contains("open-sesame"),
            "{name} shows a secret"
        );
        insta::assert_snapshot!(name, shown);
    }
}
