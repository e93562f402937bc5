//! Observation in, outcome out: what the answer means, before anything is compared.

use serde::{Deserialize, Serialize};

use super::denial;
use super::signature::Signature;
use crate::door::{Answer, HttpAnswer, Observation, Rpc};

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

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 12] = [
        Self::Granted,
        Self::PastTheGuard,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::RefusedInBand,
        Self::Hidden,
        Self::ToolError,
        Self::Rejected,
        Self::Redirected,
        Self::Intercepted,
        Self::Crashed,
        Self::NoAnswer,
    ];

    /// The outcome's one spelling, as in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::PastTheGuard => "past-the-guard",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::RefusedInBand => "refused-in-band",
            Self::Hidden => "hidden",
            Self::ToolError => "tool-error",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::Intercepted => "intercepted",
            Self::Crashed => "crashed",
            Self::NoAnswer => "no-answer",
        }
    }

    /// Whether authorization let the call through, so that it can serve as a control.
    pub const fn got_through(self) -> bool {
        match self {
            Self::Granted | Self::PastTheGuard => true,
            Self::Unauthenticated
            | Self::Forbidden
            | Self::RefusedInBand
            | Self::Hidden
            | Self::ToolError
            | Self::Rejected
            | Self::Redirected
            | Self::Intercepted
            | Self::Crashed
            | Self::NoAnswer => false,
        }
    }

    /// Whether the answer says nothing about authorization.
    pub const fn is_silent(self) -> bool {
        match self {
            Self::Intercepted | Self::NoAnswer => true,
            Self::Granted
            | Self::PastTheGuard
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::RefusedInBand
            | Self::Hidden
            | Self::ToolError
            | Self::Rejected
            | Self::Redirected
            | Self::Crashed => false,
        }
    }
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

