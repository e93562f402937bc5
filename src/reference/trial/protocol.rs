//! MCP messages of both eras in, what each revision answers them with out.

use serde_json::{Value, json};

use super::super::Fault;
use super::{Bench, modern_body};

#[test]
fn modern_discovery_lists_and_calls() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    let discovered = bench.modern(&token, "server/discover", json!({})).rpc();
    assert_eq!(
        discovered["result"]["supportedVersions"],
        json!(["2026-07-28"])
    );
    assert_eq!(discovered["result"]["resultType"], "complete");
    assert_eq!(
        discovered["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "product-catalog"
    );
    let listed = bench.modern(&token, "tools/list", json!({}));
    assert_eq!(
        listed.header("content-type"),
        "application/json; charset=utf-8"
    );
    let result = &listed.rpc()["result"];
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());
    let names: Vec<&Value> = result["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(
        json!(names),
        json!([
            "listProducts",
            "getProduct",
            "searchProducts",
            "createProduct",
            "updateProduct",
            "deleteProduct"
        ])
    );
    let called = bench
        .modern(
            &token,
            "tools/call",
            json!({"name": "listProducts", "arguments": {}}),
        )
        .rpc();
    let content = &called["result"]["structuredContent"];
    assert_eq!(content["count"], 3);
    let text = called["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(&serde_json::from_str::<Value>(text).unwrap(), content);
}

#[test]
fn modern_validation_follows_the_revision() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    let call = modern_body("tools/call", json!({"name": "listProducts"}));
    let ping = modern_body("ping", json!({}));
    let mut old = call.clone();
    old["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("1900-01-01");
    let mut bare = call.clone();
    bare["params"]["_meta"] = json!({});
    let mut null_id = call.clone();
    null_id["id"] = json!(null);
    let all = |version, method, name| {
        vec![
            ("mcp-protocol-version", version),
            ("mcp-method", method),
            ("mcp-name", name),
        ]
    };
    let now = "2026-07-28";
    let table = [
        (&call, all(now, "tools/call", "listProducts"), 200, 0),
        (
            &call,
            all(now, "tools/call", "=?base64?bGlzdFByb2R1Y3Rz?="),
            200,
            0,
        ),
        (&call, all(now, "tools/call", "getProduct"), 400, -32020),
        (&call, all(now, "tools/list", "listProducts"), 400, -32020),
        (
            &call,
            vec![("mcp-protocol-version", now), ("mcp-method", "tools/call")],
            400,
            -32020,
        ),
        (&call, vec![], 400, -32020),
        (
            &call,
            all("2025-11-25", "tools/call", "listProducts"),
            400,
            -32020,
        ),
        (
            &old,
            all("1900-01-01", "tools/call", "listProducts"),
            400,
            -32022,
        ),
        (&bare, all(now, "tools/call", "listProducts"), 400, -32602),
        (
            &null_id,
            all(now, "tools/call", "listProducts"),
            400,
            -32600,
        ),
        (&ping, all(now, "ping", ""), 404, -32601),
    ];
    for (body, headers, status, code) in table {
        let got = bench.mcp(&token, &headers, &body.to_string());
        assert_eq!(got.status, status, "{headers:?}: {}", got.text);
        assert_eq!(
            got.rpc()["error"]["code"].as_i64().unwrap_or(0),
            code,
            "{headers:?}"
        );
    }
    let mut notification = call.clone();
    notification.as_object_mut().unwrap().remove("id");
    let got = bench.mcp(
        &token,
        &all(now, "tools/call", "listProducts"),
        &notification.to_string(),
    );
    assert_eq!((got.status, got.text.as_str()), (202, ""));
}

#[test]
fn the_server_takes_only_posts_of_json_from_clients_that_read_both_answers() {
    let bench = Bench::start(&[]);
    let bearer = format!("Bearer {}", bench.token("ADMIN"));
    let body = modern_body("tools/list", json!({})).to_string();
    let version = ("mcp-protocol-version", "2026-07-28");
    let send = |method: &str, accept: &str, kind: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            version,
            ("mcp-method", "tools/list"),
        ];
        headers.extend([("accept", accept), ("content-type", kind)]);
        headers.extend(extra);
        bench
            .send(method, bench.at("CATALOG_MCP_URL"), &headers, &body)
            .status
    };
    let both = "application/json, text/event-stream";
    assert_eq!(
        send("POST", both, "Application/JSON; charset=utf-8", &[]),
        200
    );
    assert_eq!(
        send("POST", "application/json", "application/json", &[]),
        406
    );
    assert_eq!(send("POST", both, "text/plain", &[]), 415);
    assert_eq!(
        send(
            "POST",
            both,
            "application/json",
            &[("origin", "https://evil.example")]
        ),
        403
    );
    assert_eq!(send("GET", both, "application/json", &[]), 405);
    assert_eq!(send("DELETE", both, "application/json", &[]), 405);
}

