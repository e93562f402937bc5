//! Routes of an OpenAPI document and tools of the lists beside the operations, in a run and in `coverage`.

use std::path::Path;

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, text};

/// A folder with the article's scenario, edited.
fn scenario(edits: &[(&str, &str)]) -> (TempDir, String) {
    let mut scenario = std::fs::read_to_string(CATALOG).unwrap();
    for (old, new) in edits {
        assert!(scenario.contains(old), "{old}");
        scenario = scenario.replacen(old, new, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.yaml");
    std::fs::write(&path, scenario).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// One more line in the map of the REST door.
fn rest(line: &str) -> String {
    format!("url: ${{CATALOG_REST_URL}}\n    {line}")
}

const REST: &str = "url: ${CATALOG_REST_URL}";
const OPENAPI: &str = "openapi: \"${CATALOG_OPENAPI:-}\"";
const MCP: &str = "mcp: ${CATALOG_MCP_URL}";

fn run(deployment: &Deployment, path: &str) -> Ran {
    Bench::against(deployment).run(&["run", path])
}

fn coverage(deployment: &Deployment, arguments: &[&str]) -> Ran {
    Bench::against(deployment).run(&[&["coverage"], arguments].concat())
}

fn json(deployment: &Deployment, arguments: &[&str]) -> (i32, Value) {
    let ran = coverage(deployment, &[arguments, &["--format", "json"]].concat());
    (ran.exit, serde_json::from_str(&ran.stdout).unwrap())
}

fn codes(ran: &Ran) -> Vec<String> {
    findings(&ran.report()).into_keys().collect()
}

fn detail(ran: &Ran, code: &str) -> String {
    let report = ran.report();
    let findings = report["findings"].as_array().unwrap();
    let own = findings.iter().find(|finding| finding["code"] == code);
    text(&own.unwrap()["detail"])
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

/// The document as a file: the same six routes, and maybe one more path.
fn document(more: &str) -> String {
    format!(
        "openapi: 3.0.3\npaths:\n  \
         /api/products: {{ get: {{ operationId: listProducts }}, post: {{ operationId: create_product }} }}\n  \
         /api/products/search: {{ get: {{}} }}\n  \
         /api/products/{{id}}: {{ get: {{}}, put: {{}}, delete: {{}} }}\n{more}"
    )
}

#[test]
fn the_sound_deployment_is_named_whole() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let ran = coverage(&deployment, &[CATALOG]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    let table = ran.stdout.split("\nNot among the rows").next().unwrap();
    insta::assert_snapshot!(table);
    let posted = deployment.traffic();
    let called = posted
        .iter()
        .filter(|seen| seen.tool.is_some() || seen.path.starts_with("/api"));
    assert_eq!(called.count(), 0, "no cell is called");
    assert_eq!(deployment.products(), before);
    assert_eq!(ran.files(), [], "nothing is written");
}

#[test]
fn a_gate_can_hold_a_percentage() {
    let deployment = deployment(&[Fault::ForgottenRoute, Fault::UndeclaredTool]);
    // 6 of 7 routes and 6 of 7 tools are 85.7 percent.
    for (bar, exit) in [("100", 1), ("86", 1), ("85", 0), ("0", 0)] {
        let (got, document) = json(&deployment, &[CATALOG, "--at-least", bar]);
        assert_eq!(got, exit, "{bar}");
        assert_eq!(document["percent"], 85);
        assert_eq!(
            document["forgotten"].to_string(),
            r#"["GET /products/export","exportProducts"]"#
        );
    }
    let (exit, document) = json(&deployment, &[CATALOG, "--no-tools", "--at-least", "86"]);
    assert_eq!((exit, &document["tools"]), (1, &Value::Null));
    let signed_in = deployment.traffic();
    let ran = coverage(&deployment, &[CATALOG, "--no-tools"]);
    assert_eq!(ran.exit, 1);
    let more = deployment.traffic().split_off(signed_in.len());
    let paths: Vec<&str> = more.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/openapi.json"], "nobody signs in");
}

#[test]
fn coverage_is_told_for_people_and_machines() {
    let deployment = deployment(&[Fault::ForgottenRoute]);
    let ran = coverage(&deployment, &[CATALOG, "--format", "markdown"]);
    assert_eq!(ran.exit, 1);
    for part in [
        "# Coverage of Product Catalog",
        "**6 of 7 routes and 6 of 6 tools named by an operation: 92 % (100 % asked for)**",
        "| ✓ GET /products | ✓ listProducts | listProducts | rest, mcp, mcp-legacy |",
        "| ✗ GET /products/export |  |  |  |",
        "- GET /products/export",
        "```yaml\nstranger:\n  roles: []",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let (_, document) = json(&deployment, &[CATALOG]);
    assert_eq!(document["items"].as_array().unwrap().len(), 7);
    assert_eq!(document["offers"].as_array().unwrap().len(), 5);
    assert_eq!(document["result"], "short");
}

#[test]
fn a_document_may_be_a_file_beside_the_scenario_or_named_on_the_command_line() {
    let deployment = deployment(&[]);
    let (folder, path) = scenario(&[(OPENAPI, "openapi: catalog.yaml")]);
    write(
        &folder,
        "catalog.yaml",
        &document("  /api/health: { get: {} }\n"),
    );
    let ran = run(&deployment, &path);
    assert_eq!(
        (ran.exit, codes(&ran)),
        (1, vec!["undeclared-route".to_owned()])
    );
    assert_eq!(
        detail(&ran, "undeclared-route"),
        "the OpenAPI document names GET /api/health, and no operation is on it"
    );
    let file = folder.path().join("catalog.yaml");
    let ran = coverage(&deployment, &[CATALOG, "--openapi", file.to_str().unwrap()]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let loosely = "One thing, but for case and separators:\n  create_product and createProduct";
    assert!(ran.stdout.contains(loosely), "{}", ran.stdout);
}

#[test]
fn a_file_that_cannot_be_read_stops_the_run_before_anything_is_sent() {
    let deployment = deployment(&[]);
    let (folder, path) = scenario(&[(OPENAPI, "openapi: catalog.yaml")]);
    for (written, why) in [
        (None, "there is no such file"),
        (Some("paths: ["), "it is no YAML that can be read"),
        (Some("{}"), "it names no route under `paths`"),
        (
            Some("paths: { /a: { $ref: 'b.yaml' } }"),
            "it keeps /a in another document",
        ),
    ] {
        if let Some(written) = written {
            write(&folder, "catalog.yaml", written);
        }
        for command in ["run", "coverage"] {
            let ran = Bench::against(&deployment).run(&[command, &path]);
            assert_eq!(ran.exit, 2, "{command} {why}: {}", ran.stdout);
            assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
        }
    }
    assert_eq!(deployment.traffic(), []);
}

#[test]
fn a_document_that_is_not_answered_is_never_green_until_the_author_says_so() {
    let deployment = deployment(&[Fault::OpenapiUnread]);
    for (line, exit, code) in [
        ("undeclared: fail", 3, Some("coverage-unread")),
        ("undeclared: warn", 0, Some("undeclared-route-noted")),
        ("undeclared: ignore", 0, None),
    ] {
        let (_folder, path) = scenario(&[(REST, &rest(line))]);
        let ran = run(&deployment, &path);
        let expected: Vec<String> = code.map(str::to_owned).into_iter().collect();
        assert_eq!((ran.exit, codes(&ran)), (exit, expected), "{line}");
    }
    let ran = coverage(&deployment, &[CATALOG]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert!(ran.stdout.contains("it answers 302"), "{}", ran.stdout);
}

#[test]
fn an_undeclared_route_fails_until_the_author_says_otherwise() {
    let deployment = deployment(&[Fault::ForgottenRoute]);
    for (line, exit, code) in [
        ("undeclared: warn", 0, Some("undeclared-route-noted")),
        ("undeclared: ignore", 0, None),
        ("ignore: { GET /products/export: read by nobody }", 0, None),
        (
            "ignore: { \"* /products/export\": read by nobody }",
            0,
            None,
        ),
        (
            "ignore: { GET /products/exports: x }",
            1,
            Some("stale-waiver undeclared-route"),
        ),
        ("ignore: { \"GET /products*\": x }", 0, None),
        (
            "ignore: { GET /products: x, GET /products/export: x }",
            1,
            Some("stale-waiver"),
        ),
    ] {
        let (_folder, path) = scenario(&[(REST, &rest(line))]);
        let ran = run(&deployment, &path);
        let expected: Vec<&str> = code.unwrap_or_default().split_whitespace().collect();
        assert_eq!(
            (ran.exit, codes(&ran)),
            (
                exit,
                expected.iter().map(|code| (*code).to_owned()).collect()
            ),
            "{line}"
        );
    }
    let (_folder, path) = scenario(&[(REST, &rest("ignore: { /products/export: x }"))]);
    let ran = run(&deployment, &path);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("this is no route"), "{}", ran.stderr);
}

#[test]
fn what_is_left_out_stands_in_every_report_with_its_reason() {
    let deployment = deployment(&[Fault::ForgottenRoute, Fault::UndeclaredTool]);
    let door = "mcp: { url: \"${CATALOG_MCP_URL}\", ignore: { exportProducts: told by audit } }";
    let line = rest("ignore: { GET /products/export: read by nobody }");
    let (_folder, path) = scenario(&[(REST, &line), (MCP, door)]);
    let ran = run(&deployment, &path);
    assert_eq!((ran.exit, codes(&ran)), (0, vec![]), "{}", ran.stdout);
    let reports = [
        "reports/rolecall.json",
        "reports/rolecall.md",
        "reports/TEST-rolecall.xml",
    ];
    let reports = reports.map(|name| ran.file(name));
    for report in reports.iter().chain([&ran.stdout]) {
        for words in [
            "/products/export",
            "read by nobody",
            "exportProducts",
            "told by audit",
        ] {
            assert!(report.contains(words), "{words}: {report}");
        }
    }
    let share = &ran.report()["coverage"]["routes"];
    assert_eq!((&share["named"], &share["all"]), (&6.into(), &6.into()));
    let called = deployment.traffic();
    let called = called
        .iter()
        .filter(|seen| seen.tool.as_deref() == Some("exportProducts"));
    assert_eq!(called.count(), 0, "what is left out is not tried");
    let ran = coverage(&deployment, &[&path]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
}

#[test]
fn a_tool_that_is_left_out_and_not_there_fails_like_a_stale_waiver() {
    let deployment = deployment(&[]);
    let door = "mcp: { url: \"${CATALOG_MCP_URL}\", ignore: { purge*: gone } }";
    let (_folder, path) = scenario(&[(MCP, door)]);
    let ran = run(&deployment, &path);
    assert_eq!(
        (ran.exit, codes(&ran)),
        (1, vec!["stale-waiver".to_owned()])
    );
    assert_eq!(
        detail(&ran, "stale-waiver"),
        "ignore `purge*`: there is no such tool (gone)"
    );
    assert_eq!(coverage(&deployment, &[&path]).exit, 1);
}

#[test]
fn an_operation_that_stands_at_another_door_as_well_is_told() {
    let deployment = deployment(&[]);
    let ignored = "mcp: { url: \"${CATALOG_MCP_URL}\", undeclared: ignore }";
    let rest_alone = [
        (
            "    rest: GET /api/products\n    mcp: listProducts\n",
            "    rest: GET /api/products\n",
        ),
        (MCP, ignored),
    ];
    let (_folder, path) = scenario(&rest_alone);
    let ran = run(&deployment, &path);
    assert_eq!(
        (ran.exit, codes(&ran)),
        (0, vec!["door-forgotten".to_owned()]),
        "{}",
        ran.stdout
    );
    assert_eq!(
        detail(&ran, "door-forgotten"),
        "listProducts is tested at rest alone, and is the tool listProducts as well"
    );
    let two = [(
        "    rest: GET /api/products\n    mcp: listProducts\n",
        "    rest: GET /api/products\n\n  listAll:\n    allow: [reader, writer, admin]\n    mutates: false\n    mcp: listProducts\n",
    )];
    let (_folder, path) = scenario(&two);
    let ran = run(&deployment, &path);
    assert_eq!(
        (ran.exit, codes(&ran)),
        (0, vec!["door-forgotten".to_owned()])
    );
    assert!(
        detail(&ran, "door-forgotten")
            .ends_with("tested as two operations, listProducts and listAll")
    );
}

/// Personas that may not delete, an operation that nobody is allowed, and one beside it.
const CLOSED: &str = r#"
rolecall: 1
name: Closed
deployment:
  rest: { url: "${CATALOG_REST_URL}", openapi: "${CATALOG_OPENAPI:-}", undeclared: ignore }
  mcp: { url: "${CATALOG_MCP_URL}", undeclared: ignore }
identity:
  entra: { authority: "${ENTRA_AUTHORITY}", tenant: "${ENTRA_TENANT_ID}", resource: "api://${API_APP_ID}" }
personas:
  reader:
    roles: [Products.Read]
    sign_in: { client_credentials: { client_id: "${READER_ID}", client_secret: { env: READER_SECRET } } }
  anonymous: { sign_in: none }
fixtures:
  product:
    as: reader
    create: { rest: { request: POST /api/products, json: { name: "{{ tag }}", price: 1 } }, capture: { id: /id } }
    remove: { rest: "DELETE /api/products/{{ product.id }}" }
    decoy: { id: 00000000-0000-0000-0000-000000000000 }
operations:
  listProducts:
    allow: [reader]
    rest: GET /api/products
    mcp: listProducts
  deleteProduct:
    allow: []
    uses: product
    mutates: true
    rest: DELETE /api/products/{{ product.id }}
    mcp: { tool: deleteProduct, arguments: { id: "{{ product.id }}" } }
"#;

fn run_closed(bench: &Bench, edits: &[(&str, &str)]) -> (i32, Vec<(String, usize)>, String) {
    let mut text = CLOSED.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("closed.yaml");
    std::fs::write(&path, text).unwrap();
    let ran = bench.run(&["run", path.to_str().unwrap()]);
    let found = findings(&ran.report());
    let found = found.into_iter().map(|(code, cells)| (code, cells.len()));
    (ran.exit, found.collect(), ran.stdout)
}

#[test]
fn what_nobody_is_allowed_passes_where_it_is_shown_to_exist() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let (exit, found, stdout) = run_closed(&bench, &[]);
    assert_eq!((exit, found), (0, vec![]), "{stdout}");
    // Without a document the tools still stand in the list.
    let bench = Bench::against(&deployment).with("CATALOG_OPENAPI", "");
    let (exit, found, stdout) = run_closed(&bench, &[]);
    assert_eq!(
        (exit, found),
        (3, vec![("not-shown".to_owned(), 2)]),
        "{stdout}"
    );
    assert!(stdout.contains("openapi: FILE or URL"), "{stdout}");
    let bench = Bench::against(&deployment);
    let elsewhere = [(
        "DELETE /api/products/{{ product.id }}\n    mcp",
        "DELETE /api/stock/{{ product.id }}\n    mcp",
    )];
    let (exit, found, _) = run_closed(&bench, &elsewhere);
    assert_eq!(exit, 3);
    assert!(found.contains(&("not-shown".to_owned(), 2)), "{found:?}");
    let misspelt = [("tool: deleteProduct,", "tool: dropProduct,")];
    let (exit, found, stdout) = run_closed(&bench, &misspelt);
    assert_eq!(exit, 3, "{stdout}");
    assert!(found.contains(&("not-shown".to_owned(), 4)), "{found:?}");
}

#[test]
fn nothing_is_shown_to_exist_where_nobody_gets_through() {
    let deployment = deployment(&[Fault::OneIssuer]);
    let (exit, found, stdout) = run_closed(&Bench::against(&deployment), &[]);
    assert_eq!(exit, 1, "{stdout}");
    let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
    assert!(codes.contains(&"lockout"), "{codes:?}");
}

#[test]
fn a_run_in_which_everybody_met_the_same_says_so_first_in_every_report() {
    for (fault, kind, words) in [
        (
            Fault::GatewayOpen,
            "everything-granted",
            "EVERYTHING WAS GRANTED",
        ),
        (
            Fault::OneIssuer,
            "everything-refused",
            "EVERYTHING WAS REFUSED",
        ),
        (
            Fault::Throttled429,
            "everything-refused",
            "EVERYTHING WAS REFUSED",
        ),
    ] {
        let ran = Bench::new().run(&["demo", "--fault", fault.name()]);
        assert_ne!(ran.exit, 0, "{fault}");
        let third = ran.stdout.lines().nth(2).unwrap();
        assert!(
            third.starts_with("✗ ") && third.contains(words),
            "{fault}: {third}"
        );
        assert_eq!(ran.report()["banner"]["kind"], kind);
        let markdown = ran.file("reports/rolecall.md");
        assert!(
            markdown
                .lines()
                .nth(2)
                .unwrap()
                .starts_with(&format!("> **{words}")),
            "{markdown}"
        );
        let junit = ran.file("reports/TEST-rolecall.xml");
        let property = format!("<property name=\"rolecall.banner\" value=\"{kind}\"/>");
        assert_eq!(junit.matches(&property).count(), 3, "{fault}");
        assert!(junit.contains(words));
    }
    let ran = Bench::new().run(&["demo", "--fault", "mcp-no-auth"]);
    assert!(ran.report()["banner"].is_null() && !ran.stdout.contains("EVERYTHING WAS"));
}

#[test]
fn a_door_that_no_operation_has_a_shape_for_is_looked_at_all_the_same() {
    let deployment = deployment(&[]);
    let without: String = std::fs::read_to_string(CATALOG)
        .unwrap()
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("    mcp:") && !line.starts_with("      mcp:"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rest-alone.yaml");
    std::fs::write(&path, without).unwrap();
    let (exit, document) = json(&deployment, &[path.to_str().unwrap()]);
    assert_eq!((exit, &document["percent"]), (1, &50.into()));
    assert_eq!(document["holes"].as_array().unwrap().len(), 6);
    let mcp_alone = CLOSED
        .replace("undeclared: ignore }\n  mcp", "undeclared: fail }\n  mcp")
        .replace("    rest: GET /api/products\n", "    mutates: false\n")
        .replace("    rest: DELETE /api/products/{{ product.id }}\n", "");
    std::fs::write(&path, mcp_alone).unwrap();
    let ran = run(&deployment, path.to_str().unwrap());
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(
        codes(&ran).contains(&"undeclared-route".to_owned()),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_list_that_cannot_be_read_is_told_and_not_green() {
    let deployment = deployment(&[Fault::ListEndless]);
    let (exit, document) = json(&deployment, &[CATALOG]);
    assert_eq!((exit, &document["result"]), (3, &"unread".into()));
    assert_eq!(document["unread"].as_array().unwrap().len(), 6);
    let bench = Bench::against(&deployment).with("ADMIN_SECRET", "wrong");
    let ran = bench.run(&["coverage", CATALOG, "--format", "json"]);
    assert_eq!(ran.exit, 3);
    assert!(
        ran.stdout.contains("admin has no usable token"),
        "{}",
        ran.stdout
    );
}

#[test]
fn without_anything_to_compare_with_nothing_is_asked() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment).with("CATALOG_OPENAPI", "");
    for (arguments, why) in [
        (&["--no-tools"][..], "nothing to compare with"),
        (&["--at-least", "101"], "0..=100"),
        (&["--tools", "--no-tools"], "cannot be used with"),
        (&["--format", "junit"], "invalid value 'junit'"),
    ] {
        let ran = bench.run(&[&["coverage", CATALOG], arguments].concat());
        assert_eq!(ran.exit, 2, "{arguments:?}");
        assert!(ran.stderr.contains(why), "{arguments:?}: {}", ran.stderr);
    }
    let rest_only = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/rest-only.yaml");
    let bench = bench
        .with("LOANS_URL", "http://127.0.0.1:1")
        .with("LOANS_ISSUER", "http://127.0.0.1:1");
    let ran = bench.run(&["coverage", "--tools", rest_only.to_str().unwrap()]);
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert_eq!(deployment.traffic(), []);
}

#[test]
fn a_plan_foresees_the_document() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let plan = |arguments: &[&str]| bench.run(&[&["plan", CATALOG], arguments].concat()).stdout;
    assert_eq!(plan(&[]).matches("/openapi.json").count(), 1);
    assert_eq!(plan(&["--door", "mcp"]).matches("/openapi.json").count(), 0);
    assert_eq!(
        plan(&["--var", "CATALOG_OPENAPI="])
            .matches("openapi")
            .count(),
        0
    );
}
