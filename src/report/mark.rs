//! What was heard of a cell in, what one square of the grid shows out.

use std::fmt;

use super::record::Entry;
use crate::cell::Door;
use crate::judge::{Code, Outcome, VerdictKind};

/// What one square shows: a sign, what came back, and what was demanded where that differs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    /// The verdict behind it; `None` where there is no such cell.
    pub(super) kind: Option<VerdictKind>,
    got: String,
    demanded: Option<String>,
}

impl Mark {
    /// Where the matrix has no cell.
    pub(super) const ABSENT: Self = Self {
        kind: None,
        got: String::new(),
        demanded: None,
    };

    /// The mark of a cell.
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        let kind = entry.heard.kind();
        let got = match kind {
            VerdictKind::Skipped => String::new(),
            VerdictKind::Pass | VerdictKind::Fail | VerdictKind::Unproven | VerdictKind::Waived => {
                got(entry)
            }
        };
        let demanded = matches!(kind, VerdictKind::Fail | VerdictKind::Waived)
            .then(|| entry.check.demand.expectation.to_string());
        Self {
            kind: Some(kind),
            got,
            demanded,
        }
    }

    /// Everything after the sign; empty where there is nothing to tell.
    pub(super) fn words(&self) -> String {
        match &self.demanded {
            Some(demanded) => format!("{}≠{demanded}", self.got),
            None => self.got.clone(),
        }
    }

    /// Columns that the mark takes; all its characters are one wide.
    pub(super) fn width(&self) -> usize {
        let words = self.words().chars().count();
        if words == 0 { 1 } else { words + 2 }
    }

    /// What the word in place of a status means, where there is one.
    pub(super) fn gloss(&self) -> Option<&'static str> {
        if self.got.contains('/') {
            return Some(RATE);
        }
        GLOSSES
            .into_iter()
            .find(|gloss| gloss.split(": ").next() == Some(self.got.as_str()))
    }
}

const RATE: &str = "1/5: so in 1 of 5 answers to the same call";

const GLOSSES: [&str; 10] = [
    "wrote: refused, and it happened all the same",
    "no-op: accepted, and nothing happened",
    "flips: two answers to one call",
    "in-band: a success status that says no",
    "hidden: as if it did not exist",
    "error: a success status that says it failed",
    "sign-in: a sign-in page",
    "other: answered by something that is not authorization",
    "unread: an answer that cannot be read",
    "none: no answer",
];

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words();
        let gap = if words.is_empty() { "" } else { " " };
        f.pad(&format!("{}{gap}{words}", sign(self.kind)))
    }
}

/// The sign of a verdict, or of none: it tells without colour.
pub(super) const fn sign(kind: Option<VerdictKind>) -> char {
    match kind {
        Some(VerdictKind::Pass) => '✓',
        Some(VerdictKind::Fail) => '✗',
        Some(VerdictKind::Unproven) => '?',
        Some(VerdictKind::Waived) => 'w',
        Some(VerdictKind::Skipped) | None => '–',
    }
}

/// A door's name as a column heading.
pub(super) const fn heading(door: Door) -> &'static str {
    match door {
        Door::Rest => "REST",
        Door::Mcp => "MCP",
        Door::McpLegacy => "MCP legacy",
    }
}

/// The status, unless it would hide what came back: an effect, a second answer, a refusal or an error inside a 200.
fn got(entry: &Entry<'_>) -> String {
    let code = entry
        .heard
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.code);
    match code {
        Some(Code::EffectDespiteRefusal) => return "wrote".to_owned(),
        Some(Code::NoEffect) => return "no-op".to_owned(),
        _ => {}
    }
    let sight = &entry.heard.sight;
    let repeats = sight.repeats;
    match code {
        Some(_) if repeats.are_mixed() && repeats.status > 0 => {
            return format!("{} {repeats}", repeats.status);
        }
        Some(Code::Flips) => return "flips".to_owned(),
        _ => {}
    }
    let success = (200..300).contains(&sight.status);
    let word = match sight.reading.map(|reading| reading.outcome) {
        Some(Outcome::RefusedInBand) if success => "in-band",
        Some(Outcome::Hidden) if success => "hidden",
        Some(Outcome::ToolError | Outcome::Rejected) if success => "error",
        Some(Outcome::Redirected) if success => "sign-in",
        Some(Outcome::Intercepted) if success => "other",
        Some(Outcome::NoAnswer) if success => "unread",
        Some(_) if sight.status == 0 => "none",
        Some(_) => return sight.status.to_string(),
        None => "",
    };
    word.to_owned()
}
