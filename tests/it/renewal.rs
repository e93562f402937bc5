//! Runs that outlive their tokens in, one renewal a persona out, and none where a refusal is what is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rolecall::reference::{Deployment, Listener, Seen};
use serde_json::{Value, json};

use crate::bench::{Bench, Ran, findings, text, with_door};
use crate::provider::{Asked, Provider, SECRET, answer, issued, json, jwt};

/// Seconds that a token lives here: its `exp` counts in whole ones, so that between five and six are left of it.
const LIFETIME: u32 = 6;
/// Calls a second that make 36 calls last for more than one token, and less than two.
const PACE: &str = "5.5";

/// What is asked about the requirements would outlive the second token too.
const MATRIX_ALONE: &str = "requirements: ignore";

fn short_lived() -> Deployment {
    Deployment::start_with_lifetime(&[], LIFETIME).unwrap()
}

fn token_requests(deployment: &Deployment) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let traffic = deployment.traffic();
    let posted = |one: &&Seen| one.listener == Listener::Identity && one.method == "POST";
    for one in traffic.iter().filter(posted) {
        *counts
            .entry(one.client.clone().unwrap_or_default())
            .or_default() += 1;
    }
    counts
}

fn renewals(ran: &Ran) -> Vec<String> {
    let record = ran.file("reports/rolecall.jsonl");
    record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "token.renewed")
        .map(|event| text(&event["persona"]))
        .collect()
}

#[test]
fn a_run_that_outlives_its_tokens_renews_each_once_and_proves_everything() {
    let deployment = short_lived();
    let (_folder, path) = with_door(MATRIX_ALONE);
    let arguments = ["run", "--read-only", "--rate", PACE, "--jobs", "32", &path];
    let ran = Bench::against(&deployment).run(&arguments);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.report()["summary"]["pass"], 36);
    let mut renewed = renewals(&ran);
    renewed.sort();
    assert_eq!(renewed, ["admin", "reader", "writer"]);
    let requests = token_requests(&deployment);
    let counts: Vec<usize> = requests.values().copied().collect();
    assert_eq!(counts, [2, 2, 2], "{requests:?}");
    let found = findings(&ran.report());
    let codes: Vec<&String> = found.keys().collect();
    assert_eq!(codes, ["token-stale"], "its note says that they end soon");
}

#[test]
fn objects_are_read_back_and_removed_with_the_renewed_token() {
    let deployment = short_lived();
    let (_folder, path) = with_door(MATRIX_ALONE);
    let before = deployment.products();
    let ran = Bench::against(&deployment).run(&["run", "--rate", "24", &path]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.report()["summary"]["pass"], 72);
    assert!(renewals(&ran).contains(&"admin".to_owned()));
    assert!(
        token_requests(&deployment)
            .values()
            .all(|times| *times <= 2)
    );
    assert_eq!(deployment.products(), before);
}

/// Milliseconds after which a token of two seconds has run out, however late it was used.
const LATE: Duration = Duration::from_millis(2_100);

/// Operations are tried in their order by one job. `slow` outlives a token of two seconds.
fn scenario(personas: &str, operations: &str) -> String {
    format!(
        r#"rolecall: 1
name: Outlived
deployment: {{ rest: "${{BASE}}", disposable: true }}
identity: {{ endpoints: {{ token: "${{BASE}}/token", roles: /roles }} }}
personas:
{personas}
operations:
{operations}
"#
    )
}

fn persona(name: &str, declared: &str) -> String {
    format!(
        "  {name}: {{ {declared} sign_in: {{ client_credentials: {{ client_id: {name}, client_secret: {{ env: CLIENT_SECRET }} }} }} }}\n"
    )
}

/// `reader`'s tokens live for two seconds and everybody else's for an hour. Each carries its number, and nobody but
/// `reader` with its newest is ever refused.
fn outlived(second: impl Fn() -> String + Send + Sync + 'static) -> Provider {
    Provider::new(move |asked| {
        let who = asked.parameter("client_id");
        match (asked.target.as_str(), who, asked.turn) {
            ("/token", "reader", 2) => second(),
            ("/token", "reader", turn) => issued(&format!("reader-{turn}"), 2),
            ("/token", other, turn) => issued(&format!("{other}-{turn}"), 3600),
            ("/late", ..) => {
                std::thread::sleep(LATE);
                json(
                    if asked.bearer == "reader-1" { 401 } else { 200 },
                    &json!({}),
                )
            }
            ("/slow", ..) => {
                std::thread::sleep(LATE);
                json(200, &json!({}))
            }
            ("/refused", ..) => json(401, &json!({})),
            _ => json(200, &json!({})),
        }
    })
}

