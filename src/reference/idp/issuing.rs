//! A token request in, the token endpoint's answer out.

use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::aadsts::Refusal;
use super::ask::Endpoint;
use super::form::Form;
use super::grants::{Issue, Request, exchange};
use super::tenant::Tenant;
use super::token::now;
use crate::reference::call::Call;
use crate::reference::reply;

/// Answers one request to a token endpoint.
pub(crate) fn token(tenant: &Tenant, call: &Call, endpoint: Endpoint) -> Response {
    if call.method != Method::POST {
        return Refusal::post_only().answer(&tenant.base);
    }
    let request = Request {
        form: &Form::read(call),
        endpoint,
        origin: call.header("origin"),
        now: now(),
    };
    let answer = match exchange(tenant, &request) {
        Ok(issue) => issued(tenant, &issue, &request),
        Err(refusal) => refusal.answer(&tenant.base),
    };
    match request.origin {
        // Else the browser would keep the answer from the page that asked.
        Some(origin) => reply::with(
            answer,
            HeaderName::from_static("access-control-allow-origin"),
            origin,
        ),
        None => answer,
    }
}

fn issued(tenant: &Tenant, issue: &Issue<'_>, request: &Request<'_>) -> Response {
    let (grant, lifetime) = (&issue.grant, tenant.lifetime());
    let mut body = match request.endpoint {
        Endpoint::V1 => v1_body(&grant.asked_for, request.now, lifetime),
        Endpoint::V2 => {
            json!({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime})
        }
    };
    if let Some((_, scopes)) = &grant.user {
        body["scope"] = match request.endpoint {
            Endpoint::V1 => json!(scopes),
            Endpoint::V2 => json!(in_full(&grant.asked_for, scopes)),
        };
    }
    let directory = &tenant.directory;
    body["access_token"] = json!(grant.token(directory, &tenant.base, request.now, lifetime));
    if let Some(refresh) = &issue.refresh {
        body["refresh_token"] = json!(refresh);
    }
    if issue.openid {
        let nonce = issue.nonce.as_deref();
        body["id_token"] = json!(grant.id_token(directory, &tenant.base, request.now, nonce));
    }
    reply::with(
        reply::json(StatusCode::OK, &body),
        header::CACHE_CONTROL,
        "no-store, no-cache",
    )
}

/// The first generation of the endpoint writes numbers as text and repeats the resource.
fn v1_body(asked_for: &str, issued_at: i64, lifetime: u32) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": lifetime.to_string(),
        "ext_expires_in": lifetime.to_string(),
        "expires_on": (issued_at + i64::from(lifetime)).to_string(),
        "not_before": issued_at.to_string(),
        "resource": asked_for,
    })
}

fn in_full(asked_for: &str, scopes: &str) -> String {
    let scopes: Vec<String> = scopes
        .split(' ')
        .map(|scope| format!("{asked_for}/{scope}"))
        .collect();
    scopes.join(" ")
}
