//! Scenario and doors in, 16 hex digits out that change when anything sent or demanded changes.

use std::fmt::{self, Write as _};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::conduct::{self, Conduct};
use super::matrix::Matrix;
use crate::cell::Door;
use crate::json;
use crate::scenario::template::JsonTemplate;
use crate::scenario::{
    Declaration, Denials, Extent, Fixture, HeaderText, McpCall, Operation, RestCall, Scenario, Step,
};

/// The digest. What belongs to a deployment is left out, which is addresses, headers of its doors, sign-ins and secrets:
/// the same scenario against two deployments is the same plan.
pub(super) fn of(scenario: &Scenario, doors: &[Door], read_only: bool) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?}\n", scenario.deployment.mcp_refuses));
    if scenario.deployment.mcp_denials != Denials::default() {
        hash.update(format!("{:?}\n", scenario.deployment.mcp_denials));
    }
    for fingerprint in &scenario.deployment.fingerprints {
        hash.update(format!("fingerprint {}\n", fingerprint.marks()));
    }
    let terms = &scenario.deployment.requirements;
    if !terms.is_usual() {
        hash.update(format!("{terms:?}\n"));
    }
    let extent = &scenario.deployment.extent;
    // Where the document is belongs to the deployment.
    let demanded = Extent {
        openapi: None,
        ..extent.clone()
    };
    if !demanded.is_usual() {
        hash.update(format!("{demanded:?}\n"));
    }
    // They decide verdicts, so that shards of one run must state the same; the lines that they stand on do not.
    for waiver in &scenario.waivers {
        hash.update(format!(
            "waiver {} {} {}\n",
            waiver.finding,
            waiver.places(),
            waiver.words()
        ));
    }
    for persona in &scenario.personas {
        hash.update(format!("persona {} {:?}\n", persona.name, persona.roles));
        let client = persona
            .client
            .and_then(|client| scenario.clients.get(client));
        if let Some(client) = client.filter(|client| !client.headers.is_empty()) {
            hash.update(format!("{:?}\n", written(&client.headers)));
        }
        if persona.declared != Declaration::default() {
            hash.update(format!("{:?}\n", persona.declared));
        }
    }
    for fixture in &scenario.fixtures {
        hash.update(object(fixture));
        if !fixture.settle.is_zero() {
            hash.update(format!("{:?}\n", fixture.settle));
        }
    }
    let mut lines = Lines::default();
    for operation in &scenario.operations {
        let conduct = conduct::of(scenario, operation, read_only);
        lines.attempt(operation, doors, conduct);
        hash.update(&lines.text);
        lines.text.clear();
    }
    shown(hash)
}

/// What is sent and demanded of an operation, word by word. There are many, so that each is written once for all its doors,
/// and into the same room.
#[derive(Default)]
struct Lines {
    text: String,
    /// How the last operation is called, and that in words.
    manner: Option<(Conduct, Option<Duration>)>,
    words: String,
}

impl Lines {
    fn attempt(&mut self, operation: &Operation, doors: &[Door], conduct: Conduct) {
        let here = || doors.iter().filter(|door| operation.has(**door));
        if here().next().is_none() {
            return;
        }
        self.word(operation.name.as_str());
        self.manner((conduct, operation.settle));
        if let Some(call) = operation
            .rest
            .as_ref()
            .filter(|_| doors.contains(&Door::Rest))
        {
            self.rest(call);
        }
        let speaks = |door: &Door| door.speaks_mcp();
        if let Some(call) = operation.mcp.as_ref().filter(|_| doors.iter().any(speaks)) {
            self.mcp(call);
        }
        for door in here() {
            self.word(door.name());
            for demand in operation.demands.at(*door) {
                match demand {
                    Some(demand) => {
                        self.text.push(' ');
                        self.text.push_str(&demand.expectation.word());
                        self.text.push(' ');
                    }
                    None => self.word(""),
                }
            }
        }
        self.text.push('\n');
    }

    /// How an operation is called; most are as the last was.
    fn manner(&mut self, manner: (Conduct, Option<Duration>)) {
        if self.manner != Some(manner) {
            self.manner = Some(manner);
            self.words = format!(" {:?} {:?} ", manner.0, manner.1);
        }
        self.text.push_str(&self.words);
    }

