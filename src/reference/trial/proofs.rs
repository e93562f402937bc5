//! Clients with certificates, trusted issuers and secrets of every kind in, what they prove out.

use std::fs;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::idp::now;
use super::{Bench, Got};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a PEM file holds, in DER.
fn der(path: &str) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn signed(bench: &Bench, head: &Value, claims: &Value) -> String {
    let encoding: &dyn RsaEncoding = match head["alg"].as_str() {
        Some("PS256") => &RSA_PSS_SHA256,
        _ => &RSA_PKCS1_SHA256,
    };
    let key = RsaKeyPair::from_pkcs8(&der(bench.at("CERTIFICATE_KEY_FILE"))).unwrap();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(head), encode(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        encoding,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn asserted(bench: &Bench, client: &str, assertion: &str) -> Got {
    bench.token_request(
        "/v2.0",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", bench.at(client)),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion),
            ("scope", &bench.scope()),
        ],
    )
}

fn own_claims(bench: &Bench) -> Value {
    let id = bench.at("CERTIFICATE_ID");
    json!({
        "aud": format!("{}/oauth2/v2.0/token", bench.tenant()),
        "iss": id, "sub": id, "jti": "1", "nbf": now(), "exp": now() + 600,
    })
}

fn heads(bench: &Bench) -> [Value; 2] {
    let certificate = der(bench.at("CERTIFICATE_FILE"));
    let sha1 =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let (sha1, sha256) = (
        URL_SAFE_NO_PAD.encode(sha1),
        URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
    );
    [
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": sha256}),
        json!({"typ": "JWT", "alg": "RS256", "x5t": sha1}),
    ]
}

#[test]
fn a_certificate_proves_its_client_by_either_algorithm() {
    let bench = Bench::start(&[]);
    for head in heads(&bench) {
        let assertion = signed(&bench, &head, &own_claims(&bench));
        let token = asserted(&bench, "CERTIFICATE_ID", &assertion)
            .token()
            .unwrap();
        assert_eq!(token["roles"], json!(["Products.Read"]));
        assert_eq!(
            (&token["appidacr"], &token["idtyp"]),
            (&json!("2"), &json!("app"))
        );
    }
}

#[test]
fn an_assertion_is_the_client_s_own_fresh_and_for_this_endpoint() {
    let bench = Bench::start(&[]);
    let [head, other_head] = heads(&bench);
    let with = |claim: &str, value: Value| {
        let mut claims = own_claims(&bench);
        claims[claim] = value;
        signed(&bench, &head, &claims)
    };
    let mut stranger = other_head;
    stranger["x5t"] = json!("AAAA");
    let good = signed(&bench, &head, &own_claims(&bench));
    let table = [
        (with("exp", json!(now() - 301)), 700_024),
        (with("nbf", json!(now() + 400)), 700_024),
        (with("aud", json!("https://else.example/token")), 700_023),
        (with("sub", json!(bench.at("READER_ID"))), 700_021),
        (signed(&bench, &stranger, &own_claims(&bench)), 700_027),
        (format!("{}AAAA", &good[..good.len() - 4]), 700_027),
        ("nonsense".to_owned(), 50027),
    ];
    for (assertion, code) in table {
        let got = asserted(&bench, "CERTIFICATE_ID", &assertion);
        assert_eq!(got.token(), Err(code));
    }
    assert_eq!(asserted(&bench, "READER_ID", &good).token(), Err(70021));
    assert_eq!(
        asserted(&bench, "CLIENT_APP_ID", &good).token(),
        Err(700_025)
    );
}

#[test]
fn an_assertion_that_its_own_alg_calls_unsigned_is_refused() {
    let bench = Bench::start(&[]);
    let [mut head, _] = heads(&bench);
    for alg in ["none", "HS256", "RS512"] {
        head["alg"] = json!(alg);
        let assertion = signed(&bench, &head, &own_claims(&bench));
        let got = asserted(&bench, "CERTIFICATE_ID", &assertion);
        assert_eq!(got.token(), Err(700_027), "{alg}");
    }
}

fn github(bench: &Bench, audience: &str) -> String {
    let url = format!(
        "{}&audience={audience}",
        bench.at("ACTIONS_ID_TOKEN_REQUEST_URL")
    );
    let bearer = format!("bearer {}", bench.at("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    let got = bench.send("GET", &url, &[("authorization", &bearer)], "");
    got.json()["value"].as_str().unwrap().to_owned()
}

fn pipeline(bench: &Bench) -> String {
    let query = "?api-version=7.1&serviceConnectionId=1";
    let url = format!("{}{query}", bench.at("SYSTEM_OIDCREQUESTURI"));
    let bearer = format!("Bearer {}", bench.at("SYSTEM_ACCESSTOKEN"));
    let got = bench.send("POST", &url, &[("authorization", &bearer)], "");
    got.json()["oidcToken"].as_str().unwrap().to_owned()
}

#[test]
fn a_trusted_issuer_s_assertion_proves_the_workload() {
    let bench = Bench::start(&[]);
    for assertion in [
        github(&bench, "api://AzureADTokenExchange"),
        pipeline(&bench),
    ] {
        let token = asserted(&bench, "WORKLOAD_ID", &assertion).token().unwrap();
        assert_eq!(token["roles"], json!(["Products.Write"]));
        assert_eq!(token["appidacr"], "2");
    }
    let unasked = bench.send("GET", bench.at("ACTIONS_ID_TOKEN_REQUEST_URL"), &[], "");
    assert_eq!(unasked.status, 401);
}

#[test]
fn federation_names_what_does_not_match() {
    let bench = Bench::start(&[]);
    let genuine = github(&bench, "api://AzureADTokenExchange");
    let (head, signature) = (
        genuine.split('.').next().unwrap(),
        genuine.rsplit('.').next().unwrap(),
    );
    let claims = super::claims(&genuine);
    let edited = |claim: &str| {
        let mut claims = claims.clone();
        claims[claim] = json!("else");
        URL_SAFE_NO_PAD.encode(claims.to_string())
    };
    for (claim, code) in [
        ("iss", 700_211),
        ("sub", 700_213),
        ("aud", 700_212),
        ("jti", 700_027),
    ] {
        let forged = format!("{head}.{}.{signature}", edited(claim));
        let got = asserted(&bench, "WORKLOAD_ID", &forged);
        assert_eq!(got.token(), Err(code), "{claim}");
    }
    let wrong = github(&bench, "api://else");
    assert_eq!(
        asserted(&bench, "WORKLOAD_ID", &wrong).token(),
        Err(700_212)
    );
    assert_eq!(
        asserted(&bench, "CERTIFICATE_ID", &genuine).token(),
        Err(70021)
    );
}

#[test]
fn the_outside_issuer_publishes_the_key_that_it_signs_with() {
    let bench = Bench::start(&[]);
    let genuine = github(&bench, "x");
    let issuer = super::claims(&genuine)["iss"].as_str().unwrap().to_owned();
    let url = format!("{issuer}/.well-known/openid-configuration");
    let metadata = bench.send("GET", &url, &[], "").json();
    assert_eq!(metadata["issuer"], issuer);
    let keys = bench
        .send("GET", metadata["jwks_uri"].as_str().unwrap(), &[], "")
        .json();
    let head = jsonwebtoken::decode_header(&genuine).unwrap();
    assert_eq!(keys["keys"][0]["kid"], head.kid.unwrap());
}

#[test]
fn an_old_secret_and_a_disabled_client_have_their_own_numbers() {
    let bench = Bench::start(&[]);
    for (label, code) in [("EXPIRED", 7_000_222), ("DISABLED", 7_000_112)] {
        let got = bench.token_request(
            "/v2.0",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", bench.at(&format!("{label}_ID"))),
                ("client_secret", bench.at(&format!("{label}_SECRET"))),
                ("scope", &bench.scope()),
            ],
        );
        assert_eq!(got.token(), Err(code));
    }
}
