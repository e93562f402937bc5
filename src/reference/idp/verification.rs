//! A device's request in, its codes out; the code and a user's sign-in in, the user's decision written down.

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::aadsts::Refusal;
use super::account::{self, Way};
use super::ask::{self, Ask, Endpoint};
use super::devices::LIFETIME;
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
pub(crate) fn begin(tenant: &Tenant, call: &Call) -> Response {
    if call.method != Method::POST {
        return Refusal::post_only().answer(&tenant.base);
    }
    match codes(tenant, &Form::read(call)) {
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
    let form = Form::read(call);
    let typed = form.find("otc").unwrap_or_default();
    match decide(tenant, &form, typed, now()) {
        Ok(true) => page::told("You are signed in", "You may close this window now."),
        Ok(false) => page::told("You declined", "Nobody was signed in on the device."),
        Err(message) => page::device(call.path(), typed, Some(&message)),
    }
}

/// Only v2 is known here; the first generation's form of this flow has gone out of use.
fn codes(tenant: &Tenant, form: &Form) -> Result<Response, Refusal> {
    let client = registered(tenant, form.get("client_id")?)?;
    Ask::read(form, Endpoint::V2, &tenant.directory)?;
    let text = ask::text(form, Endpoint::V2)?;
    let pair = tenant.devices.begin(client.id, text, now());
    let page = format!("{}/oauth2/deviceauth", tenant.root());
    let body = json!({
        "user_code": pair.user,
        "device_code": pair.device,
        "verification_uri": page,
        "expires_in": LIFETIME,
        "interval": INTERVAL,
        "message": format!("To sign in, open {page} in a browser and enter the code {}.", pair.user),
    });
    let response = reply::json(StatusCode::OK, &body);
    Ok(reply::with(
        response,
        header::CACHE_CONTROL,
        "no-store, no-cache",
    ))
}

/// Returns whether the user agreed; an attempt that fails leaves the device waiting, with a message for the user.
fn decide(tenant: &Tenant, form: &Form, typed: &str, now: i64) -> Result<bool, String> {
    let unknown = || "That code is not known, or it has expired.".to_owned();
    let (client, text) = tenant.devices.awaiting(typed, now).ok_or_else(unknown)?;
    if form.find("answer") == Some("cancel") {
        tenant.devices.decide(typed, None, now);
        return Ok(false);
    }
    let user = signed_in(tenant, form, client, &text, now).map_err(|refusal| refusal.headline())?;
    tenant.devices.decide(typed, Some(user), now);
    Ok(true)
}

fn signed_in<'a>(
    tenant: &'a Tenant,
    form: &Form,
    client: &str,
    text: &str,
    now: i64,
) -> Result<&'a str, Refusal> {
    let client = registered(tenant, client)?;
    let ask = Ask::parse(text, Endpoint::V2, &tenant.directory)?;
    let user = account::sign_in(&tenant.directory, form, &ask, Way::Page, now)?;
    ask.granted(client)?;
    Ok(&user.id)
}
