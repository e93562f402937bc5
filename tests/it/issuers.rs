//! Providers that answer oddly, wrongly or too much in, what a run makes of each out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bench::{Ran, findings, text};
use crate::provider::{Asked, Provider, answer, discovery, issued, json, jwt};

type Answer = Box<dyn Fn(&Asked) -> String + Send + Sync>;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

/// Personas `reader` with this declaration and `other` with none, and one operation that both are allowed.
fn scenario(declared: &str) -> String {
    let persona = |name: &str, declared: &str| {
        format!(
            "  {name}: {{ {declared} sign_in: {{ client_credentials: {{ client_id: {name}, client_secret: {{ env: CLIENT_SECRET }} }} }} }}\n"
        )
    };
    format!(
        "rolecall: 1\nname: Issuers\ndeployment: {{ rest: \"${{BASE}}\" }}\n\
         identity: {{ oidc: {{ issuer: \"${{BASE}}\", audience: api, roles: /roles }} }}\n\
         personas:\n{}{}operations:\n  list: {{ allow: [reader, other], rest: GET /items }}\n",
        persona("reader", declared),
        persona("other", "")
    )
}

/// Claims as they should be of a client, but for some.
fn claims(asked: &Asked, other: &Value) -> Value {
    let who = asked.parameter("client_id");
    let mut claims = json!({
        "iss": asked.base, "aud": "api", "sub": format!("sub-{who}"), "azp": who, "tid": "t", "oid": format!("oid-{who}"),
        "idtyp": "app", "iat": now(), "nbf": now(), "exp": now() + 3600,
    });
    for (name, value) in other.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    claims
}

/// A provider whose answers to `reader`'s token requests are these; `other` gets a good token, and the API lets everyone in.
fn answering(reader: impl Fn(&Asked) -> String + Send + Sync + 'static) -> Provider {
    Provider::new(move |asked| match asked.target.as_str() {
        "/.well-known/openid-configuration" => json(200, &discovery(&asked.base, &json!({}))),
        "/token" if asked.parameter("client_id") == "reader" => reader(asked),
        "/token" => issued(&jwt(&claims(asked, &json!({}))), 3600),
        _ => json(200, &json!([])),
    })
}

fn cells_of(ran: &Ran, persona: &str) -> Vec<(String, String)> {
    let report = ran.report();
    let cells = report["cells"].as_array().unwrap();
    let own = cells.iter().filter(|cell| cell["persona"] == persona);
    own.map(|cell| (text(&cell["verdict"]), text(&cell["code"])))
        .collect()
}

/// The run goes on without `reader`, of which nothing is called.
fn assert_only_reader_is_out(provider: &Provider, ran: &Ran, code: &str, what: &str) {
    let out = |verdict: &str| vec![(verdict.to_owned(), code.to_owned())];
    assert_eq!(
        cells_of(ran, "reader"),
        out("unproven"),
        "{what}: {}",
        ran.stdout
    );
    assert_eq!(
        cells_of(ran, "other")[0].0,
        "pass",
        "{what}: {}",
        ran.stdout
    );
    let found = findings(&ran.report());
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        [code],
        "{what}: {}",
        ran.stdout
    );
    let calls = provider.heard(|asked| asked.target == "/items");
    assert_eq!(calls.len(), 1, "{what}: only the other one calls");
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
}

/// T01.
#[test]
fn a_provider_that_gives_no_token_costs_its_persona_and_nobody_else() {
    let html = "content-type: text/html\r\n";
    let table = [
        answer(200, html, "<html>Sign in</html>"),
        answer(200, html, ""),
        answer(200, "content-type: application/json\r\n", ""),
        answer(
            200,
            "content-type: text/plain\r\n",
            r#"{"access_token":"t","token_type":"Bearer"}"#,
        ),
        answer(502, html, "<html>Bad gateway</html>"),
        json(200, &json!({ "token_type": "Bearer" })),
        json(200, &json!({ "error": "invalid_client" })),
        json(200, &json!({ "access_token": "t", "token_type": "mac" })),
        answer(302, "location: /sign-in\r\n", ""),
    ];
    for reply in table {
        let shown = reply.clone();
        let provider = answering(move |_| reply.clone());
        let ran = provider.run(&scenario(""), &[]);
        assert_eq!(ran.exit, 3, "{shown}: {}{}", ran.stdout, ran.stderr);
        assert_only_reader_is_out(&provider, &ran, "sign-in-failed", &shown);
    }
}

