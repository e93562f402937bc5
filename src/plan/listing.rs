//! Plan in, every request that it would send out, one line each, in order.

use serde::Serialize;
use serde_json::Value;

use super::{Conduct, Plan};
use crate::cell::Door;
use crate::scenario::sign_in::{
    Assertion, Client, Command, IdentityService, Proof, SecretSource, SignIn,
};
use crate::scenario::template::JsonTemplate;
use crate::scenario::{
    EntraEndpoint, Fixture, HeaderText, Identity, Location, McpCall, Operation, Persona, Profile,
    Provider, RestCall, Step, Undeclared,
};

/// A request that a run would send.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Planned {
    /// What it is for.
    pub stage: Stage,
    /// Who sends it.
    pub persona: String,
    /// The cell it belongs to, or the fixture and its step.
    pub subject: String,
    /// Method and target, or JSON-RPC method and name; run-time values stand as `{{ … }}`.
    pub request: String,
    /// The JSON that goes along, as the author wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// What must come back; empty for calls that no cell demands.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// How the call may be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conduct: Option<Conduct>,
}

const PAGES: &str = "tools/list, to its last page";
const LEAST: &str = "the one with the fewest rights";
const UNNAMED: &str =
    "tools/call of a tool that no operation names, if one is listed that says that it only reads";

/// What a request of a plan is for, in the order in which a run comes to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Discovery and tokens.
    SignIn,
    /// A provider is asked whether it knows a client's redirect.
    Redirect,
    /// Finding out which MCP eras the URL answers.
    Door,
    /// An object of the run's own is made, read or found.
    Fixture,
    /// A cell is called.
    Check,
    /// A persona asks which tools it is shown.
    List,
    /// A requirement of the MCP authorization chapter is checked.
    Requirement,
    /// Looking for doors that no cell calls.
    Unlisted,
    /// An object of the run's own is removed.
    Cleanup,
    /// A session of the run's own is ended.
    Farewell,
}

impl Plan {
    /// Every request that a run would send, in the order of its stages. Retries and confirmations are not foreseen.
    pub fn requests(&self) -> Vec<Planned> {
        let mut requests = self.errands();
        requests.extend(self.sign_ins());
        requests.extend(self.client_headers());
        requests.extend(self.redirects());
        requests.extend(self.door_openings());
        requests.extend(self.fixture_steps(Stage::Fixture));
        requests.extend(self.calls());
        requests.extend(self.lists());
        requests.extend(self.fixture_steps(Stage::Cleanup));
        requests.extend(self.session_ends());
        requests
    }

    /// Personas that a run signs in, or calls without a token.
    fn called(&self) -> impl Iterator<Item = &Persona> {
        let personas = self.scenario.personas.iter().zip(self.callers());
        personas.filter_map(|(persona, is_called)| is_called.then_some(persona))
    }

    /// Fixtures of which a run may need objects.
    fn fixtures(&self) -> impl Iterator<Item = &Fixture> {
        let needed = |fixture: usize| {
            let mut groups = self.groups.iter();
            groups.any(|group| {
                let operation = &self.scenario.operations[group.operation];
                let needs = operation.uses.contains(&fixture) || operation.creates == Some(fixture);
                needs && self.cells(group).next().is_some()
            })
        };
        let fixtures = self.scenario.fixtures.iter().enumerate();
        fixtures.filter_map(move |(index, fixture)| {
            (self.is_whole() || needed(index)).then_some(fixture)
        })
    }

    /// Programs that print headers, each once.
    fn errands(&self) -> Vec<Planned> {
        let mut known: Vec<&Command> = Vec::new();
        let mut errands = Vec::new();
        for (name, text) in self.scenario.headers() {
            let HeaderText::Command(command) = text else {
                continue;
            };
            if !known.contains(&command) {
                known.push(command);
                let request = format!("run {}", command.program);
                let subject = format!("header {name}");
                errands.push(aside(Stage::SignIn, "everybody", &subject, request, None));
            }
        }
        errands
    }