    fn rest(&mut self, call: &RestCall) {
        self.word(&call.method);
        self.word(call.target.source());
        self.thing(call.headers.len());
        for (name, value) in written(&call.headers) {
            self.word(name);
            self.word(value);
        }
        self.word(call.json.as_ref().map_or("", JsonTemplate::text));
    }

    fn mcp(&mut self, call: &McpCall) {
        self.word(call.method().name());
        self.word(call.subject().unwrap_or_default());
        match call {
            McpCall::Tool { arguments, .. } | McpCall::Prompt { arguments, .. } => {
                self.word(arguments.text());
            }
            McpCall::Completion(completion) => {
                self.thing(format_args!("{:?}", completion.of));
                self.word(&completion.argument);
                self.word(completion.value.source());
            }
            McpCall::Resource { .. } | McpCall::List(_) | McpCall::Discovery => {}
        }
    }

    /// A word with its length before it: where one ends and the next begins is no matter of what they hold.
    fn word(&mut self, word: &str) {
        self.text.push(' ');
        json::put_number(&mut self.text, word.len());
        self.text.push(' ');
        self.text.push_str(word);
    }

    /// What holds none of the author's own text.
    fn thing(&mut self, thing: impl fmt::Display) {
        write!(self.text, " {thing} ").expect("there is always room in a text");
    }
}

/// The digest of what objects are made of, by whom and at which addresses.
pub(super) fn of_fixtures(scenario: &Scenario) -> String {
    let mut hash = Sha256::new();
    let deployment = &scenario.deployment;
    for entry in [&deployment.rest, &deployment.mcp].into_iter().flatten() {
        hash.update(format!("{}\n", entry.url));
    }
    for fixture in &scenario.fixtures {
        let owner = &scenario.personas[fixture.owner].name;
        hash.update(format!("{owner} {}", object(fixture)));
    }
    shown(hash)
}

/// The digest of the addresses of the doors.
pub(super) fn of_addresses(scenario: &Scenario) -> String {
    let mut hash = Sha256::new();
    for entry in [&scenario.deployment.rest, &scenario.deployment.mcp] {
        let url = entry.as_ref().map(|entry| entry.url.as_str());
        hash.update(format!("{url:?}\n"));
    }
    shown(hash)
}

fn shown(hash: Sha256) -> String {
    let digest = hash.finalize();
    let first = digest.first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}

