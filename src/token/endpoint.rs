//! A request to an identity provider in, its answer made plain out, waits that it asks for included.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Map, Value, json};

use super::denial::{Denial, OauthError};
use super::patience::Patience;
use crate::wire::{Call, Reply, Wire};

/// Sends a call and obeys the provider's `Retry-After` (RFC 9110 §10.2.3) for as long as patience lasts.
///
/// # Errors
/// No answer, or none but the request to wait.
pub(super) async fn ask(call: Call, wire: &Wire, patience: &Patience) -> Result<Reply, Denial> {
    let mut left = patience.waiting;
    loop {
        let reply = wire.exchange(call.clone()).await.map_err(Denial::Silent)?;
        let Some(wait) = asked_to_wait(&reply, patience) else {
            return Ok(reply);
        };
        let Some(rest) = left.checked_sub(wait) else {
            return Err(overtaxed(&reply, wait, patience));
        };
        left = rest;
        tokio::time::sleep(wait).await;
    }
}

/// The same for an endpoint that answers with a token: the clean members of the answer, written by ourselves.
///
/// # Errors
/// Why there is no token.
pub(super) async fn token(call: Call, wire: &Wire, patience: &Patience) -> Result<Value, Denial> {
    let reply = ask(call, wire, patience).await?;
    if !(200..300).contains(&reply.status) {
        return Err(refusal(&reply));
    }
    normalised(&reply).map_err(|why| unusable(&reply, why))
}

/// The same for an endpoint that answers with any other JSON object.
///
/// # Errors
/// Why there is none.
pub(super) async fn members(
    call: Call,
    wire: &Wire,
    patience: &Patience,
) -> Result<Map<String, Value>, Denial> {
    let reply = ask(call, wire, patience).await?;
    if !(200..300).contains(&reply.status) {
        return Err(refusal(&reply));
    }
    object(&reply).map_err(|why| unusable(&reply, why))
}

fn unusable(reply: &Reply, why: &str) -> Denial {
    Denial::Unusable(format!("HTTP {}, but {why}", reply.status))
}

/// A date, like nonsense, counts as absent; no wait is shorter than the least, for zero would be asked for without an end.
fn asked_to_wait(reply: &Reply, patience: &Patience) -> Option<Duration> {
    if !matches!(reply.status, 429 | 503) {
        return None;
    }
    let stated = reply.headers.get(RETRY_AFTER);
    let seconds = stated.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = seconds.map_or(patience.unstated, Duration::from_secs);
    Some(wait.max(patience.least))
}

/// What the provider says beside it explains more than that it wants to be left alone.
fn overtaxed(reply: &Reply, wait: Duration, patience: &Patience) -> Denial {
    match OauthError::read(&reply.body) {
        Some(error) if !error.is_temporary() => Denial::Refused(error),
        _ => Denial::Unusable(format!(
            "HTTP {}: it asks to wait {} s more, and {} s in all is what rolecall waits. Try again later.",
            reply.status,
            wait.as_secs(),
            patience.waiting.as_secs()
        )),
    }
}

/// The answer as a JSON object; nothing of it is quoted, for it may hold a token.
fn object(reply: &Reply) -> Result<Map<String, Value>, &'static str> {
    if reply.truncated {
        return Err("the answer did not end within its limits.");
    }
    if !is_json(&reply.headers) {
        return Err("the answer is not JSON. Check the token endpoint.");
    }
    match serde_json::from_slice(&reply.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("the answer is not a JSON object."),
        Err(_unparsable) => Err("the answer is not JSON. Check the token endpoint."),
    }
}

fn refusal(reply: &Reply) -> Denial {
    match OauthError::read(&reply.body) {
        Some(error) => Denial::Refused(error),
        None if (300..400).contains(&reply.status) => Denial::Unusable(format!(
            "HTTP {}, a redirect, which a token request does not follow. Check the token endpoint.",
            reply.status
        )),
        None => Denial::Unusable(format!(
            "HTTP {} without an OAuth error. Check the token endpoint.",
            reply.status
        )),
    }
}

/// The members of RFC 6749 §5.1 that a tester needs. Entra's v1 endpoint gives `expires_in` as a string; others leave out `token_type`.
fn normalised(reply: &Reply) -> Result<Value, &'static str> {
    let answer = object(reply)?;
    let token = answer
        .get("access_token")
        .and_then(Value::as_str)
        .filter(|token| !token.is_empty());
    let mut clean = json!({ "access_token": token.ok_or("there is no access_token in it.")?, "token_type": "bearer" });
    if !answer.get("token_type").is_none_or(is_bearer) {
        return Err("the token is not a bearer token.");
    }
    if let Some(seconds) = answer.get("expires_in").and_then(whole_seconds) {
        clean["expires_in"] = seconds.into();
    }
    if let Some(refresh) = answer.get("refresh_token").and_then(Value::as_str) {
        clean["refresh_token"] = refresh.into();
    }
    Ok(clean)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(stated) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let essence = stated
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

fn is_bearer(stated: &Value) -> bool {
    stated.is_null()
        || stated
            .as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case("bearer"))
}

/// Whole seconds, also from text or a fraction; `None` for what is no time.
pub(super) fn whole_seconds(stated: &Value) -> Option<u64> {
    let number = stated
        .as_f64()
        .or_else(|| stated.as_str()?.trim().parse().ok())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked first"
    )]
    (0.0..1e15).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    fn reply(content_type: &'static str, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Reply {
            status: 200,
            headers,
            body: body.to_owned().into(),
            truncated: false,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn odd_answers_with_a_bearer_token_are_made_plain() {
        let cases = [
            (
                r#"{"access_token":"t","token_type":"Bearer","expires_in":3599}"#,
                Some(3599),
            ),
            (
                r#"{"access_token":"t","token_type":"bearer","expires_in":"3599"}"#,
                Some(3599),
            ),
            (r#"{"access_token":"t","expires_in":3599.5}"#, Some(3599)),
            (r#"{"access_token":"t","expires_in":-1}"#, None),
            (
                r#"{"access_token":"t","expires_in":1e18,"scope":["odd"]}"#,
                None,
            ),
            (
                r#"{"access_token":"t","token_type":null,"expires_in":{}}"#,
                None,
            ),
        ];
        for (body, seconds) in cases {
            let clean = normalised(&reply("application/json; charset=utf-8", body)).unwrap();
            assert_eq!(clean["access_token"], "t", "{body}");
            assert_eq!(
                clean.get("expires_in").and_then(Value::as_u64),
                seconds,
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_bearer_token_is_refused_without_being_quoted() {
        let good = r#"{"access_token":"t0ken-canary"}"#;
        let cases = [
            ("text/html", good),
            ("application/json", r#""t0ken-canary""#),
            ("application/json", "t0ken-canary"),
            ("application/json", r#"["t0ken-canary"]"#),
            ("application/json", ""),
            ("application/json", r#"{"id_token":"t0ken-canary"}"#),
            ("application/json", r#"{"access_token":""}"#),
            ("application/json", r#"{"access_token":{"t0ken-canary":1}}"#),
            (
                "application/json",
                r#"{"access_token":"t0ken-canary","token_type":"pop"}"#,
            ),
            (
                "application/json",
                r#"{"access_token":"t0ken-canary","token_type":1}"#,
            ),
        ];
        for (content_type, body) in cases {
            let why = normalised(&reply(content_type, body)).unwrap_err();
            assert!(!why.contains("canary"), "{body}");
        }
        assert!(
            normalised(&Reply {
                truncated: true,
                ..reply("application/json", good)
            })
            .is_err()
        );
    }
}
