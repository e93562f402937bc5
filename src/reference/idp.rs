//! A request to the identity provider in, Entra's answer out: metadata, keys, or a token.

mod aadsts;
mod account;
mod ask;
mod authorize;
mod certificate;
mod client;
mod codes;
mod consents;
mod devices;
mod directory;
mod form;
mod grants;
mod graph;
mod issuing;
mod jws;
mod keys;
mod managed;
mod page;
mod proof;
mod redirect;
mod renewals;
mod resource;
mod sittings;
mod tenant;
mod token;
mod totp;
mod user;
mod verification;
mod workload;

use std::io;
use std::thread;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};
use crate::reference::policy::{ADMIN, READ, WRITE};
use crate::reference::{chance, reply};
use aadsts::Refusal;
use ask::Endpoint;
use certificate::{Files, certificate};
use client::{CONNECTOR_REDIRECT, INSOMNIA_REDIRECT, INSPECTOR_REDIRECT, LOOPBACK, SPA_REDIRECT};
use codes::Delegation;
use managed::Managed;
use proof::Proof;
use redirect::Platform;
use renewals::Renewal;
use resource::{GUARDED, MIDDLE, RETIRED};
use tenant::Tenant;
use token::Grant;
use user::Standing;
use workload::Workload;

pub(crate) use keys::{SigningKey, signing_key};
pub(crate) use token::now;

/// The identity provider of one tenant, with the platform that its workloads run on.
pub(crate) struct Idp {
    faults: Faults,
    tenant: Tenant,
    workload: Workload,
    managed: Managed,
    files: Files,
}

impl Idp {
    /// Takes the address that it is reached at, without a slash at the end, and the seconds that its access tokens live,
    /// unless that is left to chance; fails when the files of the certificate cannot be written.
    pub(crate) fn new(base: String, faults: Faults, lifetime: Option<u32>) -> io::Result<Self> {
        let workload = Workload::new(&base);
        // Making a key takes longer than all else at the start, so the two are made side by side.
        let certificate = thread::scope(|scope| {
            scope.spawn(signing_key);
            certificate()
        });
        Ok(Self {
            managed: Managed::new(&base),
            tenant: Tenant::new(base, workload.trusts(), faults.clone(), lifetime),
            faults,
            workload,
            files: Files::write(certificate)?,
        })
    }

    /// Answers one request; anything under another tenant's id is AADSTS90002.
    pub(crate) fn answer(&self, call: &Call) -> Response {
        let path = call.path().trim_start_matches('/');
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        match (first, rest) {
            (".well-known", _) => self.well_known(rest),
            ("workload", _) => self.workload.answer(rest, call),
            ("graph", _) => graph::graph(&self.tenant, rest, call),
            ("msi", "token") => self.managed.app_service(&self.tenant, call),
            ("metadata", "identity/oauth2/token") => self.managed.metadata(&self.tenant, call),
            _ if first == self.tenant.directory.tenant => self.of_tenant(rest, call),
            _ => Refusal::tenant(first).answer(&self.tenant.base),
        }
    }

    /// Returns both issuers: v1, then v2.
    pub(crate) fn issuers(&self) -> [String; 2] {
        [Endpoint::V1, Endpoint::V2].map(|endpoint| self.tenant.issuer(endpoint))
    }

    /// Returns the audiences that the API's tokens may carry: the identifier URI, then the application id.
    pub(crate) fn audiences(&self) -> [String; 2] {
        let api = self.tenant.directory.api();
        [api.uri.clone(), api.id.to_owned()]
    }

    /// Returns the address of the sign-in page for the API.
    pub(crate) fn sign_in_page(&self) -> String {
        let public = self.tenant.directory.labelled("CLIENT_APP").id;
        format!(
            "{}/oauth2/v2.0/authorize?client_id={public}&response_type=code&scope=openid",
            self.tenant.root()
        )
    }

