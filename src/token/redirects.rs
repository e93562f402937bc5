//! A client's redirect in, whether its provider has it registered out; nobody signs in, and no secret is sent.

mod reading;
#[cfg(test)]
mod trial;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, LOCATION};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::Desk;
use super::denial::Denial;
use super::discovery::{Found, Guide, guarded};
use super::grant::{self, Form};
use super::{aadsts, endpoint};
use crate::scenario::{EntraEndpoint, Identity, Profile, Provider, RedirectUri};
use crate::wire::{Call, Reply};
use reading::{Answer, Question, Reading, Ruling};

/// Whether a provider sends browsers back to a redirect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Registration {
    /// It does: it sent one there, or refused the like of it.
    Registered,
    /// It does not; one redacted sentence with the URI to add, and where.
    Unregistered(String),
    /// Its answer proves neither; says what came back.
    Unproven(String),
}

impl Desk {
    /// Asks a provider to sign somebody in without asking anything of them (`prompt=none`): from an address that is registered
    /// it sends the browser back with an error, and from no other (RFC 6749 §4.1.2.1, `OpenID` Connect Core 1.0 §3.1.2.1).
    /// Where it shows a page instead, the answer counts when the like of the redirect, which nobody has registered, is refused.
    pub async fn registration(
        &self,
        client: &Profile,
        identity: &Identity,
        redirect: &RedirectUri,
    ) -> Registration {
        let known = self
            .windows
            .iter()
            .filter_map(|window| window.guide.as_deref());
        let fresh = Guide::new(identity.provider.clone());
        let guide = known
            .into_iter()
            .find(|guide| guide.knows(&identity.provider))
            .unwrap_or(&fresh);
        let place = Place {
            desk: self,
            client,
            identity,
            redirect,
        };
        let host = guide.host();
        let said = match guide.find(&self.wire).await {
            Ok(found) => place.ruling(&found).await,
            Err(why) => Err(why),
        };
        let told = |words: String| self.redactor.redact(&words).into_owned();
        match said {
            Ok(Ruling::Registered) => Registration::Registered,
            Ok(Ruling::Unregistered(words)) => {
                Registration::Unregistered(told(place.unregistered(&host, &words)))
            }
            Ok(Ruling::Unproven(words)) => {
                Registration::Unproven(told(place.unproven(&host, &words)))
            }
            Err(why) => Registration::Unproven(told(place.unproven(&host, &why))),
        }
    }
}

/// One redirect of one client at one provider.
struct Place<'p> {
    desk: &'p Desk,
    client: &'p Profile,
    identity: &'p Identity,
    redirect: &'p RedirectUri,
}

impl Place<'_> {
    async fn ruling(&self, found: &Found) -> Result<Ruling, String> {
        let stated = self.client.authorization_endpoint.as_ref();
        let page = stated
            .or(found.authorization_endpoint.as_ref())
            .ok_or("it names no authorization endpoint; state `authorization_endpoint`")?;
        guarded(page, "the authorization endpoint")?;
        let redirect = self.redirect.asked();
        let own = self.ask(page, &redirect).await?;
        let control = if own.needs_control() {
            Some(self.ask(page, &like(&redirect)?).await?)
        } else {
            None
        };
        Ok(reading::settle(own, control))
    }

    async fn ask(&self, page: &str, redirect: &str) -> Result<Reading, String> {
        let said = |denial: Denial| denial.sentence(&self.desk.redactor);
        let client = &self.client.client;
        let invitation =
            grant::invite(client, page, redirect.to_owned(), self.form()).map_err(said)?;
        let call = Call {
            method: Method::GET,
            url: invitation.url,
            headers: headers(),
            body: bytes::Bytes::new(),
        };
        let reply = endpoint::ask(call, &self.desk.wire, &self.desk.patience)
            .await
            .map_err(said)?;
        let question = Question {
            endpoint: page,
            redirect,
            state: &invitation.state,
        };
        Ok(read(&question, &reply))
    }

    /// What the client's sign-in asks for, as an `OpenID` request, for those alone define `prompt`.
    fn form(&self) -> Form {
        let mut form = grant::asked_for(self.client.scope.as_deref(), self.identity);
        let is_v1 = matches!(
            self.identity.provider,
            Provider::Entra {
                endpoint: EntraEndpoint::V1,
                ..
            }
        );
        match form.iter_mut().find(|(name, _)| name == "scope") {
            Some((_, scope)) if !scope.split(' ').any(|word| word == "openid") => {
                scope.push_str(" openid");
            }
            Some(_) => {}
            None if is_v1 => {}
            None => form.push(("scope".to_owned(), "openid".to_owned())),
        }
        let prompt = ("prompt".to_owned(), "none".to_owned());
        grant::add(&mut form, vec![prompt]);
        grant::add(&mut form, grant::parameters(self.identity));
        form
    }

    fn unregistered(&self, host: &str, words: &str) -> String {
        let (uri, id) = (self.redirect.registered(), &self.client.client.id);
        let place = match &self.identity.provider {
            Provider::Entra { .. } if self.redirect.is_loopback() => {
                "under Authentication, platform \"Mobile and desktop applications\""
            }
            Provider::Entra { .. } => {
                "under Authentication, platform \"Web\" (\"Single-page application\" where a page redeems the code)"
            }
            Provider::Oidc { .. } | Provider::Endpoints { .. } => "among its redirect URIs",
        };
        format!(
            "client {} ({id}): {host} does not know the redirect {} and says {words}. Add exactly {uri} to the client's \
             registration, {place}",
            self.client.name,
            self.redirect.as_str(),
        )
    }

    fn unproven(&self, host: &str, words: &str) -> String {
        let (name, redirect) = (&self.client.name, self.redirect.as_str());
        format!(
            "client {name}: nothing proves that {host} knows the redirect {redirect} or not: {words}"
        )
    }
}

/// A redirect of the same shape that nobody has registered.
fn like(redirect: &str) -> Result<String, String> {
    let mut like = Url::parse(redirect).map_err(|_unparsable| "the redirect is no URI")?;
    let path = like.path().trim_end_matches('/').to_owned();
    let number = getrandom::u32().unwrap_or_default();
    like.set_path(&format!("{path}/rolecall-{number:08x}"));
    Ok(like.into())
}

/// What a browser asks for, in the language of the words that are known here.
fn headers() -> HeaderMap {
    let accept = HeaderValue::from_static("text/html, application/json;q=0.9");
    let english = HeaderValue::from_static("en");
    HeaderMap::from_iter([(ACCEPT, accept), (ACCEPT_LANGUAGE, english)])
}

fn read(question: &Question<'_>, reply: &Reply) -> Reading {
    let location = reply.headers.get(LOCATION);
    let answer = Answer {
        status: reply.status,
        location: location.and_then(|location| location.to_str().ok()),
        body: &String::from_utf8_lossy(&reply.body),
    };
    reading::read(question, &answer, explained)
}

fn explained(number: u32) -> Option<&'static str> {
    aadsts::explain(number).map(|known| known.what)
}
