//! Every sign-in method against small providers in, what they were asked and what came of it out.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tempfile::TempDir;
use url::{Url, form_urlencoded};

use super::tests::{Answer, Idp, JSON, confidential, desk, jwt, reader, token_answer};
use super::*;
use crate::cell::PersonaName;
use crate::scenario::sign_in::{
    Assertion, Certificate, Client, Command, IdentityService, Proof, Redirect, SecretSource,
};
use crate::scenario::{EntraEndpoint, Provider};

const CANARY: &str = "s3cret/+canary";

fn public() -> Client {
    Client {
        id: "app".to_owned(),
        proof: Proof::None,
    }
}

fn proving(proof: Proof) -> SignIn {
    SignIn::ClientCredentials {
        client: Client {
            id: "app".to_owned(),
            proof,
        },
        scope: None,
    }
}

fn by(sign_in: SignIn, provider: Provider) -> Persona {
    Persona {
        client: None,
        sign_in,
        ..reader(provider)
    }
}

fn value(text: &str) -> SecretSource {
    SecretSource::Value(Secret::new(text.to_owned()))
}

fn shell(script: &str, folder: &Path) -> SecretSource {
    SecretSource::Command(Command {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        folder: folder.to_owned(),
    })
}

/// The form of a request, by name.
fn form(request: &str) -> HashMap<String, String> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

fn bearer(credential: &Credential) -> &str {
    credential.authorization.as_ref().unwrap().to_str().unwrap()
}

/// A page that gives out a numbered opaque token at each request, and a refresh token likewise.
fn numbered() -> impl Fn(&str, &str) -> Answer + Send + Sync + 'static {
    living(30)
}

/// The same with tokens that live for so many seconds.
fn living(seconds: u32) -> impl Fn(&str, &str) -> Answer + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move |path, url| {
        if path.contains("well-known") {
            return token_answer(path, url);
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let body = format!(
            r#"{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":{seconds}}}"#
        );
        (200, JSON, body)
    }
}

/// Somebody at the terminal, who remembers what was said and does something with a page.
struct Somebody {
    heard: Mutex<Vec<String>>,
    visits: Box<dyn Fn(String) + Send + Sync>,
}

impl Somebody {
    fn who(visits: impl Fn(String) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::new(Vec::new()),
            visits: Box::new(visits),
        })
    }

    fn idle() -> Arc<Self> {
        Self::who(|_| {})
    }

    fn said(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl fmt::Debug for Somebody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Somebody")
    }
}

impl Attendant for Somebody {
    fn absent(&self) -> Option<&str> {
        None
    }

    fn tell(&self, words: &str) {
        self.heard.lock().unwrap().push(words.to_owned());
    }

    fn open(&self, url: &str) {
        (self.visits)(url.to_owned());
    }
}

async fn refused(persona: Persona) -> String {
    desk(&[persona]).0.issue(0).await.unwrap_err().said
}

#[tokio::test]
async fn a_program_that_prints_a_secret_is_run_once_for_everyone() {
    let folder = tempfile::tempdir().unwrap();
    let idp = Idp::open(token_answer).await;
    let script = "echo run >> runs; echo '  pr1nted-canary  '";
    let source = || proving(Proof::Secret(shell(script, folder.path())));
    let (desk, redactor) = desk(&[by(source(), idp.endpoints()), by(source(), idp.endpoints())]);
    let (one, two) = tokio::join!(desk.issue(0), desk.issue(1));
    one.unwrap();
    two.unwrap();
    for request in idp.token_requests() {
        assert_eq!(form(&request)["client_secret"], "pr1nted-canary");
    }
    let runs = fs::read_to_string(folder.path().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 1);
    assert_eq!(redactor.redact("pr1nted-canary"), "[redacted]");
}

#[tokio::test]
async fn a_program_is_not_run_before_its_secret_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let source = shell("touch ran; echo x", folder.path());
    let idp = Idp::open(token_answer).await;
    let (desk, _) = desk(&[by(proving(Proof::Secret(source)), idp.endpoints())]);
    drop(desk);
    assert!(!folder.path().join("ran").exists());
}

