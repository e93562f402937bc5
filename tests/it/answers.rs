//! Every answer of the corpus served as it stands to a cell that must be refused; what it is read as, and what it proves, out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use rolecall::judge::{self, Outcome};
use rolecall::scenario::{Expectation, RefusalShape};
use serde_json::{Value, json};

use crate::bench::{Ran, text};
use crate::provider::{self, Asked, Provider, issued};

/// A file of the corpus: what is known of the answer, and the answer.
#[derive(Clone, Debug)]
struct Specimen {
    name: String,
    front: BTreeMap<String, String>,
    head: String,
    body: String,
}

/// What the front of a file must say.
const KEYS: [&str; 10] = [
    "product",
    "source",
    "situation",
    "door",
    "request",
    "token",
    "decoy",
    "expect",
    "signature",
    "proves",
];

/// What it may say besides.
const MORE: [&str; 2] = ["canonical", "cut"];

/// What an answer proves once somebody who may got through.
const PROOFS: [&str; 6] = ["401", "403", "in-band", "hidden", "passage", "nothing"];

impl Specimen {
    fn read(name: &str, text: &str) -> Result<Self, String> {
        let (front, answer) = text
            .split_once("\n---\n")
            .ok_or_else(|| format!("{name}: no line `---` between what is known and the answer"))?;
        let (head, body) = answer
            .split_once("\n\n")
            .ok_or_else(|| format!("{name}: no empty line after the headers"))?;
        let mut known = BTreeMap::new();
        for line in front.lines() {
            let (key, value) = line
                .split_once(": ")
                .ok_or_else(|| format!("{name}: `{line}` is no `key: value`"))?;
            if !KEYS.contains(&key) && !MORE.contains(&key) {
                return Err(format!("{name}: unknown key `{key}`"));
            }
            if value == "?" {
                return Err(format!(
                    "{name}: `{key}: ?` is to be filled in by hand. product, source and situation say who answers so, and \
                     when; expect is an outcome ({}), signature a signature or none, proves one of {}; docs/answers.md",
                    Outcome::ALL.map(Outcome::name).join(", "),
                    PROOFS.join(", "),
                ));
            }
            known.insert(key.to_owned(), value.to_owned());
        }
        if let Some(key) = KEYS.iter().find(|key| !known.contains_key(**key)) {
            return Err(format!("{name}: no `{key}`"));
        }
        if !PROOFS.contains(&known["proves"].as_str()) {
            return Err(format!("{name}: `proves` is one of {}", PROOFS.join(", ")));
        }
        Ok(Self {
            name: name.to_owned(),
            front: known,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    fn says(&self, key: &str) -> &str {
        self.front.get(key).map_or("", String::as_str)
    }

    fn is(&self, key: &str) -> bool {
        self.says(key) == "yes"
    }

    fn speaks_mcp(&self) -> bool {
        self.says("door") == "mcp"
    }

    /// Who is answered so: somebody who signs in and may not, or somebody who does not sign in.
    fn who(&self) -> &'static str {
        if self.is("token") {
            "reader"
        } else {
            "anonymous"
        }
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn outcome(&self) -> Outcome {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.name() == self.says("expect"))
            .unwrap_or_else(|| unreachable!("{}: no such outcome", self.name))
    }

    /// The answer as bytes; `id` is that of the JSON-RPC request, which is 1 in every file.
    fn raw(&self, id: &Value) -> String {
        let mut body = self.body.clone();
        let ends: &[&str] = if self.speaks_mcp() { &[",", "}"] } else { &[] };
        for end in ends {
            body = body.replacen(&format!("\"id\":1{end}"), &format!("\"id\":{id}{end}"), 1);
        }
        let mut head = self.head.replace('\n', "\r\n");
        if !self.head.contains("\ncontent-length: ") {
            write!(head, "\r\ncontent-length: {}", body.len()).unwrap();
        }
        format!("{head}\r\nconnection: close\r\n\r\n{body}")
    }

    /// The operation that is answered so, as a line of a scenario.
    fn operation(&self) -> String {
        let name = &self.name;
        let (decoy, id) = if self.is("decoy") {
            (", uses: thing", "/{{ thing.id }}")
        } else {
            ("", "")
        };
        let (verb, subject) = self.says("request").split_once(' ').unwrap();
        let shape = match (self.says("door"), verb) {
            // What it is an answer to decides nothing, and a GET changes nothing.
            ("rest", _) => format!("rest: \"GET /answers/{name}{id}\""),
            (_, "tools/call") => format!(
                "mutates: false, mcp: {{ tool: {subject}, arguments: {{ answer: {name}, id: \"{id}\" }} }}"
            ),
            (_, "resources/read") => format!("mcp: {{ resource: \"{subject}\" }}"),
            _ => unreachable!("{name}: no such request"),
        };
        format!("  {name}: {{ allow: [admin]{decoy}, {shape} }}\n")
    }
}

fn corpus() -> Vec<Specimen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/answers");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = files.iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        Specimen::read(name, &fs::read_to_string(path).unwrap())
    });
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    good.into_iter().filter_map(Result::ok).collect()
}

