//! Whatever a scenario says and wherever authorization is missing: objects that a run did not make stay as they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rolecall::plan::{Plan, Selection};
use rolecall::reference::{Deployment, Fault, Product, Seen};
use rolecall::run::{self, Means, Settings, Stop};
use rolecall::scenario::{Missing, Scenario, Sources};
use rolecall::secret::Redactor;
use rolecall::token::{Attendant, Nobody};
use rolecall::wire::{self, Proxies, Wire};

/// Numbers from which the parts of a scenario are picked: each the first one where it is 0.
struct Picks<'p> {
    numbers: &'p [u8],
    next: usize,
}

impl Picks<'_> {
    fn number(&mut self) -> u8 {
        self.next += 1;
        self.numbers.get(self.next - 1).copied().unwrap_or_default()
    }

    fn pick<'t>(&mut self, options: &[&'t str]) -> &'t str {
        options[usize::from(self.number()) % options.len()]
    }

    /// Some of the words, as a YAML list.
    fn some(&mut self, words: &[&str]) -> String {
        let bits = self.number();
        let chosen = words.iter().enumerate();
        let chosen = chosen.filter(|(place, _)| bits >> place & 1 == 1);
        let chosen: Vec<&str> = chosen.map(|(_, word)| *word).collect();
        format!("[{}]", chosen.join(", "))
    }
}

const PERSONAS: [&str; 5] = ["reader", "writer", "admin", "stranger", "anonymous"];

/// Where authorization is missing any token is as good as a genuine one, and none has to be asked for.
fn personas() -> String {
    let row = |name: &&str| format!("  {name}: {{ sign_in: {{ token: {{ env: {name} }} }} }}\n");
    let rows: String = PERSONAS[..4].iter().map(row).collect();
    format!("{rows}  anonymous: {{ sign_in: none }}\n")
}

/// A fixture that may capture, read, find, remove and decoy in good faith or not.
fn fixture(picks: &mut Picks<'_>) -> String {
    let owner = picks.pick(&["admin", "writer", "reader", "stranger"]);
    let capture = picks.pick(&["/id", "/id", "/id", "/name", "/price", "/nowhere", "''"]);
    let create = picks.pick(&[
        "rest: { request: POST /api/products, json: { name: \"x {{ tag }}\", price: 1 } }",
        "rest: { request: POST /api/products, json: { name: \"{{ run.id }}\", price: 1 } }",
        "mcp: { tool: createProduct, arguments: { name: \"x {{ tag }}\", price: 1 } }",
        "mcp: { tool: createProduct, arguments: { name: \"{{ tag }}\", price: 1, description: \"{{ run.expires }}\" } }, rest: { request: POST /api/products, json: { name: \"{{ tag }}\", price: 1 } }",
        // What is listed or searched for is somebody's.
        "rest: \"GET /api/products?made={{ tag }}\"",
        "rest: \"GET /api/products/search?q=&made={{ tag }}\"",
    ]);
    let capture = if create.starts_with("rest: \"GET") {
        picks.pick(&["/items/0/id", "/items/1/id", "/items/0/name"])
    } else {
        capture
    };
    let read = picks.pick(&[
        "    read: { rest: \"GET /api/products/{{ product.id }}\" }\n",
        "    read: { mcp: { tool: getProduct, arguments: { id: \"{{ product.id }}\" } } }\n",
        "",
        // Everything, whatever is asked for.
        "    read: { rest: \"GET /api/products?id={{ product.id }}\" }\n",
        "    read: { mcp: { tool: listProducts, arguments: { id: \"{{ product.id }}\" } } }\n",
    ]);
    let find = picks.pick(&[
        "    find: { rest: \"GET /api/products/search?q={{ tag }}\", capture: { id: /items/0/id } }\n",
        "",
        "    find: { rest: \"GET /api/products?q={{ tag }}\", capture: { id: /items/0/id } }\n",
        "    find: { mcp: { tool: listProducts, arguments: { q: \"{{ tag }}\" } }, capture: { id: /items/1/id } }\n",
        "    find: { mcp: { tool: searchProducts, arguments: { q: \"{{ tag }}\" } }, capture: { id: /items/0/id } }\n",
    ]);
    let remove = picks.pick(&[
        "rest: \"DELETE /api/products/{{ product.id }}\"",
        "mcp: { tool: deleteProduct, arguments: { id: \"{{ product.id }}\" } }",
        "rest: \"DELETE /api/products/${FOREIGN}?own={{ product.id }}\"",
        "mcp: { tool: deleteProduct, arguments: { id: \"${FOREIGN}\", own: \"{{ product.id }}\" } }",
        "rest: \"DELETE /api/products/{{ tag }}\"",
    ]);
    let decoy = picks.pick(&[
        "    decoy: { id: 00000000-0000-0000-0000-000000000000 }\n",
        "",
        "    decoy: { id: \"${FOREIGN}\" }\n",
        "    decoy: { id: nothing }\n",
        "    decoy: { id: 7 }\n",
    ]);
    format!(
        "  product:\n    as: {owner}\n    create: {{ {create}, capture: {{ id: {capture} }} }}\n{read}{find}    remove: {{ {remove} }}\n{decoy}"
    )
}

