//! What the gateway has to say in, API Management's way of saying it out.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::reference::{chance, reply};

const MISSING_KEY: &str = "Access denied due to missing subscription key. \
    Make sure to include subscription key when making requests to an API.";
const KEY_CHALLENGE: &str = r#"AzureApiManagementKey realm="http://127.0.0.1",name="Ocp-Apim-Subscription-Key",type="header""#;
const FIREWALL_PAGE: &str = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n\
    <center><h1>403 Forbidden</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n\
    </body>\r\n</html>\r\n";
const BAD_GATEWAY_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n\
    </body>\r\n</html>\r\n";

/// Returns the body that the gateway writes in its own name: `{"statusCode": N, "message": "…"}`.
pub(super) fn own(status: StatusCode, message: &str) -> Response {
    reply::json(
        status,
        &json!({"statusCode": status.as_u16(), "message": message}),
    )
}

/// Answers a request that matches no operation; this is decided before anything else.
pub(super) fn no_route() -> Response {
    own(StatusCode::NOT_FOUND, "Resource not found")
}

/// Answers a body that the MCP policy or the backend behind it could not read.
pub(super) fn invalid_payload() -> Response {
    own(StatusCode::BAD_REQUEST, "Invalid JSON payload")
}

/// Answers a policy expression that threw.
pub(super) fn crash() -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = json!({
        "statusCode": status.as_u16(),
        "message": "Internal server error",
        "activityId": chance::guid(),
    });
    reply::json(status, &body)
}

/// Answers with the text of a `return-response` policy, which declares no content type.
pub(super) fn role_required(status: StatusCode, rule: &str) -> Response {
    // The article's policy writes this by hand, with a space that a JSON printer leaves out.
    reply::bare(status, format!(r#"{{"error": "{rule}"}}"#))
}

/// Answers a request without a subscription key.
pub(super) fn key_missing() -> Response {
    reply::with(
        own(StatusCode::UNAUTHORIZED, MISSING_KEY),
        header::WWW_AUTHENTICATE,
        KEY_CHALLENGE,
    )
}

/// Answers a call beyond the rate limit.
pub(super) fn throttled() -> Response {
    let message = "Rate limit is exceeded. Try again in 1 seconds.";
    reply::with(
        own(StatusCode::TOO_MANY_REQUESTS, message),
        header::RETRY_AFTER,
        "1",
    )
}

/// Answers a call beyond the quota.
pub(super) fn quota_used_up() -> Response {
    let message = "Out of call volume quota. Quota will be replenished in 05:23:10.";
    reply::with(
        own(StatusCode::FORBIDDEN, message),
        header::RETRY_AFTER,
        "19390",
    )
}

/// Answers as a web application firewall in front of the gateway.
pub(super) fn firewall_page() -> Response {
    served_by_firewall(reply::html(StatusCode::FORBIDDEN, FIREWALL_PAGE))
}

/// Answers for a backend that cannot be reached.
pub(super) fn bad_gateway() -> Response {
    served_by_firewall(reply::html(StatusCode::BAD_GATEWAY, BAD_GATEWAY_PAGE))
}

/// Sends a browser to the sign-in page.
pub(super) fn sign_in(page: &str) -> Response {
    reply::with(reply::empty(StatusCode::FOUND), header::LOCATION, page)
}

fn served_by_firewall(response: Response) -> Response {
    reply::with(
        response,
        HeaderName::from_static("server"),
        "Microsoft-Azure-Application-Gateway/v2",
    )
}