const SCENARIO: &str = r#"rolecall: 1
name: Every answer there is
deployment:
  rest: "${BASE}"
  mcp: { url: "${BASE}/mcp", requirements: ignore, undeclared: ignore }
  doors: [rest, mcp]
identity: { endpoints: { token: "${BASE}/token" } }
personas:
  reader: { sign_in: { client_credentials: { client_id: reader, client_secret: { env: CLIENT_SECRET } } } }
  admin: { sign_in: { client_credentials: { client_id: admin, client_secret: { env: CLIENT_SECRET } } } }
  anonymous: { sign_in: none }
fixtures:
  thing:
    as: admin
    create: { rest: { request: POST /things, json: { name: "{{ tag }}" } }, capture: { id: /id } }
    remove: { rest: "DELETE /things/{{ thing.id }}" }
    decoy: { id: none }
operations:
  open: { allow: [reader, admin], rest: GET /open, mutates: false, mcp: { tool: open } }
"#;

/// A deployment that answers one caller of each operation with its specimen, and everybody else as is right.
fn deployment(corpus: Vec<Specimen>) -> Provider {
    Provider::new(move |asked| {
        if asked.is_for_a_token() {
            return issued(&format!("token-of-{}", asked.parameter("client_id")), 3600);
        }
        let who = asked
            .bearer
            .strip_prefix("token-of-")
            .unwrap_or("anonymous");
        let request: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        match named(&corpus, asked, &request) {
            Some(specimen) if specimen.who() == who => specimen.raw(&request["id"]),
            found => usual(who, found, &request),
        }
    })
}

fn named<'c>(corpus: &'c [Specimen], asked: &Asked, request: &Value) -> Option<&'c Specimen> {
    let by_name = |name: &str| corpus.iter().find(|specimen| specimen.name == name);
    if let Some(path) = asked.target.strip_prefix("/answers/") {
        return by_name(path.split('/').next()?);
    }
    if let Some(name) = request["params"]["arguments"]["answer"].as_str() {
        return by_name(name);
    }
    let uri = format!("resources/read {}", request["params"]["uri"].as_str()?);
    let mut corpus = corpus.iter();
    corpus.find(|specimen| specimen.says("request") == uri)
}

/// What a sound deployment answers.
fn usual(who: &str, found: Option<&Specimen>, request: &Value) -> String {
    let method = request["method"].as_str();
    let knocks = method.is_some_and(|method| !matches!(method, "tools/call" | "resources/read"));
    let open = found.is_none();
    match who {
        "anonymous" => provider::answer(
            401,
            "www-authenticate: Bearer error=\"invalid_token\"\r\n",
            "",
        ),
        "reader" if !open && !knocks => {
            provider::json(403, &json!({ "error": "the role is missing" }))
        }
        _ => provider::json(200, &granted(method, request)),
    }
}

fn granted(method: Option<&str>, request: &Value) -> Value {
    let params = &request["params"];
    let name = params["name"].as_str().or_else(|| params["uri"].as_str());
    let unknown = name.is_some_and(|name| name.contains("no-such"));
    let result = match method {
        None => return json!({ "items": [] }),
        Some(_) if unknown => {
            let error = json!({ "code": -32602, "message": "what is that?" });
            return json!({ "jsonrpc": "2.0", "id": request["id"], "error": error });
        }
        Some("server/discover") => {
            json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} }, "serverInfo": { "name": "x", "version": "1" } })
        }
        Some("tools/list") => json!({ "tools": [] }),
        Some("resources/read") => json!({ "contents": [{ "uri": name, "text": "{}" }] }),
        Some(_) => json!({ "content": [{ "type": "text", "text": "{}" }] }),
    };
    let mut result = result;
    result["resultType"] = json!("complete");
    json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })
}

