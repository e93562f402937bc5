//! A device's request in, its codes out; the code and a user's sign-in in, the user's decision written down.

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::aadsts::Refusal;
use super::account::{self, Way};
use super::ask::{self, Ask, Endpoint};
use super::devices::{Asked, LIFETIME, Pair};
use super::form::Form;
use super::page;
use super::proof::registered;
use super::tenant::Tenant;
use super::token::now;
use crate::reference::call::Call;
use crate::reference::reply;

/// How long a device waits between two questions, in seconds. Entra says so and does not insist.
const INTERVAL: u32 = 5;

/// Answers the request that begins an attempt (RFC 8628 section 3.1).
pub(crate) fn begin(tenant: &Tenant, call: &Call, endpoint: Endpoint) -> Response {
    if call.method != Method::POST {
        return Refusal::post_only().answer(&tenant.base);
    }
    match codes(tenant, &Form::read(call), endpoint) {
        Ok(response) => response,
        Err(refusal) => refusal.answer(&tenant.base),
    }
}

/// Answers the page on which the user types the code; it posts to the address that it is shown at.
pub(crate) fn verify(tenant: &Tenant, call: &Call) -> Response {
    if call.method != Method::POST {
        let code = call.query("otc").unwrap_or_default();
        return page::device(call.path(), &code, None);
    }
    let (form, now) = (Form::read(call), now());
    let typed = form.find("otc").unwrap_or_default();
    let again = |message: &str| page::device(call.path(), typed, Some(message));
    let Some(asked) = tenant.devices.awaiting(typed, now) else {
        return again("That code is not known, or it has expired.");
    };
    if form.find("answer") == Some("cancel") {
        tenant.devices.decide(typed, None, now);
        return page::told("You declined", "Nobody was signed in on the device.");
    }
    // An attempt that fails leaves the device waiting.
    decide(tenant, &form, typed, &asked, call.path(), now)
        .unwrap_or_else(|refusal| again(&refusal.headline()))
}

fn codes(tenant: &Tenant, form: &Form, endpoint: Endpoint) -> Result<Response, Refusal> {
    let client = registered(tenant, form.get("client_id")?)?;
    Ask::read(form, endpoint, &tenant.directory)?;
    let asked = Asked {
        client: client.id,
        text: ask::text(form, endpoint)?.to_owned(),
        endpoint,
    };
    let body = described(
        &tenant.devices.begin(asked, now()),
        &format!("{}/oauth2/deviceauth", tenant.root()),
        endpoint,
    );
    let response = reply::json(StatusCode::OK, &body);
    Ok(reply::with(
        response,
        header::CACHE_CONTROL,
        "no-store, no-cache",
    ))
}

/// The first generation calls the page `verification_url`, and writes numbers as text.
fn described(pair: &Pair, page: &str, endpoint: Endpoint) -> Value {
    let mut body = json!({
        "user_code": pair.user,
        "device_code": pair.device,
        "message": format!("To sign in, open {page} in a browser and enter the code {}.", pair.user),
    });
    match endpoint {
        Endpoint::V1 => {
            body["verification_url"] = json!(page);
            body["expires_in"] = json!(LIFETIME.to_string());
            body["interval"] = json!(INTERVAL.to_string());
        }
        Endpoint::V2 => {
            body["verification_uri"] = json!(page);
            body["expires_in"] = json!(LIFETIME);
            body["interval"] = json!(INTERVAL);
        }
    }
    body
}

/// Signs the user in and writes down that they agreed, or asks for their consent first.
fn decide(
    tenant: &Tenant,
    form: &Form,
    typed: &str,
    asked: &Asked,
    action: &str,
    now: i64,
) -> Result<Response, Refusal> {
    let client = registered(tenant, asked.client)?;
    let ask = Ask::parse(&asked.text, asked.endpoint, &tenant.directory)?;
    let about = typed.trim().to_uppercase();
    let user = if let Some(ticket) = form.find("ticket") {
        let user = tenant.sittings.end(ticket, &about, now);
        let user = user.and_then(|id| tenant.directory.member(&id));
        let user = user.ok_or_else(Refusal::no_session)?;
        tenant.consents.agree(client, user, &ask)?;
        user
    } else {
        let user = account::sign_in(&tenant.directory, form, &ask, Way::Page, now)?;
        let question = tenant.consents.question(client, user, &ask)?;
        if !question.is_empty() {
            let ticket = tenant.sittings.begin(&user.id, &about, now);
            let hidden = [("otc", typed), ("ticket", ticket.as_str())];
            return Ok(page::consent(
                action,
                &hidden,
                client,
                user,
                ask.resource,
                &question,
            ));
        }
        user
    };
    tenant.devices.decide(typed, Some(&user.id), now);
    Ok(page::told(
        "You are signed in",
        "You may close this window now.",
    ))
}
