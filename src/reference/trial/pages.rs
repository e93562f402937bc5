//! Users at a browser in, codes, redirects and pages out.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use super::super::idp::now;
use super::{Bench, Got, claims};

pub(super) const VERIFIER: &str = "a-verifier-of-the-forty-three-letters-it-needs";
pub(super) const LOOPBACK: &str = "http://localhost:49152";

/// An authorization request through a client, by its word in variable names.
pub(super) fn request(
    bench: &Bench,
    client: &str,
    redirect: &str,
) -> BTreeMap<&'static str, String> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let scope = format!("openid offline_access {}", bench.scope());
    BTreeMap::from([
        ("client_id", bench.at(&format!("{client}_ID")).to_owned()),
        ("redirect_uri", redirect.to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", scope),
        ("state", "<state>&".to_owned()),
        ("nonce", "n".to_owned()),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256".to_owned()),
    ])
}

pub(super) fn show(bench: &Bench, request: &BTreeMap<&'static str, String>) -> Got {
    let url = format!("{}/oauth2/v2.0/authorize", bench.tenant());
    let url = Url::parse_with_params(&url, request).unwrap();
    bench.send("GET", url.as_str(), &[], "")
}

/// The fields that a browser sends back with the form of a page.
pub(super) fn fields(page: &Got) -> Vec<(String, String)> {
    let attribute = |input: &str, name: &str| {
        let from = input.split_once(&format!("{name}=\""))?.1;
        let text = from.split_once('"')?.0.replace("&lt;", "<");
        Some(text.replace("&gt;", ">").replace("&amp;", "&"))
    };
    let inputs = page.text.split("<input type=\"hidden\"").skip(1);
    inputs
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
        .collect()
}

pub(super) fn submit(bench: &Bench, page: &Got, more: &[(&str, &str)]) -> Got {
    let fields = fields(page);
    let kept = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = kept.chain(more.iter().copied()).collect();
    bench.post(
        &format!("{}/oauth2/v2.0/authorize", bench.tenant()),
        &[],
        &all,
    )
}

pub(super) fn sign_in(bench: &Bench, page: &Got, user: &str) -> Got {
    let (name, password) = (
        bench.at(&format!("{user}_USER")),
        bench.at(&format!("{user}_PASSWORD")),
    );
    submit(bench, page, &[("loginfmt", name), ("passwd", password)])
}

/// What the browser brings back to the client.
pub(super) fn brought(got: &Got) -> BTreeMap<String, String> {
    assert_eq!(got.status, 302, "{}", got.text);
    let target = Url::parse(got.header("location")).unwrap();
    target.query_pairs().into_owned().collect()
}

fn code(bench: &Bench, client: &str, redirect: &str) -> String {
    let page = show(bench, &request(bench, client, redirect));
    brought(&sign_in(bench, &page, "READER"))["code"].clone()
}

pub(super) fn redeem(
    bench: &Bench,
    client: &str,
    redirect: &str,
    code: &str,
    more: &[(&str, &str)],
) -> Got {
    redeem_from(bench, &[], client, redirect, code, more)
}

fn redeem_from(
    bench: &Bench,
    headers: &[(&str, &str)],
    client: &str,
    redirect: &str,
    code: &str,
    more: &[(&str, &str)],
) -> Got {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", bench.at(client)),
        ("redirect_uri", redirect),
        ("code", code),
    ];
    fields.extend(more);
    bench.post(
        &format!("{}/oauth2/v2.0/token", bench.tenant()),
        headers,
        &fields,
    )
}