fn operation(place: usize, picks: &mut Picks<'_>) -> String {
    let allow = picks.some(&PERSONAS);
    let what = picks.pick(&[
        "rest: GET /api/products, mcp: listProducts",
        "uses: product, rest: \"GET /api/products/{{ product.id }}\", mcp: { tool: getProduct, arguments: { id: \"{{ product.id }}\" } }",
        "creates: product, rest: { request: POST /api/products, json: { name: \"{{ tag }}\", price: 1 } }, mcp: { tool: createProduct, arguments: { name: \"{{ tag }}\", price: 1 } }",
        "creates: product, rest: { request: PUT /api/products/${FOREIGN}, json: { name: \"{{ tag }}\", price: 1 } }",
        "creates: product, mutates: true, mcp: { tool: updateProduct, arguments: { id: \"${FOREIGN}\", name: \"{{ tag }}\", price: 1 } }",
        "uses: product, rest: { request: \"PUT /api/products/{{ product.id }}\", json: { name: \"{{ tag }}\", price: 2 } }, mcp: { tool: updateProduct, arguments: { id: \"{{ product.id }}\", name: \"{{ tag }}\", price: 2 } }",
        "uses: product, rest: { request: \"PUT /api/products/{{ product.id }}\", json: { name: fixed, price: 2 } }",
        "uses: product, rest: { request: \"PUT /api/products/${FOREIGN}?own={{ product.id }}\", json: { name: taken, price: 9 } }",
        "uses: product, rest: \"DELETE /api/products/{{ product.id }}\", mcp: { tool: deleteProduct, arguments: { id: \"{{ product.id }}\" } }",
        "uses: product, rest: \"DELETE /api/products/{{ product.id }}\"",
        "uses: product, mutates: true, mcp: { tool: deleteProduct, arguments: { id: \"{{ product.id }}\" } }",
        "uses: product, rest: { request: DELETE /api/products/${FOREIGN}, headers: { x-own: \"{{ product.id }}\" } }",
        "uses: product, mutates: true, mcp: { tool: deleteProduct, arguments: { id: \"${FOREIGN}\", own: \"{{ product.id }}\" } }",
        "rest: DELETE /api/products/${FOREIGN}",
        "mutates: true, mcp: { tool: deleteProduct, arguments: { id: \"${FOREIGN}\" } }",
        "mutates: true, mcp: { tool: deleteProduct, arguments: { id: \"${FOREIGN}\" } }, uses: product",
    ]);
    format!("  operation{place}: {{ allow: {allow}, {what} }}\n")
}

fn scenario(picks: &mut Picks<'_>) -> String {
    let disposable = picks.pick(&["true", "true", "true", "false"]);
    let doors = picks.pick(&["[rest]", "[rest, mcp]", "[mcp]", "[rest, mcp-legacy]"]);
    let (fixture, personas) = (fixture(picks), personas());
    let count = usize::from(picks.number() % 3) + 1;
    let operations: String = (0..count).map(|place| operation(place, picks)).collect();
    format!(
        r#"rolecall: 1
name: Random
deployment:
  rest: ${{CATALOG_REST_URL}}
  mcp: {{ url: "${{CATALOG_MCP_URL}}", requirements: ignore }}
  doors: {doors}
  disposable: {disposable}
identity: {{ endpoints: {{ token: "${{CATALOG_REST_URL}}/token" }} }}
personas:
{personas}fixtures:
{fixture}operations:
{operations}"#
    )
}

/// The deployment with its authorization switched off, and everything that a run needs.
struct Field {
    deployment: Deployment,
    variables: BTreeMap<String, String>,
    foreign: Vec<Product>,
    runtime: tokio::runtime::Runtime,
    wire: Wire,
}

