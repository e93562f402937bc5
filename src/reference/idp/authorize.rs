//! An authorization request in, a sign-in page, a page that says what is wrong, or a redirect with a code out.

use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use url::Url;
use url::form_urlencoded::Serializer;

use super::aadsts::Refusal;
use super::account::{self, Way};
use super::ask::{self, Ask, Endpoint};
use super::client::Client;
use super::codes::{Challenge, Code, Delegation};
use super::form::Form;
use super::page;
use super::proof::registered;
use super::redirect::Redirect;
use super::tenant::Tenant;
use super::token::now;
use super::user::User;
use crate::reference::call::Call;
use crate::reference::{chance, reply};

/// The parameters that come back with the answer to the page.
const KEPT: [&str; 12] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "prompt",
];

/// A request whose client and redirect URI are registered, so that its answer can go there.
struct Journey<'a> {
    tenant: &'a Tenant,
    endpoint: Endpoint,
    form: &'a Form,
    client: &'a Client,
    redirect: &'a Redirect,
    /// The redirect URI as it was asked for.
    uri: String,
}

/// Answers one request; the page posts to the same address as it is shown at.
pub(crate) fn authorize(tenant: &Tenant, call: &Call, endpoint: Endpoint) -> Response {
    let form = match call.method {
        Method::POST => Form::read(call),
        _ => Form::query(call),
    };
    match Journey::begin(tenant, endpoint, &form) {
        Ok(journey) => journey.answer(call.path(), now()),
        Err(refusal) => page::failure(&refusal),
    }
}

impl<'a> Journey<'a> {
    /// A wrong client or redirect URI is told to the user and never to the address (RFC 6749 section 4.1.2.1).
    fn begin(tenant: &'a Tenant, endpoint: Endpoint, form: &'a Form) -> Result<Self, Refusal> {
        let client = registered(tenant, form.get("client_id")?)?;
        let first = client.redirects.first();
        let first = first.ok_or_else(|| Refusal::no_redirect(client.id))?;
        let (redirect, uri) = match form.find("redirect_uri") {
            None => (first, first.uri),
            Some(uri) => {
                let redirect = client.redirect(uri);
                (
                    redirect.ok_or_else(|| Refusal::redirect(uri, client.id))?,
                    uri,
                )
            }
        };
        Ok(Self {
            tenant,
            endpoint,
            form,
            client,
            redirect,
            uri: uri.to_owned(),
        })
    }

    fn answer(&self, action: &str, now: i64) -> Response {
        let challenge = match self.challenge() {
            Ok(challenge) => challenge,
            Err(refusal) => return self.refuse(&refusal),
        };
        if self.form.find("answer") == Some("cancel") {
            return self.refuse(&Refusal::declined());
        }
        if ["loginfmt", "ticket"]
            .iter()
            .all(|name| self.form.find(name).is_none())
        {
            return self.page(action, None);
        }
        let ask = match Ask::read(self.form, self.endpoint, &self.tenant.directory) {
            Ok(ask) => ask,
            Err(refusal) => return self.refuse(&refusal),
        };
        let signed_in = match self.form.find("ticket") {
            Some(ticket) => self.agree(ticket, &ask, now).map(|user| (user, Vec::new())),
            None => self.sign_in(&ask, now),
        };
        match signed_in {
            Ok((user, question)) if question.is_empty() => match self.code(user, challenge, now) {
                Ok(code) => self.send(&[("code", &code), ("session_state", &chance::guid())]),
                Err(refusal) => self.refuse(&refusal),
            },
            Ok((user, question)) => self.consent_page(action, user, &ask, &question, now),
            Err(refusal) => self.page(action, Some(&refusal.headline())),
        }
    }

    /// Checks what must be right before anyone is asked to sign in.
    fn challenge(&self) -> Result<Option<Challenge>, Refusal> {
        match self.form.get("response_type")? {
            "code" => {}
            other => return Err(Refusal::response_type(other)),
        }
        // No session outlives a page here, so a silent sign-in never finds one.
        if self.form.find("prompt") == Some("none") {
            return Err(Refusal::no_session());
        }
        Challenge::read(self.form)
    }