/// The digest of a plan of which only some cells are left.
pub(super) fn narrowed(digest: &str, matrix: &Matrix) -> String {
    let mut hash = Sha256::new();
    hash.update(digest);
    for check in matrix.checks() {
        hash.update(format!("\n{}", matrix.cell(&check)));
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}

fn object(fixture: &Fixture) -> String {
    let steps = [
        Some(&fixture.create),
        fixture.read.as_ref(),
        fixture.find.as_ref(),
        Some(&fixture.remove),
    ];
    format!(
        "fixture {} {} {:?} {:?} {:?} {:?}\n",
        fixture.name,
        fixture.owner,
        steps.map(|step| step.map(shapes)),
        fixture.capture,
        fixture.find_capture,
        fixture.decoy
    )
}

fn shapes(step: &Step) -> (Option<String>, Option<String>) {
    (step.rest.as_ref().map(rest), step.mcp.as_ref().map(mcp))
}

fn rest(call: &RestCall) -> String {
    let headers = written(&call.headers);
    let json = call.json.as_ref().map(JsonTemplate::text);
    let target = call.target.source();
    format!("{} {target} {headers:?} {json:?}", call.method)
}

fn written(headers: &[(String, HeaderText)]) -> Vec<(&String, &str)> {
    let headers = headers.iter().map(|(name, text)| match text {
        HeaderText::Plain(template) => (name, template.source()),
        HeaderText::Secret(_) | HeaderText::Command(_) => (name, ""),
    });
    headers.collect()
}

fn mcp(call: &McpCall) -> String {
    let details = call.details().map(|details| details.to_string());
    format!("{:?} {:?} {details:?}", call.method(), call.subject())
}

#[cfg(test)]
mod tests {
    use crate::cell::Door;
    use crate::plan::tests::{CATALOG, plan};
    use crate::plan::{Plan, Selection};

    fn digest(text: &str, variables: &[(&str, &str)]) -> String {
        plan(text, variables, Selection::default()).digest
    }

    #[test]
    fn two_deployments_of_one_scenario_have_one_digest() {
        let at = |host: &str, word: &str| {
            let (rest, mcp) = (format!("https://{host}"), format!("https://{host}/mcp"));
            let variables = [
                ("CATALOG_REST_URL", rest.as_str()),
                ("CATALOG_MCP_URL", mcp.as_str()),
                ("ENTRA_TENANT_ID", word),
                ("READER_ID", word),
                ("READER_SECRET", word),
            ];
            digest(CATALOG, &variables)
        };
        assert_eq!(at("one.example", "a"), at("two.example", "b"));
    }

    #[test]
    fn whatever_is_sent_or_demanded_changes_the_digest() {
        let table = [
            ("allow: [reader, writer, admin]", "allow: [writer, admin]"),
            ("[Products.Read]", "[Products.Read, Products.Write]"),
            ("rest: GET /api/products\n", "rest: GET /api/items\n"),
            (
                "rest: GET /api/products\n",
                "rest: { request: GET /api/products, headers: { x-page: all } }\n",
            ),
            ("mcp: listProducts", "mcp: listAll"),
            ("price: 2", "price: 3"),
            ("disposable: true", "disposable: false"),
            ("search?q={{ tag }}", "search?name={{ tag }}"),
            (
                "capture: { id: /items/0/id }",
                "capture: { id: /items/1/id }",
            ),
            ("as: admin", "as: writer"),
            ("as: admin", "as: admin\n    settle: 5s"),
            ("creates: product\n", "creates: product\n    settle: 5s\n"),
            ("000000000000 }", "000000000001 }"),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", refuses: hidden }",
            ),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", refuses: { shape: http, codes: [-32001] } }",
            ),
            ("mcp: listProducts", "mcp: { resource: products://catalog }"),
            ("mcp: listProducts", "mcp: { prompt: listProducts }"),
            ("mcp: listProducts", "mcp: { list: tools }"),
            ("mcp: listProducts", "mcp: { discover: server }"),
            (
                "mcp: listProducts",
                "mcp: { complete: { prompt: listProducts, argument: a } }",
            ),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", undeclared: warn }",
            ),
            (
                "disposable: true",
                "disposable: true\n  fingerprints: [{ name: waf, status: 403, means: intercepted }]",
            ),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", requirements: ignore }",
            ),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", ignore: { ping: harmless } }",
            ),
            (
                "url: ${CATALOG_REST_URL}",
                "url: ${CATALOG_REST_URL}\n    undeclared: warn",
            ),
            (
                "mcp: ${CATALOG_MCP_URL}",
                "mcp: { url: \"${CATALOG_MCP_URL}\", waive: { C-07: known } }",
            ),
        ];
        let whole = digest(CATALOG, &[]);
        for (old, new) in table {
            let changed = CATALOG.replacen(old, new, 1);
            assert_ne!(changed, CATALOG, "{old}");
            assert_ne!(digest(&changed, &[]), whole, "{old} to {new}");
        }
    }

    #[test]
    fn a_client_s_headers_change_the_digest_and_its_redirects_do_not() {
        const CLIENTS: &str = include_str!("../../scenarios/clients.yaml");
        let whole = digest(CLIENTS, &[]);
        let changed = |old: &str, new: &str| {
            let text = CLIENTS.replacen(old, new, 1);
            assert_ne!(text, CLIENTS, "{old}");
            digest(&text, &[])
        };
        assert_ne!(changed("mcp-inspector", "another"), whole);
        assert_ne!(
            changed("[copilot-studio, inspector, insomnia]", "[inspector]"),
            whole
        );
        assert_eq!(changed("oauth/callback", "oauth/other"), whole);
    }

    #[test]
    fn the_selection_changes_the_digest_and_what_answers_does_not() {
        let whole = plan(CATALOG, &[], Selection::default());
        let chosen = |doors: &[Door], read_only| {
            let selection = Selection {
                doors: doors.to_vec(),
                read_only,
                ..Selection::default()
            };
            plan(CATALOG, &[], selection)
        };
        assert_ne!(chosen(&[Door::Rest], false).digest, whole.digest);
        assert_ne!(chosen(&[], true).digest, whole.digest);
        let answering: Plan = whole.clone().through(&[Door::Rest]);
        assert_eq!(answering.digest, whole.digest);
    }
}