impl Field {
    fn new() -> Self {
        let deployment = Deployment::start(&[Fault::RestNoAuth, Fault::McpNoAuth]).unwrap();
        let foreign = deployment.products();
        let variables = deployment.variables().into_iter();
        let mut variables: BTreeMap<String, String> = variables
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        variables.insert("FOREIGN".to_owned(), foreign[0].id.clone());
        variables.extend(PERSONAS.map(|name| {
            (
                name.to_owned(),
                format!("token of {name}").replace(' ', "-"),
            )
        }));
        let settings = wire::Settings {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
            body_cap: 1 << 20,
            authorities: Vec::new(),
            proxies: Proxies::default(),
        };
        Self {
            deployment,
            variables,
            foreign,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            wire: Wire::new(&settings).unwrap(),
        }
    }

    /// Runs the scenario, where it is one; whether it was.
    fn run(&self, text: &str, run_id: String, read_only: bool) -> bool {
        let sources = Sources {
            variables: self.variables.clone(),
            missing: Missing::Refused,
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
            today: "2026-06-01".parse().unwrap(),
        };
        let Ok(scenario) = Scenario::read("random.yaml", text, &sources) else {
            return false;
        };
        let selection = Selection {
            read_only,
            ..Selection::default()
        };
        let plan = Plan::lay(Arc::new(scenario), selection);
        let (redactor, stop) = (Arc::new(Redactor::default()), Stop::default());
        let attendant: Arc<dyn Attendant> = Arc::new(Nobody);
        let settings = Settings {
            run_id,
            expires: "2030-01-01T00:00:00Z".to_owned(),
            jobs: 8,
            rate: None,
            retries: 0,
            deadline: Duration::from_secs(60),
            today: "2026-06-01".parse().unwrap(),
            course: run::Course::default(),
        };
        let means = Means {
            wire: &self.wire,
            redactor: &redactor,
            settings: &settings,
            stop: &stop,
            attendant: &attendant,
            gallery: None,
        };
        self.runtime
            .block_on(run::run(plan, means, &mut |_event| {}))
            .unwrap();
        true
    }

    /// Runs that change nothing at all would prove nothing.
    fn assert_was_busy(&self, runs: u32) {
        let traffic = self.deployment.traffic();
        let count = |method: &str, tool: &str| {
            let is = |one: &&Seen| one.method == method || one.tool.as_deref() == Some(tool);
            traffic.iter().filter(is).count()
        };
        let least = usize::try_from(runs).unwrap() / 2;
        for (method, tool) in [("PUT", "updateProduct"), ("DELETE", "deleteProduct")] {
            assert!(
                count(method, tool) >= least,
                "{method}: {}",
                count(method, tool)
            );
        }
    }

    /// What of the products that no run made is not as it was.
    fn harm(&self) -> Option<String> {
        let now = self.deployment.products();
        let gone = self.foreign.iter().find(|known| !now.contains(known))?;
        Some(format!("{gone:?} is not as it was"))
    }
}

#[test]
fn no_scenario_changes_what_its_run_did_not_make_where_nothing_is_refused() {
    try_scenarios(150);
}

#[test]
#[ignore = "takes too long for every day; .ci/run runs it"]
fn no_scenario_of_a_thousand_does() {
    try_scenarios(1000);
}

fn try_scenarios(wanted: u32) {
    let field = Field::new();
    assert!(field.foreign.len() >= 2, "there is something to harm");
    let mut runner = TestRunner::new(Config {
        cases: wanted,
        failure_persistence: None,
        max_global_rejects: 100_000,
        // What was harmed once stays so: a smaller scenario would be blamed for it.
        max_shrink_iters: 0,
        ..Config::default()
    });
    let ran = std::cell::Cell::new(0_u32);
    let number = std::cell::Cell::new(0_u32);
    let tried = runner.run(&vec(any::<u8>(), 24), |numbers| {
        // One that is no scenario proves nothing: another is tried in its place.
        let mut picks = Picks {
            numbers: &numbers,
            next: 0,
        };
        let read_only = picks.pick(&["no", "no", "no", "no", "yes"]) == "yes";
        let text = scenario(&mut picks);
        number.set(number.get() + 1);
        if !field.run(
            &text,
            format!("{:08x}", 0xabcd_0000 + number.get()),
            read_only,
        ) {
            return Err(TestCaseError::reject("refused"));
        }
        ran.set(ran.get() + 1);
        match field.harm() {
            None => Ok(()),
            Some(harm) => Err(TestCaseError::fail(format!("{harm}\n{text}"))),
        }
    });
    assert!(tried.is_ok(), "{}", tried.unwrap_err());
    assert!(ran.get() >= wanted);
    field.assert_was_busy(ran.get());
}
