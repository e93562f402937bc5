//! Why there is no HTTP answer.

use std::fmt;

use serde::{Deserialize, Serialize};

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
