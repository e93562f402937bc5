//! A client in, a token out, once a person has signed in with a browser (RFC 6749 §4.1, RFC 7636, RFC 8252).

use super::denial::{Denial, OauthError};
use super::discovery::guarded;
use super::grant;
use super::landing::{Arrival, Landing};
use super::visit::{Issued, Visit};
use crate::scenario::SignIn;
use crate::secret::Secret;

/// Shows the provider's page, waits for the browser to come back, and redeems what it brings.
///
/// # Errors
/// Why there is no token.
pub(super) async fn acquire(visit: &Visit<'_>) -> Result<Issued, Denial> {
    let SignIn::AuthorizationCode {
        client,
        redirect,
        scope,
        prompt,
        authorization_endpoint,
    } = &visit.window.persona.sign_in
    else {
        return Err(unusable("the persona signs in otherwise"));
    };
    let page = authorization_endpoint
        .as_ref()
        .or(visit.found.authorization_endpoint.as_ref())
        .ok_or_else(|| {
            unusable("the provider names no authorization endpoint. State authorization_endpoint.")
        })?;
    guarded(page, "the authorization endpoint").map_err(Denial::Unusable)?;
    let landing = Landing::open(redirect).await.map_err(Denial::Here)?;
    let mut form = grant::asked_for(scope.as_deref(), visit.identity);
    grant::add(&mut form, grant::parameters(visit.identity));
    let prompt = prompt
        .iter()
        .cloned()
        .map(|prompt| ("prompt".to_owned(), prompt));
    grant::add(&mut form, prompt.collect());
    let invitation = grant::invite(client, page, landing.uri(), form)?;
    visit.desk.attendant.tell(&format!(
        "{}: to sign in, open {}",
        visit.window.persona.name, invitation.url
    ));
    visit.desk.attendant.open(&invitation.url);
    let arrival = tokio::time::timeout(visit.patience().person, landing.arrival(&invitation.state))
        .await
        .map_err(|_late| unusable("nobody signed in in time. Try again."))?;
    let code = brought(visit, arrival)?;
    visit.redactor_learns(&code);
    grant::redeem(visit, client, invitation, &code, scope.as_deref()).await
}

/// RFC 9207 §2.4: an answer that names another issuer than the one that was asked is not to be redeemed.
fn brought(visit: &Visit<'_>, arrival: Arrival) -> Result<Secret, Denial> {
    let issuers = &visit.found.issuers;
    let foreign = arrival
        .issuer
        .is_some_and(|issuer| !issuers.is_empty() && !issuers.contains(&issuer));
    if foreign {
        return Err(unusable(
            "the browser brought the answer of another issuer than the scenario's, and it was not used",
        ));
    }
    match (arrival.code, arrival.error) {
        (Some(code), None) => Ok(code),
        (_, Some(error)) => Err(Denial::Refused(OauthError::told(
            &error,
            &arrival.description,
        ))),
        (None, None) => Err(unusable("the browser brought neither a code nor an error")),
    }
}

fn unusable(why: &str) -> Denial {
    Denial::Unusable(why.to_owned())
}
