//! A request in, the client that sent it and how it proved itself out.

use jsonwebtoken::Algorithm;

use super::aadsts::Refusal;
use super::certificate::certificate;
use super::client::{Client, Credential, Trust};
use super::form::Form;
use super::jws::Jws;
use super::keys::workload_key;
use super::tenant::Tenant;

/// The one kind of assertion that proves a client (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clocks of client and provider may be apart, in seconds.
const SKEW: i64 = 300;

/// How a client proved itself, which its tokens tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It is public.
    None,
    /// By a secret.
    Secret,
    /// By a signed assertion.
    Assertion,
}

impl Proof {
    /// Returns the value of `appidacr` and `azpacr`.
    pub(crate) fn claim(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Assertion => "2",
        }
    }
}

/// Finds the client and lets it prove itself at `now`, where it can.
pub(crate) fn prove<'a>(
    tenant: &'a Tenant,
    form: &Form,
    now: i64,
) -> Result<(&'a Client, Proof), Refusal> {
    let client = registered(tenant, form.get("client_id")?)?;
    let proof = match (form.find("client_secret"), form.find("client_assertion")) {
        (None, None) if client.is_public() => Proof::None,
        (None, None) => return Err(Refusal::no_credential()),
        _ if client.is_public() => return Err(Refusal::public_credential()),
        (_, Some(text)) => {
            if form.get("client_assertion_type")? != JWT_BEARER {
                return Err(Refusal::no_credential());
            }
            assertion(tenant, client, text, now)?;
            Proof::Assertion
        }
        (Some(given), None) => {
            secret(client, given)?;
            Proof::Secret
        }
    };
    Ok((client, proof))
}

/// Finds a client that is registered and not disabled.
pub(crate) fn registered<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Client, Refusal> {
    let client = tenant.directory.client(id);
    let client = client.ok_or_else(|| Refusal::client(id))?;
    if client.enabled {
        Ok(client)
    } else {
        Err(Refusal::client_disabled(id))
    }
}

fn secret(client: &Client, given: &str) -> Result<(), Refusal> {
    if client.secret() != Some(given) {
        return Err(Refusal::secret(client.id));
    }
    match client.credential {
        Credential::ExpiredSecret(_) => Err(Refusal::secret_expired(client.id)),
        _ => Ok(()),
    }
}

/// An assertion that the client issued itself is signed by its certificate, any other is a federated one.
fn assertion(tenant: &Tenant, client: &Client, text: &str, now: i64) -> Result<(), Refusal> {
    let assertion = Jws::read(text).ok_or_else(Refusal::assertion_unread)?;
    let is_own = assertion.claim("iss") == client.id || assertion.claim("sub") == client.id;
    match &client.credential {
        Credential::Federated(trusts) if !is_own => federated(trusts, &assertion)?,
        _ if is_own => own(tenant, client, &assertion)?,
        _ => return Err(unmatched(&assertion)),
    }
    if assertion.is_in_force(now, SKEW) {
        Ok(())
    } else {
        Err(Refusal::assertion_time())
    }
}

/// `iss` and `sub` are the client, `aud` is the token endpoint, and the key is the registered certificate's.
fn own(tenant: &Tenant, client: &Client, assertion: &Jws<'_>) -> Result<(), Refusal> {
    if assertion.claim("iss") != client.id || assertion.claim("sub") != client.id {
        return Err(Refusal::assertion_client());
    }
    let certificate = certificate();
    let matches = |name: &str, own: String| assertion.head(name).map(|given| given == own);
    let named = matches("x5t#S256", certificate.x5t_s256())
        .or_else(|| matches("x5t", certificate.x5t()))
        .unwrap_or(false);
    if !named || !matches!(client.credential, Credential::Certificate) {
        let given = assertion.head("x5t#S256").or_else(|| assertion.head("x5t"));
        return Err(Refusal::assertion_key(given.unwrap_or_default()));
    }
    if !assertion.is_by(
        &certificate.verifier(),
        &[Algorithm::PS256, Algorithm::RS256],
    ) {
        return Err(Refusal::assertion_signature(&certificate.thumbprint()));
    }
    let audience = assertion.claim("aud");
    if tenant.is_own_audience(audience) {
        Ok(())
    } else {
        Err(Refusal::assertion_audience(audience))
    }
}

/// Issuer, subject and audience match one registration to the letter, and the issuer's key made the signature.
fn federated(trusts: &[Trust], assertion: &Jws<'_>) -> Result<(), Refusal> {
    let of_issuer = || {
        trusts
            .iter()
            .filter(|trust| trust.issuer == assertion.claim("iss"))
    };
    let of_subject = || of_issuer().filter(|trust| trust.subject == assertion.claim("sub"));
    let audience = assertion.claim("aud");
    if of_issuer().next().is_none() {
        return Err(Refusal::federated_issuer(assertion.claim("iss")));
    }
    if of_subject().next().is_none() {
        return Err(Refusal::federated_subject(assertion.claim("sub")));
    }
    if !of_subject().any(|trust| trust.audience == audience) {
        return Err(Refusal::federated_audience(audience));
    }
    let key = workload_key();
    if assertion.is_by(&key.verifier(), &[Algorithm::RS256]) {
        Ok(())
    } else {
        Err(Refusal::assertion_signature(
            assertion.head("kid").unwrap_or_default(),
        ))
    }
}

fn unmatched(assertion: &Jws<'_>) -> Refusal {
    Refusal::no_federation(
        assertion.claim("iss"),
        assertion.claim("sub"),
        assertion.claim("aud"),
    )
}