#[test]
fn batches_are_refused_by_the_server_itself() {
    let bench = Bench::start(&[Fault::McpNoAuth]);
    let batch = json!([modern_body("tools/list", json!({}))]).to_string();
    for (body, code) in [(batch.as_str(), -32600), ("7", -32600), ("{", -32700)] {
        let got = bench.mcp("", &[], body);
        assert_eq!(
            (got.status, &got.rpc()["error"]["code"]),
            (400, &json!(code))
        );
    }
}

#[test]
fn sessions_are_asked_for_known_and_ended() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let session = bench.session(&token);
    assert!(session.len() >= 22 && session != bench.session(&token));
    let status = |session: &str| {
        bench
            .legacy(&token, session, "tools/list", &json!({}))
            .status
    };
    assert_eq!(
        [status(&session), status(""), status("unknown")],
        [200, 400, 404]
    );
    let bearer = format!("Bearer {token}");
    let end = |session: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("mcp-session-id", session),
        ];
        bench
            .send("DELETE", bench.at("CATALOG_MCP_URL"), &headers, "")
            .status
    };
    assert_eq!(
        [end(&session), end(&session), status(&session)],
        [204, 404, 404]
    );
    assert_eq!(
        bench
            .legacy("", &bench.session(&token), "tools/list", &json!({}))
            .status,
        401
    );
}

#[test]
fn versions_are_negotiated() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let table = [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1900-01-01", "2025-11-25"),
    ];
    for (asked, agreed) in table {
        let got = bench.legacy(&token, "", "initialize", &json!({"protocolVersion": asked}));
        assert_eq!(got.rpc()["result"]["protocolVersion"], agreed);
    }
}

#[test]
fn legacy_answers_are_streams_in_which_the_answer_comes_last() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let session = bench.session(&token);
    let got = bench.legacy(&token, &session, "ping", &json!({}));
    assert_eq!(got.header("content-type"), "text/event-stream");
    let parts: Vec<&str> = got.text.split("\r\n\r\n").collect();
    assert_eq!(parts.len(), 4);
    assert!(parts[0].starts_with(": "));
    assert!(
        parts[1].starts_with("event: message\r\ndata: ")
            && parts[1].contains("notifications/message")
    );
    assert_eq!(
        parts[2],
        r#"event: message
data: {"jsonrpc":"2.0","id":7,"result":{}}"#
            .replace('\n', "\r\n")
    );
    let notified = bench.mcp(
        &token,
        &[("mcp-session-id", &session)],
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    );
    assert_eq!(notified.status, 202);
    let unknown = bench.legacy(&token, &session, "tasks/list", &json!({}));
    assert_eq!(
        (unknown.status, &unknown.rpc()["error"]["code"]),
        (200, &json!(-32601))
    );
}

#[test]
fn a_session_sets_the_level_of_what_it_is_told() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let session = bench.session(&token);
    let set = |level: &str| {
        let asked = json!({"level": level});
        bench.legacy(&token, &session, "logging/setLevel", &asked)
    };
    let told = |session: &str| {
        let got = bench.legacy(&token, session, "ping", &json!({}));
        got.text.contains("notifications/message")
    };
    assert_eq!(set("loud").rpc()["error"]["code"], -32602);
    assert!(told(&session));
    assert_eq!(set("info").rpc()["result"], json!({}));
    assert!(!told(&session) && told(&bench.session(&token)));
    assert_eq!(set("debug").rpc()["result"], json!({}));
    assert!(told(&session));
}

#[test]
fn a_session_s_stream_opens_and_stays_open() {
    let bench = Bench::start(&[]);
    let token = bench.token("READER");
    let session = bench.session(&token);
    let request = bench
        .client
        .get(bench.at("CATALOG_MCP_URL"))
        .bearer_auth(&token)
        .header("mcp-session-id", &session);
    bench.runtime.block_on(async {
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(
            response.chunk().await.unwrap().unwrap(),
            ": listening\r\n\r\n"
        );
        let wait = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(wait, response.chunk()).await.is_err());
    });
}

