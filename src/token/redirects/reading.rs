//! An authorization endpoint's answer in, what it says of the redirect out. Pure.

use serde_json::Value;
use url::{Position, Url};

/// What was asked.
pub(super) struct Question<'q> {
    pub(super) endpoint: &'q str,
    pub(super) redirect: &'q str,
    pub(super) state: &'q str,
}

/// What came back.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) location: Option<&'a str>,
    pub(super) body: &'a str,
}

/// What one answer says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    /// The browser is sent to the redirect with the state: only a registered one gets that (RFC 6749 §4.1.2.1).
    SentBack,
    /// The redirect is refused, in words that are known here.
    Refused(String),
    /// The request is refused as no good one, and not seen why. A firewall or a limit would say so with other numbers than 400.
    Rejected(String),
    /// The browser is led on to a page, without an error in sight.
    LedOn(String),
    /// Nothing that tells.
    Other(String),
}

/// What the answers say together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ruling {
    Registered,
    Unregistered(String),
    Unproven(String),
}

impl Reading {
    /// Whether it means something only beside the answer to a redirect that nobody has registered.
    pub(super) fn needs_control(&self) -> bool {
        matches!(self, Self::LedOn(_))
    }
}

/// The ruling on a redirect; `control` is the answer to the like of it.
pub(super) fn settle(own: Reading, control: Option<Reading>) -> Ruling {
    match (own, control) {
        (Reading::SentBack, _) => Ruling::Registered,
        (Reading::Refused(words), _) => Ruling::Unregistered(words),
        (Reading::LedOn(_), Some(Reading::Refused(_) | Reading::Rejected(_))) => Ruling::Registered,
        (Reading::LedOn(words), _) => Ruling::Unproven(format!(
            "{words}, and a redirect that nobody has registered is not refused either"
        )),
        (Reading::Rejected(words) | Reading::Other(words), _) => Ruling::Unproven(words),
    }
}

/// Errors that name the redirect: Google's, Cognito's, and that of RFC 7591 §3.2.2, which node-oidc-provider gives.
const ERRORS: [&str; 3] = [
    "redirect_uri_mismatch",
    "redirect_mismatch",
    "invalid_redirect_uri",
];
/// What pages say besides, in lower case: Keycloak, Okta, Auth0 (2), node-oidc-provider, Spring Authorization Server,
/// Dex, oauthlib, authentik, Doorkeeper, Zitadel.
const PHRASES: [&str; 11] = [
    "invalid parameter: redirect_uri",
    "parameter must be a login redirect uri",
    "callback url mismatch",
    "not in the list of allowed callback urls",
    "redirect_uri did not match",
    "oauth 2.0 parameter: redirect_uri",
    "unregistered redirect_uri",
    "mismatching redirect uri",
    "mismatching redirection uri",
    "match client redirect uri",
    "redirect_uri is missing in the client configuration",
];
/// Entra's numbers: not registered, no reply address, no reply address for this app.
const NUMBERS: [u32; 3] = [50_011, 500_113, 900_971];

/// Reads one answer; `explain` says what an AADSTS number means.
pub(super) fn read(
    question: &Question<'_>,
    answer: &Answer<'_>,
    explain: fn(u32) -> Option<&'static str>,
) -> Reading {
    let status = answer.status;
    if let (300..=399, Some(location)) = (status, answer.location) {
        return led(question, status, location);
    }
    // Entra's error pages come with 200, too.
    if let Some(number) = aadsts(answer.body) {
        return numbered(number, explain);
    }
    if let Ok(Value::Object(members)) = serde_json::from_str(answer.body) {
        let text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        if !text("error").is_empty() {
            return error(text("error"), text("error_description"));
        }
    }
    let refused = known_words(answer.body);
    match (status, refused) {
        (400..=499, Some(words)) => Reading::Refused(format!("{words:?} with HTTP {status}")),
        (400, None) => Reading::Rejected(unknown_client(answer.body).to_owned()),
        (200..=299, None) => Reading::LedOn(format!("HTTP {status} and a page")),
        (_, Some(words)) => Reading::Other(format!("HTTP {status}, with the words {words:?}")),
        (_, None) => Reading::Other(format!("HTTP {status}")),
    }
}

fn led(question: &Question<'_>, status: u16, location: &str) -> Reading {
    let base = Url::parse(question.endpoint).ok();
    let target = Url::options().base_url(base.as_ref()).parse(location);
    let (Ok(target), Ok(redirect)) = (target, Url::parse(question.redirect)) else {
        return Reading::Other(format!("HTTP {status} to nowhere"));
    };
    let brought = |name: &str| parameter(&target, name);
    if target[..Position::AfterPath] == redirect[..Position::AfterPath] {
        return if brought("state").as_deref() == Some(question.state) {
            Reading::SentBack
        } else {
            Reading::Other(format!("HTTP {status} to the redirect, without the state"))
        };
    }
    match brought("error") {
        Some(word) => error(&word, &brought("error_description").unwrap_or_default()),
        None => Reading::LedOn(format!(
            "HTTP {status} to a page of {}",
            target.host_str().unwrap_or("its own")
        )),
    }
}

