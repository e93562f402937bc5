//! Rulings in, verdicts with one plain sentence each out.

use std::collections::HashMap;
use std::sync::Arc;

use super::control::Controls;
use super::finding::Finding;
use super::law::Ruling;
use super::outcome::{Outcome, Reading};
use super::roll::{Gap, Roll, Sight};
use super::signature::Signature;
use super::verdict::{Verdict, VerdictKind};
use super::waived::Covered;
use crate::code::{Class, Code};
use crate::plan::Check;

/// One verdict for each ruling, in matrix order. Those that say nothing but that a cell passed are one.
pub(super) fn verdicts(
    roll: &Roll<'_>,
    controls: &Controls,
    rulings: &[Option<Ruling>],
    covered: &Covered,
) -> Vec<Option<Arc<Verdict>>> {
    let mut bench = Bench {
        roll,
        controls,
        rulings,
        covered,
        stopped: stopped(roll),
        at_place: HashMap::new(),
        at_entry: HashMap::new(),
    };
    bench.assign_blame();
    let pass = Arc::new(Verdict::PASS);
    let mut verdicts = vec![None; rulings.len()];
    for check in roll.matrix.checks() {
        verdicts[check.index] = rulings[check.index].map(|ruling| {
            let verdict = bench.verdict(&check, ruling);
            if verdict == *pass {
                Arc::clone(&pass)
            } else {
                Arc::new(verdict)
            }
        });
    }
    verdicts
}

/// The first cell of a finding with what it demanded and got; `None` where nothing came back.
pub(super) fn example(roll: &Roll<'_>, code: Code, index: usize) -> Option<String> {
    let check = roll.matrix.check(index)?;
    let sight = roll.sight(index);
    let cell = roll.matrix.cell(&check);
    sight.reading.map(|_| {
        format!(
            "{cell}: {}: {}",
            met(&check, sight),
            told_twice(code, sight)
        )
    })
}

struct Bench<'b> {
    roll: &'b Roll<'b>,
    controls: &'b Controls,
    rulings: &'b [Option<Ruling>],
    covered: &'b Covered,
    /// The code of the earlier finding that stopped a cell's persona, by matrix index.
    stopped: HashMap<usize, Code>,
    /// The code of the first allowed cell that did not get through, by place.
    at_place: HashMap<usize, Code>,
    /// The same by entry.
    at_entry: HashMap<usize, Code>,
}

