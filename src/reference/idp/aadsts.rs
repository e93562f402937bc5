//! A reason to refuse a token in, Entra's error document out.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::reference::{chance, reply};

/// Why no token is given. Numbers and OAuth errors are those of Entra's list of error codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 900144: a parameter is missing.
    Missing(&'static str),
    /// 900561: the endpoint takes POST only.
    PostOnly,
    /// 90002: no such tenant.
    Tenant(String),
    /// 70003: the grant is not supported.
    Grant(String),
    /// 700016: no such client in the tenant.
    Client(String),
    /// 7000215: the secret is wrong.
    Secret(String),
    /// 7000218: a confidential client sent no secret.
    NoSecret,
    /// 700025: a public client sent a secret.
    PublicSecret,
    /// 500011: no such resource in the tenant.
    Resource(String),
    /// 1002012: a client credentials scope that is not `.default`.
    NotDefault(String),
    /// 70011: a scope that the resource does not expose, or scopes of several resources.
    Scope(String),
    /// 50034: no such user.
    User(String),
    /// 50126: the password is wrong.
    Password,
}

impl Refusal {
    /// Returns the number, the OAuth error and the sentence.
    fn parts(&self) -> (u32, &'static str, String) {
        match self {
            Self::Missing(name) => {
                let text =
                    format!("The request body must contain the following parameter: '{name}'.");
                (900_144, "invalid_request", text)
            }
            Self::PostOnly => (
                900_561,
                "invalid_request",
                "The endpoint only accepts POST requests.".to_owned(),
            ),
            Self::Tenant(name) => (
                90002,
                "invalid_request",
                format!("Tenant '{name}' not found. Check the tenant ID and the cloud."),
            ),
            Self::Grant(name) => {
                let text = format!("The app requested an unsupported grant type '{name}'.");
                (70003, "unsupported_grant_type", text)
            }
            Self::Client(id) => {
                let text =
                    format!("Application with identifier '{id}' was not found in the directory.");
                (700_016, "unauthorized_client", text)
            }
            Self::Secret(id) => {
                let text = format!(
                    "Invalid client secret provided. Ensure the secret being sent is the client secret value, \
                     not the client secret ID, for a secret added to app '{id}'."
                );
                (7_000_215, "invalid_client", text)
            }
            Self::NoSecret => {
                let text = "The request body must contain the following parameter: \
                            'client_assertion' or 'client_secret'.";
                (7_000_218, "invalid_client", text.to_owned())
            }
            Self::PublicSecret => {
                let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
                (700_025, "invalid_client", text.to_owned())
            }
            Self::Resource(name) => {
                let text =
                    format!("The resource principal named {name} was not found in the tenant.");
                (500_011, "invalid_resource", text)
            }
            Self::NotDefault(scope) => {
                let text = format!(
                    "The provided value for scope {scope} is not valid. It must end with /.default."
                );
                (1_002_012, "invalid_scope", text)
            }
            Self::Scope(scope) => {
                let text = format!(
                    "The provided request must include a 'scope' input parameter that is valid: {scope}."
                );
                (70011, "invalid_scope", text)
            }
            Self::User(upn) => (
                50034,
                "invalid_grant",
                format!("The user account {upn} does not exist in the directory."),
            ),
            Self::Password => {
                let text = "Error validating credentials due to invalid username or password.";
                (50126, "invalid_grant", text.to_owned())
            }
        }
    }

    /// Returns 401 for a client that did not prove itself, otherwise 400, with the document as JSON.
    pub(crate) fn answer(&self, base: &str) -> Response {
        let (code, error, text) = self.parts();
        let (trace, correlation, at) = (chance::guid(), chance::guid(), timestamp());
        let description = format!(
            "AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}"
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{base}/error?code={code}"),
        });
        let status = if error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        reply::with(
            reply::json(status, &body),
            header::CACHE_CONTROL,
            "no-store, no-cache",
        )
    }
}

/// Entra writes `2026-07-28 12:34:56Z`.
fn timestamp() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now().max(UNIX_EPOCH)).to_string();
    now.replace('T', " ")
}
