//! An Entra error number in, what it means and what to do about it out.

/// What a number of Entra's sign-in errors means.
///
/// Source: Microsoft's page of authentication and authorization error codes. It asks not to decide anything by the
/// numbers, which may change at any time; they explain here, and nothing else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Meaning {
    /// What went wrong, without a full stop.
    pub(super) what: &'static str,
    /// What to do, one or two whole sentences.
    pub(super) remedy: &'static str,
}

/// The meaning of `AADSTS<number>`; `None` for one that is not in the table.
pub(super) fn explain(number: u32) -> Option<Meaning> {
    let place = TABLE.binary_search_by_key(&number, |entry| entry.0).ok()?;
    let (_, what, remedy) = TABLE[place];
    Some(Meaning { what, remedy })
}

const OTHER_METHOD: &str = "Nobody can answer this unattended; sign in with client_credentials, or with the refresh_token of a sign-in that answered it, or exempt the test account in its policy.";
const CONDITION: &str = "Look at the policy that the sign-in log names, and exempt the test account or run from a place that it accepts.";
const SIGN_IN_AGAIN: &str = "Sign in again and store the new grant.";
const FEDERATED: &str = "Copy issuer, subject and audience of the outside token into the federated credential, letter by letter.";
const MFA_DUE: &str = "multi-factor authentication is required";

