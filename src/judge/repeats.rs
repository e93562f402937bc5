//! One more answer to a cell's call in, what is known of the cell with it out: nothing that was seen once is lost.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::law;
use super::outcome::{Outcome, Reading};
use super::roll::{Effect, Sight};
use crate::scenario::{Expectation, RefusalShape};

/// How a cell's answers compare over the rounds of a run, as counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Repeats {
    /// Answers that say something; 0 where there was one round.
    pub asked: u16,
    /// Those of them that are not what was demanded.
    pub astray: u16,
    /// HTTP status of the gravest of those, 0 when there was none.
    pub status: u16,
}

impl Repeats {
    /// Whether an answer of several was not what was demanded.
    pub const fn are_worth_telling(self) -> bool {
        self.astray > 0
    }

    /// Whether some answers were as demanded and others were not.
    pub const fn are_mixed(self) -> bool {
        self.are_worth_telling() && self.astray < self.asked
    }
}

impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.astray, self.asked)
    }
}

/// How the answer of one round is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Demanded<'d> {
    /// What the matrix demands of the cell.
    pub expectation: &'d Expectation,
    /// How its door is declared to refuse.
    pub shape: RefusalShape,
}

impl Demanded<'_> {
    fn is_met(self, reading: Reading, status: u16) -> bool {
        law::as_demanded(self.expectation, reading.outcome, status, self.shape)
    }

    fn is_leak(self, reading: Reading) -> bool {
        law::must_be_stopped(self.expectation) && law::reached(reading.outcome)
    }

    fn weight(self, effect: Effect) -> u8 {
        let (changed, unchanged) = if self.expectation.allows() {
            (1, 3)
        } else {
            (3, 1)
        };
        match effect {
            Effect::Unchecked => 0,
            Effect::Changed => changed,
            Effect::Unread => 2,
            Effect::Unchanged => unchanged,
        }
    }
}

impl Sight {
    /// Takes what a further round saw of the same cell. A leak and an effect stand whatever else is seen; of other answers
    /// that are not alike the first two are kept, and all of them are counted.
    #[must_use]
    pub fn and_then(self, other: Self, demanded: Demanded<'_>) -> Self {
        let mut sight = self.counting_itself(demanded);
        sight.count(other, demanded);
        sight.keep_worst(other, demanded);
        sight.by = sight.by.or(other.by);
        if sight.reading.is_none() {
            (sight.reading, sight.status) = (other.reading, other.status);
        }
        if other.effect == Effect::Changed && law::must_be_stopped(demanded.expectation) {
            // Whatever the token was, what it did is to be judged.
            (sight.effect, sight.gap) = (Effect::Changed, None);
        } else if other.gap.is_none() && (demanded.is_moot(self) || !demanded.is_moot(other)) {
            sight.effect = demanded.worse(sight.effect, other.effect);
        }
        sight
    }

    fn counting_itself(mut self, demanded: Demanded<'_>) -> Self {
        if self.repeats.asked == 0 {
            self.count(self, demanded);
        }
        self
    }

    fn count(&mut self, other: Self, demanded: Demanded<'_>) {
        let Some(reading) = other.reading.filter(|_| other.gap.is_none()) else {
            return;
        };
        if reading.outcome.is_silent() {
            return;
        }
        let repeats = &mut self.repeats;
        repeats.asked = repeats.asked.saturating_add(1);
        if demanded.is_met(reading, other.status) {
            return;
        }
        repeats.astray = repeats.astray.saturating_add(1);
        if repeats.astray == 1 {
            repeats.status = other.status;
        }
    }

