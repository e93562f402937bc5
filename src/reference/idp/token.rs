//! A signed-in client or user and a resource in, an access token of the version that the resource asks for out.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ask::Ask;
use super::client::Client;
use super::directory::Directory;
use super::keys::signing_key;
use super::proof::Proof;
use super::resource::Resource;
use super::user::User;
use crate::reference::chance;

/// Who signed in, and for what.
pub(crate) struct Grant<'a> {
    /// The client that asked.
    pub(crate) client: &'a Client,
    /// How it proved itself.
    pub(crate) proof: Proof,
    /// The user with the scopes that they delegate, unless the client acts for itself.
    pub(crate) user: Option<(&'a User, String)>,
    /// The API that the token is for.
    pub(crate) resource: &'a Resource,
    /// The name by which the API was asked for, which a v1 token repeats as its audience.
    pub(crate) asked_for: String,
}

/// Returns the issuer of v1 tokens, with the final slash that Entra gives it.
pub(crate) fn issuer_v1(base: &str, tenant: &str) -> String {
    format!("{base}/sts/{tenant}/")
}

/// Returns the issuer of v2 tokens, without one.
pub(crate) fn issuer_v2(base: &str, tenant: &str) -> String {
    format!("{base}/{tenant}/v2.0")
}

/// Returns the present second of the Unix clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl<'a> Grant<'a> {
    /// Returns the grant of a user to a client that has the consent for `scopes`, which are all that is asked.
    pub(crate) fn of_user(
        client: &'a Client,
        proof: Proof,
        user: &'a User,
        scopes: String,
        ask: Ask<'a>,
    ) -> Self {
        Self {
            client,
            proof,
            user: Some((user, scopes)),
            resource: ask.resource,
            asked_for: ask.asked_for,
        }
    }

    /// Returns a token that is valid from `issued_at` for `lifetime` seconds.
    pub(crate) fn token(
        &self,
        directory: &Directory,
        base: &str,
        issued_at: i64,
        lifetime: u32,
    ) -> String {
        let mut claims = self.common(directory, issued_at, lifetime);
        match self.resource.token_version() {
            2 => self.add_v2(&mut claims, base, directory.tenant),
            _ => self.add_v1(&mut claims, base, directory.tenant),
        }
        self.add_principal(&mut claims);
        let roles = directory.roles(self.principal(), self.resource);
        // A principal without a role gets no claim, rather than an empty list.
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
        if let Some(role) = directory.directory_role(self.principal()) {
            claims["wids"] = json!([role]);
        }
        signing_key().sign(&claims)
    }

    /// Returns the ID token of the user (`OpenID` Connect Core section 2), which is for the client and no API.
    pub(crate) fn id_token(
        &self,
        directory: &Directory,
        base: &str,
        issued_at: i64,
        nonce: Option<&str>,
    ) -> Option<String> {
        let (user, _) = self.user.as_ref()?;
        let mut claims = json!({
            "aud": self.client.id,
            "iss": issuer_v2(base, directory.tenant),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + 3600,
            "oid": user.id,
            "preferred_username": user.upn,
            "sub": pairwise(&user.id, self.client.id),
            "tid": directory.tenant,
            "ver": "2.0",
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        Some(signing_key().sign(&claims))
    }

    fn common(&self, directory: &Directory, issued_at: i64, lifetime: u32) -> Value {
        json!({
            "aud": self.asked_for,
            "iss": "",
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + i64::from(lifetime),
            "oid": self.principal(),
            "tid": directory.tenant,
            "uti": URL_SAFE_NO_PAD.encode(chance::bytes::<16>()),
        })
    }

    fn add_v1(&self, claims: &mut Value, base: &str, tenant: &str) {
        claims["iss"] = json!(issuer_v1(base, tenant));
        claims["ver"] = json!("1.0");
        claims["appid"] = json!(self.client.id);
        claims["appidacr"] = json!(self.proof.claim());
        claims["idp"] = json!(issuer_v1(base, tenant));
    }

    fn add_v2(&self, claims: &mut Value, base: &str, tenant: &str) {
        claims["aud"] = json!(self.resource.id);
        claims["iss"] = json!(issuer_v2(base, tenant));
        claims["ver"] = json!("2.0");
        claims["azp"] = json!(self.client.id);
        claims["azpacr"] = json!(self.proof.claim());
    }

    fn add_principal(&self, claims: &mut Value) {
        match &self.user {
            None => {
                claims["idtyp"] = json!("app");
                claims["sub"] = json!(self.client.principal);
            }
            Some((user, scopes)) => {
                claims["upn"] = json!(user.upn);
                claims["scp"] = json!(scopes);
                claims["sub"] = json!(pairwise(&user.id, self.resource.id));
            }
        }
    }

    fn principal(&self) -> &str {
        let user = self.user.as_ref();
        user.map_or(&self.client.principal, |(user, _)| &user.id)
    }
}

/// A user's `sub` differs from API to API, so that two of them cannot compare notes.
fn pairwise(user: &str, resource: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{user}\n{resource}")))
}
