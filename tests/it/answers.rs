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
            .unwrap_or_else(|| panic!("{}: no such outcome", self.name))
    }

    /// The answer as bytes; `id` is that of the JSON-RPC request, which is 1 in every file.
    fn raw(&self, id: &Value) -> String {
        let body = self.body.replacen("\"id\":1,", &format!("\"id\":{id},"), 1);
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
            ("rest", _) => format!("rest: \"{} /answers/{name}{id}\"", Self::verb(verb, self)),
            (_, "tools/call") => format!(
                "mutates: false, mcp: {{ tool: {subject}, arguments: {{ answer: {name}, id: \"{id}\" }} }}"
            ),
            (_, "resources/read") => format!("mcp: {{ resource: \"{subject}\" }}"),
            _ => panic!("{name}: no such request"),
        };
        format!("  {name}: {{ allow: [admin]{decoy}, {shape} }}\n")
    }

    /// What would change something is asked for decoys alone.
    fn verb<'v>(verb: &'v str, specimen: &Self) -> &'v str {
        assert!(
            verb == "GET" || specimen.is("decoy"),
            "{}: {verb} without a decoy",
            specimen.name
        );
        verb
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
    let name = params["name"].as_str().or(params["uri"].as_str());
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
        .unwrap_or_else(|| panic!("{id} was not called"))
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
