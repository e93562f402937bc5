//! The same calls with and without a fault in, the cells that differ out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::Fault;
use super::super::api::{Draft, Source};
use super::{Bench, Got};

const OPERATIONS: [&str; 6] = [
    "listProducts",
    "getProduct",
    "searchProducts",
    "createProduct",
    "updateProduct",
    "deleteProduct",
];
const DOORS: [&str; 3] = ["rest", "mcp", "mcp-legacy"];
const PERSONAS: [&str; 6] = [
    "reader",
    "writer",
    "admin",
    "anonymous",
    "stranger",
    "nearmiss",
];

/// Faults that show by the order or the time of calls.
const BY_CHANCE: [Fault; 5] = [
    Fault::Flaky401,
    Fault::SessionsForgotten,
    Fault::PolicyLate,
    Fault::StaleReplica,
    Fault::LateCreationDespite403,
];

/// What a cell answered, free of what differs from run to run.
type Answers = Vec<(String, String)>;

#[test]
fn without_faults_every_cell_answers_as_the_table_says() {
    for (cell, answer) in battery(&[]) {
        let parts: Vec<&str> = cell.split('/').collect();
        let (persona, operation) = (parts[0], parts[1]);
        let expected = match persona {
            "anonymous" => "401",
            _ if may(persona, operation) => "20",
            _ => "403",
        };
        assert!(answer.starts_with(expected), "{cell}: {answer}");
        let writes = !reads(operation) && may(persona, operation);
        assert_eq!(answer.ends_with("changed"), writes, "{cell}: {answer}");
    }
}

#[test]
fn each_fault_changes_exactly_its_cells() {
    let plain = battery(&[]);
    for fault in Fault::ALL
        .iter()
        .copied()
        .filter(|fault| !BY_CHANCE.contains(fault))
    {
        let differing = differing(&plain, &battery(&[fault]));
        let predicted: BTreeSet<String> = plain
            .iter()
            .map(|(cell, _)| cell.clone())
            .filter(|cell| {
                let parts: Vec<&str> = cell.split('/').collect();
                changes(fault, parts[0], parts[1], parts[2])
            })
            .collect();
        assert_eq!(differing, predicted, "{fault}");
    }
}

#[test]
fn expected_cells_are_among_those_that_change() {
    for fault in Fault::ALL.iter().copied() {
        for expected in fault.expected() {
            let of_tokens = expected.code.starts_with("token-");
            // What a list does not show changes no answer to a call.
            let of_lists =
                ["declared-tool-missing", "hidden-but-callable"].contains(&expected.code);
            // What is read later has been written at once.
            let of_reading = fault == Fault::LateEffects;
            for cell in expected
                .cells
                .iter()
                .filter(|_| !of_tokens && !of_lists && !of_reading && expected.exactly)
            {
                let parts: Vec<&str> = cell.split('/').collect();
                assert!(
                    changes(fault, parts[0], parts[1], parts[2]),
                    "{fault} {cell}"
                );
            }
        }
    }
}

#[test]
fn faults_combine() {
    assert_eq!(battery(Fault::ALL).len(), 108);
    let some = [Fault::SwappedStatuses, Fault::ExecutedDespite403];
    let bench = Bench::start(&some);
    let got = bench.rest(
        &bench.token("READER"),
        "POST",
        "/api/products",
        r#"{"name":"x","price":1}"#,
    );
    assert_eq!((got.status, bench.deployment.products().len()), (401, 4));
}

#[test]
fn every_third_valid_token_is_refused_by_a_flaky_gateway() {
    let bench = Bench::start(&[Fault::Flaky401]);
    let token = bench.token("ADMIN");
    let statuses: Vec<u16> = (0..6)
        .map(|turn| match turn % 2 {
            0 => bench.rest(&token, "GET", "/api/products", "").status,
            _ => bench.modern(&token, "tools/list", json!({})).status,
        })
        .collect();
    assert_eq!(statuses, [200, 200, 401, 200, 200, 401]);
    assert_eq!(bench.rest("", "GET", "/api/products", "").status, 401);
}

