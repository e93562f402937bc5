//! A word or two in, what the judge is shown in the tables of this room out.

use super::{Outcome, Reading, Roll, Sight, Sights};
use crate::door::HttpAnswer;
use crate::plan::Matrix;
use crate::scenario::RefusalShape;

/// What is seen of a cell whose answer means this, with the status that such an answer usually has.
pub(super) fn saw(outcome: Outcome) -> Sight {
    answered(outcome, usual_status(outcome))
}

/// The status that an answer with this meaning usually has, 0 where there is none.
pub(super) const fn usual_status(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Granted | Outcome::RefusedInBand | Outcome::ToolError => 200,
        Outcome::PastTheGuard | Outcome::Hidden => 404,
        Outcome::Unauthenticated => 401,
        Outcome::Forbidden | Outcome::Intercepted => 403,
        Outcome::Rejected => 400,
        Outcome::Redirected => 302,
        Outcome::Crashed => 500,
        Outcome::NoAnswer => 0,
    }
}

/// The same with another status.
pub(super) fn answered(outcome: Outcome, status: u16) -> Sight {
    Sight {
        reading: Some(Reading::plain(outcome)),
        status,
        ..Sight::default()
    }
}

/// A run in which nothing but these sights is known.
pub(super) const fn roll<'r>(matrix: &'r Matrix, sights: &'r [Sight]) -> Roll<'r> {
    Roll {
        matrix,
        sights: Sights::of(sights),
        mcp_refuses: RefusalShape::Http,
        earlier: &[],
        shown: &[],
    }
}

/// An answer with headers (`name: value`, one a line), as a REST door gives it.
pub(super) fn answer(status: u16, headers: &str, body: &str) -> HttpAnswer {
    let headers = headers.lines().filter_map(|line| line.split_once(": "));
    HttpAnswer {
        status,
        headers: headers
            .map(|(name, value)| (name.to_owned().into(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
        body_bytes: body.len() as u64,
        truncated: false,
        json: serde_json::from_str::<serde_json::Value>(body).is_ok(),
        rpc: None,
    }
}
