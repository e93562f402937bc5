//! Nothing in, the process's key pairs and their public halves out.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};

use crate::reference::chance;

/// An RSA key pair of 2048 bits under a key id.
pub(crate) struct SigningKey {
    pair: KeyPair,
    id: String,
}

/// Returns the provider's key; every deployment of the process shares it, because making one takes longer than a
/// whole run.
pub(crate) fn signing_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(SigningKey::generate)
}

/// Returns the key of the outside issuer, which is made when it is first asked for.
pub(crate) fn workload_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(SigningKey::generate)
}

impl SigningKey {
    /// Returns a new key under a new key id.
    pub(crate) fn generate() -> Self {
        Self {
            pair: KeyPair::generate(KeySize::Rsa2048)
                .expect("2048 bits is a size that the library makes"),
            id: URL_SAFE_NO_PAD.encode(chance::bytes::<20>()),
        }
    }

    /// Returns `claims` as a JWS in compact form (RFC 7515 section 3.1), signed with RS256.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let head = json!({"typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&head), encode(claims));
        let signature = self.signature(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns the RSASSA-PKCS1-v1_5 signature with SHA-256 over `bytes`.
    pub(crate) fn signature(&self, bytes: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                bytes,
                &mut signature,
            )
            .expect("the buffer is as long as the modulus");
        signature
    }

    /// Returns the private half as PKCS #8 in DER (RFC 5208).
    pub(crate) fn private_der(&self) -> Pkcs8V1Der<'static> {
        self.pair
            .as_der()
            .expect("a key that was made can be written")
    }

    /// Returns the public half as `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1).
    pub(crate) fn public_der(&self) -> PublicKeyX509Der<'static> {
        let public = self.pair.public_key();
        public.as_der().expect("a key that was made can be written")
    }

    /// Returns the `kid` that tokens name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the public half in the form that the gateway verifies with.
    pub(crate) fn verifier(&self) -> DecodingKey {
        DecodingKey::from_rsa_raw_components(self.modulus(), self.exponent())
    }

    /// Returns the key set document (RFC 7517 section 5); Entra adds `issuer` to the keys of its v2 document.
    pub(crate) fn document(&self, issuer: Option<&str>) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = json!({
            "kty": "RSA", "use": "sig", "kid": self.id, "x5t": self.id,
            "n": encode(self.modulus()), "e": encode(self.exponent()),
        });
        if let Some(issuer) = issuer {
            key["issuer"] = json!(issuer);
        }
        json!({"keys": [key]})
    }

    fn modulus(&self) -> &[u8] {
        self.pair
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
    }

    fn exponent(&self) -> &[u8] {
        self.pair
            .public_key()
            .exponent()
            .big_endian_without_leading_zero()
    }
}
