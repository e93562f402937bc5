//! An identity provider of the personas in, what it says of itself out, for whoever examines the way to it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::discovery::{self, Guide};
use crate::scenario::Provider;
use crate::secret::Redactor;
use crate::wire::Wire;

/// One identity provider; what it was asked once is not asked again.
#[derive(Clone)]
pub struct Authority {
    guide: Arc<Guide>,
    wire: Wire,
    redactor: Arc<Redactor>,
}

/// What a provider's discovery documents say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovered {
    /// Issuers that its tokens may name.
    pub issuers: Vec<String>,
    /// Seconds by which its clock is ahead of this machine's; `None` when it sent no date, or no document was read.
    pub skew: Option<i64>,
    /// Whether a document says where its keys are.
    pub names_keys: bool,
    /// Whether the token endpoint comes from the scenario alone, so that no document was read.
    pub by_hand: bool,
}

/// The JWK set (RFC 7517 §5) of an issuer that no scenario names, for whoever verifies its tokens.
///
/// # Errors
/// Why there is none that can be trusted, in one sentence with its remedy.
pub async fn published_keys(issuer: &str, wire: &Wire) -> Result<Value, String> {
    discovery::published(issuer, wire).await
}

impl Authority {
    pub(super) fn new(guide: Arc<Guide>, wire: &Wire, redactor: &Arc<Redactor>) -> Self {
        Self {
            guide,
            wire: wire.clone(),
            redactor: Arc::clone(redactor),
        }
    }

    pub(super) fn leads_to(&self, guide: &Guide) -> bool {
        self.guide.is_beside(guide)
    }

    /// Absolute URL of the provider.
    pub fn address(&self) -> &str {
        self.guide.address()
    }

    /// Its discovery documents, read and trusted.
    ///
    /// # Errors
    /// Why they are not, in one redacted sentence with its remedy.
    pub async fn discover(&self) -> Result<Discovered, String> {
        let found = self.guide.find(&self.wire).await;
        let found = found.map_err(|why| self.redactor.redact(&why).into_owned())?;
        Ok(Discovered {
            issuers: found.issuers,
            skew: found.skew,
            names_keys: !found.key_sets.is_empty(),
            by_hand: self.is_by_hand(),
        })
    }

    /// How many keys it publishes that can verify a signature.
    ///
    /// # Errors
    /// Why there are none, in one redacted sentence.
    pub async fn keys(&self) -> Result<usize, String> {
        let keys = self.guide.keys(None, &self.wire).await;
        keys.map(|keys| keys.len())
            .map_err(|why| self.redactor.redact(&why).into_owned())
    }

    fn is_by_hand(&self) -> bool {
        match self.guide.provider() {
            Provider::Entra { .. } => false,
            Provider::Oidc { token_endpoint, .. } => token_endpoint.is_some(),
            Provider::Endpoints { .. } => true,
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.address()).finish()
    }
}
