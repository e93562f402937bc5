//! Requests to the endpoints of managed identities in, tokens and refusals as Azure words them out.

use serde_json::json;

use super::{Bench, Got, claims};

fn app_service(bench: &Bench, query: &str) -> Got {
    let url = format!("{}?{query}", bench.at("IDENTITY_ENDPOINT"));
    let header = ("x-identity-header", bench.at("IDENTITY_HEADER"));
    bench.send("GET", &url, &[header], "")
}

fn metadata(bench: &Bench, query: &str) -> Got {
    let url = format!("{}?{query}", bench.at("IMDS_ENDPOINT"));
    bench.send("GET", &url, &[("metadata", "true")], "")
}

#[test]
fn app_service_gives_the_host_s_identity_or_the_one_that_is_chosen() {
    let bench = Bench::start(&[]);
    let base = format!(
        "api-version=2019-08-01&resource=api://{}",
        bench.at("API_APP_ID")
    );
    let by_id = format!("{base}&client_id={}", bench.at("MANAGED_ID"));
    let by_path = format!("{base}&mi_res_id={}", bench.at("MANAGED_RESOURCE_ID"));
    let table = [
        (base, "HOST_ID", "Products.Read"),
        (by_id, "MANAGED_ID", "Products.Write"),
        (by_path, "MANAGED_ID", "Products.Write"),
    ];
    for (query, id, role) in table {
        let body = app_service(&bench, &query).json();
        assert_eq!(body["client_id"], bench.at(id));
        assert_eq!(body["token_type"], "Bearer");
        assert!(body["expires_on"].is_string() && body.get("expires_in").is_none());
        let token = claims(body["access_token"].as_str().unwrap());
        assert_eq!(token["roles"], json!([role]));
        assert_eq!(
            (&token["idtyp"], &token["appid"]),
            (&json!("app"), &json!(bench.at(id)))
        );
    }
}

#[test]
fn the_metadata_service_tells_more_and_keeps_a_token_for_a_day() {
    let bench = Bench::start(&[]);
    let query = format!(
        "api-version=2018-02-01&resource=api://{}",
        bench.at("API_APP_ID")
    );
    let (first, second) = (
        metadata(&bench, &query).json(),
        metadata(&bench, &query).json(),
    );
    assert_eq!(first["access_token"], second["access_token"]);
    for field in [
        "expires_in",
        "ext_expires_in",
        "expires_on",
        "not_before",
        "resource",
    ] {
        assert!(first[field].is_string(), "{field}");
    }
    let token = claims(first["access_token"].as_str().unwrap());
    let lifetime = token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 86_399);
    let bearer = first["access_token"].as_str().unwrap();
    assert_eq!(bench.rest(bearer, "GET", "/api/products", "").status, 200);
}

#[test]
fn both_endpoints_refuse_each_in_its_own_words() {
    let bench = Bench::start(&[]);
    let resource = format!("resource=api://{}", bench.at("API_APP_ID"));
    let url = format!(
        "{}?api-version=2019-08-01&{resource}",
        bench.at("IDENTITY_ENDPOINT")
    );
    let forged = bench.send("GET", &url, &[("x-identity-header", "guess")], "");
    assert_eq!(
        (forged.status, &forged.json()["statusCode"]),
        (401, &json!(401))
    );
    let url = format!(
        "{}?api-version=2018-02-01&{resource}",
        bench.at("IMDS_ENDPOINT")
    );
    for headers in [
        vec![],
        vec![("metadata", "true"), ("x-forwarded-for", "10.0.0.1")],
    ] {
        let got = bench.send("GET", &url, &headers, "");
        assert_eq!(
            (got.status, &got.json()["error"]),
            (400, &json!("invalid_request"))
        );
    }
    let table = [
        (resource.clone(), "invalid_request"),
        ("api-version=2018-02-01".to_owned(), "invalid_request"),
        (
            format!("api-version=2018-02-01&{resource}&client_id=nobody"),
            "invalid_request",
        ),
        (
            "api-version=2018-02-01&resource=api://else".to_owned(),
            "invalid_resource",
        ),
    ];
    for (query, error) in table {
        let got = metadata(&bench, &query);
        assert_eq!(
            (got.status, &got.json()["error"]),
            (400, &json!(error)),
            "{query}"
        );
        assert_eq!(
            app_service(&bench, &query.replace("2018-02", "2019-08")).status,
            400
        );
    }
}
