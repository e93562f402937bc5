//! A JWS in compact form in, its parts and whether a key made its signature out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

/// A JWS that was taken apart, whose signature nothing has verified yet.
pub(crate) struct Jws<'a> {
    head: Value,
    claims: Value,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Jws<'a> {
    /// Takes three parts, of which the first two are JSON in base64url; nothing else has a meaning here.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        Some(Self {
            head: part(head)?,
            claims: part(claims)?,
            signed,
            signature,
        })
    }

    /// Returns a header parameter that is text.
    pub(crate) fn head(&self, name: &str) -> Option<&str> {
        self.head.get(name)?.as_str()
    }

    /// Returns a claim that is text, else nothing at all.
    pub(crate) fn claim(&self, name: &str) -> &str {
        self.claims
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Tells whether a claim is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.claims.get(name).is_some()
    }

    /// Tells whether a claim is a list that holds `value`.
    pub(crate) fn lists(&self, name: &str, value: &str) -> bool {
        let list = self.claims.get(name).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|one| one == value))
    }

    /// Tells whether `now`, in seconds of the Unix clock, is within `nbf` and `exp`, with `skew` seconds on both sides.
    pub(crate) fn is_in_force(&self, now: i64, skew: i64) -> bool {
        let second = |name: &str| self.claims.get(name).and_then(Value::as_i64);
        let begun = second("nbf").is_none_or(|begin| begin <= now.saturating_add(skew));
        begun && second("exp").is_some_and(|end| now < end.saturating_add(skew))
    }

    /// Tells whether `key` made the signature by one of `algorithms`, of which the header must name one.
    pub(crate) fn is_by(&self, key: &DecodingKey, algorithms: &[Algorithm]) -> bool {
        let named = self.head("alg").and_then(|name| name.parse().ok());
        named.is_some_and(|algorithm| {
            algorithms.contains(&algorithm)
                && crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm)
                    .unwrap_or(false)
        })
    }
}

fn part(encoded: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
