//! Persona in, credential out: sign-in methods, claims, preflight. The only room that names oauth2.

mod aadsts;
pub mod claims;
pub mod fidelity;
pub mod forgery;
pub mod preflight;
pub mod provider;

mod assertion;
mod attendant;
mod browser;
mod denial;
mod device;
mod discovery;
mod endpoint;
mod grant;
mod header;
mod landing;
mod lifetime;
mod patience;
mod phrase;
mod platform;
mod program;
mod redirects;
mod rotation;
mod signature;
mod vault;
mod visit;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::scenario::sign_in::SecretSource;
use crate::scenario::{Identity, Persona, Provider, SignIn};
use crate::secret::{Redactor, Secret};
use crate::wire::Wire;
use claims::Claims;
use denial::Denial;
use discovery::{Found, Guide};
use header::Header;
use patience::Patience;
use provider::Authority;
use signature::Demand;
use vault::Vault;
use visit::{Issued, Visit};

pub use attendant::{Attendant, Nobody};
pub use header::Form;
pub use lifetime::Lifetime;
pub use redirects::Registration;
pub use signature::Signature;

/// Issues credentials: one acquisition a persona, shared by all that wait for it. Clones are the same desk.
#[derive(Clone, Debug)]
pub struct Desk {
    windows: Arc<[Window]>,
    wire: Wire,
    redactor: Arc<Redactor>,
    vault: Arc<Vault>,
    attendant: Arc<dyn Attendant>,
    /// People are asked one thing at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    patience: Patience,
    /// The program that stands for the Azure command line.
    azure_cli: Arc<str>,
}

/// What a persona presents.
#[derive(Clone, Debug, Default)]
pub struct Credential {
    /// The `Authorization` value, marked sensitive; `None` for a persona that does not sign in.
    pub authorization: Option<HeaderValue>,
    /// Claims of the token; `None` when it is opaque or there is none.
    pub claims: Option<Claims>,
    /// What kind of token it is.
    pub form: Form,
    /// What the provider's published keys say of it.
    pub signature: Signature,
    /// First 8 hex digits of the token's SHA-256; empty when there is none.
    pub fingerprint: String,
    /// Issuers that the provider's discovery documents name; empty when the issuer is not to be compared.
    pub issuers: Vec<String>,
    /// How long the acquisition took, discovery included.
    pub took: Duration,
    /// When the token runs out; `None` when there is no token.
    pub lifetime: Option<Lifetime>,
    /// Seconds by which the provider's clock is ahead of this machine's; `None` when it did not tell.
    pub skew: Option<i64>,
}

/// Why a persona has no token, in one redacted sentence with its remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The sentence, which begins with the persona's name.
    pub said: String,
    /// Whether it is this side that had nothing to present: no terminal, a program, a file or a key of the scenario's.
    pub here: bool,
}

impl Refusal {
    /// For a reason of this side.
    const fn here(said: String) -> Self {
        Self { said, here: true }
    }
}

/// One persona's place at the desk.
struct Window {
    persona: Persona,
    guide: Option<Arc<Guide>>,
    issued: OnceCell<Result<Credential, Refusal>>,
    renewed: [OnceCell<Result<Credential, Refusal>>; RENEWALS],
    /// What the newest token can be renewed with.
    refresh: Mutex<Option<Secret>>,
}

/// Renewals that a persona can have in a run: one when its token runs out, and one more for whoever has objects of the run
/// to remove.
pub const RENEWALS: usize = 2;

impl Desk {
    /// Opens a desk for these personas, where nobody can be asked. Every secret and token that is met is taught to the redactor.
    pub fn new(personas: &[Persona], wire: &Wire, redactor: &Arc<Redactor>) -> Self {
        let mut guides = Vec::new();
        let windows = personas.iter().map(|persona| Window {
            persona: persona.clone(),
            guide: guide(persona, &mut guides),
            issued: OnceCell::new(),
            renewed: Default::default(),
            refresh: Mutex::new(None),
        });
        Self {
            windows: windows.collect(),
            wire: wire.clone(),
            redactor: Arc::clone(redactor),
            vault: Arc::new(Vault::default()),
            attendant: Arc::new(Nobody),
            turn: Arc::default(),
            patience: Patience::default(),
            azure_cli: Arc::from("az"),
        }
    }