#[test]
fn the_document_names_what_the_gateway_routes() {
    let table = [
        (vec![], 200, 3, 404),
        (vec![Fault::ForgottenRoute], 200, 4, 200),
        (vec![Fault::UndocumentedRoute], 200, 3, 404),
        (vec![Fault::OpenapiUnread], 302, 0, 404),
    ];
    for (faults, status, paths, export) in table {
        let bench = Bench::start(&faults);
        let document = bench.send("GET", bench.at("CATALOG_OPENAPI"), &[], "");
        assert_eq!(document.status, status, "{faults:?}");
        if status == 200 {
            let document = document.json();
            assert_eq!(
                document["paths"].as_object().unwrap().len(),
                paths,
                "{faults:?}"
            );
            let deletes = document["paths"]["/products/{id}"]["delete"].is_object();
            assert_eq!(deletes, faults != [Fault::UndocumentedRoute]);
        }
        let got = bench.rest(&bench.token("READER"), "GET", "/api/products/export", "");
        assert_eq!(got.status, export, "{faults:?}");
    }
}

#[test]
fn an_open_listing_needs_no_token_and_calls_still_do() {
    let bench = Bench::start(&[Fault::McpListOpen]);
    assert_eq!(bench.modern("", "server/discover", json!({})).status, 200);
    assert_eq!(bench.modern("", "tools/list", json!({})).status, 200);
    let session = bench.session("");
    assert_eq!(
        bench.legacy("", &session, "tools/list", &json!({})).status,
        200
    );
    let call = json!({"name": "listProducts"});
    assert_eq!(bench.modern("", "tools/call", call.clone()).status, 401);
    assert_eq!(bench.legacy("", &session, "tools/call", &call).status, 401);
    assert_eq!(
        Bench::start(&[]).modern("", "tools/list", json!({})).status,
        401
    );
}

#[test]
fn the_unlisted_tool_is_listed_and_open_to_strangers() {
    let bench = Bench::start(&[Fault::McpUnlistedToolOpen]);
    let stranger = bench.token("STRANGER");
    let list = bench.modern(&stranger, "tools/list", json!({})).rpc();
    assert_eq!(list["result"]["tools"][6]["name"], "purgeProducts");
    let purged = bench
        .modern(&stranger, "tools/call", json!({"name": "purgeProducts"}))
        .rpc();
    assert_eq!(purged["result"]["structuredContent"], json!({"purged": 0}));
    assert_eq!(bench.deployment.products().len(), 3);
}

#[test]
fn borrowed_and_expired_tokens_pass_only_where_nobody_looks() {
    let table = [
        (vec![], 401, 401),
        (vec![Fault::NoAudienceCheck], 200, 401),
        (vec![Fault::NoExpiryCheck], 401, 200),
    ];
    for (faults, borrowed, expired) in table {
        let bench = Bench::start(&faults);
        let scope = format!("{}/.default", bench.at("OTHER_RESOURCE"));
        let token = bench.token_for("READER", &scope);
        // It carries no role of this API, so only a message that needs none can tell.
        assert_eq!(
            bench.modern(&token, "tools/list", json!({})).status,
            borrowed,
            "{faults:?}"
        );
        let token = bench.at("EXPIRED_TOKEN");
        assert_eq!(
            bench.rest(token, "GET", "/api/products", "").status,
            expired,
            "{faults:?}"
        );
    }
}

#[test]
fn impostors_of_a_refusal_look_like_themselves() {
    let refused = |fault| {
        let bench = Bench::start(&[fault]);
        let token = bench.token("READER");
        [
            bench.rest(&token, "DELETE", "/api/products/x", ""),
            bench.modern(&token, "tools/call", json!({"name": "deleteProduct"})),
        ]
    };
    for got in refused(Fault::WafPage) {
        assert!(
            got.text
                .contains("<center>Microsoft-Azure-Application-Gateway/v2</center>")
        );
        assert_eq!(
            (got.status, got.header("server")),
            (403, "Microsoft-Azure-Application-Gateway/v2")
        );
    }
    for got in refused(Fault::Empty200) {
        assert_eq!(
            (got.status, got.text.as_str(), got.header("content-type")),
            (200, "", "")
        );
    }
    for got in refused(Fault::CrashOnDenial) {
        assert_eq!(
            (got.status, got.json()["activityId"].as_str().unwrap().len()),
            (500, 36)
        );
    }
    for got in refused(Fault::Quota403) {
        assert_eq!((got.status, got.header("retry-after")), (403, "19390"));
    }
    for got in refused(Fault::Throttled429) {
        assert_eq!((got.status, got.header("retry-after")), (429, "1"));
    }
    for got in refused(Fault::SubscriptionKeyRequired) {
        assert!(
            got.header("www-authenticate")
                .starts_with("AzureApiManagementKey realm=")
        );
    }
    let [_, in_band] = refused(Fault::RefusalInBand);
    assert_eq!(
        in_band.rpc()["result"]["content"][0]["text"],
        "Forbidden: Products.Admin role required"
    );
    let [_, hidden] = refused(Fault::RefusalHidden);
    assert_eq!(
        hidden.rpc()["error"]["message"],
        "Unknown tool: deleteProduct"
    );
    let bench = Bench::start(&[Fault::LoginRedirect]);
    let got = bench.rest("", "GET", "/api/products", "");
    assert!(
        got.header("location")
            .starts_with(bench.at("ENTRA_AUTHORITY"))
    );
}