/// Sorted by number, one entry a line: it is read as a table.
#[rustfmt::skip]
const TABLE: &[(u32, &str, &str)] = &[
    (16000, "several sessions fit and none was chosen", "Use an account that is signed in nowhere else."),
    (28002, "the scope is not valid", "Ask for one resource a request, spelled as its App ID URI."),
    (28003, "the scope is empty", "State a scope, such as the API's App ID URI with /.default at its end."),
    (50001, "the API is disabled or not in this tenant", "Enable its enterprise application, and check the resource."),
    (50011, "the redirect URI is not registered", "Add the exact URI to the client app under Authentication."),
    (50012, "the client assertion is not valid", "Renew the certificate or the outside token."),
    (50013, "the assertion is not valid", "Renew the token that is passed on; its audience must be the calling app."),
    (50020, "the user belongs to another identity provider", "Invite the account as a guest, or sign in at its own tenant."),
    (50034, "the user is not in this directory", "Check user name and tenant; a guest's name contains #EXT#."),
    (50053, "the account is locked, or the caller's address is distrusted", "Wait, and read the sign-in log; shared runner addresses often cause it."),
    (50055, "the password has expired", "Set a new one, and let those of test accounts not expire."),
    (50056, "the directory holds no password for this user", "Use a cloud account with a password; federated ones cannot use the password grant."),
    (50057, "the account is disabled", "Enable it."),
    (50058, "there is no session to sign in with silently", "Sign in interactively once."),
    (50059, "the request names no tenant", "State the tenant's GUID in place of common."),
    (50072, "the user must register for multi-factor authentication", OTHER_METHOD),
    (50074, MFA_DUE, OTHER_METHOD),
    (50076, MFA_DUE, OTHER_METHOD),
    (50078, "the multi-factor authentication has expired", OTHER_METHOD),
    (50079, "the user must register for multi-factor authentication", OTHER_METHOD),
    (50097, "the device must be known to the tenant", CONDITION),
    (50105, "the user is not assigned to the app", "Assign the user, or a group of which the user is a direct member; nested groups are not followed."),
    (50126, "wrong user name or password", "Check the test account's password; federated accounts cannot use the password grant."),
    (50128, "the request names no tenant that exists", "State the tenant's GUID."),
    (50131, "a condition on the device or the place was not met", CONDITION),
    (50132, "the session was revoked", SIGN_IN_AGAIN),
    (50133, "the session ended because the password changed", SIGN_IN_AGAIN),
    (50144, "the user's on-premises password has expired", "Set a new one where the account is kept."),
    (50146, "the API needs a signing key of its own", "Set acceptMappedClaims in its manifest, or give it a key."),
    (50158, "a third party's challenge was not answered", OTHER_METHOD),
    (50173, "the grant was revoked, usually with a password change", SIGN_IN_AGAIN),
    (50194, "the app accepts one tenant, and common was asked", "Ask at the tenant's own endpoint."),
    (50196, "the same request was repeated too often", "Wait some minutes; acquire each token once and share it."),
    (53000, "the device does not comply with policy", CONDITION),
    (53001, "the device is not joined to the domain", CONDITION),
    (53002, "the app is not an approved one", CONDITION),
    (53003, "Conditional Access blocked the sign-in", CONDITION),
    (53004, "multi-factor registration is blocked from here", "Register the account from a trusted place."),
    (53010, "multi-factor authentication cannot be registered from here", "Register it from a place that the tenant trusts, or exempt the test account."),
    (53011, "the account is blocked because it is at risk", "Clear the user's risk in ID Protection, and change the password."),
    (54005, "the authorization code was used before", "Start the sign-in again."),
    (65001, "nobody has consented to this client using the API", "Grant admin consent, or authorize the client on the API in advance."),
    (65002, "a Microsoft client needs the API's permission in advance", "Use a client of your own, or authorize that one on the API."),
    (65004, "the user declined to consent", "Sign in once more and accept, or grant admin consent."),
    (65005, "the client does not declare a permission for this API", "Add it under API permissions, then consent."),
    (70000, "the grant is not valid", SIGN_IN_AGAIN),
    (70001, "the client app is unknown or disabled here", "Enable its enterprise application, and check the tenant."),
    (70002, "the client's credential was not accepted", "Check client_secret: it is the secret's value, not its id."),
    (70003, "this kind of grant is not supported", "Use client_credentials or password."),
    (70005, "the response type is not supported, or not enabled", "Check the grant and the response type; an id_token must be switched on under Authentication."),
    (70008, "the code or refresh token has expired", SIGN_IN_AGAIN),
    (70011, "the scope is not valid", "Ask for one resource, as its App ID URI with /.default at its end."),
    (70016, "the device code was not confirmed yet", "Confirm it, then try again."),
    (70018, "the device code is wrong", "Start the sign-in again, and enter the code as it is shown."),
    (70019, "the device code was not entered in time", "Start the sign-in again."),
    (70021, "no federated credential fits the outside token", FEDERATED),
    (70043, "the refresh token was ended by sign-in frequency", SIGN_IN_AGAIN),
    (90002, "the tenant does not exist in this cloud", "Check the tenant's id, and the authority: each national cloud has its own."),
    (90009, "the app asks for a token for itself by its URI", "Name the resource by its GUID."),
    (90014, "a field is missing in the request", "Check client_id and the sign-in's other settings."),
    (90019, "the request names no tenant", "State the tenant's GUID."),
    (90038, "the tenant lives in another national cloud", "State that cloud's authority."),
    (90055, "the tenant is throttled", "Wait some minutes."),
    (90094, "an administrator must consent", "Grant admin consent to the client app."),
    (90095, "an administrator must approve the request for consent", "Grant admin consent to the client app."),
    (240_002, "an id token was passed on in place of an access token", "Pass the access token."),
    (500_011, "the API named by the scope was not found in this tenant", "Make resource equal to its App ID URI, api:// and slashes included, and check the tenant."),
    (500_113, "the client app has no reply address", "Add one under Authentication."),
    (500_131, "the assertion was issued for another app", "Pass a token whose audience is the calling app."),
    (500_133, "the assertion has expired", "Renew the token that is passed on."),
    (500_208, "the account is of a kind that this tenant does not sign in", "Use an account of this tenant."),
    (500_212, "the home tenant forbids signing in here", "Change its cross-tenant access settings."),
    (500_213, "this tenant forbids guests from there", "Change its cross-tenant access settings."),
    (501_051, "the client app has no role on the API, which demands one", "Assign an app role to the client's service principal itself, not to a group."),
    (501_461, "the API needs a signing key of its own", "Set acceptMappedClaims in its manifest, or give it a key."),
    (501_481, "the PKCE verifier does not fit", "Start the sign-in again with a fresh one."),
    (530_032, "a security policy of the tenant blocked the sign-in", CONDITION),
    (530_035, "the tenant's security defaults blocked the sign-in", CONDITION),
    (650_052, "the organization has no service principal for this API", "Create the API's enterprise application in this tenant."),
    (650_053, "the API has no such scope", "Spell the scope with the API's App ID URI; a bare word is looked up in Microsoft Graph."),
    (650_054, "the API was removed, or the client may not use it", "Restore it, and consent again."),
    (650_056, "the client app is not set up for this API", "Add the permission under API permissions, then consent."),
    (650_057, "the API is not among the client's permissions", "Add it under API permissions, then consent."),
    (700_011, "the client id is unknown in this directory", "Check client_id and tenant."),
    (700_016, "the client id is unknown in this tenant", "Check that client_id is the application id (no object id, no secret id) and that the tenant is the app's."),
    (700_022, "the scopes belong to several resources", "Ask for one resource a request."),
    (700_024, "the client assertion is outside its time", "Check the clock; fetch the outside token right before its use."),
    (700_025, "the client is public and must not send a secret", "Remove client_secret, or register the app as a web client."),
    (700_027, "the client assertion's signature was not accepted", "Upload the certificate, and check that it has not expired."),
    (700_030, "the certificate's issuer or subject is not trusted", "Upload the certificate to the client app."),
    (700_082, "the refresh token was unused for too long", SIGN_IN_AGAIN),
    (700_084, "the refresh token of a single-page app has ended", SIGN_IN_AGAIN),
    (700_211, "no federated credential has this issuer", FEDERATED),
    (700_212, "no federated credential has this audience", FEDERATED),
    (700_213, "no federated credential has this subject", FEDERATED),
    (700_229, "the outside token is not one of an app", "Use a workload's own token."),
    (900_144, "a field is missing in the request", "Check client_id and the sign-in's other settings."),
    (900_382, "the tenant lives in another national cloud", "State that cloud's authority."),
    (900_432, "the tenant lives in another national cloud", "State that cloud's authority."),
    (900_971, "no reply address was given", "Register the redirect URI with the client app, and send it."),
    (901_002, "resource is not a parameter of this endpoint", "Ask with a scope, or at the v1 endpoint."),
    (1_002_012, "with client credentials the scope must end in /.default", "Leave the scope out, or end it so."),
    (7_000_112, "the client app is disabled", "Enable its enterprise application."),
    (7_000_114, "the client may not act on behalf of users", "Give it the permission, and list it as a known client of the API."),
    (7_000_215, "wrong client secret", "Use the secret's value, not its id."),
    (7_000_218, "the client must authenticate", "State client_secret, or allow public client flows on the client app."),
    (7_000_222, "the client secret has expired", "Create a new one."),
    (9_001_023, "this grant is not served at common or consumers", "Ask at the tenant's own endpoint."),
    (9_002_313, "the request is malformed", "Check the extra parameters of the token request."),
    (9_002_325, "the client is registered as a single-page app", "Register it as a web or native client."),
    (9_002_326, "the client is registered as a single-page app", "Register it as a web or native client."),
    (9_002_327, "the client is registered as a single-page app", "Register it as a web or native client."),
    (9_010_010, "resource and scope name different APIs", "Leave the resource parameter out."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_entry_is_said_once() {
        assert!(TABLE.is_sorted_by(|one, next| one.0 < next.0));
        assert!(TABLE.len() >= 100);
    }

    /// Those that a tester of APIs meets, by Microsoft's page and by its users' reports.
    #[rustfmt::skip]
    const MET: [u32; 112] = [
        28002, 28003, 50001, 50011, 50012, 50013, 50020, 50034, 50053, 50055, 50056, 50057,
        50058, 50059, 50072, 50074, 50076, 50078, 50079, 50097, 50105, 50126, 50128, 50131,
        50132, 50133, 50144, 50146, 50158, 50173, 50194, 50196, 53000, 53001, 53002, 53003,
        53004, 53010, 53011, 54005, 65001, 65002, 65004, 65005, 70000, 70001, 70002, 70003,
        70005, 70008, 70011, 70016, 70018, 70019, 70021, 70043, 90002, 90009, 90014, 90019,
        90038, 90055, 90094, 90095, 240_002, 500_011, 500_113, 500_131, 500_133, 500_208,
        500_212, 500_213, 501_051, 501_461, 501_481, 530_032, 530_035, 650_052, 650_053,
        650_054, 650_056, 650_057, 700_011, 700_016, 700_022, 700_024, 700_025, 700_027,
        700_030, 700_082, 700_084, 700_211, 700_212, 700_213, 700_229, 900_144, 900_382,
        900_432, 900_971, 901_002, 1_002_012, 7_000_112, 7_000_114, 7_000_215, 7_000_218,
        7_000_222, 9_001_023, 9_002_313, 9_002_325, 9_002_326, 9_002_327, 9_010_010,
    ];

    #[test]
    fn every_number_that_a_tester_meets_is_explained() {
        let missing: Vec<u32> = MET
            .into_iter()
            .filter(|number| explain(*number).is_none())
            .collect();
        assert!(MET.is_sorted() && missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn meanings_and_remedies_fit_into_a_sentence() {
        for (number, what, remedy) in TABLE {
            assert!(!what.ends_with('.') && remedy.ends_with('.'), "{number}");
        }
    }

    #[test]
    fn known_numbers_are_explained_and_others_are_not() {
        assert_eq!(explain(7_000_215).unwrap().what, "wrong client secret");
        assert_eq!(
            explain(16_000).unwrap().remedy,
            "Use an account that is signed in nowhere else."
        );
        assert_eq!(explain(1), None);
    }
}