impl Bench<'_> {
    fn verdict(&self, check: &Check<'_>, ruling: Ruling) -> Verdict {
        let waiver = self.covered.by(check.index);
        let (kind, code) = match ruling {
            Ruling::Pass => (VerdictKind::Pass, None),
            Ruling::Fail(code) if waiver.is_some() => (VerdictKind::Waived, Some(code)),
            Ruling::Fail(code) => (VerdictKind::Fail, Some(code)),
            Ruling::Unproven(code) => (VerdictKind::Unproven, Some(code)),
            Ruling::Gap(Gap::NotPermitted) => (VerdictKind::Skipped, None),
            Ruling::Gap(gap) => (VerdictKind::Unproven, self.code_of(gap, check.index)),
        };
        Verdict {
            kind,
            code,
            reason: self.reason(check, ruling),
            waiver,
        }
    }

    fn code_of(&self, gap: Gap, index: usize) -> Option<Code> {
        match gap {
            Gap::PersonaStopped => self.stopped.get(&index).copied(),
            Gap::SignInFailed => Some(Code::SignInFailed),
            Gap::TokenRanOut => Some(Code::TokenRanOut),
            Gap::FixtureFailed | Gap::CreationWithheld | Gap::DecoyDoubtful => {
                Some(Code::FixtureFailed)
            }
            Gap::DoorClosed => Some(Code::DoorClosed),
            Gap::NotReached => Some(Code::Incomplete),
            Gap::NotPermitted => None,
        }
    }

    fn reason(&self, check: &Check<'_>, ruling: Ruling) -> String {
        if ruling == Ruling::Pass {
            return String::new();
        }
        let sight = self.roll.sight(check.index);
        let met = met(check, sight);
        match ruling {
            Ruling::Pass => String::new(),
            Ruling::Gap(gap) => absent(gap).to_owned(),
            Ruling::Fail(Code::EffectDespiteRefusal) => {
                format!("{met}: refused, but the object changed all the same")
            }
            Ruling::Fail(Code::NoEffect) => format!("{met}: accepted, but nothing changed"),
            Ruling::Unproven(Code::NoControl) => format!("{met}, {}", self.missing(check)),
            Ruling::Unproven(Code::NotShown) => format!("{met}, {}", self.not_shown(check)),
            Ruling::Unproven(Code::EffectUnread) => {
                format!("{met}: answered so, but what it did could not be read back")
            }
            Ruling::Fail(code) => format!("{met}: {}", told_twice(code, sight)),
            Ruling::Unproven(_) => {
                format!("{met}: {}", sight.reading.map(words).unwrap_or_default())
            }
        }
    }

    fn assign_blame(&mut self) {
        let roll = self.roll;
        for check in roll.matrix.checks() {
            if let Some(code) = self.blame(&check) {
                let (place, entry) = (
                    self.controls.place(check.index),
                    self.controls.entry(check.index),
                );
                self.at_place.entry(place).or_insert(code);
                self.at_entry.entry(entry).or_insert(code);
            }
        }
    }

    /// The code of an allowed cell that did not get through.
    fn blame(&self, check: &Check<'_>) -> Option<Code> {
        let ruling = self.rulings.get(check.index).copied().flatten();
        match ruling.filter(|_| check.demand.expectation.allows())? {
            Ruling::Fail(code) | Ruling::Unproven(code) => Some(code),
            Ruling::Gap(gap) => self.code_of(gap, check.index),
            Ruling::Pass => None,
        }
    }

    /// Why a refusal of what nobody is allowed proves nothing, and what would help.
    fn not_shown(&self, check: &Check<'_>) -> String {
        let door = check.door;
        let operation = &self.roll.matrix.operations[check.operation].name;
        let help = if door.speaks_mcp() {
            "nobody's tools/list there shows it beside a tool that somebody gets through to"
        } else {
            "no OpenAPI document names it beside a route that somebody gets through to (deployment.rest.openapi)"
        };
        format!("but nobody is allowed {operation} at {door}, and {help}: it may not exist")
    }

    /// Why a refusal proves nothing, and which finding says more.
    fn missing(&self, check: &Check<'_>) -> String {
        let (matrix, door) = (self.roll.matrix, check.door);
        if self.controls.of_operation(check.index) {
            let persona = &matrix.personas[check.persona].name;
            let see = see(self.at_entry.get(&self.controls.entry(check.index)));
            return format!(
                "but {persona} got through nowhere at {door}: its token may be the reason{see}"
            );
        }
        let operation = &matrix.operations[check.operation].name;
        let see = see(self.at_place.get(&self.controls.place(check.index)));
        format!(
            "but no allowed call of {operation} got through at {door}, so the door may be shut to everyone{see}"
        )
    }
}

fn see(code: Option<&Code>) -> String {
    code.map_or_else(String::new, |code| format!(" (see {code})"))
}

fn stopped(roll: &Roll<'_>) -> HashMap<usize, Code> {
    let mut stopped = HashMap::new();
    let stopping = |finding: &&Finding| finding.code.class() != Class::Note;
    for finding in roll.earlier.iter().filter(stopping) {
        for cell in &finding.cells {
            stopped.entry(*cell).or_insert(finding.code);
        }
    }
    stopped
}

fn met(check: &Check<'_>, sight: Sight) -> String {
    let expected = &check.demand.expectation;
    match sight.status {
        0 => format!("expected {expected}, got no answer"),
        status => format!("expected {expected}, got {status}"),
    }
}

/// What came back, and what came back when the call was made once more.
fn told_twice(code: Code, sight: Sight) -> String {
    let first = sight.reading.map(words).unwrap_or_default();
    let repeats = sight.repeats;
    match sight.second.map(words) {
        Some(second) if repeats.are_worth_telling() => format!(
            "{first}; the same call once more: {second} ({} of {} answers were not as demanded)",
            repeats.astray, repeats.asked
        ),
        Some(second) if code == Code::Flips => {
            format!("{first}; the same call on a fresh connection: {second}")
        }
        Some(second) => format!("{first}; asked once more: {second}"),
        None => first,
    }
}