/// A parameter of the query, or of a fragment that is one.
fn parameter(url: &Url, name: &str) -> Option<String> {
    let fragment = url.fragment().unwrap_or_default();
    let pairs = url
        .query_pairs()
        .chain(url::form_urlencoded::parse(fragment.as_bytes()));
    let mut found = pairs.filter(|(known, _)| known == name);
    found.next().map(|(_, value)| value.into_owned())
}

/// An OAuth error that did not go to the redirect: client and redirect are the only reasons for that (RFC 6749 §4.1.2.1).
fn error(word: &str, description: &str) -> Reading {
    let about_client = matches!(word, "invalid_client" | "unauthorized_client");
    // Keycloak's JSON has a sentence for an error.
    let said = format!("{word} {description}").to_ascii_lowercase();
    let about_redirect = ["redirect_uri", "redirect uri", "callback url"]
        .iter()
        .any(|words| said.contains(words));
    if ERRORS.contains(&word) || about_redirect && !about_client {
        Reading::Refused(format!("the error {}", brief(word)))
    } else {
        Reading::Rejected(format!("the error {}", brief(word)))
    }
}

fn numbered(number: u32, explain: fn(u32) -> Option<&'static str>) -> Reading {
    let meaning = explain(number).map_or_else(String::new, |meaning| format!(": {meaning}"));
    let words = format!("AADSTS{number}{meaning}");
    if NUMBERS.contains(&number) {
        Reading::Refused(words)
    } else {
        Reading::Rejected(words)
    }
}

fn known_words(body: &str) -> Option<&'static str> {
    let body = body.to_ascii_lowercase();
    PHRASES
        .into_iter()
        .chain(ERRORS)
        .find(|words| body.contains(words))
}

/// Keycloak's words for it, node-oidc-provider's, Spring Authorization Server's, Zitadel's, and others'.
fn unknown_client(body: &str) -> &'static str {
    let body = body.to_ascii_lowercase();
    let words = [
        "client not found",
        "invalid_client",
        "unknown client",
        "oauth 2.0 parameter: client_id",
        "unable to retrieve client by id",
    ];
    if words.iter().any(|words| body.contains(words)) {
        "HTTP 400: it does not know the client"
    } else {
        "HTTP 400, for a reason that is not known here"
    }
}

/// The first number that Entra's page names.
fn aadsts(body: &str) -> Option<u32> {
    body.split("AADSTS").skip(1).find_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    })
}

