//! Plan in, every request that it would send out, one line each, in order.

use serde::Serialize;
use serde_json::Value;

use super::{Conduct, Plan};
use crate::cell::Door;
use crate::scenario::{
    EntraEndpoint, Identity, McpCall, Operation, Provider, RestCall, SignIn, Step,
};

/// A request that a run would send.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Planned {
    /// What it is for: `sign-in`, `door`, `fixture`, `check`, `effect` or `cleanup`.
    pub stage: &'static str,
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

impl Plan {
    /// Every request that a run would send, in the order of its stages. Retries and confirmations are not foreseen.
    pub fn requests(&self) -> Vec<Planned> {
        let mut requests = self.sign_ins();
        requests.extend(self.door_openings());
        requests.extend(self.fixture_steps("fixture"));
        requests.extend(self.calls());
        requests.extend(self.fixture_steps("cleanup"));
        requests
    }

    fn sign_ins(&self) -> Vec<Planned> {
        let signing = self
            .scenario
            .personas
            .iter()
            .filter(|persona| !matches!(persona.sign_in, SignIn::None));
        signing
            .flat_map(|persona| {
                let lines = persona
                    .identity
                    .as_ref()
                    .map(token_requests)
                    .unwrap_or_default();
                lines
                    .into_iter()
                    .map(|request| aside("sign-in", persona.name.as_str(), "token", request, None))
            })
            .collect()
    }

    fn door_openings(&self) -> Vec<Planned> {
        let mut openings = Vec::new();
        if self.matrix.doors.contains(&Door::Mcp) {
            openings.push(aside(
                "door",
                "the first that may",
                "mcp",
                "server/discover".to_owned(),
                None,
            ));
        }
        if self.matrix.doors.contains(&Door::McpLegacy) {
            for persona in &self.scenario.personas {
                for request in ["initialize", "notifications/initialized"] {
                    openings.push(aside(
                        "door",
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

    fn fixture_steps(&self, stage: &'static str) -> Vec<Planned> {
        if !self.may_make_objects() {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for fixture in &self.scenario.fixtures {
            let owner = self.scenario.personas[fixture.owner].name.as_str();
            let named: &[(&str, Option<&Step>)] = if stage == "cleanup" {
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
            .flat_map(|group| group.cells.iter().map(move |cell| (group, *cell)));
        cells
            .filter_map(|(group, cell)| {
                let check = self.matrix.check(cell)?;
                let (request, json) =
                    shown(&self.scenario.operations[group.operation], group.door)?;
                Some(Planned {
                    stage: "check",
                    persona: self.matrix.personas[check.persona].name.to_string(),
                    subject: self.matrix.cell(&check).to_string(),
                    request,
                    json,
                    expected: check.demand.expectation.to_string(),
                    conduct: Some(group.conduct),
                })
            })
            .collect()
    }
}

fn aside(
    stage: &'static str,
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

/// The call of an operation at a door in one line, with the JSON that goes along.
pub(super) fn shown(operation: &Operation, door: Door) -> Option<(String, Option<Value>)> {
    if door.speaks_mcp() {
        operation.mcp.as_ref().map(shown_tool)
    } else {
        operation.rest.as_ref().map(shown_rest)
    }
}

fn shown_step(step: &Step) -> Option<(String, Option<Value>)> {
    step.rest
        .as_ref()
        .map(shown_rest)
        .or_else(|| step.mcp.as_ref().map(shown_tool))
}

fn shown_rest(call: &RestCall) -> (String, Option<Value>) {
    let json = call.json.as_ref().map(|json| json.source().clone());
    (format!("{} {}", call.method, call.target.source()), json)
}

fn shown_tool(call: &McpCall) -> (String, Option<Value>) {
    (
        format!("tools/call {}", call.tool),
        Some(call.arguments.source().clone()),
    )
}
