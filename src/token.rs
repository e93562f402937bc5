//! Persona in, credential out: sign-in methods, claims, preflight. The only room that names oauth2.

pub mod aadsts;
pub mod claims;
pub mod preflight;

use std::time::Duration;

use http::HeaderValue;

use crate::scenario::Persona;
use crate::secret::Redactor;
use crate::wire::Wire;
use claims::Claims;

/// Issues credentials: one acquisition a persona, shared by all that wait for it.
#[derive(Debug)]
pub struct Desk {}

/// What a persona presents.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The `Authorization` value, marked sensitive; `None` for a persona that does not sign in.
    pub authorization: Option<HeaderValue>,
    /// Claims of the token; `None` when it is opaque or there is none.
    pub claims: Option<Claims>,
    /// First 8 hex digits of the token's SHA-256; empty when there is none.
    pub fingerprint: String,
    /// Issuers that the provider's discovery documents name; empty when the issuer is not to be compared.
    pub issuers: Vec<String>,
    /// How long the acquisition took.
    pub took: Duration,
}

/// Why a persona has no token, in one redacted sentence with its remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal(pub String);

impl Desk {
    /// Opens a desk for these personas; every token acquired is taught to the redactor.
    pub fn new(_personas: &[Persona], _wire: &Wire, _redactor: &std::sync::Arc<Redactor>) -> Self {
        Self {}
    }

    /// The credential of the persona with that index; acquired at the first call, shared after.
    ///
    /// # Errors
    /// Why there is none; the same for everyone who asks.
    pub async fn issue(&self, _persona: usize) -> Result<Credential, Refusal> {
        Err(Refusal(String::new()))
    }
}
