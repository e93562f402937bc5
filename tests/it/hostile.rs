//! Deployments that lie, stall, echo and confuse; a run against each does no harm, tells no secret and stays honest.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::{Bench, Ran, findings};

const SECRET: &str = "s3cr3t-canary-of-the-client";

/// One request as the deployment read it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The client whose token it carries; empty without one.
    pub(crate) who: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn is(&self, method: &str, target: &str) -> bool {
        self.method == method && self.target == target
    }

    /// The segment after `/things/`.
    pub(crate) fn id(&self) -> Option<&str> {
        self.target.strip_prefix("/things/")
    }

    pub(crate) fn name(&self) -> String {
        self.body["name"].as_str().unwrap_or_default().to_owned()
    }
}

/// What it answers.
pub(crate) enum Reply {
    Json(u16, Value),
    Raw(String),
    /// As they stand, before the connection stays open until the client leaves.
    Stall(Vec<u8>),
    /// One piece after the other, as long as the client listens.
    Endless(&'static str, &'static [u8], Duration),
}

pub(crate) fn ok(body: Value) -> Reply {
    Reply::Json(200, body)
}

pub(crate) fn refused() -> Reply {
    Reply::Json(403, json!({ "error": "the role is missing" }))
}

pub(crate) fn missing() -> Reply {
    Reply::Json(404, json!({ "error": "there is no such thing" }))
}

/// A deployment and its identity provider on one loopback port; each request on a connection of its own.
pub(crate) struct Hostile {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
}

impl Hostile {
    pub(crate) fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hostile = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            over: Arc::default(),
        };
        let (heard, over, answer) = (
            Arc::clone(&hostile.heard),
            Arc::clone(&hostile.over),
            Arc::new(answer),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &heard, &*answer));
            }
        });
        hostile
    }

    pub(crate) fn bench(&self) -> Bench {
        Bench::new()
            .with("BASE", &format!("http://{}", self.address))
            .with("CLIENT_SECRET", SECRET)
    }

    /// A run of the scenario; `arguments` go before it.
    pub(crate) fn run(&self, scenario: &str, arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scenario.yaml"), scenario).unwrap();
        let mut all = vec!["run"];
        all.extend_from_slice(arguments);
        all.push("scenario.yaml");
        let output = self.bench().command(folder.path(), &all).output().unwrap();
        Ran::of(output, folder)
    }

    pub(crate) fn heard(&self, method: &str) -> Vec<Request> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .filter(|one| one.method == method && one.target != "/token")
            .cloned()
            .collect()
    }
}

/// The command, under way.
pub(crate) fn spawned(mut command: Command) -> Child {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap()
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, heard: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let Some((request, form)) = read(&stream) else {
        return;
    };
    let reply = if request.target == "/token" {
        let client = form
            .split('&')
            .find_map(|pair| pair.strip_prefix("client_id="))
            .unwrap_or_default()
            .to_owned();
        ok(json!({ "access_token": format!("token-of-{client}"), "token_type": "Bearer" }))
    } else {
        answer(&request)
    };
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    respond(stream, reply);
}

fn read(stream: &TcpStream) -> Option<(Request, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .unwrap_or_default()
            .to_owned()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or_default()];
    reader.read_exact(&mut body).ok()?;
    let mut line = head.split(' ');
    let authorization = header("authorization");
    let request = Request {
        method: line.next()?.to_owned(),
        target: line.next()?.to_owned(),
        who: authorization
            .strip_prefix("Bearer token-of-")
            .unwrap_or_default()
            .to_owned(),
        authorization,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    Some((request, String::from_utf8_lossy(&body).into_owned()))
}

fn respond(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Json(status, body) => {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
        Reply::Raw(text) => drop(stream.write_all(text.as_bytes())),
        Reply::Stall(start) => {
            drop(stream.write_all(&start));
            drop(stream.read(&mut [0; 1]));
        }
        Reply::Endless(head, piece, pause) => {
            drop(stream.write_all(head.as_bytes()));
            while stream.write_all(piece).is_ok() {
                std::thread::sleep(pause);
            }
        }
    }
}

/// The scenario of one kind of thing; `fixture` and `operations` are YAML, indented by four and two.
pub(crate) fn scenario(fixture: &str, operations: &str) -> String {
    format!(
        r#"rolecall: 1
name: Hostile
deployment: {{ rest: "${{BASE}}", disposable: true }}
identity: {{ endpoints: {{ token: "${{BASE}}/token" }} }}
personas:
  reader: {{ sign_in: {{ client_credentials: {{ client_id: reader, client_secret: {{ env: CLIENT_SECRET }} }} }} }}
  owner: {{ sign_in: {{ client_credentials: {{ client_id: owner, client_secret: {{ env: CLIENT_SECRET }} }} }} }}
fixtures:
  thing:
    as: owner
    create: {{ rest: {{ request: POST /things, json: {{ name: "{{{{ tag }}}}" }} }}, capture: {{ id: /id }} }}
    remove: {{ rest: "DELETE /things/{{{{ thing.id }}}}" }}
{fixture}
operations:
{operations}
"#
    )
}

pub(crate) const READ: &str = "    read: { rest: \"GET /things/{{ thing.id }}\" }\n";
pub(crate) const FIND: &str =
    "    find: { rest: \"GET /search?q={{ tag }}\", capture: { id: /items/0/id } }\n";
pub(crate) const CREATE: &str = "  create: { allow: [owner], creates: thing, rest: { request: POST /things, json: { name: \"{{ tag }}\" } } }\n";
pub(crate) const GET: &str =
    "  get: { allow: [owner], uses: thing, rest: \"GET /things/{{ thing.id }}\" }\n";
