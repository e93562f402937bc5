//! Calls of every persona in, the permission table as both doors enforce it out.

use serde_json::json;

use super::Bench;

#[test]
fn anonymous_gets_401_and_a_pointer_only_at_mcp() {
    let bench = Bench::start(&[]);
    let rest = bench.rest("", "GET", "/api/products", "");
    assert_eq!((rest.status, rest.header("www-authenticate")), (401, ""));
    assert_eq!(rest.text, r#"{"statusCode":401,"message":"Unauthorized."}"#);
    let mcp = bench.modern("", "tools/list", json!({}));
    let pointer = format!(
        r#"Bearer resource_metadata="{}/.well-known/oauth-protected-resource/mcp", scope="api://{}/access_as_user""#,
        bench.at("CATALOG_REST_URL"),
        bench.at("API_APP_ID")
    );
    assert_eq!(
        (mcp.status, mcp.header("www-authenticate")),
        (401, pointer.as_str())
    );
    let garbage = bench.modern("garbage", "tools/list", json!({}));
    assert!(
        garbage
            .header("www-authenticate")
            .contains(r#"error="invalid_token""#)
    );
    for method in ["GET", "DELETE", "PUT"] {
        assert_eq!(
            bench
                .send(method, bench.at("CATALOG_MCP_URL"), &[], "")
                .status,
            401,
            "{method}"
        );
    }
}

#[test]
fn the_metadata_of_the_resource_needs_no_token() {
    let bench = Bench::start(&[]);
    let base = bench.at("CATALOG_REST_URL");
    let got = bench.send(
        "GET",
        &format!("{base}/.well-known/oauth-protected-resource/mcp"),
        &[],
        "",
    );
    assert_eq!(got.status, 200);
    assert_eq!(got.json()["resource"], bench.at("CATALOG_MCP_URL"));
    let issuer = got.json()["authorization_servers"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let metadata = bench.send(
        "GET",
        &format!("{issuer}/.well-known/openid-configuration"),
        &[],
        "",
    );
    assert_eq!(metadata.json()["issuer"], issuer);
}

#[test]
fn a_path_that_is_no_route_is_404_before_any_authorization() {
    let bench = Bench::start(&[]);
    for (method, path) in [
        ("GET", "/"),
        ("PATCH", "/api/products"),
        ("GET", "/api/products/"),
        ("GET", "/MCP"),
    ] {
        let got = bench.rest("", method, path, "");
        assert_eq!(
            (got.status, got.text.as_str()),
            (404, r#"{"statusCode":404,"message":"Resource not found"}"#)
        );
    }
}

#[test]
fn a_missing_role_is_403_in_the_article_s_words_at_both_doors() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let expected = r#"{"error": "Products.Write or Products.Admin role required"}"#;
    let rest = bench.rest(&token, "POST", "/api/products", r#"{"name":"x","price":1}"#);
    let modern = bench.modern(&token, "tools/call", json!({"name": "createProduct"}));
    let legacy = bench.legacy(
        &token,
        &bench.session(&token),
        "tools/call",
        &json!({"name": "createProduct"}),
    );
    for got in [rest, modern, legacy] {
        assert_eq!(
            (got.status, got.text.as_str(), got.header("content-type")),
            (403, expected, "")
        );
    }
    assert_eq!(bench.deployment.products().len(), 3);
}

#[test]
fn tools_that_the_policy_does_not_name_are_403_even_to_an_administrator() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    for name in ["nope", "DeleteProduct", "deleteProduct ", ""] {
        let body = super::modern_body("tools/call", json!({"name": name})).to_string();
        assert_eq!(bench.mcp(&token, &[], &body).status, 403, "{name}");
    }
}

#[test]
fn resources_prompts_and_completion_are_guarded_like_tools() {
    let bench = Bench::start(&[]);
    let prompt = json!({"type": "ref/prompt", "name": "repriceCatalog"});
    let table = [
        (
            "resources/read",
            json!({"uri": "products://catalog"}),
            [403, 200, 200],
        ),
        (
            "resources/read",
            json!({"uri": "products://ledger"}),
            [403, 403, 200],
        ),
        (
            "resources/read",
            json!({"uri": "file:///x"}),
            [403, 403, 403],
        ),
        (
            "prompts/get",
            json!({"name": "describeProduct", "arguments": {"name": "x"}}),
            [403, 200, 200],
        ),
        (
            "prompts/get",
            json!({"name": "repriceCatalog", "arguments": {"percent": "5"}}),
            [403, 403, 200],
        ),
        (
            "completion/complete",
            json!({"ref": prompt, "argument": {"name": "percent", "value": ""}}),
            [403, 403, 200],
        ),
        ("resources/list", json!({}), [200, 200, 200]),
        ("prompts/list", json!({}), [200, 200, 200]),
    ];
    for (method, params, statuses) in table {
        for (label, status) in ["STRANGER", "READER", "ADMIN"].into_iter().zip(statuses) {
            let token = bench.token(label);
            let got = bench.modern(&token, method, params.clone());
            assert_eq!(
                got.status, status,
                "{label} {method} {params}: {}",
                got.text
            );
            let session = bench.session(&token);
            let got = bench.legacy(&token, &session, method, &params);
            assert_eq!(
                got.status, status,
                "{label} {method} {params}: {}",
                got.text
            );
        }
        assert_eq!(bench.modern("", method, params).status, 401, "{method}");
    }
}

#[test]
fn bodies_that_are_no_object_stop_at_the_mcp_policy() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    for body in [
        "[]",
        "",
        "1",
        "{",
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#,
    ] {
        let got = bench.mcp(&token, &[], body);
        assert_eq!(
            (got.status, got.text.as_str()),
            (
                400,
                r#"{"statusCode":400,"message":"Invalid JSON payload"}"#
            )
        );
    }
}

#[test]
fn rest_answers_of_the_store() {
    let bench = Bench::start(&[]);
    let admin = bench.token("ADMIN");
    let made = bench.rest(
        &admin,
        "POST",
        "/api/products",
        r#"{"name":"Mug","price":1}"#,
    );
    assert_eq!(made.status, 201);
    let place = made.header("location").to_owned();
    assert_eq!(
        place,
        format!("/api/products/{}", made.json()["id"].as_str().unwrap())
    );
    let table = [
        ("POST", "/api/products", r#"{"name":"mug","price":1}"#, 409),
        ("POST", "/api/products", r#"{"name":"","price":1}"#, 422),
        ("POST", "/api/products", r#"{"name":"x","price":-1}"#, 422),
        ("POST", "/api/products", "{", 400),
        ("GET", place.as_str(), "", 200),
        ("PUT", &place, r#"{"name":"Mug","price":2}"#, 200),
        (
            "PUT",
            "/api/products/none",
            r#"{"name":"Mug","price":2}"#,
            404,
        ),
        ("GET", "/api/products/search?q=MU", "", 200),
        ("GET", "/api/products/search", "", 422),
        ("DELETE", &place, "", 204),
        ("DELETE", &place, "", 404),
        ("GET", &place, "", 404),
    ];
    for (method, path, body, status) in table {
        let got = bench.rest(&admin, method, path, body);
        assert_eq!(got.status, status, "{method} {path} {body}: {}", got.text);
    }
    let gone = bench.rest(&admin, "GET", &place, "");
    assert_eq!(gone.text, r#"{"error":"product not found"}"#);
    let list = bench.rest(&admin, "GET", "/api/products", "").json();
    assert_eq!(
        (&list["count"], list["items"].as_array().unwrap().len()),
        (&json!(3), 3)
    );
}

#[test]
fn traffic_is_recorded_in_order_and_without_tokens() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    bench.rest(
        &token,
        "GET",
        &format!("/api/products/search?q=a&access_token={token}"),
        "",
    );
    bench.modern(&token, "tools/call", json!({"name": "deleteProduct"}));
    bench.modern("", "tools/list", json!({}));
    let seen = bench.deployment.traffic();
    let reader = Some(bench.at("READER_ID").to_owned());
    let lines: Vec<_> = seen
        .iter()
        .map(|s| {
            (
                s.method.as_str(),
                s.rpc_method.as_deref(),
                s.tool.as_deref(),
                s.client.clone(),
                s.status,
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("POST", None, None, reader.clone(), 200),
            ("GET", None, None, reader.clone(), 200),
            (
                "POST",
                Some("tools/call"),
                Some("deleteProduct"),
                reader,
                403
            ),
            ("POST", Some("tools/list"), None, None, 401),
        ]
    );
    let told = format!("{seen:?} {:?}", bench.deployment);
    assert!(!told.contains(&token) && !told.contains(bench.at("READER_SECRET")));
}

#[test]
fn a_body_beyond_the_limit_is_413_and_recorded() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    let body = "x".repeat(4 * 1024 * 1024 + 1);
    assert_eq!(
        bench.rest(&token, "POST", "/api/products", &body).status,
        413
    );
    assert_eq!(bench.deployment.traffic()[1].status, 413);
}

#[test]
fn a_scenario_finds_its_variables() {
    let bench = Bench::start(&[]);
    let names: Vec<&str> = bench.variables.keys().copied().collect();
    let expected = "ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ADMINS_GROUP_ID ADMIN_ID \
        ADMIN_PASSWORD ADMIN_SECRET ADMIN_USER API_APP_ID BLOCKED_PASSWORD BLOCKED_USER CATALOG_MCP_URL \
        CATALOG_OPENAPI CATALOG_REST_URL CERTIFICATE_FILE CERTIFICATE_ID CERTIFICATE_KEY_FILE CLIENT_APP_ID CLIENT_APP_REDIRECT_URI \
        CONNECTOR_ID CONNECTOR_REDIRECT_URI CONNECTOR_SECRET DISABLED_ID DISABLED_PASSWORD DISABLED_SECRET \
        DISABLED_USER ENTRA_AUTHORITY ENTRA_TENANT_ID EXPIRED_ID EXPIRED_PASSWORD EXPIRED_SECRET EXPIRED_TOKEN \
        EXPIRED_USER GRAPH_URL GUARDED_RESOURCE HOST_ID IDENTITY_ENDPOINT IDENTITY_HEADER IDLE_REFRESH_TOKEN \
        IMDS_ENDPOINT INSOMNIA_ID INSOMNIA_REDIRECT_URI INSOMNIA_SECRET INSPECTOR_ID INSPECTOR_REDIRECT_URI \
        LOCKED_PASSWORD LOCKED_USER MANAGED_ID MANAGED_RESOURCE_ID MFA_PASSWORD MFA_SEED MFA_USER \
        MIDDLE_ID MIDDLE_RESOURCE MIDDLE_SECRET NEARMISS_ID NEARMISS_SECRET OPERATOR_ID OPERATOR_SECRET \
        OTHER_RESOURCE PASSWORDLESS_PASSWORD PASSWORDLESS_USER READERS_GROUP_ID READER_ID READER_PASSWORD \
        READER_REFRESH_TOKEN READER_SECRET READER_USER RETIRED_RESOURCE REVOKED_REFRESH_TOKEN SPA_ID \
        SPA_REDIRECT_URI STRANGER_ID STRANGER_PASSWORD STRANGER_SECRET STRANGER_USER SYSTEM_ACCESSTOKEN \
        SYSTEM_OIDCREQUESTURI UNCONSENTED_ID UNENROLLED_PASSWORD UNENROLLED_USER WORKLOAD_ID WRITERS_GROUP_ID \
        WRITER_ID WRITER_PASSWORD WRITER_SECRET WRITER_USER";
    assert_eq!(names.join(" "), expected);
    let variables = bench.deployment.variables();
    assert_eq!(variables.len(), names.len());
    // An environment file has one line for each.
    assert!(variables.iter().all(|(_, value)| !value.contains('\n')));
}

#[test]
fn ports_are_the_system_s_choice_and_closed_on_drop() {
    let (one, other) = (Bench::start(&[]), Bench::start(&[]));
    assert_ne!(one.at("CATALOG_REST_URL"), other.at("CATALOG_REST_URL"));
    assert_ne!(one.at("READER_SECRET"), other.at("READER_SECRET"));
    let addresses = ["CATALOG_REST_URL", "ENTRA_AUTHORITY"]
        .map(|name| one.at(name)["http://".len()..].to_owned());
    drop(one);
    for address in addresses {
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