    /// The same desk with somebody who can speak to the person at the terminal.
    #[must_use]
    pub fn with_attendant(self, attendant: Arc<dyn Attendant>) -> Self {
        Self { attendant, ..self }
    }

    /// The credential of the persona with that index; acquired at the first call, shared after. The renewed one, once there is one.
    ///
    /// # Errors
    /// Why there is none; the same for everyone who asks.
    pub async fn issue(&self, persona: usize) -> Result<Credential, Refusal> {
        let window = self.window(persona)?;
        let newest = window
            .renewed
            .iter()
            .rev()
            .find_map(|one| one.get()?.as_ref().ok());
        if let Some(renewed) = newest {
            return Ok(renewed.clone());
        }
        window
            .issued
            .get_or_init(|| self.acquire(window, false))
            .await
            .clone()
    }

    /// A secret of the scenario's that stays the same for the run; a program that prints one is run once.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub async fn secret(&self, source: &SecretSource) -> Result<Secret, String> {
        let secret = self.vault.once(source, self.patience.program).await?;
        self.redactor.learn(&secret);
        Ok(secret)
    }

    /// The identity providers of the personas, each once, in the order of the personas that first name them.
    pub fn authorities(&self) -> Vec<Authority> {
        let mut authorities: Vec<Authority> = Vec::new();
        for guide in self
            .windows
            .iter()
            .filter_map(|window| window.guide.as_ref())
        {
            if !authorities.iter().any(|known| known.leads_to(guide)) {
                authorities.push(Authority::new(
                    Arc::clone(guide),
                    &self.wire,
                    &self.redactor,
                ));
            }
        }
        authorities
    }

    /// Which of [`Desk::authorities`] a persona signs in at; `None` for one that does not sign in.
    pub fn authority_of(&self, persona: usize) -> Option<usize> {
        let guide = self.windows.get(persona)?.guide.as_ref()?;
        self.authorities()
            .iter()
            .position(|authority| authority.leads_to(guide))
    }

    /// Which of [`Desk::authorities`] a provider is; `None` for one that no persona signs in at.
    pub fn authority_at(&self, provider: &Provider) -> Option<usize> {
        let guide = Guide::new(provider.clone());
        self.authorities()
            .iter()
            .position(|authority| authority.leads_to(&guide))
    }

    /// A fresh credential in place of one that ran out: the first renewal of the persona, or the one after that. Acquired at the
    /// first call and shared after; there are [`RENEWALS`] and no more, so that a deployment which refuses every token cannot
    /// make it sign in without an end. For a cell that expects a 401 it is not to be called.
    ///
    /// # Errors
    /// Why there is none; the same for everyone who asks.
    pub async fn renew(&self, persona: usize, renewal: usize) -> Result<Credential, Refusal> {
        let window = self.window(persona)?;
        let Some(place) = window.renewed.get(renewal) else {
            let name = &window.persona.name;
            return Err(Refusal::here(format!("{name} was signed in too often")));
        };
        place
            .get_or_init(|| self.acquire(window, true))
            .await
            .clone()
    }

    /// A credential that is good for a while yet: renewed when it is about to run out.
    fn current(&self, persona: usize) -> Acquiring<'_> {
        Box::pin(async move {
            let credential = self.issue(persona).await?;
            let near = |lifetime: Lifetime| lifetime.is_near_end(SystemTime::now());
            if credential.lifetime.is_some_and(near) {
                return self.renew(persona, 0).await;
            }
            Ok(credential)
        })
    }

    fn window(&self, persona: usize) -> Result<&Window, Refusal> {
        self.windows
            .get(persona)
            .ok_or_else(|| Refusal::here("there is no such persona".to_owned()))
    }

    fn acquire<'d>(&'d self, window: &'d Window, again: bool) -> Acquiring<'d> {
        Box::pin(async move {
            if matches!(window.persona.sign_in, SignIn::None) {
                return Ok(Credential::default());
            }
            let name = &window.persona.name;
            let (Some(guide), Some(identity)) = (&window.guide, &window.persona.identity) else {
                return Err(Refusal::here(format!(
                    "{name} has no identity provider to sign in at"
                )));
            };
            let begun = Instant::now();
            let refused = |why: String, here: bool| {
                let sentence = match window.persona.sign_in {
                    SignIn::Token(_) => format!("{name} has no token: {why}"),
                    _ => format!("{name} could not sign in at {}: {why}", guide.host()),
                };
                Refusal {
                    said: self.redactor.redact(&sentence).into_owned(),
                    here,
                }
            };
            let denied =
                |denial: Denial| refused(denial.sentence(&self.redactor), denial.is_here());
            self.attended(window, again)
                .map_err(|why| refused(why, true))?;
            let found = self.found(window, guide).await;
            let found = found.map_err(|why| refused(why, false))?;
            let issued = self.visit(window, identity, &found, again).await;
            let issued = issued.map_err(denied)?;
            self.redactor.learn(&issued.token);
            let credential = Credential::of(&issued, found.skew).map_err(denied)?;
            let signature = self.check(&issued.token, credential.form, guide).await;
            Ok(Credential {
                signature,
                issuers: found.issuers,
                took: begun.elapsed(),
                ..credential
            })
        })
    }

    /// Methods that need a person are refused before anything is sent when nobody is there.
    fn attended(&self, window: &Window, again: bool) -> Result<(), String> {
        match self.attendant.absent() {
            Some(why) if window.is_interactive() && !again => Err(format!(
                "{} needs a person, and {why}",
                window.persona.sign_in.name()
            )),
            _ => Ok(()),
        }
    }

    /// Methods that do not ask the persona's provider need no document of it.
    async fn found(&self, window: &Window, guide: &Guide) -> Result<Found, String> {
        match window.persona.sign_in {
            SignIn::Token(_) | SignIn::AzureCli { .. } | SignIn::ManagedIdentity { .. } => {
                let issuers = guide.issuers(&self.wire).await;
                Ok(Found {
                    skew: guide.skew(),
                    ..Found::at(String::new(), issuers)
                })
            }
            _ => guide.find(&self.wire).await,
        }
    }

    async fn visit(
        &self,
        window: &Window,
        identity: &Identity,
        found: &Found,
        again: bool,
    ) -> Result<Issued, Denial> {
        let visit = Visit {
            desk: self,
            window,
            identity,
            found,
            again,
        };
        let _turn = if window.is_interactive() {
            Some(self.turn.lock().await)
        } else {
            None
        };
        visit.acquire().await
    }

    /// Keys are fetched only for a token that a key can verify.
    async fn check(&self, token: &Secret, form: Form, guide: &Guide) -> Signature {
        let header = match (form, Header::read(token.expose())) {
            (Form::Signed, Some(header)) => header,
            (Form::Sealed, _) => {
                return Signature::NotVerified("only Microsoft Graph can verify it".to_owned());
            }
            (Form::Encrypted, _) => {
                return Signature::NotVerified("the token is encrypted".to_owned());
            }
            (Form::Opaque | Form::Signed, _) => {
                return Signature::NotVerified("the token is no JWT".to_owned());
            }
        };
        let algorithm = match Demand::of(&header.algorithm) {
            Demand::PublicKey(algorithm) => algorithm,
            Demand::Forgeable => {
                return Signature::Wrong(
                    "its header asks for no signature, or for one with a shared secret".to_owned(),
                );
            }
            Demand::Unknown => {
                return Signature::NotVerified("its algorithm is not known here".to_owned());
            }
        };
        match guide.keys(header.key_id.as_deref(), &self.wire).await {
            Ok(keys) => keys.check(token.expose(), &header, algorithm),
            Err(why) => Signature::NotVerified(self.redactor.redact(&why).into_owned()),
        }
    }
}

