//! Every way in to a deployment, with a token and without, and what a run says of those that no cell calls.

use rolecall::reference::{Fault, Seen};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment, findings, text};

fn doors(faults: &[Fault], columns: &str, arguments: &[&str]) -> Ran {
    let deployment = deployment(faults);
    let bench = Bench::against(&deployment).with("COLUMNS", columns);
    bench.run(&[&["doors", CATALOG], arguments].concat())
}

/// Each way in as `door request: with, without`.
fn ways(ran: &Ran) -> Vec<String> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schema"], "rolecall.doors/1");
    let said = |heard: &Value| format!("{} {}", text(&heard["said"]), text(&heard["detail"]));
    let ways = document["ways"].as_array().unwrap().iter();
    ways.map(|way| {
        let open = if way["open"] == true { " OPEN" } else { "" };
        format!(
            "{} {}: {} | {}{open}",
            text(&way["door"]),
            text(&way["request"]),
            said(&way["with_token"]),
            said(&way["without"])
        )
    })
    .collect()
}

#[test]
fn a_guarded_deployment_shows_every_way_in() {
    let ran = doors(&[], "100", &[]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    insta::assert_snapshot!("a_guarded_deployment", ran.stdout);
}

#[test]
fn what_is_open_without_a_token_is_marked_also_where_the_terminal_is_narrow() {
    let ran = doors(&[Fault::LegacySseOpen], "80", &[]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!("an_open_pair_at_80_columns", ran.stdout);
}

#[test]
fn each_door_that_a_fault_opens_is_told() {
    let table: [(Fault, i32, &[&str]); 5] = [
        (
            Fault::RestNoAuth,
            1,
            &["rest GET /api/products: open 200 | open 200 OPEN"],
        ),
        (
            Fault::McpNoAuth,
            1,
            &[
                "mcp server/discover: open 2026-07-28 | open 2026-07-28 OPEN",
                "mcp-legacy initialize 2025-06-18: open 2025-06-18, session | open 2025-06-18, session OPEN",
                "mcp-legacy GET /mcp: open event stream | open event stream OPEN",
                "mcp-legacy DELETE /mcp: open 204 | open 204 OPEN",
            ],
        ),
        (
            Fault::LegacySse,
            0,
            &[
                "http+sse GET /sse: open endpoint | refused 401",
                "http+sse POST /messages: open 202, 2024-11-05 | refused 401",
            ],
        ),
        (
            Fault::LegacySseMessagesOpen,
            1,
            &[
                "http+sse GET /sse: open endpoint | refused 401",
                "http+sse POST /messages: open 202, 2024-11-05 | open 202 OPEN",
            ],
        ),
        (
            Fault::LoginRedirect,
            3,
            &["mcp server/discover: open 2026-07-28 | unclear 302"],
        ),
    ];
    for (fault, exit, expected) in table {
        let ran = doors(&[fault], "100", &["--format", "json"]);
        let ways = ways(&ran);
        assert_eq!(ran.exit, exit, "{fault}: {ways:#?}");
        for way in expected {
            assert!(
                ways.iter().any(|one| one == way),
                "{fault} {way}: {ways:#?}"
            );
        }
        let open = ways.iter().any(|way| way.ends_with("OPEN"));
        assert_eq!(open, exit == 1, "{fault}: {ways:#?}");
    }
}

#[test]
fn without_a_usable_token_nothing_is_called_clear() {
    let deployment = deployment(&[]);
    let mut bench = Bench::against(&deployment);
    for secret in ["READER_SECRET", "WRITER_SECRET", "ADMIN_SECRET"] {
        bench = bench.with(secret, "canary-3b1f");
    }
    let ran = bench.run(&["doors", CATALOG]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("No usable token: admin, writer, reader."),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("without a token"));
    assert!(!ran.stdout.contains("canary-3b1f") && !ran.stderr.contains("canary-3b1f"));
}

#[test]
fn a_deployment_that_does_not_answer_is_not_called_clear() {
    let deployment = deployment(&[]);
    let bench = Bench::against(&deployment);
    let nowhere = "http://127.0.0.1:1";
    let ran = bench
        .with("CATALOG_MCP_URL", &format!("{nowhere}/mcp"))
        .with("CATALOG_REST_URL", nowhere)
        .run(&["doors", CATALOG]);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("Not every door gave a clear answer."),
        "{}",
        ran.stdout
    );
}

fn count(seen: &[Seen], wanted: impl Fn(&Seen) -> bool) -> usize {
    seen.iter().filter(|one| wanted(one)).count()
}

fn opened(seen: &[Seen]) -> usize {
    count(seen, |one| {
        one.rpc_method.as_deref() == Some("initialize") && one.status == 200
    })
}

fn ended(seen: &[Seen]) -> usize {
    count(seen, |one| {
        one.method == "DELETE" && one.path == "/mcp" && one.status == 204
    })
}

#[test]
fn neither_a_run_nor_an_examination_leaves_a_session_behind() {
    for (command, faults) in [
        (&["run", CATALOG][..], &[][..]),
        (&["run", CATALOG], &[Fault::McpNoAuth]),
        (&["run", CATALOG], &[Fault::LegacySse]),
        (&["doors", CATALOG], &[]),
        (&["doors", CATALOG], &[Fault::McpNoAuth]),
        (&["doctor", CATALOG], &[]),
    ] {
        let deployment = deployment(faults);
        Bench::against(&deployment).run(command);
        let seen = deployment.traffic();
        assert!(opened(&seen) > 0, "{command:?} {faults:?}");
        assert_eq!(ended(&seen), opened(&seen), "{command:?} {faults:?}");
    }
}

#[test]
fn a_run_looks_beside_the_mcp_url_with_three_requests_and_no_more() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let seen = deployment.traffic();
    // Every other GET of the MCP URL is a requirement's, and has another status.
    let mut looks: Vec<(&str, u16, bool)> = seen
        .iter()
        .filter(|one| one.method == "GET")
        .map(|one| (one.path.as_str(), one.status, one.client.is_some()))
        .filter(|(path, status, _)| path.contains("sse") || (*path, *status) == ("/mcp", 400))
        .collect();
    looks.sort_unstable();
    assert_eq!(
        looks,
        [
            ("/mcp", 400, true),
            ("/mcp/sse", 404, false),
            ("/sse", 404, false)
        ]
    );
    let only_rest = Bench::against(&deployment).run(&["run", "--door", "rest", CATALOG]);
    assert_eq!(only_rest.exit, 0);
    let more = deployment.traffic();
    assert_eq!(count(&more, |one| one.path.contains("sse")), 2);
}

