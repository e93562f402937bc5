//! Call in, reply out: the only room that names reqwest and hyper.

mod answer;
mod carrier;
mod client;
mod clock;
mod dialer;
mod line;
mod pool;
mod proxies;
pub mod reach;
mod resolver;
mod silence;
mod stream;
mod tap;
mod trust;
mod urls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use client::Clients;
use dialer::Dialer;
use trust::Trust;
use urls::Urls;

pub use line::Line;
pub use proxies::Proxies;
pub use reach::Reach;
pub use silence::Silence;

/// Deadlines, caps and trust of every connection of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Longest time until a connection stands, TLS included.
    pub connect: Duration,
    /// Longest time from sending to the last byte of an answer.
    pub request: Duration,
    /// Bytes of body that are read at most.
    pub body_cap: usize,
    /// PEM certificates of private authorities, added to the system's; one entry may hold several.
    pub authorities: Vec<Vec<u8>>,
    /// Proxy rules as the environment states them: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub proxies: Proxies,
}

/// Makes connections.
#[derive(Clone, Debug)]
pub struct Wire {
    settings: Arc<Settings>,
    dialer: Dialer,
    clients: Arc<Clients>,
    urls: Arc<Urls>,
}

/// One HTTP request, sent as it stands: target verbatim, no header added but `host` and `content-length`.
#[derive(Clone)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Absolute URL; its path and query go on the wire verbatim.
    pub url: String,
    /// Headers; duplicates are kept.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// One HTTP answer as it came.
#[derive(Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, up to the cap.
    pub body: Bytes,
    /// Whether the body ended before its end: cap, deadline or peer. Reading stopped by `enough` is no truncation.
    pub truncated: bool,
    /// From sending to the last byte read.
    pub took: Duration,
}

/// Why no connection can be made at all; names the file or setting and the remedy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SetupError(pub String);

impl Wire {
    /// Prepares trust and proxies. The system's certificates are not read before the first `https` URL is dialled.
    ///
    /// # Errors
    /// A certificate or proxy address that cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let trust = Arc::new(Trust::new(&settings.authorities)?);
        let matcher = settings.proxies.matcher()?;
        let settings = Arc::new(settings.clone());
        Ok(Self {
            dialer: Dialer::new(Arc::clone(&trust), matcher, settings.connect),
            clients: Arc::new(Clients::new(trust)),
            settings,
            urls: Arc::default(),
        })
    }

    /// A line with no connection yet. It shares no connection, no TLS session and no state with any other line.
    pub fn line(&self) -> Line {
        Line::new(self)
    }

    /// How far the way to a URL leads; nothing is asked there.
    ///
    /// # Errors
    /// [`Silence::Unreadable`] for what is no absolute http(s) URL.
    pub async fn reach(&self, url: &str) -> Result<Reach, Silence> {
        let destination = url.parse().map_err(|_unsendable| Silence::Unreadable)?;
        reach::measure(&self.dialer, destination, self.settings.connect).await
    }

    /// One exchange with a well-behaved server: identity providers, discovery documents. Redirects are answers, bodies are capped.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn exchange(&self, call: Call) -> Result<Reply, Silence> {
        let cap = self.settings.body_cap;
        self.clients.exchange(call, &self.settings, cap).await
    }

    /// The same for a document that may be larger than any answer of a door: so many bytes of it are read at most.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn download(&self, call: Call, cap: usize) -> Result<Reply, Silence> {
        self.clients.exchange(call, &self.settings, cap).await
    }
}

// Headers and bodies carry tokens and secrets, so `Debug` tells their shape alone.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .field("truncated", &self.truncated)
            .field("took", &self.took)
            .finish()
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::error::Error for SetupError {}