/// T02.
#[test]
fn an_odd_lifetime_or_token_type_is_taken_and_renews_nothing() {
    for odd in [
        json!({ "expires_in": "3600" }),
        json!({ "expires_in": 3600.5 }),
        json!({ "expires_in": 0 }),
        json!({ "expires_in": -5 }),
        json!({ "expires_in": 1e18 }),
        json!({ "expires_in": null }),
        json!({ "expires_in": "soon" }),
        json!({ "token_type": "bearer", "expires_in": 3600 }),
        json!({ "token_type": "BEARER" }),
    ] {
        let shown = odd.to_string();
        let provider = answering(move |asked| {
            let mut body = odd.clone();
            body["access_token"] = json!(jwt(&claims(asked, &json!({}))));
            json(200, &body)
        });
        let ran = provider.run(&scenario(""), &[]);
        assert_eq!(ran.exit, 0, "{shown}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(provider.heard(Asked::is_for_a_token).len(), 2, "{shown}");
    }
}

/// T03, T14.
#[test]
fn a_token_that_cannot_be_read_serves_whoever_declares_nothing_and_stops_the_others() {
    let part = "eyJhIjoxfQ";
    for token in [
        "opaque".to_owned(),
        format!("{part}.{part}"),
        format!("{part}.{part}.{part}.{part}.{part}.{part}"),
        format!("{part}.%%%.{part}"),
        format!("{part}.{}.{part}", "x".repeat(900_000)),
        jwt(&json!("[".repeat(10_000))),
    ] {
        let shown = token.chars().take(60).collect::<String>();
        let provider = answering(move |_| issued(&token, 3600));
        let ran = provider.run(&scenario("roles: [Read],"), &[]);
        assert_eq!(ran.exit, 3, "{shown}: {}{}", ran.stdout, ran.stderr);
        assert_only_reader_is_out(&provider, &ran, "token-opaque", &shown);
    }
    let provider = answering(|_| issued("opaque", 3600));
    let text = scenario("").replace(
        "oidc: { issuer: \"${BASE}\", audience: api, roles: /roles }",
        "endpoints: { token: \"${BASE}/token\" }",
    );
    let ran = provider.run(&text, &[]);
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(provider.heard(|asked| asked.bearer == "opaque").len(), 1);
}

/// T04, T05, T06 and all else that preflight stops a persona for.
#[test]
fn each_difference_stops_its_persona_with_its_own_code_and_no_call() {
    let administrator = "62e90394-69f5-4237-9190-012177145e10";
    let table = [
        (
            "user: oid-reader,",
            json!({ "oid": "x", "sub": "y" }),
            "token-wrong-user",
        ),
        ("", json!({ "azp": "another" }), "token-client"),
        ("tenant: t,", json!({ "tid": "u" }), "token-tenant"),
        (
            "roles: [Read],",
            json!({ "roles": ["Read", "Admin"] }),
            "token-roles-extra",
        ),
        (
            "roles: [Read],",
            json!({ "roles": [] }),
            "token-roles-missing",
        ),
        ("roles: [Read],", json!({}), "token-roles-missing"),
        (
            "",
            json!({ "wids": [administrator] }),
            "token-is-directory-admin",
        ),
        ("", json!({ "aud": "another" }), "token-audience"),
        ("", json!({ "iss": "https://v1.example/" }), "token-issuer"),
        ("scopes: [read],", json!({ "scp": "write" }), "token-scopes"),
        ("fidelity: user,", json!({}), "token-fidelity"),
        ("", json!({ "exp": now() - 1 }), "token-expired"),
        ("", json!({ "nbf": now() + 600 }), "token-expired"),
    ];
    for (declared, other, code) in table {
        let shown = format!("{declared} {other}");
        let provider = answering(move |asked| issued(&jwt(&claims(asked, &other)), 3600));
        let ran = provider.run(&scenario(declared), &[]);
        assert_eq!(ran.exit, 1, "{shown}: {}{}", ran.stdout, ran.stderr);
        assert_only_reader_is_out(&provider, &ran, code, &shown);
    }
}

#[test]
fn two_personas_of_one_account_are_both_stopped() {
    let provider =
        answering(|asked| issued(&jwt(&claims(asked, &json!({ "oid": "oid-other" }))), 3600));
    let ran = provider.run(&scenario(""), &[]);
    assert_eq!(ran.exit, 1, "{}{}", ran.stdout, ran.stderr);
    let found = findings(&ran.report());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["personas-share-account"]);
    assert!(provider.heard(|asked| asked.target == "/items").is_empty());
}

