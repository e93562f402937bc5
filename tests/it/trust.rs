//! Another provider that the served deployment trusts in, the matrix with that provider's tokens out.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::{Bench, CATALOG, Ran, findings};
use crate::vacancy::Vacancy;

/// A served deployment; it is stopped when dropped.
struct Served {
    child: Child,
    folder: TempDir,
}

impl Served {
    /// Serves with these arguments, and returns once it has written its variables.
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Bench::new().command(folder.path(), &["reference", "--env-file", "env"]);
        let child = command.args(arguments).stderr(Stdio::null()).spawn();
        let served = Self {
            child: child.unwrap(),
            folder,
        };
        let limit = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(served.env_file()).is_ok_and(|text| text.ends_with('\n')) {
            assert!(Instant::now() < limit, "it did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }

    fn env_file(&self) -> String {
        let path = self.folder.path().join("env");
        path.to_str().unwrap().to_owned()
    }

    /// The value of a variable that the deployment has told.
    fn at(&self, name: &str) -> String {
        let text = fs::read_to_string(self.env_file()).unwrap();
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| *key == name).unwrap().1.to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A small provider with a key of its own, which signs clients in by their names and gives each its role.
struct Elsewhere {
    issuer: String,
}

impl Elsewhere {
    fn open() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let issuer = provider(move |url, request| match request {
            request if request.starts_with("GET /.well-known/") => {
                json!({
                    "issuer": url, "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/keys"),
                    "code_challenge_methods_supported": ["S256"],
                })
            }
            request if request.starts_with("GET /keys ") => keys(&pair),
            request => json!({"token_type": "Bearer", "access_token": token(&pair, url, request)}),
        });
        Self { issuer }
    }

    /// The article's scenario, whose personas sign in here and call the served deployment.
    fn run_against(&self, served: &Served) -> Ran {
        let text = fs::read_to_string(CATALOG).unwrap();
        let entra = text.find("identity:").unwrap()..text.find("personas:").unwrap();
        let oidc =
            "identity: { oidc: { issuer: \"${ISSUER}\", audience: catalog, roles: realm } }\n";
        let text = text
            .replace(&text[entra], oidc)
            .replace(", endpoint: v1", "");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rolecall.yaml"), text).unwrap();
        let bench = ["CATALOG_REST_URL", "CATALOG_MCP_URL"]
            .iter()
            .fold(Bench::new().with("ISSUER", &self.issuer), |bench, name| {
                bench.with(name, &served.at(name))
            });
        let bench = ["Read", "Write", "Admin"]
            .iter()
            .zip(["READER", "WRITER", "ADMIN"])
            .fold(bench, |bench, (role, name)| {
                bench
                    .with(&format!("{name}_ID"), role)
                    .with(&format!("{name}_SECRET"), "s3cret-canary")
            });
        ran(&bench, folder, &["run", "-q", "rolecall.yaml"])
    }
}

fn keys(pair: &KeyPair) -> Value {
    let public = pair.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "own",
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    }]})
}

/// A token for the client that the request names, whose id is the end of its role's name.
fn token(pair: &KeyPair, url: &str, request: &str) -> String {
    let id = request.split_once("client_id=").unwrap().1;
    let id = id.split('&').next().unwrap();
    let claims = json!({
        "iss": url, "aud": ["account", "catalog"], "sub": id, "azp": id,
        "exp": now() + 300, "iat": now(),
        "realm_access": {"roles": [format!("Products.{id}")]},
    });
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!(
        "{}.{}",
        encode(json!({"alg": "RS256", "kid": "own"})),
        encode(claims)
    );
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn ran(bench: &Bench, folder: TempDir, arguments: &[&str]) -> Ran {
    let output = bench.command(folder.path(), arguments).output().unwrap();
    Ran::of(output, folder)
}

#[test]
fn the_matrix_is_green_with_the_tokens_of_a_provider_that_is_trusted() {
    let elsewhere = Elsewhere::open();
    let served = Served::start(&[
        "--trust",
        &elsewhere.issuer,
        "--trust-audience",
        "another",
        "--trust-audience",
        "catalog",
        "--trust-roles",
        "/realm_access/roles",
    ]);
    let ran = elsewhere.run_against(&served);
    assert_eq!(ran.exit, 0, "{}\n{}", ran.stderr, ran.stdout);
    assert_eq!(
        ran.report()["summary"]["pass"],
        72,
        "{}",
        ran.report()["summary"]
    );

    let own = ran_with_its_own(&served);
    assert_eq!(own.exit, 0, "{}\n{}", own.stderr, own.stdout);
}

/// Its own provider's tokens are as good as before.
fn ran_with_its_own(served: &Served) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let env_file = served.env_file();
    ran(
        &Bench::new(),
        folder,
        &["run", "-q", "--env-file", &env_file, CATALOG],
    )
}

