//! A request to the identity provider in, Entra's answer out: metadata, keys, or a token.

mod aadsts;
mod directory;
mod form;
mod keys;
mod token;

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::reference::call::Call;
use crate::reference::fault::Faults;
use crate::reference::{chance, reply};
use aadsts::Refusal;
use directory::Directory;
use form::{Endpoint, Form};
use token::Grant;

pub(crate) use keys::{SigningKey, signing_key};
pub(crate) use token::now;

/// What a browser gets to see; no one can sign in with it, since a tester has none.
const SIGN_IN: &str = "<!DOCTYPE html><html><head><title>Sign in to your account</title></head>\
    <body><h1>Sign in</h1><p>Enter password</p></body></html>\n";

/// The identity provider of one tenant.
pub(crate) struct Idp {
    base: String,
    directory: Directory,
}

impl Idp {
    /// Takes the address that it is reached at, without a slash at the end.
    pub(crate) fn new(base: String, faults: Faults) -> Self {
        Self {
            base,
            directory: Directory::new(faults),
        }
    }

    /// Answers one request; anything under another tenant's id is AADSTS90002.
    pub(crate) fn answer(&self, call: &Call) -> Response {
        let path = call.path().trim_start_matches('/');
        let (tenant, rest) = path.split_once('/').unwrap_or((path, ""));
        if tenant != self.directory.tenant {
            return Refusal::Tenant(tenant.to_owned()).answer(&self.base);
        }
        match rest {
            "v2.0/.well-known/openid-configuration" => self.metadata(Endpoint::V2),
            ".well-known/openid-configuration" => self.metadata(Endpoint::V1),
            "discovery/v2.0/keys" => reply::json(
                StatusCode::OK,
                &signing_key().document(Some(&self.issuer(Endpoint::V2))),
            ),
            "discovery/keys" => reply::json(StatusCode::OK, &signing_key().document(None)),
            "oauth2/v2.0/token" => self.token(call, Endpoint::V2),
            "oauth2/token" => self.token(call, Endpoint::V1),
            "oauth2/v2.0/authorize" | "oauth2/authorize" => reply::html(StatusCode::OK, SIGN_IN),
            _ => reply::empty(StatusCode::NOT_FOUND),
        }
    }

