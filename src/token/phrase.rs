//! The words of a provider's error in, what they mean and what to do about it out.

use super::aadsts::Meaning;

/// The meaning of the usual errors of Keycloak, Auth0 and Okta; `None` for other words.
///
/// They explain here, as AADSTS numbers do, and decide nothing. Source: the providers' own error texts.
pub(super) fn explain(description: &str) -> Option<Meaning> {
    let said = description.to_ascii_lowercase();
    let entry = TABLE.iter().find(|(words, ..)| said.contains(words))?;
    let (_, what, remedy) = *entry;
    Some(Meaning { what, remedy })
}

const CONFIDENTIAL: &str = "Check client_id and client_secret, and that client_auth is what the client is registered with.";

/// Lower case, the more special before the more general, one entry a line: it is read as a table.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str)] = &[
    // Keycloak.
    ("account is not fully set up", "the account has something to do first", "Clear the user's required actions in Keycloak, such as a new password or a profile."),
    ("account disabled", "the account is disabled", "Enable the user."),
    ("account temporarily disabled", "the account is locked after too many failures", "Wait, or clear the user's login failures."),
    ("invalid user credentials", "wrong user name or password", "Check the test account's password, and that no one-time password is asked of it."),
    ("invalid client or invalid client credentials", "wrong client id or client secret", CONFIDENTIAL),
    ("not allowed for direct access grants", "the client may not use the password grant", "Switch Direct access grants on for the client."),
    ("not enabled to retrieve service account", "the client may not use client credentials", "Switch Service accounts roles on for the client."),
    ("public client not allowed to retrieve service account", "the client is public", "Switch Client authentication and Service accounts roles on for it."),
    ("not allowed to initiate oauth 2.0 device authorization grant", "the client may not use the device code", "Switch OAuth 2.0 Device Authorization Grant on for the client."),
    ("token is not active", "the refresh token has ended", "Sign in again and store the new one."),
    ("session not active", "the session of the refresh token has ended", "Sign in again and store the new one; ask for the scope offline_access to outlive the session."),
    ("stale token", "the refresh token was replaced by a newer one", "Store each new one: state write_back."),
    ("maximum allowed refresh token reuse exceeded", "the refresh token was replaced by a newer one", "Store each new one: state write_back."),
    ("client is not within the token audience", "the token to be exchanged is not for this client", "Give the subject's token this client as an audience, with an audience mapper."),
    ("client not allowed to exchange", "the client may not exchange tokens", "Allow token exchange for the client."),
    ("invalid parameter: redirect_uri", "the redirect URI is not registered", "Add the exact URI to the client's valid redirect URIs."),
    ("pkce verification failed", "the PKCE verifier does not fit", "Start the sign-in again."),
    // Auth0.
    ("multifactor authentication required", "multi-factor authentication is required", "Exempt the test account from it, or sign in with client credentials."),
    ("wrong email or password", "wrong user name or password", "Check the test account's password."),
    ("service not found", "there is no API of that audience", "Set the parameter audience to the identifier of the API in Auth0."),
    ("is not authorized to access", "the client may not call that API", "Authorize the application for the API, in Auth0 under APIs, Machine to machine applications."),
    ("not allowed for the client", "the client may not use this grant", "Switch the grant type on in the application's advanced settings."),
    ("unknown or invalid refresh token", "the refresh token is not valid any more", "Sign in again and store the new one; with rotation on, each serves once."),
    ("callback url mismatch", "the redirect URI is not registered", "Add the exact URI to the application's allowed callback URLs."),
    // Okta.
    ("policy evaluation failed", "no access policy of the authorization server fits", "Add a rule that allows this client, this grant and these scopes."),
    ("sign on policy", "the sign-on policy does not let this account in so", "Exempt the test account from multi-factor authentication, or sign in with client credentials."),
    ("scopes are not configured", "the authorization server has no such scope", "Add the scope to the authorization server, or ask for one that it has."),
    ("not authorized to use the provided grant type", "the client may not use this grant", "Switch the grant type on for the app."),
    ("client secret supplied for a confidential client is invalid", "wrong client secret", CONFIDENTIAL),
    ("invalid value for 'client_id'", "the client id is unknown here", "Check client_id, and the issuer that is asked."),
    ("credentials provided were invalid", "wrong user name or password", "Check the test account's password."),
    ("refresh token is invalid or expired", "the refresh token is not valid any more", "Sign in again and store the new one."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_and_remedies_fit_into_a_sentence() {
        for (words, what, remedy) in TABLE {
            assert_eq!(*words, words.to_ascii_lowercase());
            assert!(!what.ends_with('.') && remedy.ends_with('.'), "{words}");
        }
    }

    #[test]
    fn the_usual_errors_are_explained_and_others_are_not() {
        for (said, what) in [
            (
                "Account is not fully set up",
                "the account has something to do first",
            ),
            (
                "Client not allowed for direct access grants",
                "the client may not use the password grant",
            ),
            (
                "Grant type 'password' not allowed for the client.",
                "the client may not use this grant",
            ),
            (
                "Policy evaluation failed for this request, please check the policy configurations.",
                "no access policy of the authorization server fits",
            ),
        ] {
            assert_eq!(
                explain(said).map(|meaning| meaning.what),
                Some(what),
                "{said}"
            );
        }
        assert_eq!(explain("Something else"), None);
        assert_eq!(explain(""), None);
    }

    #[test]
    fn no_entry_hides_a_later_one() {
        for (place, (words, ..)) in TABLE.iter().enumerate() {
            let first = TABLE.iter().position(|(other, ..)| words.contains(other));
            assert_eq!(first, Some(place), "{words}");
        }
    }
}
