//! A canary in every secret slot; every output searched for it, in every encoding.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rolecall::reference::{Deployment, Fault};
use serde_json::Value;

use crate::bench::{Bench, CATALOG, Ran, deployment};
use crate::provider::{Asked, Provider, SECRET, answer, discovery, json};

/// What must be nowhere: the deployment's secrets, and the marks that every JWT has.
fn forbidden(deployment: &Deployment) -> Vec<String> {
    let variables = deployment.variables();
    let secret = |name: &str| {
        ["SECRET", "PASSWORD", "TOKEN"]
            .iter()
            .any(|word| name.contains(word))
    };
    let secrets = variables
        .into_iter()
        .filter(|(name, _)| secret(name))
        .map(|(_, value)| value);
    secrets
        .flat_map(|secret| encodings(&secret))
        .chain(["eyJhbGciOi".to_owned(), "eyJ0eXAi".to_owned()])
        .collect()
}

fn encodings(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let percent = secret.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    });
    let decimal: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let mut found = vec![
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        percent,
        decimal.join(", "),
        decimal.join(","),
    ];
    for offset in 0..3 {
        let padded = format!("{}{secret}", "x".repeat(offset));
        for text in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let inner = text.trim_end_matches('=');
            found.push(inner[4.min(inner.len())..inner.len() - 2].to_owned());
        }
    }
    found
}

fn outputs(ran: &Ran) -> Vec<(PathBuf, String)> {
    let files = ran
        .files()
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()));
    let streams = [
        ("stdout".into(), ran.stdout.clone()),
        ("stderr".into(), ran.stderr.clone()),
    ];
    files.chain(streams).collect()
}

fn assert_silent(ran: &Ran, forbidden: &[String], what: &str) {
    for (place, text) in outputs(ran) {
        for secret in forbidden {
            assert!(
                !text.contains(secret.as_str()),
                "{what}: a secret reached {}",
                place.display()
            );
        }
    }
}

#[test]
fn no_secret_reaches_any_output_of_a_run_even_when_everything_is_logged() {
    for faults in [
        &[][..],
        &[Fault::RestNoRoleCheck],
        &[Fault::CrashOnDenial, Fault::RefusalInBand],
        &[Fault::SubscriptionKeyRequired],
    ] {
        let deployment = deployment(faults);
        let bench = Bench::against(&deployment).with("RUST_LOG", "trace");
        let arguments = [
            "-vvv", "run", "--report", "table", "--report", "junit", "--report", "json",
            "--report", "markdown", CATALOG,
        ];
        assert_silent(
            &bench.run(&arguments),
            &forbidden(&deployment),
            &format!("{faults:?}"),
        );
    }
}

#[test]
fn no_secret_reaches_the_claims_the_plan_or_a_refused_sign_in() {
    let deployment = deployment(&[]);
    let forbidden = forbidden(&deployment);
    let bench = Bench::against(&deployment).with("RUST_LOG", "trace");
    let claims = bench.run(&["-vvv", "token", "reader", CATALOG]);
    assert_eq!(claims.exit, 0, "{}", claims.stderr);
    assert!(claims.stdout.contains("Products.Read"));
    assert_silent(&claims, &forbidden, "token");
    assert_silent(&bench.run(&["-vvv", "plan", CATALOG]), &forbidden, "plan");

    let wrong = Bench::against(&deployment)
        .with("RUST_LOG", "trace")
        .with("READER_SECRET", "canary-4f1c9d2e77ab");
    let refused = wrong.run(&["-vvv", "run", CATALOG]);
    assert_eq!(refused.exit, 3, "{}\n{}", refused.stdout, refused.stderr);
    assert!(refused.stdout.contains("7000215"), "{}", refused.stdout);
    assert_silent(
        &refused,
        &encodings("canary-4f1c9d2e77ab"),
        "refused sign-in",
    );
}

