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
    ("invalid client credentials", "wrong client secret", CONFIDENTIAL),
    ("invalid client secret", "wrong client secret", CONFIDENTIAL),
    ("client secret not provided in request", "the client is confidential, and sent no secret", CONFIDENTIAL),
    ("authentication with signed jwt failed", "the client's assertion is not accepted", "Register the certificate or the key set with the client, and check the clock of this machine."),
    ("requested audience not available", "the client may not ask for that audience", "Give the client a mapper or a scope that adds it."),
    ("standard token exchange is not enabled", "the client may not exchange tokens", "Switch Standard token exchange on for the client."),
    ("user disabled", "the account is disabled", "Enable the user."),
    ("code not valid", "the code was used already, or is too old", "Start the sign-in again."),
    ("https required", "the realm takes no plain http", "Use https, or set the realm's Require SSL for tests."),
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
    ("not configured with default connection", "no connection is set in which the user could be", "Set the default directory in Auth0 under Settings, API authorization."),
    ("user is blocked", "the account is blocked", "Unblock the user."),
    ("account has been blocked", "the account is locked after too many failures", "Unblock the user, and wait."),
    ("non-global client", "the client belongs to another domain", "Check client_id and the issuer."),
    ("wrong email or password", "wrong user name or password", "Check the test account's password."),
    ("service not found", "there is no API of that audience", "Set the parameter audience to the identifier of the API in Auth0."),
    ("is not authorized to access", "the client may not call that API", "Authorize the application for the API, in Auth0 under APIs, Machine to machine applications."),
    ("not allowed for the client", "the client may not use this grant", "Switch the grant type on in the application's advanced settings."),
    ("unknown or invalid refresh token", "the refresh token is not valid any more", "Sign in again and store the new one; with rotation on, each serves once."),
    ("callback url mismatch", "the redirect URI is not registered", "Add the exact URI to the application's allowed callback URLs."),
    // Okta.
    ("policy evaluation failed", "no access policy of the authorization server fits", "Add a rule that allows this client, this grant and these scopes."),
    ("sign on policy", "the sign-on policy does not let this account in so", "Exempt the test account from multi-factor authentication, or sign in with client credentials."),
    ("not assigned to the client application", "the user may not use the client", "Assign the user, or a group of theirs, to the app."),
    ("does not have any configured default scopes", "no scope was asked for", "State a scope, or set a default one at the authorization server."),
    ("must be a login redirect uri", "the redirect URI is not registered", "Add the exact URI to the app's sign-in redirect URIs."),
    ("either the client or the client credentials are invalid", "wrong client id or client secret", CONFIDENTIAL),
    ("authorization code is invalid or has expired", "the code was used already, or is too old", "Start the sign-in again."),
    ("scopes are not configured", "the authorization server has no such scope", "Add the scope to the authorization server, or ask for one that it has."),
    ("not authorized to use the provided grant type", "the client may not use this grant", "Switch the grant type on for the app."),
    ("client secret supplied for a confidential client is invalid", "wrong client secret", CONFIDENTIAL),
    ("invalid value for 'client_id'", "the client id is unknown here", "Check client_id, and the issuer that is asked."),
    ("credentials provided were invalid", "wrong user name or password", "Check the test account's password."),
    ("invalid refresh token", "the refresh token is not valid any more", "Sign in again and store the new one."),
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
                "Client authentication with signed JWT failed: Token is expired",
                "the client's assertion is not accepted",
            ),
            (
                "Authorization server not configured with default connection.",
                "no connection is set in which the user could be",
            ),
            (
                "User is not assigned to the client application.",
                "the user may not use the client",
            ),
            (
                "Offline session not active",
                "the session of the refresh token has ended",
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
