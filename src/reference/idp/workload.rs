//! A pipeline's request in, the assertion of an issuer outside the tenant out.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::client::Trust;
use super::keys::workload_key;
use super::token::now;
use crate::reference::call::{Call, Credential};
use crate::reference::{chance, reply};

/// The audience that federated credentials of the public cloud are registered with.
const EXCHANGE: &str = "api://AzureADTokenExchange";
/// The audience of a GitHub token for which none is asked: the owner.
const OWNER: &str = "https://github.com/catalog-example";
const REPOSITORY: &str = "repo:catalog-example/catalog:environment:test";
const CONNECTION: &str = "sc://catalog-example/catalog/test";
/// How long an assertion is in force, in seconds.
const LIFETIME: i64 = 300;

/// The issuer of a build service, whose pipelines ask for assertions as those of GitHub and Azure do.
pub(crate) struct Workload {
    issuer: String,
    /// What a pipeline shows to get an assertion.
    pass: String,
}

impl Workload {
    /// Takes the address of the identity listener, without a slash at the end.
    pub(crate) fn new(base: &str) -> Self {
        Self {
            issuer: format!("{base}/workload"),
            pass: chance::secret(),
        }
    }

    /// Returns the federated credentials to register: one for each kind of pipeline.
    pub(crate) fn trusts(&self) -> Vec<Trust> {
        let trust = |subject| Trust {
            issuer: self.issuer.clone(),
            subject,
            audience: EXCHANGE,
        };
        vec![trust(REPOSITORY), trust(CONNECTION)]
    }

    /// Returns what the build service puts into a pipeline's environment.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let issuer = &self.issuer;
        vec![
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{issuer}/github?api-version=2.0"),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", self.pass.clone()),
            ("SYSTEM_OIDCREQUESTURI", format!("{issuer}/pipelines")),
            ("SYSTEM_ACCESSTOKEN", self.pass.clone()),
        ]
    }

    /// Answers what is under `/workload/`.
    pub(crate) fn answer(&self, rest: &str, call: &Call) -> Response {
        match (rest, &call.method) {
            (".well-known/openid-configuration", &Method::GET) => {
                reply::json(StatusCode::OK, &self.metadata())
            }
            ("keys", &Method::GET) => reply::json(StatusCode::OK, &workload_key().document(None)),
            ("github" | "pipelines", _) if call.credential() != Credential::Bearer(&self.pass) => {
                reply::empty(StatusCode::UNAUTHORIZED)
            }
            ("github", &Method::GET) => {
                let audience = call.query("audience").unwrap_or_else(|| OWNER.to_owned());
                let value = self.assertion(REPOSITORY, &audience);
                reply::json(
                    StatusCode::OK,
                    &json!({"count": value.len(), "value": value}),
                )
            }
            ("pipelines", &Method::POST) if call.query("serviceConnectionId").is_some() => {
                let token = self.assertion(CONNECTION, EXCHANGE);
                reply::json(StatusCode::OK, &json!({"oidcToken": token}))
            }
            _ => reply::empty(StatusCode::NOT_FOUND),
        }
    }

    fn metadata(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}/keys", self.issuer),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn assertion(&self, subject: &str, audience: &str) -> String {
        let now = now();
        workload_key().sign(&json!({
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "jti": chance::guid(),
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
        }))
    }
}