/// Everything that a request brought, in every form that an answer can give it.
fn repeated(asked: &Asked, how: &str) -> String {
    // The secrets first: what is quoted of an error is its beginning.
    let values: Vec<String> = url::form_urlencoded::parse(asked.body.as_bytes())
        .filter(|(name, _)| !matches!(&**name, "client_id" | "grant_type" | "scope"))
        .map(|(_, value)| value.into_owned())
        .collect();
    let brought = format!("{} {} {}", values.join(" "), asked.body, asked.head);
    let brought = brought.replace(['\r', '\n'], " ");
    let all = format!("{brought} {}", STANDARD.encode(&brought));
    let kind = "content-type: application/json\r\n";
    match how {
        "described" => {
            let error = serde_json::json!({
                "error": "odd", "error_description": all, "error_uri": format!("https://help.example/?{all}"),
                "suberror": all, "trace_id": all,
            });
            answer(400, kind, &error.to_string())
        }
        "named" => json(400, &serde_json::json!({ "error": all })),
        "page" => answer(
            200,
            "content-type: text/html\r\n",
            &format!("<html>{all}</html>"),
        ),
        "redirect" => answer(
            302,
            &format!("location: https://x.example/?{all}\r\n"),
            &all,
        ),
        "crash" => answer(500, "content-type: text/plain\r\n", &all),
        "status" => format!("HTTP/1.1 400 {all}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        "garbage" => all,
        "token" => {
            let odd = serde_json::json!({ "access_token": format!("t {all}"), "token_type": all, "expires_in": all });
            json(200, &odd)
        }
        _ => unreachable!("no such way: {how}"),
    }
}

/// Every method that needs no person, each secret its own.
const METHODS: &str = r#"
rolecall: 1
name: A provider that repeats
deployment: { rest: "${BASE}" }
identity:
  entra: { tenant: contoso, resource: "api://catalog", authority: "${BASE}" }
personas:
  secret: { sign_in: { client_credentials: { client_id: a, client_secret: { env: CLIENT_SECRET } } } }
  printed: { sign_in: { client_credentials: { client_id: a, client_secret: { command: [cat, printed] } } } }
  basic:
    identity: { oidc: { issuer: "${BASE}", token_endpoint: "${BASE}/token", client_auth: basic } }
    sign_in: { client_credentials: { client_id: a, client_secret: { env: BASIC_SECRET } } }
  certificate: { sign_in: { client_credentials: { client_id: a, certificate: { key: { file: "${CERTIFICATE_KEY_FILE}" }, certificate: { file: "${CERTIFICATE_FILE}" } } } } }
  federated: { sign_in: { client_credentials: { client_id: a, assertion: { env: ASSERTION } } } }
  user: { sign_in: { password: { client_id: a, username: u, password: { env: PASSWORD } } } }
  refresh: { sign_in: { refresh_token: { client_id: a, token: { env: REFRESH } } } }
  borrowed: { sign_in: { token: { env: BORROWED } } }
  behalf: { sign_in: { on_behalf_of: { client_id: a, client_secret: { env: CLIENT_SECRET }, of: borrowed } } }
  exchange: { sign_in: { token_exchange: { client_id: a, of: borrowed } } }
  machine: { sign_in: { managed_identity: { endpoint: "${BASE}/msi" } } }
operations:
  list: { allow: [secret], rest: GET /items }
"#;

const SLOTS: [(&str, &str); 5] = [
    ("BASIC_SECRET", "b4sic+canary/of=it"),
    ("ASSERTION", "4ssertion-canary-of-it"),
    ("PASSWORD", "p4ssword&canary of it"),
    ("REFRESH", "r3fresh-canary-of-it"),
    ("BORROWED", "b0rrowed-canary-of-it"),
];

/// T12, K03.
#[test]
fn no_secret_comes_back_from_a_provider_that_repeats_everything() {
    let reference = deployment(&[]);
    let mut forbidden = encodings(SECRET);
    forbidden.extend(encodings("pr1nted-canary-of-it"));
    forbidden.extend(SLOTS.iter().flat_map(|(_, secret)| encodings(secret)));
    // How client assertions begin, which are made anew for each request, and a secret that lost what is no letter.
    let begun = [
        "eyJhbGciOi",
        "eyJ0eXAi",
        "b4siccanaryofit",
        "p4sswordcanaryofit",
    ];
    forbidden.extend(begun.map(str::to_owned));
    for how in [
        "described",
        "named",
        "page",
        "redirect",
        "crash",
        "status",
        "garbage",
        "token",
    ] {
        let provider = Provider::new(move |asked| {
            if asked.target.contains("well-known") {
                return json(200, &discovery(&asked.base, &Value::Null));
            }
            repeated(asked, how)
        });
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut bench = provider
            .bench()
            .with("PATH", path.to_str().unwrap())
            .with("RUST_LOG", "trace");
        for (name, value) in SLOTS {
            bench = bench.with(name, value);
        }
        for (name, value) in reference.variables() {
            if name.starts_with("CERTIFICATE_") {
                bench = bench.with(name, &value);
            }
        }
        for arguments in [
            &["-vvv", "run"][..],
            &["-vvv", "doctor"],
            &["-vvv", "token", "--all"],
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("rolecall.yaml"), METHODS).unwrap();
            std::fs::write(folder.path().join("printed"), "pr1nted-canary-of-it").unwrap();
            let mut command = bench.command(folder.path(), arguments);
            let output = command.arg("rolecall.yaml").output().unwrap();
            std::fs::remove_file(folder.path().join("printed")).unwrap();
            let ran = Ran::of(output, folder);
            let what = format!("{how} {arguments:?}");
            assert!(
                matches!(ran.exit, 1 | 3),
                "{what}: {}{}",
                ran.stdout,
                ran.stderr
            );
            assert_silent(&ran, &forbidden, &what);
        }
        let posted = provider.heard(|asked| asked.method == "POST").len();
        assert!(posted >= 27, "{how}: only {posted} sign-ins were tried");
    }
}
