//! A call in, what it takes to make it once more by hand out: no token, no secret, no session's id.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use serde::{Deserialize, Serialize};

use super::heading::AGENT;
use super::mcp::legacy::SESSION;
use super::scrubber::Scrubber;
use crate::wire::Call;

const URL_CAP: usize = 2048;
const BODY_CAP: usize = 4096;
const VALUE_CAP: usize = 512;

/// What a request was made of. It is kept only of requests whose answers are kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Recipe {
    /// Method, upper case.
    pub method: String,
    /// Absolute URL, redacted.
    pub url: String,
    /// Names of headers in lower case, by name, without `authorization`; no value where it is secret, is a session's id, or
    /// holds anything but visible ASCII.
    pub headers: Vec<(String, Option<String>)>,
    /// What stood in `authorization`.
    pub bearer: Bearer,
    /// The body, redacted; empty where there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Bodies of the messages that open the session in which the request is made, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opening: Vec<String>,
}

/// What a request presented as its right to be made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bearer {
    /// Nothing.
    Nothing,
    /// The token of whoever made it.
    Own,
    /// Something made or borrowed for this very request.
    Other,
}

impl Recipe {
    /// What a call is made of; `None` where it is too long to be typed, or its body is no text.
    pub(super) fn of(call: &Call, is_own: bool, scrubber: &Scrubber<'_>) -> Option<Self> {
        let body = std::str::from_utf8(&call.body).ok()?;
        if call.url.len() > URL_CAP || body.len() > BODY_CAP {
            return None;
        }
        let bearer = match (call.headers.contains_key(AUTHORIZATION), is_own) {
            (false, _) => Bearer::Nothing,
            (true, true) => Bearer::Own,
            (true, false) => Bearer::Other,
        };
        Some(Self {
            method: call.method.to_string(),
            url: scrubber.text(&call.url, URL_CAP),
            headers: headers(&call.headers, scrubber),
            bearer,
            body: scrubber.text(body, BODY_CAP),
            opening: Vec::new(),
        })
    }

    /// The same made in a session that these messages open.
    pub(super) fn after(mut self, opening: [&Call; 2]) -> Self {
        let body = |call: &Call| String::from_utf8_lossy(&call.body).into_owned();
        self.opening = opening.map(body).into();
        if !self
            .headers
            .iter()
            .any(|(name, _)| *name == SESSION.as_str())
        {
            self.headers.push((SESSION.to_string(), None));
        }
        self
    }
}

fn headers(headers: &HeaderMap, scrubber: &Scrubber<'_>) -> Vec<(String, Option<String>)> {
    let told = |(name, value): &(&HeaderName, &HeaderValue)| {
        **name != AUTHORIZATION && !(**name == USER_AGENT && **value == AGENT)
    };
    let shown = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), shown(name, value, scrubber))
    };
    let mut headers: Vec<_> = headers.iter().filter(told).map(shown).collect();
    headers.sort();
    headers
}

fn shown(name: &HeaderName, value: &HeaderValue, scrubber: &Scrubber<'_>) -> Option<String> {
    let text = value.to_str().ok()?;
    let is_open = !value.is_sensitive() && *name != SESSION && text.len() <= VALUE_CAP;
    let is_known = scrubber.text(text, VALUE_CAP) == text;
    let visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_open && is_known && visible).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Method;

    use super::*;
    use crate::secret::{Redactor, Secret};

    fn call(headers: &[(&'static str, HeaderValue)], body: &'static [u8]) -> Call {
        let pair = |(name, value): &(&'static str, HeaderValue)| {
            (HeaderName::from_static(name), value.clone())
        };
        Call {
            method: Method::POST,
            url: "https://h/p?key=canary-7f3a".to_owned(),
            headers: headers.iter().map(pair).collect(),
            body: Bytes::from_static(body),
        }
    }

    fn recipe(call: &Call, is_own: bool) -> Option<Recipe> {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("canary-7f3a".to_owned()));
        Recipe::of(call, is_own, &Scrubber::new(&redactor))
    }

    #[test]
    fn nothing_secret_is_in_it() {
        let mut key = HeaderValue::from_static("k-1");
        key.set_sensitive(true);
        let call = call(
            &[
                ("x-env", HeaderValue::from_static("test")),
                ("x-key", key),
                ("x-echo", HeaderValue::from_static("a canary-7f3a")),
                ("x-bytes", HeaderValue::from_bytes(b"a\xff").unwrap()),
                ("mcp-session-id", HeaderValue::from_static("s-1")),
                ("authorization", HeaderValue::from_static("Bearer t-1")),
                ("user-agent", AGENT),
            ],
            br#"{"secret":"canary-7f3a"}"#,
        );
        let recipe = recipe(&call, true).unwrap();
        let told = serde_json::to_string(&recipe).unwrap();
        for secret in ["k-1", "canary", "s-1", "t-1"] {
            assert!(!told.contains(secret), "{told}");
        }
        let names: Vec<(&str, Option<&str>)> = recipe
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        assert_eq!(
            names,
            [
                ("mcp-session-id", None),
                ("x-bytes", None),
                ("x-echo", None),
                ("x-env", Some("test")),
                ("x-key", None),
            ]
        );
        assert_eq!(recipe.bearer, Bearer::Own);
    }

    #[test]
    fn what_nobody_could_type_is_not_kept() {
        assert!(recipe(&call(&[], b"\xff"), true).is_none());
        let long = Call {
            url: format!("https://h/{}", "x".repeat(URL_CAP)),
            ..call(&[], b"")
        };
        assert!(recipe(&long, true).is_none());
    }

    #[test]
    fn whose_token_it_was_is_told() {
        let token = || HeaderValue::from_static("Bearer x");
        let with = call(&[("authorization", token())], b"");
        assert_eq!(recipe(&with, false).unwrap().bearer, Bearer::Other);
        assert_eq!(
            recipe(&call(&[], b""), true).unwrap().bearer,
            Bearer::Nothing
        );
    }
}
