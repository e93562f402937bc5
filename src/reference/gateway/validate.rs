//! A bearer token in, its claims out if it was issued for this API and is in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::issuer::{Claims, Issuer, Trusted, part};
use crate::reference::fault::{Fault, Faults};
use crate::reference::idp::{SigningKey, now};

/// How many verified tokens are remembered before all are forgotten.
const MOST_TOKENS: usize = 1024;

/// The `validate-jwt` policy.
pub(super) struct Validator {
    faults: Faults,
    issuers: Vec<Issuer>,
    /// Signatures cost more than everything else in a request, and personas come back with the same token.
    read: Mutex<HashMap<String, Arc<Read>>>,
}

/// A token that was read, with the place of its issuer among those that are trusted.
struct Read {
    issuer: usize,
    claims: Arc<Claims>,
}

impl Validator {
    /// Takes the key of the identity provider, its v1 and v2 issuer, the API's identifier URI and bare id, and another
    /// provider that is trusted besides.
    pub(super) fn new(
        key: &'static SigningKey,
        issuers: [String; 2],
        audiences: [String; 2],
        trusted: Option<Trusted>,
        faults: Faults,
    ) -> Self {
        let [v1, v2] = issuers;
        let names = if faults.contains(Fault::OneIssuer) {
            vec![v2]
        } else {
            vec![v1, v2]
        };
        let [uri, id] = audiences;
        let audiences = if faults.contains(Fault::V2Audience) {
            vec![uri]
        } else {
            vec![uri, id]
        };
        let own = Issuer::own(key, names, audiences);
        let issuers = [own].into_iter();
        Self {
            issuers: issuers.chain(trusted.map(Trusted::into_issuer)).collect(),
            faults,
            read: Mutex::default(),
        }
    }

    /// Returns the claims of a token whose signature, audience, issuer and lifetime are right.
    pub(super) fn validate(&self, token: &str) -> Option<Arc<Claims>> {
        self.validate_at(token, now())
    }

    fn validate_at(&self, token: &str, now: i64) -> Option<Arc<Claims>> {
        let read = self.read(token)?;
        let holds = self.audience_is_listed(&read) && self.is_in_force(&read.claims, now);
        holds.then(|| Arc::clone(&read.claims))
    }

    /// Each provider has audiences of its own: a token of one for the other's is for somebody else.
    fn audience_is_listed(&self, read: &Read) -> bool {
        self.faults.contains(Fault::NoAudienceCheck)
            || self.issuers[read.issuer].addresses(&read.claims)
    }

    /// The clock skew of the policy is zero unless it is set.
    fn is_in_force(&self, claims: &Claims, now: i64) -> bool {
        claims.has_begun(now)
            && (self.faults.contains(Fault::NoExpiryCheck) || !claims.is_over(now))
    }

    /// The issuer that a token names says whose keys must have signed it.
    fn read(&self, token: &str) -> Option<Arc<Read>> {
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known.get(token) {
            return Some(Arc::clone(read));
        }
        let claims: Value = part(token.split('.').nth(1)?)?;
        let mut issuers = self.issuers.iter();
        let place = issuers.position(|issuer| issuer.is_named_by(&claims))?;
        let issuer = &self.issuers[place];
        if !self.faults.contains(Fault::NoSignatureCheck) && !issuer.signed(token) {
            return None;
        }
        let read = Arc::new(Read {
            issuer: place,
            claims: Arc::new(issuer.read(&claims)?),
        });
        if known.len() >= MOST_TOKENS {
            known.clear();
        }
        known.insert(token.to_owned(), Arc::clone(&read));
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PSS_SHA256,
    };
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::reference::idp::signing_key;

    fn validator(faults: &[Fault]) -> Validator {
        let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        Validator::new(
            signing_key(),
            pair("v1", "v2"),
            pair("api://id", "id"),
            None,
            Faults::new(faults),
        )
    }

    const ELSEWHERE: &str = "https://elsewhere.example/realms/r";

