//! Rulings in, the same out with every 401 that comes and goes laid to one defect: answers that flip.

use super::control::Controls;
use super::law::Ruling;
use super::outcome::Outcome;
use super::roll::{Roll, Sight};
use crate::code::Code;
use crate::plan::Check;

/// A token is accepted or it is not. Where one was seen to be refused with 401 and accepted for the same call, its other
/// 401s at a door that it gets through elsewhere are that defect, too, even if the second hearing met the same bad luck.
pub(super) fn fold(roll: &Roll<'_>, controls: &Controls, rulings: &mut [Option<Ruling>]) {
    let comes_and_goes = roll
        .matrix
        .checks()
        .any(|check| signs_in(roll, &check) && flips_at_401(roll.sight(check.index)));
    if !comes_and_goes {
        return;
    }
    for check in roll.matrix.checks() {
        let index = check.index;
        let refused_at_home = signs_in(roll, &check)
            && controls.at_home(index)
            && roll
                .sight(index)
                .reading
                .is_some_and(|reading| is_401(reading.outcome));
        let failed = matches!(
            rulings[index],
            Some(Ruling::Fail(Code::Lockout | Code::WrongRefusal))
        );
        if refused_at_home && failed {
            rulings[index] = Some(Ruling::Fail(Code::Flips));
        }
    }
}

fn signs_in(roll: &Roll<'_>, check: &Check<'_>) -> bool {
    roll.matrix.personas[check.persona].signs_in
}

fn flips_at_401(sight: Sight) -> bool {
    let (Some(first), Some(second)) = (sight.reading, sight.second) else {
        return false;
    };
    let spoke = !first.outcome.is_silent() && !second.outcome.is_silent();
    spoke && is_401(first.outcome) != is_401(second.outcome)
}

fn is_401(outcome: Outcome) -> bool {
    outcome == Outcome::Unauthenticated
}
