//! A method and a path in, the operation that the gateway knows by them out.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use crate::reference::api::Request;
use crate::reference::call::Call;
use crate::reference::fault::{Fault, Faults};

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The protected resource metadata of the MCP endpoint (RFC 9728 section 3.1).
    Metadata,
    /// The OpenAPI document of the REST API.
    Document,
    /// The MCP endpoint, with any method.
    Mcp,
    /// The stream of the deprecated HTTP+SSE pair.
    Stream,
    /// Where the messages of the pair go.
    Messages,
    /// An operation of the REST API, under the name that the permission table has for it.
    Rest(&'static str, Request),
}

/// Returns the route of a call; paths are matched exactly, without normalization.
pub(super) fn find(call: &Call, faults: &Faults) -> Option<Route> {
    match (&call.method, call.path()) {
        (_, "/mcp") => Some(Route::Mcp),
        (&Method::GET, "/.well-known/oauth-protected-resource/mcp") => Some(Route::Metadata),
        (&Method::GET, "/openapi.json") => Some(Route::Document),
        (&Method::GET, "/sse") if has_pair(faults) => Some(Route::Stream),
        (&Method::POST, "/messages") if has_pair(faults) => Some(Route::Messages),
        (method, path) => rest(method, path.strip_prefix("/api/products")?, faults),
    }
}

/// Whether somebody left the transport of 2024-11-05 beside its successor.
fn has_pair(faults: &Faults) -> bool {
    let pairs = [
        Fault::LegacySse,
        Fault::LegacySseOpen,
        Fault::LegacySseMessagesOpen,
    ];
    pairs.into_iter().any(|fault| faults.contains(fault))
}

fn rest(method: &Method, rest: &str, faults: &Faults) -> Option<Route> {
    let (operation, request) = match (method, rest) {
        (&Method::GET, "") => ("listProducts", Request::List),
        (&Method::POST, "") => ("createProduct", Request::Create),
        (&Method::GET, "/search") => ("searchProducts", Request::Search),
        (&Method::GET, "/export") if faults.contains(Fault::ForgottenRoute) => {
            ("listProducts", Request::List)
        }
        (&Method::GET, _) => ("getProduct", Request::Get(id(rest)?)),
        (&Method::PUT, _) => ("updateProduct", Request::Update(id(rest)?)),
        (&Method::DELETE, _) if !faults.contains(Fault::DeleteRouteMissing) => {
            ("deleteProduct", Request::Delete(id(rest)?))
        }
        _ => return None,
    };
    Some(Route::Rest(operation, request))
}

fn id(rest: &str) -> Option<String> {
    let id = rest.strip_prefix('/')?;
    let one_segment = !id.is_empty() && !id.contains('/');
    one_segment.then(|| percent_decode_str(id).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_six_operations_are_routes() {
        let none = Faults::default();
        let table = [
            (Method::GET, "", Some("listProducts")),
            (Method::POST, "", Some("createProduct")),
            (Method::GET, "/search", Some("searchProducts")),
            (Method::GET, "/7", Some("getProduct")),
            (Method::PUT, "/7", Some("updateProduct")),
            (Method::DELETE, "/7", Some("deleteProduct")),
            (Method::GET, "/", None),
            (Method::GET, "/7/8", None),
            (Method::GET, "s", None),
            (Method::HEAD, "", None),
            (Method::PATCH, "/7", None),
            (Method::DELETE, "", None),
        ];
        for (method, path, expected) in table {
            let name = rest(&method, path, &none).map(|route| match route {
                Route::Rest(name, _) => name,
                Route::Mcp
                | Route::Metadata
                | Route::Document
                | Route::Stream
                | Route::Messages => {
                    unreachable!("a REST path")
                }
            });
            assert_eq!(name, expected, "{method} {path}");
        }
    }
}
