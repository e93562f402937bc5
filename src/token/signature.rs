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