impl Reading {
    /// An outcome without a signature.
    pub const fn plain(outcome: Outcome) -> Self {
        Self { outcome, signature: None }
    }
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

/// Reads an observation. The answer of an MCP door is one whose `rpc` is present.
///
/// A recognised [`Signature`] decides before the status does; JSON-RPC errors are read alike at HTTP 200 and 4xx,
/// because servers of revision 2026-07-28 map some of them to 400 and 404.
pub fn read(observation: &Observation, setting: &Setting<'_>) -> Reading {
    let answer = match &observation.answer {
        Answer::Http(answer) if (200..600).contains(&answer.status) => answer,
        Answer::Http(_) | Answer::None(_) => return Reading::plain(Outcome::NoAnswer),
    };
    let signature = Signature::recognise(answer);
    let outcome = signature
        .and_then(|signature| signed(signature, answer))
        .unwrap_or_else(|| unsigned(answer, setting, signature.is_some()));
    Reading { outcome, signature }
}

/// What a signature alone decides; `None` leaves it to the status.
fn signed(signature: Signature, answer: &HttpAnswer) -> Option<Outcome> {
    match signature {
        Signature::SubscriptionKey
        | Signature::Quota
        | Signature::IpFilter
        | Signature::EdgePage
        | Signature::EmptyAnswer
        | Signature::RateLimit => Some(Outcome::Intercepted),
        Signature::HtmlPage => matches!(answer.status, 200..=299 | 401 | 403).then_some(Outcome::Intercepted),
        Signature::RouteMissing if answer.rpc.is_some() => Some(Outcome::Rejected),
        Signature::RouteMissing => Some(Outcome::Hidden),
        Signature::LoginRedirect | Signature::LoginPage => Some(Outcome::Redirected),
        Signature::PolicyCrash => Some(Outcome::Crashed),
        Signature::GatewayError => Some(Outcome::NoAnswer),
    }
}

fn unsigned(answer: &HttpAnswer, setting: &Setting<'_>, marked: bool) -> Outcome {
    match answer.status {
        200..=299 => success(answer, setting),
        401 => Outcome::Unauthenticated,
        403 => Outcome::Forbidden,
        404 | 410 if answer.rpc.is_none() => decoyed(setting, marked, Outcome::Hidden),
        400 | 409 | 422 if answer.rpc.is_none() => decoyed(setting, marked, Outcome::Rejected),
        400..=499 => protocol_error(answer, setting),
        502..=504 => Outcome::NoAnswer,
        500..=599 => Outcome::Crashed,
        _ => Outcome::Rejected,
    }
}

/// The backend's own complaint about a decoy proves that the call reached it; a marked answer is not the backend's.
fn decoyed(setting: &Setting<'_>, marked: bool, otherwise: Outcome) -> Outcome {
    if setting.decoy && !marked { Outcome::PastTheGuard } else { otherwise }
}

fn success(answer: &HttpAnswer, setting: &Setting<'_>) -> Outcome {
    match &answer.rpc {
        None => Outcome::Granted,
        Some(Rpc::Result { is_error: false, text }) if denial::wraps_a_refusal(text) => Outcome::RefusedInBand,
        Some(Rpc::Result { is_error: false, .. }) => Outcome::Granted,
        Some(Rpc::Result { is_error: true, text }) => {
            no_in_band(answer, text, setting).unwrap_or_else(|| decoyed(setting, false, Outcome::ToolError))
        }
        Some(Rpc::Error { code, message }) => error_object(answer, *code, message, setting),
        Some(Rpc::Absent) => Outcome::NoAnswer,
    }
}

fn protocol_error(answer: &HttpAnswer, setting: &Setting<'_>) -> Outcome {
    match &answer.rpc {
        Some(Rpc::Error { code, message }) => error_object(answer, *code, message, setting),
        Some(Rpc::Result { .. } | Rpc::Absent) | None => Outcome::Rejected,
    }
}

/// A JSON-RPC error (JSON-RPC 2.0 §5.1): -32601 is an unknown method, -32602 a complaint about arguments unless its words say otherwise.
fn error_object(answer: &HttpAnswer, code: i64, message: &str, setting: &Setting<'_>) -> Outcome {
    if denial::is_denial_code(code) {
        return Outcome::RefusedInBand;
    }
    if code == -32601 {
        return Outcome::Hidden;
    }
    let about_arguments = code == -32602;
    no_in_band(answer, message, setting).unwrap_or_else(|| decoyed(setting, !about_arguments, Outcome::Rejected))
}

/// A no in words: to the tool's existence, or to the caller. Default-deny servers say no in the same words to an
/// unknown tool, so words of denial outrank equality with the calibrated answer.
fn no_in_band(answer: &HttpAnswer, text: &str, setting: &Setting<'_>) -> Option<Outcome> {
    if denial::knows_no_tool(text, setting.tool) {
        Some(Outcome::Hidden)
    } else if denial::denies(text) {
        Some(Outcome::RefusedInBand)
    } else if answers_like_unknown(answer, setting) {
        Some(Outcome::Hidden)
    } else {
        None
    }
}

fn answers_like_unknown(answer: &HttpAnswer, setting: &Setting<'_>) -> bool {
    let Some((name, observation)) = setting.unknown_tool else { return false };
    match &observation.answer {
        Answer::Http(unknown) => shape(unknown, Some(name)) == shape(answer, setting.tool),
        Answer::None(_) => false,
    }
}

/// Status, JSON-RPC code (none for a result), `isError`, and words without the tool's name.
fn shape(answer: &HttpAnswer, tool: Option<&str>) -> Option<(u16, Option<i64>, bool, String)> {
    match answer.rpc.as_ref()? {
        Rpc::Result { is_error, text } => Some((answer.status, None, *is_error, denial::nameless(text, tool))),
        Rpc::Error { code, message } => Some((answer.status, Some(*code), true, denial::nameless(message, tool))),
        Rpc::Absent => None,
    }
}
