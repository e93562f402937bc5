//! What an identity provider answered in place of a token in, one capped and redacted sentence out.

use std::fmt;

use serde_json::Value;

use super::{aadsts, phrase};
use crate::secret::Redactor;
use crate::wire::Silence;

/// Characters of a provider's own words that are passed on.
const QUOTED: usize = 300;
/// Characters of an error code.
const CODE: usize = 64;

/// Why there is no token. Holds nothing of an answer but the members that RFC 6749 §5.2 and Entra define for errors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Denial {
    /// No answer came.
    Silent(Silence),
    /// An answer that is neither a token nor an OAuth error.
    Unusable(String),
    /// This side has nothing to present: a program, a file or a key of the scenario's is none.
    Here(String),
    /// An OAuth error.
    Refused(OauthError),
}

/// An error answer of a token endpoint (RFC 6749 §5.2, with Entra's additions).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct OauthError {
    error: String,
    suberror: Option<String>,
    numbers: Vec<u32>,
    description: String,
}

impl OauthError {
    /// Reads an error answer; `None` when the body is no JSON object with an `error`.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(body).ok()?;
        let description = answer
            .get("error_description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mut numbers = listed_numbers(&answer);
        numbers.extend(aadsts_number(description));
        Some(Self {
            error: answer.get("error")?.as_str()?.to_owned(),
            suberror: answer
                .get("suberror")
                .and_then(Value::as_str)
                .map(str::to_owned),
            numbers,
            description: description.to_owned(),
        })
    }

    /// Whether it is this error.
    pub(super) fn is(&self, error: &str) -> bool {
        self.error == error
    }

    /// Whether it goes away by itself.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(
            self.error.as_str(),
            "temporarily_unavailable" | "server_error" | "slow_down" | "too_many_requests"
        )
    }

    /// An error that came as text: in the address of a page (RFC 6749 §4.1.2.1).
    pub(super) fn told(error: &str, description: &str) -> Self {
        Self {
            error: error.to_owned(),
            suberror: None,
            numbers: aadsts_number(description).into_iter().collect(),
            description: description.to_owned(),
        }
    }

    fn number(&self) -> Option<u32> {
        let known = self
            .numbers
            .iter()
            .copied()
            .find(|number| aadsts::explain(*number).is_some());
        known.or_else(|| self.numbers.first().copied())
    }

    fn sentence(&self, redactor: &Redactor) -> String {
        let mut words = code(&self.error, redactor);
        let suberror = self.suberror.as_deref().map(|text| code(text, redactor));
        if let Some(suberror) = suberror.filter(|text| !text.is_empty()) {
            words = format!("{words} ({suberror})");
        }
        let number = self.number();
        if let Some(number) = number {
            words = format!("{words}, AADSTS{number}");
        }
        match number.and_then(aadsts::explain) {
            Some(meaning) => format!("{words}: {}. {}", meaning.what, meaning.remedy),
            None => match phrase::explain(&self.description) {
                Some(phrase) => format!("{words}: {}. {}", phrase.what, phrase.remedy),
                None => self.in_its_own_words(words, redactor),
            },
        }
    }

    fn in_its_own_words(&self, mut words: String, redactor: &Redactor) -> String {
        let quote = quote(&self.description, redactor);
        if !quote.is_empty() {
            words = format!("{words}: {}", quote.trim_end_matches('.'));
        }
        let suberror = self.suberror.as_deref();
        match suberror.and_then(advice).or_else(|| advice(&self.error)) {
            Some(advice) => format!("{words}. {advice}"),
            None => words,
        }
    }
}

impl Denial {
    /// Whether nobody else has to do anything about it.
    pub(super) const fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// The reason as the end of a sentence, followed by its remedy where one is known.
    pub(super) fn sentence(&self, redactor: &Redactor) -> String {
        let sentence = match self {
            Self::Silent(silence) => silence.to_string(),
            Self::Unusable(why) | Self::Here(why) => why.clone(),
            Self::Refused(error) => error.sentence(redactor),
        };
        redactor.redact(&sentence).into_owned()
    }
}

/// What each error of RFC 6749 §5.2 and its kin asks for. The error decides; numbers and texts only explain.
fn advice(error: &str) -> Option<&'static str> {
    Some(match error {
        "invalid_client" => {
            "Check client_id, its secret, certificate or assertion, and which way of proving itself the client is \
             registered with; for a secret `client_auth: post` or `basic` of the identity says how it is sent."
        }
        "invalid_grant" => {
            "Check what was presented (password, code, refresh or other token), and that nothing else is asked of the account."
        }
        // The last four are Entra's suberrors.
        "mfa_required"
        | "interaction_required"
        | "login_required"
        | "basic_action"
        | "additional_action"
        | "message_only"
        | "device_authentication_failed" => {
            "A human is needed to sign in so; use client credentials, or exempt the test account."
        }
        "user_password_expired" => "Set a new password, and let those of test accounts not expire.",
        "bad_token" | "token_expired" => "Sign in again and store the new grant.",
        "consent_required" => {
            "Grant admin consent to the client app, or let the user sign in once and accept."
        }
        "invalid_scope" | "invalid_resource" | "invalid_target" => {
            "Check the scope and the resource."
        }
        // Keycloak says so, too, when the secret is wrong.
        "unauthorized_client" => {
            "Check client_id and client_secret, and that the client may use this grant."
        }
        "unsupported_grant_type" => {
            "Allow this grant at the provider, or sign in by another method."
        }
        "access_denied" => {
            "Accept on the provider's page, or allow this client and grant in its policy."
        }
        "authorization_declined" => "The person declined; sign in again and accept.",
        "expired_token" => "The code was not entered in time; sign in again.",
        "bad_verification_code" => "Sign in again with a fresh code.",
        "invalid_request" => "Check the extra parameters of the token request.",
        "temporarily_unavailable" | "server_error" | "too_many_requests" => "Try again later.",
        _ => return None,
    })
}