    /// Returns what a scenario must know to sign in, secrets included.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let directory = &self.tenant.directory;
        let mut variables = vec![
            ("ENTRA_AUTHORITY", self.tenant.base.clone()),
            ("ENTRA_TENANT_ID", directory.tenant.to_owned()),
            ("API_APP_ID", directory.api().id.to_owned()),
            ("OTHER_RESOURCE", directory.other().uri.clone()),
            ("MIDDLE_RESOURCE", format!("api://{MIDDLE}")),
            ("GUARDED_RESOURCE", format!("api://{GUARDED}")),
            ("RETIRED_RESOURCE", format!("api://{RETIRED}")),
        ];
        variables.extend(self.credentials());
        variables.extend(self.workload.variables());
        variables.extend(self.managed.variables());
        variables.extend(self.graph());
        variables.extend(self.borrowed());
        variables
    }

    /// What changes memberships, by which the roles of a user follow.
    fn graph(&self) -> Vec<(&'static str, String)> {
        let directory = &self.tenant.directory;
        vec![
            ("GRAPH_URL", format!("{}/graph/v1.0", self.tenant.base)),
            ("READERS_GROUP_ID", directory.group_id(READ)),
            ("WRITERS_GROUP_ID", directory.group_id(WRITE)),
            ("ADMINS_GROUP_ID", directory.group_id(ADMIN)),
        ]
    }

    /// Names and secrets of every client and user, and what else they sign in with.
    fn credentials(&self) -> Vec<(&'static str, String)> {
        let directory = &self.tenant.directory;
        let mut variables = vec![
            ("CLIENT_APP_REDIRECT_URI", LOOPBACK.to_owned()),
            ("CONNECTOR_REDIRECT_URI", CONNECTOR_REDIRECT.to_owned()),
            ("INSPECTOR_REDIRECT_URI", INSPECTOR_REDIRECT.to_owned()),
            ("INSOMNIA_REDIRECT_URI", INSOMNIA_REDIRECT.to_owned()),
            ("SPA_REDIRECT_URI", SPA_REDIRECT.to_owned()),
            (
                "CERTIFICATE_FILE",
                self.files.certificate().display().to_string(),
            ),
            (
                "CERTIFICATE_KEY_FILE",
                self.files.key().display().to_string(),
            ),
        ];
        for client in &directory.clients {
            let [id, secret] = client.variables;
            variables.push((id, client.id.to_owned()));
            variables.extend(client.secret().map(|value| (secret, value.to_owned())));
        }
        for user in &directory.users {
            let [name, password] = user.variables;
            variables.push((name, user.upn.to_owned()));
            variables.push((password, user.password.clone()));
            if user.standing == Standing::Factor {
                variables.push(("MFA_SEED", user.seed.base32()));
            }
        }
        variables
    }

    /// Tokens that nobody can forge without the key or the book: an old one, and three that renew.
    fn borrowed(&self) -> Vec<(&'static str, String)> {
        let day = 24 * 3600;
        let reader = self.renewal("READER", now());
        let revoked = self.renewal("STRANGER", now());
        let stranger = self.tenant.directory.user_id("STRANGER");
        self.tenant.renewals.revoke(&stranger);
        vec![
            ("EXPIRED_TOKEN", self.expired_token()),
            ("READER_REFRESH_TOKEN", reader),
            ("REVOKED_REFRESH_TOKEN", revoked),
            (
                "IDLE_REFRESH_TOKEN",
                self.renewal("WRITER", now() - 91 * day),
            ),
        ]
    }

    /// A refresh token of a user who signed in through the public client at the given second.
    fn renewal(&self, label: &str, signed_in_at: i64) -> String {
        let directory = &self.tenant.directory;
        let delegation = Delegation {
            client: directory.labelled("CLIENT_APP").id,
            user: directory.user_id(label),
            text: format!("{}/.default offline_access", directory.api().uri),
            endpoint: Endpoint::V2,
        };
        let renewal = Renewal::new(delegation, Platform::Native, signed_in_at);
        self.tenant.renewals.issue(renewal)
    }

    /// A genuine token of the reader that ran out an hour ago.
    fn expired_token(&self) -> String {
        let directory = &self.tenant.directory;
        let resource = directory.api();
        let grant = Grant {
            client: directory.labelled("READER"),
            proof: Proof::Secret,
            user: None,
            resource,
            asked_for: resource.uri.clone(),
        };
        let lifetime = chance::lifetime();
        let issued_at = now() - i64::from(lifetime) - 3600;
        grant.token(directory, &self.tenant.base, issued_at, lifetime)
    }

    /// The metadata at the address of RFC 8414 section 3.1: the path of the issuer stands behind.
    fn well_known(&self, rest: &str) -> Response {
        let tenant = self.tenant.directory.tenant;
        if rest == format!("oauth-authorization-server/{tenant}/v2.0") {
            return self.metadata(Endpoint::V2);
        }
        reply::empty(StatusCode::NOT_FOUND)
    }

    fn of_tenant(&self, rest: &str, call: &Call) -> Response {
        let tenant = &self.tenant;
        match rest {
            "v2.0/.well-known/openid-configuration" => self.metadata(Endpoint::V2),
            ".well-known/openid-configuration" => self.metadata(Endpoint::V1),
            "discovery/v2.0/keys" => {
                let issuer = tenant.issuer(Endpoint::V2);
                reply::json(StatusCode::OK, &signing_key().document(Some(&issuer)))
            }
            "discovery/keys" => reply::json(StatusCode::OK, &signing_key().document(None)),
            "oauth2/v2.0/token" => issuing::token(tenant, call, Endpoint::V2),
            "oauth2/token" => issuing::token(tenant, call, Endpoint::V1),
            "oauth2/v2.0/authorize" => authorize::authorize(tenant, call, Endpoint::V2),
            "oauth2/authorize" => authorize::authorize(tenant, call, Endpoint::V1),
            "oauth2/v2.0/devicecode" => verification::begin(tenant, call, Endpoint::V2),
            "oauth2/devicecode" => verification::begin(tenant, call, Endpoint::V1),
            "oauth2/deviceauth" => verification::verify(tenant, call),
            _ => reply::empty(StatusCode::NOT_FOUND),
        }
    }

    /// The provider metadata (`OpenID` Connect Discovery section 3), as far as Entra's and this one agree.
    fn metadata(&self, endpoint: Endpoint) -> Response {
        let root = self.tenant.root();
        let generation = if endpoint == Endpoint::V2 {
            "/v2.0"
        } else {
            ""
        };
        let mut document = json!({
            "issuer": self.tenant.issuer(endpoint),
            "authorization_endpoint": format!("{root}/oauth2{generation}/authorize"),
            "token_endpoint": format!("{root}/oauth2{generation}/token"),
            "jwks_uri": format!("{root}/discovery{generation}/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ["PS256", "RS256"],
            "device_authorization_endpoint": format!("{root}/oauth2{generation}/devicecode"),
            "grant_types_supported": [
                "client_credentials", "password", "authorization_code", "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        });
        let faults = &self.faults;
        if faults.contains(Fault::NoPkce) {
            document["code_challenge_methods_supported"].take();
        }
        if faults.contains(Fault::NoIssuerParameter) {
            document["authorization_response_iss_parameter_supported"] = json!(false);
        }
        if faults.contains(Fault::PlainHttpAuthorization) {
            document["authorization_endpoint"] = json!("http://login.catalog.invalid/authorize");
        }
        reply::json(StatusCode::OK, &document)
    }
}
