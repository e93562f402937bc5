//! A bearer token in, its claims out if it was issued for this API and is in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;

use crate::reference::fault::{Fault, Faults};
use crate::reference::idp::{SigningKey, now};

/// How many verified tokens are remembered before all are forgotten.
const MOST_TOKENS: usize = 1024;

/// The claims that policies read.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    aud: String,
    iss: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    /// The app roles; none when the token has no such claim.
    pub(super) roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: String,
}

/// The `validate-jwt` policy.
pub(super) struct Validator {
    faults: Faults,
    key_id: &'static str,
    key: DecodingKey,
    audiences: Vec<String>,
    issuers: Vec<String>,
    /// Signatures cost more than everything else in a request, and personas come back with the same token.
    verified: Mutex<HashMap<String, Arc<Claims>>>,
}

impl Validator {
    /// Takes the key of the identity provider, its v1 and v2 issuer, and the API's identifier URI and bare id.
    pub(super) fn new(
        key: &'static SigningKey,
        issuers: [String; 2],
        audiences: [String; 2],
        faults: Faults,
    ) -> Self {
        let [v1, v2] = issuers;
        let [uri, id] = audiences;
        Self {
            key_id: key.id(),
            key: key.verifier(),
            issuers: if faults.contains(Fault::OneIssuer) {
                vec![v2]
            } else {
                vec![v1, v2]
            },
            audiences: if faults.contains(Fault::V2Audience) {
                vec![uri]
            } else {
                vec![uri, id]
            },
            faults,
            verified: Mutex::default(),
        }
    }

    /// Returns the claims of a token whose signature, audience, issuer and lifetime are right.
    pub(super) fn validate(&self, token: &str) -> Option<Arc<Claims>> {
        self.validate_at(token, now())
    }

    fn validate_at(&self, token: &str, now: i64) -> Option<Arc<Claims>> {
        let claims = self.read(token)?;
        let holds = self.audience_is_listed(&claims)
            && self.issuers.contains(&claims.iss)
            && self.is_in_force(&claims, now);
        holds.then_some(claims)
    }

    fn audience_is_listed(&self, claims: &Claims) -> bool {
        self.faults.contains(Fault::NoAudienceCheck) || self.audiences.contains(&claims.aud)
    }

    /// The clock skew of the policy is zero unless it is set.
    fn is_in_force(&self, claims: &Claims, now: i64) -> bool {
        claims.nbf <= now && (self.faults.contains(Fault::NoExpiryCheck) || now < claims.exp)
    }

    fn read(&self, token: &str) -> Option<Arc<Claims>> {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(claims) = verified.get(token) {
            return Some(Arc::clone(claims));
        }
        if !self.faults.contains(Fault::NoSignatureCheck) {
            self.verify(token)?;
        }
        let claims: Arc<Claims> = Arc::new(part(token.split('.').nth(1)?)?);
        if verified.len() >= MOST_TOKENS {
            verified.clear();
        }
        verified.insert(token.to_owned(), Arc::clone(&claims));
        Some(claims)
    }

    /// RS256 by the provider's key and by nothing else, whatever the header asks for.
    fn verify(&self, token: &str) -> Option<()> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, payload) = signed.split_once('.')?;
        let head: Head = part(head)?;
        let known = head.alg == "RS256" && head.kid == self.key_id && !payload.contains('.');
        let genuine = || crypto::verify(signature, signed.as_bytes(), &self.key, Algorithm::RS256);
        (known && genuine().unwrap_or(false)).then_some(())
    }
}

fn part<T: for<'de> Deserialize<'de>>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::reference::idp::signing_key;

    fn validator(faults: &[Fault]) -> Validator {
        let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        Validator::new(
            signing_key(),
            pair("v1", "v2"),
            pair("api://id", "id"),
            Faults::new(faults),
        )
    }

    fn claims() -> Value {
        json!({"aud": "api://id", "iss": "v1", "nbf": now(), "exp": now() + 60, "roles": ["Products.Read"]})
    }

    fn with(claim: &str, value: &Value) -> String {
        let mut claims = claims();
        claims[claim] = value.clone();
        signing_key().sign(&claims)
    }

    fn edited(token: &str, alg: &str) -> String {
        let head = json!({"alg": alg, "kid": signing_key().id(), "typ": "JWT"}).to_string();
        let signature = token.rsplit('.').next().unwrap();
        let payload =
            json!({"aud": "id", "iss": "v2", "exp": now() + 60, "roles": ["Products.Admin"]})
                .to_string();
        format!(
            "{}.{}.{signature}",
            URL_SAFE_NO_PAD.encode(head),
            URL_SAFE_NO_PAD.encode(payload)
        )
    }

    #[test]
    fn each_missing_check_lets_exactly_its_tokens_through() {
        let good = signing_key().sign(&claims());
        let table = [
            (good.clone(), None, true),
            (with("aud", &json!("id")), None, true),
            (with("iss", &json!("v2")), None, true),
            (
                with("aud", &json!("other")),
                Some(Fault::NoAudienceCheck),
                false,
            ),
            (
                with("exp", &json!(now())),
                Some(Fault::NoExpiryCheck),
                false,
            ),
            (edited(&good, "RS256"), Some(Fault::NoSignatureCheck), false),
            (edited(&good, "none"), Some(Fault::NoSignatureCheck), false),
            (edited(&good, "HS256"), Some(Fault::NoSignatureCheck), false),
        ];
        for (token, opened_by, passes) in table {
            for fault in [
                Fault::NoAudienceCheck,
                Fault::NoExpiryCheck,
                Fault::NoSignatureCheck,
            ] {
                let expected = passes || opened_by == Some(fault);
                assert_eq!(
                    validator(&[fault]).validate(&token).is_some(),
                    expected,
                    "{fault} {opened_by:?}"
                );
            }
            assert_eq!(
                validator(&[]).validate(&token).is_some(),
                passes,
                "{opened_by:?}"
            );
        }
    }

    #[test]
    fn foreign_issuers_early_tokens_and_rubbish_never_pass() {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"other"}"#);
        let good = signing_key().sign(&claims());
        let tokens = [
            with("iss", &json!("v3")),
            with("nbf", &json!(now() + 60)),
            format!("{head}.{}", good.split_once('.').unwrap().1),
            format!("{good}.x"),
            "a.b.c".to_owned(),
            String::new(),
        ];
        for token in tokens {
            assert!(validator(&[]).validate(&token).is_none(), "{token}");
        }
    }

    #[test]
    fn a_verified_token_still_runs_out() {
        let validator = validator(&[]);
        let end = now() + 60;
        let token = with("exp", &json!(end));
        assert!(validator.validate_at(&token, end - 1).is_some());
        assert!(validator.validate_at(&token, end).is_none());
    }
}
