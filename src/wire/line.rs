//! A persona's calls in, replies out, over connections that no other persona uses.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, HeaderValue, PROXY_AUTHORIZATION};
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::body::{Limits, drain};
use super::dialer::Dialer;
use super::{Call, Reply, Settings, Silence};

/// Bytes that the head of an answer may have.
const HEAD_CAP: u16 = u16::MAX;
/// Shorter than any common server's patience (5 s), so that no call is written to a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// A connection pool of its own: one a persona, so that no connection carries two identities.
///
/// Clones share the pool; when the last one goes, its connections are closed.
///
/// An answer that arrives while no call is under way is recognised as nobody's: its connection is closed and the
/// next call gets a fresh one. One that arrives after the next call was written cannot be told from that call's
/// answer (HTTP/1.1 has no ids); who must be sure asks again on a line of its own.
#[derive(Clone, Debug)]
pub struct Line {
    client: Client<Dialer, Full<bytes::Bytes>>,
    dialer: Dialer,
    patience: Duration,
    body_cap: usize,
}

impl Line {
    pub(super) fn new(dialer: Dialer, settings: &Settings) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .retry_canceled_requests(false)
            .set_host(true)
            .http1_max_buf_size(usize::from(HEAD_CAP))
            .http2_max_header_list_size(u32::from(HEAD_CAP))
            .build(dialer.clone());
        Self { client, dialer, patience: settings.request, body_cap: settings.body_cap }
    }

    /// Sends a call and reads its answer until its end, the cap, the deadline, or until `enough` says so of what was read so far.
    ///
    /// The deadline is one for the whole call: what arrived before it is a truncated reply, and without a status it is silence.
    /// A redirect is an answer like any other, nothing is retried, and no cookie is kept.
    ///
    /// # Errors
    /// Why there is no answer. A URL that cannot be put on the wire is [`Silence::Unreadable`].
    pub async fn send(
        &self,
        call: Call,
        enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<Reply, Silence> {
        let begun = Instant::now();
        let limits = Limits { cap: self.body_cap, deadline: begun + self.patience };
        let request = self.request(call)?;
        let response = timeout_at(limits.deadline, self.client.request(request))
            .await
            .map_err(|_| Silence::Deadline)?
            .map_err(|error| Silence::of(&error, Silence::Unreadable))?;
        let (head, body) = response.into_parts();
        let read = drain(body, limits, enough).await;
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: read.bytes,
            truncated: read.truncated,
            took: begun.elapsed(),
        })
    }

    fn request(&self, call: Call) -> Result<Request<Full<bytes::Bytes>>, Silence> {
        let uri: Uri = call.url.parse().map_err(|_| Silence::Unreadable)?;
        let (mut head, ()) = Request::new(()).into_parts();
        head.headers = call.headers;
        // RFC 9110 §8.6: methods that expect content state its length even when it is 0; hyper does not, and some gateways answer 411.
        if call.body.is_empty() && expects_content(&call.method) {
            head.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        if let Some(authorization) = self.forwarder_authorization(&uri) {
            head.headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        head.method = call.method;
        head.uri = uri;
        Ok(Request::from_parts(head, Full::new(call.body)))
    }

    /// A tunnel authenticates while it is dug; a forwarding proxy reads each request.
    fn forwarder_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme_str() != Some("http") {
            return None;
        }
        self.dialer.proxy(uri)?.basic_auth().cloned()
    }
}

fn expects_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}