    /// One that trusts another provider besides, of which it knows these keys.
    fn trusting(keys: &Value, faults: &[Fault]) -> Validator {
        let pair = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let audiences = vec!["catalog".to_owned(), "catalog-2".to_owned()];
        let trusted = Trusted::new(
            ELSEWHERE.to_owned(),
            audiences,
            "/access/roles".to_owned(),
            keys,
        );
        Validator::new(
            signing_key(),
            pair("v1", "v2"),
            pair("api://id", "id"),
            Some(trusted.unwrap()),
            Faults::new(faults),
        )
    }

    /// What the other provider says, but for one claim.
    fn elsewhere(claim: &str, value: &Value) -> Value {
        let mut claims = json!({
            "aud": "catalog", "iss": ELSEWHERE, "exp": now() + 60, "access": {"roles": ["Products.Read"]},
        });
        claims[claim] = value.clone();
        claims
    }

    fn roles(validator: &Validator, token: &str) -> Option<Vec<String>> {
        validator.validate(token)?.roles.clone()
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

    #[test]
    fn another_provider_s_tokens_are_checked_like_its_own() {
        let key = SigningKey::generate();
        let both = json!({"keys": [key.document(None)["keys"][0], {"kty": "oct", "kid": "o", "k": "c2VjcmV0"}]});
        let lists = json!(["account", "catalog-2"]);
        let table = [
            ("the plain one", "sub", json!("ann"), None, true),
            ("a list of audiences", "aud", lists, None, true),
            ("no roles", "access", json!({}), None, true),
            (
                "roles as words",
                "access",
                json!({"roles": "Products.Read x"}),
                None,
                true,
            ),
            (
                "roles of another kind",
                "access",
                json!({"roles": 7}),
                None,
                false,
            ),
            (
                "a role of another kind",
                "access",
                json!({"roles": ["Products.Read", 7]}),
                None,
                false,
            ),
            (
                "another issuer",
                "iss",
                json!("https://elsewhere.example/realms/R"),
                None,
                false,
            ),
            (
                "a slash more",
                "iss",
                json!(format!("{ELSEWHERE}/")),
                None,
                false,
            ),
            (
                "the own issuer",
                "iss",
                json!("v1"),
                Some(Fault::NoSignatureCheck),
                false,
            ),
            ("no issuer", "iss", Value::Null, None, false),
            (
                "another audience",
                "aud",
                json!("account"),
                Some(Fault::NoAudienceCheck),
                false,
            ),
            (
                "the own audience",
                "aud",
                json!("api://id"),
                Some(Fault::NoAudienceCheck),
                false,
            ),
            ("no audience", "aud", Value::Null, None, false),
            (
                "run out",
                "exp",
                json!(now()),
                Some(Fault::NoExpiryCheck),
                false,
            ),
            ("without end", "exp", Value::Null, None, false),
            ("not yet", "nbf", json!(now() + 60), None, false),
        ];
        for (what, claim, value, opened_by, passes) in table {
            let mut claims = elsewhere(claim, &value);
            if what == "the own issuer" {
                claims["aud"] = json!("id");
            }
            let token = key.sign(&claims);
            let lets = |faults: &[Fault]| trusting(&both, faults).validate(&token).is_some();
            assert_eq!(lets(&[]), passes, "{what}");
            for fault in [
                Fault::NoAudienceCheck,
                Fault::NoExpiryCheck,
                Fault::NoSignatureCheck,
            ] {
                assert_eq!(
                    lets(&[fault]),
                    passes || opened_by == Some(fault),
                    "{what}: {fault}"
                );
            }
            assert!(
                validator(&[]).validate(&token).is_none(),
                "{what}: nobody trusts it"
            );
        }
    }

    #[test]
    fn another_provider_s_roles_are_read_where_it_puts_them() {
        let key = SigningKey::generate();
        let gate = trusting(&key.document(None), &[]);
        let at = |value: Value| roles(&gate, &key.sign(&elsewhere("access", &value)));
        let two = vec!["Products.Read".to_owned(), "x".to_owned()];
        assert_eq!(
            at(json!({"roles": ["Products.Read", "x"]})),
            Some(two.clone())
        );
        assert_eq!(at(json!({"roles": "Products.Read x"})), Some(two));
        assert_eq!(at(json!({"role": ["Products.Read"]})), None);
        let mut claims = elsewhere("access", &json!({}));
        claims["roles"] = json!(["Products.Admin"]);
        assert_eq!(roles(&gate, &key.sign(&claims)), None);
        assert_eq!(
            roles(&gate, &signing_key().sign(&self::claims())),
            Some(vec!["Products.Read".to_owned()])
        );
    }

    #[test]
    fn only_the_keys_of_the_issuer_that_a_token_names_can_sign_it() {
        let key = SigningKey::generate();
        let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = curve.public_key().as_ref()[1..].to_vec();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [
            key.document(None)["keys"][0],
            {"kty": "EC", "crv": "P-256", "kid": "curve", "x": encode(&point[..32]), "y": encode(&point[32..])},
        ]});
        let claims = elsewhere("sub", &json!("ann"));
        let unsigned = |head: Value| {
            format!(
                "{}.{}",
                encode(head.to_string().as_bytes()),
                encode(claims.to_string().as_bytes())
            )
        };
        let by_curve = |head: Value| {
            let text = unsigned(head);
            let signature = curve.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
            format!("{text}.{}", encode(signature.as_ref()))
        };
        let by_key = |head: Value| {
            let text = unsigned(head);
            format!("{text}.{}", encode(&key.signature(text.as_bytes())))
        };
        let pair = rsa::KeyPair::from_pkcs8(key.private_der().as_ref()).unwrap();
        let by_pss = |id: &str| {
            let text = unsigned(json!({"alg": "PS256", "kid": id}));
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
            format!("{text}.{}", encode(&signature))
        };
        let id = key.id();
        let table = [
            (key.sign(&claims), true),
            (by_curve(json!({"alg": "ES256", "kid": "curve"})), true),
            (by_pss(id), true),
            (by_pss("curve"), false),
            (by_curve(json!({"alg": "ES256", "kid": id})), false),
            (by_curve(json!({"alg": "RS256", "kid": "curve"})), false),
            (by_key(json!({"alg": "RS256"})), false),
            (by_key(json!({"alg": "RS256", "kid": "curve"})), false),
            (by_key(json!({"alg": "PS256", "kid": id})), false),
            (by_key(json!({"alg": "HS256", "kid": id})), false),
            (
                by_key(json!({"alg": "RS256", "kid": id, "crit": ["b64"], "b64": false})),
                false,
            ),
            (
                format!("{}.", unsigned(json!({"alg": "none", "kid": id}))),
                false,
            ),
            (SigningKey::generate().sign(&claims), false),
            (signing_key().sign(&claims), false),
        ];
        let gate = trusting(&keys, &[]);
        for (token, passes) in table {
            assert_eq!(gate.validate(&token).is_some(), passes, "{token}");
        }
        let own = key.sign(&self::claims());
        assert!(
            gate.validate(&own).is_none(),
            "its key signs for nobody else"
        );
    }

    #[test]
    fn a_provider_whose_tokens_can_never_be_valid_is_refused() {
        let key = SigningKey::generate();
        let with = |name: &str, value: &str| {
            let mut key = key.document(None)["keys"][0].clone();
            key[name] = json!(value);
            json!({"keys": [key]})
        };
        let refused = |audience: &[&str], roles: &str, keys: &Value| {
            let audiences = audience.iter().map(|one| (*one).to_owned()).collect();
            Trusted::new(ELSEWHERE.to_owned(), audiences, roles.to_owned(), keys).is_err()
        };
        let good = key.document(None);
        assert!(!refused(&["a"], "/roles", &good));
        assert!(!refused(&["a"], "/roles", &with("alg", "PS256")));
        assert!(refused(&[], "/roles", &good));
        assert!(refused(&["a"], "roles", &good));
        for keys in [
            with("use", "enc"),
            with("alg", "RSA-OAEP"),
            with("alg", "RS512"),
            with("kty", "unheard-of"),
            json!({"keys": []}),
            json!({"keys": {}}),
            json!([]),
        ] {
            assert!(refused(&["a"], "/roles", &keys), "{keys}");
        }
    }
}
