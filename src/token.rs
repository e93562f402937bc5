//! Persona in, credential out: sign-in methods, claims, preflight. The only room that names oauth2.

pub mod aadsts;
pub mod claims;
mod denial;
mod discovery;
mod grant;
pub mod preflight;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use url::form_urlencoded;

use crate::scenario::{ClientAuth, Persona, SignIn};
use crate::secret::{Redactor, Secret};
use crate::wire::Wire;
use claims::Claims;
use denial::Denial;
use discovery::{Found, Guide};

/// Issues credentials: one acquisition a persona, shared by all that wait for it. Clones are the same desk.
#[derive(Clone, Debug)]
pub struct Desk {
    windows: Arc<[Window]>,
    wire: Wire,
    redactor: Arc<Redactor>,
}

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
    /// How long the acquisition took, discovery included.
    pub took: Duration,
}

/// Why a persona has no token, in one redacted sentence with its remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal(pub String);

/// One persona's place at the desk.
#[derive(Debug)]
struct Window {
    persona: Persona,
    guide: Option<Arc<Guide>>,
    issued: OnceCell<Result<Credential, Refusal>>,
}

impl Desk {
    /// Opens a desk for these personas. Their secrets and every token acquired are taught to the redactor.
    pub fn new(personas: &[Persona], wire: &Wire, redactor: &Arc<Redactor>) -> Self {
        let mut guides = Vec::new();
        let windows = personas.iter().map(|persona| {
            teach(persona, redactor);
            Window { persona: persona.clone(), guide: guide(persona, &mut guides), issued: OnceCell::new() }
        });
        Self { windows: windows.collect(), wire: wire.clone(), redactor: Arc::clone(redactor) }
    }

    /// The credential of the persona with that index; acquired at the first call, shared after. Nothing is tried a second time.
    ///
    /// # Errors
    /// Why there is none; the same for everyone who asks.
    pub async fn issue(&self, persona: usize) -> Result<Credential, Refusal> {
        let window = self.windows.get(persona).ok_or_else(|| Refusal("there is no such persona".to_owned()))?;
        window.issued.get_or_init(|| Box::pin(self.acquire(window))).await.clone()
    }

    async fn acquire(&self, window: &Window) -> Result<Credential, Refusal> {
        if matches!(window.persona.sign_in, SignIn::None) {
            return Ok(Credential::none());
        }
        let name = &window.persona.name;
        let guide = window.guide.as_ref().ok_or_else(|| Refusal(format!("{name} has no identity provider to sign in at")))?;
        let begun = Instant::now();
        let refused = |why: String| {
            let sentence = format!("{name} could not sign in at {}: {why}", guide.host());
            Refusal(self.redactor.redact(&sentence).into_owned())
        };
        let found = guide.find(&self.wire).await.map_err(refused)?;
        let credential = self.sign_in(&window.persona, &found).await;
        let credential = credential.map_err(|denial| refused(denial.sentence(&self.redactor)))?;
        Ok(Credential { issuers: found.issuers, took: begun.elapsed(), ..credential })
    }

    async fn sign_in(&self, persona: &Persona, found: &Found) -> Result<Credential, Denial> {
        let Some(identity) = &persona.identity else {
            return Err(Denial::Unusable("no identity provider is stated".to_owned()));
        };
        let token = grant::acquire(&persona.sign_in, identity, &found.token_endpoint, &self.wire).await?;
        self.redactor.learn(&token);
        Credential::of(&token)
    }
}

impl Credential {
    fn none() -> Self {
        Self {
            authorization: None,
            claims: None,
            fingerprint: String::new(),
            issuers: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// A bearer credential (RFC 6750 §2.1).
    fn of(token: &Secret) -> Result<Self, Denial> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_unsendable| Denial::Unusable("the token has characters that no header can carry".to_owned()))?;
        authorization.set_sensitive(true);
        let digest = Sha256::digest(token.expose());
        let fingerprint = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let claims = Claims::read(token.expose());
        Ok(Self { authorization: Some(authorization), claims, fingerprint, ..Self::none() })
    }
}

/// Personas of one provider share its discovery documents.
fn guide(persona: &Persona, guides: &mut Vec<Arc<Guide>>) -> Option<Arc<Guide>> {
    let provider = &persona.identity.as_ref()?.provider;
    if let Some(guide) = guides.iter().find(|guide| guide.knows(provider)) {
        return Some(Arc::clone(guide));
    }
    guides.push(Arc::new(Guide::new(provider.clone())));
    guides.last().cloned()
}

fn teach(persona: &Persona, redactor: &Redactor) {
    let secrets: [Option<&Secret>; 2] = match &persona.sign_in {
        SignIn::None => [None, None],
        SignIn::ClientCredentials { client_secret, .. } => [Some(client_secret), None],
        SignIn::Password { client_secret, password, .. } => [client_secret.as_ref(), Some(password)],
    };
    let basic = persona.identity.as_ref().is_some_and(|identity| identity.client_auth == ClientAuth::Basic);
    for secret in secrets.into_iter().flatten() {
        redactor.learn(secret);
        // RFC 6749 §2.3.1 form-encodes the secret before Basic encodes it again, so Base64 of the raw secret would not meet it.
        if basic {
            redactor.learn(&Secret::new(form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect()));
        }
    }
}