/// One persona's token may need another's, so the future is of a type that can hold its like.
type Acquiring<'d> = Pin<Box<dyn Future<Output = Result<Credential, Refusal>> + Send + 'd>>;

impl Window {
    fn is_interactive(&self) -> bool {
        matches!(
            self.persona.sign_in,
            SignIn::DeviceCode { .. } | SignIn::AuthorizationCode { .. }
        )
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("persona", &self.persona.name)
            .finish_non_exhaustive()
    }
}

impl Credential {
    /// A bearer credential (RFC 6750 §2.1).
    fn of(issued: &Issued, skew: Option<i64>) -> Result<Self, Denial> {
        let token = &issued.token;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_unsendable| {
                Denial::Unusable("the token has characters that no header can carry".to_owned())
            })?;
        authorization.set_sensitive(true);
        let digest = Sha256::digest(token.expose());
        let first = digest.first_chunk().expect("SHA-256 has 32 bytes");
        let claims = Claims::read(token.expose());
        Ok(Self {
            authorization: Some(authorization),
            lifetime: Some(Lifetime::of(
                SystemTime::now(),
                issued.lifetime,
                claims.as_ref(),
                skew,
            )),
            skew,
            form: Form::of(token.expose()),
            claims,
            fingerprint: format!("{:08x}", u32::from_be_bytes(*first)),
            ..Self::default()
        })
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

#[cfg(test)]
mod trial;

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::cell::PersonaName;
    use crate::scenario::sign_in::{Client, Proof, SecretSource};
    use crate::scenario::{ClientAuth, Declaration, EntraEndpoint};
    use crate::wire::{Proxies, Settings};