    /// Returns the user, with the scopes that they have to be asked about.
    fn sign_in(&self, ask: &Ask<'_>, now: i64) -> Result<(&'a User, Vec<String>), Refusal> {
        let directory = &self.tenant.directory;
        let user = account::sign_in(directory, self.form, ask, Way::Page, now)?;
        let missing = self.tenant.consents.question(self.client, user, ask)?;
        let prompt = self.form.find("prompt").unwrap_or_default();
        if missing.is_empty() && prompt.split(' ').any(|word| word == "consent") {
            let wanted = ask.wanted(self.client)?;
            return Ok((user, wanted.into_iter().map(str::to_owned).collect()));
        }
        Ok((user, missing))
    }

    /// Returns the user whose ticket this is and who has now agreed.
    fn agree(&self, ticket: &str, ask: &Ask<'_>, now: i64) -> Result<&'a User, Refusal> {
        let user = self.tenant.sittings.end(ticket, &self.about()?, now);
        let user = user.and_then(|id| self.tenant.directory.member(&id));
        let user = user.ok_or_else(Refusal::no_session)?;
        self.tenant.consents.agree(self.client, user, ask)?;
        Ok(user)
    }

    /// What a ticket is bound to: another client or another request has to ask again.
    fn about(&self) -> Result<String, Refusal> {
        let text = ask::text(self.form, self.endpoint)?;
        Ok(format!("{} {text}", self.client.id))
    }

    fn code(&self, user: &User, challenge: Option<Challenge>, now: i64) -> Result<String, Refusal> {
        let delegation = Delegation {
            client: self.client.id,
            user: user.id.clone(),
            text: ask::text(self.form, self.endpoint)?.to_owned(),
            endpoint: self.endpoint,
        };
        let code = Code {
            delegation,
            redirect: self.uri.clone(),
            platform: self.redirect.platform,
            challenge,
            nonce: self.form.find("nonce").map(str::to_owned),
        };
        Ok(self.tenant.codes.issue(code, now))
    }

    fn page(&self, action: &str, message: Option<&str>) -> Response {
        let hidden = self.kept();
        let hint = self
            .form
            .find("loginfmt")
            .or_else(|| self.form.find("login_hint"));
        page::sign_in(action, &hidden, hint.unwrap_or_default(), message)
    }

    fn consent_page(
        &self,
        action: &str,
        user: &User,
        ask: &Ask<'_>,
        question: &[String],
        now: i64,
    ) -> Response {
        let about = match self.about() {
            Ok(about) => about,
            Err(refusal) => return self.refuse(&refusal),
        };
        let ticket = self.tenant.sittings.begin(&user.id, &about, now);
        let mut hidden = self.kept();
        hidden.push(("ticket", &ticket));
        page::consent(action, &hidden, self.client, user, ask.resource, question)
    }

    fn kept(&self) -> Vec<(&str, &str)> {
        let kept = KEPT
            .iter()
            .filter_map(|name| Some((*name, self.form.find(name)?)));
        kept.collect()
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let code = format!("{}/error?code={}", self.tenant.base, refusal.code);
        self.send(&[
            ("error", refusal.error),
            ("error_description", &refusal.headline()),
            ("error_uri", &code),
        ])
    }

    /// Sends the browser to the client with the answer, the state and the issuer (RFC 9207 section 2).
    fn send(&self, answer: &[(&str, &str)]) -> Response {
        let issuer = self.tenant.issuer(self.endpoint);
        let mut fields = answer.to_vec();
        fields.extend(self.form.find("state").map(|state| ("state", state)));
        fields.push(("iss", &issuer));
        if self.form.find("response_mode") == Some("form_post") {
            return page::form_post(&self.uri, &fields);
        }
        let response = reply::empty(StatusCode::FOUND);
        let response = reply::with(response, header::LOCATION, &self.target(&fields));
        reply::with(response, header::CACHE_CONTROL, "no-store, no-cache")
    }

    fn target(&self, fields: &[(&str, &str)]) -> String {
        let encoded = Serializer::new(String::new()).extend_pairs(fields).finish();
        let Ok(mut uri) = Url::parse(&self.uri) else {
            return self.uri.clone();
        };
        if self.form.find("response_mode") == Some("fragment") {
            uri.set_fragment(Some(&encoded));
        } else {
            uri.query_pairs_mut().extend_pairs(fields);
        }
        uri.into()
    }
}
