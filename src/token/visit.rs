//! One persona's visit to its provider in, a token out, by whichever method the scenario names.

use std::sync::PoisonError;
use std::time::Duration;

use url::form_urlencoded;

use super::denial::Denial;
use super::discovery::Found;
use super::grant::{self, Form};
use super::patience::Patience;
use super::{Desk, Window, assertion, browser, device, platform, rotation};
use crate::scenario::sign_in::{Client, Proof, SecretSource};
use crate::scenario::{ClientAuth, Identity, SignIn};
use crate::secret::Secret;
use crate::wire::Wire;

/// One persona's visit to its provider.
pub(super) struct Visit<'d> {
    pub(super) desk: &'d Desk,
    pub(super) window: &'d Window,
    pub(super) identity: &'d Identity,
    pub(super) found: &'d Found,
    /// Whether the persona had a token before.
    pub(super) again: bool,
}

/// What an endpoint issued.
pub(super) struct Issued {
    pub(super) token: Secret,
    /// How long it lives from now on, when that was said.
    pub(super) lifetime: Option<Duration>,
    /// What it can be renewed with.
    pub(super) refresh: Option<Secret>,
}

/// What a client proves itself with, at hand.
pub(super) struct Proven {
    pub(super) secret: Option<Secret>,
    pub(super) assertion: Option<Secret>,
}

impl Proven {
    /// The assertion as form parameters (RFC 7521 §4.2).
    pub(super) fn form(&self) -> Form {
        let Some(assertion) = &self.assertion else {
            return Vec::new();
        };
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        vec![
            ("client_assertion_type".to_owned(), kind.to_owned()),
            ("client_assertion".to_owned(), assertion.expose().to_owned()),
        ]
    }
}