#[tokio::test]
async fn a_program_that_fails_is_named_and_not_quoted() {
    let here = Path::new("");
    let command = |program: &str| {
        SecretSource::Command(Command {
            program: program.to_owned(),
            arguments: Vec::new(),
            folder: here.to_owned(),
        })
    };
    let cases = [
        (
            shell("echo s3cret/+canary; echo s3cret/+canary >&2; exit 3", here),
            "`sh` ended with exit code 3",
        ),
        (shell("true", here), "`sh` printed nothing"),
        (shell("printf '\\377'", here), "no text"),
        (command("no-such-program-of-ours"), "there is no program"),
        (command("./no-such-program-of-ours"), "there is no program"),
        (shell("kill -9 $$", here), "`sh` was killed"),
    ];
    for (source, expected) in cases {
        let idp = Idp::open(token_answer).await;
        let why = refused(by(proving(Proof::Secret(source)), idp.endpoints())).await;
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
        assert_eq!(idp.token_requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended() {
    let idp = Idp::open(token_answer).await;
    let source = shell("sleep 60", Path::new(""));
    let (desk, _) = desk(&[by(proving(Proof::Secret(source)), idp.endpoints())]);
    let patience = Patience {
        program: Duration::from_millis(100),
        ..desk.patience.clone()
    };
    let why = Desk { patience, ..desk }.issue(0).await.unwrap_err().said;
    assert!(why.contains("`sh` was not done within 0 s"), "{why}");
}

/// A key pair with its PEM texts.
struct Keys {
    pair: rcgen::KeyPair,
    key: String,
    certificate: String,
    der: Vec<u8>,
}

fn keys() -> Keys {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["persona.example".to_owned()])
        .unwrap()
        .self_signed(&pair)
        .unwrap();
    Keys {
        key: pair.serialize_pem(),
        certificate: certificate.pem(),
        der: certificate.der().to_vec(),
        pair,
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_proves_itself_with_its_certificate_as_each_provider_wants_it() {
    let keys = keys();
    let idp = Idp::open(token_answer).await;
    let certificate = || Certificate {
        key: value(&keys.key),
        certificate: Some(value(&keys.certificate)),
        algorithm: None,
        key_id: Some("k1".to_owned()),
    };
    let proof = || proving(Proof::Certificate(certificate()));
    let (desk, redactor) = desk(&[
        by(proof(), idp.entra(EntraEndpoint::V2)),
        by(proof(), idp.endpoints()),
    ]);
    desk.issue(0).await.unwrap();
    desk.issue(1).await.unwrap();
    let asked = idp.token_requests();
    let expected = [
        (
            "PS256",
            "/contoso/oauth2/v2.0/token",
            &RSA_PSS_2048_8192_SHA256,
        ),
        ("RS256", "/token", &RSA_PKCS1_2048_8192_SHA256),
    ];
    for (request, (name, path, algorithm)) in asked.iter().zip(expected) {
        let form = form(request);
        assert_eq!(form["client_id"], "app");
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert!(!form.contains_key("client_secret"));
        let assertion = &form["client_assertion"];
        let (message, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = message.split_once('.').unwrap();
        let (header, claims) = (decoded(header), decoded(claims));
        assert_eq!(header["alg"], name);
        assert_eq!(header["kid"], "k1");
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&keys.der));
        assert_eq!(header["x5t#S256"], thumbprint);
        assert_eq!(claims["aud"], format!("{}{path}", idp.url));
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&"app".into(), &"app".into())
        );
        let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(life, 600);
        assert!(claims["jti"].as_str().unwrap().len() > 16);
        UnparsedPublicKey::new(algorithm, keys.pair.public_key_raw())
            .verify(
                message.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .unwrap();
        assert_eq!(redactor.redact(assertion), "[redacted]");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_without_being_shown() {
    let keys = keys();
    let elliptic = crate::scenario::sign_in::Algorithm::Es256;
    let cases = [
        ("n0-key-canary", None, "not a private key in PEM"),
        (keys.key.as_str(), Some(elliptic), "does not go with"),
    ];
    for (key, algorithm, expected) in cases {
        let idp = Idp::open(token_answer).await;
        let proof = Proof::Certificate(Certificate {
            key: value(key),
            certificate: None,
            algorithm,
            key_id: None,
        });
        let why = refused(by(proving(proof), idp.endpoints())).await;
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
        assert_eq!(idp.token_requests(), Vec::<String>::new());
    }
}

/// A provider whose `/vouch` gives a workload's token.
fn vouching(path: &str, url: &str) -> Answer {
    if path.starts_with("/vouch") {
        let body = r#"{"value":"0utside-canary","oidcToken":"0utside-canary"}"#;
        return (200, JSON, body.to_owned());
    }
    token_answer(path, url)
}

#[tokio::test]
async fn a_platform_vouches_for_its_workload_right_before_each_exchange() {
    let idp = Idp::open(vouching).await;
    let (url, token) = (
        format!("{}/vouch?v=1", idp.url),
        Secret::new("pl4tform".to_owned()),
    );
    let github = Assertion::Github {
        url: url.clone(),
        token: token.clone(),
        audience: "api://AzureADTokenExchange".to_owned(),
    };
    let pipelines = Assertion::AzurePipelines {
        url,
        token,
        service_connection: "c 1".to_owned(),
    };
    for (outside, asked) in [
        (
            github,
            "GET /vouch?v=1&audience=api%3A%2F%2FAzureADTokenExchange ",
        ),
        (
            pipelines,
            "POST /vouch?v=1&api-version=7.1&serviceConnectionId=c+1 ",
        ),
    ] {
        idp.heard.lock().unwrap().clear();
        let (desk, redactor) = desk(&[by(proving(Proof::Assertion(outside)), idp.endpoints())]);
        desk.issue(0).await.unwrap();
        desk.renew(0, 0).await.unwrap();
        let heard = idp.heard.lock().unwrap().clone();
        let vouched: Vec<&String> = heard
            .iter()
            .filter(|request| request.starts_with(asked))
            .collect();
        assert_eq!(vouched.len(), 2, "{heard:?}");
        assert!(vouched[0].contains("authorization: Bearer pl4tform"));
        assert_eq!(form(&heard[1])["client_assertion"], "0utside-canary");
        assert_eq!(redactor.redact("0utside-canary"), "[redacted]");
    }
}

#[tokio::test]
async fn a_platform_that_does_not_vouch_is_told_by_its_name() {
    let idp = Idp::open(|path, url| {
        if path.starts_with("/vouch") {
            (403, "text/plain", "pl4tform".to_owned())
        } else {
            token_answer(path, url)
        }
    })
    .await;
    for (url, expected) in [
        (
            format!("{}/vouch", idp.url),
            "GitHub Actions gave no token for this workload: HTTP 403",
        ),
        ("http://elsewhere.invalid/".to_owned(), "is not https"),
    ] {
        let outside = Assertion::Github {
            url,
            token: Secret::new("pl4tform".to_owned()),
            audience: "a".to_owned(),
        };
        let why = refused(by(proving(Proof::Assertion(outside)), idp.endpoints())).await;
        assert!(why.contains(expected) && !why.contains("pl4tform"), "{why}");
        assert_eq!(idp.token_requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_assertion_file_is_read_again_at_each_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let idp = Idp::open(token_answer).await;
    let proof = Proof::Assertion(Assertion::Given(SecretSource::File(path.clone())));
    let (desk, _) = desk(&[by(proving(proof), idp.endpoints())]);
    fs::write(&path, "first\n").unwrap();
    desk.issue(0).await.unwrap();
    fs::write(&path, "second\n").unwrap();
    desk.renew(0, 0).await.unwrap();
    let sent: Vec<String> = idp
        .token_requests()
        .iter()
        .map(|request| form(request)["client_assertion"].clone())
        .collect();
    assert_eq!(sent, ["first", "second"]);
}

fn on_a_device(device_endpoint: Option<String>) -> SignIn {
    SignIn::DeviceCode {
        client: public(),
        scope: Some("read".to_owned()),
        device_endpoint,
    }
}

/// A provider that answers each poll with the next of these errors, and with a token after the last; `None` goes on for ever.
fn polled(
    errors: &'static [&'static str],
    ends: bool,
) -> impl Fn(&str, &str) -> Answer + Send + Sync {
    let count = AtomicUsize::new(0);
    move |path, url| {
        if path.ends_with("devicecode") {
            let body = r#"{"device_code":"d3vice-canary","user_code":"ABCD-EFGH","verification_uri":"https://idp.example/device","interval":0,"expires_in":"900"}"#;
            return (200, JSON, body.to_owned());
        }
        if path.contains("well-known") {
            return token_answer(path, url);
        }
        let poll = count.fetch_add(1, Ordering::SeqCst);
        match errors.get(if ends { poll } else { poll % errors.len() }) {
            Some(error) => (400, JSON, format!(r#"{{"error":"{error}"}}"#)),
            None => token_answer("/token", url),
        }
    }
}

async fn attended(persona: Persona, somebody: &Arc<Somebody>) -> Result<Credential, Refusal> {
    let (desk, _) = desk(&[persona]);
    let attendant: Arc<dyn Attendant> = Arc::<Somebody>::clone(somebody);
    desk.with_attendant(attendant).issue(0).await
}

#[tokio::test]
async fn a_person_confirms_a_code_on_another_device() {
    let errors = &["authorization_pending", "authorization_pending"];
    let idp = Idp::open(polled(errors, true)).await;
    let somebody = Somebody::idle();
    let persona = by(on_a_device(None), idp.entra(EntraEndpoint::V2));
    let credential = attended(persona, &somebody).await.unwrap();
    assert_eq!(bearer(&credential), format!("Bearer {}", jwt()));
    assert_eq!(
        somebody.said(),
        ["reader: to sign in, open https://idp.example/device and enter the code ABCD-EFGH"]
    );
    let asked = idp.token_requests();
    assert!(
        asked[0].starts_with("POST /contoso/oauth2/v2.0/devicecode "),
        "{}",
        asked[0]
    );
    assert_eq!(form(&asked[0])["client_id"], "app");
    assert_eq!(form(&asked[0])["scope"], "read");
    assert_eq!(asked.len(), 4);
    let poll = form(&asked[1]);
    assert_eq!(
        poll["grant_type"],
        "urn:ietf:params:oauth:grant-type:device_code"
    );
    assert_eq!(poll["device_code"], "d3vice-canary");
}

/// As the ADAL libraries asked it, which is all that is known of what it takes.
#[tokio::test]
async fn entra_s_first_generation_is_asked_about_a_code_in_its_own_words() {
    let idp = Idp::open(polled(&["authorization_pending"], true)).await;
    let persona = by(on_a_device(None), idp.entra(EntraEndpoint::V1));
    attended(persona, &Somebody::idle()).await.unwrap();
    let asked = idp.token_requests();
    assert!(asked[0].starts_with("POST /contoso/oauth2/devicecode "));
    let (begun, poll) = (form(&asked[0]), form(&asked[1]));
    assert!(begun.contains_key("resource") && !begun.contains_key("scope"));
    assert_eq!(poll["grant_type"], "device_code");
    assert_eq!(poll["code"], "d3vice-canary");
    assert!(!poll.contains_key("device_code"));
}

#[tokio::test]
async fn a_code_that_is_not_confirmed_says_why() {
    for (error, expected) in [
        ("authorization_declined", "The person declined"),
        ("expired_token", "not entered in time"),
        ("bad_verification_code", "fresh code"),
        ("access_denied", "in its policy"),
    ] {
        let errors: &'static [&'static str] = Box::leak(Box::new([error]));
        let idp = Idp::open(polled(errors, true)).await;
        let stated = Some(format!("{}/devicecode", idp.url));
        let persona = by(on_a_device(stated), idp.endpoints());
        let why = attended(persona, &Somebody::idle()).await.unwrap_err().said;
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
    }
}

#[tokio::test]
async fn a_code_that_nobody_enters_is_given_up() {
    let idp = Idp::open(polled(&["authorization_pending"], false)).await;
    let stated = Some(format!("{}/devicecode", idp.url));
    let (desk, _) = desk(&[by(on_a_device(stated), idp.endpoints())]);
    let patience = Patience {
        person: Duration::from_millis(200),
        ..desk.patience.clone()
    };
    let desk = Desk { patience, ..desk }.with_attendant(Somebody::idle());
    let why = desk.issue(0).await.unwrap_err().said;
    assert!(why.contains("the code was not entered in time"), "{why}");
}

#[tokio::test]
async fn a_provider_that_always_slows_down_is_given_up() {
    let idp = Idp::open(polled(&["slow_down"], false)).await;
    let stated = Some(format!("{}/devicecode", idp.url));
    let persona = by(on_a_device(stated), idp.endpoints());
    let why = attended(persona, &Somebody::idle()).await.unwrap_err().said;
    assert!(why.contains("slow down without an end"), "{why}");
}

#[tokio::test]
async fn methods_that_need_a_person_are_refused_at_once_where_nobody_is() {
    let idp = Idp::open(token_answer).await;
    let methods = [on_a_device(None), in_a_browser("http", None)];
    for sign_in in methods {
        let name = sign_in.name();
        let why = refused(by(sign_in, idp.oidc())).await;
        assert!(
            why.contains(&format!("{name} needs a person, and nobody is there")),
            "{why}"
        );
    }
    assert_eq!(idp.heard.lock().unwrap().len(), 0);
}

fn in_a_browser(host: &str, authorization_endpoint: Option<String>) -> SignIn {
    let host = if host == "http" { "localhost" } else { host };
    SignIn::AuthorizationCode {
        client: confidential(),
        redirect: Redirect {
            host: host.to_owned(),
            port: 0,
            path: "/back".to_owned(),
        },
        scope: Some("openid read".to_owned()),
        prompt: Some("login".to_owned()),
        authorization_endpoint,
    }
}

/// Somebody whose browser comes back to the redirect with these targets, `STATE` and `ISSUER` filled in.
fn browsing(targets: &'static [&'static str], issuer: &str) -> Arc<Somebody> {
    let issuer = issuer.to_owned();
    Somebody::who(move |page| {
        let asked: HashMap<String, String> = Url::parse(&page)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let redirect = asked["redirect_uri"].clone();
        let port = Url::parse(&redirect).unwrap().port().unwrap();
        let issuer = issuer.clone();
        tokio::spawn(async move {
            for target in targets {
                let target = target
                    .replace("STATE", &asked["state"])
                    .replace("ISSUER", &issuer);
                call_back(port, &target).await;
            }
        });
    })
}

async fn call_back(port: u16, target: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let request = format!("{target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap_or_default();
    answer
}

#[tokio::test]
async fn a_person_signs_in_with_a_browser() {
    let idp = Idp::open(token_answer).await;
    let targets = &[
        "GET /favicon.ico",
        "GET /back?code=stolen&state=guessed",
        "POST /back?code=posted&state=STATE",
        "GET /elsewhere?code=lost&state=STATE",
        "GET /back?code=c0de-canary&state=STATE&iss=ISSUER",
    ];
    let page = Some(format!("{}/authorize", idp.url));
    let somebody = browsing(targets, &idp.url);
    let persona = by(in_a_browser("localhost", page), idp.oidc());
    attended(persona, &somebody).await.unwrap();

    let said = somebody.said().concat();
    let url = Url::parse(said.split_once("open ").unwrap().1).unwrap();
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], "client 1");
    assert_eq!(asked["scope"], "openid read");
    assert_eq!(asked["prompt"], "login");
    assert_eq!(asked["audience"], "the api");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["redirect_uri"].starts_with("http://localhost:"));
    assert!(asked["redirect_uri"].ends_with("/back"));

    let [redeemed] = &idp.token_requests()[..] else {
        panic!("one request")
    };
    let redeemed = form(redeemed);
    assert_eq!(redeemed["grant_type"], "authorization_code");
    assert_eq!(redeemed["code"], "c0de-canary");
    assert_eq!(redeemed["redirect_uri"], asked["redirect_uri"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&redeemed["code_verifier"]));
    assert_eq!(asked["code_challenge"], challenge);
}

#[tokio::test]
async fn what_a_browser_brings_from_elsewhere_is_not_redeemed() {
    let cases: [(&'static [&'static str], &str); 4] = [
        (
            &["GET /back?code=c0de-canary&state=STATE&iss=https%3A%2F%2Fother.example"],
            "the answer of another issuer",
        ),
        (&["GET /back?state=STATE"], "neither a code nor an error"),
        (
            &["GET /back?error=access_denied&error_description=AADSTS65004%3A+no&state=STATE"],
            "access_denied, AADSTS65004: the user declined to consent",
        ),
        (
            &["GET /back?error=interaction_required&state=STATE&code=c0de-canary"],
            "A human is needed",
        ),
    ];
    for (targets, expected) in cases {
        let idp = Idp::open(token_answer).await;
        let page = Some(format!("{}/authorize", idp.url));
        let persona = by(in_a_browser("127.0.0.1", page), idp.oidc());
        let somebody = browsing(targets, &idp.url);
        let why = attended(persona, &somebody).await.unwrap_err().said;
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
        assert_eq!(idp.token_requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_browser_that_does_not_come_back_is_given_up() {
    let idp = Idp::open(token_answer).await;
    let page = Some(format!("{}/authorize", idp.url));
    let (desk, _) = desk(&[by(in_a_browser("localhost", page), idp.oidc())]);
    let patience = Patience {
        person: Duration::from_millis(50),
        ..desk.patience.clone()
    };
    let desk = Desk { patience, ..desk }.with_attendant(Somebody::idle());
    let why = desk.issue(0).await.unwrap_err().said;
    assert!(why.contains("nobody signed in in time"), "{why}");
}

#[tokio::test]
async fn a_browser_sign_in_is_renewed_by_its_refresh_token_and_never_by_its_person() {
    let idp = Idp::open(numbered()).await;
    let page = Some(format!("{}/authorize", idp.url));
    let targets = &["GET /back?code=c&state=STATE"];
    let (desk, _) = desk(&[by(in_a_browser("localhost", page), idp.endpoints())]);
    let desk = desk.with_attendant(browsing(targets, &idp.url));
    assert_eq!(bearer(&desk.issue(0).await.unwrap()), "Bearer access-1");
    assert_eq!(bearer(&desk.renew(0, 0).await.unwrap()), "Bearer access-2");
    let again = form(&idp.token_requests()[1]);
    assert_eq!(again["grant_type"], "refresh_token");
    assert_eq!(again["refresh_token"], "refresh-1");
}

#[tokio::test]
async fn without_a_refresh_token_a_person_is_not_asked_twice() {
    let idp = Idp::open(polled(&[], true)).await;
    let stated = Some(format!("{}/devicecode", idp.url));
    let (desk, _) = desk(&[by(on_a_device(stated), idp.endpoints())]);
    let somebody = Somebody::idle();
    let attendant: Arc<dyn Attendant> = Arc::<Somebody>::clone(&somebody);
    let desk = desk.with_attendant(attendant);
    desk.issue(0).await.unwrap();
    let why = desk.renew(0, 0).await.unwrap_err().said;
    assert!(why.contains("offline_access"), "{why}");
    assert_eq!(somebody.said().len(), 1);
}

fn refreshing(token: SecretSource, write_back: Option<&Path>) -> SignIn {
    SignIn::RefreshToken {
        client: public(),
        token,
        write_back: write_back.map(Path::to_owned),
        scope: None,
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_written_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refresh");
    fs::write(&path, "refresh-0\n").unwrap();
    let idp = Idp::open(numbered()).await;
    let sign_in = refreshing(SecretSource::File(path.clone()), Some(&path));
    let (desk, redactor) = desk(&[by(sign_in, idp.endpoints())]);
    desk.issue(0).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "refresh-1");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    desk.renew(0, 0).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "refresh-2");
    let sent: Vec<String> = idp
        .token_requests()
        .iter()
        .map(|request| form(request)["refresh_token"].clone())
        .collect();
    assert_eq!(sent, ["refresh-0", "refresh-1"]);
    assert_eq!(redactor.redact("refresh-2"), "[redacted]");
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_kept_is_told_once() {
    let lost = Path::new("no-such-folder/refresh");
    for (write_back, expected) in [
        (None, "nothing says where to keep the new one"),
        (Some(lost), "could not be written to no-such-folder/refresh"),
    ] {
        let idp = Idp::open(numbered()).await;
        let somebody = Somebody::idle();
        let persona = by(refreshing(value("refresh-0"), write_back), idp.endpoints());
        attended(persona, &somebody).await.unwrap();
        let said = somebody.said();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains(expected) && !said[0].contains("refresh-1"),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_that_stays_is_not_talked_about() {
    let idp = Idp::open(|_, _| {
        let body = r#"{"access_token":"a","refresh_token":"refresh-0"}"#;
        (200, JSON, body.to_owned())
    })
    .await;
    let somebody = Somebody::idle();
    let persona = by(refreshing(value("refresh-0"), None), idp.endpoints());
    attended(persona, &somebody).await.unwrap();
    assert_eq!(somebody.said(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_is_exchanged_on_behalf_of_another_persona() {
    let idp = Idp::open(numbered()).await;
    let entra = || idp.entra(EntraEndpoint::V2);
    let behalf = SignIn::OnBehalfOf {
        client: confidential(),
        of: 0,
        scope: Some("api://down/.default".to_owned()),
    };
    let (desk, _) = desk(&[reader(entra()), by(behalf, entra())]);
    assert_eq!(bearer(&desk.issue(1).await.unwrap()), "Bearer access-2");
    let asked = idp.token_requests();
    let exchange = form(&asked[1]);
    assert_eq!(
        exchange["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!(exchange["assertion"], "access-1");
    assert_eq!(exchange["requested_token_use"], "on_behalf_of");
    assert_eq!(exchange["scope"], "api://down/.default");
    assert_eq!(exchange["client_secret"], CANARY);
    assert_eq!(bearer(&desk.issue(0).await.unwrap()), "Bearer access-1");
}

#[tokio::test]
async fn a_subject_that_is_about_to_run_out_is_renewed_before_it_is_handed_on() {
    let idp = Idp::open(living(1)).await;
    let entra = || idp.entra(EntraEndpoint::V2);
    let behalf = SignIn::OnBehalfOf {
        client: confidential(),
        of: 0,
        scope: None,
    };
    let (desk, _) = desk(&[reader(entra()), by(behalf, entra())]);
    desk.issue(0).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bearer(&desk.issue(1).await.unwrap()), "Bearer access-3");
    assert_eq!(form(&idp.token_requests()[2])["assertion"], "access-2");
    assert_eq!(bearer(&desk.issue(0).await.unwrap()), "Bearer access-2");
}

#[tokio::test]
async fn a_token_is_exchanged_as_the_rfc_has_it() {
    let idp = Idp::open(token_answer).await;
    let exchange = SignIn::TokenExchange {
        client: confidential(),
        of: 0,
        audience: Some("down".to_owned()),
        resource: Some("https://down.example".to_owned()),
        subject_token_type: "urn:ietf:params:oauth:token-type:access_token".to_owned(),
        scope: None,
    };
    let mut basic = by(exchange, idp.endpoints());
    basic.identity.as_mut().unwrap().client_auth = crate::scenario::ClientAuth::Basic;
    let (desk, _) = desk(&[reader(idp.endpoints()), basic]);
    desk.issue(1).await.unwrap();
    let asked = idp.token_requests();
    assert!(asked[1].contains("authorization: Basic "));
    let exchange = form(&asked[1]);
    let expected = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", &jwt()),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("audience", "down"),
        ("resource", "https://down.example"),
    ];
    for (name, value) in expected {
        assert_eq!(exchange[name], value, "{name}");
    }
    // The identity's own audience gives way: no parameter may be sent twice.
    assert_eq!(asked[1].matches("audience=").count(), 1);
    assert!(!exchange.contains_key("client_secret"));
}

#[tokio::test]
async fn a_subject_that_has_no_token_is_the_reason() {
    let idp = Idp::open(|_, _| (401, JSON, r#"{"error":"invalid_client"}"#.to_owned())).await;
    let behalf = SignIn::OnBehalfOf {
        client: confidential(),
        of: 0,
        scope: None,
    };
    let subject = Persona {
        name: PersonaName::new("user"),
        ..reader(idp.endpoints())
    };
    let (desk, _) = desk(&[subject, by(behalf, idp.entra(EntraEndpoint::V2))]);
    let why = desk.issue(1).await.unwrap_err().said;
    assert!(
        why.contains("it needs another persona's token, and user could not sign in"),
        "{why}"
    );
}

fn machine(service: IdentityService, client_id: Option<&str>) -> SignIn {
    SignIn::ManagedIdentity {
        client_id: client_id.map(str::to_owned),
        service,
    }
}

#[tokio::test]
async fn a_machine_has_an_identity_of_its_own() {
    let idp = Idp::open(token_answer).await;
    let metadata = IdentityService::Metadata {
        endpoint: idp.url.clone(),
    };
    let app = IdentityService::App {
        endpoint: format!("{}/msi/token", idp.url),
        header: Secret::new("h3ader".to_owned()),
    };
    let cases = [
        (
            machine(metadata, Some("mi 1")),
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2Fcatalog&client_id=mi+1 ",
            "metadata: true",
        ),
        (
            machine(app, None),
            "GET /msi/token?api-version=2019-08-01&resource=api%3A%2F%2Fcatalog ",
            "x-identity-header: h3ader",
        ),
    ];
    for (sign_in, line, header) in cases {
        let (desk, _) = desk(&[by(sign_in, idp.entra(EntraEndpoint::V2))]);
        let credential = desk.issue(0).await.unwrap();
        assert_eq!(bearer(&credential), format!("Bearer {}", jwt()));
        assert_eq!(credential.issuers.len(), 2);
        let heard = idp.heard.lock().unwrap();
        let asked = heard.iter().find(|request| request.starts_with(line));
        assert!(
            asked.is_some_and(|asked| asked.contains(header)),
            "{heard:?}"
        );
    }
    assert_eq!(idp.token_requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_header_of_a_machine_goes_nowhere_but_near() {
    let app = IdentityService::App {
        endpoint: "http://elsewhere.invalid/msi/token".to_owned(),
        header: Secret::new("h3ader".to_owned()),
    };
    let idp = Idp::open(token_answer).await;
    let why = refused(by(machine(app, None), idp.entra(EntraEndpoint::V2))).await;
    assert!(why.contains("is not https"), "{why}");
}

/// A program that stands for `az`.
fn az(script: &str) -> (TempDir, Arc<str>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("az");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let program = Arc::from(path.to_str().unwrap());
    (folder, program)
}

async fn through_az(script: &str) -> Result<Credential, Refusal> {
    let idp = Idp::open(token_answer).await;
    let (_folder, azure_cli) = az(script);
    let sign_in = SignIn::AzureCli { scope: None };
    let (desk, _) = desk(&[by(sign_in, idp.entra(EntraEndpoint::V2))]);
    Desk { azure_cli, ..desk }.issue(0).await
}

#[tokio::test]
async fn whoever_is_signed_in_to_the_azure_command_line_is_a_persona() {
    let script = r#"[ "$*" = "account get-access-token --output json --scope api://catalog/.default --tenant contoso" ] || exit 9
echo '{"accessToken":"fr0m-az","expires_on":4102444800,"tokenType":"Bearer"}'"#;
    let credential = through_az(script).await.unwrap();
    assert_eq!(bearer(&credential), "Bearer fr0m-az");
    let left = credential
        .lifetime
        .unwrap()
        .end()
        .duration_since(SystemTime::now());
    assert!(left.unwrap() > Duration::from_secs(3600));
}

#[tokio::test]
async fn an_azure_command_line_that_gives_no_token_is_explained_and_not_quoted() {
    for (script, expected) in [
        (
            "echo 'canary AADSTS65001: x' >&2; exit 1",
            "AADSTS65001: nobody has consented",
        ),
        ("echo canary >&2; exit 1", "Sign in to it with `az login`"),
        ("echo canary", "no JSON"),
        ("echo '{\"token\":\"canary\"}'", "no accessToken"),
    ] {
        let why = through_az(script).await.unwrap_err().said;
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
    }
}

#[tokio::test]
async fn a_borrowed_token_is_used_as_it_is_and_read_again_when_it_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let idp = Idp::open(token_answer).await;
    fs::write(&path, "Bearer b0rrowed-1\n").unwrap();
    let at_use = SignIn::Token(SecretSource::File(path.clone()));
    let at_hand = SignIn::Token(value("b0rrowed-0"));
    let (desk, redactor) = desk(&[by(at_use, idp.oidc()), by(at_hand, idp.oidc())]);
    let credential = desk.issue(0).await.unwrap();
    assert_eq!(bearer(&credential), "Bearer b0rrowed-1");
    assert_eq!(credential.issuers, std::slice::from_ref(&idp.url));
    fs::write(&path, "b0rrowed-2").unwrap();
    assert_eq!(
        bearer(&desk.renew(0, 0).await.unwrap()),
        "Bearer b0rrowed-2"
    );
    assert_eq!(redactor.redact("b0rrowed-2"), "[redacted]");

    desk.issue(1).await.unwrap();
    let why = desk.renew(1, 0).await.unwrap_err().said;
    assert!(
        why.contains("reader has no token: its token ran out, and a variable gives no other"),
        "{why}"
    );
    assert_eq!(idp.heard.lock().unwrap().len(), 0);

    fs::remove_file(&path).unwrap();
    let gone = by(SignIn::Token(SecretSource::File(path)), idp.oidc());
    assert!(refused(gone).await.contains("is gone"));
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_for_everyone() {
    let idp = Idp::open(numbered()).await;
    let (desk, _) = desk(&[reader(idp.endpoints())]);
    let first = desk.issue(0).await.unwrap();
    let left = first
        .lifetime
        .unwrap()
        .end()
        .duration_since(SystemTime::now())
        .unwrap();
    assert!(left <= Duration::from_secs(30) && left > Duration::from_secs(20));
    let waiting = (0..20).map(|_| {
        let desk = desk.clone();
        tokio::spawn(async move { bearer(&desk.renew(0, 0).await.unwrap()).to_owned() })
    });
    for waiter in waiting.collect::<Vec<_>>() {
        assert_eq!(waiter.await.unwrap(), "Bearer access-2");
    }
    assert_eq!(bearer(&desk.issue(0).await.unwrap()), "Bearer access-2");
    assert_eq!(idp.token_requests().len(), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_first_token_standing() {
    let count = AtomicUsize::new(0);
    let idp = Idp::open(move |_, url| match count.fetch_add(1, Ordering::SeqCst) {
        0 => token_answer("/token", url),
        _ => (400, JSON, r#"{"error":"invalid_grant"}"#.to_owned()),
    })
    .await;
    let (desk, _) = desk(&[reader(idp.endpoints())]);
    desk.issue(0).await.unwrap();
    assert!(desk.renew(0, 0).await.is_err());
    assert_eq!(
        bearer(&desk.issue(0).await.unwrap()),
        format!("Bearer {}", jwt())
    );
}

#[tokio::test]
async fn a_token_without_a_stated_end_ends_by_its_claims_or_soon() {
    let with_exp = format!(
        "e30.{}.c2ln",
        URL_SAFE_NO_PAD.encode(r#"{"exp":4102444800}"#)
    );
    let cases = [(with_exp, 3_000_000_000), ("opaque".to_owned(), 300)];
    for (token, most) in cases {
        let body = format!(r#"{{"access_token":"{token}"}}"#);
        let idp = Idp::open(move |_, _| (200, JSON, body.clone())).await;
        let credential = desk(&[reader(idp.endpoints())]).0.issue(0).await.unwrap();
        let left = credential
            .lifetime
            .unwrap()
            .end()
            .duration_since(SystemTime::now())
            .unwrap();
        assert!(left <= Duration::from_secs(most) && left > Duration::from_secs(290));
    }
}

#[tokio::test]
async fn a_busy_provider_is_waited_for_within_limits() {
    let busy = "application/json\r\nretry-after: 0";
    for (times, kind, answers) in [(2, busy, true), (2, JSON, true), (9, busy, false)] {
        let count = AtomicUsize::new(0);
        let idp = Idp::open(move |_, url| match count.fetch_add(1, Ordering::SeqCst) {
            number if number < times => (429, kind, String::new()),
            _ => token_answer("/token", url),
        })
        .await;
        let issued = desk(&[reader(idp.endpoints())]).0.issue(0).await;
        assert_eq!(issued.is_ok(), answers, "{issued:?}");
        assert!(idp.token_requests().len() <= 4);
    }
    let forever = "application/json\r\nretry-after: 99999999999";
    let idp = Idp::open(move |_, _| (503, forever, CANARY.to_owned())).await;
    let why = refused(reader(idp.endpoints())).await;
    assert!(
        why.contains("HTTP 503: it asks to wait") && !why.contains(CANARY),
        "{why}"
    );
    assert_eq!(idp.token_requests().len(), 1);
}

#[tokio::test]
async fn no_method_lets_an_error_show_a_secret() {
    let echo = format!(
        r#"{{"error":"odd","error_description":"echo {CANARY} {}"}}"#,
        URL_SAFE_NO_PAD.encode(CANARY)
    );
    let methods = [
        proving(Proof::Secret(value(CANARY))),
        proving(Proof::Secret(shell(
            &format!("echo '{CANARY}'"),
            Path::new(""),
        ))),
        proving(Proof::Assertion(Assertion::Given(value(CANARY)))),
        SignIn::Password {
            client: public(),
            username: "ann".to_owned(),
            password: value(CANARY),
            scope: None,
        },
        refreshing(value(CANARY), None),
        SignIn::TokenExchange {
            client: confidential(),
            of: 1,
            audience: None,
            resource: None,
            subject_token_type: "t".to_owned(),
            scope: None,
        },
    ];
    for sign_in in methods {
        let body = echo.clone();
        let idp = Idp::open(move |_, _| (400, JSON, body.clone())).await;
        let subject = by(SignIn::Token(value(CANARY)), idp.endpoints());
        let (desk, _) = desk(&[by(sign_in, idp.endpoints()), subject]);
        let why = desk.issue(0).await.unwrap_err().said;
        assert!(why.contains("odd: echo [redacted]"), "{why}");
        assert!(
            !why.contains("canary") && !why.contains(&URL_SAFE_NO_PAD.encode(CANARY)[4..14]),
            "{why}"
        );
    }
}
