//! Observation in, outcome out: what the answer means, before anything is compared.

use serde::{Deserialize, Serialize};

use super::signature::Signature;
use crate::door::Observation;

/// What an answer means (DESIGN: the outcome table).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 2xx with the declared kind of body.
    Granted,
    /// The backend's own 404/409/422 for a decoy target: authorization let it through, nothing was changed.
    PastTheGuard,
    /// 401 that the authorization policy gave.
    Unauthenticated,
    /// 403 that the authorization policy gave.
    Forbidden,
    /// MCP: HTTP 200 with a JSON-RPC error or `isError` that carries a denial.
    RefusedInBand,
    /// Looks like the answer for a tool or path that does not exist.
    Hidden,
    /// MCP: the tool ran and failed for reasons of its own.
    ToolError,
    /// A protocol-level 4xx, or a JSON-RPC error that is no denial.
    Rejected,
    /// 3xx to a sign-in page, or that page with 200.
    Redirected,
    /// Refused or answered by something that is not authorization.
    Intercepted,
    /// 500 and the like.
    Crashed,
    /// 502, 503, 504 after retries, transport failure, deadline, unreadable answer.
    NoAnswer,
}

/// An outcome with the signature that led to it, when one was recognised.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reading {
    /// What the answer means.
    pub outcome: Outcome,
    /// Who gives such an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// What must be known of a call to read its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting<'a> {
    /// Whether the call named a decoy: an object that cannot exist or a body that cannot validate.
    pub decoy: bool,
    /// The same persona's answer to a call of a tool that cannot exist, with that tool's name.
    pub unknown_tool: Option<(&'a str, &'a Observation)>,
    /// The tool's name, for MCP calls.
    pub tool: Option<&'a str>,
}

/// Reads an observation.
pub fn read(_observation: &Observation, _setting: &Setting<'_>) -> Reading {
    Reading { outcome: Outcome::NoAnswer, signature: None }
}
