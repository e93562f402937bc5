//! A request to Microsoft Graph in, a membership changed or a user's sign-ins revoked, and Graph's answer out.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use jsonwebtoken::Algorithm;
use serde_json::json;

use super::jws::Jws;
use super::keys::signing_key;
use super::resource::MEMBERSHIP;
use super::tenant::Tenant;
use super::token::now;
use crate::reference::call::{Call, Credential};
use crate::reference::{chance, reply};

/// Answers the few operations under `/graph/v1.0/` by which what a user may do changes in the course of a run.
pub(crate) fn graph(tenant: &Tenant, rest: &str, call: &Call) -> Response {
    match caller(tenant, call) {
        None => denial(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token is empty, expired or for another API.",
        ),
        Some(token) => operation(tenant, rest, call, &token),
    }
}

fn operation(tenant: &Tenant, rest: &str, call: &Call, token: &Jws<'_>) -> Response {
    let parts: Vec<&str> = rest.split('/').collect();
    match (&call.method, parts.as_slice()) {
        (&Method::POST, ["v1.0", "me", "revokeSignInSessions"]) if token.has("scp") => {
            tenant.renewals.revoke(token.claim("oid"));
            reply::json(StatusCode::OK, &json!({"value": true}))
        }
        (&Method::POST, ["v1.0", "groups", group, "members", "$ref"]) => {
            let user = referred(call).unwrap_or_default();
            membership(tenant, token, group, &user, true)
        }
        (&Method::DELETE, ["v1.0", "groups", group, "members", user, "$ref"]) => {
            membership(tenant, token, group, user, false)
        }
        _ => denial(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            "There is no such operation.",
        ),
    }
}

fn membership(
    tenant: &Tenant,
    token: &Jws<'_>,
    group: &str,
    user: &str,
    belongs: bool,
) -> Response {
    if !token.lists("roles", MEMBERSHIP) {
        return denial(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        );
    }
    let known = tenant.directory.member(user).is_some();
    if known && tenant.directory.set_member(group, user, belongs) {
        reply::empty(StatusCode::NO_CONTENT)
    } else {
        denial(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            "One or more object references do not exist or are modified already.",
        )
    }
}

/// The object that the body refers to by its address.
fn referred(call: &Call) -> Option<String> {
    let body = call.object()?;
    let address = body.get("@odata.id")?.as_str()?;
    address.rsplit('/').next().map(str::to_owned)
}

/// Returns the caller's token, if it is for Graph, in force and genuine.
fn caller<'a>(tenant: &Tenant, call: &'a Call) -> Option<Jws<'a>> {
    let Credential::Bearer(text) = call.credential() else {
        return None;
    };
    let token = Jws::read(text)?;
    let holds = tenant.directory.other().is_called(token.claim("aud"))
        && token.is_in_force(now(), 0)
        && token.is_by(&signing_key().verifier(), &[Algorithm::RS256]);
    holds.then_some(token)
}

fn denial(status: StatusCode, code: &str, message: &str) -> Response {
    let inner = json!({"request-id": chance::guid()});
    let body = json!({"error": {"code": code, "message": message, "innerError": inner}});
    reply::json(status, &body)
}