    /// Discovery is asked once a provider, tokens once a persona.
    fn sign_ins(&self) -> Vec<Planned> {
        let mut requests: Vec<Planned> = Vec::new();
        for persona in self.called() {
            for request in sign_in_steps(persona) {
                let known = |planned: &Planned| planned.request == request;
                let document = request == KEYS
                    || request.starts_with("GET ") && request.contains("/.well-known/");
                if !document || !requests.iter().any(known) {
                    let subject = if document { "discovery" } else { "token" };
                    requests.push(aside(
                        Stage::SignIn,
                        persona.name.as_str(),
                        subject,
                        request,
                        None,
                    ));
                }
            }
        }
        requests
    }

    /// What the calls of a persona carry because of its client.
    fn client_headers(&self) -> Vec<Planned> {
        let carried = self.called().filter_map(|persona| {
            let client = self.scenario.clients.get(persona.client?)?;
            let headers: Vec<String> = client.headers.iter().map(shown_header).collect();
            let words = format!("every call carries {}", headers.join(", "));
            let name = persona.name.as_str();
            (!headers.is_empty()).then(|| aside(Stage::SignIn, name, "headers", words, None))
        });
        carried.collect()
    }

    fn redirects(&self) -> Vec<Planned> {
        let mut requests = Vec::new();
        if !self.is_whole() {
            return requests;
        }
        for client in &self.scenario.clients {
            for redirect in &client.redirects {
                requests.extend(client.identities.iter().map(|identity| {
                    let page = authorization_endpoint(client, identity);
                    let request = format!(
                        "GET {page} with prompt=none, redirect {}",
                        redirect.as_str()
                    );
                    aside(Stage::Redirect, &client.name, "redirect", request, None)
                }));
            }
        }
        requests
    }

    fn door_openings(&self) -> Vec<Planned> {
        let mut openings = Vec::new();
        if self.matrix.doors.contains(&Door::Mcp) {
            openings.push(aside(
                Stage::Door,
                "the first that may",
                "mcp",
                "server/discover".to_owned(),
                None,
            ));
        }
        if self.matrix.doors.contains(&Door::McpLegacy) {
            for persona in self.called() {
                for request in ["initialize", "notifications/initialized"] {
                    openings.push(aside(
                        Stage::Door,
                        persona.name.as_str(),
                        "mcp-legacy",
                        request.to_owned(),
                        None,
                    ));
                }
            }
        }
        openings
    }

    fn session_ends(&self) -> Vec<Planned> {
        let is_there = self.matrix.doors.contains(&Door::McpLegacy);
        let personas = self.called().filter(|_| is_there);
        let request = "DELETE, where a session was opened";
        let ends = personas.map(|persona| {
            let name = persona.name.as_str();
            aside(
                Stage::Farewell,
                name,
                "mcp-legacy",
                request.to_owned(),
                None,
            )
        });
        ends.collect()
    }

    fn lists(&self) -> Vec<Planned> {
        if !self.is_whole() {
            return Vec::new();
        }
        let doors = self.matrix.doors.iter().filter(|door| door.speaks_mcp());
        let doors: Vec<&str> = doors.map(|door| door.name()).collect();
        let rows = self.matrix.personas.iter().filter(|row| row.signs_in);
        let mut requests = Vec::new();
        requests.extend(self.document());
        for row in rows {
            let name = row.name.as_str();
            let page = |door: &&str| aside(Stage::List, name, door, PAGES.to_owned(), None);
            requests.extend(doors.iter().map(page));
        }
        let undeclared = self.scenario.deployment.requirements.undeclared;
        if undeclared == Undeclared::Fail && !self.is_read_only() {
            let call = |door: &&str| aside(Stage::List, LEAST, door, UNNAMED.to_owned(), None);
            requests.extend(doors.iter().map(call));
        }
        requests
    }

    /// The OpenAPI document, where it has to be fetched.
    fn document(&self) -> Option<Planned> {
        let openapi = self.scenario.deployment.extent.openapi.as_ref()?;
        let fetched = matches!(openapi, Location::Url(_)) && self.wants(Door::Rest);
        let request = format!("GET {}", openapi.shown());
        fetched.then(|| aside(Stage::List, "nobody", "openapi", request, None))
    }