    pub(super) const JSON: &str = "application/json";
    const TENANT: &str = "contoso";

    /// An identity provider: answers by path, remembers what it was asked.
    pub(super) struct Idp {
        pub(super) url: String,
        pub(super) heard: Arc<Mutex<Vec<String>>>,
    }

    pub(super) type Answer = (u16, &'static str, String);

    impl Idp {
        pub(super) async fn open(
            answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
        ) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let heard = Arc::new(Mutex::new(Vec::new()));
            let idp = Self {
                url: url.clone(),
                heard: Arc::clone(&heard),
            };
            let answer = Arc::new(answer);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (answer, heard, url) =
                        (Arc::clone(&answer), Arc::clone(&heard), url.clone());
                    tokio::spawn(async move {
                        converse(stream, |path| answer(path, &url), &heard).await
                    });
                }
            });
            idp
        }

        pub(super) fn token_requests(&self) -> Vec<String> {
            let heard = self.heard.lock().unwrap();
            heard
                .iter()
                .filter(|request| request.starts_with("POST "))
                .cloned()
                .collect()
        }

        pub(super) fn count(&self, path: &str) -> usize {
            let heard = self.heard.lock().unwrap();
            heard
                .iter()
                .filter(|request| request.contains(&format!(" {path} ")))
                .count()
        }

        pub(super) fn oidc(&self) -> Provider {
            Provider::Oidc {
                issuer: self.url.clone(),
                token_endpoint: None,
            }
        }

        pub(super) fn entra(&self, endpoint: EntraEndpoint) -> Provider {
            Provider::Entra {
                authority: self.url.clone(),
                tenant: TENANT.to_owned(),
                resource: "api://catalog".to_owned(),
                endpoint,
            }
        }

        pub(super) fn endpoints(&self) -> Provider {
            Provider::Endpoints {
                token_endpoint: format!("{}/token", self.url),
                issuer: None,
            }
        }
    }

    async fn converse(
        mut stream: TcpStream,
        answer: impl Fn(&str) -> Answer,
        log: &Mutex<Vec<String>>,
    ) -> Option<()> {
        loop {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.ok()?);
            }
            let head = String::from_utf8(request).unwrap();
            let length = head
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            let path = head.split(' ').nth(1).unwrap().to_owned();
            log.lock()
                .unwrap()
                .push(head + &String::from_utf8(body).unwrap());
            let (status, kind, body) = answer(&path);
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.ok()?;
        }
    }

    pub(super) fn token_answer(path: &str, url: &str) -> Answer {
        match path {
            "/.well-known/openid-configuration" => (
                200,
                JSON,
                format!(r#"{{"issuer":"{url}","token_endpoint":"{url}/token"}}"#),
            ),
            "/contoso/v2.0/.well-known/openid-configuration" => (
                200,
                JSON,
                format!(
                    r#"{{"issuer":"{url}/{{tenantid}}/v2.0","token_endpoint":"https://elsewhere.invalid/"}}"#
                ),
            ),
            "/contoso/.well-known/openid-configuration" => (
                200,
                JSON,
                r#"{"issuer":"https://sts.example/contoso/"}"#.to_owned(),
            ),
            _ => (
                200,
                JSON,
                format!(r#"{{"access_token":"{}","expires_in":"3599"}}"#, jwt()),
            ),
        }
    }

    pub(super) fn jwt() -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256"}"#),
            part(r#"{"iss":"i","roles":["Products.Read"]}"#),
            part("signature")
        )
    }

    pub(super) fn identity(provider: Provider) -> Identity {
        Identity {
            provider,
            audiences: Vec::new(),
            roles_pointer: "/roles".to_owned(),
            ignored_roles: Vec::new(),
            tenant: None,
            scope: None,
            parameters: vec![("audience".to_owned(), "the api".to_owned())],
            client_auth: ClientAuth::Post,
        }
    }

    pub(super) fn secret() -> Secret {
        Secret::new("s3cret/+canary".to_owned())
    }

    pub(super) fn confidential() -> Client {
        Client {
            id: "client 1".to_owned(),
            proof: Proof::Secret(SecretSource::Value(secret())),
        }
    }

    pub(super) fn reader(provider: Provider) -> Persona {
        Persona {
            name: PersonaName::new("reader"),
            roles: None,
            declared: Declaration::default(),
            client: None,
            sign_in: SignIn::ClientCredentials {
                client: confidential(),
                scope: None,
            },
            identity: Some(identity(provider)),
            line: 1,
        }
    }

    pub(super) fn desk(personas: &[Persona]) -> (Desk, Arc<Redactor>) {
        let time = Duration::from_secs(5);
        let settings = Settings {
            connect: time,
            request: time,
            body_cap: 1 << 16,
            authorities: Vec::new(),
            proxies: Proxies::default(),
        };
        let redactor = Arc::new(Redactor::default());
        let desk = Desk::new(personas, &Wire::new(&settings).unwrap(), &redactor);
        let brief = Duration::from_millis(20);
        let patience = Patience {
            waiting: brief * 3,
            unstated: brief,
            least: brief,
            ..Patience::default()
        };
        (Desk { patience, ..desk }, redactor)
    }

    async fn refused(persona: Persona) -> String {
        desk(&[persona]).0.issue(0).await.unwrap_err().said
    }

    /// The refusal of a provider whose token endpoint answers so.
    async fn refused_with(status: u16, kind: &'static str, body: &str) -> String {
        let body = body.to_owned();
        let idp = Idp::open(move |_, _| (status, kind, body.clone())).await;
        refused(reader(idp.endpoints())).await
    }

    #[tokio::test]
    async fn twenty_that_wait_share_one_acquisition() {
        let idp = Idp::open(token_answer).await;
        let (desk, redactor) = desk(&[reader(idp.oidc()), reader(idp.oidc())]);
        let waiting = (0..20).map(|_| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.issue(0).await.unwrap() })
        });
        for waiter in waiting.collect::<Vec<_>>() {
            let credential = waiter.await.unwrap();
            assert_eq!(
                credential.authorization.unwrap(),
                format!("Bearer {}", jwt())
            );
            assert_eq!(
                credential.claims.unwrap().words("/roles").unwrap(),
                ["Products.Read"]
            );
            assert_eq!(credential.issuers, std::slice::from_ref(&idp.url));
            assert_eq!(credential.fingerprint.len(), 8);
        }
        assert_eq!(idp.token_requests().len(), 1);
        desk.issue(1).await.unwrap();
        assert_eq!(
            (
                idp.token_requests().len(),
                idp.count("/.well-known/openid-configuration")
            ),
            (2, 1)
        );
        assert_eq!(redactor.redact(&format!("<{}>", jwt())), "<[redacted]>");
    }

    #[tokio::test]
    async fn a_refusal_is_shared_as_well() {
        let idp = Idp::open(|_, _| (401, JSON, r#"{"error":"invalid_client"}"#.to_owned())).await;
        let (desk, _) = desk(&[reader(idp.endpoints())]);
        assert_eq!(
            desk.issue(0).await.unwrap_err(),
            desk.issue(0).await.unwrap_err()
        );
        assert_eq!(idp.token_requests().len(), 1);
        assert!(desk.issue(1).await.is_err());
    }

    /// A provider whose tokens have this header, and whose key set holds one key of the id `published`.
    async fn publishing(header: &'static str) -> Idp {
        Idp::open(move |path, url| match path {
            "/.well-known/openid-configuration" => (
                200,
                JSON,
                format!(
                    r#"{{"issuer":"{url}","token_endpoint":"{url}/token","jwks_uri":"{url}/keys"}}"#
                ),
            ),
            "/keys" => (
                200,
                JSON,
                r#"{"keys":[{"kty":"RSA","kid":"published","n":"AQAB","e":"AQAB"}]}"#.to_owned(),
            ),
            _ => {
                let header = URL_SAFE_NO_PAD.encode(header);
                (
                    200,
                    JSON,
                    format!(r#"{{"access_token":"{header}.e30.c2ln"}}"#),
                )
            }
        })
        .await
    }

    #[tokio::test]
    async fn keys_are_fetched_only_where_one_can_verify_and_again_only_for_an_unknown_one() {
        let table = [
            (r#"{"alg":"RS256","kid":"published"}"#, 1, true),
            (r#"{"alg":"RS256","kid":"other"}"#, 2, true),
            (r#"{"alg":"RS256"}"#, 1, true),
            (r#"{"alg":"none"}"#, 0, true),
            (r#"{"alg":"HS256","kid":"published"}"#, 0, true),
            (r#"{"alg":"ES512"}"#, 0, false),
            (r#"{"alg":"RS256","kid":"published","nonce":"n"}"#, 0, false),
            ("no header", 0, false),
        ];
        for (header, fetches, wrong) in table {
            let idp = publishing(header).await;
            let (desk, _) = desk(&[reader(idp.oidc()), reader(idp.oidc())]);
            for persona in 0..2 {
                let signature = desk.issue(persona).await.unwrap().signature;
                let is_wrong = matches!(signature, Signature::Wrong(_));
                assert_eq!(is_wrong, wrong, "{header}: {signature}");
            }
            assert_eq!(idp.count("/keys"), fetches, "{header}");
        }
    }

    #[tokio::test]
    async fn keys_that_cannot_be_had_leave_a_signature_unverified() {
        let idp = Idp::open(|path, url| match path {
            "/.well-known/openid-configuration" => (
                200,
                JSON,
                format!(
                    r#"{{"issuer":"{url}","token_endpoint":"{url}/token","jwks_uri":"http://keys.invalid/"}}"#
                ),
            ),
            _ => token_answer(path, url),
        })
        .await;
        let (desk, _) = desk(&[reader(idp.oidc())]);
        let signature = desk.issue(0).await.unwrap().signature;
        let why = "the address of its keys is not https, so nothing secret was sent to it";
        assert_eq!(signature, Signature::NotVerified(why.to_owned()));
    }

    #[tokio::test]
    async fn who_does_not_sign_in_presents_nothing() {
        let anonymous = Persona {
            client: None,
            sign_in: SignIn::None,
            identity: None,
            ..reader(Provider::Endpoints {
                token_endpoint: String::new(),
                issuer: None,
            })
        };
        let credential = desk(&[anonymous]).0.issue(0).await.unwrap();
        assert_eq!(
            (credential.authorization, credential.fingerprint.as_str()),
            (None, "")
        );
    }

    #[tokio::test]
    async fn a_missing_provider_is_not_taken_for_anonymity() {
        let lost = Persona {
            identity: None,
            ..reader(Provider::Endpoints {
                token_endpoint: String::new(),
                issuer: None,
            })
        };
        assert_eq!(
            refused(lost).await,
            "reader has no identity provider to sign in at"
        );
    }

    #[tokio::test]
    async fn the_credential_is_mute() {
        let idp = Idp::open(token_answer).await;
        let (desk, _) = desk(&[reader(idp.endpoints())]);
        let shown = format!("{:?} {:?}", desk.issue(0).await.unwrap(), desk);
        assert!(
            !shown.contains(&jwt()) && !shown.contains("canary"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn entra_v2_asks_for_a_scope_and_v1_for_a_resource() {
        let idp = Idp::open(token_answer).await;
        let (desk, _) = desk(&[
            reader(idp.entra(EntraEndpoint::V2)),
            reader(idp.entra(EntraEndpoint::V1)),
        ]);
        let issuers = [
            format!("{}/contoso/v2.0", idp.url),
            "https://sts.example/contoso/".to_owned(),
        ];
        assert_eq!(desk.issue(0).await.unwrap().issuers, issuers);
        assert_eq!(desk.issue(1).await.unwrap().issuers, issuers);
        let [v2, v1] = &idp.token_requests()[..] else {
            panic!("two requests")
        };
        assert!(
            v2.starts_with("POST /contoso/oauth2/v2.0/token ")
                && v1.starts_with("POST /contoso/oauth2/token ")
        );
        assert!(
            v2.contains("scope=api%3A%2F%2Fcatalog%2F.default") && !v2.contains("resource="),
            "{v2}"
        );
        assert!(
            v1.contains("resource=api%3A%2F%2Fcatalog") && !v1.contains("scope="),
            "{v1}"
        );
        assert!(
            v1.contains("grant_type=client_credentials") && v1.contains("audience=the+api"),
            "{v1}"
        );
    }

    #[tokio::test]
    async fn entra_goes_on_with_one_document_or_none() {
        let idp = Idp::open(|path, url| match path {
            "/contoso/v2.0/.well-known/openid-configuration" => (404, JSON, String::new()),
            _ => token_answer(path, url),
        })
        .await;
        let issued = desk(&[reader(idp.entra(EntraEndpoint::V2))])
            .0
            .issue(0)
            .await
            .unwrap();
        assert_eq!(issued.issuers, ["https://sts.example/contoso/"]);
    }

    #[tokio::test]
    async fn the_client_authenticates_in_the_body_or_in_the_header() {
        let idp = Idp::open(token_answer).await;
        let post = reader(idp.endpoints());
        let mut basic = reader(idp.endpoints());
        basic.identity.as_mut().unwrap().client_auth = ClientAuth::Basic;
        let (desk, redactor) = desk(&[post, basic]);
        desk.issue(0).await.unwrap();
        desk.issue(1).await.unwrap();
        let [post, basic] = &idp.token_requests()[..] else {
            panic!("two requests")
        };
        assert!(
            post.contains("client_id=client+1&client_secret=s3cret%2F%2Bcanary"),
            "{post}"
        );
        let header = STANDARD.encode("client+1:s3cret%2F%2Bcanary");
        assert!(
            basic.contains(&format!("authorization: Basic {header}\r\n"))
                && !basic.contains("client_secret"),
            "{basic}"
        );
        let echoed = redactor.redact(&header).into_owned();
        assert!(!echoed.contains(&header[header.len() - 12..]), "{echoed}");
    }

    #[tokio::test]
    async fn a_user_signs_in_with_a_password() {
        let idp = Idp::open(token_answer).await;
        let sign_in = SignIn::Password {
            client: Client {
                id: "c".to_owned(),
                proof: Proof::None,
            },
            username: "ann@example".to_owned(),
            password: SecretSource::Value(Secret::new("pass word".to_owned())),
            scope: Some("read write".to_owned()),
        };
        desk(&[Persona {
            client: None,
            sign_in,
            ..reader(idp.endpoints())
        }])
        .0
        .issue(0)
        .await
        .unwrap();
        let [request] = &idp.token_requests()[..] else {
            panic!("one request")
        };
        for part in [
            "grant_type=password",
            "username=ann%40example",
            "password=pass+word",
            "scope=read+write",
            "client_id=c",
        ] {
            assert!(request.contains(part), "{part} in {request}");
        }
        assert!(!request.contains("client_secret"), "{request}");
    }

    #[tokio::test]
    async fn an_error_number_becomes_a_sentence_with_its_remedy() {
        let body = r#"{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: s3cret/+canary\r\nTrace"}"#;
        let sentence = refused_with(401, JSON, body).await;
        assert!(
            sentence.starts_with("reader could not sign in at 127.0.0.1:")
                && sentence.ends_with(
                    ": invalid_client, AADSTS7000215: wrong client secret. Use the secret's value, not its id."
                ),
            "{sentence}"
        );
    }

    #[tokio::test]
    async fn no_refusal_quotes_an_answer_that_may_hold_a_token() {
        let cases = [
            (
                200,
                "text/html",
                "<html>t0ken-canary</html>",
                "HTTP 200, but the answer is not JSON",
            ),
            (
                200,
                JSON,
                r#""t0ken-canary""#,
                "HTTP 200, but the answer is not a JSON object",
            ),
            (
                200,
                JSON,
                "t0ken-canary",
                "HTTP 200, but the answer is not JSON",
            ),
            (200, JSON, "", "HTTP 200, but the answer is not JSON"),
            (
                200,
                JSON,
                r#"{"access_token":"t0ken-canary","token_type":"pop"}"#,
                "not a bearer token",
            ),
            (
                200,
                JSON,
                "{\"access_token\":\"t0ken-canary\\n\"}",
                "characters that no header can carry",
            ),
            (302, "text/html", "t0ken-canary", "HTTP 302, a redirect"),
            (
                503,
                "text/html",
                "t0ken-canary",
                "HTTP 503: it asks to wait",
            ),
            (
                400,
                JSON,
                r#"{"error":"odd","error_description":"echo s3cret/+canary"}"#,
                "odd: echo [redacted]",
            ),
        ];
        for (status, kind, body, expected) in cases {
            let why = refused_with(status, kind, body).await;
            assert!(why.contains(expected) && !why.contains("canary"), "{why}");
        }
        let endless = format!(r#"{{"access_token":"{}"#, "x".repeat(1 << 17));
        assert!(
            refused_with(200, JSON, &endless)
                .await
                .contains("did not end within its limits")
        );
    }

    #[tokio::test]
    async fn a_provider_that_is_not_the_stated_one_gets_no_secret() {
        type Document = fn(&str) -> String;
        let documents: [(Document, &str); 5] = [
            (
                |url| format!(r#"{{"issuer":"{url}/","token_endpoint":"{url}/token"}}"#),
                "another issuer",
            ),
            (
                |url| format!(r#"{{"token_endpoint":"{url}/token"}}"#),
                "another issuer",
            ),
            (
                |url| format!(r#"{{"issuer":"{url}","token_endpoint":"http://localhost/token"}}"#),
                "another origin",
            ),
            (
                |url| format!(r#"{{"issuer":"{url}"}}"#),
                "no token endpoint",
            ),
            (|_| "<html>".to_owned(), "not JSON"),
        ];
        for (document, expected) in documents {
            let idp = Idp::open(move |_, url| (200, JSON, document(url))).await;
            let why = refused(reader(idp.oidc())).await;
            assert!(why.contains(expected), "{why}");
            assert_eq!(idp.token_requests(), Vec::<String>::new());
        }
        let plain = Provider::Oidc {
            issuer: "http://idp.invalid".to_owned(),
            token_endpoint: None,
        };
        assert!(
            refused(reader(plain))
                .await
                .contains("the issuer is not https")
        );
        let plain = Provider::Endpoints {
            token_endpoint: "http://idp.invalid/token".to_owned(),
            issuer: None,
        };
        assert!(
            refused(reader(plain))
                .await
                .contains("the token endpoint is not https")
        );
    }

    #[tokio::test]
    async fn a_stated_token_endpoint_needs_no_document() {
        let idp = Idp::open(token_answer).await;
        let issuer = "https://issuer.example".to_owned();
        let provider = Provider::Oidc {
            issuer: issuer.clone(),
            token_endpoint: Some(format!("{}/token", idp.url)),
        };
        assert_eq!(
            desk(&[reader(provider)]).0.issue(0).await.unwrap().issuers,
            [issuer]
        );
    }

    #[tokio::test]
    async fn a_provider_that_is_away_is_named() {
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let provider = Provider::Endpoints {
            token_endpoint: format!("http://127.0.0.1:{port}/t"),
            issuer: None,
        };
        assert_eq!(
            refused(reader(provider)).await,
            format!("reader could not sign in at 127.0.0.1:{port}: connection refused")
        );
    }
}
