//! A token request in, what its sender is entitled to out, or the reason why not.

use jsonwebtoken::Algorithm;

use super::aadsts::Refusal;
use super::account::{self, Way};
use super::ask::{self, Ask, Endpoint};
use super::client::Client;
use super::codes::{Code, Delegation};
use super::form::Form;
use super::jws::Jws;
use super::keys::signing_key;
use super::proof::{Proof, prove};
use super::redirect::Platform;
use super::renewals::Renewal;
use super::tenant::Tenant;
use super::token::Grant;
use super::user::User;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The same at the first generation's endpoint, as the ADAL libraries ask for it.
const DEVICE_CODE_V1: &str = "device_code";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token request.
pub(crate) struct Request<'a> {
    /// Its parameters.
    pub(crate) form: &'a Form,
    /// The generation of the endpoint.
    pub(crate) endpoint: Endpoint,
    /// The `Origin` header, which a browser sends.
    pub(crate) origin: Option<&'a str>,
    /// The present second of the Unix clock.
    pub(crate) now: i64,
}

/// What a request is answered with.
pub(crate) struct Issue<'a> {
    /// What the access token tells.
    pub(crate) grant: Grant<'a>,
    /// A refresh token, where one is given.
    pub(crate) refresh: Option<String>,
    /// Whether an ID token is given.
    pub(crate) openid: bool,
    /// What the ID token must repeat.
    pub(crate) nonce: Option<String>,
}

/// A user who has signed in through a client, for what the client asked.
struct SignedIn<'a> {
    client: &'a Client,
    proof: Proof,
    user: &'a User,
    ask: Ask<'a>,
}

/// Checks the whole request against the tenant.
pub(crate) fn exchange<'a>(
    tenant: &'a Tenant,
    request: &Request<'_>,
) -> Result<Issue<'a>, Refusal> {
    match (request.form.get("grant_type")?, request.endpoint) {
        ("client_credentials", _) => client_credentials(tenant, request),
        ("password", _) => password(tenant, request),
        ("authorization_code", _) => authorization_code(tenant, request),
        ("refresh_token", _) => refresh_token(tenant, request),
        (DEVICE_CODE, Endpoint::V2) => device_code(tenant, request, "device_code"),
        (DEVICE_CODE_V1, Endpoint::V1) => device_code(tenant, request, "code"),
        (JWT_BEARER, _) => on_behalf_of(tenant, request),
        (other, _) => Err(Refusal::grant(other)),
    }
}

fn client_credentials<'a>(tenant: &'a Tenant, request: &Request<'_>) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    if client.is_public() {
        return Err(Refusal::no_credential());
    }
    let text = ask::text(request.form, request.endpoint)?;
    let asked_for = match request.endpoint {
        Endpoint::V1 => text,
        Endpoint::V2 => text
            .strip_suffix("/.default")
            .ok_or_else(|| Refusal::not_default(text))?,
    };
    let resource = ask::enabled(&tenant.directory, asked_for)?;
    if !tenant.directory.admits(&client.principal, resource) {
        return Err(Refusal::client_unassigned(client.id, resource.id));
    }
    Ok(Issue {
        grant: Grant {
            client,
            proof,
            user: None,
            resource,
            asked_for: asked_for.to_owned(),
        },
        refresh: None,
        openid: false,
        nonce: None,
    })
}

fn password<'a>(tenant: &'a Tenant, request: &Request<'_>) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    for name in ["username", "password"] {
        request.form.get(name)?;
    }
    let ask = Ask::read(request.form, request.endpoint, &tenant.directory)?;
    let user = account::sign_in(
        &tenant.directory,
        request.form,
        &ask,
        Way::Password,
        request.now,
    )?;
    let text = ask::text(request.form, request.endpoint)?.to_owned();
    let signed_in = SignedIn {
        client,
        proof,
        user,
        ask,
    };
    signed_in.issue(tenant, request, text, Platform::Native, None)
}

fn authorization_code<'a>(tenant: &'a Tenant, request: &Request<'_>) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    let redirect = request.form.get("redirect_uri")?;
    let check = |code: &Code| {
        if code.delegation.client != client.id {
            return Err(Refusal::code_unread());
        }
        if code.redirect != redirect {
            return Err(Refusal::redirect_changed(redirect));
        }
        from_its_platform(code.platform, code.challenge.is_some(), request.origin)?;
        proof_of_possession(code, request.form.find("code_verifier"))
    };
    let code = request.form.get("code")?;
    let code = tenant.codes.redeem(code, request.now, check)?;
    let signed_in = SignedIn::again(tenant, request, client, proof, &code.delegation)?;
    signed_in.issue(
        tenant,
        request,
        code.delegation.text,
        code.platform,
        code.nonce,
    )
}

fn device_code<'a>(
    tenant: &'a Tenant,
    request: &Request<'_>,
    parameter: &'static str,
) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    let device = request.form.get(parameter)?;
    let delegation = tenant.devices.poll(device, client.id, request.now)?;
    let signed_in = SignedIn::again(tenant, request, client, proof, &delegation)?;
    signed_in.issue(tenant, request, delegation.text, Platform::Native, None)
}