#[test]
fn resources_prompts_and_completion_answer_in_both_eras() {
    let bench = Bench::start(&[]);
    let token = bench.token("ADMIN");
    let session = bench.session(&token);
    let product = &bench.deployment.products()[0];
    let one = format!("products://{}", product.id);
    let complete = |reference: Value, name: &str, value: &str| json!({"ref": reference, "argument": {"name": name, "value": value}});
    let table = [
        (
            "resources/list",
            json!({}),
            "/resources/1/uri",
            json!("products://ledger"),
        ),
        (
            "resources/templates/list",
            json!({}),
            "/resourceTemplates/0/uriTemplate",
            json!("products://{id}"),
        ),
        (
            "prompts/list",
            json!({}),
            "/prompts/0/name",
            json!("describeProduct"),
        ),
        (
            "resources/read",
            json!({"uri": "products://catalog"}),
            "/contents/0/uri",
            json!("products://catalog"),
        ),
        (
            "resources/read",
            json!({"uri": one}),
            "/contents/0/text",
            json!(json!(product).to_string()),
        ),
        (
            "prompts/get",
            json!({"name": "describeProduct", "arguments": {"name": "mug"}}),
            "/messages/0/content/text",
            json!("Describe the product mug in one sentence."),
        ),
        (
            "completion/complete",
            complete(
                json!({"type": "ref/prompt", "name": "describeProduct"}),
                "name",
                "hand",
            ),
            "/completion/values",
            json!(["Hand grinder"]),
        ),
        (
            "completion/complete",
            complete(
                json!({"type": "ref/resource", "uri": "products://{id}"}),
                "id",
                &product.id,
            ),
            "/completion/values/0",
            json!(product.id),
        ),
    ];
    for (method, params, pointer, value) in table {
        for got in [
            bench.modern(&token, method, params.clone()),
            bench.legacy(&token, &session, method, &params),
        ] {
            let rpc = got.rpc();
            assert_eq!(
                rpc["result"].pointer(pointer),
                Some(&value),
                "{method} {rpc}"
            );
        }
    }
}

#[test]
fn what_is_not_there_is_told_with_each_era_s_code() {
    let bench = Bench::start(&[Fault::McpNoToolCheck]);
    let token = bench.token("ADMIN");
    let session = bench.session(&token);
    for (method, params, modern, legacy) in [
        (
            "resources/read",
            json!({"uri": "products://none"}),
            (400, -32602),
            (200, -32002),
        ),
        (
            "resources/read",
            json!({"uri": "file:///x"}),
            (400, -32602),
            (200, -32002),
        ),
        (
            "prompts/get",
            json!({"name": "none"}),
            (400, -32602),
            (200, -32602),
        ),
        (
            "prompts/get",
            json!({"name": "describeProduct"}),
            (400, -32602),
            (200, -32602),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "none"}}),
            (400, -32602),
            (200, -32602),
        ),
    ] {
        for (got, (status, code)) in [
            (bench.modern(&token, method, params.clone()), modern),
            (bench.legacy(&token, &session, method, &params), legacy),
        ] {
            assert_eq!(
                (got.status, &got.rpc()["error"]["code"]),
                (status, &json!(code)),
                "{method}"
            );
        }
    }
}

#[test]
fn tools_fail_in_band_and_unknown_tools_by_protocol() {
    let bench = Bench::start(&[Fault::McpNoToolCheck]);
    let token = bench.token("ADMIN");
    let session = bench.session(&token);
    let duplicate = json!({"name": "HAND GRINDER", "price": 1});
    let table = [
        ("getProduct", json!({"id": "none"}), "product not found"),
        (
            "updateProduct",
            json!({"id": "none", "name": "x", "price": 1}),
            "product not found",
        ),
        ("deleteProduct", json!({}), "product not found"),
        ("createProduct", json!({"price": 1}), "name is required"),
        (
            "createProduct",
            duplicate,
            "a product with this name exists",
        ),
    ];
    for (name, arguments, text) in table {
        let params = json!({"name": name, "arguments": arguments});
        for got in [
            bench.modern(&token, "tools/call", params.clone()),
            bench.legacy(&token, &session, "tools/call", &params),
        ] {
            let result = &got.rpc()["result"];
            assert_eq!((got.status, &result["isError"]), (200, &json!(true)));
            assert_eq!(result["content"][0]["text"], text);
        }
    }
    let unknown = bench
        .modern(&token, "tools/call", json!({"name": "nope"}))
        .rpc();
    assert_eq!(
        unknown["error"],
        json!({"code": -32602, "message": "Unknown tool: nope"})
    );
}