/// A word of the provider's, short enough for a sentence.
fn brief(word: &str) -> String {
    word.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question<'_> = Question {
        endpoint: "https://id.example.com/authorize?policy=p",
        redirect: "https://app.example.com/callback?tenant=1",
        state: "s1",
    };

    fn reading(status: u16, location: Option<&str>, body: &str) -> Reading {
        let answer = Answer {
            status,
            location,
            body,
        };
        let explain = |number| (number == 50_011).then_some("not registered");
        read(&QUESTION, &answer, explain)
    }

    fn kind(reading: &Reading) -> &'static str {
        match reading {
            Reading::SentBack => "sent back",
            Reading::Refused(_) => "refused",
            Reading::Rejected(_) => "rejected",
            Reading::LedOn(_) => "led on",
            Reading::Other(_) => "other",
        }
    }

    #[test]
    fn where_a_browser_is_led_says_whether_the_redirect_is_known() {
        let table = [
            // With the error of `prompt=none`, in the query or the fragment, and with any other.
            (
                "https://app.example.com/callback?tenant=1&error=login_required&state=s1",
                "sent back",
            ),
            (
                "https://app.example.com/callback?tenant=1#error=interaction_required&state=s1",
                "sent back",
            ),
            (
                "https://app.example.com/callback?error=invalid_scope&state=s1",
                "sent back",
            ),
            // Another state, none, another address that only begins alike.
            (
                "https://app.example.com/callback?error=login_required&state=s2",
                "other",
            ),
            ("https://app.example.com/callback", "other"),
            ("https://app.example.com/callback.evil?state=s1", "led on"),
            ("http://app.example.com/callback?state=s1", "led on"),
            // Cognito: its login page, and its error page.
            (
                "https://id.example.com/login?client_id=c&redirect_uri=https%3A%2F%2Fapp.example.com",
                "led on",
            ),
            ("/error?error=redirect_mismatch&client_id=c", "refused"),
            (
                "/error?error=invalid_request&error_description=Invalid+redirect_uri",
                "refused",
            ),
            ("/error?error=unauthorized_client", "rejected"),
            (
                "/error?error=unauthorized_client&error_description=no+redirect_uri",
                "rejected",
            ),
            ("/signin/oauth/error?authError=abc", "led on"),
            ("https://[", "other"),
        ];
        for (location, expected) in table {
            for status in [302, 303] {
                assert_eq!(
                    kind(&reading(status, Some(location), "")),
                    expected,
                    "{location}"
                );
            }
        }
        assert_eq!(kind(&reading(302, None, "")), "other");
    }

    #[test]
    fn what_a_page_says_is_known_by_its_provider_s_words() {
        let table = [
            (
                200,
                "<html>$Config={\"strServiceExceptionMessage\":\"AADSTS50011: The redirect URI",
                "refused",
            ),
            (
                400,
                "AADSTS500113: No reply address is registered",
                "refused",
            ),
            (200, "AADSTS900971: No reply address provided.", "refused"),
            // Others that begin alike, or say something else.
            (200, "AADSTS500112: The reply address", "rejected"),
            (200, "AADSTS700016: Application with identifier", "rejected"),
            (
                400,
                "<p class=\"instruction\">Invalid parameter: redirect_uri</p>",
                "refused",
            ),
            (400, "<p>Client not found.</p>", "rejected"),
            (
                400,
                "The &#39;redirect_uri&#39; parameter must be a Login redirect URI in the client app settings.",
                "refused",
            ),
            (403, "<h1>Callback URL mismatch.</h1>", "refused"),
            (
                400,
                "{\"error\":\"invalid_redirect_uri\",\"error_description\":\"redirect_uri did not match\"}",
                "refused",
            ),
            (400, "<pre>error: invalid_redirect_uri", "refused"),
            (
                400,
                "{\"error\":\"invalid_request\",\"error_description\":\"The redirect_uri is not valid\"}",
                "refused",
            ),
            (
                400,
                "{\"error\":\"invalid_client\",\"error_description\":\"unknown client for redirect_uri\"}",
                "rejected",
            ),
            (401, "{\"error\":\"invalid_client\"}", "rejected"),
            (
                400,
                "[invalid_request] OAuth 2.0 Parameter: redirect_uri",
                "refused",
            ),
            (
                400,
                "{\"error\":\"Invalid parameter: redirect_uri\"}",
                "refused",
            ),
            (400, "{\"error\":\"Client not found.\"}", "rejected"),
            (
                400,
                "The requested redirect_uri is missing in the client configuration. If you have any questions,",
                "refused",
            ),
            // A page that repeats the question says nothing.
            (
                400,
                "cannot GET /authorize?redirect_uri=https%3A%2F%2Fapp.example.com",
                "rejected",
            ),
            (
                400,
                "Bad Request: Unregistered redirect_uri (\"https://app.example.com\").",
                "refused",
            ),
            (403, "Access denied", "other"),
            (404, "", "other"),
            (429, "slow down", "other"),
            (503, "Invalid parameter: redirect_uri", "other"),
            (200, "<form>Sign in</form>", "led on"),
            (200, "our blog on redirect_uri_mismatch", "other"),
            (200, "AADSTS", "led on"),
            (200, "AADSTS99999999999999999999", "led on"),
            (200, "", "led on"),
            (500, "", "other"),
        ];
        for (status, body, expected) in table {
            assert_eq!(
                kind(&reading(status, None, body)),
                expected,
                "{status} {body}"
            );
        }
        assert_eq!(
            reading(200, None, "AADSTS50011: x"),
            Reading::Refused("AADSTS50011: not registered".to_owned())
        );
    }

    #[test]
    fn a_client_that_the_provider_does_not_know_is_told_as_such() {
        for unknown in [
            "<p>Client not found.</p>",
            "{\"status\":400,\"message\":\"[invalid_request] OAuth 2.0 Parameter: client_id\"}",
            "unable to retrieve client by id",
        ] {
            assert_eq!(
                reading(400, None, unknown),
                Reading::Rejected("HTTP 400: it does not know the client".to_owned())
            );
        }
    }

    #[test]
    fn a_page_proves_nothing_unless_the_unregistered_like_of_it_is_refused() {
        let led = || Reading::LedOn("HTTP 200 and a page".to_owned());
        let words = || "w".to_owned();
        let kind = |ruling: Ruling| match ruling {
            Ruling::Registered => "registered",
            Ruling::Unregistered(_) => "unregistered",
            Ruling::Unproven(_) => "unproven",
        };
        for (own, control, expected) in [
            (Reading::SentBack, None, "registered"),
            (Reading::Refused(words()), None, "unregistered"),
            (led(), Some(Reading::Refused(words())), "registered"),
            (led(), Some(Reading::Rejected(words())), "registered"),
            (led(), Some(led()), "unproven"),
            // A provider that sends browsers anywhere knows no redirect.
            (led(), Some(Reading::SentBack), "unproven"),
            (led(), Some(Reading::Other(words())), "unproven"),
            (led(), None, "unproven"),
            (Reading::Rejected(words()), None, "unproven"),
            (Reading::Other(words()), None, "unproven"),
        ] {
            assert_eq!(kind(settle(own.clone(), control)), expected, "{own:?}");
        }
    }
}