/// The guard that each fault removes, told as the cells whose answer or effect is another.
fn changes(fault: Fault, persona: &str, operation: &str, door: &str) -> bool {
    let (p, o) = (persona, operation);
    let mcp = door != "rest";
    let signed_in = p != "anonymous";
    let role_denied = signed_in && !may(p, o);
    match fault {
        Fault::McpNoAuth => mcp && !may(p, o),
        Fault::McpNoToolCheck => mcp && role_denied,
        Fault::PolicyLate | Fault::StaleReplica => role_denied,
        Fault::McpUnlistedToolOpen => mcp && p == "stranger" && reads(o),
        Fault::RestNoAuth => !mcp && !may(p, o),
        Fault::RestNoRoleCheck => !mcp && role_denied,
        Fault::GatewayOpen => !may(p, o),
        Fault::WriterCanDelete => p == "writer" && o == "deleteProduct",
        Fault::ReaderLockedOut => (p == "reader" || p == "nearmiss") && reads(o),
        Fault::BodySwallowed | Fault::TokenNotForwarded => mcp && may(p, o),
        Fault::RolesMissing500 => p == "stranger",
        Fault::OneIssuer | Fault::V2Audience | Fault::Quota403 | Fault::ExpressionFails => {
            signed_in
        }
        Fault::SubstringRoles => {
            mcp && p == "nearmiss" && ["createProduct", "updateProduct"].contains(&o)
        }
        Fault::SwappedStatuses => !may(p, o),
        // A read that was executed in spite of its refusal leaves no trace.
        Fault::ExecutedDespite403 => role_denied && !reads(o),
        Fault::RefusalInBand
        | Fault::RefusalHidden
        | Fault::RefusalCode32001
        | Fault::RefusalCode32600
        | Fault::RefusalScopeText
        | Fault::RefusalPermissionsText
        | Fault::RefusalUnknownText
        | Fault::RefusalInner403
        | Fault::RefusalAfterProgress
        | Fault::InsufficientScope401
        | Fault::InvalidToken401
        | Fault::Swallowed202 => mcp && role_denied,
        Fault::CrashOnDenial | Fault::WafPage | Fault::Empty200 => role_denied,
        Fault::DeleteRouteMissing => !mcp && o == "deleteProduct",
        Fault::SubscriptionKeyRequired | Fault::Throttled429 => true,
        Fault::LoginRedirect => !signed_in,
        Fault::BackendDown502 => may(p, o),
        Fault::StaleRoles => p == "writer" && may(p, o),
        Fault::AdminInReaderGroup => p == "reader" && !may(p, o),
        Fault::WriteLost => !reads(o) && may(p, o) && (mcp || o != "createProduct"),
        Fault::Flaky401 => signed_in,
        Fault::ToolGone => mcp && o == "searchProducts" && may(p, o),
        // What the requirements or the lists see changes no cell.
        Fault::McpListOpen
        | Fault::LateEffects
        | Fault::LateCreationDespite403
        | Fault::SessionsForgotten
        | Fault::LegacySse
        | Fault::LegacySseOpen
        | Fault::LegacySseMessagesOpen
        | Fault::RedirectRemoved
        | Fault::ReaderIsDirectoryAdmin
        | Fault::ResourceHidden
        | Fault::OnlyToolsChecked
        | Fault::CompletionUnchecked
        | Fault::NoChallenge
        | Fault::NoResourceMetadata
        | Fault::NoAuthorizationServers
        | Fault::ResourceMismatch
        | Fault::WrongAuthorizationServer
        | Fault::NoPkce
        | Fault::PlainHttpAuthorization
        | Fault::NoScope
        | Fault::InvalidTokenForNothing
        | Fault::MisleadingChallenge
        | Fault::QueryToken
        | Fault::SessionInsteadOfToken
        | Fault::SessionNotBound
        | Fault::GuessableSessions
        | Fault::AnyOrigin
        | Fault::HeaderMismatchAccepted
        | Fault::AnyVersion
        | Fault::BatchesAccepted
        | Fault::GetOpen
        | Fault::GetUnrouted
        | Fault::UndeclaredTool
        | Fault::ToolUnlisted
        | Fault::ListEndless
        | Fault::ListFilteredPublic
        | Fault::HiddenButCallable
        | Fault::ForgottenRoute
        | Fault::UndocumentedRoute
        | Fault::OpenapiUnread
        | Fault::NoIssuerParameter
        | Fault::OfflineAccessScope
        | Fault::NoAudienceCheck
        | Fault::NoSignatureCheck
        | Fault::NoExpiryCheck => false,
    }
}