#[test]
fn a_provider_that_is_not_trusted_or_has_another_audience_locks_everybody_out() {
    let elsewhere = Elsewhere::open();
    let issuer = elsewhere.issuer.as_str();
    let others: [&[&str]; 3] = [
        &[],
        &[
            "--trust",
            issuer,
            "--trust-audience",
            "another",
            "--trust-roles",
            "/realm_access/roles",
        ],
        &["--trust", issuer, "--trust-audience", "catalog"],
    ];
    for arguments in others {
        let ran = elsewhere.run_against(&Served::start(arguments));
        assert_eq!(ran.exit, 1, "{arguments:?}: {}", ran.stderr);
        let codes: Vec<String> = findings(&ran.report()).into_keys().collect();
        assert!(codes.contains(&"lockout".to_owned()), "{codes:?}");
    }
}

/// Answers every request by what it is asked, until the test ends.
fn provider(answer: impl Fn(&str, &str) -> Value + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let own = url.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = answer(&own, &request(&mut stream)).to_string();
            let _told = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

/// The head and, where it has a length, the body.
fn request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    while reader.read_line(&mut text).unwrap() > 2 {
        let last = text.lines().last().unwrap().to_lowercase();
        if let Some(stated) = last.strip_prefix("content-length: ") {
            length = stated.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

#[test]
fn a_provider_that_cannot_be_trusted_is_named_and_nothing_is_served() {
    let gone = Vacancy::new();
    let document = |rest: Value| {
        provider(move |url, _| {
            let mut document = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
            for (name, value) in rest.as_object().unwrap() {
                document[name] = value.clone();
            }
            document
        })
    };
    let table = [
        (
            document(json!({"issuer": "https://idp.example"})),
            "names another issuer",
        ),
        (document(json!({"jwks_uri": null})), "names no jwks_uri"),
        (
            document(json!({"jwks_uri": "http://keys.invalid/"})),
            "not https",
        ),
        (document(json!({})), "no list of keys"),
        (document(json!({"keys": []})), "publishes no key"),
        (provider(|_, _| json!("<html>")), "not JSON"),
        (format!("http://{gone}"), "connection refused"),
        ("http://idp.invalid".to_owned(), "not https"),
        ("elsewhere".to_owned(), "not a URL"),
    ];
    for (issuer, why) in table {
        let arguments = [
            "reference",
            "--env-file",
            "env",
            "--trust",
            &issuer,
            "--trust-audience",
            "a",
        ];
        let ran = Bench::new().run(&arguments);
        assert_eq!(ran.exit, 2, "{issuer}: {}", ran.stderr);
        let opening = format!("error: --trust {issuer}: ");
        assert!(
            ran.stderr.starts_with(&opening) && ran.stderr.contains(why),
            "{why}: {}",
            ran.stderr
        );
        assert!(ran.stdout.is_empty() && ran.files().is_empty(), "{issuer}");
    }
}

#[test]
fn half_a_trust_is_a_usage_error() {
    let table: [&[&str]; 3] = [
        &["reference", "--trust", "http://127.0.0.1:9"],
        &["reference", "--trust-audience", "a"],
        &["reference", "--trust-roles", "/groups"],
    ];
    for arguments in table {
        let ran = Bench::new().run(arguments);
        assert_eq!(ran.exit, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
}
