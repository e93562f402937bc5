//! A reason to refuse a token in, Entra's error document or error page out.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::reference::{chance, reply};

/// Why no token is given: a number and an OAuth error from Entra's list of error codes, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The number after `AADSTS`.
    pub(crate) code: u32,
    /// The OAuth 2.0 error, which decides what a client may do next.
    pub(crate) error: &'static str,
    text: String,
}

/// Writes one constructor a row: what it quotes, its number, its OAuth error and its sentence.
macro_rules! refusals {
    ($($name:ident($($value:ident),*) $code:literal $error:ident $text:literal)+) => {
        impl Refusal {
            $(
                #[doc = concat!("AADSTS", $code, ", `", stringify!($error), "`: ", $text)]
                pub(crate) fn $name($($value: &str),*) -> Self {
                    Self { code: $code, error: stringify!($error), text: format!($text) }
                }
            )+
        }
    };
}

// Tenant, application, resource.
refusals! {
    tenant(name) 90002 invalid_request
        "Tenant '{name}' not found. Check the tenant ID and the cloud."
    client(id) 700_016 unauthorized_client
        "Application with identifier '{id}' was not found in the directory."
    client_disabled(id) 7_000_112 unauthorized_client
        "Application '{id}' is disabled."
    resource(name) 500_011 invalid_resource
        "The resource principal named {name} was not found in the tenant."
    resource_disabled(name) 50001 invalid_resource
        "The resource '{name}' is disabled or does not exist."
    undeclared(client, resource) 650_057 invalid_resource
        "Invalid resource. The client '{client}' asks for '{resource}', which the permissions of its registration do not list."
}

// The client's credential.
refusals! {
    secret(id) 7_000_215 invalid_client
        "Invalid client secret provided. Ensure the secret being sent is the client secret value, not the client secret ID, for a secret added to app '{id}'."
    secret_expired(id) 7_000_222 invalid_client
        "The provided client secret keys for app '{id}' are expired."
    no_credential() 7_000_218 invalid_client
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    public_credential() 700_025 invalid_client
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    assertion_unread() 50027 invalid_request
        "JWT token is invalid or malformed."
    assertion_client() 700_021 invalid_client
        "Client assertion application identifier doesn't match 'client_id' parameter."
    assertion_audience(audience) 700_023 invalid_client
        "Client assertion audience claim '{audience}' does not match the token endpoint."
    assertion_time() 700_024 invalid_client
        "Client assertion is not within its valid time range. Check the clock, and fetch the assertion right before it is used."
    assertion_key(thumbprint) 700_027 invalid_client
        "Client assertion failed signature validation. [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}']"
    assertion_signature(thumbprint) 700_027 invalid_client
        "Client assertion failed signature validation. [Reason - The key was used but the signature does not match., Thumbprint of key used by client: '{thumbprint}']"
    no_federation(issuer, subject, audience) 70021 invalid_client
        "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'."
    federated_issuer(issuer) 700_211 invalid_client
        "No matching federated identity record found for presented assertion issuer '{issuer}'."
    federated_audience(audience) 700_212 invalid_client
        "No matching federated identity record found for presented assertion audience '{audience}'."
    federated_subject(subject) 700_213 invalid_client
        "No matching federated identity record found for presented assertion subject '{subject}'. Matching is exact and case-sensitive."
    client_unassigned(client, resource) 501_051 invalid_grant
        "Application '{client}' is not assigned to a role for the application '{resource}'."
}

// The form of the request.
refusals! {
    missing(name) 900_144 invalid_request
        "The request body must contain the following parameter: '{name}'."
    post_only() 900_561 invalid_request
        "The endpoint only accepts POST requests."
    grant(name) 70003 unsupported_grant_type
        "The app requested an unsupported grant type '{name}'."
    response_type(name) 70005 unsupported_response_type
        "The app requested an unsupported response type '{name}'."
    not_default(scope) 1_002_012 invalid_scope
        "The provided value for scope {scope} is not valid. It must end with /.default."
    scope(scope) 70011 invalid_scope
        "The provided request must include a 'scope' input parameter that is valid: {scope}."
    scopes_of_several(scope) 700_022 invalid_scope
        "The provided value for the input parameter scope is not valid because it contains more than one resource: {scope}."
    scope_unknown(client, scope, resource) 650_053 invalid_client
        "The application '{client}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'."
    resource_parameter() 901_002 invalid_request
        "The 'resource' request parameter is not supported."
    target(resource) 9_010_010 invalid_target
        "The resource parameter '{resource}' provided in the request doesn't match with the requested scopes."
    redirect(uri, client) 50011 invalid_request
        "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the application '{client}'."
    no_redirect(client) 500_113 invalid_request
        "No reply address is registered for the application '{client}'."
    redirect_changed(uri) 500_112 invalid_client
        "The reply address '{uri}' does not match the reply address provided when requesting the authorization code."
    challenge_method(name) 501_491 invalid_request
        "The code_challenge_method '{name}' is not supported; 'S256' and 'plain' are."
    verifier() 501_481 invalid_grant
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    code_unread() 9_002_313 invalid_grant
        "Invalid request. Request is malformed or invalid."
    code_redeemed() 54005 invalid_grant
        "OAuth2 authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."
    code_expired() 70008 invalid_grant
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."
    pkce_required() 9_002_325 invalid_request
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption."
    cross_origin() 9_002_326 invalid_request
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."
    same_origin() 9_002_327 invalid_request
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."
}