/// T07: the first line of a discovery document that is not to be trusted is the last thing that is asked.
#[test]
fn a_provider_that_is_not_to_be_trusted_is_posted_no_secret() {
    let elsewhere = Provider::new(|_| issued("t", 3600));
    let other = elsewhere.base();
    let with = |members: Value| -> Answer {
        Box::new(move |asked| json(200, &discovery(&asked.base, &members)))
    };
    let redirect = format!("location: {other}/.well-known/openid-configuration\r\n");
    let table: [(&str, Answer); 8] = [
        (
            "another issuer",
            with(json!({ "issuer": "https://issuer.example" })),
        ),
        (
            "http",
            with(json!({ "token_endpoint": "http://192.0.2.1/token" })),
        ),
        (
            "another origin",
            with(json!({ "token_endpoint": format!("{other}/token") })),
        ),
        ("no endpoint", with(json!({ "token_endpoint": null }))),
        ("a redirect", Box::new(move |_| answer(302, &redirect, ""))),
        ("50 MB", with(json!({ "padding": "x".repeat(50 << 20) }))),
        (
            "no JSON",
            Box::new(|_| answer(200, "content-type: text/html\r\n", "<html>")),
        ),
        (
            "silence",
            Box::new(|asked| {
                std::thread::sleep(Duration::from_secs(3));
                json(200, &discovery(&asked.base, &json!({})))
            }),
        ),
    ];
    for (what, document) in table {
        let provider = Provider::new(move |asked| match asked.method.as_str() {
            "GET" => document(asked),
            _ => issued("t", 3600),
        });
        let ran = provider.run(&scenario(""), &["--timeout", "1s"]);
        assert_eq!(ran.exit, 3, "{what}: {}{}", ran.stdout, ran.stderr);
        assert!(
            findings(&ran.report()).contains_key("sign-in-failed"),
            "{what}"
        );
        if what == "another issuer" {
            assert!(
                ran.stdout.contains("https://issuer.example"),
                "{}",
                ran.stdout
            );
        }
        assert!(
            provider.heard(|asked| asked.method == "POST").is_empty(),
            "{what}"
        );
    }
    assert!(
        elsewhere.heard(|_| true).is_empty(),
        "somebody went elsewhere"
    );
}

/// T08: what a provider says of its keys can neither hold a run nor vouch for anything.
#[test]
fn odd_keys_verify_nothing_and_hold_nobody() {
    let key = json!({ "kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB" });
    let many: Vec<Value> = vec![key.clone(); 100_000];
    for (what, keys, status) in [
        ("100,000 keys", json!({ "keys": many }), 200),
        ("one id twice", json!({ "keys": [key, key] }), 200),
        (
            "no algorithm",
            json!({ "keys": [{ "kty": "oct", "alg": "none", "kid": "k", "k": "" }] }),
            200,
        ),
        ("no keys", json!({}), 200),
        ("an error", json!({}), 500),
    ] {
        let provider = Provider::new(move |asked| match asked.target.as_str() {
            "/.well-known/openid-configuration" => {
                let keys = json!({ "jwks_uri": format!("{}/keys", asked.base) });
                json(200, &discovery(&asked.base, &keys))
            }
            "/keys" => json(status, &keys),
            "/token" => {
                let signed = jwt(&claims(asked, &json!({})));
                issued(&signed, 3600)
            }
            _ => json(200, &json!([])),
        });
        let ran = provider.run(&scenario(""), &[]);
        let found = findings(&ran.report());
        let codes: Vec<&String> = found.keys().collect();
        let unverified = ran.exit == 0 && codes.is_empty();
        let wrong = ran.exit == 1 && codes == ["token-signature"];
        assert!(unverified || wrong, "{what}: {}{}", ran.stdout, ran.stderr);
    }
}

/// T09.
#[test]
fn clocks_that_differ_are_told_and_leave_the_personas_unproven() {
    for (seconds, is_told) in [(-600_i64, true), (600, true), (60, false)] {
        let provider = Provider::new(move |asked| match asked.target.as_str() {
            "/.well-known/openid-configuration" => {
                let there = now().checked_add_signed(seconds).unwrap();
                let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(there));
                let headers = format!("content-type: application/json\r\ndate: {date}\r\n");
                answer(
                    200,
                    &headers,
                    &discovery(&asked.base, &json!({})).to_string(),
                )
            }
            "/token" => issued(&jwt(&claims(asked, &json!({}))), 3600),
            _ => json(200, &json!([])),
        });
        let ran = provider.run(&scenario(""), &[]);
        let found = findings(&ran.report());
        assert_eq!(
            ran.exit,
            if is_told { 3 } else { 0 },
            "{seconds}: {}{}",
            ran.stdout,
            ran.stderr
        );
        assert_eq!(
            found.contains_key("clock-skew"),
            is_told,
            "{seconds}: {found:?}"
        );
        let calls = provider.heard(|asked| asked.target == "/items").len();
        assert_eq!(calls, if is_told { 0 } else { 2 }, "{seconds}");
    }
}

/// T13.
#[test]
fn a_token_from_before_the_run_is_noted_and_used() {
    for (age, is_noted) in [(280, false), (330, true)] {
        let provider = answering(move |asked| {
            let old = json!({ "iat": now() - age, "nbf": now() - age });
            issued(&jwt(&claims(asked, &old)), 3600)
        });
        let ran = provider.run(&scenario(""), &[]);
        assert_eq!(ran.exit, 0, "{age}: {}{}", ran.stdout, ran.stderr);
        let found = findings(&ran.report());
        assert_eq!(
            found.contains_key("token-stale"),
            is_noted,
            "{age}: {found:?}"
        );
        assert_eq!(provider.heard(|asked| asked.target == "/items").len(), 2);
    }
}
