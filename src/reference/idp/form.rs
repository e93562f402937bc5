//! A token request in, the grant that it is entitled to out, or the reason why not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::aadsts::Refusal;
use super::directory::{Client, Directory, Resource};
use super::token::Grant;
use crate::reference::call::Call;

/// The generation of the token endpoint. It decides the form of request and answer, not the version of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/oauth2/token`, which takes `resource`.
    V1,
    /// `/oauth2/v2.0/token`, which takes `scope`.
    V2,
}

/// The parameters of a token request.
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form body; a client id and secret in HTTP Basic count as fields (RFC 6749 section 2.3.1).
    pub(crate) fn read(call: &Call) -> Self {
        let mut fields: Vec<(String, String)> = url::form_urlencoded::parse(&call.body)
            .into_owned()
            .collect();
        if let Some((id, secret)) = call.header("authorization").and_then(basic) {
            fields.push(("client_id".to_owned(), id));
            fields.push(("client_secret".to_owned(), secret));
        }
        Self { fields }
    }

    /// Returns a parameter that is there and not empty, else AADSTS900144.
    pub(crate) fn get(&self, name: &'static str) -> Result<&str, Refusal> {
        self.fields
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .ok_or(Refusal::Missing(name))
    }

    /// Checks the whole request against the directory.
    pub(crate) fn grant<'a>(
        &'a self,
        directory: &'a Directory,
        endpoint: Endpoint,
    ) -> Result<Grant<'a>, Refusal> {
        match self.get("grant_type")? {
            "client_credentials" => self.client_credentials(directory, endpoint),
            "password" => self.password(directory, endpoint),
            other => Err(Refusal::Grant(other.to_owned())),
        }
    }

    fn client_credentials<'a>(
        &'a self,
        directory: &'a Directory,
        endpoint: Endpoint,
    ) -> Result<Grant<'a>, Refusal> {
        let client = self.client(directory)?;
        if client.secret.is_none() {
            return Err(Refusal::NoSecret);
        }
        let asked_for = match endpoint {
            Endpoint::V1 => self.get("resource")?,
            Endpoint::V2 => {
                let scope = self.get("scope")?;
                scope
                    .strip_suffix("/.default")
                    .ok_or_else(|| Refusal::NotDefault(scope.to_owned()))?
            }
        };
        Ok(Grant {
            client,
            user: None,
            resource: find(directory, asked_for)?,
            asked_for,
        })
    }

    fn password<'a>(
        &'a self,
        directory: &'a Directory,
        endpoint: Endpoint,
    ) -> Result<Grant<'a>, Refusal> {
        let client = self.client(directory)?;
        let (upn, password) = (self.get("username")?, self.get("password")?);
        let (resource, asked_for) = match endpoint {
            Endpoint::V1 => (
                find(directory, self.get("resource")?)?,
                self.get("resource")?,
            ),
            Endpoint::V2 => delegated(directory, self.get("scope")?)?,
        };
        let user = directory
            .user(upn)
            .ok_or_else(|| Refusal::User(upn.to_owned()))?;
        if user.password != password {
            return Err(Refusal::Password);
        }
        Ok(Grant {
            client,
            user: Some(user),
            resource,
            asked_for,
        })
    }

    /// Finds the client and lets it prove itself, where it can.
    fn client<'a>(&self, directory: &'a Directory) -> Result<&'a Client, Refusal> {
        let id = self.get("client_id")?;
        let client = directory
            .client(id)
            .ok_or_else(|| Refusal::Client(id.to_owned()))?;
        match (&client.secret, self.get("client_secret").ok()) {
            (None, None) => Ok(client),
            (None, Some(_)) => Err(Refusal::PublicSecret),
            (Some(_), None) => Err(Refusal::NoSecret),
            (Some(secret), Some(given)) if secret == given => Ok(client),
            (Some(_), Some(_)) => Err(Refusal::Secret(id.to_owned())),
        }
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (decode(id), decode(secret)))
}

fn find<'a>(directory: &'a Directory, name: &str) -> Result<&'a Resource, Refusal> {
    directory
        .resource(name)
        .ok_or_else(|| Refusal::Resource(name.to_owned()))
}

/// Scopes of one resource, next to those of `OpenID` Connect that name none.
fn delegated<'a>(
    directory: &'a Directory,
    scope: &'a str,
) -> Result<(&'a Resource, &'a str), Refusal> {
    let refused = || Refusal::Scope(scope.to_owned());
    let of_oidc = |name: &&str| !["openid", "profile", "email", "offline_access"].contains(name);
    let mut names = scope
        .split_ascii_whitespace()
        .filter(of_oidc)
        .map(|name| name.rsplit_once('/'));
    let (asked_for, permission) = names.next().flatten().ok_or_else(refused)?;
    let resource = find(directory, asked_for)?;
    if names.next().is_some() || ![".default", resource.scope].contains(&permission) {
        return Err(refused());
    }
    Ok((resource, asked_for))
}
