//! Why something is wrong, whose it is and how it is seen by hand: the article's gotchas, the holes of its recipe, the lines.

use std::path::Path;
use std::process::Command;

use rolecall::reference::{Deployment, Fault};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment, text};
use crate::faults::with_forgotten_rows;

/// What the article or its critics say, the fault, the finding's code, its hint where it has one, whose it is, and words
/// of its explanation.
type Gotcha = (
    &'static str,
    Fault,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const GATEWAY: &str = "gateway";
const UNKNOWN: &str = "unknown: gateway or backend";
const PROVIDER: &str = "identity provider";

/// The article's seven, without the seventh, which no deployment can have: Entra ID does not take such a manifest. What is
/// left of it is in the comparison of tokens.
const GOTCHAS: [Gotcha; 9] = [
    (
        "1 preserveContent: true Is Not Optional",
        Fault::BodySwallowed,
        "broken",
        "body-consumed",
        GATEWAY,
        "preserveContent: true",
    ),
    (
        "2 MCP Server Does NOT Inherit API-Level Policies",
        Fault::McpNoAuth,
        "leak",
        "mcp-not-inherited",
        GATEWAY,
        "<base />",
    ),
    (
        "2 anyone can list tools",
        Fault::McpListOpen,
        "open-without-token",
        "lists-unguarded",
        GATEWAY,
        "tools/list",
    ),
    (
        "3 Wrap Everything in try/catch",
        Fault::RolesMissing500,
        "crashed-not-refused",
        "roles-claim-missing",
        GATEWAY,
        "jwt.Claims.ContainsKey(\"roles\")",
    ),
    (
        "4 .Let() Doesn't Exist in APIM",
        Fault::ExpressionFails,
        "broken",
        "expression-always-fails",
        GATEWAY,
        ".Let()",
    ),
    (
        "5 Test with Non-Admin Users",
        Fault::ReaderIsDirectoryAdmin,
        "token-is-directory-admin",
        "",
        PROVIDER,
        "Global Administrator",
    ),
    (
        "6 Two Issuers, Not One",
        Fault::OneIssuer,
        "lockout",
        "issuer-or-audience",
        GATEWAY,
        "both issuers",
    ),
    (
        "6 intermittent 401s",
        Fault::Flaky401,
        "flips",
        "",
        UNKNOWN,
        "two issuers",
    ),
    (
        "the hard part",
        Fault::McpNoToolCheck,
        "leak",
        "tool-name-unread",
        GATEWAY,
        "stands inside the JSON-RPC body",
    ),
];

/// What the article's own recipe leaves open, and what stands beside it.
const HOLES: [Gotcha; 9] = [
    (
        "roles are joined to one text",
        Fault::SubstringRoles,
        "leak",
        "near-miss-role",
        UNKNOWN,
        "Products.WriteOnly",
    ),
    (
        "reading needs no role",
        Fault::McpUnlistedToolOpen,
        "leak",
        "reads-need-no-role",
        UNKNOWN,
        "deny-list",
    ),
    (
        "a body that is no object has no tool",
        Fault::BatchesAccepted,
        "spec-must",
        "",
        UNKNOWN,
        "sees none in an array",
    ),
    (
        "the connector's own token is an administrator's",
        Fault::AdminInReaderGroup,
        "token-roles-extra",
        "",
        PROVIDER,
        "whoever has its secret holds that role",
    ),
    (
        "the audiences lack the bare GUID",
        Fault::V2Audience,
        "lockout",
        "issuer-or-audience",
        GATEWAY,
        "bare application GUID",
    ),
    (
        "the inner call has no token",
        Fault::TokenNotForwarded,
        "lockout",
        "authorization-not-forwarded",
        GATEWAY,
        "without the caller's token",
    ),
    (
        "no policy at REST",
        Fault::RestNoAuth,
        "leak",
        "rest-unguarded",
        UNKNOWN,
        "validate-jwt",
    ),
    (
        "no operation policies at REST",
        Fault::RestNoRoleCheck,
        "leak",
        "rest-roles-unchecked",
        UNKNOWN,
        "looks at no role",
    ),
    (
        "one role too many",
        Fault::WriterCanDelete,
        "leak",
        "doors-agree",
        UNKNOWN,
        "agree with each other",
    ),
];

#[test]
fn the_articles_gotchas_are_recognised_by_their_symptoms() {
    check(&GOTCHAS);
}

#[test]
fn the_holes_of_its_own_recipe_are_too() {
    check(&HOLES);
}

fn check(gotchas: &[Gotcha]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forgotten.yaml");
    std::fs::write(&path, with_forgotten_rows()).unwrap();
    for (gotcha, fault, code, hint, layer, words) in gotchas {
        let ran = run(&deployment(&[*fault]), path.to_str().unwrap(), &[]);
        let report = ran.report();
        let finding = finding(&report, code, gotcha);
        assert_eq!(text(&finding["hint"]), *hint, "{gotcha}: {finding:#}");
        assert_eq!(text(&finding["layer"]), *layer, "{gotcha}: {finding:#}");
        let told = [&finding["detail"], &finding["cause"], &finding["remedy"]].map(text);
        let told = told.join("\n");
        assert!(told.contains(words), "{gotcha}: {words}: {told}");
    }
}

fn run(deployment: &Deployment, scenario: &str, more: &[&str]) -> Ran {
    let arguments = [&["run", scenario][..], more].concat();
    Bench::against(deployment).run(&arguments)
}

fn finding<'r>(report: &'r Value, code: &str, told: &str) -> &'r Value {
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings.find(|finding| finding["code"] == code);
    assert!(
        found.is_some(),
        "{told}: no {code} in {:#}",
        report["findings"]
    );
    found.unwrap()
}

