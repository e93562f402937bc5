//! What was heard of a cell in, what one square of the grid shows out.

use std::fmt::Write as _;

use super::record::{Entry, Heard};
use crate::cell::Door;
use crate::json;
use crate::judge::{Code, Outcome, Repeats, VerdictKind};
use crate::scenario::Expectation;

/// What one square shows: a sign, what came back, and what was demanded where that differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mark<'r> {
    /// The verdict behind it; `None` where there is no such cell.
    pub(super) kind: Option<VerdictKind>,
    got: Got,
    demanded: Option<&'r Expectation>,
}

/// What came back, in a square's few letters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Got {
    Status(u16),
    Word(&'static str),
    /// Different answers in several rounds.
    Mixed(Repeats),
}

impl Got {
    fn put(self, text: &mut String) {
        let put = match self {
            Self::Status(status) => {
                json::put_number(text, status);
                Ok(())
            }
            Self::Word(word) => text.write_str(word),
            Self::Mixed(repeats) => write!(text, "{} {repeats}", repeats.status),
        };
        put.expect("a String takes all that is written to it");
    }
}

impl<'r> Mark<'r> {
    /// Where the matrix has no cell.
    pub(super) const ABSENT: Self = Self {
        kind: None,
        got: Got::Word(""),
        demanded: None,
    };

    /// The mark of a cell.
    pub(super) fn of(entry: &Entry<'r>) -> Self {
        let kind = entry.heard.kind();
        let got = match kind {
            VerdictKind::Skipped => Got::Word(""),
            VerdictKind::Pass | VerdictKind::Fail | VerdictKind::Unproven | VerdictKind::Waived => {
                got(entry)
            }
        };
        let demanded = matches!(kind, VerdictKind::Fail | VerdictKind::Waived)
            .then_some(entry.check.demand.expectation);
        Self {
            kind: Some(kind),
            got,
            demanded,
        }
    }

    /// Puts a blank and what there is to tell after the sign; nothing where there is nothing.
    pub(super) fn put_words(&self, text: &mut String) {
        if self.got == Got::Word("") && self.demanded.is_none() {
            return;
        }
        text.push(' ');
        self.got.put(text);
        if let Some(demanded) = self.demanded {
            write!(text, "≠{demanded}").expect("a String takes all that is written to it");
        }
    }

    /// Columns that the mark takes; all its characters are one wide.
    pub(super) fn width(&self) -> usize {
        let words = match (self.demanded, self.got) {
            (None, Got::Status(100..=999)) => 4,
            (None, Got::Word("")) => 0,
            (None, Got::Word(word)) => 1 + word.len(),
            _ => {
                let mut words = String::new();
                self.put_words(&mut words);
                words.chars().count()
            }
        };
        1 + words
    }

    /// What the word in place of a status means, where there is one.
    pub(super) fn gloss(&self) -> Option<&'static str> {
        let word = match self.got {
            Got::Word(word) => word,
            Got::Mixed(_) => return Some(RATE),
            Got::Status(_) => return None,
        };
        GLOSSES
            .into_iter()
            .find(|gloss| gloss.split(": ").next() == Some(word))
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
fn got(entry: &Entry<'_>) -> Got {
    let heard = &entry.heard;
    let code = heard.verdict().and_then(|verdict| verdict.code);
    if let Some(got) = code.and_then(|code| told(code, heard)) {
        return got;
    }
    let success = (200..300).contains(&heard.status());
    let word = match heard.outcome() {
        Some(Outcome::RefusedInBand) if success => "in-band",
        Some(Outcome::Hidden) if success => "hidden",
        Some(Outcome::ToolError | Outcome::Rejected) if success => "error",
        Some(Outcome::Redirected) if success => "sign-in",
        Some(Outcome::Intercepted) if success => "other",
        Some(Outcome::NoAnswer) if success => "unread",
        Some(_) if heard.status() == 0 => "none",
        Some(_) => return Got::Status(heard.status()),
        None => "",
    };
    Got::Word(word)
}

/// What the code of a verdict says that the status does not.
fn told(code: Code, heard: &Heard<'_>) -> Option<Got> {
    let repeats = heard.repeats();
    match code {
        Code::EffectDespiteRefusal => Some(Got::Word("wrote")),
        Code::NoEffect => Some(Got::Word("no-op")),
        _ if repeats.are_mixed() && repeats.status > 0 => Some(Got::Mixed(repeats)),
        Code::Flips => Some(Got::Word("flips")),
        _ => None,
    }
}
