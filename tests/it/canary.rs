//! A canary in every secret slot; every output searched for it, in every encoding.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rolecall::reference::{Deployment, Fault};

use crate::bench::{Bench, CATALOG, Ran, deployment};

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
