//! A status and a body in, an HTTP response out.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

/// Returns a response without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    bare(status, Body::empty())
}

/// Returns a response whose body has no declared kind, as a `return-response` policy sends it.
pub(crate) fn bare(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

/// Returns a response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    typed(status, "application/json; charset=utf-8", body.to_string())
}

/// Returns a response with an HTML body.
pub(crate) fn html(status: StatusCode, body: &'static str) -> Response {
    typed(status, "text/html", body)
}

/// Returns a response with a body of the given media type.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    with(bare(status, body), CONTENT_TYPE, kind)
}

/// Adds one header; a value that no header may hold is left out.
pub(crate) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}
