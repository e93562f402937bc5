//! A token and its provider's keys in, whether one of them signed it out.

use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto};
use serde_json::Value;

use super::header::Header;

/// Bytes that a key set may have.
const BYTES: usize = 1 << 20;
/// Keys that a key set may have.
const KEYS: usize = 200;

/// What the provider's published keys say of a token's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Signature {
    /// A published key of the provider signed it.
    Verified,
    /// It was not checked; says why.
    NotVerified(String),
    /// No published key of the provider signed it; says how that was seen.
    Wrong(String),
}

/// A JWK set (RFC 7517 §5) as far as it can verify.
#[derive(Clone, Debug)]
pub(super) struct KeySet(Vec<Jwk>);

/// What a token's `alg` asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Demand {
    /// A public key that this file can verify with.
    PublicKey(Algorithm),
    /// No signature, or one that whoever reads the key set can make (RFC 8725 §2.1).
    Forgeable,
    /// Something else.
    Unknown,
}

impl Demand {
    /// Reads an `alg` value, letter by letter (RFC 7515 §4.1.1).
    pub(super) fn of(algorithm: &str) -> Self {
        match algorithm {
            "RS256" => Self::PublicKey(Algorithm::RS256),
            "PS256" => Self::PublicKey(Algorithm::PS256),
            "ES256" => Self::PublicKey(Algorithm::ES256),
            "" | "HS256" | "HS384" | "HS512" => Self::Forgeable,
            none if none.eq_ignore_ascii_case("none") => Self::Forgeable,
            _ => Self::Unknown,
        }
    }
}

impl KeySet {
    /// Reads a document; keys of kinds that are not known here are passed over.
    ///
    /// # Errors
    /// Why it is no key set, or too large a one.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        if body.len() > BYTES {
            return Err("its key set is larger than 1 MiB".to_owned());
        }
        let document: Value = serde_json::from_slice(body)
            .map_err(|_unparsable| "its key set is not JSON".to_owned())?;
        let Some(Value::Array(keys)) = document.get("keys") else {
            return Err("its key set has no list of keys".to_owned());
        };
        if keys.len() > KEYS {
            return Err(format!("its key set has more than {KEYS} keys"));
        }
        let known = keys
            .iter()
            .filter_map(|key| serde_json::from_value(key.clone()).ok());
        Ok(Self(known.collect()))
    }

    /// How many keys can verify.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has a key of this id.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0
            .iter()
            .any(|key| key.common.key_id.as_deref() == Some(id))
    }

    /// Tries every key that the header may mean: those of its `kid`, or all where it names none.
    pub(super) fn check(&self, token: &str, header: &Header, algorithm: Algorithm) -> Signature {
        let Some((message, signature)) = token.rsplit_once('.') else {
            return Signature::Wrong("it has no signature".to_owned());
        };
        let mut meant = self
            .0
            .iter()
            .filter(|key| is_meant(key, header, algorithm))
            .peekable();
        if meant.peek().is_none() {
            return Signature::Wrong(
                "the provider publishes no key of the id and kind that its header names".to_owned(),
            );
        }
        let signed = |key: &Jwk| {
            let key = DecodingKey::from_jwk(key).ok()?;
            crypto::verify(signature, message.as_bytes(), &key, algorithm).ok()
        };
        if meant.any(|key| signed(key) == Some(true)) {
            Signature::Verified
        } else {
            Signature::Wrong("it does not match the provider's published key".to_owned())
        }
    }
}

/// A key for encryption, of another kind, or bound to another algorithm is never tried (RFC 7517 §4.2 and §4.4).
fn is_meant(key: &Jwk, header: &Header, algorithm: Algorithm) -> bool {
    let named = header
        .key_id
        .as_ref()
        .is_none_or(|id| key.common.key_id.as_ref() == Some(id));
    let for_signatures = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let same_algorithm = key
        .common
        .key_algorithm
        .is_none_or(|stated| is_the_same(stated, algorithm));
    named && for_signatures && same_algorithm && is_of_kind(key, algorithm)
}

fn is_the_same(stated: KeyAlgorithm, algorithm: Algorithm) -> bool {
    matches!(
        (stated, algorithm),
        (KeyAlgorithm::RS256, Algorithm::RS256)
            | (KeyAlgorithm::PS256, Algorithm::PS256)
            | (KeyAlgorithm::ES256, Algorithm::ES256)
    )
}

fn is_of_kind(key: &Jwk, algorithm: Algorithm) -> bool {
    match (&key.algorithm, algorithm.family()) {
        (AlgorithmParameters::RSA(_), AlgorithmFamily::Rsa) => true,
        (AlgorithmParameters::EllipticCurve(curve), AlgorithmFamily::Ec) => {
            curve.curve == EllipticCurve::P256
        }
        _ => false,
    }
}

