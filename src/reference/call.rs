//! A request with its whole body in, its parts as the deployment reads them out.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::{Map, Value};

/// What a caller put into the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// No such header.
    Nothing,
    /// A bearer token (RFC 6750 section 2.1); the scheme is matched without regard to case.
    Bearer(&'a str),
    /// Another scheme, unreadable bytes, or more than one header.
    Unusable,
}

/// One request, read to its end.
#[derive(Debug)]
pub(crate) struct Call {
    /// The HTTP method.
    pub(crate) method: Method,
    /// The request target, not normalized.
    pub(crate) uri: Uri,
    /// All headers, duplicates included.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) body: Bytes,
}

impl Call {
    /// Takes the head and the whole body of a request.
    pub(crate) fn new(head: Parts, body: Bytes) -> Self {
        Self {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body,
        }
    }

    /// Returns the same request with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Self {
        Self {
            method: self.method.clone(),
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            body: body.into(),
        }
    }

    /// Returns the path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns the first value of a query parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?.as_bytes();
        url::form_urlencoded::parse(query)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Returns the value of a header that is there exactly once and readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// Returns what the caller presented as its right to call.
    pub(crate) fn credential(&self) -> Credential<'_> {
        if !self.headers.contains_key(header::AUTHORIZATION) {
            return Credential::Nothing;
        }
        match self
            .header("authorization")
            .and_then(|value| value.split_once(' '))
        {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Credential::Bearer(token.trim())
            }
            _ => Credential::Unusable,
        }
    }

    /// Returns the body as a JSON object, or nothing if it is anything else.
    pub(crate) fn object(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Tells whether the body is declared to be JSON; the media type is matched without regard to case.
    pub(crate) fn declares_json(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn call(headers: &[(&str, &str)]) -> Call {
        let mut request = Request::get("/api/products/search?q=a%20b&q=c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Call::new(request.body(()).unwrap().into_parts().0, Bytes::new())
    }

    #[test]
    fn a_credential_is_one_bearer_token_or_nothing_usable() {
        let table: [(&[(&str, &str)], Credential<'_>); 6] = [
            (&[], Credential::Nothing),
            (
                &[("authorization", "Bearer abc")],
                Credential::Bearer("abc"),
            ),
            (
                &[("authorization", "bEARER  abc")],
                Credential::Bearer("abc"),
            ),
            (&[("authorization", "abc")], Credential::Unusable),
            (&[("authorization", "Basic abc")], Credential::Unusable),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                Credential::Unusable,
            ),
        ];
        for (headers, expected) in table {
            assert_eq!(call(headers).credential(), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_first_query_value_is_decoded() {
        assert_eq!(call(&[]).query("q").as_deref(), Some("a b"));
        assert_eq!(call(&[]).query("page"), None);
    }
}
