//! An exchange in, what is kept of it out: scrubbed, capped, ready to be judged.

mod header;
pub(super) mod sound;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::Recipe;
use super::scrubber::Scrubber;
use crate::wire::{Reply, Silence};

const BODY_CAP: usize = 4096;
const REQUEST_CAP: usize = 512;

/// What is kept of one exchange. Nothing in it holds a known secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Observation {
    /// The request in one line, such as `DELETE /api/products/7` or `tools/call deleteProduct`.
    pub request: Arc<str>,
    /// What came back.
    pub answer: Answer,
    /// Milliseconds from sending to the last byte that was read.
    pub took_ms: u64,
    /// What the request was made of, where the answer is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Box<Recipe>>,
}

impl Observation {
    /// What is kept of an answer; `rpc` is what its JSON-RPC message says, `None` at the REST door.
    pub(super) fn of(
        request: Arc<str>,
        reply: &Reply,
        rpc: Option<Rpc>,
        scrubber: &Scrubber<'_>,
    ) -> Self {
        Self::of_read(request, reply, is_document(reply), rpc, scrubber)
    }

    /// The same of an answer of which it is known whether its body is one JSON document.
    pub(super) fn of_read(
        request: Arc<str>,
        reply: &Reply,
        json: bool,
        rpc: Option<Rpc>,
        scrubber: &Scrubber<'_>,
    ) -> Self {
        let answer = HttpAnswer {
            status: reply.status,
            headers: header::kept(&reply.headers, scrubber),
            body: scrubber.text(&readable(&reply.body), BODY_CAP),
            body_bytes: reply.body.len() as u64,
            truncated: reply.truncated,
            json,
            rpc,
        };
        Self::new(request, Answer::Http(answer), reply.took, scrubber)
    }

    /// What is kept where no answer came within `took`.
    pub(super) fn silent(
        request: Arc<str>,
        silence: Silence,
        took: Duration,
        scrubber: &Scrubber<'_>,
    ) -> Self {
        Self::new(request, Answer::None(silence), took, scrubber)
    }

    /// The same with what its request was made of.
    #[must_use]
    pub fn made_by(self, recipe: Option<Recipe>) -> Self {
        Self {
            recipe: recipe.map(Box::new),
            ..self
        }
    }

    /// Whether the whole body is one JSON document.
    pub(super) fn is_json(&self) -> bool {
        matches!(&self.answer, Answer::Http(answer) if answer.json)
    }

    /// The HTTP status; `None` where no answer came.
    pub fn status(&self) -> Option<u16> {
        match &self.answer {
            Answer::Http(answer) => Some(answer.status),
            Answer::None(_) => None,
        }
    }

    fn new(request: Arc<str>, answer: Answer, took: Duration, scrubber: &Scrubber<'_>) -> Self {
        Self {
            request: scrubber.own(request, REQUEST_CAP),
            answer,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            recipe: None,
        }
    }
}

/// The body as one JSON document (RFC 8259, a leading byte order mark is ignored); `None` when it is none or was cut.
pub(super) fn document(reply: &Reply) -> Option<Value> {
    if reply.truncated {
        return None;
    }
    serde_json::from_slice(without_mark(&reply.body)).ok()
}

/// Whether [`document`] would give one.
pub(super) fn is_document(reply: &Reply) -> bool {
    !reply.truncated && sound::is_json(without_mark(&reply.body))
}

/// The bytes after a UTF-8 byte order mark, if one leads them.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Bytes as text; what is no UTF-8 is replaced.
pub(super) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all of it is, and to know that costs little.
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// What came back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// An HTTP answer, complete or cut.
    Http(HttpAnswer),
    /// No HTTP answer at all.
    None(Silence),
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct HttpAnswer {
    /// Status code, 100 to 999 as sent.
    pub status: u16,
    /// Headers that tell who answered and why, names in lower case, in the order received; values redacted and capped at 512 bytes.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body's first 4 KiB as text, redacted; invalid UTF-8 replaced.
    pub body: String,
    /// Bytes of body that were read.
    pub body_bytes: u64,
    /// Whether the body ended before its end: cut by the cap, the deadline or the peer.
    pub truncated: bool,
    /// Whether the whole body is one JSON document.
    pub json: bool,
    /// What the JSON-RPC message with our id says; `None` at the REST door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc: Option<Rpc>,
}