fn verdict(ran: &Ran, operation: &str, persona: &str) -> (String, String) {
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap();
    let id = format!("{persona}/{operation}/rest");
    let cell = cells.iter().find(|cell| cell["id"] == id.as_str());
    let cell = cell.unwrap();
    (text(&cell["verdict"]), text(&cell["code"]))
}

fn tokens_of(provider: &Provider, client: &str) -> usize {
    let of = |asked: &Asked| asked.is_for_a_token() && asked.parameter("client_id") == client;
    provider.heard(of).len()
}

#[test]
fn a_call_that_its_token_did_not_outlive_is_made_once_more() {
    let provider = outlived(|| issued("reader-2", 3600));
    let scenario = scenario(
        &persona("reader", ""),
        "  late: { allow: [reader], rest: GET /late }\n  again: { allow: [reader], rest: GET /late }\n",
    );
    let ran = provider.run(&scenario, &["--jobs", "1"]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let tried: Vec<String> = provider
        .heard(|asked| asked.target == "/late")
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.bearer))
        .collect();
    assert_eq!(tried, ["GET reader-1", "GET reader-2", "GET reader-2"]);
    assert_eq!(tokens_of(&provider, "reader"), 2);
    let report = ran.report();
    let retries = report["cells"][0]["retries"].as_array().unwrap();
    assert_eq!(
        retries.iter().map(text).collect::<Vec<_>>(),
        ["401 to a token that had run out, which was renewed"]
    );
}