#[test]
fn a_user_signs_in_on_a_page_and_the_code_buys_a_token_once() {
    let bench = Bench::start(&[]);
    let page = show(&bench, &request(&bench, "CLIENT_APP", LOOPBACK));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("Enter password") && !page.text.contains("<state>"));
    let back = brought(&sign_in(&bench, &page, "READER"));
    assert_eq!(back["state"], "<state>&");
    assert_eq!(back["iss"], format!("{}/v2.0", bench.tenant()));
    let proof = [("code_verifier", VERIFIER)];
    let wrong = [("code_verifier", "another")];
    let attempt = |more: &[(&str, &str)], redirect| {
        redeem(&bench, "CLIENT_APP_ID", redirect, &back["code"], more)
    };
    assert_eq!(attempt(&wrong, LOOPBACK).token(), Err(501_481));
    assert_eq!(attempt(&[], LOOPBACK).token(), Err(501_481));
    assert_eq!(attempt(&proof, "http://localhost:1").token(), Err(500_112));
    let got = attempt(&proof, LOOPBACK);
    let token = got.token().unwrap();
    assert_eq!(token["roles"], json!(["Products.Read"]));
    assert_eq!(
        (&token["scp"], &token["appidacr"]),
        (&json!("access_as_user"), &json!("0"))
    );
    let identity = claims(got.json()["id_token"].as_str().unwrap());
    assert_eq!(
        (&identity["nonce"], &identity["aud"]),
        (&json!("n"), &json!(bench.at("CLIENT_APP_ID")))
    );
    assert!(got.json()["refresh_token"].is_string());
    assert_eq!(attempt(&proof, LOOPBACK).token(), Err(54005));
}

#[test]
fn a_web_client_proves_itself_and_comes_from_no_browser() {
    let bench = Bench::start(&[]);
    let redirect = bench.at("CONNECTOR_REDIRECT_URI");
    let code = code(&bench, "CONNECTOR", redirect);
    let secret = [
        ("code_verifier", VERIFIER),
        ("client_secret", bench.at("CONNECTOR_SECRET")),
    ];
    let unproven = redeem(&bench, "CONNECTOR_ID", redirect, &code, &secret[..1]);
    assert_eq!(unproven.token(), Err(7_000_218));
    let origin = [("origin", "https://evil.example")];
    let crossed = redeem_from(&bench, &origin, "CONNECTOR_ID", redirect, &code, &secret);
    assert_eq!(crossed.token(), Err(9_002_326));
    let token = redeem(&bench, "CONNECTOR_ID", redirect, &code, &secret)
        .token()
        .unwrap();
    assert_eq!(token["roles"], json!(["Products.Read"]));
    assert_eq!(token["scp"], "access_as_user Products.Admin.Delegated");
}

#[test]
fn a_single_page_application_needs_its_origin_and_pkce() {
    let bench = Bench::start(&[]);
    let redirect = bench.at("SPA_REDIRECT_URI");
    let origin = [("origin", "https://spa.catalog.example")];
    let proof = [("code_verifier", VERIFIER)];
    let first = code(&bench, "SPA", redirect);
    assert_eq!(
        redeem(&bench, "SPA_ID", redirect, &first, &proof).token(),
        Err(9_002_327)
    );
    let got = redeem_from(&bench, &origin, "SPA_ID", redirect, &first, &proof);
    assert_eq!(got.header("access-control-allow-origin"), origin[0].1);
    let refresh = got.json()["refresh_token"].as_str().unwrap().to_owned();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", bench.at("SPA_ID")),
        ("refresh_token", &refresh),
    ];
    assert_eq!(
        bench.token_request("/v2.0", &fields).token(),
        Err(9_002_327)
    );
    let mut unchallenged = request(&bench, "SPA", redirect);
    unchallenged.retain(|name, _| !name.starts_with("code_challenge"));
    let page = show(&bench, &unchallenged);
    let second = brought(&sign_in(&bench, &page, "READER"))["code"].clone();
    let got = redeem_from(&bench, &origin, "SPA_ID", redirect, &second, &[]);
    assert_eq!(got.token(), Err(9_002_325));
}

#[test]
fn an_unregistered_redirect_is_told_to_the_user_and_to_nobody_else() {
    let bench = Bench::start(&[]);
    let asked = "https://evil.example/cb?a=1";
    for (client, uri, told) in [
        (
            "CLIENT_APP",
            asked,
            format!("AADSTS50011: The redirect URI &#39;{asked}&#39; "),
        ),
        (
            "CLIENT_APP",
            "http://127.0.0.1:8080/callback",
            "AADSTS50011".to_owned(),
        ),
        ("MIDDLE", LOOPBACK, "AADSTS500113".to_owned()),
        ("DISABLED", LOOPBACK, "AADSTS7000112".to_owned()),
    ] {
        let page = show(&bench, &request(&bench, client, uri));
        assert!(page.text.contains(&told), "{}", page.text);
        assert_eq!(page.header("location"), "");
    }
}

