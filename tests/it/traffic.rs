//! What a run puts on the wire, counted at the other end.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rolecall::reference::{Fault, Listener, Seen};

use crate::bench::{Bench, CATALOG, deployment, with_door};

fn count_by_client(seen: &[Seen], wanted: impl Fn(&Seen) -> bool) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in seen.iter().filter(|one| wanted(one)) {
        *counts
            .entry(one.client.clone().unwrap_or_default())
            .or_default() += 1;
    }
    counts
}

#[test]
fn one_token_request_a_persona_and_one_handshake_a_persona_and_door() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", CATALOG]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let seen = deployment.traffic();
    let tokens = count_by_client(&seen, |one| {
        one.listener == Listener::Identity && one.method == "POST"
    });
    assert_eq!(
        tokens.values().copied().collect::<Vec<_>>(),
        [1, 1, 1],
        "{tokens:?}"
    );
    let handshakes = count_by_client(&seen, |one| one.rpc_method.as_deref() == Some("initialize"));
    assert_eq!(
        handshakes.values().copied().collect::<Vec<_>>(),
        // Nobody's: anonymous, and twice for the requirements; the admin's: its own, and five to compare their ids.
        [3, 1, 1, 6],
        "{handshakes:?}"
    );
}

#[test]
fn each_cell_is_called_once() {
    let deployment = deployment(&[]);
    assert_eq!(
        Bench::against(&deployment)
            .run(&["run", "--jobs", "1", CATALOG])
            .exit,
        0
    );
    let seen = deployment.traffic();
    let deletions = seen
        .iter()
        .filter(|one| one.tool.as_deref() == Some("deleteProduct"))
        .count();
    assert_eq!(
        deletions, 8,
        "four personas at two doors, and clean-up goes through REST"
    );
    let lists = seen
        .iter()
        .filter(|one| one.tool.as_deref() == Some("listProducts"))
        .count();
    assert_eq!(lists, 9, "and once with a name that its header contradicts");
}

#[test]
fn what_cannot_exist_is_asked_for_once_a_persona_door_and_kind() {
    let deployment = deployment(&[Fault::RefusalInBand]);
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/mcp-primitives.yaml");
    let ran = Bench::against(&deployment).run(&["run", "--door", "mcp", scenario]);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    let seen = deployment.traffic();
    let names = |one: &Seen| {
        [one.tool.clone(), one.resource.clone()]
            .into_iter()
            .flatten()
    };
    for kind in ["no-such-tool", "no-such-resource"] {
        let asked = count_by_client(&seen, |one| names(one).any(|name| name.contains(kind)));
        // Of those whose answers leave a doubt: the refused, and the owner whose deleted product is not there any more.
        assert!(asked.len() >= 2, "{kind}: {asked:?}");
        assert!(asked.values().all(|times| *times == 1), "{kind}: {asked:?}");
    }
}

#[test]
fn refused_writes_share_an_object_and_allowed_ones_do_not() {
    for faults in [&[][..], &[Fault::WriteLost]] {
        let deployment = deployment(faults);
        let ran = Bench::against(&deployment).run(&["run", CATALOG]);
        assert_eq!(ran.exit, i32::from(!faults.is_empty()), "{}", ran.stderr);
        let is_creation = |one: &&Seen| one.method == "POST" && one.path == "/api/products";
        let creations = deployment.traffic().iter().filter(is_creation).count();
        // Four calls of createProduct and one object to read; at each of three doors one object for everybody's refused
        // updates and the writer's own, another for the admin's, and one for all deletions.
        assert_eq!(creations, 4 + 1 + 3 * 2 + 3, "with {faults:?}");
    }
}

