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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::Reading;
    use crate::judge::exhibit::{self, saw};
    use crate::plan::{Column, Matrix, Row};
    use crate::scenario::{Demand, Expectation};

    /// The last one does not sign in.
    const PERSONAS: [&str; 4] = ["owner", "reader", "other", "stranger"];
    /// Whoever signs in may list and get, `owner` alone may drop.
    const OPERATIONS: [&str; 3] = ["list", "get", "drop"];

    fn demanded(persona: &str, operation: &str) -> Expectation {
        match (persona, operation) {
            ("stranger", _) => Expectation::Unauthenticated,
            ("owner", _) | (_, "list" | "get") => Expectation::Allow,
            _ => Expectation::Forbidden,
        }
    }

    fn matrix() -> Matrix {
        let row = |name: &&str| Row {
            name: PersonaName::new(*name),
            roles: None,
            signs_in: *name != "stranger",
        };
        let column = |operation: &&str| Column {
            name: OperationName::new(*operation),
            mutates: false,
            demands: PERSONAS
                .iter()
                .map(|persona| {
                    let (expectation, line) = (demanded(persona, operation), 1);
                    [Some(Demand { expectation, line }), None, None]
                })
                .collect(),
        };
        Matrix {
            personas: PERSONAS.iter().map(row).collect(),
            operations: OPERATIONS.iter().map(column).collect(),
            doors: vec![Door::Rest],
            ..Matrix::default()
        }
    }

    /// A cell, what it saw, and what it saw when it was asked once more.
    type Seen = (&'static str, Outcome, Option<Outcome>);

    /// The cells that do not pass, where all others see what they should.
    fn codes(seen: &[Seen]) -> Vec<(String, Option<Code>)> {
        let matrix = matrix();
        let name = |check: &Check<'_>| {
            let (persona, operation) = (PERSONAS[check.persona], OPERATIONS[check.operation]);
            format!("{persona}/{operation}")
        };
        let sight = |check: Check<'_>| {
            let cell = name(&check);
            if let Some((_, first, second)) = seen.iter().find(|(known, ..)| *known == cell) {
                let second = second.map(Reading::plain);
                return Sight {
                    second,
                    ..saw(*first)
                };
            }
            match check.demand.expectation {
                Expectation::Allow => saw(Outcome::Granted),
                Expectation::Unauthenticated => saw(Outcome::Unauthenticated),
                Expectation::Forbidden
                | Expectation::Deny
                | Expectation::Hidden
                | Expectation::Statuses(_) => saw(Outcome::Forbidden),
            }
        };
        let sights: Vec<Sight> = matrix.checks().map(sight).collect();
        let roll = exhibit::roll(&matrix, &sights);
        let verdicts = roll.conclude().verdicts;
        let told = |check: Check<'_>| {
            let code = verdicts[check.index].as_ref()?.code;
            code.map(|code| (name(&check), Some(code)))
        };
        matrix.checks().filter_map(told).collect()
    }

    #[test]
    fn a_token_that_is_refused_now_and_then_is_one_defect_wherever_it_is_seen() {
        type Case<'c> = (&'c str, &'c [Seen], &'c [(&'c str, Code)]);
        use Code::{Flips, Lockout, NoAnswer, NoControl, WrongRefusal};
        use Outcome::{
            Forbidden as No, Granted as Yes, NoAnswer as Silent, Unauthenticated as Who,
        };
        let comes_and_goes: Seen = ("reader/list", Who, Some(Yes));
        #[rustfmt::skip]
        let table: &[Case<'_>] = &[
            ("nothing comes and goes", &[("reader/get", Who, None)], &[("reader/get", Lockout)]),
            ("twice refused where it is allowed, and in place of a 403",
                &[comes_and_goes, ("reader/get", Who, None), ("reader/drop", Who, None)],
                &[("reader/list", Flips), ("reader/get", Flips), ("reader/drop", Flips)]),
            ("another persona that gets through elsewhere",
                &[comes_and_goes, ("other/get", Who, None)],
                &[("reader/list", Flips), ("other/get", Flips)]),
            ("another persona that gets through nowhere",
                &[comes_and_goes, ("other/list", Who, None), ("other/get", Who, None)],
                &[("reader/list", Flips), ("other/list", Lockout), ("other/get", Lockout), ("other/drop", NoControl)]),
            ("refused for another reason",
                &[comes_and_goes, ("reader/get", No, None)],
                &[("reader/list", Flips), ("reader/get", Lockout)]),
            ("what comes and goes is no 401",
                &[("reader/list", No, Some(Yes)), ("reader/get", Who, None)],
                &[("reader/list", Flips), ("reader/get", Lockout)]),
            ("whoever does not sign in has no token that could",
                &[("stranger/list", Who, Some(No)), ("reader/get", Who, None)],
                &[("stranger/list", Flips), ("reader/get", Lockout)]),
            ("silence is no answer that differs",
                &[("reader/list", Silent, Some(Who)), ("reader/drop", Who, None)],
                &[("reader/list", NoAnswer), ("reader/drop", WrongRefusal)]),
            ("nor is silence the second time",
                &[("reader/list", Who, Some(Silent)), ("reader/drop", Who, None)],
                &[("reader/list", Lockout), ("reader/drop", WrongRefusal)]),
        ];
        for (name, seen, expected) in table {
            let expected: Vec<_> = expected
                .iter()
                .map(|(cell, code)| ((*cell).to_owned(), Some(*code)))
                .collect();
            assert_eq!(codes(seen), expected, "{name}");
        }
    }
}