#[test]
fn what_is_wrong_with_a_request_goes_back_to_its_client() {
    let bench = Bench::start(&[]);
    let table = [
        (
            "response_type",
            "token",
            "unsupported_response_type",
            "AADSTS70005",
        ),
        (
            "code_challenge_method",
            "S512",
            "invalid_request",
            "AADSTS501491",
        ),
        ("prompt", "none", "login_required", "AADSTS50058"),
    ];
    for (name, value, error, code) in table {
        let mut request = request(&bench, "CLIENT_APP", LOOPBACK);
        request.insert(name, value.to_owned());
        let back = brought(&show(&bench, &request));
        assert_eq!(back["error"], error);
        assert!(back["error_description"].starts_with(code));
        assert_eq!(back["state"], "<state>&");
    }
    let page = show(&bench, &request(&bench, "CLIENT_APP", LOOPBACK));
    let back = brought(&submit(&bench, &page, &[("answer", "cancel")]));
    assert_eq!(back["error"], "access_denied");
}

#[test]
fn the_answer_may_come_in_a_fragment_or_by_a_form() {
    let bench = Bench::start(&[]);
    let mut request = request(&bench, "CLIENT_APP", LOOPBACK);
    request.insert("response_mode", "fragment".to_owned());
    let got = sign_in(&bench, &show(&bench, &request), "READER");
    let target = Url::parse(got.header("location")).unwrap();
    assert!(target.query().is_none() && target.fragment().unwrap().starts_with("code="));
    request.insert("response_mode", "form_post".to_owned());
    let page = sign_in(&bench, &show(&bench, &request), "READER");
    let names: Vec<String> = fields(&page).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["code", "session_state", "state", "iss"]);
}

#[test]
fn a_page_says_what_is_wrong_and_asks_again() {
    let bench = Bench::start(&[]);
    let page = show(&bench, &request(&bench, "CLIENT_APP", LOOPBACK));
    for (user, code) in [
        ("DISABLED", "AADSTS50057"),
        ("MFA", "AADSTS50076"),
        ("BLOCKED", "AADSTS53003"),
    ] {
        let got = sign_in(&bench, &page, user);
        assert_eq!(got.status, 200);
        assert!(
            got.text.contains(code) && got.text.contains("Enter password"),
            "{}",
            got.text
        );
        assert!(!got.text.contains(bench.at(&format!("{user}_PASSWORD"))));
    }
}

/// What an authenticator shows that was given the secret by hand.
fn authenticator(seed: &str) -> String {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        _ => u32::from(letter - b'2') + 26,
    };
    let bits: Vec<String> = seed
        .bytes()
        .map(|letter| format!("{:05b}", value(letter)))
        .collect();
    let bits = bits.concat();
    let key: Vec<u8> = (0..bits.len() / 8)
        .map(|at| u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(now() / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] % 16);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap());
    format!("{:06}", number % (1 << 31) % 1_000_000)
}

#[test]
fn a_second_factor_opens_the_page_to_those_who_need_one() {
    let bench = Bench::start(&[]);
    let page = show(&bench, &request(&bench, "CLIENT_APP", LOOPBACK));
    let mut fields = vec![
        ("loginfmt", bench.at("MFA_USER")),
        ("passwd", bench.at("MFA_PASSWORD")),
        ("totp", "12345"),
    ];
    let wrong = submit(&bench, &page, &fields);
    assert!(wrong.text.contains("AADSTS50076"), "{}", wrong.text);
    let shown = authenticator(bench.at("MFA_SEED"));
    fields[2].1 = &shown;
    let code = brought(&submit(&bench, &page, &fields))["code"].clone();
    let proof = [("code_verifier", VERIFIER)];
    let got = redeem(&bench, "CLIENT_APP_ID", LOOPBACK, &code, &proof);
    assert_eq!(got.token().unwrap()["upn"], bench.at("MFA_USER"));
}
