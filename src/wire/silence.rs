//! A client's error in, why there is no HTTP answer out.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;

use serde::{Deserialize, Serialize};

use super::dialer::Undialled;
use super::resolver::NameUnknown;

/// Why there is no HTTP answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// The host's name did not resolve.
    NameUnknown,
    /// Nothing listens there, or the way is closed.
    ConnectionRefused,
    /// TLS failed: certificate, name or protocol.
    Tls,
    /// A deadline passed.
    Deadline,
    /// The peer closed the connection before an answer.
    Closed,
    /// What came back is no HTTP, or breaks its rules or our caps.
    Unreadable,
    /// The run ended first.
    Interrupted,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NameUnknown => "the host name does not resolve",
            Self::ConnectionRefused => "connection refused",
            Self::Tls => "TLS failed",
            Self::Deadline => "no answer before the deadline",
            Self::Closed => "connection closed before an answer",
            Self::Unreadable => "not a readable HTTP answer",
            Self::Interrupted => "the run ended first",
        })
    }
}

impl Silence {
    /// Whether the call may have been executed all the same: it reached somebody who did not say.
    pub const fn may_follow_execution(self) -> bool {
        match self {
            Self::Deadline | Self::Closed | Self::Unreadable | Self::Interrupted => true,
            Self::NameUnknown | Self::ConnectionRefused | Self::Tls => false,
        }
    }

    /// What an error of a client means, by the types in its chain and never by its text; `otherwise` when none of them is known.
    pub(super) fn of(error: &(dyn Error + 'static), otherwise: Self) -> Self {
        chain(error)
            .find_map(exactly)
            .or_else(|| chain(error).find_map(roughly))
            .unwrap_or(otherwise)
    }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |error| beneath(*error))
}

/// `io::Error::source` skips the error that it wraps, and that is where TLS says what it is.
fn beneath<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn exactly(error: &(dyn Error + 'static)) -> Option<Silence> {
    if let Some(Undialled(silence)) = error.downcast_ref() {
        Some(*silence)
    } else if error.is::<NameUnknown>() {
        Some(Silence::NameUnknown)
    } else if error.is::<rustls::Error>() {
        Some(Silence::Tls)
    } else if error.is::<tokio::time::error::Elapsed>() {
        Some(Silence::Deadline)
    } else {
        None
    }
}

fn roughly(error: &(dyn Error + 'static)) -> Option<Silence> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        of_kind(error.kind())
    } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
        of_hyper(error)
    } else {
        None
    }
}

fn of_kind(kind: io::ErrorKind) -> Option<Silence> {
    use io::ErrorKind as Kind;
    match kind {
        Kind::ConnectionRefused
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable
        | Kind::PermissionDenied => Some(Silence::ConnectionRefused),
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => Some(Silence::Closed),
        Kind::TimedOut => Some(Silence::Deadline),
        _ => None,
    }
}

fn of_hyper(error: &hyper::Error) -> Option<Silence> {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(Silence::Closed)
    } else if error.is_timeout() {
        Some(Silence::Deadline)
    } else {
        None
    }
}
