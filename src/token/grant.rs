//! A grant with its client in, the token that the endpoint issued for it out. The only file that names oauth2.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, TokenResponse,
    TokenUrl,
};
use serde_json::Value;
use url::form_urlencoded;

use super::denial::Denial;
use super::endpoint::{self, whole_seconds};
use super::patience::Patience;
use super::visit::{Issued, Proven, Visit};
use crate::scenario::sign_in::Client;
use crate::scenario::{ClientAuth, EntraEndpoint, Identity, Provider};
use crate::secret::Secret;
use crate::wire::{Call, Wire};

/// Form parameters by name.
pub(super) type Form = Vec<(String, String)>;

type Registered =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Sends one of the library's requests with further parameters.
macro_rules! asked {
    ($request:expr, $form:expr, $visit:expr) => {{
        let mut request = $request;
        for (name, value) in $form {
            request = request.add_extra_param(name, value);
        }
        let (wire, patience) = ($visit.wire(), $visit.patience());
        let http = |request: HttpRequest| post(request, wire.clone(), patience.clone());
        issued(request.request_async(&http).await)
    }};
}

/// Client credentials (RFC 6749 §4.4).
pub(super) async fn client_credentials(
    visit: &Visit<'_>,
    client: &Client,
    scope: Option<&str>,
) -> Result<Issued, Denial> {
    let (registered, form) = registered(visit, client, scope).await?;
    asked!(registered.exchange_client_credentials(), form, visit)
}

/// A user's name and password (RFC 6749 §4.3).
pub(super) async fn password(
    visit: &Visit<'_>,
    client: &Client,
    username: &str,
    password: &Secret,
    scope: Option<&str>,
) -> Result<Issued, Denial> {
    let (registered, form) = registered(visit, client, scope).await?;
    let username = ResourceOwnerUsername::new(username.to_owned());
    let password = ResourceOwnerPassword::new(password.expose().to_owned());
    asked!(
        registered.exchange_password(&username, &password),
        form,
        visit
    )
}

/// A refresh token (RFC 6749 §6).
pub(super) async fn refresh(
    visit: &Visit<'_>,
    client: &Client,
    token: &Secret,
    scope: Option<&str>,
) -> Result<Issued, Denial> {
    let (registered, form) = registered(visit, client, scope).await?;
    let token = RefreshToken::new(token.expose().to_owned());
    asked!(registered.exchange_refresh_token(&token), form, visit)
}

