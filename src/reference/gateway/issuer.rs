//! What is known of an identity provider in, which tokens are its own and what they claim out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use crate::reference::idp::SigningKey;

/// The claims that policies read.
#[derive(Debug)]
pub(super) struct Claims {
    audiences: Vec<String>,
    begins: i64,
    ends: i64,
    /// Whom the token is about, among all issuers.
    pub(super) subject: String,
    /// The app roles; none when the token has no such claim.
    pub(super) roles: Option<Vec<String>>,
}

/// A provider whose tokens the gateway takes.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    names: Vec<String>,
    audiences: Vec<String>,
    keys: Vec<Key>,
    /// Where its tokens hold the roles.
    roles: String,
}

/// Another `OpenID` provider, whose tokens the gateway takes beside those of its own.
#[derive(Clone, Debug)]
pub struct Trusted(Issuer);

/// A public key with the algorithms that it may have signed by.
#[derive(Clone, Debug)]
struct Key {
    id: String,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

/// The header (RFC 7515 section 4.1).
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: String,
    /// Extensions that whoever does not know them must refuse; none is known here.
    crit: Option<Value>,
}

impl Trusted {
    /// Takes an issuer as its tokens spell it, the audiences that the API has there, the JSON Pointer (RFC 6901) of the
    /// roles, which are a list or a text of words, and the issuer's JWK set (RFC 7517 section 5).
    ///
    /// # Errors
    /// Why no token of such a provider could ever be valid.
    pub fn new(
        issuer: String,
        audiences: Vec<String>,
        roles: String,
        keys: &Value,
    ) -> Result<Self, String> {
        if audiences.is_empty() {
            return Err("no audience of its tokens is stated".to_owned());
        }
        if !roles.starts_with('/') {
            return Err("the roles' JSON Pointer does not begin with a slash".to_owned());
        }
        let listed = keys.get("keys").and_then(Value::as_array);
        let keys: Vec<Key> = listed.into_iter().flatten().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(
                "it publishes no key with an id for RS256, PS256 or ES256, so no token of it could be verified"
                    .to_owned(),
            );
        }
        Ok(Self(Issuer {
            names: vec![issuer],
            audiences,
            keys,
            roles,
        }))
    }

    /// Returns the issuer as its tokens spell it.
    pub(super) fn name(&self) -> &str {
        &self.0.names[0]
    }

    pub(super) fn into_issuer(self) -> Issuer {
        self.0
    }
}

impl Issuer {
    /// The deployment's own provider: one key, RS256 alone, and the roles where Entra puts them.
    pub(super) fn own(key: &SigningKey, names: Vec<String>, audiences: Vec<String>) -> Self {
        Self {
            names,
            audiences,
            keys: vec![Key {
                id: key.id().to_owned(),
                algorithms: vec![Algorithm::RS256],
                public: key.verifier(),
            }],
            roles: "/roles".to_owned(),
        }
    }

    /// Tells whether it issued a token of these claims, if the token is genuine.
    pub(super) fn is_named_by(&self, claims: &Value) -> bool {
        let named = claims.get("iss").and_then(Value::as_str);
        named.is_some_and(|named| self.names.iter().any(|name| name == named))
    }

    /// Tells whether one of its keys signed the token, by an algorithm of that key and whatever else the header asks for.
    pub(super) fn signed(&self, token: &str) -> bool {
        self.verify(token).unwrap_or(false)
    }

    fn verify(&self, token: &str) -> Option<bool> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (head, payload) = signed.split_once('.')?;
        let head: Head = part(head)?;
        let algorithm = algorithm(&head.alg)?;
        if head.crit.is_some() || payload.contains('.') {
            return None;
        }
        let mut meant = self
            .keys
            .iter()
            .filter(|key| key.id == head.kid && key.algorithms.contains(&algorithm));
        let made = |key: &Key| crypto::verify(signature, signed.as_bytes(), &key.public, algorithm);
        Some(meant.any(|key| made(key).unwrap_or(false)))
    }

    /// Reads what policies look at; a claim of the wrong type makes the whole token unreadable.
    pub(super) fn read(&self, claims: &Value) -> Option<Claims> {
        let roles = claims.pointer(&self.roles).filter(|roles| !roles.is_null());
        Some(Claims {
            audiences: one_or_many(claims.get("aud")?)?,
            begins: claims.get("nbf").map_or(Some(0), Value::as_i64)?,
            ends: claims.get("exp")?.as_i64()?,
            subject: ["iss", "sub"]
                .map(|name| claims.get(name).and_then(Value::as_str).unwrap_or_default())
                .join(" "),
            roles: match roles {
                Some(roles) => Some(words(roles)?),
                None => None,
            },
        })
    }

    /// Tells whether the claims name an audience that the API has there.
    pub(super) fn addresses(&self, claims: &Claims) -> bool {
        claims
            .audiences
            .iter()
            .any(|audience| self.audiences.contains(audience))
    }
}

impl Claims {
    /// Tells whether the token is valid already.
    pub(super) fn has_begun(&self, now: i64) -> bool {
        self.begins <= now
    }

    /// Tells whether the token is not valid any more.
    pub(super) fn is_over(&self, now: i64) -> bool {
        now >= self.ends
    }
}

impl Key {
    /// A key for something else, of another kind or without an id is none (RFC 7517 sections 4.2, 4.4 and 4.5).
    fn read(document: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(document.clone()).ok()?;
        let of_kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                vec![Algorithm::ES256]
            }
            _ => return None,
        };
        let stated = jwk.common.key_algorithm;
        let mut algorithms = of_kind;
        algorithms.retain(|algorithm| stated.is_none_or(|stated| is_for(stated, *algorithm)));
        let encrypts = jwk.common.public_key_use == Some(PublicKeyUse::Encryption);
        if encrypts || algorithms.is_empty() {
            return None;
        }
        Some(Self {
            public: DecodingKey::from_jwk(&jwk).ok()?,
            id: jwk.common.key_id?,
            algorithms,
        })
    }
}

fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "PS256" => Some(Algorithm::PS256),
        "ES256" => Some(Algorithm::ES256),
        _ => None,
    }
}

fn is_for(stated: KeyAlgorithm, algorithm: Algorithm) -> bool {
    matches!(
        (stated, algorithm),
        (KeyAlgorithm::RS256, Algorithm::RS256)
            | (KeyAlgorithm::PS256, Algorithm::PS256)
            | (KeyAlgorithm::ES256, Algorithm::ES256)
    )
}

/// RFC 7519 section 4.1.3: an audience is text or a list of texts.
fn one_or_many(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        many => texts(many),
    }
}

/// Roles are a list of texts, or one text of words.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(words) => Some(words.split_whitespace().map(str::to_owned).collect()),
        list => texts(list),
    }
}

fn texts(list: &Value) -> Option<Vec<String>> {
    let texts = list.as_array()?.iter();
    texts.map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Reads a part of a JWS in compact form.
pub(super) fn part<T: for<'de> Deserialize<'de>>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