impl Default for Signature {
    fn default() -> Self {
        Self::NotVerified("there is no token".to_owned())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("verified"),
            Self::NotVerified(why) => write!(f, "not verified: {why}"),
            Self::Wrong(how) => write!(f, "wrong: {how}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaEncoding,
    };
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn unsigned(header: &Value) -> String {
        format!(
            "{}.{}",
            encode(header.to_string()),
            encode(r#"{"sub":"s"}"#)
        )
    }

    fn rsa_signed(pair: &KeyPair, how: &'static dyn RsaEncoding, header: &Value) -> String {
        let message = unsigned(header);
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            how,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{message}.{}", encode(signature))
    }

    fn ec_signed(pair: &EcdsaKeyPair, header: &Value) -> String {
        let message = unsigned(header);
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }

    fn rsa_key(pair: &KeyPair, id: &str) -> Value {
        let public = pair.public_key();
        json!({
            "kty": "RSA", "kid": id,
            "n": encode(public.modulus().big_endian_without_leading_zero()),
            "e": encode(public.exponent().big_endian_without_leading_zero()),
        })
    }

    fn ec_key(pair: &EcdsaKeyPair, id: &str) -> Value {
        let point = pair.public_key().as_ref()[1..].to_vec();
        json!({"kty": "EC", "crv": "P-256", "kid": id, "x": encode(&point[..32]), "y": encode(&point[32..])})
    }

    fn keys(keys: &[Value]) -> KeySet {
        KeySet::read(json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    fn checked(keys: &KeySet, token: &str) -> Signature {
        let header = Header::read(token).unwrap();
        let Demand::PublicKey(algorithm) = Demand::of(&header.algorithm) else {
            panic!("{}", header.algorithm)
        };
        keys.check(token, &header, algorithm)
    }

    fn is_wrong(keys: &KeySet, token: &str) -> bool {
        matches!(checked(keys, token), Signature::Wrong(_))
    }

    #[test]
    fn a_published_key_verifies_and_no_other_does() {
        let (own, other) = (rsa(), rsa());
        let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let set = keys(&[rsa_key(&own, "own"), ec_key(&curve, "curve")]);
        let named = |algorithm: &str, id: &str| json!({"alg": algorithm, "kid": id});
        let good = [
            rsa_signed(&own, &RSA_PKCS1_SHA256, &named("RS256", "own")),
            rsa_signed(&own, &RSA_PSS_SHA256, &named("PS256", "own")),
            rsa_signed(&own, &RSA_PKCS1_SHA256, &json!({"alg": "RS256"})),
            ec_signed(&curve, &named("ES256", "curve")),
        ];
        for token in &good {
            assert_eq!(checked(&set, token), Signature::Verified, "{token}");
        }
        let edited = good[0].replace(&encode(r#"{"sub":"s"}"#), &encode(r#"{"sub":"t"}"#));
        let bad = [
            edited,
            rsa_signed(&other, &RSA_PKCS1_SHA256, &named("RS256", "own")),
            rsa_signed(&own, &RSA_PKCS1_SHA256, &named("RS256", "elsewhere")),
            rsa_signed(&own, &RSA_PKCS1_SHA256, &named("PS256", "own")),
            rsa_signed(&own, &RSA_PKCS1_SHA256, &named("RS256", "curve")),
            ec_signed(&curve, &named("ES256", "own")),
            format!("{}.", unsigned(&named("RS256", "own"))),
            format!("{}.!", unsigned(&named("RS256", "own"))),
        ];
        for token in &bad {
            assert!(is_wrong(&set, token), "{token}");
        }
    }

    #[test]
    fn a_key_for_something_else_is_not_tried() {
        let own = rsa();
        let token = rsa_signed(
            &own,
            &RSA_PKCS1_SHA256,
            &json!({"alg": "RS256", "kid": "own"}),
        );
        let with = |name: &str, value: &str| {
            let mut key = rsa_key(&own, "own");
            key[name] = json!(value);
            keys(&[key])
        };
        for (name, value) in [("use", "enc"), ("alg", "PS256"), ("alg", "RSA-OAEP")] {
            assert!(is_wrong(&with(name, value), &token), "{name} {value}");
        }
        for (name, value) in [("use", "sig"), ("alg", "RS256"), ("use", "unheard-of")] {
            assert_eq!(
                checked(&with(name, value), &token),
                Signature::Verified,
                "{name} {value}"
            );
        }
        let twice = keys(&[rsa_key(&rsa(), "own"), rsa_key(&own, "own")]);
        assert_eq!(checked(&twice, &token), Signature::Verified);
    }

    #[test]
    fn what_anybody_could_sign_is_no_signature() {
        let table = [
            ("none", Demand::Forgeable),
            ("NONE", Demand::Forgeable),
            ("", Demand::Forgeable),
            ("HS256", Demand::Forgeable),
            ("HS512", Demand::Forgeable),
            ("RS256", Demand::PublicKey(Algorithm::RS256)),
            ("PS256", Demand::PublicKey(Algorithm::PS256)),
            ("ES256", Demand::PublicKey(Algorithm::ES256)),
            ("rs256", Demand::Unknown),
            ("ML-DSA-65", Demand::Unknown),
        ];
        for (algorithm, demand) in table {
            assert_eq!(Demand::of(algorithm), demand, "{algorithm}");
        }
    }

    #[test]
    fn a_key_set_has_its_limits() {
        let many = |count: usize| {
            let keys: Vec<Value> = (0..count)
                .map(|id| json!({"kty": "oct", "k": "c2VjcmV0", "kid": id.to_string()}))
                .collect();
            json!({"keys": keys}).to_string()
        };
        assert_eq!(KeySet::read(many(KEYS).as_bytes()).unwrap().len(), KEYS);
        assert!(KeySet::read(many(KEYS + 1).as_bytes()).is_err());
        assert!(KeySet::read(&vec![b' '; BYTES + 1]).is_err());
        for body in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(KeySet::read(body.as_bytes()).is_err(), "{body}");
        }
        let odd = r#"{"keys":[1,{"kty":7},{"kty":"new","kid":"n"}]}"#;
        let odd = KeySet::read(odd.as_bytes()).unwrap();
        let token = format!("{}.c2ln", unsigned(&json!({"alg": "RS256", "kid": "n"})));
        assert!(is_wrong(&odd, &token));
    }

    fn rsa() -> KeyPair {
        KeyPair::generate(KeySize::Rsa2048).unwrap()
    }
}
