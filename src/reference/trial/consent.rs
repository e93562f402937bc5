//! Users and clients that something stands in the way of in, the number that says what out.

use serde_json::json;

use super::Bench;

#[test]
fn what_stands_in_a_user_s_way_has_its_number() {
    let bench = Bench::start(&[]);
    let table = [
        ("MFA", 50076, json!("basic_action")),
        ("UNENROLLED", 50079, json!("basic_action")),
        ("LOCKED", 50053, json!(null)),
        ("EXPIRED", 50055, json!("user_password_expired")),
        ("PASSWORDLESS", 50056, json!(null)),
        ("DISABLED", 50057, json!(null)),
        ("BLOCKED", 53003, json!("message_only")),
    ];
    for (user, code, suberror) in table {
        let got = bench.password("CLIENT_APP", user, &bench.scope());
        assert_eq!(got.token(), Err(code), "{user}");
        let body = got.json();
        assert_eq!(
            (&body["error"], &body["suberror"]),
            (&json!("invalid_grant"), &suberror)
        );
    }
    let stranger = bench.password("CLIENT_APP", "STRANGER", &bench.scope());
    assert!(stranger.token().unwrap().get("roles").is_none());
}

#[test]
fn what_a_client_may_not_ask_for_has_its_number() {
    let bench = Bench::start(&[]);
    let api = format!("api://{}", bench.at("API_APP_ID"));
    let default = |name: &str| format!("{}/.default", bench.at(name));
    let table = [
        ("UNCONSENTED", bench.scope(), 65001),
        (
            "CLIENT_APP",
            format!("{api}/Products.Admin.Delegated"),
            65001,
        ),
        ("CLIENT_APP", format!("{api}/nothing"), 650_053),
        (
            "CLIENT_APP",
            format!("{api}/access_as_user User.Read"),
            700_022,
        ),
        ("CLIENT_APP", default("RETIRED_RESOURCE"), 50001),
        ("SPA", default("OTHER_RESOURCE"), 650_057),
    ];
    for (client, scope, code) in table {
        let got = bench.password(client, "READER", &scope);
        assert_eq!(got.token(), Err(code), "{scope}");
    }
    let unconsented = bench.password("UNCONSENTED", "READER", &bench.scope());
    assert_eq!(unconsented.json()["suberror"], "consent_required");
}

#[test]
fn an_api_that_demands_assignment_admits_only_those_who_have_a_role() {
    let bench = Bench::start(&[]);
    let guarded = format!("{}/.default", bench.at("GUARDED_RESOURCE"));
    let reader = bench
        .password("CLIENT_APP", "READER", &guarded)
        .token()
        .unwrap();
    assert_eq!(reader["roles"], json!(["Orders.Read"]));
    assert_eq!(
        bench.password("CLIENT_APP", "WRITER", &guarded).token(),
        Err(50105)
    );
    let service = |label: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", bench.at(&format!("{label}_ID"))),
            ("client_secret", bench.at(&format!("{label}_SECRET"))),
            ("scope", &guarded),
        ];
        bench.token_request("/v2.0", &fields).token()
    };
    assert_eq!(service("WRITER"), Err(501_051));
    assert!(service("READER").is_ok());
}

#[test]
fn the_second_generation_takes_a_resource_only_next_to_its_scope() {
    let bench = Bench::start(&[]);
    let (scope, api) = (bench.scope(), format!("api://{}", bench.at("API_APP_ID")));
    let ask = |more: &[(&str, &str)]| {
        let mut fields = vec![
            ("grant_type", "password"),
            ("client_id", bench.at("CLIENT_APP_ID")),
            ("username", bench.at("READER_USER")),
            ("password", bench.at("READER_PASSWORD")),
        ];
        fields.extend(more);
        bench.token_request("/v2.0", &fields)
    };
    assert!(
        ask(&[("scope", &scope), ("resource", &api)])
            .token()
            .is_ok()
    );
    let elsewhere = ask(&[("scope", &scope), ("resource", bench.at("CATALOG_MCP_URL"))]);
    assert_eq!(elsewhere.token(), Err(9_010_010));
    assert_eq!(elsewhere.json()["error"], "invalid_target");
    assert_eq!(ask(&[("resource", &api)]).token(), Err(901_002));
}