impl HttpAnswer {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The media type without parameters, in lower case; empty when there is none.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }
}

/// What a JSON-RPC answer says (JSON-RPC 2.0 §5).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rpc {
    /// A result.
    Result {
        /// `isError` of a tool result.
        is_error: bool,
        /// Its text blocks joined by newlines, capped at 2 KiB, redacted.
        text: String,
    },
    /// An error object.
    Error {
        /// Its code.
        code: i64,
        /// Its message, capped at 2 KiB, redacted.
        message: String,
    },
    /// No message with our id: another id, both or neither of `result` and `error`, a batch, or no JSON-RPC at all.
    Absent,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use http::header::{CONTENT_TYPE, HeaderValue, LOCATION, SERVER, WWW_AUTHENTICATE};

    use super::*;
    use crate::secret::{Redactor, Secret};

    fn reply(body: impl Into<Bytes>) -> Reply {
        Reply {
            status: 200,
            headers: HeaderMap::new(),
            body: body.into(),
            truncated: false,
            took: Duration::from_micros(12_900),
        }
    }

    fn answer(reply: &Reply) -> HttpAnswer {
        let redactor = Redactor::default();
        match Observation::of("GET /".into(), reply, None, &Scrubber::new(&redactor)).answer {
            Answer::Http(answer) => answer,
            Answer::None(silence) => panic!("{silence}"),
        }
    }

    #[test]
    fn a_long_body_is_counted_whole_and_kept_in_part() {
        let kept = answer(&reply("ü".repeat(5000)));
        assert_eq!((kept.body_bytes, kept.body.len()), (10_000, BODY_CAP));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(answer(&reply(&b"a\xffb"[..])).body, "a\u{fffd}b");
    }

    #[test]
    fn json_is_one_whole_document() {
        let deep = "[".repeat(100_000);
        let table: [(&[u8], bool); 10] = [
            (b"{}", true),
            (b" [1] \n", true),
            (b"\xef\xbb\xbf{}", true),
            (b"", false),
            (b"{} {}", false),
            (b"<html>", false),
            (b"{\"a\":\"\xff\"}", false),
            (b"{\"a\":\"\\ud800\"}", false),
            (b"1e999", false),
            (deep.as_bytes(), false),
        ];
        for (body, json) in table {
            assert_eq!(
                answer(&reply(body.to_vec())).json,
                json,
                "{:?}",
                &body[..body.len().min(20)]
            );
        }
        let cut = Reply {
            truncated: true,
            ..reply("{}")
        };
        assert!(!answer(&cut).json);
    }

    #[test]
    fn silence_keeps_its_reason_and_its_time() {
        let redactor = Redactor::default();
        let silence = Observation::silent(
            "GET /".into(),
            Silence::Tls,
            Duration::from_millis(7),
            &Scrubber::new(&redactor),
        );
        assert_eq!(
            (silence.answer, silence.took_ms),
            (Answer::None(Silence::Tls), 7)
        );
    }

    #[test]
    fn a_secret_that_the_server_repeats_does_not_survive() {
        let canary = "canary-7f3a91c2e85d";
        let redactor = Redactor::default();
        redactor.learn(&Secret::new(canary.to_owned()));
        let mut echo = reply(format!(
            "{}{{\"authorization\":\"Bearer {canary}\"}}",
            " ".repeat(BODY_CAP - 30)
        ));
        let told = HeaderValue::from_str(&format!("{} {canary}", "x".repeat(500))).unwrap();
        for name in [CONTENT_TYPE, SERVER, WWW_AUTHENTICATE, LOCATION] {
            echo.headers.append(name, told.clone());
        }
        let rpc = Some(Rpc::Absent);
        let kept = Observation::of(
            format!("GET /{canary}").into(),
            &echo,
            rpc,
            &Scrubber::new(&redactor),
        );
        let record = serde_json::to_string(&kept).unwrap();
        assert!(!record.contains("canary"), "{record}");
    }
}
