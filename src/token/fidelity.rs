//! Claims or a way to sign in in, on whose behalf the token acts out: a user's, or the application's alone.

use super::claims::Claims;
use crate::scenario::{Fidelity, SignIn};

/// Names by which providers call a user; a service account is none.
const NAMES: [&str; 6] = [
    "upn",
    "unique_name",
    "preferred_username",
    "email",
    "username",
    "uid",
];
/// Keycloak's account of a client.
const SERVICE_ACCOUNT: &str = "service-account-";

/// Reads it off the first sign that decides; `None` when none does.
pub fn of(claims: &Claims) -> Option<Fidelity> {
    stated(claims)
        .or_else(|| claims.text("scp").map(|_| Fidelity::User))
        .or_else(|| names_its_client(claims).then_some(Fidelity::App))
        .or_else(|| named(claims))
        .or_else(|| is_another(claims).then_some(Fidelity::User))
}

/// What a token is by the grant that it was asked with (RFC 6749 §1.3); `None` where any could come of it.
pub const fn of_method(sign_in: &SignIn) -> Option<Fidelity> {
    match sign_in {
        SignIn::Password { .. } | SignIn::DeviceCode { .. } | SignIn::AuthorizationCode { .. } => {
            Some(Fidelity::User)
        }
        SignIn::ClientCredentials { .. } => Some(Fidelity::App),
        SignIn::None
        | SignIn::RefreshToken { .. }
        | SignIn::OnBehalfOf { .. }
        | SignIn::TokenExchange { .. }
        | SignIn::ManagedIdentity { .. }
        | SignIn::AzureCli { .. }
        | SignIn::Token(_) => None,
    }
}

/// The word in reports.
pub const fn name(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::User => "user-delegated",
        Fidelity::App => "app-only",
    }
}

/// The client that a token names: `azp` or `appid` (Entra ID, Keycloak), `client_id` (RFC 9068 §2.2, Cognito), `cid` (Okta).
pub fn client(claims: &Claims) -> Option<&str> {
    ["azp", "appid", "client_id", "cid"]
        .iter()
        .find_map(|name| claims.text(name))
}

/// Entra ID's `idtyp`, Auth0's `gty`.
fn stated(claims: &Claims) -> Option<Fidelity> {
    match (claims.text("idtyp"), claims.text("gty")) {
        (Some("app"), _) | (None, Some("client-credentials")) => Some(Fidelity::App),
        (Some("user"), _) | (None, Some("password")) => Some(Fidelity::User),
        _ => None,
    }
}

/// The subject of an application's token is the application: its id (RFC 9068 §2.2), Auth0's form of it, or, at Entra ID,
/// the object that is the service principal.
fn names_its_client(claims: &Claims) -> bool {
    let Some(subject) = claims.text("sub") else {
        return false;
    };
    let bare = subject.strip_suffix("@clients").unwrap_or(subject);
    client(claims) == Some(bare) || claims.text("oid") == Some(subject)
}

/// The subject of a token with `client_id` is its client where no user is involved (RFC 9068 §2.2), so another one is a user.
/// Keycloak, which writes `azp` too, gives the accounts of its clients subjects of their own.
fn is_another(claims: &Claims) -> bool {
    match (claims.text("client_id"), claims.text("sub")) {
        (Some(client), Some(subject)) => client != subject && !claims.has("azp"),
        _ => false,
    }
}

fn named(claims: &Claims) -> Option<Fidelity> {
    let name = NAMES.iter().find_map(|name| claims.text(name))?;
    Some(if name.starts_with(SERVICE_ACCOUNT) {
        Fidelity::App
    } else {
        Fidelity::User
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_provider_says_it_in_its_own_way() {
        let table = [
            (json!({"idtyp": "app", "upn": "u"}), Some(Fidelity::App)),
            (
                json!({"idtyp": "user", "oid": "o", "sub": "o"}),
                Some(Fidelity::User),
            ),
            (
                json!({"scp": "access_as_user", "oid": "o", "sub": "p"}),
                Some(Fidelity::User),
            ),
            (
                json!({"oid": "o", "sub": "o", "azp": "c"}),
                Some(Fidelity::App),
            ),
            (
                json!({"gty": "client-credentials", "sub": "c@clients"}),
                Some(Fidelity::App),
            ),
            (json!({"azp": "c", "sub": "c@clients"}), Some(Fidelity::App)),
            (
                json!({"cid": "c", "sub": "c", "scp": null}),
                Some(Fidelity::App),
            ),
            (json!({"client_id": "c", "sub": "c"}), Some(Fidelity::App)),
            (
                json!({"client_id": "c", "sub": "s", "username": "u"}),
                Some(Fidelity::User),
            ),
            (
                json!({"azp": "c", "sub": "s", "preferred_username": "service-account-c"}),
                Some(Fidelity::App),
            ),
            (
                json!({"azp": "c", "sub": "s", "preferred_username": "reader"}),
                Some(Fidelity::User),
            ),
            (json!({"azp": "c", "sub": "s"}), None),
            (json!({"client_id": "c", "sub": "s"}), Some(Fidelity::User)),
            (json!({"client_id": "c", "azp": "c", "sub": "s"}), None),
            (json!({"client_id": "c"}), None),
            (json!({}), None),
        ];
        for (claims, expected) in table {
            assert_eq!(of(&Claims::from(&claims)), expected, "{claims}");
        }
    }
}