impl Visit<'_> {
    /// A token, by the persona's method; of its refresh token, when it has one already.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn acquire(&self) -> Result<Issued, Denial> {
        let issued = match self.kept() {
            Some((client, token, scope)) => self.refresh(client, &token, scope).await?,
            None => self.sign_in().await?,
        };
        if let Some(token) = &issued.refresh {
            self.redactor_learns(token);
            let kept = self.window.refresh.lock();
            *kept.unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        }
        Ok(issued)
    }

    async fn sign_in(&self) -> Result<Issued, Denial> {
        match &self.window.persona.sign_in {
            SignIn::None => Err(unusable("the persona does not sign in")),
            SignIn::ClientCredentials { client, scope } => {
                grant::client_credentials(self, client, scope.as_deref()).await
            }
            SignIn::Password {
                client,
                username,
                password,
                scope,
            } => {
                let password = self.secret(password).await?;
                grant::password(self, client, username, &password, scope.as_deref()).await
            }
            SignIn::DeviceCode { .. } | SignIn::AuthorizationCode { .. } if self.again => {
                Err(unusable(
                    "its token ran out, and a person would have to sign in once more. \
                     Ask for the scope offline_access to get a refresh token",
                ))
            }
            SignIn::DeviceCode {
                client,
                scope,
                device_endpoint,
            } => device::acquire(self, client, scope.as_deref(), device_endpoint.as_deref()).await,
            SignIn::AuthorizationCode { .. } => browser::acquire(self).await,
            SignIn::RefreshToken {
                client,
                token,
                scope,
                ..
            } => {
                let token = self.renewed_secret(token).await?;
                self.refresh(client, &token, scope.as_deref()).await
            }
            SignIn::OnBehalfOf { client, of, scope } => {
                let subject = self.subject(*of).await?;
                grant::extension(self, client, on_behalf_of(&subject, scope.as_deref(), self)).await
            }
            SignIn::TokenExchange { client, of, .. } => {
                let subject = self.subject(*of).await?;
                grant::extension(self, client, token_exchange(&subject, self)).await
            }
            SignIn::ManagedIdentity { client_id, service } => {
                platform::managed_identity(self, client_id.as_deref(), service).await
            }
            SignIn::AzureCli { scope } => platform::azure_cli(self, scope.as_deref()).await,
            SignIn::Token(source) => self.borrowed(source).await,
        }
    }

    /// The refresh token that this persona's last answer brought, with what is needed to use it.
    fn kept(&self) -> Option<(&Client, Secret, Option<&str>)> {
        let kept = self.window.refresh.lock();
        let token = kept
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .filter(|_| self.again)?;
        match &self.window.persona.sign_in {
            SignIn::DeviceCode { client, scope, .. }
            | SignIn::AuthorizationCode { client, scope, .. }
            | SignIn::RefreshToken { client, scope, .. }
            | SignIn::Password { client, scope, .. } => Some((client, token, scope.as_deref())),
            _ => None,
        }
    }

    async fn refresh(
        &self,
        client: &Client,
        token: &Secret,
        scope: Option<&str>,
    ) -> Result<Issued, Denial> {
        let issued = grant::refresh(self, client, token, scope).await?;
        if let Some(new) = issued
            .refresh
            .as_ref()
            .filter(|new| new.expose() != token.expose())
        {
            self.redactor_learns(new);
            self.keep(new);
        }
        Ok(issued)
    }

    /// A provider that replaces refresh tokens may end the old one, so the author has to keep the new one or know of it.
    fn keep(&self, token: &Secret) {
        let SignIn::RefreshToken { write_back, .. } = &self.window.persona.sign_in else {
            return;
        };
        let name = &self.window.persona.name;
        let words = match write_back
            .as_deref()
            .map(|path| (path, rotation::keep(path, token)))
        {
            Some((_, Ok(()))) => return,
            Some((path, Err(error))) => format!(
                "{name}: the provider replaced the refresh token, and the new one could not be written to {}: {}. \
                 The old one may serve no longer",
                path.display(),
                error.kind()
            ),
            None if self.again => return,
            None => format!(
                "{name}: the provider replaced the refresh token, and nothing says where to keep the new one. \
                 The old one may serve no longer; state write_back: {{ file: … }}"
            ),
        };
        self.desk.attendant.tell(&words);
    }

    async fn borrowed(&self, source: &SecretSource) -> Result<Issued, Denial> {
        if self.again && matches!(source, SecretSource::Value(_)) {
            return Err(unusable(
                "its token ran out, and a variable gives no other. Name a file or a command",
            ));
        }
        let token = self.renewed_secret(source).await?;
        let bare = token.expose().trim();
        let bare = bare.strip_prefix("Bearer ").unwrap_or(bare).to_owned();
        Ok(Issued {
            token: Secret::new(bare),
            lifetime: None,
            refresh: None,
        })
    }

    /// The token of another persona, renewed when it has run out.
    async fn subject(&self, of: usize) -> Result<Secret, Denial> {
        let credential = self.desk.current(of).await.map_err(|refusal| {
            let why = format!("it needs another persona's token, and {}", refusal.said);
            if refusal.here {
                Denial::Here(why)
            } else {
                Denial::Unusable(why)
            }
        })?;
        let bearer = credential.authorization.as_ref();
        let token = bearer
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| unusable("the persona whose token it needs has none"))?;
        Ok(Secret::new(token.to_owned()))
    }

    /// A secret of the scenario's, which stays the same for the run.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn secret(&self, source: &SecretSource) -> Result<Secret, Denial> {
        let found = self.desk.vault.once(source, self.patience().program).await;
        self.learnt(found)
    }

    /// A secret of the scenario's as it is now.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn renewed_secret(&self, source: &SecretSource) -> Result<Secret, Denial> {
        let found = self.desk.vault.fresh(source, self.patience().program).await;
        self.learnt(found)
    }

    fn learnt(&self, found: Result<Secret, String>) -> Result<Secret, Denial> {
        let secret = found.map_err(Denial::Here)?;
        self.redactor_learns(&secret);
        Ok(secret)
    }

    /// Keeps a secret from every output, also in the form that HTTP Basic gives it: RFC 6749 §2.3.1 form-encodes it before it is
    /// encoded again, so Base64 of the raw secret would not meet it.
    pub(super) fn redactor_learns(&self, secret: &Secret) {
        self.desk.redactor.learn(secret);
        if self.identity.client_auth == ClientAuth::Basic {
            let encoded = form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
            self.desk.redactor.learn(&Secret::new(encoded));
        }
    }

    /// What a client proves itself with, fetched or made for this request.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn prove(&self, client: &Client) -> Result<Proven, Denial> {
        let (secret, assertion) = match &client.proof {
            Proof::None => (None, None),
            Proof::Secret(source) => (Some(self.secret(source).await?), None),
            Proof::Certificate(certificate) => {
                let signed = assertion::signed(self, &client.id, certificate).await?;
                (None, Some(signed))
            }
            Proof::Assertion(outside) => (None, Some(assertion::fetched(self, outside).await?)),
        };
        if let Some(assertion) = &assertion {
            self.redactor_learns(assertion);
        }
        Ok(Proven { secret, assertion })
    }

    pub(super) fn token_endpoint(&self) -> &str {
        &self.found.token_endpoint
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.desk.wire
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.desk.patience
    }
}

/// Entra's on-behalf-of request (Microsoft's page on the flow, after RFC 7523 §2.1).
fn on_behalf_of(subject: &Secret, scope: Option<&str>, visit: &Visit<'_>) -> Form {
    let mut form = pairs(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", subject.expose()),
        ("requested_token_use", "on_behalf_of"),
    ]);
    form.extend(grant::asked_for(scope, visit.identity));
    form
}

/// A token exchange request (RFC 8693 §2.1).
fn token_exchange(subject: &Secret, visit: &Visit<'_>) -> Form {
    let SignIn::TokenExchange {
        audience,
        resource,
        subject_token_type,
        scope,
        ..
    } = &visit.window.persona.sign_in
    else {
        return Vec::new();
    };
    let mut form = pairs(&[
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", subject.expose()),
        ("subject_token_type", subject_token_type),
    ]);
    let stated = [("audience", audience), ("resource", resource)];
    form.extend(
        stated
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))),
    );
    form.extend(grant::asked_for(scope.as_deref(), visit.identity));
    form
}

fn pairs(pairs: &[(&str, &str)]) -> Form {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn unusable(why: &str) -> Denial {
    Denial::Unusable(why.to_owned())
}
