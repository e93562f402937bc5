//! An open connection and a request in, its response out: HTTP/1.1 moves while somebody waits for it, HTTP/2 by itself.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::TokioExecutor;
use tokio::task::unconstrained;

use super::answer::HEAD_CAP;
use super::silence::Silence;
use super::stream::Stream;
use super::tap::{Reads, Tap};

/// What a request carries.
pub(super) type Content = Full<Bytes>;

/// An HTTP request as hyper takes it.
pub(super) type Sendable = Request<Content>;

/// A connection that can take a request.
pub(super) enum Carrier {
    /// HTTP/1.1: one call at a time.
    Single(Box<Single>),
    /// HTTP/2: as many as the server allows.
    Shared(Shared),
}

impl Carrier {
    /// Begins to speak on a fresh connection what TLS has negotiated.
    ///
    /// # Errors
    /// Why it cannot be spoken.
    pub(super) async fn of(stream: Stream, address: Address) -> Result<Self, Silence> {
        let unspoken = |error: hyper::Error| Silence::of(&error, Silence::Unreadable);
        if stream.connected().is_negotiated_h2() {
            Shared::of(stream).await.map(Self::Shared).map_err(unspoken)
        } else {
            let single = Single::of(stream, address).await.map_err(unspoken)?;
            Ok(Self::Single(Box::new(single)))
        }
    }
}

/// What every HTTP/1.1 request to a place says of the way to it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// `host`.
    pub(super) host: HeaderValue,
    /// `proxy-authorization`: a tunnel authenticates while it is dug, a forwarding proxy reads each request.
    pub(super) authorization: Option<HeaderValue>,
}

/// Why there is no response.
pub(super) enum Unanswered {
    /// Nothing of the request was written; here it is again.
    Unsent(Box<Sendable>),
    /// What became of a request that may have been written.
    Silent(Silence),
}

impl Unanswered {
    fn of(mut error: TrySendError<Sendable>) -> Self {
        match error.take_message() {
            Some(request) => Self::Unsent(Box::new(request)),
            None => Self::Silent(Silence::of(&error.into_error(), Silence::Unreadable)),
        }
    }
}

/// An HTTP/1.1 connection. It moves only while it is polled: by whoever waits for an answer on it, so that no other task must
/// be woken for a call.
pub(super) struct Single {
    sender: http1::SendRequest<Content>,
    driver: Driver,
    address: Address,
    /// Whether a proxy at its other end forwards each request.
    is_forwarded: bool,
}

impl Single {
    async fn of(stream: Stream, address: Address) -> Result<Self, hyper::Error> {
        let is_forwarded = stream.connected().is_proxied();
        let mut builder = http1::Builder::new();
        // Bodies are small: one piece is written faster than two.
        builder.writev(false).max_buf_size(usize::from(HEAD_CAP));
        let tap = Tap::default();
        let (sender, connection) = builder.handshake(stream.behind(tap.clone())).await?;
        Ok(Self {
            sender,
            driver: Driver {
                connection: Some(connection),
                tap,
            },
            address,
            is_forwarded,
        })
    }

    /// Whether another request may be sent: the last answer was read to its end.
    pub(super) fn is_ready(&self) -> bool {
        self.driver.connection.is_some() && self.sender.is_ready()
    }

    /// The same once it has heard what came since: a farewell, or an answer that nobody asked for, closes it.
    pub(super) fn is_free(&mut self) -> bool {
        let mut quiet = Context::from_waker(Waker::noop());
        self.driver.drive(Reads::All, &mut quiet);
        self.is_ready()
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn send(
        &mut self,
        url: &Uri,
        mut request: Sendable,
    ) -> Result<Response<Incoming>, Unanswered> {
        self.write_address(url, &mut request);
        // Nothing but the driver makes the answer, and the driver is polled here: the answer itself need not wake anybody.
        let mut quiet = Context::from_waker(Waker::noop());
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        let (driver, mut is_written) = (&mut self.driver, false);
        let answered = poll_fn(move |context| {
            // Once the request is written, who wakes us is most likely the answer. Were our waker left with the driver then, it
            // would wake us once more for what is read here.
            if is_written {
                driver.drive(Reads::One, &mut quiet);
                if let Poll::Ready(answered) = answer.as_mut().poll(&mut quiet) {
                    return Poll::Ready(answered);
                }
            }
            is_written = true;
            driver.drive(Reads::All, context);
            answer.as_mut().poll(&mut quiet)
        });
        answered.await.map_err(Unanswered::of)
    }

    /// A server wants the target without scheme and authority (RFC 9112 §3.2.1), a forwarding proxy whole (§3.2.2).
    fn write_address(&self, url: &Uri, request: &mut Sendable) {
        let headers = request.headers_mut();
        let Address {
            host,
            authorization,
        } = &self.address;
        headers.entry(HOST).or_insert_with(|| host.clone());
        if let Some(authorization) = authorization {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        *request.uri_mut() = match url.path_and_query() {
            _ if self.is_forwarded => url.clone(),
            Some(target) => Uri::from(target.clone()),
            None => Uri::default(),
        };
    }

    /// The body of the answer that was just given, read as it comes.
    pub(super) fn reading(&mut self, body: Incoming) -> Reading<'_> {
        Reading { single: self, body }
    }
}

/// What moves an HTTP/1.1 connection.
struct Driver {
    /// `None` once the connection has ended.
    connection: Option<http1::Connection<Stream, Content>>,
    tap: Tap,
}

impl Driver {
    /// Lets the connection move; one that has ended is closed. Why it ended is told to whoever waits for its answer.
    fn drive(&mut self, reads: Reads, context: &mut Context<'_>) {
        self.tap.open(reads);
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(context).is_ready()
        {
            self.connection = None;
        }
    }
}

/// A body that moves its connection while it is read.
pub(super) struct Reading<'s> {
    single: &'s mut Single,
    body: Incoming,
}

impl Body for Reading<'_> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut quiet = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(&mut quiet) {
            return Poll::Ready(frame);
        }
        self.single.driver.drive(Reads::All, context);
        Pin::new(&mut self.body).poll_frame(&mut quiet)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An HTTP/2 connection, moved by a task of its own. Clones share it; when the last one goes, it is closed.
#[derive(Clone)]
pub(super) struct Shared(http2::SendRequest<Content>);

impl Shared {
    async fn of(stream: Stream) -> Result<Self, hyper::Error> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_header_list_size(u32::from(HEAD_CAP));
        let (sender, driver) = builder.handshake(stream).await?;
        // Why it ended is told to whoever waits for an answer.
        drop(tokio::spawn(driver));
        Ok(Self(sender))
    }

    /// Whether another request may be sent.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn send(
        &mut self,
        url: &Uri,
        mut request: Sendable,
    ) -> Result<Response<Incoming>, Unanswered> {
        *request.uri_mut() = url.clone();
        let answered = self.0.try_send_request(request);
        answered.await.map_err(Unanswered::of)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single(_) => "HTTP/1.1",
            Self::Shared(_) => "HTTP/2",
        })
    }
}
