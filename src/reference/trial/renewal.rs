//! Refresh tokens and tokens of users in, further tokens out.

use serde_json::{Value, json};

use super::{Bench, Got, claims};

fn refresh(bench: &Bench, token: &str, more: &[(&str, &str)]) -> Got {
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("client_id", bench.at("CLIENT_APP_ID")),
        ("refresh_token", token),
    ];
    fields.extend(more);
    bench.token_request("/v2.0", &fields)
}

fn refresh_token(got: &Got) -> String {
    got.json()["refresh_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_refresh_token_is_followed_by_another_and_stays_good() {
    let bench = Bench::start(&[]);
    let scope = format!("offline_access {}", bench.scope());
    let first = refresh_token(&bench.password("CLIENT_APP", "WRITER", &scope));
    let got = refresh(&bench, &first, &[]);
    assert_eq!(got.token().unwrap()["roles"], json!(["Products.Write"]));
    assert_ne!(refresh_token(&got), first);
    assert_eq!(refresh(&bench, &first, &[]).status, 200);
    assert_eq!(refresh(&bench, &refresh_token(&got), &[]).status, 200);
    let without = bench.password("CLIENT_APP", "WRITER", &bench.scope());
    assert!(without.json().get("refresh_token").is_none());
}

#[test]
fn a_refresh_token_is_bound_to_its_client_and_to_no_api() {
    let bench = Bench::start(&[]);
    let stored = bench.at("READER_REFRESH_TOKEN");
    let graph = format!("{}/.default", bench.at("OTHER_RESOURCE"));
    let token = refresh(&bench, stored, &[("scope", &graph)])
        .token()
        .unwrap();
    assert_eq!(
        (&token["aud"], &token["scp"]),
        (&json!(bench.at("OTHER_RESOURCE")), &json!("User.Read"))
    );
    let other = [
        ("grant_type", "refresh_token"),
        ("client_id", bench.at("UNCONSENTED_ID")),
        ("refresh_token", stored),
    ];
    assert_eq!(bench.token_request("/v2.0", &other).token(), Err(70000));
}

#[test]
fn each_end_of_a_refresh_token_has_its_number() {
    let bench = Bench::start(&[]);
    for (token, code) in [
        (bench.at("REVOKED_REFRESH_TOKEN"), 50173),
        (bench.at("IDLE_REFRESH_TOKEN"), 700_082),
        ("nonsense", 70000),
    ] {
        let got = refresh(&bench, token, &[]);
        assert_eq!(got.token(), Err(code));
        assert_eq!(got.json()["error"], "invalid_grant");
    }
    let revoked = refresh(&bench, bench.at("REVOKED_REFRESH_TOKEN"), &[]);
    assert_eq!(revoked.json()["suberror"], "bad_token");
}

fn graph(bench: &Bench, token: &str, method: &str, path: &str, body: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let url = format!("{}{path}", bench.at("GRAPH_URL"));
    bench.send(method, &url, &headers, body).status
}

#[test]
fn a_renewed_token_has_the_roles_of_its_moment() {
    let bench = Bench::start(&[]);
    let stored = bench.at("READER_REFRESH_TOKEN");
    let before = refresh(&bench, stored, &[]).token().unwrap();
    let user = before["oid"].as_str().unwrap();
    let operator = bench.token_for(
        "OPERATOR",
        &format!("{}/.default", bench.at("OTHER_RESOURCE")),
    );
    let (readers, writers) = (bench.at("READERS_GROUP_ID"), bench.at("WRITERS_GROUP_ID"));
    let leave = format!("/groups/{readers}/members/{user}/$ref");
    let join = json!({"@odata.id": format!("{}/directoryObjects/{user}", bench.at("GRAPH_URL"))});
    let outsider = bench.token_for("ADMIN", &format!("{}/.default", bench.at("OTHER_RESOURCE")));
    assert_eq!(graph(&bench, "", "DELETE", &leave, ""), 401);
    assert_eq!(
        graph(&bench, &bench.token("ADMIN"), "DELETE", &leave, ""),
        401
    );
    assert_eq!(graph(&bench, &outsider, "DELETE", &leave, ""), 403);
    assert_eq!(graph(&bench, &operator, "DELETE", &leave, ""), 204);
    assert_eq!(graph(&bench, &operator, "DELETE", &leave, ""), 400);
    let after = refresh(&bench, stored, &[]).token().unwrap();
    assert!(after.get("roles").is_none());
    let path = format!("/groups/{writers}/members/$ref");
    assert_eq!(
        graph(&bench, &operator, "POST", &path, &join.to_string()),
        204
    );
    let now = refresh(&bench, stored, &[]).token().unwrap();
    assert_eq!(now["roles"], json!(["Products.Write"]));
}

#[test]
fn a_user_revokes_what_came_of_their_own_sign_ins() {
    let bench = Bench::start(&[]);
    let scope = format!("offline_access {}/.default", bench.at("OTHER_RESOURCE"));
    let got = bench.password("CLIENT_APP", "WRITER", &scope);
    let bearer = access_token(&got);
    assert_eq!(
        graph(&bench, &bearer, "POST", "/me/revokeSignInSessions", ""),
        200
    );
    assert_eq!(
        refresh(&bench, &refresh_token(&got), &[]).token(),
        Err(50173)
    );
    assert!(
        refresh(&bench, bench.at("READER_REFRESH_TOKEN"), &[])
            .token()
            .is_ok()
    );
    let again = bench.password("CLIENT_APP", "WRITER", &scope);
    assert!(refresh(&bench, &refresh_token(&again), &[]).token().is_ok());
}

fn on_behalf(bench: &Bench, assertion: &str, scope: &str) -> Got {
    bench.token_request(
        "/v2.0",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("client_id", bench.at("MIDDLE_ID")),
            ("client_secret", bench.at("MIDDLE_SECRET")),
            ("assertion", assertion),
            ("scope", scope),
        ],
    )
}