#[test]
fn a_401_to_a_token_that_is_in_force_is_the_deployments_answer() {
    let provider = outlived(|| issued("reader-2", 2));
    let scenario = scenario(
        &(persona("other", "") + "  anonymous: { sign_in: none }\n"),
        "  open: { allow: [other], rest: GET /open }\n  refused: { allow: [other], rest: GET /refused }\n",
    );
    let ran = provider.run(&scenario, &[]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(verdict(&ran, "refused", "other").1, "lockout");
    assert_eq!(provider.heard(Asked::is_for_a_token).len(), 1);
}

#[test]
fn no_token_is_renewed_for_a_cell_that_a_401_could_satisfy() {
    for expected in ["deny", "401", "[401, 403]"] {
        let provider = outlived(|| issued("reader-2", 3600));
        let scenario = scenario(
            &(persona("reader", "") + &persona("other", "")),
            &format!(
                "  slow: {{ allow: [reader, other], rest: GET /slow }}\n  \
                 refused: {{ allow: [other], expect: {{ reader: {expected} }}, rest: GET /refused }}\n"
            ),
        );
        let ran = provider.run(&scenario, &["--jobs", "1"]);
        assert_ne!(ran.exit, 2, "{expected}: {}", ran.stderr);
        let unproven = ("unproven".to_owned(), "token-ran-out".to_owned());
        assert_eq!(verdict(&ran, "refused", "reader"), unproven, "{expected}");
        assert_eq!(verdict(&ran, "slow", "reader").0, "pass", "{expected}");
        assert_eq!(tokens_of(&provider, "reader"), 1, "{expected}");
        let found = findings(&ran.report());
        assert_eq!(
            found["token-ran-out"],
            ["reader/refused/rest"],
            "{expected}"
        );
    }
}

#[test]
fn a_renewal_that_fails_leaves_what_was_proven_and_the_others() {
    let refusal = json!({ "error": "invalid_grant", "error_description": format!("no {SECRET}") });
    let provider = outlived(move || json(400, &refusal));
    let scenario = scenario(
        &(persona("reader", "") + &persona("other", "")),
        "  slow: { allow: [reader, other], rest: GET /slow }\n  open: { allow: [reader, other], rest: GET /open }\n",
    );
    let ran = provider.run(&scenario, &["--jobs", "1"]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(verdict(&ran, "slow", "reader").0, "pass");
    assert_eq!(verdict(&ran, "slow", "other").0, "pass");
    assert_eq!(verdict(&ran, "open", "other").0, "pass");
    let unproven = ("unproven".to_owned(), "token-ran-out".to_owned());
    assert_eq!(verdict(&ran, "open", "reader"), unproven);
    assert_eq!(
        findings(&ran.report())["token-ran-out"],
        ["reader/open/rest"]
    );
    assert!(
        ran.stdout
            .contains("there is no other: could not sign in at"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains(SECRET));
    assert_eq!(tokens_of(&provider, "reader"), 2);
}

#[test]
fn a_renewed_token_that_is_not_the_declared_one_stops_its_persona() {
    let provider = Provider::new(|asked| match (asked.target.as_str(), asked.turn) {
        ("/token", 1) => issued(&jwt(&json!({ "roles": ["Read"] })), 2),
        ("/token", _) => issued(&jwt(&json!({ "roles": ["Read", "Admin"] })), 3600),
        ("/slow", _) => {
            std::thread::sleep(LATE);
            json(200, &json!({}))
        }
        _ => json(200, &json!({})),
    });
    let scenario = scenario(
        &persona("reader", "roles: [Read],"),
        "  slow: { allow: [reader], rest: GET /slow }\n  open: { allow: [reader], rest: GET /open }\n",
    );
    let ran = provider.run(&scenario, &["--jobs", "1"]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(verdict(&ran, "slow", "reader").0, "pass");
    assert_eq!(verdict(&ran, "open", "reader").0, "unproven");
    let expected = vec!["reader/open/rest".to_owned()];
    assert_eq!(findings(&ran.report())["token-roles-extra"], expected);
    assert!(provider.heard(|asked| asked.target == "/open").is_empty());
}

const THINGS: &str = r#"fixtures:
  thing:
    as: owner
    create: { rest: { request: POST /things, json: { name: "{{ tag }}" } }, capture: { id: /id } }
    remove: { rest: "DELETE /things/{{ thing.id }}" }
operations:
  get: { allow: [owner], uses: thing, rest: "GET /things/{{ thing.id }}" }
"#;

/// A store whose owner's tokens live for two seconds; `POST` with the first of them is answered too late, if that is wanted.
fn store(is_slow: bool, things: &Arc<Mutex<Vec<String>>>) -> Provider {
    let things = Arc::clone(things);
    Provider::new(
        move |asked| match (asked.method.as_str(), asked.target.as_str()) {
            ("POST", "/token") => issued(&format!("owner-{}", asked.turn), 2),
            ("POST", _) if is_slow && asked.bearer == "owner-1" => {
                std::thread::sleep(LATE);
                json(401, &json!({}))
            }
            ("POST", _) => {
                let sent: Value = serde_json::from_str(&asked.body).unwrap();
                let mut things = things.lock().unwrap();
                things.push(text(&sent["name"]));
                json(
                    201,
                    &json!({ "id": things.len().to_string(), "name": sent["name"] }),
                )
            }
            ("DELETE", _) => {
                things.lock().unwrap().pop();
                answer(204, "", "")
            }
            (_, "/slow") => {
                std::thread::sleep(LATE);
                json(200, &json!({}))
            }
            _ => json(200, &json!({})),
        },
    )
}

#[test]
fn a_creation_that_was_refused_for_its_tokens_time_is_made_once_more() {
    let things = Arc::default();
    let provider = store(true, &things);
    let text = scenario(&persona("owner", ""), "").replace("operations:\n", THINGS);
    let ran = provider.run(&text, &["--jobs", "1"]);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    let tried = provider.heard(|asked| asked.method == "POST" && asked.target == "/things");
    let bearers: Vec<&str> = tried.iter().map(|asked| asked.bearer.as_str()).collect();
    assert_eq!(bearers, ["owner-1", "owner-2"]);
    assert!(things.lock().unwrap().is_empty());
}

#[test]
fn who_has_objects_to_remove_is_renewed_once_more() {
    let things = Arc::default();
    let provider = store(false, &things);
    let operations = "  slow: { allow: [owner], rest: GET /slow }\n  again: { allow: [owner], rest: GET /slow }\n  \
         last: { allow: [owner], rest: GET /last }\n";
    let text = scenario(&persona("owner", ""), operations).replace("operations:\n", THINGS);
    let ran = provider.run(&text, &["--jobs", "1"]);
    assert_eq!(ran.exit, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(verdict(&ran, "last", "owner").1, "token-ran-out");
    assert!(
        ran.stdout.contains("a run renews each once"),
        "{}",
        ran.stdout
    );
    let removed = provider.heard(|asked| asked.method == "DELETE");
    let bearers: Vec<&str> = removed.iter().map(|asked| asked.bearer.as_str()).collect();
    assert_eq!(bearers, ["owner-3"]);
    assert!(things.lock().unwrap().is_empty());
}