    fn fixture_steps(&self, stage: Stage) -> Vec<Planned> {
        if !self.may_make_objects() {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for fixture in self.fixtures() {
            let owner = self.scenario.personas[fixture.owner].name.as_str();
            let named: &[(&str, Option<&Step>)] = if stage == Stage::Cleanup {
                &[("remove", Some(&fixture.remove))]
            } else {
                &[
                    ("create", Some(&fixture.create)),
                    ("read", fixture.read.as_ref()),
                    ("find", fixture.find.as_ref()),
                ]
            };
            for (name, step) in named {
                let Some((request, json)) = step.and_then(shown_step) else {
                    continue;
                };
                steps.push(aside(
                    stage,
                    owner,
                    &format!("{} {name}", fixture.name),
                    request,
                    json,
                ));
            }
        }
        steps
    }

    fn calls(&self) -> Vec<Planned> {
        let cells = self
            .groups
            .iter()
            .flat_map(|group| self.cells(group).map(move |cell| (group, cell)));
        cells
            .filter_map(|(group, cell)| {
                let check = self.matrix.check(cell)?;
                let (request, json) =
                    shown(&self.scenario.operations[group.operation], group.door)?;
                Some(Planned {
                    stage: Stage::Check,
                    persona: self.matrix.personas[check.persona].name.to_string(),
                    subject: self.matrix.cell(&check).to_string(),
                    request,
                    json,
                    expected: if self.matrix.is_control(cell) {
                        format!("{}, as a control", check.demand.expectation)
                    } else {
                        check.demand.expectation.to_string()
                    },
                    conduct: Some(group.conduct),
                })
            })
            .collect()
    }
}

fn aside(
    stage: Stage,
    persona: &str,
    subject: &str,
    request: String,
    json: Option<Value>,
) -> Planned {
    Planned {
        stage,
        persona: persona.to_owned(),
        subject: subject.to_owned(),
        request,
        json,
        expected: String::new(),
        conduct: None,
    }
}

/// What a persona's method sends, or runs, in order.
fn sign_in_steps(persona: &Persona) -> Vec<String> {
    let Some(identity) = &persona.identity else {
        return Vec::new();
    };
    let asked = || token_requests(identity);
    match &persona.sign_in {
        SignIn::None => Vec::new(),
        SignIn::ClientCredentials { client, .. }
        | SignIn::Password { client, .. }
        | SignIn::RefreshToken { client, .. }
        | SignIn::OnBehalfOf { client, .. }
        | SignIn::TokenExchange { client, .. } => with_outside(client, asked()),
        SignIn::DeviceCode { client, .. } => with_person(client, asked(), "enters a code"),
        SignIn::AuthorizationCode { client, .. } => {
            with_person(client, asked(), "signs in with a browser")
        }
        SignIn::ManagedIdentity { service, .. } => {
            let request = match service {
                IdentityService::Metadata { endpoint } => {
                    format!("GET {endpoint}/metadata/identity/oauth2/token")
                }
                IdentityService::App { endpoint, .. } => format!("GET {endpoint}"),
            };
            from_elsewhere(request, asked())
        }
        SignIn::AzureCli { .. } => {
            from_elsewhere("run az account get-access-token".to_owned(), asked())
        }
        SignIn::Token(source) => {
            let step = match source {
                SecretSource::Value(_) | SecretSource::File(_) => "use a token at hand".to_owned(),
                SecretSource::Command(command) => format!("run {}", command.program),
            };
            from_elsewhere(step, asked())
        }
    }
}

/// The provider issues nothing then, but its documents and keys are read to compare the token with.
fn from_elsewhere(step: String, mut requests: Vec<String>) -> Vec<String> {
    let at = posted(&requests);
    requests.splice(at..=at, [step]);
    requests
}

/// A platform that vouches for the client is asked right before the token endpoint.
fn with_outside(client: &Client, mut requests: Vec<String>) -> Vec<String> {
    let outside = match &client.proof {
        Proof::Assertion(Assertion::Github { .. }) => "GET a token from GitHub Actions",
        Proof::Assertion(Assertion::AzurePipelines { .. }) => "POST for a token to Azure Pipelines",
        Proof::None | Proof::Secret(_) | Proof::Certificate(_) | Proof::Assertion(_) => {
            return requests;
        }
    };
    let at = posted(&requests);
    requests.insert(at, outside.to_owned());
    requests
}

fn with_person(client: &Client, requests: Vec<String>, does: &str) -> Vec<String> {
    let mut steps = with_outside(client, requests);
    let at = posted(&steps);
    steps.insert(at, format!("wait until a person {does}"));
    steps
}

/// Where the token endpoint stands among the steps: before the keys.
fn posted(steps: &[String]) -> usize {
    let is_post = |step: &String| step.starts_with("POST ");
    steps
        .iter()
        .rposition(is_post)
        .expect("every provider has a token endpoint")
}

/// Once a provider, to verify the tokens' signatures.
const KEYS: &str = "GET the discovered jwks_uri";

fn token_requests(identity: &Identity) -> Vec<String> {
    match &identity.provider {
        Provider::Entra {
            authority,
            tenant,
            endpoint,
            ..
        } => {
            let path = match endpoint {
                EntraEndpoint::V1 => "oauth2/token",
                EntraEndpoint::V2 => "oauth2/v2.0/token",
            };
            vec![
                format!("GET {authority}/{tenant}/v2.0/.well-known/openid-configuration"),
                format!("GET {authority}/{tenant}/.well-known/openid-configuration"),
                format!("POST {authority}/{tenant}/{path}"),
                KEYS.to_owned(),
            ]
        }
        Provider::Oidc {
            issuer,
            token_endpoint: None,
        } => vec![
            format!("GET {issuer}/.well-known/openid-configuration"),
            "POST the discovered token endpoint".to_owned(),
            KEYS.to_owned(),
        ],
        Provider::Oidc {
            token_endpoint: Some(token_endpoint),
            ..
        }
        | Provider::Endpoints { token_endpoint, .. } => vec![format!("POST {token_endpoint}")],
    }
}

fn authorization_endpoint(client: &Profile, identity: &Identity) -> String {
    if let Some(stated) = &client.authorization_endpoint {
        return stated.clone();
    }
    match &identity.provider {
        Provider::Entra {
            authority,
            tenant,
            endpoint,
            ..
        } => match endpoint {
            EntraEndpoint::V1 => format!("{authority}/{tenant}/oauth2/authorize"),
            EntraEndpoint::V2 => format!("{authority}/{tenant}/oauth2/v2.0/authorize"),
        },
        Provider::Oidc { .. } | Provider::Endpoints { .. } => {
            "the discovered authorization endpoint".to_owned()
        }
    }
}

fn shown_header((name, text): &(String, HeaderText)) -> String {
    match text {
        HeaderText::Plain(template) => format!("{name}: {}", template.source()),
        HeaderText::Secret(_) | HeaderText::Command(_) => format!("{name}: (secret)"),
    }
}

/// The call of an operation at a door in one line, with the JSON that goes along.
fn shown(operation: &Operation, door: Door) -> Option<(String, Option<Value>)> {
    if door.speaks_mcp() {
        operation.mcp.as_ref().map(|call| shown_mcp(call, door))
    } else {
        operation.rest.as_ref().map(shown_rest)
    }
}

fn shown_step(step: &Step) -> Option<(String, Option<Value>)> {
    step.rest
        .as_ref()
        .map(shown_rest)
        .or_else(|| step.mcp.as_ref().map(|call| shown_mcp(call, Door::Mcp)))
}

fn shown_rest(call: &RestCall) -> (String, Option<Value>) {
    let json = call.json.as_ref().map(JsonTemplate::source);
    (format!("{} {}", call.method, call.target.source()), json)
}

fn shown_mcp(call: &McpCall, door: Door) -> (String, Option<Value>) {
    let method = call.method().at(door).name();
    let request = match call.subject() {
        Some(subject) => format!("{method} {subject}"),
        None => method.to_owned(),
    };
    (request, call.details())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Selection;
    use crate::plan::tests::{CATALOG, plan};

    fn requests(read_only: bool) -> Vec<Planned> {
        let selection = Selection {
            read_only,
            ..Selection::default()
        };
        plan(CATALOG, &[], selection).requests()
    }

    fn count(requests: &[Planned], stage: Stage) -> usize {
        requests.iter().filter(|one| one.stage == stage).count()
    }

    #[test]
    fn requests_are_listed_in_the_order_in_which_a_run_comes_to_them() {
        let requests = requests(false);
        let mut stages: Vec<Stage> = requests.iter().map(|one| one.stage).collect();
        stages.dedup();
        assert_eq!(
            stages,
            [
                Stage::SignIn,
                Stage::Door,
                Stage::Fixture,
                Stage::Check,
                Stage::List,
                Stage::Cleanup,
                Stage::Farewell
            ]
        );
        assert_eq!(count(&requests, Stage::List), 3 * 2 + 2);
        assert_eq!(count(&requests, Stage::Check), 72);
        let tokens = requests.iter().filter(|one| one.subject == "token");
        assert_eq!(tokens.count(), 3, "anonymous does not sign in");
    }

    #[test]
    fn a_check_says_who_sends_what_and_what_must_come_back() {
        let requests = requests(false);
        let find = |subject: &str| requests.iter().find(|one| one.subject == subject).unwrap();
        let check = find("reader/updateProduct/rest");
        assert_eq!(check.request, "PUT /api/products/{{ product.id }}");
        assert_eq!(check.json.as_ref().unwrap()["price"], 2);
        assert_eq!(
            (
                check.persona.as_str(),
                check.expected.as_str(),
                check.conduct
            ),
            ("reader", "403", Some(Conduct::Live))
        );
        let tool = find("admin/deleteProduct/mcp-legacy");
        assert_eq!(
            (tool.request.as_str(), tool.expected.as_str()),
            ("tools/call deleteProduct", "allow")
        );
    }

    #[test]
    fn each_kind_of_mcp_request_is_listed_as_it_will_be_sent() {
        let table = [
            (
                "{ resource: \"products://{{ run.id }}\" }",
                "resources/read products://{{ run.id }}",
                None,
            ),
            (
                "{ prompt: describe, arguments: { a: b } }",
                "prompts/get describe",
                Some(serde_json::json!({ "a": "b" })),
            ),
            (
                "{ complete: { prompt: describe, argument: a, value: b } }",
                "completion/complete describe",
                Some(serde_json::json!({ "name": "a", "value": "b" })),
            ),
            (
                "{ list: resource-templates }",
                "resources/templates/list",
                None,
            ),
            ("{ discover: server }", "server/discover", None),
        ];
        for (shape, request, json) in table {
            let text = CATALOG.replacen("mcp: listProducts", &format!("mcp: {shape}"), 1);
            let requests = plan(&text, &[], Selection::default()).requests();
            let at = |door: &str| {
                let subject = format!("reader/listProducts/{door}");
                requests.iter().find(|one| one.subject == subject).unwrap()
            };
            assert_eq!(
                (at("mcp").request.as_str(), &at("mcp").json),
                (request, &json)
            );
            let legacy = match request {
                "server/discover" => "initialize",
                other => other,
            };
            assert_eq!(at("mcp-legacy").request, legacy);
        }
    }

    #[test]
    fn a_read_only_plan_makes_and_removes_nothing_and_sends_no_write() {
        let requests = requests(true);
        assert_eq!(count(&requests, Stage::Fixture), 0);
        assert_eq!(count(&requests, Stage::Cleanup), 0);
        for one in requests.iter().filter(|one| one.stage == Stage::Check) {
            let writes = ["create", "update", "delete"]
                .iter()
                .any(|verb| one.subject.contains(verb));
            assert_eq!(one.conduct == Some(Conduct::Withheld), writes, "{one:?}");
        }
    }
}
