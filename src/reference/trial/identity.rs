//! Token requests in, tokens and refusals as Entra words them out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::Fault;
use super::{Bench, claims};

#[test]
fn app_tokens_are_v1_by_default_and_v2_where_the_manifest_asks() {
    for (faults, version) in [(vec![], "1.0"), (vec![Fault::V2Audience], "2.0")] {
        let bench = Bench::start(&faults);
        let (api, tenant) = (bench.at("API_APP_ID"), bench.at("ENTRA_TENANT_ID"));
        let authority = bench.at("ENTRA_AUTHORITY");
        let token = claims(&bench.token("WRITER"));
        assert_eq!(token["ver"], version);
        assert_eq!(token["roles"], json!(["Products.Write"]));
        assert_eq!(token["idtyp"], "app");
        assert_eq!(token["sub"], token["oid"]);
        assert_eq!(token["tid"], tenant);
        let lifetime = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
        assert!((3599..5400).contains(&lifetime));
        let writer = bench.at("WRITER_ID");
        if version == "1.0" {
            assert_eq!(token["aud"], format!("api://{api}"));
            assert_eq!(token["iss"], format!("{authority}/sts/{tenant}/"));
            assert_eq!(
                (&token["appid"], &token["appidacr"]),
                (&json!(writer), &json!("1"))
            );
            assert!(token.get("azp").is_none());
        } else {
            assert_eq!(token["aud"], api);
            assert_eq!(token["iss"], format!("{authority}/{tenant}/v2.0"));
            assert_eq!(
                (&token["azp"], &token["azpacr"]),
                (&json!(writer), &json!("1"))
            );
            assert!(token.get("appid").is_none());
        }
    }
}

#[test]
fn a_stranger_s_token_has_no_roles_claim() {
    let bench = Bench::start(&[]);
    assert!(claims(&bench.token("STRANGER")).get("roles").is_none());
    let near_miss = json!(["Products.Read", "Products.WriteOnly"]);
    assert_eq!(claims(&bench.token("NEARMISS"))["roles"], near_miss);
}

#[test]
fn users_sign_in_through_the_public_client_and_bring_their_groups_roles() {
    let bench = Bench::start(&[]);
    for (scope, version) in [("scope", "/v2.0"), ("resource", "")] {
        let api = format!("api://{}", bench.at("API_APP_ID"));
        let asked = if scope == "scope" {
            format!("openid {api}/access_as_user")
        } else {
            api.clone()
        };
        let got = bench.token_request(
            version,
            &[
                ("grant_type", "password"),
                ("client_id", bench.at("CLIENT_APP_ID")),
                ("username", "Writer@catalog.example"),
                ("password", bench.at("WRITER_PASSWORD")),
                (scope, &asked),
            ],
        );
        let token = claims(got.json()["access_token"].as_str().unwrap());
        assert_eq!(token["upn"], bench.at("WRITER_USER"));
        assert_eq!(token["scp"], "access_as_user");
        assert_eq!(token["roles"], json!(["Products.Write"]));
        assert_eq!(
            (&token["aud"], &token["appidacr"]),
            (&json!(api), &json!("0"))
        );
        assert!(token.get("idtyp").is_none() && token["sub"] != token["oid"]);
    }
}

#[test]
fn the_first_generation_writes_numbers_as_text_and_repeats_the_resource() {
    let bench = Bench::start(&[]);
    let api = format!("api://{}", bench.at("API_APP_ID"));
    let got = bench.token_request(
        "",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", bench.at("READER_ID")),
            ("client_secret", bench.at("READER_SECRET")),
            ("resource", &api),
        ],
    );
    assert_eq!(got.status, 200);
    assert_eq!(got.json()["resource"], api);
    assert!(
        got.json()["expires_in"]
            .as_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
            >= 3599
    );
}

