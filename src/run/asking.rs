//! A call as the author wrote it and bindings in, a call ready to be made out.

use std::borrow::Cow;

use http::HeaderValue;
use serde_json::Value;

use super::Settings;
use crate::cell::Door;
use crate::door::Ask;
use crate::scenario::template::{Bindings, JsonTemplate, Unbound};
use crate::scenario::{Deployment, Entry, HeaderText, McpCall, Operation, Profile, RestCall};

/// The values that every call binds: the run's id, when its objects expire, and a tag that no other call of the run has,
/// such as `1c85d2aa-12-exp2026112703`. It ends in the hour of expiry, so that whoever tidies up can read it, and no tag is
/// the beginning of another.
pub(super) fn bindings(settings: &Settings, tag: &str) -> Bindings {
    let Settings {
        run_id, expires, ..
    } = settings;
    let digits = expires.chars().filter(char::is_ascii_digit);
    let hour: String = digits.take("YYYYMMDDHH".len()).collect();
    Bindings::default()
        .with("run.id", Value::from(run_id.as_str()))
        .with("run.expires", Value::from(expires.as_str()))
        .with("tag", Value::from(format!("{run_id}-{tag}-exp{hour}")))
}

/// The call of an operation at a door; `None` when it has no such shape.
pub(super) fn of_operation(
    deployment: &Deployment,
    operation: &Operation,
    door: Door,
    bindings: &Bindings,
) -> Option<Result<Ask, Unbound>> {
    if door.speaks_mcp() {
        operation
            .mcp
            .as_ref()
            .map(|call| of_mcp(deployment, call, bindings))
    } else {
        operation
            .rest
            .as_ref()
            .map(|call| of_rest(deployment, call, bindings))
    }
}

/// Whether the call of an operation at a door is the same whoever makes it and how often: nothing in it is a call's own.
pub(super) fn is_shared(deployment: &Deployment, operation: &Operation, door: Door) -> bool {
    let plain = |headers: &[(String, HeaderText)]| {
        headers.iter().all(|(_, text)| match text {
            HeaderText::Plain(template) => is_of_the_run(&template.names()),
            HeaderText::Secret(_) | HeaderText::Command(_) => true,
        })
    };
    let at_door = |entry: Option<&Entry>| entry.is_none_or(|entry| plain(&entry.headers));
    if door.speaks_mcp() {
        let call = operation.mcp.as_ref();
        at_door(deployment.mcp.as_ref()) && call.is_none_or(|call| is_of_the_run(&call.names()))
    } else {
        let call = operation.rest.as_ref();
        at_door(deployment.rest.as_ref())
            && call.is_none_or(|call| {
                let json = call.json.as_ref().map(JsonTemplate::names);
                plain(&call.headers)
                    && is_of_the_run(&call.target.names())
                    && is_of_the_run(&json.unwrap_or_default())
            })
    }
}

fn is_of_the_run(names: &[String]) -> bool {
    names.iter().all(|name| name == "run.id")
}

/// A REST call, filled.
pub(super) fn of_rest(
    deployment: &Deployment,
    call: &RestCall,
    bindings: &Bindings,
) -> Result<Ask, Unbound> {
    let mut headers = door_headers(deployment.rest.as_ref(), bindings)?;
    headers.extend(filled(&call.headers, bindings)?);
    let target = call.target.fill_target(bindings)?;
    let json = call.json.as_ref().map(|json| json.fill(bindings));
    let json = json.transpose()?.map(Cow::into_owned);
    Ask::rest(&call.method, target, headers, json)
        .ok_or_else(|| Unbound(format!("method {}", call.method)))
}

/// An MCP request, filled.
pub(super) fn of_mcp(
    deployment: &Deployment,
    call: &McpCall,
    bindings: &Bindings,
) -> Result<Ask, Unbound> {
    Ok(Ask::mcp(
        call.method(),
        call.fill_subject(bindings)?,
        call.fill_params(bindings)?,
        door_headers(deployment.mcp.as_ref(), bindings)?,
    ))
}

/// The headers that every call through a door carries.
pub(super) fn door_headers(
    entry: Option<&Entry>,
    bindings: &Bindings,
) -> Result<Vec<(String, HeaderValue)>, Unbound> {
    entry.map_or_else(|| Ok(Vec::new()), |entry| filled(&entry.headers, bindings))
}

/// The headers that every call with a token of a client carries.
pub(super) fn client_headers(
    client: &Profile,
    bindings: &Bindings,
) -> Result<Vec<(String, HeaderValue)>, Unbound> {
    filled(&client.headers, bindings)
}

fn filled(
    headers: &[(String, HeaderText)],
    bindings: &Bindings,
) -> Result<Vec<(String, HeaderValue)>, Unbound> {
    headers
        .iter()
        .map(|(name, text)| Ok((name.clone(), value(name, text, bindings)?)))
        .collect()
}

fn value(name: &str, text: &HeaderText, bindings: &Bindings) -> Result<HeaderValue, Unbound> {
    let unsendable = || Unbound(format!("header {name}"));
    match text {
        HeaderText::Plain(template) => {
            HeaderValue::from_str(&template.fill(bindings)?).map_err(|_refused| unsendable())
        }
        HeaderText::Secret(secret) => {
            let mut value =
                HeaderValue::from_str(secret.expose()).map_err(|_refused| unsendable())?;
            value.set_sensitive(true);
            Ok(value)
        }
        // It has no value before its program has run.
        HeaderText::Command(_) => Err(unsendable()),
    }
}
