//! A client in, a token out, once a person has confirmed a code on another device (RFC 8628).

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::denial::Denial;
use super::discovery::guarded;
use super::endpoint::{self, whole_seconds};
use super::grant;
use super::visit::{Issued, Visit};
use crate::scenario::sign_in::Client;
use crate::scenario::{EntraEndpoint, Provider};
use crate::secret::Secret;

/// A code that waits to be confirmed.
struct Waiting {
    code: Secret,
    /// What the person types.
    shown: String,
    /// Where.
    page: String,
    interval: Duration,
    life: Duration,
}

/// Characters of a user code; RFC 8628 §6.1 advises eight.
const LONGEST: usize = 32;
/// Seconds between two questions when the provider does not say (RFC 8628 §3.2), and what `slow_down` adds (§3.5).
const PACE: Duration = Duration::from_secs(5);

/// Asks for a code, has it confirmed, and asks for the token until then.
///
/// # Errors
/// Why there is no token.
pub(super) async fn acquire(
    visit: &Visit<'_>,
    client: &Client,
    scope: Option<&str>,
    stated: Option<&str>,
) -> Result<Issued, Denial> {
    let endpoint = stated.or(visit.found.device_endpoint.as_deref());
    let endpoint = endpoint.ok_or_else(|| {
        unusable("the provider names no device authorization endpoint. State device_endpoint.")
    })?;
    guarded(endpoint, "the device authorization endpoint").map_err(Denial::Unusable)?;
    let waiting = begin(visit, client, endpoint, scope).await?;
    visit.redactor_learns(&waiting.code);
    visit.desk.attendant.tell(&format!(
        "{}: to sign in, open {} and enter the code {}",
        visit.window.persona.name, waiting.page, waiting.shown
    ));
    visit.desk.attendant.open(&waiting.page);
    confirmed(visit, client, &waiting).await
}

async fn begin(
    visit: &Visit<'_>,
    client: &Client,
    endpoint: &str,
    scope: Option<&str>,
) -> Result<Waiting, Denial> {
    let mut form = grant::asked_for(scope, visit.identity);
    form.extend(grant::parameters(visit.identity));
    let call = grant::client_call(visit, client, endpoint, form).await?;
    let answer = endpoint::members(call, visit.wire(), visit.patience()).await?;
    waiting(&answer).ok_or_else(|| {
        unusable("its device authorization endpoint gave no code. Check device_endpoint.")
    })
}

/// An answer of RFC 8628 §3.2; Entra's v1 endpoint calls the page `verification_url`.
fn waiting(answer: &Map<String, Value>) -> Option<Waiting> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let seconds = |name: &str| {
        answer
            .get(name)
            .and_then(whole_seconds)
            .map(Duration::from_secs)
    };
    let page = text("verification_uri").or_else(|| text("verification_url"))?;
    let page = Url::parse(page)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let shown: String = text("user_code")?
        .chars()
        .filter(char::is_ascii_graphic)
        .take(LONGEST)
        .collect();
    Some(Waiting {
        code: Secret::new(text("device_code")?.to_owned()),
        shown,
        page: page.into(),
        interval: seconds("interval").unwrap_or(PACE),
        life: seconds("expires_in").unwrap_or(Duration::MAX),
    })
}

async fn confirmed(
    visit: &Visit<'_>,
    client: &Client,
    waiting: &Waiting,
) -> Result<Issued, Denial> {
    let patience = visit.patience();
    let late = Instant::now() + waiting.life.min(patience.person);
    let mut interval = waiting.interval.max(patience.least);
    let mut slowed = Duration::ZERO;
    loop {
        if Instant::now() + interval > late {
            return Err(unusable("the code was not entered in time. Sign in again."));
        }
        tokio::time::sleep(interval).await;
        let question = question(waiting, &visit.identity.provider);
        match grant::extension(visit, client, question).await {
            Err(Denial::Refused(error)) if error.is("authorization_pending") => {}
            Err(Denial::Refused(error)) if error.is("slow_down") => {
                interval += PACE;
                slowed += PACE;
                if slowed > patience.waiting {
                    return Err(unusable(
                        "it asks to slow down without an end. Try again later.",
                    ));
                }
            }
            answer => return answer,
        }
    }
}

/// A device access token request (RFC 8628 §3.4); Entra's v1 endpoint takes it in the words of the ADAL libraries.
fn question(waiting: &Waiting, provider: &Provider) -> grant::Form {
    let (grant, parameter) = match provider {
        Provider::Entra {
            endpoint: EntraEndpoint::V1,
            ..
        } => ("device_code", "code"),
        _ => (
            "urn:ietf:params:oauth:grant-type:device_code",
            "device_code",
        ),
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("grant_type", grant),
        pair(parameter, waiting.code.expose()),
    ]
}

fn unusable(why: &str) -> Denial {
    Denial::Unusable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Option<(String, String)> {
        waiting(answer.as_object()?).map(|waiting| (waiting.shown, waiting.page))
    }

    #[test]
    fn what_is_shown_of_a_code_cannot_steer_a_terminal() {
        let shown = read(&json!({
            "device_code": "d",
            "user_code": "AB\u{1b}[2J\u{202e} CD",
            "verification_uri": "https://idp.example/\u{1b}[2J",
        }));
        let expected = (
            "AB[2JCD".to_owned(),
            "https://idp.example/%1B[2J".to_owned(),
        );
        assert_eq!(shown, Some(expected));
    }

    #[test]
    fn an_answer_without_its_members_is_none() {
        for answer in [
            json!({}),
            json!({"device_code": "d", "user_code": "u"}),
            json!({"device_code": "d", "user_code": "u", "verification_uri": "file:///etc/passwd"}),
            json!({"user_code": "u", "verification_uri": "https://idp.example/"}),
        ] {
            assert_eq!(read(&answer), None);
        }
    }
}
