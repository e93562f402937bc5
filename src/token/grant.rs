//! A persona's way to sign in and a token endpoint in, an access token out. The only file that names oauth2.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError,
    ResourceOwnerPassword, ResourceOwnerUsername, Scope, TokenResponse, TokenUrl,
};
use serde_json::{Value, json};

use super::denial::{Denial, OauthError};
use crate::scenario::{ClientAuth, EntraEndpoint, Identity, Provider, SignIn};
use crate::secret::Secret;
use crate::wire::{Call, Reply, Wire};

/// Asks the token endpoint once.
///
/// # Errors
/// Why there is no token.
pub(super) async fn acquire(
    sign_in: &SignIn,
    identity: &Identity,
    token_endpoint: &str,
    wire: &Wire,
) -> Result<Secret, Denial> {
    let endpoint = TokenUrl::new(token_endpoint.to_owned())
        .map_err(|_unparsable| Denial::Unusable("its token endpoint is not a URL".to_owned()))?;
    let http = |request: HttpRequest| post(request, wire.clone());
    let asked = match sign_in {
        SignIn::None => return Err(Denial::Unusable("the persona does not sign in".to_owned())),
        SignIn::ClientCredentials {
            client_id,
            client_secret,
            scope,
        } => {
            let client = client(client_id, Some(client_secret), identity.client_auth)
                .set_token_uri(endpoint);
            let mut request = client.exchange_client_credentials();
            for word in scopes(scope.as_deref(), identity) {
                request = request.add_scope(word);
            }
            for (name, value) in parameters(identity) {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&http).await
        }
        SignIn::Password {
            client_id,
            client_secret,
            username,
            password,
            scope,
        } => {
            let client = client(client_id, client_secret.as_ref(), identity.client_auth)
                .set_token_uri(endpoint);
            let username = ResourceOwnerUsername::new(username.clone());
            let password = ResourceOwnerPassword::new(password.expose().to_owned());
            let mut request = client.exchange_password(&username, &password);
            for word in scopes(scope.as_deref(), identity) {
                request = request.add_scope(word);
            }
            for (name, value) in parameters(identity) {
                request = request.add_extra_param(name, value);
            }
            request.request_async(&http).await
        }
    };
    token(asked)
}

fn client(id: &str, secret: Option<&Secret>, auth: ClientAuth) -> BasicClient {
    let client = BasicClient::new(ClientId::new(id.to_owned())).set_auth_type(match auth {
        ClientAuth::Post => AuthType::RequestBody,
        ClientAuth::Basic => AuthType::BasicAuth,
    });
    match secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => client,
    }
}

/// Entra's v1 endpoint takes `resource` and no scope; its v2 endpoint, unless told otherwise, the API's `/.default`.
fn scopes(own: Option<&str>, identity: &Identity) -> Vec<Scope> {
    let default = match &identity.provider {
        Provider::Entra {
            endpoint: EntraEndpoint::V1,
            ..
        } => return Vec::new(),
        Provider::Entra { resource, .. } => Some(format!("{resource}/.default")),
        Provider::Oidc { .. } | Provider::Endpoints { .. } => None,
    };
    let stated = own
        .or(identity.scope.as_deref())
        .map(str::to_owned)
        .or(default);
    stated.into_iter().map(Scope::new).collect()
}

fn parameters(identity: &Identity) -> Vec<(String, String)> {
    let mut parameters = identity.parameters.clone();
    if let Provider::Entra {
        endpoint: EntraEndpoint::V1,
        resource,
        ..
    } = &identity.provider
    {
        parameters.push(("resource".to_owned(), resource.clone()));
    }
    parameters
}

/// What oauth2 sees is always a plain success that we wrote ourselves: its own errors quote what they could not read.
async fn post(request: HttpRequest, wire: Wire) -> Result<HttpResponse, Denial> {
    let (head, body) = request.into_parts();
    let call = Call {
        method: head.method,
        url: head.uri.to_string(),
        headers: head.headers,
        body: body.into(),
    };
    let reply = wire.exchange(call).await.map_err(Denial::Silent)?;
    if !(200..300).contains(&reply.status) {
        return Err(refusal(&reply));
    }
    let answer = normalised(&reply)
        .map_err(|why| Denial::Unusable(format!("HTTP {}, but {why}", reply.status)))?;
    let mut response = HttpResponse::new(answer.to_string().into_bytes());
    response.headers_mut().insert(
        CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
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

/// The three members of RFC 6749 §5.1 that a tester needs. Entra's v1 endpoint gives `expires_in` as a string; others leave out `token_type`.
fn normalised(reply: &Reply) -> Result<Value, &'static str> {
    if reply.truncated {
        return Err("the answer did not end within its limits.");
    }
    if !is_json(&reply.headers) {
        return Err("the answer is not JSON. Check the token endpoint.");
    }
    let answer: Value = serde_json::from_slice(&reply.body)
        .map_err(|_unparsable| "the answer is not JSON. Check the token endpoint.")?;
    let answer = answer
        .as_object()
        .ok_or("the answer is not a JSON object.")?;
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

fn whole_seconds(stated: &Value) -> Option<u64> {
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

fn token<E>(
    asked: Result<BasicTokenResponse, RequestTokenError<Denial, E>>,
) -> Result<Secret, Denial>
where
    E: oauth2::ErrorResponse + 'static,
{
    match asked {
        Ok(response) => Ok(Secret::new(response.access_token().secret().clone())),
        Err(RequestTokenError::Request(denial)) => Err(denial),
        Err(_unprintable) => Err(Denial::Unusable("the answer could not be read.".to_owned())),
    }
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