    fn keep_worst(&mut self, other: Self, demanded: Demanded<'_>) {
        let known = [self.reading, self.second];
        if known.into_iter().flatten().any(|one| demanded.is_leak(one)) {
            return;
        }
        let heard = [other.reading, other.second].into_iter().flatten();
        if let Some(leak) = heard.into_iter().find(|one| demanded.is_leak(*one)) {
            self.second = Some(leak);
            if other.reading == Some(leak) {
                self.repeats.status = other.status;
            }
            return;
        }
        let (Some(first), Some(fresh)) = (self.reading, other.reading) else {
            return;
        };
        let settled = self.second.is_some_and(|one| !one.outcome.is_silent());
        let spoke = !first.outcome.is_silent() && !fresh.outcome.is_silent();
        let both = demanded.is_met(first, self.status) && demanded.is_met(fresh, other.status);
        if other.gap.is_none() && spoke && !settled && !both && first.outcome != fresh.outcome {
            self.second = Some(fresh);
        }
    }
}

impl Demanded<'_> {
    /// Whether an allowed call did not get through, so that nothing was to happen.
    fn is_moot(self, sight: Sight) -> bool {
        let granted = |reading: Reading| reading.outcome == Outcome::Granted;
        self.expectation.allows() && !sight.reading.is_some_and(granted)
    }

    /// The effect that weighs more for the cell.
    pub fn worse(self, one: Effect, other: Effect) -> Effect {
        match self.weight(one).cmp(&self.weight(other)) {
            Ordering::Less => other,
            Ordering::Equal | Ordering::Greater => one,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::saw;
    use crate::judge::{Class, Code, Conclusion, Gap, Roll, Sights, Verdict, VerdictKind};
    use crate::plan::{Column, Matrix, Row};
    use crate::scenario::Demand;

    /// `owner` and the persona that is looked at, one operation, one door.
    fn matrix(demanded: &Expectation) -> Matrix {
        let row = |name: &str| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in: true,
        };
        let demand = |expectation: Expectation| {
            let line = 1;
            [Some(Demand { expectation, line }), None, None]
        };
        Matrix {
            personas: vec![row("owner"), row("reader")],
            operations: vec![Column {
                name: OperationName::new("list"),
                mutates: true,
                demands: [demand(Expectation::Allow), demand(demanded.clone())].into(),
            }],
            doors: vec![Door::Rest],
            controls: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    const SHAPE: RefusalShape = RefusalShape::Http;

    fn folded(demand: &Expectation, rounds: &[Sight]) -> Sight {
        let demanded = Demanded {
            expectation: demand,
            shape: SHAPE,
        };
        let (first, others) = rounds.split_first().expect("at least one round");
        others
            .iter()
            .fold(*first, |sight, other| sight.and_then(*other, demanded))
    }

    fn judged(demand: &Expectation, rounds: &[Sight]) -> (Sight, Conclusion) {
        let matrix = matrix(demand);
        let sights = [saw(Outcome::Granted), folded(demand, rounds)];
        let roll = Roll {
            matrix: &matrix,
            sights: Sights::of(&sights),
            mcp_refuses: SHAPE,
            shown: &[],
            earlier: &[],
        };
        (sights[1], roll.conclude())
    }

    fn verdict(conclusion: &Conclusion) -> &Verdict {
        conclusion.verdicts[1]
            .as_ref()
            .expect("the cell is a check")
    }

    #[test]
    fn what_flips_is_found_in_whichever_round_and_counted() {
        use Outcome::{Crashed, Forbidden as No, Granted as Yes, NoAnswer, Unauthenticated as Who};
        let (allow, refuse) = (Expectation::Allow, Expectation::Forbidden);
        let either = Expectation::Deny;
        let table = [
            (&allow, vec![Yes, Yes, Yes], None, "0/3"),
            (&allow, vec![Yes, Yes, Who], Some(Code::Flips), "1/3"),
            (&allow, vec![Who, Yes, Who], Some(Code::Flips), "2/3"),
            (&allow, vec![No, No, No], Some(Code::Lockout), "3/3"),
            (&allow, vec![Yes, Crashed, Who], Some(Code::Flips), "2/3"),
            (&allow, vec![Yes, NoAnswer, Yes], None, "0/2"),
            (&refuse, vec![No, No, Yes, No, No], Some(Code::Leak), "1/5"),
            (&refuse, vec![No, Who, Yes], Some(Code::Leak), "2/3"),
            (&refuse, vec![Yes, No, No], Some(Code::Leak), "1/3"),
            (&refuse, vec![No, Who], Some(Code::Flips), "1/2"),
            (&either, vec![No, Who, No], None, "0/3"),
        ];
        for (demand, outcomes, code, rate) in table {
            let rounds: Vec<Sight> = outcomes.iter().map(|outcome| saw(*outcome)).collect();
            let (sight, conclusion) = judged(demand, &rounds);
            assert_eq!(verdict(&conclusion).code, code, "{demand} {outcomes:?}");
            assert_eq!(sight.repeats.to_string(), rate, "{demand} {outcomes:?}");
        }
    }

    #[test]
    fn the_status_that_is_shown_is_the_leak_s_or_that_of_the_first_that_went_astray() {
        use Outcome::{Crashed, Forbidden as No, Granted as Yes, Unauthenticated as Who};
        for (outcomes, status) in [
            ([No, No, No], 0),
            ([No, Who, Crashed], 401),
            ([No, Who, Yes], 200),
        ] {
            let sight = folded(&Expectation::Forbidden, &outcomes.map(saw));
            assert_eq!(sight.repeats.status, status, "{outcomes:?}");
        }
    }

    #[test]
    fn of_answers_that_differ_the_first_two_that_say_something_are_kept() {
        use Outcome::{Crashed, Granted as Yes, NoAnswer, Unauthenticated as Who};
        let asked_again = Sight {
            second: Some(Reading::plain(NoAnswer)),
            ..saw(Yes)
        };
        for (rounds, second) in [
            (vec![saw(Yes), saw(Yes)], None),
            (vec![saw(Yes), saw(Who), saw(Crashed)], Some(Who)),
            (vec![asked_again, saw(Who)], Some(Who)),
            (vec![saw(Yes), saw(NoAnswer)], None),
            (vec![saw(NoAnswer), saw(Who)], None),
        ] {
            let sight = folded(&Expectation::Allow, &rounds);
            let kept = sight.second.map(|reading| reading.outcome);
            assert_eq!(kept, second, "{rounds:?}");
        }
    }

    #[test]
    fn an_effect_in_one_round_is_judged_and_one_that_was_not_due_is_not() {
        let with = |outcome, effect| Sight {
            effect,
            ..saw(outcome)
        };
        let (allow, refuse) = (Expectation::Allow, Expectation::Forbidden);
        let (yes, no) = (Outcome::Granted, Outcome::Forbidden);
        let kept = with(no, Effect::Unchanged);
        let wrote = with(no, Effect::Changed);
        let late = Sight {
            gap: Some(Gap::TokenRanOut),
            ..kept
        };
        let done = with(yes, Effect::Changed);
        let out_of_time = Sight {
            gap: Some(Gap::TokenRanOut),
            ..with(yes, Effect::Unchanged)
        };
        let table = [
            (&refuse, vec![kept, kept], None),
            (
                &refuse,
                vec![kept, wrote, kept],
                Some(Code::EffectDespiteRefusal),
            ),
            (&refuse, vec![late, wrote], Some(Code::EffectDespiteRefusal)),
            (
                &refuse,
                vec![kept, with(no, Effect::Unread)],
                Some(Code::EffectUnread),
            ),
            (
                &allow,
                vec![done, with(yes, Effect::Unchanged)],
                Some(Code::NoEffect),
            ),
            (
                &allow,
                vec![done, with(no, Effect::Unchanged)],
                Some(Code::Flips),
            ),
            (&allow, vec![done, done], None),
            (&allow, vec![done, out_of_time], None),
        ];
        for (demand, rounds, code) in table {
            let (_, conclusion) = judged(demand, &rounds);
            assert_eq!(verdict(&conclusion).code, code, "{demand} {rounds:?}");
        }
    }

    /// Where an allowed call is refused nothing happens, and that is no effect of those that got through.
    #[test]
    fn the_effect_that_weighs_most_is_kept_of_calls_that_were_to_have_one() {
        use Effect::{Changed, Unchanged, Unread};
        let (yes, no) = (Outcome::Granted, Outcome::Forbidden);
        let (allow, refuse) = (Expectation::Allow, Expectation::Forbidden);
        for (demand, first, second, kept) in [
            (&allow, (yes, Changed), (no, Unchanged), Changed),
            (&allow, (yes, Changed), (yes, Unread), Unread),
            (&allow, (yes, Unread), (yes, Unchanged), Unchanged),
            (&allow, (no, Unread), (yes, Unchanged), Unchanged),
            (&refuse, (no, Unchanged), (no, Unread), Unread),
            (&refuse, (yes, Unchanged), (no, Unread), Unread),
            (&refuse, (no, Unread), (no, Changed), Changed),
        ] {
            let rounds = [first, second].map(|(outcome, effect)| Sight {
                effect,
                ..saw(outcome)
            });
            let sight = folded(demand, &rounds);
            assert_eq!(sight.effect, kept, "{demand} {first:?} {second:?}");
        }
    }

    /// A sequence that every run of the test has the same, without a crate for it (xorshift, Marsaglia 2003).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % most as u64).expect("it is below a usize")
        }

        fn reading(&mut self) -> Reading {
            Reading::plain(Outcome::ALL[self.below(Outcome::ALL.len())])
        }

        /// One round: a call, perhaps asked once more, perhaps read back, perhaps by a token that had run out.
        fn round(&mut self) -> Sight {
            let effects = [
                Effect::Unchecked,
                Effect::Unread,
                Effect::Unchanged,
                Effect::Changed,
            ];
            let gaps = [Gap::NotReached, Gap::TokenRanOut, Gap::FixtureFailed];
            let first = self.reading();
            let heard = self.below(10) > 0;
            Sight {
                reading: heard.then_some(first),
                second: (heard && self.below(4) == 0).then(|| self.reading()),
                effect: effects[self.below(4)],
                gap: (!heard || self.below(10) == 0).then(|| gaps[self.below(3)]),
                ..saw(first.outcome)
            }
        }
    }

    /// R01: for any sequence of attempts, asked once more, in any number of rounds, through the judge itself.
    #[test]
    fn a_leak_in_any_of_a_hundred_thousand_sequences_is_never_lost() {
        let demands = [
            Expectation::Unauthenticated,
            Expectation::Forbidden,
            Expectation::Deny,
            Expectation::Hidden,
            Expectation::Statuses(vec![302, 401]),
        ];
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut leaks = 0;
        for _ in 0..100_000 {
            let demand = &demands[dice.below(demands.len())];
            let rounds: Vec<Sight> = (0..=dice.below(6)).map(|_| dice.round()).collect();
            let readings = rounds
                .iter()
                .flat_map(|sight| [sight.reading, sight.second]);
            let leaked = readings
                .flatten()
                .any(|one| one.outcome == Outcome::Granted);
            let (sight, conclusion) = judged(demand, &rounds);
            if leaked {
                leaks += 1;
                let verdict = verdict(&conclusion);
                let word = (verdict.kind, verdict.code);
                assert_eq!(
                    word,
                    (VerdictKind::Fail, Some(Code::Leak)),
                    "{demand} {rounds:?}"
                );
                let mut told = conclusion.findings.iter();
                assert!(told.any(|one| one.code.class() == Class::Fail && one.cells.contains(&1)));
            }
            assert!(sight.repeats.astray <= sight.repeats.asked, "{rounds:?}");
        }
        assert!(leaks > 10_000, "{leaks}");
    }

    #[test]
    fn what_went_astray_is_worth_telling_and_mixed_unless_all_did() {
        for (asked, astray, worth_telling, mixed) in [
            (0, 0, false, false),
            (3, 0, false, false),
            (3, 1, true, true),
            (3, 3, true, false),
        ] {
            let repeats = Repeats {
                asked,
                astray,
                status: 0,
            };
            let told = (repeats.are_worth_telling(), repeats.are_mixed());
            assert_eq!(told, (worth_telling, mixed), "{repeats}");
        }
    }
}