fn words(reading: Reading) -> String {
    let plain = plain(reading.outcome);
    if let Some(mark) = reading.fingerprint {
        return format!("{plain} (fingerprint {})", mark.name());
    }
    match (reading.outcome, reading.signature) {
        (Outcome::Intercepted, Some(signature)) => format!("{plain}: {}", signature.words()),
        (_, None | Some(Signature::LoginRedirect | Signature::LoginPage)) => plain.to_owned(),
        (_, Some(signature)) => format!("{plain} ({})", signature.words()),
    }
}

const fn plain(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Granted => "the call got through",
        Outcome::PastTheGuard => "authorization let the call through to the backend",
        Outcome::Unauthenticated => "refused as not signed in",
        Outcome::Forbidden => "refused as not permitted",
        Outcome::RefusedInBand => "refused inside an answer of success",
        Outcome::Hidden => "answered as if it did not exist",
        Outcome::ToolError => "the tool was reached, and failed",
        Outcome::Rejected => "the request was rejected, for no reason of authorization",
        Outcome::Redirected => "sent to a sign-in page",
        Outcome::Intercepted => "answered by something that is not authorization",
        Outcome::Crashed => "the deployment crashed",
        Outcome::NoAnswer => "no usable answer",
    }
}

const fn absent(gap: Gap) -> &'static str {
    match gap {
        Gap::PersonaStopped => "not called: the persona's token is not the declared one",
        Gap::SignInFailed => "not called: the persona could not sign in",
        Gap::TokenRanOut => "not judged: the persona's token had run out",
        Gap::FixtureFailed => "not called: the object that the call needs could not be made",
        Gap::CreationWithheld => {
            "not called: what it makes might stay, because one before it may still be there or its owner cannot remove it"
        }
        Gap::DecoyDoubtful => "not called: the decoy names an object that is there, or may",
        Gap::DoorClosed => "not called: the door does not answer",
        Gap::NotReached => "not called: the run ended before its turn",
        Gap::NotPermitted => "not called: this run may not make mutating calls",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Repeats;

    #[test]
    fn a_second_answer_is_told_by_why_the_call_was_made_again() {
        let once = Sight {
            reading: Some(Reading::plain(Outcome::Forbidden)),
            ..Sight::default()
        };
        let twice = Sight {
            second: Some(Reading::plain(Outcome::Granted)),
            ..once
        };
        let in_rounds = |astray| Sight {
            repeats: Repeats {
                asked: 3,
                astray,
                status: 200,
            },
            ..twice
        };
        let first = "refused as not permitted";
        for (sight, code, more) in [
            (once, Code::WrongRefusal, ""),
            (twice, Code::Leak, "; asked once more: the call got through"),
            (
                twice,
                Code::Flips,
                "; the same call on a fresh connection: the call got through",
            ),
            (
                in_rounds(0),
                Code::Leak,
                "; asked once more: the call got through",
            ),
            (
                in_rounds(1),
                Code::Flips,
                "; the same call once more: the call got through (1 of 3 answers were not as demanded)",
            ),
        ] {
            let told = told_twice(code, sight);
            assert_eq!(told, format!("{first}{more}"), "{code} {sight:?}");
        }
    }

    #[test]
    fn a_cell_without_an_answer_says_why_it_has_none() {
        let gaps = [
            (Gap::PersonaStopped, "not called: the persona's token "),
            (
                Gap::SignInFailed,
                "not called: the persona could not sign in",
            ),
            (
                Gap::TokenRanOut,
                "not judged: the persona's token had run out",
            ),
            (Gap::FixtureFailed, "not called: the object "),
            (
                Gap::CreationWithheld,
                "not called: what it makes might stay",
            ),
            (Gap::DecoyDoubtful, "not called: the decoy "),
            (Gap::DoorClosed, "not called: the door does not answer"),
            (Gap::NotReached, "not called: the run ended "),
            (Gap::NotPermitted, "not called: this run may not "),
        ];
        for (gap, words) in gaps {
            assert!(absent(gap).starts_with(words), "{gap:?}");
        }
    }
}