/// A page to sign in on, and what its answer will be held against.
pub(super) struct Invitation {
    /// The page's URL.
    pub(super) url: String,
    /// What the answer must repeat.
    pub(super) state: String,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

/// An authorization request (RFC 6749 §4.1.1) with PKCE (RFC 7636 §4.3).
///
/// # Errors
/// A URL that is none.
pub(super) fn invite(
    client: &Client,
    authorization_endpoint: &str,
    redirect: String,
    form: Form,
) -> Result<Invitation, Denial> {
    let unusable =
        |_unparsable| Denial::Unusable("its authorization endpoint is not a URL".to_owned());
    let page = AuthUrl::new(authorization_endpoint.to_owned()).map_err(unusable)?;
    let redirect = RedirectUrl::new(redirect).map_err(unusable)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let registered = BasicClient::new(ClientId::new(client.id.clone()))
        .set_auth_uri(page)
        .set_redirect_uri(redirect.clone());
    let mut request = registered
        .authorize_url(CsrfToken::new_random)
        .set_pkce_challenge(challenge);
    for (name, value) in form {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    Ok(Invitation {
        url: url.into(),
        state: state.into_secret(),
        verifier,
        redirect,
    })
}

/// The code that an invitation was answered with (RFC 6749 §4.1.3).
pub(super) async fn redeem(
    visit: &Visit<'_>,
    client: &Client,
    invitation: Invitation,
    code: &Secret,
    scope: Option<&str>,
) -> Result<Issued, Denial> {
    let (registered, form) = registered(visit, client, scope).await?;
    let code = AuthorizationCode::new(code.expose().to_owned());
    let registered = registered.set_redirect_uri(invitation.redirect);
    let request = registered
        .exchange_code(code)
        .set_pkce_verifier(invitation.verifier);
    asked!(request, form, visit)
}

/// A grant that the library does not know (RFC 6749 §4.5): its parameters with those of the client.
pub(super) async fn extension(
    visit: &Visit<'_>,
    client: &Client,
    mut form: Form,
) -> Result<Issued, Denial> {
    add(&mut form, parameters(visit.identity));
    let call = client_call(visit, client, visit.token_endpoint(), form).await?;
    let answer = endpoint::token(call, visit.wire(), visit.patience()).await?;
    read(&answer)
}

/// A token answer that was made plain (see [`endpoint::token`]).
///
/// # Errors
/// There is no token in it.
pub(super) fn read(answer: &Value) -> Result<Issued, Denial> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let secret = |name: &str| text(name).map(|text| Secret::new(text.to_owned()));
    Ok(Issued {
        token: secret("access_token")
            .ok_or_else(|| Denial::Unusable("there is no access_token in it.".to_owned()))?,
        lifetime: answer
            .get("expires_in")
            .and_then(whole_seconds)
            .map(std::time::Duration::from_secs),
        refresh: secret("refresh_token"),
    })
}

/// A form that a client posts to one of its provider's endpoints, with its proof.
pub(super) async fn client_call(
    visit: &Visit<'_>,
    client: &Client,
    url: &str,
    mut form: Form,
) -> Result<Call, Denial> {
    let proven = visit.prove(client).await?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    form.extend(proven.form());
    match (&proven.secret, visit.identity.client_auth) {
        (Some(secret), ClientAuth::Basic) => {
            headers.insert(AUTHORIZATION, basic(&client.id, secret)?);
        }
        (Some(secret), ClientAuth::Post) => {
            form.push(("client_id".to_owned(), client.id.clone()));
            form.push(("client_secret".to_owned(), secret.expose().to_owned()));
        }
        (None, _) => form.push(("client_id".to_owned(), client.id.clone())),
    }
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    Ok(Call {
        method: http::Method::POST,
        url: url.to_owned(),
        headers,
        body: body.into(),
    })
}

/// HTTP Basic with both parts form-encoded first (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue, Denial> {
    use base64::Engine as _;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret.expose()));
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_unsendable| {
        Denial::Unusable("its client cannot be put in a header".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn registered(
    visit: &Visit<'_>,
    client: &Client,
    scope: Option<&str>,
) -> Result<(Registered, Form), Denial> {
    let endpoint = TokenUrl::new(visit.token_endpoint().to_owned())
        .map_err(|_unparsable| Denial::Unusable("its token endpoint is not a URL".to_owned()))?;
    let proven: Proven = visit.prove(client).await?;
    let registered = BasicClient::new(ClientId::new(client.id.clone()))
        .set_auth_type(match visit.identity.client_auth {
            ClientAuth::Post => AuthType::RequestBody,
            ClientAuth::Basic => AuthType::BasicAuth,
        })
        .set_token_uri(endpoint);
    let registered = match &proven.secret {
        Some(secret) => registered.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
        None => registered,
    };
    let mut form = asked_for(scope, visit.identity);
    form.extend(parameters(visit.identity));
    form.extend(proven.form());
    Ok((registered, form))
}

/// The scope as a form parameter. Entra's v1 endpoint takes `resource` and no scope; its v2 endpoint, unless told otherwise,
/// the API's `/.default`.
pub(super) fn asked_for(own: Option<&str>, identity: &Identity) -> Form {
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
    stated
        .into_iter()
        .map(|scope| ("scope".to_owned(), scope))
        .collect()
}

/// The author's parameters, and Entra v1's `resource`.
pub(super) fn parameters(identity: &Identity) -> Form {
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

/// Adds parameters that the form does not have: none may be sent twice (RFC 6749 §3.2).
pub(super) fn add(form: &mut Form, parameters: Form) {
    for (name, value) in parameters {
        if !form.iter().any(|(known, _)| *known == name) {
            form.push((name, value));
        }
    }
}

/// What oauth2 sees is always a plain success that we wrote ourselves: its own errors quote what they could not read.
async fn post(
    request: HttpRequest,
    wire: Wire,
    patience: Patience,
) -> Result<HttpResponse, Denial> {
    let (head, body) = request.into_parts();
    let call = Call {
        method: head.method,
        url: head.uri.to_string(),
        headers: head.headers,
        body: body.into(),
    };
    let answer = endpoint::token(call, &wire, &patience).await?;
    let mut response = HttpResponse::new(answer.to_string().into_bytes());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn issued<E>(
    asked: Result<BasicTokenResponse, RequestTokenError<Denial, E>>,
) -> Result<Issued, Denial>
where
    E: oauth2::ErrorResponse + 'static,
{
    match asked {
        Ok(response) => Ok(Issued {
            token: Secret::new(response.access_token().secret().clone()),
            lifetime: response.expires_in(),
            refresh: response
                .refresh_token()
                .map(|token| Secret::new(token.secret().clone())),
        }),
        Err(RequestTokenError::Request(denial)) => Err(denial),
        Err(_unprintable) => Err(Denial::Unusable("the answer could not be read.".to_owned())),
    }
}