pub(crate) const LIST: &str = "  list: { allow: [owner, reader], rest: GET /list }\n";
pub(crate) const DELETE: &str =
    "  delete: { allow: [owner], uses: thing, rest: \"DELETE /things/{{ thing.id }}\" }\n";

/// A store of things that anybody signed in may read and the owner may change.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) things: Mutex<BTreeMap<String, String>>,
}

impl Store {
    pub(crate) fn with(things: &[(&str, &str)]) -> Self {
        let things = things
            .iter()
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
        Self {
            things: Mutex::new(things.collect()),
        }
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.things.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn add(&self, name: &str) -> String {
        let mut things = self.things.lock().unwrap();
        let id = format!("t{}", things.len() + 100);
        things.insert(id.clone(), name.to_owned());
        id
    }

    /// What a sound deployment answers.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        if request.method != "GET" && request.who != "owner" {
            return refused();
        }
        if request.is("POST", "/things") {
            let name = request.name();
            return Reply::Json(201, json!({ "id": self.add(&name), "name": name }));
        }
        let mut things = self.things.lock().unwrap();
        if request.target == "/list" {
            return ok(json!({ "count": things.len() }));
        }
        if let Some(tag) = request.target.strip_prefix("/search?q=") {
            let items: Vec<Value> = things
                .iter()
                .filter(|(_, name)| name.contains(tag))
                .map(|(id, name)| json!({ "id": id, "name": name }))
                .collect();
            return ok(json!({ "items": items }));
        }
        let id = request.id().unwrap_or_default().to_owned();
        match request.method.as_str() {
            "DELETE" => match things.remove(&id) {
                Some(_) => {
                    Reply::Raw("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned())
                }
                None => missing(),
            },
            _ => things
                .get(&id)
                .map_or_else(missing, |name| ok(json!({ "id": id, "name": name }))),
        }
    }
}

fn verdict(ran: &Ran, operation: &str, persona: &str) -> String {
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap();
    let cell = cells
        .iter()
        .find(|cell| cell["operation"] == operation && cell["persona"] == persona)
        .unwrap();
    cell["verdict"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_sound_store_conforms() {
    let store = Arc::new(Store::with(&[("foreign", "somebody's")]));
    let sound = Arc::clone(&store);
    let hostile = Hostile::new(move |request| sound.answer(request));
    let ran = hostile.run(
        &scenario(&format!("{READ}{FIND}"), &format!("{CREATE}{DELETE}")),
        &[],
    );
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(store.ids(), ["foreign"]);
}

/// What a deletion of anything but a thing with a plain id would look like.
fn assert_foreign_stands(store: &Store, hostile: &Hostile, ran: &Ran) {
    assert!(
        store.ids().contains(&"foreign".to_owned()),
        "the foreign thing is gone\n{}",
        ran.stdout
    );
    for deletion in hostile.heard("DELETE") {
        assert_ne!(deletion.target, "/things/foreign", "{}", ran.stdout);
    }
}

#[test]
fn a_creation_that_names_a_foreign_object_costs_nobody_anything() {
    for fixture in [READ.to_owned(), String::new(), format!("{READ}{FIND}")] {
        for echo in [true, false] {
            let store = Arc::new(Store::with(&[("foreign", "somebody's")]));
            let lying = Arc::clone(&store);
            let hostile = Hostile::new(move |request| {
                if request.is("POST", "/things") && request.who == "owner" {
                    lying.add(&request.name());
                    let name = if echo { request.name() } else { String::new() };
                    return Reply::Json(201, json!({ "id": "foreign", "name": name }));
                }
                lying.answer(request)
            });
            // Without a read the echoed name is all there is to go by.
            if fixture.is_empty() && echo {
                continue;
            }
            let ran = hostile.run(&scenario(&fixture, &format!("{CREATE}{GET}{DELETE}")), &[]);
            assert_foreign_stands(&store, &hostile, &ran);
            assert_ne!(ran.exit, 0, "{}", ran.stdout);
        }
    }
}

#[test]
fn a_search_that_ignores_the_tag_adopts_nothing() {
    for echo in [true, false] {
        let store = Arc::new(Store::with(&[("foreign", "somebody's")]));
        let lying = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            if request.is("POST", "/things") && request.who == "owner" {
                return Reply::Json(500, json!({ "error": "try again" }));
            }
            if let Some(query) = request.target.strip_prefix("/search?q=") {
                let query = if echo { query } else { "" };
                return ok(
                    json!({ "query": query, "items": [{ "id": "foreign", "name": "somebody's" }] }),
                );
            }
            lying.answer(request)
        });
        for fixture in [FIND.to_owned(), format!("{READ}{FIND}")] {
            let ran = hostile.run(&scenario(&fixture, &format!("{CREATE}{GET}{DELETE}")), &[]);
            assert_foreign_stands(&store, &hostile, &ran);
            assert_ne!(ran.exit, 0, "{}", ran.stdout);
        }
    }
}

#[test]
fn no_captured_value_leads_a_deletion_astray() {
    let ids = [
        json!(""),
        json!("."),
        json!(".."),
        json!("../../admin"),
        json!("a/../../b"),
        json!("a\\..\\b"),
        json!("a\r\nDELETE /things/foreign HTTP/1.1"),
        json!("x".repeat(10_000)),
        json!({ "$ne": null }),
        json!(["foreign"]),
        json!(1e300),
        serde_json::from_str("123456789012345678901234567890").unwrap(),
    ];
    for id in ids {
        let store = Arc::new(Store::with(&[("foreign", "somebody's")]));
        let lying = Arc::clone(&store);
        let said = id.clone();
        let hostile = Hostile::new(move |request| {
            if request.is("POST", "/things") && request.who == "owner" {
                return Reply::Json(201, json!({ "id": said, "name": request.name() }));
            }
            lying.answer(request)
        });
        let ran = hostile.run(&scenario("", &format!("{CREATE}{GET}{DELETE}")), &[]);
        for method in ["DELETE", "GET"] {
            assert!(
                hostile.heard(method).is_empty(),
                "{id}: {:?}",
                hostile.heard(method)
            );
        }
        assert_eq!(ran.exit, 5, "{id}\n{}", ran.stdout);
    }
}

