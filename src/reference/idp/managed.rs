//! A request of code that runs on the platform in, a token of the managed identity that it may use out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::ask;
use super::client::Client;
use super::proof::Proof;
use super::tenant::Tenant;
use super::token::{Grant, now};
use crate::reference::call::Call;
use crate::reference::{chance, reply};

/// How long a token is good for, in seconds; the platform hands it out again until shortly before.
const LIFETIME: u32 = 86_399;
/// How long before its end a token is replaced, in seconds.
const MARGIN: i64 = 300;
const API_OF_APP_SERVICE: &str = "2019-08-01";
const API_OF_METADATA: &str = "2018-02-01";

/// Where the assigned identity is in Azure's tree of resources.
const RESOURCE_ID: &str = "/subscriptions/2f6b1c3d-0a4e-4b5c-8d7e-9f0a1b2c3d4e/resourceGroups/catalog/providers/\
     Microsoft.ManagedIdentity/userAssignedIdentities/catalog-tester";

/// The two endpoints by which Azure gives managed identities their tokens.
pub(crate) struct Managed {
    base: String,
    /// What App Service puts into the environment, so that a forged request from outside lacks it.
    header: String,
    /// Tokens by identity and resource; the platform keeps them for a day, whatever roles change meanwhile.
    cache: Mutex<HashMap<(&'static str, String), Token>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    issued_at: i64,
}

/// A refusal: its status and what the two endpoints say each in its own form.
struct Denial {
    status: StatusCode,
    error: &'static str,
    text: String,
}

impl Managed {
    /// Takes the address of the identity listener, without a slash at the end.
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            header: chance::secret(),
            cache: Mutex::default(),
        }
    }

    /// Returns what the platform puts into the environment, and the address of the metadata service.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", self.base)),
            ("IDENTITY_HEADER", self.header.clone()),
            (
                "IMDS_ENDPOINT",
                format!("{}/metadata/identity/oauth2/token", self.base),
            ),
            ("MANAGED_RESOURCE_ID", RESOURCE_ID.to_owned()),
        ]
    }

    /// Answers App Service's endpoint.
    pub(crate) fn app_service(&self, tenant: &Tenant, call: &Call) -> Response {
        let known = call.header("x-identity-header") == Some(self.header.as_str());
        let asked = if known {
            self.ask(tenant, call, API_OF_APP_SERVICE)
        } else {
            Err(Denial::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "The header X-IDENTITY-HEADER is missing or wrong.",
            ))
        };
        match asked {
            Ok((client, token, resource)) => {
                reply::json(StatusCode::OK, &token.common(client, &resource))
            }
            Err(denial) => denial.of_app_service(),
        }
    }

    /// Answers the instance metadata service, which a forwarded request must not reach.
    pub(crate) fn metadata(&self, tenant: &Tenant, call: &Call) -> Response {
        let declared = call
            .header("metadata")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let asked = if !declared {
            Err(Denial::bad("Required metadata header not specified"))
        } else if call.headers.contains_key("x-forwarded-for") {
            Err(Denial::bad(
                "Requests with the header X-Forwarded-For are not served",
            ))
        } else {
            self.ask(tenant, call, API_OF_METADATA)
        };
        match asked {
            Ok((client, token, resource)) => {
                reply::json(StatusCode::OK, &token.of_metadata(client, &resource))
            }
            Err(denial) => denial.of_metadata(),
        }
    }

    fn ask<'a>(
        &self,
        tenant: &'a Tenant,
        call: &Call,
        version: &str,
    ) -> Result<(&'a Client, Token, String), Denial> {
        if call.method != Method::GET {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Denial::new(
                status,
                "method_not_allowed",
                "Only GET is served",
            ));
        }
        if call.query("api-version").as_deref() != Some(version) {
            return Err(Denial::bad("The api-version is missing or not supported"));
        }
        let resource = call.query("resource").filter(|name| !name.is_empty());
        let resource =
            resource.ok_or_else(|| Denial::bad("Missing required parameter: resource"))?;
        let client = identity(tenant, call).ok_or_else(|| Denial::bad("Identity not found"))?;
        let token = self.token(tenant, client, &resource)?;
        Ok((client, token, resource))
    }

    fn token(&self, tenant: &Tenant, client: &Client, asked_for: &str) -> Result<Token, Denial> {
        let now = now();
        let place = (client.id, asked_for.to_owned());
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = cache.get(&place).filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let resource = ask::enabled(&tenant.directory, asked_for).map_err(|refusal| {
            let text = refusal.headline();
            Denial::new(StatusCode::BAD_REQUEST, refusal.error, &text)
        })?;
        let grant = Grant {
            client,
            proof: Proof::Assertion,
            user: None,
            resource,
            asked_for: asked_for.to_owned(),
        };
        let token = Token {
            text: grant.token(&tenant.directory, &tenant.base, now, LIFETIME),
            issued_at: now,
        };
        cache.insert(place, token.clone());
        Ok(token)
    }
}

impl Token {
    fn is_fresh(&self, now: i64) -> bool {
        now < self.expires_on() - MARGIN
    }

    fn expires_on(&self) -> i64 {
        self.issued_at + i64::from(LIFETIME)
    }

    fn common(&self, client: &Client, resource: &str) -> Value {
        json!({
            "access_token": self.text,
            "expires_on": self.expires_on().to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client.id,
        })
    }

    /// The metadata service tells more, and writes every number as text.
    fn of_metadata(&self, client: &Client, resource: &str) -> Value {
        let mut body = self.common(client, resource);
        let left = (self.expires_on() - now()).to_string();
        body["expires_in"] = json!(left);
        body["ext_expires_in"] = json!(left);
        body["not_before"] = json!(self.issued_at.to_string());
        body
    }
}

impl Denial {
    fn new(status: StatusCode, error: &'static str, text: &str) -> Self {
        Self {
            status,
            error,
            text: text.to_owned(),
        }
    }

    fn bad(text: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", text)
    }

    fn of_app_service(self) -> Response {
        let body = json!({"statusCode": self.status.as_u16(), "message": self.text});
        reply::json(self.status, &body)
    }

    fn of_metadata(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.text});
        reply::json(self.status, &body)
    }
}

/// The host's own identity, unless one that was assigned to it is chosen by an id of any kind.
fn identity<'a>(tenant: &'a Tenant, call: &Call) -> Option<&'a Client> {
    let (host, assigned) = (
        tenant.directory.labelled("HOST"),
        tenant.directory.labelled("MANAGED"),
    );
    let by = |names: &[&str]| names.iter().find_map(|name| call.query(name));
    if let Some(id) = by(&["client_id"]) {
        return [host, assigned].into_iter().find(|one| one.id == id);
    }
    if let Some(id) = by(&["object_id", "principal_id"]) {
        return [host, assigned].into_iter().find(|one| one.principal == id);
    }
    match by(&["mi_res_id", "msi_res_id"]) {
        Some(id) => id.eq_ignore_ascii_case(RESOURCE_ID).then_some(assigned),
        None => Some(host),
    }
}
