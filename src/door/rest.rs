//! A REST call in, observation out.

use std::sync::Arc;

use super::heading::{Heading, Sender};
use super::observation::Observation;
use super::scrubber::Scrubber;
use super::{Answered, Payload};
use crate::wire::{Call, Reply};
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};

/// What is sent where the scenario states nothing else: of a call without a body, the first.
static USUAL: [(HeaderName, HeaderValue); 2] = [(ACCEPT, JSON), (CONTENT_TYPE, JSON)];

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request, ready but for who makes it.
#[derive(Clone, Debug)]
pub struct Request {
    line: Arc<str>,
    method: Method,
    target: String,
    heading: Heading,
    body: Bytes,
}

impl Request {
    /// The request with the scenario's headers and what JSON needs besides. `None` when `method` is no HTTP method.
    pub(super) fn new(
        method: &str,
        target: String,
        stated: &[(HeaderName, HeaderValue)],
        json: Option<String>,
    ) -> Option<Self> {
        let usual = if json.is_some() {
            &USUAL[..]
        } else {
            &USUAL[..1]
        };
        Some(Self {
            line: [method, " ", &target].concat().into(),
            method: Method::from_bytes(method.as_bytes()).ok()?,
            target,
            heading: Heading::new(stated, usual, Vec::new()),
            body: json.map_or_else(Bytes::new, Bytes::from),
        })
    }

    /// The request in one line.
    pub(super) fn line(&self) -> &Arc<str> {
        &self.line
    }

    /// The request as somebody makes it: `base` and the target joined as they stand.
    pub(super) fn call(&self, base: &str, sender: Sender<'_>) -> Call {
        Call {
            method: self.method.clone(),
            url: [base, &self.target].concat(),
            headers: self.heading.of(sender),
            body: self.body.clone(),
        }
    }
}

/// What the answer to `request` gave; its payload is the body where that is one whole JSON document.
pub(super) fn read(request: Arc<str>, reply: &Reply, scrubber: &Scrubber<'_>) -> Answered {
    let observation = Observation::of(request, reply, None, scrubber);
    let payload = if observation.is_json() {
        Payload::of_body(reply.body.clone())
    } else {
        Payload::default()
    };
    Answered {
        observation,
        payload,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;
    use serde_json::{Value, json};

    use super::*;
    use crate::door::heading::tests::{NOBODY, pairs};
    use crate::door::mcp::tests::lines;
    use crate::door::{Answer, HttpAnswer};
    use crate::secret::Redactor;

    fn request(
        method: &str,
        target: &str,
        stated: &[(&str, &'static str)],
        json: Option<&Value>,
    ) -> Option<Request> {
        let json = json.map(Value::to_string);
        Request::new(method, target.to_owned(), &pairs(stated), json)
    }

    #[test]
    fn a_write_is_sent_as_it_stands() {
        let bearer = HeaderValue::from_static("Bearer t");
        let body = json!({ "name": "ü", "price": 1 });
        let target = "/a/./%2e%2F?x=1";
        let request = request("POST", target, &[("X-Env", "test")], Some(&body)).unwrap();
        let sender = Sender {
            authorization: Some(&bearer),
            ..NOBODY
        };
        assert_eq!(
            lines(&request.call("https://api.example/v1", sender)),
            [
                "POST https://api.example/v1/a/./%2e%2F?x=1",
                "accept: application/json",
                "authorization: Bearer t",
                "content-type: application/json",
                concat!("user-agent: rolecall/", env!("CARGO_PKG_VERSION")),
                "x-env: test",
                r#"{"name":"ü","price":1}"#,
            ]
        );
    }

    #[test]
    fn a_read_carries_no_content_type_and_no_body() {
        let request = request("GET", "/p", &[], None).unwrap();
        assert_eq!(
            lines(&request.call("http://h", NOBODY)),
            [
                "GET http://h/p",
                "accept: application/json",
                concat!("user-agent: rolecall/", env!("CARGO_PKG_VERSION")),
                "",
            ]
        );
    }

    #[test]
    fn a_scenario_may_state_another_media_type() {
        let stated = [
            ("Content-Type", "application/merge-patch+json"),
            ("Accept", "text/csv"),
        ];
        let request = request("PATCH", "/p", &stated, Some(&json!({}))).unwrap();
        let call = request.call("http://h", NOBODY);
        assert_eq!(call.headers["content-type"], "application/merge-patch+json");
        assert_eq!(call.headers["accept"], "text/csv");
        assert_eq!(call.headers.len(), 3);
    }

    #[test]
    fn a_word_that_is_no_method_makes_no_call() {
        assert!(request("GE T", "/p", &[], None).is_none());
    }

    #[test]
    fn the_payload_is_the_whole_json_body() {
        let table = [
            (r#"{"id":7}"#, false, Some(json!({"id": 7}))),
            (r#"{"id":7}"#, true, None),
            ("id=7", false, None),
            ("", false, None),
        ];
        for (body, truncated, payload) in table {
            let reply = Reply {
                status: 403,
                headers: HeaderMap::new(),
                body: Bytes::from(body),
                truncated,
                took: Duration::ZERO,
            };
            let redactor = Redactor::default();
            let answered = read("GET /p".into(), &reply, &Scrubber::new(&redactor));
            assert_eq!(answered.payload.value(), payload);
            let kept = HttpAnswer {
                status: 403,
                body: body.to_owned(),
                body_bytes: body.len() as u64,
                truncated,
                json: payload.is_some(),
                ..HttpAnswer::default()
            };
            assert_eq!(answered.observation.answer, Answer::Http(kept));
        }
    }
}