fn access_token(got: &Got) -> String {
    got.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn an_api_calls_another_as_the_user_who_called_it() {
    let bench = Bench::start(&[]);
    let middle = format!("{}/access_as_user", bench.at("MIDDLE_RESOURCE"));
    let incoming = access_token(&bench.password("CLIENT_APP", "READER", &middle));
    let told: Value = claims(&incoming);
    assert_eq!(
        (&told["ver"], &told["aud"]),
        (&json!("2.0"), &json!(bench.at("MIDDLE_ID")))
    );
    let got = on_behalf(&bench, &incoming, &bench.scope());
    let token = got.token().unwrap();
    assert_eq!(token["upn"], bench.at("READER_USER"));
    assert_eq!(token["appid"], bench.at("MIDDLE_ID"));
    assert_eq!(
        (&token["roles"], &token["scp"]),
        (&json!(["Products.Read"]), &json!("access_as_user"))
    );
    let bearer = access_token(&got);
    assert_eq!(bench.rest(&bearer, "GET", "/api/products", "").status, 200);
    assert_eq!(
        bench.rest(&bearer, "POST", "/api/products", "{}").status,
        403
    );
}

#[test]
fn only_a_user_s_token_for_the_caller_may_be_passed_on() {
    let bench = Bench::start(&[]);
    let middle = format!("{}/.default", bench.at("MIDDLE_RESOURCE"));
    let genuine = access_token(&bench.password("CLIENT_APP", "READER", &middle));
    let forged = format!("{}AAAA", &genuine[..genuine.len() - 4]);
    let of_app = bench.token_for("READER", &middle);
    let for_other = access_token(&bench.password("CLIENT_APP", "READER", &bench.scope()));
    let scope = bench.scope();
    let graph = format!("{}/.default", bench.at("OTHER_RESOURCE"));
    let table = [
        (forged.as_str(), scope.as_str(), 50013),
        ("nonsense", &scope, 50027),
        (&of_app, &scope, 7_000_114),
        (&for_other, &scope, 500_131),
        (&genuine, &graph, 650_057),
        (&genuine, "User.Read", 65001),
    ];
    for (assertion, scope, code) in table {
        assert_eq!(
            on_behalf(&bench, assertion, scope).token(),
            Err(code),
            "{scope}"
        );
    }
}