/// Letters, digits and what else codes are made of; a hostile provider writes anything. Redacted before it is thinned out and
/// cut, after which a secret is recognised no more.
fn code(text: &str, redactor: &Redactor) -> String {
    redactor
        .redact(text)
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'))
        .take(CODE)
        .collect()
}

fn listed_numbers(answer: &Value) -> Vec<u32> {
    let listed = answer.get("error_codes").and_then(Value::as_array);
    listed
        .into_iter()
        .flatten()
        .take(8)
        .filter_map(|number| u32::try_from(number.as_u64()?).ok())
        .collect()
}

/// The first AADSTS number in a text.
pub(super) fn aadsts_number(description: &str) -> Option<u32> {
    let (_, after) = description.split_once("AADSTS")?;
    let digits = after
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(after.len());
    after[..digits].parse().ok()
}

/// Redacted before it is cut: a secret that is cut in two is recognised no more.
fn quote(description: &str, redactor: &Redactor) -> String {
    let redacted = redactor.redact(description);
    let line = redacted.lines().next().unwrap_or_default();
    line.chars()
        .filter(|char| !char.is_control())
        .take(QUOTED)
        .collect::<String>()
        .trim()
        .to_owned()
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("the identity provider gave no token")
    }
}

impl std::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn sentence(body: &str) -> String {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("c4nary-secret".to_owned()));
        Denial::Refused(OauthError::read(body.as_bytes()).unwrap()).sentence(&redactor)
    }

    #[test]
    fn errors_become_sentences() {
        let long = format!(
            r#"{{"error":"x","error_description":"{}c4nary-secret"}}"#,
            "y".repeat(295)
        );
        let cut = format!("x: {}[reda", "y".repeat(295));
        let cases = [
            (
                r#"{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: x\r\nTrace ID: y"}"#,
                "invalid_client, AADSTS7000215: wrong client secret. Use the secret's value, not its id.",
            ),
            (
                r#"{"error":"invalid_grant","suberror":"consent_required","error_description":"AADSTS65001: The user"}"#,
                "invalid_grant (consent_required), AADSTS65001: nobody has consented to this client using the API. \
                 Grant admin consent, or authorize the client on the API in advance.",
            ),
            (
                r#"{"error":"odd","error_codes":[1],"error_description":"AADSTS1: echo c4nary-secret.\nmore"}"#,
                "odd, AADSTS1: AADSTS1: echo [redacted]",
            ),
            (
                r#"{"error":"invalid_grant","error_description":"Something else is the matter"}"#,
                "invalid_grant: Something else is the matter. \
                 Check what was presented (password, code, refresh or other token), and that nothing else is asked of the account.",
            ),
            (
                r#"{"error":"invalid_grant","error_description":"Account is not fully set up"}"#,
                "invalid_grant: the account has something to do first. \
                 Clear the user's required actions in Keycloak, such as a new password or a profile.",
            ),
            (
                r#"{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}"#,
                "unauthorized_client: wrong client id or client secret. \
                 Check client_id and client_secret, and that client_auth is what the client is registered with.",
            ),
            (
                r#"{"error":"a\u001b[31m b","error_description":"x\u001by"}"#,
                "a31mb: xy",
            ),
            (&long, &cut),
        ];
        for (body, expected) in cases {
            assert_eq!(sentence(body), expected, "{body}");
        }
    }

    #[test]
    fn a_number_explains_and_decides_nothing() {
        let read = |body: &str| OauthError::read(body.as_bytes()).unwrap();
        for number in [7_000_215, 50_126, 90_055, 70_016, 65_001] {
            let with = |error: &str| {
                read(&format!(
                    r#"{{"error":"{error}","error_codes":[{number}],"error_description":"AADSTS{number}: x"}}"#
                ))
            };
            assert!(with("temporarily_unavailable").is_temporary(), "{number}");
            assert!(!with("invalid_grant").is_temporary(), "{number}");
            assert!(with("authorization_pending").is("authorization_pending"));
            assert!(!with("invalid_grant").is("authorization_pending"));
        }
    }

    #[test]
    fn a_suberror_says_more_than_its_error() {
        let table = [
            ("consent_required", "Grant admin consent"),
            ("basic_action", "A human is needed"),
            ("user_password_expired", "Set a new password"),
            ("bad_token", "Sign in again"),
            ("unheard_of", "Check what was presented"),
        ];
        for (suberror, advice) in table {
            let said = sentence(&format!(
                r#"{{"error":"invalid_grant","suberror":"{suberror}","error_description":"x"}}"#
            ));
            let expected = format!("invalid_grant ({suberror}): x. {advice}");
            assert!(said.starts_with(&expected), "{said}");
        }
    }

    #[test]
    fn what_is_no_oauth_error_is_not_read_as_one() {
        for body in [
            "",
            "<html>",
            r#""token""#,
            r#"{"error":{"code":"x"}}"#,
            r#"{"message":"x"}"#,
        ] {
            assert_eq!(OauthError::read(body.as_bytes()), None, "{body}");
        }
    }
}