    /// Returns the issuer that the metadata of this generation names and tokens of this version carry.
    pub(crate) fn issuer(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::V1 => token::issuer_v1(&self.base, self.directory.tenant),
            Endpoint::V2 => token::issuer_v2(&self.base, self.directory.tenant),
        }
    }

    /// Returns both issuers: v1, then v2.
    pub(crate) fn issuers(&self) -> [String; 2] {
        [self.issuer(Endpoint::V1), self.issuer(Endpoint::V2)]
    }

    /// Returns the audiences that the API's tokens may carry: the identifier URI, then the application id.
    pub(crate) fn audiences(&self) -> [String; 2] {
        let api = self.directory.api();
        [api.uri.clone(), api.id.to_owned()]
    }

    /// Returns the address of the sign-in page for the API.
    pub(crate) fn sign_in_page(&self) -> String {
        let public = self
            .directory
            .clients
            .last()
            .map_or("", |client| &client.id);
        format!(
            "{}/{}/oauth2/v2.0/authorize?client_id={public}&response_type=code&scope=openid",
            self.base, self.directory.tenant
        )
    }

    /// Returns what a scenario must know to sign in, secrets included.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let directory = &self.directory;
        let mut variables = vec![
            ("ENTRA_AUTHORITY", self.base.clone()),
            ("ENTRA_TENANT_ID", directory.tenant.to_owned()),
            ("API_APP_ID", directory.api().id.to_owned()),
            ("OTHER_RESOURCE", directory.other().uri.clone()),
        ];
        for client in &directory.clients {
            let (id, secret) = client_variables(client.label);
            variables.push((id, client.id.clone()));
            variables.extend(client.secret.clone().map(|value| (secret, value)));
        }
        for user in &directory.users {
            let (name, password) = user_variables(user.label);
            variables.push((name, user.upn.to_owned()));
            variables.push((password, user.password.clone()));
        }
        variables.push(("EXPIRED_TOKEN", self.expired_token()));
        variables
    }

    /// A genuine token of the reader that ran out an hour ago: nobody can forge one without the key.
    fn expired_token(&self) -> String {
        let resource = self.directory.api();
        let grant = Grant {
            client: &self.directory.clients[0],
            user: None,
            resource,
            asked_for: &resource.uri,
        };
        let lifetime = chance::lifetime();
        grant.token(
            &self.directory,
            &self.base,
            now() - i64::from(lifetime) - 3600,
            lifetime,
        )
    }

    /// The provider metadata (`OpenID` Connect Discovery section 3), as far as Entra's and this one agree.
    fn metadata(&self, endpoint: Endpoint) -> Response {
        let root = format!("{}/{}", self.base, self.directory.tenant);
        let generation = if endpoint == Endpoint::V2 {
            "/v2.0"
        } else {
            ""
        };
        reply::json(
            StatusCode::OK,
            &json!({
                "issuer": self.issuer(endpoint),
                "authorization_endpoint": format!("{root}/oauth2{generation}/authorize"),
                "token_endpoint": format!("{root}/oauth2{generation}/token"),
                "jwks_uri": format!("{root}/discovery{generation}/keys"),
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "grant_types_supported": ["client_credentials", "password"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }),
        )
    }

    fn token(&self, call: &Call, endpoint: Endpoint) -> Response {
        if call.method != Method::POST {
            return Refusal::PostOnly.answer(&self.base);
        }
        let form = Form::read(call);
        match form.grant(&self.directory, endpoint) {
            Ok(grant) => self.issue(&grant, endpoint),
            Err(refusal) => refusal.answer(&self.base),
        }
    }

    fn issue(&self, grant: &Grant<'_>, endpoint: Endpoint) -> Response {
        let (issued_at, lifetime) = (now(), chance::lifetime());
        let token = grant.token(&self.directory, &self.base, issued_at, lifetime);
        let mut body = match endpoint {
            Endpoint::V1 => v1_body(grant, issued_at, lifetime),
            Endpoint::V2 => {
                json!({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime})
            }
        };
        if grant.user.is_some() {
            body["scope"] = match endpoint {
                Endpoint::V1 => json!(grant.resource.scope),
                Endpoint::V2 => json!(format!("{}/{}", grant.asked_for, grant.resource.scope)),
            };
        }
        body["access_token"] = json!(token);
        reply::with(
            reply::json(StatusCode::OK, &body),
            header::CACHE_CONTROL,
            "no-store, no-cache",
        )
    }
}

/// The first generation of the endpoint writes numbers as text and repeats the resource.
fn v1_body(grant: &Grant<'_>, issued_at: i64, lifetime: u32) -> Value {
    json!({
        "token_type": "Bearer",
        "expires_in": lifetime.to_string(),
        "ext_expires_in": lifetime.to_string(),
        "expires_on": (issued_at + i64::from(lifetime)).to_string(),
        "not_before": issued_at.to_string(),
        "resource": grant.asked_for,
    })
}

fn client_variables(label: &str) -> (&'static str, &'static str) {
    match label {
        "READER" => ("READER_ID", "READER_SECRET"),
        "WRITER" => ("WRITER_ID", "WRITER_SECRET"),
        "ADMIN" => ("ADMIN_ID", "ADMIN_SECRET"),
        "STRANGER" => ("STRANGER_ID", "STRANGER_SECRET"),
        "NEARMISS" => ("NEARMISS_ID", "NEARMISS_SECRET"),
        _ => ("CLIENT_APP_ID", "CLIENT_APP_SECRET"),
    }
}

fn user_variables(label: &str) -> (&'static str, &'static str) {
    match label {
        "READER" => ("READER_USER", "READER_PASSWORD"),
        "WRITER" => ("WRITER_USER", "WRITER_PASSWORD"),
        _ => ("ADMIN_USER", "ADMIN_PASSWORD"),
    }
}
