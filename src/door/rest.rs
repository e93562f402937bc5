//! A REST call in, observation out.

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use super::observation::Observation;
use super::scrubber::Scrubber;
use super::{Answered, Payload};
use crate::wire::{Call, Reply};

/// Headers of a call besides those of its heading: those below, `host` and `content-length`.
pub(super) const OTHERS: usize = 4;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The request: `base` and `target` joined as they stand, `heading` and what JSON needs besides. `None` when `method`
/// is no HTTP method.
pub(super) fn call(
    base: &str,
    method: &str,
    target: &str,
    heading: HeaderMap,
    json: Option<&Value>,
) -> Option<Call> {
    let mut headers = heading;
    headers.entry(ACCEPT).or_insert(JSON);
    if json.is_some() {
        headers.entry(CONTENT_TYPE).or_insert(JSON);
    }
    Some(Call {
        method: Method::from_bytes(method.as_bytes()).ok()?,
        url: [base, target].concat(),
        headers,
        body: json.map_or_else(Bytes::new, |json| Bytes::from(json.to_string())),
    })
}

/// What the answer to `request` gave; its payload is the body where that is one whole JSON document.
pub(super) fn read(request: String, reply: &Reply, scrubber: &Scrubber<'_>) -> Answered {
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

    use serde_json::json;

    use super::*;
    use crate::door::heading::heading;
    use crate::door::mcp::tests::lines;
    use crate::door::{Answer, HttpAnswer};
    use crate::secret::Redactor;

    #[test]
    fn a_write_is_sent_as_it_stands() {
        let bearer = HeaderValue::from_static("Bearer t");
        let stated = [("X-Env".to_owned(), HeaderValue::from_static("test"))];
        let body = json!({ "name": "ü", "price": 1 });
        let call = call(
            "https://api.example/v1",
            "POST",
            "/a/./%2e%2F?x=1",
            heading(&stated, &[], Some(&bearer), OTHERS),
            Some(&body),
        );
        assert_eq!(
            lines(&call.unwrap()),
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
        let call = call(
            "http://h",
            "GET",
            "/p",
            heading(&[], &[], None, OTHERS),
            None,
        )
        .unwrap();
        assert_eq!(
            lines(&call),
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
            (
                "Content-Type".to_owned(),
                HeaderValue::from_static("application/merge-patch+json"),
            ),
            ("Accept".to_owned(), HeaderValue::from_static("text/csv")),
        ];
        let call = call(
            "http://h",
            "PATCH",
            "/p",
            heading(&stated, &[], None, OTHERS),
            Some(&json!({})),
        )
        .unwrap();
        assert_eq!(call.headers["content-type"], "application/merge-patch+json");
        assert_eq!(call.headers["accept"], "text/csv");
        assert_eq!(call.headers.len(), 3);
    }

    #[test]
    fn a_word_that_is_no_method_makes_no_call() {
        assert!(call("http://h", "GE T", "/p", HeaderMap::new(), None).is_none());
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
            let answered = read("GET /p".to_owned(), &reply, &Scrubber::new(&redactor));
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