fn may(persona: &str, operation: &str) -> bool {
    match persona {
        "reader" | "nearmiss" => reads(operation),
        "writer" => operation != "deleteProduct",
        "admin" => true,
        _ => false,
    }
}

fn reads(operation: &str) -> bool {
    ["listProducts", "getProduct", "searchProducts"].contains(&operation)
}

fn differing(plain: &Answers, faulty: &Answers) -> BTreeSet<String> {
    let pairs = plain.iter().zip(faulty);
    pairs
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.0.clone())
        .collect()
}

fn battery(faults: &[Fault]) -> Answers {
    let bench = Bench::start(faults);
    let mut answers = Vec::new();
    for persona in PERSONAS {
        let token = if persona == "anonymous" {
            String::new()
        } else {
            bench.token(&persona.to_uppercase())
        };
        let session = bench.session(&token);
        for operation in OPERATIONS {
            for door in DOORS {
                let cell = format!("{persona}/{operation}/{door}");
                let answer = fire(&bench, &token, &session, operation, door, &cell);
                answers.push((cell, answer));
            }
        }
    }
    answers
}

/// Fires one cell at a product made for it, and tells the answer with its effect on the store.
fn fire(
    bench: &Bench,
    token: &str,
    session: &str,
    operation: &str,
    door: &str,
    cell: &str,
) -> String {
    let fixture = Draft::read(&json!({"name": format!("for {cell}"), "price": 1})).unwrap();
    let id = bench
        .deployment
        .catalog
        .create(fixture, Source::Rest)
        .unwrap()
        .id;
    let before = bench.deployment.products();
    let got = match door {
        "rest" => rest(bench, token, operation, &id, cell),
        "mcp" => bench.modern(token, "tools/call", tool(operation, &id, cell)),
        _ => bench.legacy(token, session, "tools/call", &tool(operation, &id, cell)),
    };
    let effect = if bench.deployment.products() == before {
        ""
    } else {
        " changed"
    };
    format!("{}{effect}", told(&got))
}

fn rest(bench: &Bench, token: &str, operation: &str, id: &str, cell: &str) -> Got {
    let one = format!("/api/products/{id}");
    let body = json!({"name": format!("by {cell}"), "price": 2}).to_string();
    match operation {
        "listProducts" => bench.rest(token, "GET", "/api/products", ""),
        "getProduct" => bench.rest(token, "GET", &one, ""),
        "searchProducts" => bench.rest(token, "GET", "/api/products/search?q=for", ""),
        "createProduct" => bench.rest(token, "POST", "/api/products", &body),
        "updateProduct" => bench.rest(token, "PUT", &one, &body),
        _ => bench.rest(token, "DELETE", &one, ""),
    }
}

fn tool(operation: &str, id: &str, cell: &str) -> Value {
    let arguments = match operation {
        "listProducts" => json!({}),
        "searchProducts" => json!({"q": "for"}),
        "createProduct" => json!({"name": format!("by {cell}"), "price": 2}),
        "updateProduct" => json!({"id": id, "name": format!("by {cell}"), "price": 2}),
        _ => json!({"id": id}),
    };
    json!({"name": operation, "arguments": arguments})
}

/// Status, kind and gist; products and activity ids differ between runs and are left out.
fn told(got: &Got) -> String {
    let kind = got.header("content-type");
    let gist = match got.text.as_str() {
        "" => "nothing".to_owned(),
        text if got.status < 300 => {
            let failed = ["\"error\":", "\"isError\":true", "HTTP 401 Unauthorized"]
                .iter()
                .any(|mark| text.contains(mark));
            if failed {
                got.rpc().to_string()
            } else {
                "content".to_owned()
            }
        }
        text => text.split(",\"activityId\"").next().unwrap().to_owned(),
    };
    format!("{} {kind} {gist}", got.status)
}