fn run(corpus: &[Specimen], scenario: &str, arguments: &[&str]) -> Ran {
    let operations: String = corpus.iter().map(Specimen::operation).collect();
    let provider = deployment(corpus.to_vec());
    let arguments = [&["--retries", "0"], arguments].concat();
    provider.run(&format!("{scenario}{operations}"), &arguments)
}

/// The corpus with the report of one run against all of it.
static SERVED: LazyLock<(Vec<Specimen>, Value)> = LazyLock::new(|| {
    let corpus = corpus();
    let ran = run(&corpus, SCENARIO, &[]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.report();
    (corpus, report)
});

fn cell<'r>(report: &'r Value, specimen: &Specimen) -> &'r Value {
    let id = format!(
        "{}/{}/{}",
        specimen.who(),
        specimen.name,
        specimen.says("door")
    );
    let cells = report["cells"].as_array().unwrap();
    cells
        .iter()
        .find(|cell| cell["id"] == id.as_str())
        .unwrap_or_else(|| unreachable!("{id} was not called"))
}

#[test]
fn every_answer_is_read_for_what_it_is() {
    let (corpus, report) = &*SERVED;
    let mut wrong = String::new();
    for specimen in corpus {
        let cell = cell(report, specimen);
        let signature = match text(&cell["signature"]) {
            none if none.is_empty() => "none".to_owned(),
            some => some,
        };
        let got = (text(&cell["outcome"]), signature);
        let due = (
            specimen.says("expect").to_owned(),
            specimen.says("signature").to_owned(),
        );
        if got != due {
            writeln!(wrong, "{}: {got:?}, not {due:?}", specimen.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Demands of refusal, and what must be proven for each to be met, by how the door is declared to refuse.
fn proofs(demand: &Expectation, shape: RefusalShape) -> Vec<&'static str> {
    let declared: &[&str] = match shape {
        RefusalShape::Http => &[],
        RefusalShape::InBand => &["in-band"],
        RefusalShape::Hidden => &["hidden"],
        RefusalShape::Any => &["in-band", "hidden"],
    };
    match demand {
        Expectation::Allow => vec!["passage"],
        Expectation::Unauthenticated => vec!["401"],
        Expectation::Forbidden => [&["403"], declared].concat(),
        Expectation::Deny => [&["401", "403"], declared].concat(),
        Expectation::Hidden => vec!["hidden"],
        Expectation::Statuses(_) => Vec::new(),
    }
}

#[test]
fn with_a_control_only_real_denials_meet_a_demand_of_refusal() {
    use Expectation as E;
    use RefusalShape as R;
    for specimen in corpus() {
        let shapes: &[R] = if specimen.speaks_mcp() {
            &[R::Http, R::InBand, R::Hidden, R::Any]
        } else {
            &[R::Http]
        };
        for demand in [
            E::Allow,
            E::Unauthenticated,
            E::Forbidden,
            E::Deny,
            E::Hidden,
        ] {
            for shape in shapes {
                let met =
                    judge::as_demanded(&demand, specimen.outcome(), specimen.status(), *shape);
                let due = proofs(&demand, *shape).contains(&specimen.says("proves"))
                    // A tool that failed for reasons of its own was reached, and did not do its work.
                    && !(demand == E::Allow && specimen.outcome() == Outcome::ToolError);
                assert_eq!(met, due, "{}: {demand} {shape:?}", specimen.name);
            }
        }
    }
}

#[test]
fn the_run_passes_real_denials_and_nothing_else() {
    let (corpus, report) = &*SERVED;
    let mut wrong = String::new();
    for specimen in corpus {
        let cell = cell(report, specimen);
        let demand = if specimen.is("token") { "403" } else { "401" };
        assert_eq!(cell["expected"], demand, "{}", specimen.name);
        let due = match (specimen.says("proves"), specimen.outcome()) {
            (proven, _) if proven == demand => "pass",
            ("passage", _) => "fail leak",
            (_, Outcome::Intercepted) => "unproven intercepted",
            (_, Outcome::NoAnswer) => "unproven no-answer",
            (_, Outcome::Crashed) => "fail crashed-not-refused",
            _ => "fail wrong-refusal",
        };
        let got = format!("{} {}", text(&cell["verdict"]), text(&cell["code"]));
        if got.trim() != due {
            writeln!(wrong, "{}: {got}, not {due}", specimen.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_corpus_is_as_wide_as_it_claims() {
    let corpus = corpus();
    let real = ["401", "403", "in-band"];
    let canonical: Vec<_> = corpus.iter().filter(|one| one.is("canonical")).collect();
    assert!(
        canonical.len() >= 25,
        "{} canonical shapes",
        canonical.len()
    );
    for specimen in canonical {
        assert!(real.contains(&specimen.says("proves")), "{}", specimen.name);
    }
    let proving = |proves: &str| {
        let fitting = corpus.iter().filter(|one| one.says("proves") == proves);
        fitting.count()
    };
    assert!(corpus.len() >= 80, "{} answers", corpus.len());
    assert!(proving("nothing") >= 40 && proving("401") + proving("403") >= 30);
    for outcome in Outcome::ALL {
        assert!(
            corpus.iter().any(|one| one.outcome() == outcome),
            "no answer is read as {}",
            outcome.name()
        );
    }
}

#[test]
fn a_file_that_is_not_filled_in_says_what_to_fill_in() {
    let front = "product: ?\nsource: a run\nsituation: none\ndoor: rest\nrequest: GET /x\ntoken: yes\ndecoy: no\nexpect: ?\nsignature: ?\nproves: ?";
    let text = format!("{front}\n---\nHTTP/1.1 403 Forbidden\n\n");
    let why = Specimen::read("new", &text).unwrap_err();
    assert!(why.contains("`product: ?` is to be filled in"), "{why}");
    assert!(
        why.contains("past-the-guard") && why.contains("docs/answers.md"),
        "{why}"
    );
    let astray = text.replace("product: ?", "produkt: x");
    assert!(
        Specimen::read("new", &astray)
            .unwrap_err()
            .contains("unknown key")
    );
}

/// Of the corpus what has one of these names.
fn some(names: &[&str]) -> Vec<Specimen> {
    let mut corpus = corpus();
    corpus.retain(|specimen| names.contains(&specimen.name.as_str()));
    assert_eq!(corpus.len(), names.len());
    corpus
}

fn with_fingerprints(lines: &[&str]) -> String {
    let list: Vec<String> = lines
        .iter()
        .map(|line| format!("    - {{ {line} }}\n"))
        .collect();
    let list = list.concat();
    SCENARIO.replacen("identity:", &format!("  fingerprints:\n{list}identity:"), 1)
}

#[test]
fn what_the_scenario_declares_decides_where_nothing_better_is_known() {
    let corpus = some(&[
        "nginx-403",
        "nginx-403-mcp",
        "cloud-run-403",
        "fastapi-403-for-no-token",
        "apim-validate-jwt-missing",
        "apim-operation-not-found-mcp",
        "apim-subscription-key-invalid",
        "application-gateway-waf",
        "api-granted-log-of-refusals",
        "mcp-granted",
    ]);
    let scenario = with_fingerprints(&[
        "name: auth-request, status: 403, body: '<center>nginx', doors: [rest], means: forbidden",
        "name: run-invoker, status: 403, body: 'does not have permission to get URL', means: forbidden",
        "name: no-bearer, status: 403, body: Not authenticated, means: unauthenticated",
        "name: old-filter, header: { Request-Context: '^appId' }, means: intercepted, because: the filter of 2019",
        "name: greedy, status: [401, 403], body: 'Make sure to provide|Azure-Application', means: forbidden",
        "name: data, status: 200, body: 'created 7', means: intercepted",
    ]);
    let ran = run(&corpus, &scenario, &[]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    let report = ran.report();
    let of = |name: &str| {
        let specimen = corpus.iter().find(|one| one.name == name).unwrap();
        let cell = cell(&report, specimen);
        ["outcome", "fingerprint", "verdict"].map(|key| text(&cell[key]))
    };
    let table = [
        ("nginx-403", ["forbidden", "auth-request", "pass"]),
        ("nginx-403-mcp", ["intercepted", "", "unproven"]),
        ("cloud-run-403", ["forbidden", "run-invoker", "pass"]),
        (
            "fastapi-403-for-no-token",
            ["unauthenticated", "no-bearer", "pass"],
        ),
        (
            "apim-validate-jwt-missing",
            ["intercepted", "old-filter", "unproven"],
        ),
        (
            "apim-operation-not-found-mcp",
            ["intercepted", "old-filter", "unproven"],
        ),
        // A demand for a key and a firewall stay what they are, and so does what was given.
        (
            "apim-subscription-key-invalid",
            ["intercepted", "", "unproven"],
        ),
        ("application-gateway-waf", ["intercepted", "", "unproven"]),
        ("api-granted-log-of-refusals", ["granted", "", "fail"]),
        ("mcp-granted", ["granted", "", "fail"]),
    ];
    for (name, due) in table {
        assert_eq!(of(name), due, "{name}");
    }
    let findings = report["findings"].as_array().unwrap();
    let named = findings
        .iter()
        .find(|finding| finding["fingerprint"] == "old-filter")
        .unwrap();
    assert_eq!(named["code"], "intercepted");
    let detail = text(&named["detail"]);
    assert!(
        detail.contains("met fingerprint old-filter (the filter of 2019) in place of"),
        "{detail}"
    );
    // What a fingerprint looked at is part of the evidence.
    let evidence = report.to_string();
    assert!(evidence.contains("appId=cid-v1:0"), "{evidence}");
}

#[test]
fn a_control_cannot_be_declared() {
    let corpus = some(&["apim-return-response-role"]);
    let everything =
        "name: all, status: [200, 403], body: 'items|role required', means: intercepted";
    let ran = run(&corpus, &with_fingerprints(&[everything]), &[]);
    let cell = cell(&ran.report(), &corpus[0]).clone();
    assert_eq!(cell["verdict"], "unproven", "{}", ran.stdout);
    assert_ne!(ran.exit, 0);
}

/// A deployment that answers whoever may not in a way that nobody knows, and repeats what it was sent.
fn odd(asked: &Asked) -> String {
    if asked.is_for_a_token() {
        let token = format!("t0ken-canary-of-{}", asked.parameter("client_id"));
        return issued(&token, 3600);
    }
    if asked.bearer.ends_with("of-admin") {
        return provider::json(200, &json!({ "items": [] }));
    }
    let head = asked.head.replace(['\r', '\n'], " ");
    let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &head);
    let body = format!(
        "ticket 0af7651916cd43dd8448eb211c80319c of anna@contoso.com at {} from 10.1.2.3: {} says {head} or {coded}\u{1b}[2J ##vso[task.complete]",
        asked.base, asked.target,
    );
    let headers = "content-type: text/plain\r\nset-cookie: session=c00kie-canary\r\nx-ms-request-id: 1b4e28ba-2fa1-11d2-883f-0016d3cca427\r\nserver: corporate\r\n";
    provider::answer(418, headers, &body)
}

const ODD: &str = r#"rolecall: 1
name: Odd
deployment: { rest: "${BASE}" }
identity: { endpoints: { token: "${BASE}/token" } }
personas:
  reader: { sign_in: { client_credentials: { client_id: reader, client_secret: { env: CLIENT_SECRET } } } }
  admin: { sign_in: { client_credentials: { client_id: admin, client_secret: { env: CLIENT_SECRET } } } }
  anonymous: { sign_in: none }
operations:
  list: { allow: [admin], rest: "GET /items?tag={{ run.id }}" }
  more: { allow: [admin], rest: "GET /items?more={{ run.id }}" }
"#;

fn recorded(ran: &Ran) -> Vec<(String, String)> {
    let files = ran.files().into_iter();
    let answers = files.filter(|(path, _)| path.extension().is_some_and(|end| end == "http"));
    answers
        .map(|(path, bytes)| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, String::from_utf8(bytes).unwrap())
        })
        .collect()
}

#[test]
fn answers_that_nobody_is_known_for_are_saved_once_a_shape_and_without_anybody_s_data() {
    let provider = Provider::new(odd);
    let ran = provider.run(ODD, &["--record-answers", "answers"]);
    assert_eq!(ran.exit, 1, "{}\n{}", ran.stdout, ran.stderr);
    let files = recorded(&ran);
    // With a token and without: the answer repeats the head, which differs.
    assert!((1..=4).contains(&files.len()), "{files:?}");
    for (name, text) in &files {
        assert!(name.starts_with("recorded-418-rest-"), "{name}");
        let run_id = ran.report()["run"]["id"].as_str().unwrap().to_owned();
        for canary in [
            provider::SECRET,
            "t0ken-canary",
            "c00kie-canary",
            "set-cookie",
            "127.0.0.1",
            "anna",
            "10.1.2.3",
            "0af7651916",
            "1b4e28ba",
            "\u{1b}",
            "##vso",
            &run_id,
        ] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        assert!(text.contains("user@example.com"), "{text}");
        assert!(text.contains("server: corporate"), "{text}");
        let why = Specimen::read(name, text).unwrap_err();
        assert!(why.contains("is to be filled in"), "{why}");
    }
    assert!(ran.stderr.contains("docs/answers.md") || !ran.stderr.contains("rolecall:"));
}

#[test]
fn a_recorded_answer_is_a_file_of_the_corpus_once_it_is_filled_in() {
    let ran = Provider::new(odd).run(ODD, &["--record-answers", "answers"]);
    let (name, text) = recorded(&ran).into_iter().next().unwrap();
    let filled = text
        .replacen("product: ?", "product: Corporate filter", 1)
        .replacen("expect: ?", "expect: rejected", 1)
        .replacen("signature: ?", "signature: none", 1)
        .replacen("proves: ?", "proves: nothing", 1);
    let specimen = Specimen::read(&name, &filled).unwrap();
    assert_eq!(specimen.says("situation"), "read as rejected so far");
    let served = run(std::slice::from_ref(&specimen), SCENARIO, &[]);
    let report = served.report();
    assert_eq!(cell(&report, &specimen)["outcome"], "rejected");
    assert_eq!(cell(&report, &specimen)["status"], 418);
}

#[test]
fn a_file_that_stands_there_is_not_overwritten() {
    let provider = Provider::new(odd);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("scenario.yaml"), ODD).unwrap();
    let arguments = ["run", "--record-answers", "answers", "scenario.yaml"];
    let run = || {
        provider
            .bench()
            .command(folder.path(), &arguments)
            .output()
            .unwrap()
    };
    run();
    let answers = || {
        let entries = fs::read_dir(folder.path().join("answers")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let first = answers();
    fs::write(&first[0], "reviewed by hand").unwrap();
    run();
    assert_eq!(answers(), first);
    assert_eq!(fs::read_to_string(&first[0]).unwrap(), "reviewed by hand");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_before_anything_is_sent() {
    let provider = Provider::new(odd);
    let ran = provider.run(ODD, &["--record-answers", "scenario.yaml"]);
    assert_eq!(ran.exit, 2, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("cannot write answers to scenario.yaml"),
        "{}",
        ran.stderr
    );
    assert!(provider.heard(|_| true).is_empty());
}

#[test]
fn nothing_is_saved_where_everything_is_known_or_nobody_asked() {
    let corpus = some(&["apim-return-response-role", "kong-acl", "cloudflare-1020"]);
    let ran = run(&corpus, SCENARIO, &["--record-answers", "answers"]);
    assert_eq!(recorded(&ran), []);
    let ran = Provider::new(odd).run(ODD, &[]);
    assert_eq!(recorded(&ran), []);
}

#[test]
fn the_page_about_answers_tells_of_every_outcome_signature_and_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/answers.md");
    let page = fs::read_to_string(path).unwrap();
    let signatures = judge::Signature::ALL.map(|signature| {
        let word = serde_json::to_value(signature).unwrap();
        word.as_str().unwrap().to_owned()
    });
    let words = Outcome::ALL.map(|outcome| outcome.name().to_owned());
    for word in signatures.iter().chain(&words) {
        let row = format!("| `{word}` |");
        assert!(page.contains(&row), "no row {row}");
    }
    for key in KEYS {
        assert!(
            page.contains(&format!("\n{key}: ")),
            "{key} is not explained"
        );
    }
    for proof in PROOFS {
        assert!(
            page.contains(&format!(" {proof}")),
            "{proof} is not explained"
        );
    }
}