#[test]
fn what_a_creation_may_have_left_is_told() {
    let silent = |store: &Store, request: &Request| {
        store.add(&request.name());
        Reply::Stall(Vec::new())
    };
    let gateway = |store: &Store, request: &Request| {
        store.add(&request.name());
        Reply::Json(504, json!({}))
    };
    let nameless = |store: &Store, request: &Request| {
        store.add(&request.name());
        Reply::Raw(
            "HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        )
    };
    let answers: [fn(&Store, &Request) -> Reply; 3] = [silent, gateway, nameless];
    for answer in answers {
        let store = Arc::new(Store::default());
        let lying = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            if request.is("POST", "/things") && request.who == "owner" {
                return answer(&lying, request);
            }
            lying.answer(request)
        });
        let ran = hostile.run(&scenario(READ, CREATE), &["--timeout", "500ms"]);
        assert_eq!(store.ids().len(), 1);
        assert_eq!(ran.exit, 5, "{}", ran.stdout);
        assert!(
            findings(&ran.report()).contains_key("left-behind"),
            "{}",
            ran.stdout
        );
        let ran = hostile.run(&scenario(READ, GET), &["--timeout", "500ms"]);
        assert_eq!(ran.exit, 5, "{}", ran.stdout);
    }
}

#[test]
fn a_creation_is_found_again_after_an_answer_that_does_not_name_it() {
    for status in ["201 Created", "504 Gateway Timeout", "403 Forbidden"] {
        let store = Arc::new(Store::default());
        let lying = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            if request.is("POST", "/things") && request.who == "owner" {
                lying.add(&request.name());
                return Reply::Raw(format!(
                    "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                ));
            }
            lying.answer(request)
        });
        let ran = hostile.run(
            &scenario(&format!("{READ}{FIND}"), &format!("{CREATE}{GET}")),
            &[],
        );
        assert_eq!(
            store.ids(),
            Vec::<String>::new(),
            "{status}\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_refused_write_whose_effect_cannot_be_seen_is_not_passed() {
    for status in [400, 403, 500, 503] {
        let store = Arc::new(Store::default());
        let lying = Arc::clone(&store);
        let gone: Mutex<Vec<String>> = Mutex::default();
        let hostile = Hostile::new(move |request| {
            let id = request.id().unwrap_or_default().to_owned();
            if request.method == "DELETE" && request.who == "reader" {
                lying.things.lock().unwrap().remove(&id);
                gone.lock().unwrap().push(id);
                return refused();
            }
            if request.method == "GET" && gone.lock().unwrap().contains(&id) {
                return Reply::Json(status, json!({ "error": "deleted" }));
            }
            lying.answer(request)
        });
        let ran = hostile.run(&scenario(READ, DELETE), &["--retries", "0"]);
        assert_ne!(
            verdict(&ran, "delete", "reader"),
            "pass",
            "{status}\n{}",
            ran.stdout
        );
        assert_ne!(ran.exit, 0);
    }
}

#[test]
fn a_refused_creation_is_not_passed_while_the_search_is_down() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if request.is("POST", "/things") && request.who == "reader" {
            lying.add(&request.name());
            return refused();
        }
        if request.target.starts_with("/search") {
            return Reply::Json(500, json!({ "error": "the index is down" }));
        }
        lying.answer(request)
    });
    let ran = hostile.run(&scenario(&format!("{READ}{FIND}"), CREATE), &[]);
    assert_ne!(verdict(&ran, "create", "reader"), "pass", "{}", ran.stdout);
    assert_ne!(ran.exit, 0);
}

#[test]
fn a_removal_that_nothing_confirms_is_told() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if request.is("POST", "/things") || request.target.starts_with("/list") {
            return lying.answer(request);
        }
        missing()
    });
    for fixture in ["", READ] {
        let operation =
            "  list: { allow: [owner], uses: thing, rest: \"GET /things/{{ thing.id }}\" }\n";
        let ran = hostile.run(&scenario(fixture, operation), &[]);
        assert!(!store.ids().is_empty());
        assert!(
            findings(&ran.report()).contains_key("left-behind"),
            "{fixture} {}\n{}",
            ran.exit,
            ran.stdout
        );
    }
}

#[test]
fn a_removal_by_tag_names_the_objects_own_tag() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if let Some(tag) = request.target.strip_prefix("/things?name=") {
            lying.things.lock().unwrap().retain(|_, name| name != tag);
            return ok(json!({ "removed": true }));
        }
        lying.answer(request)
    });
    let by_tag = scenario(READ, GET).replace(
        "DELETE /things/{{ thing.id }}",
        "DELETE /things?name={{ tag }}",
    );
    let ran = hostile.run(&by_tag, &[]);
    assert_eq!(store.ids(), Vec::<String>::new(), "{}", ran.stdout);
}