/// Everything that may have changed since the sign-in is looked at again, roles included.
fn refresh_token<'a>(tenant: &'a Tenant, request: &Request<'_>) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    let token = request.form.get("refresh_token")?;
    let (renewal, next) = tenant.renewals.redeem(token, client.id, request.now)?;
    from_its_platform(renewal.platform, true, request.origin)?;
    let signed_in = SignedIn::again(tenant, request, client, proof, &renewal.delegation)?;
    let openid = signed_in.ask.openid;
    Ok(Issue {
        grant: signed_in.grant(tenant)?,
        refresh: Some(next),
        openid,
        nonce: None,
    })
}

/// The user whose token the client was called with, for another API (Entra's on-behalf-of flow).
fn on_behalf_of<'a>(tenant: &'a Tenant, request: &Request<'_>) -> Result<Issue<'a>, Refusal> {
    let (client, proof) = prove(tenant, request.form, request.now)?;
    if client.is_public() {
        return Err(Refusal::no_credential());
    }
    if request.form.get("requested_token_use")? != "on_behalf_of" {
        return Err(Refusal::grant(JWT_BEARER));
    }
    let user = user_of(tenant, client, request.form.get("assertion")?, request.now)?;
    account::still_welcome(user)?;
    let ask = Ask::read(request.form, request.endpoint, &tenant.directory)?;
    account::admitted(&tenant.directory, user, &ask)?;
    let text = ask::text(request.form, request.endpoint)?.to_owned();
    let signed_in = SignedIn {
        client,
        proof,
        user,
        ask,
    };
    signed_in.issue(tenant, request, text, Platform::Web, None)
}

/// Returns the user of an access token that was issued for the client itself and is in force.
fn user_of<'a>(
    tenant: &'a Tenant,
    client: &Client,
    assertion: &str,
    now: i64,
) -> Result<&'a User, Refusal> {
    let token = Jws::read(assertion).ok_or_else(Refusal::assertion_unread)?;
    if !token.is_by(&signing_key().verifier(), &[Algorithm::RS256]) {
        return Err(Refusal::assertion_forged());
    }
    if !token.is_in_force(now, 0) {
        return Err(Refusal::assertion_expired());
    }
    let own = tenant.directory.resource(client.id);
    let audience = token.claim("aud");
    if audience != client.id && !own.is_some_and(|own| own.is_called(audience)) {
        return Err(Refusal::assertion_of_other(audience));
    }
    if token.has("preferred_username") {
        return Err(Refusal::id_token_on_behalf());
    }
    let user = tenant.directory.member(token.claim("oid"));
    user.ok_or_else(Refusal::app_on_behalf)
}

/// A single-page application redeems from a browser with PKCE, and nothing else redeems from a browser.
fn from_its_platform(
    platform: Platform,
    challenged: bool,
    origin: Option<&str>,
) -> Result<(), Refusal> {
    match (platform, origin) {
        (Platform::Spa, _) if !challenged => Err(Refusal::pkce_required()),
        (Platform::Spa, None) => Err(Refusal::same_origin()),
        (Platform::Web | Platform::Native, Some(_)) => Err(Refusal::cross_origin()),
        (Platform::Spa, Some(_)) | (Platform::Web | Platform::Native, None) => Ok(()),
    }
}

/// A verifier without a challenge is refused as well, or a stolen code could be redeemed with any.
fn proof_of_possession(code: &Code, verifier: Option<&str>) -> Result<(), Refusal> {
    match (&code.challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        _ => Err(Refusal::verifier()),
    }
}

impl<'a> SignedIn<'a> {
    /// Takes up what a user agreed to earlier; the request may ask for another API than it did then.
    fn again(
        tenant: &'a Tenant,
        request: &Request<'_>,
        client: &'a Client,
        proof: Proof,
        delegation: &Delegation,
    ) -> Result<Self, Refusal> {
        let directory = &tenant.directory;
        let user = directory.member(&delegation.user);
        let user = user.ok_or_else(|| Refusal::user(&delegation.user))?;
        account::still_welcome(user)?;
        let asks_anew = request.form.find(request.endpoint.parameter()).is_some();
        let ask = if asks_anew {
            Ask::read(request.form, request.endpoint, directory)?
        } else {
            Ask::parse(&delegation.text, delegation.endpoint, directory)?
        };
        account::admitted(directory, user, &ask)?;
        Ok(Self {
            client,
            proof,
            user,
            ask,
        })
    }

    fn grant(self, tenant: &Tenant) -> Result<Grant<'a>, Refusal> {
        let scopes = tenant.consents.granted(self.client, self.user, &self.ask)?;
        Ok(Grant::of_user(
            self.client,
            self.proof,
            self.user,
            scopes,
            self.ask,
        ))
    }

    /// Returns what a sign-in is answered with; a refresh token follows where `offline_access` was asked for.
    fn issue(
        self,
        tenant: &Tenant,
        request: &Request<'_>,
        text: String,
        platform: Platform,
        nonce: Option<String>,
    ) -> Result<Issue<'a>, Refusal> {
        let (openid, offline) = (self.ask.openid, self.ask.offline);
        let delegation = Delegation {
            client: self.client.id,
            user: self.user.id.clone(),
            text,
            endpoint: request.endpoint,
        };
        let grant = self.grant(tenant)?;
        let renewal = Renewal::new(delegation, platform, request.now);
        Ok(Issue {
            grant,
            refresh: offline.then(|| tenant.renewals.issue(renewal)),
            openid,
            nonce,
        })
    }
}