// The user's sign-in.
refusals! {
    user(upn) 50034 invalid_grant
        "The user account {upn} does not exist in the directory."
    password() 50126 invalid_grant
        "Error validating credentials due to invalid username or password."
    locked() 50053 invalid_grant
        "The account is locked, because you tried to sign in too many times with an incorrect user ID or password."
    password_expired() 50055 invalid_grant
        "The password is expired."
    no_password() 50056 invalid_grant
        "Invalid or missing password: password does not exist in the directory for this user."
    user_disabled() 50057 invalid_grant
        "The user account is disabled."
    no_session() 50058 login_required
        "A silent sign-in request was sent but no user is signed in."
    factor(resource) 50076 invalid_grant
        "You must use multi-factor authentication to access '{resource}'."
    factor_unregistered(resource) 50079 invalid_grant
        "You must enroll in multi-factor authentication to access '{resource}'."
    unassigned(resource) 50105 invalid_grant
        "The administrator has configured the application '{resource}' to block users unless they are specifically granted ('assigned') access to it. The signed-in user is neither assigned nor a direct member of an assigned group."
    conditional_access() 53003 invalid_grant
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
    revoked() 50173 invalid_grant
        "The provided grant has expired due to it being revoked, a fresh auth token is needed."
    refresh_unread() 70000 invalid_grant
        "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
    refresh_idle() 700_082 invalid_grant
        "The refresh token has expired due to inactivity. The token was inactive for 90 days."
    refresh_of_page() 700_084 invalid_grant
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 24 hours, which cannot be extended."
    device_pending() 70016 authorization_pending
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    device_unknown() 70018 bad_verification_code
        "The device code is not known, or was used already."
    device_expired() 70019 expired_token
        "The device code has expired."
    device_declined() 65004 authorization_declined
        "The user declined to sign in."
}

// Consent, and acting on behalf of a user.
refusals! {
    consent(client, resource) 65001 invalid_grant
        "The user or administrator has not consented to use the application with ID '{client}' for '{resource}'. Send an interactive authorization request for this user and resource."
    administrator(client) 90094 consent_required
        "Needs administrator approval: '{client}' asks for a permission that only an administrator can grant."
    declined() 65004 access_denied
        "User declined to consent to access the app."
    assertion_of_other(audience) 500_131 invalid_grant
        "Assertion audience '{audience}' does not match the client app presenting the assertion. The audience must be the app that calls on behalf of the user."
    assertion_forged() 50013 invalid_grant
        "Assertion failed signature validation."
    assertion_expired() 500_133 invalid_grant
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion."
    app_on_behalf() 7_000_114 invalid_grant
        "Application is not allowed to make application on-behalf-of calls: the assertion is no user's."
    id_token_on_behalf() 240_002 invalid_request
        "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant."
}

impl Refusal {
    /// Returns the number with its sentence, as a page and a redirect show it.
    pub(crate) fn headline(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    /// Returns 401 for a client that did not prove itself, otherwise 400, with the document as JSON.
    pub(crate) fn answer(&self, base: &str) -> Response {
        let (trace, correlation, at) = (chance::guid(), chance::guid(), timestamp());
        let description = format!(
            "{}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}",
            self.headline()
        );
        let mut body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{base}/error?code={}", self.code),
        });
        if let Some(suberror) = self.suberror() {
            body["suberror"] = json!(suberror);
        }
        let status = if self.error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        reply::with(
            reply::json(status, &body),
            header::CACHE_CONTROL,
            "no-store, no-cache",
        )
    }

    /// What MSAL reads to tell a user what to do, where there is anything to do.
    fn suberror(&self) -> Option<&'static str> {
        match self.code {
            65001 => Some("consent_required"),
            50055 => Some("user_password_expired"),
            50076 | 50079 => Some("basic_action"),
            53003 => Some("message_only"),
            50173 | 700_082 | 700_084 => Some("bad_token"),
            _ => None,
        }
    }
}

/// Entra writes `2026-07-28 12:34:56Z`.
fn timestamp() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now().max(UNIX_EPOCH)).to_string();
    now.replace('T', " ")
}