#[test]
fn a_secret_may_come_by_basic() {
    let bench = Bench::start(&[]);
    let pair = format!("{}:{}", bench.at("READER_ID"), bench.at("READER_SECRET"));
    let basic = format!("Basic {}", STANDARD.encode(pair));
    let tenant = format!(
        "{}/{}",
        bench.at("ENTRA_AUTHORITY"),
        bench.at("ENTRA_TENANT_ID")
    );
    let form = format!("grant_type=client_credentials&scope={}", bench.scope());
    let url = format!("{tenant}/oauth2/v2.0/token");
    let got = bench.send("POST", &url, &[("authorization", &basic)], &form);
    assert_eq!(got.status, 200);
    let seen = bench.deployment.traffic();
    assert_eq!(seen[0].client.as_deref(), Some(bench.at("READER_ID")));
}

#[test]
fn each_mistake_has_its_number() {
    let bench = Bench::start(&[]);
    let (reader, secret) = (bench.at("READER_ID"), bench.at("READER_SECRET"));
    let (public, password) = (bench.at("CLIENT_APP_ID"), bench.at("READER_PASSWORD"));
    let scope = bench.scope();
    let service = |id, secret, scope| {
        vec![
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", scope),
        ]
    };
    let user = |name, password, scope| {
        vec![
            ("grant_type", "password"),
            ("client_id", public),
            ("username", name),
            ("password", password),
            ("scope", scope),
        ]
    };
    let upn = "reader@catalog.example";
    let table = [
        (
            service(reader, "wrong", &scope),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            service(reader, "", &scope),
            401,
            "invalid_client",
            7_000_218,
        ),
        (
            service("nobody", "x", &scope),
            400,
            "unauthorized_client",
            700_016,
        ),
        (service(public, "x", &scope), 401, "invalid_client", 700_025),
        (
            service(reader, secret, "api://else/.default"),
            400,
            "invalid_resource",
            500_011,
        ),
        (
            service(reader, secret, "api://else/read"),
            400,
            "invalid_scope",
            1_002_012,
        ),
        (service(reader, secret, ""), 400, "invalid_request", 900_144),
        (vec![("client_id", reader)], 400, "invalid_request", 900_144),
        (
            vec![("grant_type", "implicit")],
            400,
            "unsupported_grant_type",
            70003,
        ),
        (user(upn, "wrong", &scope), 400, "invalid_grant", 50126),
        (
            user("x@catalog.example", password, &scope),
            400,
            "invalid_grant",
            50034,
        ),
        (user(upn, password, "openid"), 400, "invalid_scope", 70011),
    ];
    for (fields, status, error, code) in table {
        let got = bench.token_request("/v2.0", &fields);
        let body = got.json();
        assert_eq!(
            (got.status, &body["error"]),
            (status, &json!(error)),
            "{code}"
        );
        assert_eq!(body["error_codes"], json!([code]));
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")),
            "{description}"
        );
        assert!(description.contains("\r\nTrace ID: "));
        for field in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
            assert!(body[field].is_string(), "{field}");
        }
        assert!(secret.len() > 40 && !got.text.contains(secret));
    }
}

#[test]
fn metadata_names_issuers_and_keys_of_its_generation() {
    let bench = Bench::start(&[]);
    let root = format!(
        "{}/{}",
        bench.at("ENTRA_AUTHORITY"),
        bench.at("ENTRA_TENANT_ID")
    );
    for (generation, issuer) in [
        ("/v2.0", format!("{root}/v2.0")),
        (
            "",
            format!(
                "{}/sts/{}/",
                bench.at("ENTRA_AUTHORITY"),
                bench.at("ENTRA_TENANT_ID")
            ),
        ),
    ] {
        let url = format!("{root}{generation}/.well-known/openid-configuration");
        let metadata = bench.send("GET", &url, &[], "").json();
        assert_eq!(metadata["issuer"], issuer);
        let keys = bench
            .send("GET", metadata["jwks_uri"].as_str().unwrap(), &[], "")
            .json();
        let head = jsonwebtoken::decode_header(bench.token("READER")).unwrap();
        assert_eq!(keys["keys"][0]["kid"], head.kid.unwrap());
        let page = metadata["authorization_endpoint"].as_str().unwrap();
        assert_eq!(bench.send("GET", page, &[], "").status, 200);
    }
    let elsewhere = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        bench.at("ENTRA_AUTHORITY")
    );
    let got = bench.send("GET", &elsewhere, &[], "");
    assert_eq!(
        (got.status, &got.json()["error_codes"]),
        (400, &json!([90002]))
    );
}