#[test]
fn what_a_run_looks_for_is_in_its_plan() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["plan", CATALOG]);
    for words in [
        "Look for the deprecated HTTP+SSE pair",
        "/mcp/sse",
        "DELETE, where a session was opened",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
}

#[test]
fn a_door_that_is_open_to_everyone_by_the_matrix_is_unlisted_and_no_hole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("public.yaml");
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let public = text.replacen(
        "allow: [reader, writer, admin]",
        "allow: [reader, writer, admin, anonymous]",
        1,
    );
    assert_ne!(text, public);
    std::fs::write(&path, public).unwrap();
    let deployment = deployment(&[Fault::LegacySseOpen]);
    let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
    let found = findings(&ran.report());
    assert!(found.contains_key("door-unlisted"), "{}", ran.stdout);
    assert!(!found.contains_key("open-without-token"), "{}", ran.stdout);
}

/// Every request in a session that the server had forgotten is made once more, in a session that was opened for it; no
/// other request is.
#[test]
fn a_server_that_forgets_its_sessions_in_the_middle_costs_one_handshake_a_persona_and_no_verdict() {
    let whole = deployment(&[]);
    let forgetful = deployment(&[Fault::SessionsForgotten]);
    let [before, after] = [&whole, &forgetful].map(|deployment| {
        let ran = Bench::against(deployment).run(&["run", "--jobs", "1", CATALOG]);
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        assert_eq!(ran.report()["summary"]["pass"], 72);
        deployment.traffic()
    });
    // Whose session was forgotten after its last request hears of it when it ends it, and opens no other.
    let missed = |seen: &[Seen]| count(seen, |one| one.status == 404 && one.method != "DELETE");
    let lost = missed(&after) - missed(&before);
    let forgotten = count(&after, |one| one.status == 404 && one.tool.is_some());
    assert!(
        (1..=lost).contains(&forgotten) && lost <= 3,
        "{forgotten} of {lost}"
    );
    assert_eq!(opened(&after), opened(&before) + lost);
    let answered = |seen: &[Seen]| count(seen, |one| one.tool.is_some() && one.status != 404);
    assert_eq!(answered(&after), answered(&before));
    let in_sessions = |seen: &[Seen]| count(seen, |one| one.tool.is_some());
    assert_eq!(in_sessions(&after), in_sessions(&before) + forgotten);
}