#[test]
fn a_read_that_was_lost_on_the_way_is_repeated_as_often_as_allowed_and_a_write_never() {
    for retries in [0, 2] {
        let deployment = deployment(&[Fault::BackendDown502]);
        let flag = retries.to_string();
        let arguments = ["run", "--door", "rest", "--retries", &flag, CATALOG];
        assert_eq!(Bench::against(&deployment).run(&arguments).exit, 3);
        let seen = deployment.traffic();
        let reads = count_by_client(&seen, |one| {
            one.path == "/api/products" && one.method == "GET" && one.status == 502
        });
        assert!(
            reads.len() == 3 && reads.values().all(|times| *times == 1 + retries),
            "{reads:?}"
        );
        let writes = count_by_client(&seen, |one| {
            one.path == "/api/products" && one.method == "POST" && one.status == 502
        });
        assert_eq!(writes.values().min(), Some(&1), "the writer's: {writes:?}");
    }
}

#[test]
fn redirects_are_never_followed() {
    let deployment = deployment(&[Fault::LoginRedirect]);
    assert_eq!(Bench::against(&deployment).run(&["run", CATALOG]).exit, 1);
    let seen = deployment.traffic();
    assert!(seen.iter().any(|one| one.status == 302));
    assert!(
        !seen.iter().any(|one| one.path.contains("authorize")),
        "a redirect was followed"
    );
}

#[test]
fn only_the_runs_own_objects_are_changed_and_none_is_left() {
    for faults in [
        &[][..],
        &[Fault::RestNoAuth, Fault::McpNoAuth],
        &[Fault::ExecutedDespite403],
    ] {
        let deployment = deployment(faults);
        let before = deployment.products();
        let ran = Bench::against(&deployment).run(&["run", CATALOG]);
        assert_eq!(ran.exit, i32::from(!faults.is_empty()), "{}", ran.stderr);
        assert_eq!(deployment.products(), before, "with {faults:?}");
    }
}

#[test]
fn what_an_allowed_call_made_is_removed_where_nothing_could_find_it_again() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let text = std::fs::read_to_string(CATALOG).unwrap();
    let (head, rest) = text.split_once("    find:\n").unwrap();
    let (_, tail) = rest.split_once("    remove:\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no-find.yaml");
    std::fs::write(&path, format!("{head}    remove:\n{tail}")).unwrap();
    let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(deployment.products(), before);
}

