//! Call in, reply out: the only room that names reqwest and hyper.

pub mod silence;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

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
    /// PEM certificates of private authorities, added to the system's.
    pub authorities: Vec<Vec<u8>>,
    /// Proxy rules as the environment states them: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub proxies: Proxies,
}

/// Proxy rules as the environment states them.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `ALL_PROXY`.
    pub all: Option<String>,
    /// `NO_PROXY`.
    pub no: Option<String>,
}

/// Makes connections.
#[derive(Clone, Debug)]
pub struct Wire {}

/// A connection pool of its own: one a persona, so that no connection carries two identities.
#[derive(Clone, Debug)]
pub struct Line {}

/// One HTTP request, sent as it stands: target verbatim, no header added but `host` and `content-length`.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
    /// Prepares trust and proxies.
    ///
    /// # Errors
    /// A certificate or proxy address that cannot be read.
    pub fn new(_settings: &Settings) -> Result<Self, SetupError> {
        Ok(Self {})
    }

    /// A line with no connection yet.
    pub fn line(&self) -> Line {
        Line {}
    }

    /// One exchange with a well-behaved server: identity providers, discovery documents. Redirects are answers, bodies are capped.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn exchange(&self, _call: Call) -> Result<Reply, Silence> {
        Err(Silence::Unreadable)
    }
}

impl Line {
    /// Sends a call and reads its answer until its end, the cap, the deadline, or until `enough` says so of what was read so far.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send(&self, _call: Call, _enough: &mut (dyn FnMut(&[u8]) -> bool + Send)) -> Result<Reply, Silence> {
        Err(Silence::Unreadable)
    }
}
