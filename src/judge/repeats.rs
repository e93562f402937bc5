//! One more answer to a cell's call in, what is known of the cell with it out: nothing that was seen once is lost.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::law;
use super::outcome::{Outcome, Reading};
use super::roll::{Effect, Sight};
use crate::scenario::{Expectation, RefusalShape};

/// How a cell's answers compare over the rounds of a run, as counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
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
        self.asked > 0 && self.astray > 0
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

    fn worse(self, one: Effect, other: Effect) -> Effect {
        if self.weight(other) > self.weight(one) {
            other
        } else {
            one
        }
    }
}