#[test]
fn a_read_only_run_sends_no_call_that_changes_anything() {
    let deployment = deployment(&[]);
    let before = deployment.products();
    let ran = Bench::against(&deployment).run(&["run", "--read-only", CATALOG]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let writes = ["createProduct", "updateProduct", "deleteProduct"];
    let wrote = |one: &Seen| {
        let rest = one.path.starts_with("/api/") && one.method != "GET";
        rest || one
            .tool
            .as_deref()
            .is_some_and(|tool| writes.contains(&tool))
    };
    assert!(!deployment.traffic().iter().any(wrote));
    assert_eq!(deployment.products(), before);
}

#[test]
fn a_plan_sends_nothing() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["plan", CATALOG]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("72 checks"));
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_broken_scenario_sends_nothing() {
    let deployment = deployment(&[]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scenarios/bad");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ran = Bench::against(&deployment).run(&["run", path.to_str().unwrap()]);
        assert_eq!(ran.exit, 2, "{}: {}", path.display(), ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", path.display());
        assert!(
            ran.stderr.contains("error: ") && ran.stderr.contains(".yaml:"),
            "{}: {}",
            path.display(),
            ran.stderr
        );
        tried += 1;
    }
    assert!(tried >= 40, "only {tried} broken scenarios");
    assert!(deployment.traffic().is_empty());
}

#[test]
fn a_door_can_be_chosen() {
    let deployment = deployment(&[]);
    let ran = Bench::against(&deployment).run(&["run", "--door", "mcp", CATALOG]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.report()["summary"]["pass"], 24);
    assert!(
        !deployment
            .traffic()
            .iter()
            .any(|one| one.rpc_method.as_deref() == Some("initialize"))
    );
}

#[test]
fn the_same_run_gives_the_same_verdicts_with_one_job_and_with_many() {
    let strip = |jobs: &str| {
        let deployment = deployment(&[Fault::McpNoToolCheck]);
        let ran = Bench::against(&deployment).run(&["run", "--jobs", jobs, CATALOG]);
        let report = ran.report();
        let verdict = |cell: &serde_json::Value| {
            (
                cell["id"].clone(),
                cell["verdict"].clone(),
                cell["status"].clone(),
            )
        };
        let cells: Vec<_> = report["cells"]
            .as_array()
            .unwrap()
            .iter()
            .map(verdict)
            .collect();
        (
            cells,
            report["run"]["digest"].clone(),
            ran.file("reports/rolecall.md"),
        )
    };
    assert_eq!(strip("1"), strip("64"));
}

#[test]
fn what_is_clear_beside_the_cells_is_asked_once_and_not_after_them() {
    let deployment = deployment(&[]);
    let (_folder, path) = with_door("requirements: ignore");
    let ran = Bench::against(&deployment).run(&["run", &path]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let seen = deployment.traffic();
    let is_list = |one: &Seen| one.rpc_method.as_deref() == Some("tools/list");
    // A list a persona and door; the admin's are the controls of nobody's, too.
    let lists = count_by_client(&seen, is_list);
    assert_eq!(
        lists.values().copied().collect::<Vec<_>>(),
        [2, 2, 2, 4],
        "{lists:?}"
    );
    assert!(lists_begin_before_the_last_call(&seen));
}

/// Deletions are called last.
fn lists_begin_before_the_last_call(seen: &[Seen]) -> bool {
    let is_list = |one: &Seen| one.rpc_method.as_deref() == Some("tools/list");
    let first_list = seen.iter().position(is_list);
    let is_deletion = |one: &Seen| one.tool.as_deref() == Some("deleteProduct");
    let last_call = seen.iter().rposition(is_deletion);
    assert!(first_list.is_some() && last_call.is_some());
    first_list < last_call
}

#[test]
fn with_one_job_nothing_is_asked_beside_the_cells() {
    let deployment = deployment(&[]);
    let (_folder, path) = with_door("requirements: ignore");
    let ran = Bench::against(&deployment).run(&["run", "--jobs", "1", &path]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(!lists_begin_before_the_last_call(&deployment.traffic()));
}

#[test]
fn while_personas_sign_in_connections_are_opened_on_which_nothing_is_said() {
    let [door, provider] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.yaml");
    let scenario = format!(
        r#"
rolecall: 1
name: Ahead
deployment: {{ rest: "{}" }}
identity:
  endpoints: {{ token: "{}/token", issuer: "https://idp.example", audience: catalog }}
personas:
  reader: {{ sign_in: {{ client_credentials: {{ client_id: reader, client_secret: {{ env: SECRET }} }} }} }}
operations:
  list: {{ allow: [reader], rest: GET /items }}
"#,
        url(&door),
        url(&provider)
    );
    std::fs::write(&path, scenario).unwrap();
    let far_end = std::thread::spawn(move || {
        let (mut asked, _) = provider.accept().unwrap();
        assert!(asked.read(&mut [0; 4096]).unwrap() > 0);
        let until = Instant::now() + Duration::from_secs(20);
        door.set_nonblocking(true).unwrap();
        let opened = loop {
            match door.accept() {
                Ok((opened, _)) => break Some(opened),
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break None,
            }
        };
        let refusal = r#"{"error":"invalid_client"}"#;
        let head = "HTTP/1.1 401 X\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let answer = format!("{head}content-length: {}\r\n\r\n{refusal}", refusal.len());
        asked.write_all(answer.as_bytes()).unwrap();
        opened.map(|mut opened| {
            let mut said = Vec::new();
            opened.set_nonblocking(false).unwrap();
            opened.read_to_end(&mut said).unwrap();
            said
        })
    });
    let ran = Bench::new()
        .with("SECRET", "s3cret")
        .run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(far_end.join().unwrap(), Some(Vec::new()));
}