fn curl_is_there() -> bool {
    Command::new("curl").arg("--version").output().is_ok()
}

/// The lines for a token that `docs/by-hand.md` gives, at the deployment's own provider, as a shell function of a persona.
fn token_lines() -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/by-hand.md"));
    let page = page.unwrap();
    let lines = page.split("```sh\n").nth(1).unwrap();
    let lines = lines.split("```").next().unwrap();
    lines.replace("https://login.microsoftonline.com", "$ENTRA_AUTHORITY")
}

/// What the lines printed, run by a shell that has the deployment's variables and a token of the persona.
fn by_hand(deployment: &Deployment, persona: &str, lines: &str) -> String {
    let upper = persona.to_uppercase();
    let script = format!("{}\n{lines}", token_lines().replace("READER", &upper));
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("no_proxy", "*")
        .envs(deployment.variables())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{script}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The number in the first line of an HTTP answer.
fn status(answer: &str) -> u64 {
    let line = answer.lines().find(|line| line.starts_with("HTTP/"));
    assert!(line.is_some(), "no answer in {answer}");
    line.unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

/// The first cell of a finding whose answers were kept.
fn example(report: &Value, finding: &Value) -> (String, u64) {
    let cells = report["cells"].as_array().unwrap();
    let covered = finding["cells"].as_array().unwrap();
    let kept = |cell: &&Value| covered.contains(&cell["id"]) && cell["evidence"].is_array();
    let cell = cells.iter().find(kept).unwrap();
    (text(&cell["persona"]), cell["status"].as_u64().unwrap())
}

#[test]
fn what_is_shown_to_do_by_hand_gives_the_answer_that_the_finding_tells() {
    if !curl_is_there() {
        return;
    }
    let table: [(Fault, &str, &[&str]); 8] = [
        (Fault::RestNoAuth, "leak", &["--door", "rest"]),
        (Fault::RestNoRoleCheck, "leak", &["--door", "rest"]),
        (Fault::McpNoAuth, "leak", &["--door", "mcp"]),
        (Fault::McpNoToolCheck, "leak", &["--door", "mcp"]),
        (Fault::McpNoToolCheck, "leak", &["--door", "mcp-legacy"]),
        (
            Fault::InvalidToken401,
            "wrong-refusal",
            &["--door", "mcp-legacy"],
        ),
        (Fault::SwappedStatuses, "wrong-refusal", &["--door", "mcp"]),
        (Fault::OneIssuer, "lockout", &["--door", "rest"]),
    ];
    for (fault, code, door) in table {
        let deployment = deployment(&[fault]);
        let ran = run(&deployment, CATALOG, door);
        let report = ran.report();
        let finding = finding(&report, code, &fault.to_string());
        let (persona, told) = example(&report, finding);
        let lines = text(&finding["by_hand"]);
        let got = by_hand(&deployment, &persona, &lines);
        assert_eq!(status(&got), told, "{fault} {door:?}:\n{lines}\n{got}");
        assert!(ran.stdout.contains("  hand   "), "{}", ran.stdout);
    }
}

#[test]
fn a_violated_requirement_is_seen_by_hand_too() {
    if !curl_is_there() {
        return;
    }
    let deployment = deployment(&[Fault::McpListOpen]);
    let ran = run(&deployment, CATALOG, &[]);
    let report = ran.report();
    let lines = text(&finding(&report, "open-without-token", "C-01")["by_hand"]);
    let got = by_hand(&deployment, "reader", &lines);
    assert_eq!(status(&got), 200, "{lines}\n{got}");
    assert!(!lines.contains("authorization"), "{lines}");
}

#[test]
fn a_cell_of_the_last_run_is_explained_with_its_lines() {
    let deployment = deployment(&[Fault::McpNoToolCheck]);
    let bench = Bench::against(&deployment);
    let folder = tempfile::tempdir().unwrap();
    let explain = |arguments: &[&str]| {
        let mut command = bench.command(folder.path(), arguments);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (exit, _, said) = explain(&["explain", "reader/createProduct/mcp"]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(
        said.contains("cannot read record reports/rolecall.jsonl"),
        "{said}"
    );
    explain(&["run", CATALOG]);
    let (exit, told, said) = explain(&["explain", "reader/createProduct/mcp"]);
    assert_eq!(exit, Some(0), "{said}");
    for words in [
        "demanded  403",
        "got       200 (granted); read back: changed",
        "leak  A call that must be refused got through.",
        "layer     gateway",
        "\"$READER_TOKEN\"",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let (exit, told, said) = explain(&["explain", "reader/listProducts/mcp"]);
    assert_eq!(
        (exit, told.contains("verdict   pass")),
        (Some(0), true),
        "{said}"
    );
    let (exit, _, said) = explain(&["explain", "reader/none/mcp"]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("has no cell `reader/none/mcp`"), "{said}");
}

#[test]
fn explain_knows_every_word_that_reports_use() {
    let words = Bench::new().run(&["explain"]);
    let list: Vec<&str> = words
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(list.len() > 100, "{}", words.stdout);
    for word in ["leak", "C-01", "mcp-not-inherited", "quota", "by-hand"] {
        assert!(list.contains(&word), "{word}");
        let ran = Bench::new().run(&["explain", word]);
        assert_eq!(ran.exit, 0, "{word}: {}", ran.stderr);
        assert!(ran.stdout.lines().count() > 3, "{word}: {}", ran.stdout);
    }
    let ran = Bench::new().run(&["explain", "mcp-not-inherited"]);
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/causes.md"));
    let page = page.unwrap().replace("**", "");
    let section = ran.stdout.split_once("\n\n").unwrap().1;
    assert!(page.contains(section.trim()), "{section}");
}

#[test]
fn one_defect_is_one_story() {
    let ran = run(&deployment(&[Fault::OneIssuer]), CATALOG, &[]);
    assert!(ran.stdout.contains("C-01, C-02, C-11"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("tools/list got 401").count(), 2);
    let ran = run(&deployment(&[Fault::McpNoToolCheck]), CATALOG, &[]);
    let (_, beside) = ran.stdout.split_once("✗ doors-disagree").unwrap();
    let (beside, _) = beside.split_once("\n\n").unwrap();
    assert!(beside.contains("refused: the cells of leak\n"), "{beside}");
    assert!(!beside.contains("cause"), "{beside}");
}