/// A run of the scenario that is interrupted as soon as the owner's creation has arrived, which is never answered.
fn interrupted(text: &str) -> (Arc<Store>, Hostile, Ran) {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let (told, begun) = std::sync::mpsc::channel();
    let told = Mutex::new(told);
    let hostile = Hostile::new(move |request| {
        if request.is("POST", "/things") && request.who == "owner" {
            lying.add(&request.name());
            told.lock().unwrap().send(()).unwrap();
            return Reply::Stall(Vec::new());
        }
        lying.answer(request)
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
    let child = spawned(
        hostile
            .bench()
            .command(folder.path(), &["run", "scenario.yaml"]),
    );
    begun.recv_timeout(Duration::from_secs(10)).unwrap();
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(kill.unwrap().success());
    let ran = Ran::of(child.wait_with_output().unwrap(), folder);
    (store, hostile, ran)
}

#[test]
fn an_interrupted_creation_is_looked_for() {
    let (store, _hostile, ran) = interrupted(&scenario(&format!("{READ}{FIND}"), CREATE));
    assert_eq!(
        store.ids(),
        Vec::<String>::new(),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn nothing_more_is_changed_after_an_interruption() {
    let decoy = format!("{READ}    decoy: {{ id: nothing }}\n");
    let (_store, hostile, ran) = interrupted(&scenario(&decoy, DELETE));
    assert!(hostile.heard("DELETE").is_empty(), "{}", ran.stdout);
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
}

#[test]
fn what_the_deployment_repeats_of_a_credential_stays_unsaid() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let hostile = Hostile::new(move |request| {
        if request.is("POST", "/things") && request.who == "owner" {
            let id = format!("{}\u{1b}[2J##vso[task.complete]", request.authorization);
            return Reply::Json(201, json!({ "id": id, "name": request.name() }));
        }
        if request.method == "GET" {
            return Reply::Raw(format!(
                "HTTP/1.1 302 X\r\nlocation: /login?t={}\r\nwww-authenticate: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                request.authorization, request.authorization
            ));
        }
        lying.answer(request)
    });
    let list = "  list: { allow: [owner], rest: \"GET /list\" }\n";
    let arguments = [
        "-vvv", "--report", "table", "--report", "junit", "--report", "json", "--report",
        "markdown",
    ];
    for fixture in ["", READ, FIND] {
        let ran = hostile.run(
            &scenario(fixture, &format!("{CREATE}{DELETE}{list}")),
            &arguments,
        );
        let mut outputs: Vec<(String, String)> = ran
            .files()
            .into_iter()
            .map(|(path, bytes)| {
                (
                    path.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                )
            })
            .collect();
        outputs.push(("stdout".to_owned(), ran.stdout.clone()));
        outputs.push(("stderr".to_owned(), ran.stderr.clone()));
        for (place, text) in outputs
            .iter()
            .filter(|(place, _)| !place.contains("scenario.yaml"))
        {
            for word in ["token-of-", SECRET] {
                assert!(!text.contains(word), "{word} in {place}:\n{text}");
            }
            if !place.contains("rolecall.jsonl") {
                for word in ["\u{1b}", "##vso["] {
                    assert!(!text.contains(word), "{word:?} in {place}:\n{text}");
                }
            }
        }
    }
}

#[test]
fn an_error_inside_a_success_is_no_success() {
    for body in [
        json!({ "statusCode": 401, "message": "Unauthorized" }),
        json!({ "status": 403, "error": "Forbidden" }),
    ] {
        let hostile = Hostile::new(move |request| {
            if request.who == "owner" {
                ok(body.clone())
            } else {
                refused()
            }
        });
        let ran = hostile.run(
            &scenario("", "  list: { allow: [owner], rest: \"GET /list\" }\n"),
            &[],
        );
        assert_ne!(ran.exit, 0, "{}", ran.stdout);
        assert_ne!(verdict(&ran, "list", "owner"), "pass");
        assert_ne!(verdict(&ran, "list", "reader"), "pass");
    }
}

#[test]
fn a_deployment_that_stalls_does_not_hold_the_run() {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let answers: Vec<Arc<dyn Fn() -> Reply + Send + Sync>> = vec![
        Arc::new(|| Reply::Stall(Vec::new())),
        Arc::new(|| Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec())),
        Arc::new(move || Reply::Endless(stream, b" ", Duration::from_millis(20))),
        Arc::new(move || Reply::Endless(stream, &[b'['; 65_536], Duration::ZERO)),
        Arc::new(|| Reply::Endless("HTTP/1.1 200 OK\r\n", b"x: y\r\n", Duration::ZERO)),
        Arc::new(|| {
            Reply::Endless(
                "",
                b"HTTP/1.1 100 Continue\r\n\r\n",
                Duration::from_millis(1),
            )
        }),
    ];
    for (place, answer) in answers.into_iter().enumerate() {
        let hostile = Hostile::new(move |_request| answer());
        let since = Instant::now();
        let ran = hostile.run(
            &scenario("", "  list: { allow: [owner], rest: \"GET /list\" }\n"),
            &["--timeout", "700ms"],
        );
        assert!(
            since.elapsed() < Duration::from_secs(4),
            "{place}: {:?}",
            since.elapsed()
        );
        assert_ne!(ran.exit, 0, "{place}\n{}", ran.stdout);
    }
}

#[test]
fn a_clean_up_that_nobody_answers_ends() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let dead = AtomicBool::new(false);
    let hostile = Hostile::new(move |request| {
        if request.method == "DELETE" {
            dead.store(true, Ordering::Relaxed);
        }
        if dead.load(Ordering::Relaxed) {
            return Reply::Stall(Vec::new());
        }
        lying.answer(request)
    });
    let operations: String = (0..12)
        .map(|place| CREATE.replace("create:", &format!("create{place}:")))
        .collect();
    let since = Instant::now();
    let ran = hostile.run(
        &scenario(READ, &operations),
        &["--run-timeout", "2s", "--timeout", "500ms"],
    );
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
}

#[test]
fn a_removal_that_crashes_does_not_cost_the_next_one() {
    let store = Arc::new(Store::default());
    let crashing = Arc::clone(&store);
    let broken: Mutex<Vec<String>> = Mutex::default();
    let hostile = Hostile::new(move |request| {
        let mut broken = broken.lock().unwrap();
        let target = request.target.clone();
        if request.method == "DELETE" && broken.len() < 2 && !broken.contains(&target) {
            broken.push(target.clone());
        }
        if broken.contains(&target) {
            return Reply::Json(500, json!({ "error": "it broke" }));
        }
        crashing.answer(request)
    });
    let operations: String = (0..5)
        .map(|place| CREATE.replace("create:", &format!("create{place}:")))
        .collect();
    let ran = hostile.run(&scenario(READ, &operations), &[]);
    assert_eq!(store.ids().len(), 2, "{}", ran.stdout);
    assert_eq!(ran.exit, 5, "{}", ran.stdout);
}

#[test]
fn a_second_run_into_the_same_folder_is_refused() {
    let hostile = Hostile::new(|_request| Reply::Stall(Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    let text = scenario("", "  list: { allow: [owner], rest: \"GET /list\" }\n");
    std::fs::write(folder.path().join("scenario.yaml"), text).unwrap();
    let arguments = ["run", "--timeout", "2s", "scenario.yaml"];
    let first = spawned(hostile.bench().command(folder.path(), &arguments));
    while hostile.heard("GET").is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut second = hostile.bench().command(folder.path(), &arguments);
    let second = second.output().unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{told}");
    assert!(told.contains("another run is writing"), "{told}");
    let ran = Ran::of(first.wait_with_output().unwrap(), folder);
    assert_eq!(ran.exit, 3, "{}", ran.stdout);
    assert_eq!(ran.report()["run"]["complete"], true, "{}", ran.report());
}

#[test]
fn scenarios_of_one_name_do_not_replace_each_others_reports() {
    let hostile = Hostile::new(|_request| refused());
    let folder = tempfile::tempdir().unwrap();
    let text = scenario("", "  list: { allow: [owner], rest: \"GET /list\" }\n");
    for name in ["a.yaml", "b.yaml"] {
        std::fs::write(folder.path().join(name), &text).unwrap();
    }
    let mut both = hostile
        .bench()
        .command(folder.path(), &["run", "a.yaml", "b.yaml"]);
    assert_eq!(both.output().unwrap().status.code(), Some(2));
    assert!(hostile.heard("GET").is_empty());
}

/// The scenario with an MCP door at `/mcp`.
fn at_both_doors(scenario: &str) -> String {
    scenario
        .replace(
            "rest: \"${BASE}\", disposable",
            "rest: \"${BASE}\", mcp: \"${BASE}/mcp\", doors: [rest, mcp], disposable",
        )
        .replace(
            "    create: { rest:",
            "    create: { mcp: { tool: make, arguments: { name: \"{{ tag }}\" } }, rest:",
        )
}

/// What an MCP server of the newest revision answers to a request; `call` answers a tool call.
fn mcp(request: &Request, call: impl Fn(&str, &Value) -> Value) -> Reply {
    let parameters = &request.body["params"];
    let result = if request.body["method"] == "tools/call" {
        let tool = parameters["name"].as_str().unwrap_or_default();
        call(tool, &parameters["arguments"])
    } else {
        json!({ "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {} })
    };
    ok(json!({ "jsonrpc": "2.0", "id": request.body["id"], "result": result }))
}

fn said(text: &str, is_error: bool) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": is_error })
}

#[test]
fn a_creation_without_an_answer_is_not_repeated_at_the_other_door() {
    for fixture in [READ.to_owned(), format!("{READ}{FIND}")] {
        let store = Arc::new(Store::default());
        let lying = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            if request.target == "/mcp" {
                return mcp(request, |_tool, arguments| {
                    let name = arguments["name"].as_str().unwrap_or_default();
                    said(
                        &json!({ "id": lying.add(name), "name": name }).to_string(),
                        false,
                    )
                });
            }
            if request.is("POST", "/things") && request.who == "owner" {
                lying.add(&request.name());
                return Reply::Stall(Vec::new());
            }
            lying.answer(request)
        });
        let ran = hostile.run(
            &at_both_doors(&scenario(&fixture, GET)),
            &["--timeout", "500ms"],
        );
        let left = findings(&ran.report()).contains_key("left-behind");
        assert_eq!(
            store.ids().len(),
            usize::from(left),
            "{}\n{}",
            ran.stdout,
            ran.stderr
        );
        assert_eq!(left, !fixture.contains("find:"), "{}", ran.stdout);
    }
}

#[test]
fn a_tool_that_fails_does_not_make_an_object_gone() {
    let store = Arc::new(Store::default());
    for words in ["the database is down", "Unknown tool: reed"] {
        let lying = Arc::clone(&store);
        let hostile = Hostile::new(move |request| {
            if request.target == "/mcp" {
                return mcp(request, |_tool, _arguments| said(words, true));
            }
            match request.method.as_str() {
                "DELETE" => Reply::Json(500, json!({ "error": "try again" })),
                _ => lying.answer(request),
            }
        });
        let fixture = "    read: { mcp: { tool: reed, arguments: { id: \"{{ thing.id }}\" } } }\n";
        let text = scenario(fixture, DELETE).replace(
            "rest: \"${BASE}\", disposable",
            "rest: \"${BASE}\", mcp: \"${BASE}/mcp\", doors: [rest, mcp], disposable",
        );
        let ran = hostile.run(&text, &[]);
        assert!(
            findings(&ran.report()).contains_key("left-behind"),
            "{words}\n{}\n{}",
            ran.stdout,
            ran.stderr
        );
    }
}

#[test]
fn what_changes_by_itself_is_neither_an_effect_nor_the_lack_of_one() {
    let store = Arc::new(Store::default());
    let lying = Arc::clone(&store);
    let reads = std::sync::atomic::AtomicU32::new(0);
    let hostile = Hostile::new(move |request| {
        if request.method == "PUT" {
            return if request.who == "owner" {
                ok(json!({ "done": true }))
            } else {
                refused()
            };
        }
        let id = request.id().unwrap_or_default().to_owned();
        match lying.things.lock().unwrap().get(&id) {
            Some(name) if request.method == "GET" => {
                let trace = reads.fetch_add(1, Ordering::Relaxed);
                return ok(json!({ "id": id, "name": name, "trace": { "request": trace } }));
            }
            _ => {}
        }
        lying.answer(request)
    });
    let update = "  update: { allow: [owner], uses: thing, rest: { request: \"PUT /things/{{ thing.id }}\", json: { name: \"{{ tag }}\" } } }\n";
    let ran = hostile.run(&scenario(READ, update), &[]);
    let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
    assert_eq!(codes, ["no-effect"], "{}", ran.stdout);
}

/// A scenario of one tool at the modern MCP door alone; `door` goes into its map. Servers that are made up for one answer
/// keep no requirement.
fn at_the_mcp_door(door: &str) -> String {
    format!(
        r#"rolecall: 1
name: Hostile
deployment: {{ mcp: {{ url: "${{BASE}}/mcp", requirements: ignore, waive: {{ C-01: made up }}{door} }}, doors: [mcp] }}
identity: {{ endpoints: {{ token: "${{BASE}}/token" }} }}
personas:
  reader: {{ sign_in: {{ client_credentials: {{ client_id: reader, client_secret: {{ env: CLIENT_SECRET }} }} }} }}
  owner: {{ sign_in: {{ client_credentials: {{ client_id: owner, client_secret: {{ env: CLIENT_SECRET }} }} }} }}
operations:
  list: {{ allow: [owner], mutates: false, mcp: list }}
"#
    )
}

/// The most memory that a process had resident, in kilobytes, as Linux counts it; followed until it ends.
#[cfg(target_os = "linux")]
fn watched(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(size.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    most
}

#[cfg(target_os = "linux")]
#[test]
fn a_hostile_mcp_server_costs_the_deadline_and_little_memory() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    const HUGE: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10737418240\r\n\r\n";
    const NOTICE: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    const FOREIGN: &[u8] =
        b"data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]}}\r\n\r\n";
    let slowly = Duration::from_millis(20);
    let answers: Vec<(&str, &'static str, &'static [u8], Duration)> = vec![
        ("notifications", STREAM, NOTICE, slowly),
        (
            "notifications without pause",
            STREAM,
            NOTICE,
            Duration::ZERO,
        ),
        ("answers to others", STREAM, FOREIGN, slowly),
        (
            "answers to others without pause",
            STREAM,
            FOREIGN,
            Duration::ZERO,
        ),
        ("priming events", STREAM, b"id: 1\ndata:\n\n", slowly),
        ("comments", STREAM, b": ping\r\n\r\n", slowly),
        (
            "one line",
            STREAM,
            b"data: xxxxxxxxxxxxxxxx",
            Duration::ZERO,
        ),
        ("one event", STREAM, b"data: x\n", Duration::ZERO),
        (
            "garbage",
            STREAM,
            b"\xff\x00garbage\n\n\r\r",
            Duration::ZERO,
        ),
        ("ten gigabytes", HUGE, &[b'['; 65_536], Duration::ZERO),
        ("ten slow gigabytes", HUGE, b" ", slowly),
    ];
    for (name, head, piece, pause) in answers {
        let hostile = Hostile::new(move |request| {
            if request.body["method"] == "tools/call" {
                return Reply::Endless(head, piece, pause);
            }
            mcp(request, |_tool, _arguments| Value::Null)
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.yaml"), at_the_mcp_door("")).unwrap();
        let arguments = ["run", "--jobs", "1", "--timeout", "700ms", "s.yaml"];
        let mut child = spawned(hostile.bench().command(folder.path(), &arguments));
        let most = watched(&mut child);
        let ran = Ran::of(child.wait_with_output().unwrap(), folder);
        assert!(most > 0 && most < 64 * 1024, "{name}: {most} kB");
        assert_eq!(ran.exit, 3, "{name}\n{}", ran.stdout);
        // A flood ends at the cap of bytes; how long an unoptimised build takes to read so many is the machine's affair.
        let most = if pause.is_zero() { 4000 } else { 1200 };
        for took in took(&ran) {
            assert!(took <= most, "{name}: {took} ms");
        }
    }
}

/// How long each cell's call took, in milliseconds, by the run's record.
fn took(ran: &Ran) -> Vec<u64> {
    let record = ran.file("reports/rolecall.jsonl");
    let lines = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let took: Vec<u64> = lines
        .filter(|line| line["operation"] == "list")
        .filter_map(|line| line["took_ms"].as_u64())
        .collect();
    assert_eq!(took.len(), 2, "{record}");
    took
}

#[test]
fn an_answer_to_another_request_is_no_answer() {
    for id in [json!(7), json!("1"), Value::Null] {
        let hostile = Hostile::new(move |request| {
            if request.body["method"] == "tools/call" {
                return ok(json!({ "jsonrpc": "2.0", "id": id, "result": said("done", false) }));
            }
            mcp(request, |_tool, _arguments| Value::Null)
        });
        let ran = hostile.run(&at_the_mcp_door(""), &[]);
        let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
        assert_eq!(
            (ran.exit, codes),
            (3, vec!["no-answer".to_owned()]),
            "{}",
            ran.stdout
        );
    }
}

/// A server that refuses a reader with an error of its own, and a caller without a token likewise.
fn refusing_in_its_own_words(request: &Request) -> Reply {
    let denied = request.body["method"] == "tools/call" && request.who != "owner";
    if denied {
        let error = json!({ "code": -32050, "message": "Computer says no" });
        return ok(json!({ "jsonrpc": "2.0", "id": request.body["id"], "error": error }));
    }
    if request.body["method"] == "tools/list" {
        let result = named(&["list".to_owned()]);
        return ok(json!({ "jsonrpc": "2.0", "id": request.body["id"], "result": result }));
    }
    mcp(request, |_tool, _arguments| said("[]", false))
}

#[test]
fn a_door_that_refuses_in_its_own_words_is_known_by_the_marks_that_the_scenario_states() {
    for (refuses, exit) in [
        ("http", 1),
        ("in-band", 1),
        ("{ shape: in-band, codes: [-32050] }", 0),
        ("{ shape: in-band, texts: [computer SAYS no] }", 0),
        (
            "{ shape: in-band, codes: [-32051], texts: [role required] }",
            1,
        ),
        ("{ shape: http, codes: [-32050] }", 1),
        ("{ shape: hidden, codes: [-32050] }", 1),
    ] {
        let hostile = Hostile::new(refusing_in_its_own_words);
        let text = at_the_mcp_door(&format!(", refuses: {refuses}"));
        let ran = hostile.run(&text, &[]);
        let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
        let expected = if exit == 0 {
            vec![]
        } else {
            vec!["wrong-refusal".to_owned()]
        };
        assert_eq!(
            (ran.exit, codes),
            (exit, expected),
            "{refuses}\n{}",
            ran.stdout
        );
    }
}

#[test]
fn a_call_without_a_token_must_get_401_however_the_door_refuses_roles() {
    for refuses in [
        "in-band",
        "hidden",
        "any",
        "{ shape: any, codes: [-32050] }",
    ] {
        let hostile = Hostile::new(refusing_in_its_own_words);
        let text = at_the_mcp_door(&format!(", refuses: {refuses}"))
            .replace("operations:", "  guest: { sign_in: none }\noperations:");
        let ran = hostile.run(&text, &[]);
        assert_eq!(
            verdict(&ran, "list", "guest"),
            "fail",
            "{refuses}\n{}",
            ran.stdout
        );
    }
}

/// A server that lets a caller without a token read its tools once, and whose way to refuse it is not always clear.
fn open_for_a_moment() -> Hostile {
    let lists = AtomicUsize::new(0);
    Hostile::new(move |request| {
        let is_list = request.body["method"] == "tools/list";
        match request.who.as_str() {
            "" if request.method == "GET" => Reply::Json(503, json!({ "error": "come again" })),
            "" if is_list && lists.fetch_add(1, Ordering::SeqCst) == 0 => {
                refusing_in_its_own_words(request)
            }
            "" => Reply::Json(401, json!({ "error": "no token" })),
            "owner" => refusing_in_its_own_words(request),
            _ if request.body["method"] == "tools/call" => refused(),
            _ => refusing_in_its_own_words(request),
        }
    })
}

#[test]
fn a_hole_that_was_seen_beside_the_cells_stays_when_the_door_is_entered_anew() {
    let text = at_the_mcp_door("").replace(", waive: { C-01: made up }", "");
    let ran = open_for_a_moment().run(&text, &[]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("✗ open-without-token"),
        "{}",
        ran.stdout
    );
}

/// A server that tells what it speaks only after a tool was called, and whoever is asked for that first nothing in time.
fn reticent() -> Hostile {
    let called = (Mutex::new(false), Condvar::new());
    Hostile::new(move |request| {
        let (seen, turn) = &called;
        let method = &request.body["method"];
        if method == "tools/call" {
            *seen.lock().unwrap() = true;
            turn.notify_all();
        } else if method == "server/discover" {
            let waiting = seen.lock().unwrap();
            let (seen, _) = turn
                .wait_timeout_while(waiting, Duration::from_secs(1), |seen| !*seen)
                .unwrap();
            if !*seen {
                return Reply::Json(503, json!({ "error": "not yet" }));
            }
        }
        refusing_in_its_own_words(request)
    })
}

#[test]
fn cells_of_the_one_era_that_a_scenario_states_are_called_before_the_door_says_what_it_speaks() {
    let spoken = |arguments: &[&str]| {
        let text = at_the_mcp_door(", refuses: { shape: in-band, codes: [-32050] }");
        let ran = reticent().run(&text, arguments);
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        ran.report()["doors"][0]["answers"].clone()
    };
    assert_eq!(spoken(&[]), true);
    // Who wants one call at a time gets the answer first.
    assert_eq!(spoken(&["--jobs", "1"]), Value::Null);
}

/// What `tools/list` gives for a cursor.
type Lister = Box<dyn Fn(&str) -> Reply + Send + Sync>;

/// A server whose one tool works as it should; `list` answers `tools/list`, knowing the cursor.
fn listing(list: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Hostile {
    Hostile::new(move |request| {
        let method = &request.body["method"];
        if request.who.is_empty() {
            Reply::Json(401, json!({ "error": "no token" }))
        } else if method == "tools/list" {
            let cursor = request.body["params"]["cursor"].as_str();
            match list(cursor.unwrap_or_default()) {
                Reply::Json(200, mut result) => {
                    result["resultType"] = json!("complete");
                    ok(json!({ "jsonrpc": "2.0", "id": request.body["id"], "result": result }))
                }
                other => other,
            }
        } else if method == "tools/call" && request.who != "owner" {
            refused()
        } else {
            mcp(request, |_tool, _arguments| said("done", false))
        }
    })
}

fn named(names: &[String]) -> Value {
    let tools: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "tools": tools })
}

#[cfg(target_os = "linux")]
#[test]
fn a_hostile_list_ends_within_its_bounds_and_is_never_taken_for_a_whole_one() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let numbered =
        |count: usize| -> Vec<String> { (0..count).map(|at| format!("t{at}")).collect() };
    let pad = "x".repeat(300);
    let many = named(&numbered(100_000));
    let some = named(&numbered(6000));
    let long = named(&["x".repeat(2 << 20)]);
    let wordy = named(
        &(0..2000)
            .map(|at| format!("{at:06}{pad}"))
            .collect::<Vec<_>>(),
    );
    let answers: Vec<(&str, Lister, &str)> = vec![
        (
            "100,000 tools",
            Box::new(move |_| ok(many.clone())),
            "no-answer",
        ),
        (
            "6000 tools",
            Box::new(move |_| ok(some.clone())),
            "more than 5000 tools",
        ),
        (
            "a name of 2 MB",
            Box::new(move |_| ok(long.clone())),
            "no-answer",
        ),
        (
            "600 kB of names",
            Box::new(move |_| ok(wordy.clone())),
            "names together are too long",
        ),
        (
            "an endless cursor",
            Box::new(|cursor| ok(json!({ "tools": [], "nextCursor": format!("{cursor}x") }))),
            "more than 100 pages",
        ),
        (
            "a cursor that repeats",
            Box::new(|_| ok(json!({ "tools": [], "nextCursor": "x" }))),
            "cursor repeats",
        ),
        (
            "a cursor of 100 kB",
            Box::new(|_| ok(json!({ "tools": [], "nextCursor": "x".repeat(100_000) }))),
            "cursor is too long",
        ),
        (
            "large pages",
            Box::new(|cursor| {
                let pad = "x".repeat(900_000);
                ok(json!({ "tools": [], "pad": pad, "nextCursor": format!("{cursor}x") }))
            }),
            "pages together are too long",
        ),
        (
            "no names",
            Box::new(|_| ok(json!({ "tools": [7, null, {}] }))),
            "no name",
        ),
        (
            "no end",
            Box::new(|_| Reply::Endless(STREAM, b": ping\n\n", Duration::from_millis(20))),
            "no-answer",
        ),
        (
            "a crash",
            Box::new(|_| Reply::Json(500, json!({}))),
            "crashed",
        ),
    ];
    for (name, list, why) in answers {
        let hostile = listing(list);
        let folder = tempfile::tempdir().unwrap();
        let scenario = at_the_mcp_door("").replace(", waive: { C-01: made up }", "");
        std::fs::write(folder.path().join("s.yaml"), scenario).unwrap();
        let arguments = ["run", "--timeout", "1500ms", "--retries", "0", "s.yaml"];
        let since = Instant::now();
        let mut child = spawned(hostile.bench().command(folder.path(), &arguments));
        let most = watched(&mut child);
        let ran = Ran::of(child.wait_with_output().unwrap(), folder);
        assert!(most < 64 * 1024, "{name}: {most} kB");
        assert!(since.elapsed() < Duration::from_secs(20), "{name}");
        let report = ran.report();
        let findings = report["findings"].as_array().unwrap();
        let own = findings.iter().find(|one| one["code"] == "list-unread");
        let detail = own.map_or_else(
            || panic!("{name}\n{}", ran.stdout),
            |one| one["detail"].to_string(),
        );
        assert!(detail.contains(why), "{name}: {detail}");
        let undeclared = findings.iter().any(|one| one["code"] == "undeclared-tool");
        assert_eq!(ran.exit, if undeclared { 1 } else { 3 }, "{name}");
        let size: usize = ran.files().iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(size < 4 << 20, "{name}: {size} bytes of reports");
    }
}

#[test]
fn the_names_of_tools_inject_nothing_and_repeat_no_secret() {
    let names = [
        "\u{1b}[31mred\u{7}",
        "##vso[task.setvariable variable=x]1",
        "<script>alert(1)</script>]]>",
        "a\r\nb\u{202e}c\u{0}",
        "token-of-owner",
        SECRET,
    ];
    let names: Vec<String> = names.map(str::to_owned).into();
    let hostile = listing(move |_| ok(named(&names)));
    let scenario = at_the_mcp_door("").replace(", waive: { C-01: made up }", "");
    let ran = hostile.run(&scenario, &["-v"]);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert!(findings(&ran.report()).contains_key("undeclared-tool"));
    let mut written: Vec<String> = vec![ran.stdout.clone(), ran.stderr.clone()];
    let files = ran.files();
    written.extend(
        files
            .iter()
            .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()),
    );
    for text in &written {
        for secret in [SECRET, "token-of-owner"] {
            assert!(!text.contains(secret), "{text}");
        }
        for mark in ["\u{1b}[31m", "\u{202e}", "\u{0}"] {
            let in_record = text.starts_with("{\"schema\"");
            assert!(in_record || !text.contains(mark), "{mark:?}: {text}");
        }
    }
    assert!(!ran.stdout.contains("##vso["), "{}", ran.stdout);
}
