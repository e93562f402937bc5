//! What was seen of a run's cells in, whether they all said the same out: then the run as a whole is suspect.

use std::collections::BTreeSet;

use super::law;
use super::outcome::Outcome;
use super::roll::Sight;
use crate::plan::{Check, Matrix};

/// How a run looks in which everybody met the same.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Uniform {
    /// Every answered call got through, also those that must be refused.
    Granted,
    /// Every answered call was refused.
    Refused,
}

/// Personas that must have been answered: of one alone nothing can be told.
const FEWEST: usize = 2;

impl Uniform {
    /// Looks at what was seen of each cell, by matrix index. Cells without an answer count for nothing.
    pub fn of(matrix: &Matrix, sight: impl Fn(usize) -> Sight) -> Option<Self> {
        let mut tally = Tally::default();
        for check in matrix.checks() {
            tally.count(&check, sight(check.index));
            if tally.met.len() > 1 {
                return None;
            }
        }
        tally.concluded()
    }

    /// The word in machine-readable reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "everything-granted",
            Self::Refused => "everything-refused",
        }
    }

    /// What a person reads before anything else.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Granted => {
                "EVERYTHING WAS GRANTED: every call that was answered got through, also those that must be refused. Nothing here asks who is calling, or this is not the deployment that it should be."
            }
            Self::Refused => {
                "EVERYTHING WAS REFUSED: not one call that was answered got through. Its refusals prove nothing: the address, the tokens or the whole deployment may be the reason."
            }
        }
    }
}

/// What was met, in three words.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Met {
    Through,
    Refused,
    Other,
}

impl Met {
    /// `None` where nothing was.
    fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::NoAnswer => None,
            Outcome::Granted | Outcome::PastTheGuard | Outcome::ToolError => Some(Self::Through),
            Outcome::Unauthenticated
            | Outcome::Forbidden
            | Outcome::RefusedInBand
            | Outcome::Hidden
            | Outcome::Rejected
            | Outcome::Redirected
            | Outcome::Intercepted => Some(Self::Refused),
            Outcome::Crashed => Some(Self::Other),
        }
    }
}

#[derive(Default)]
struct Tally {
    personas: BTreeSet<usize>,
    met: BTreeSet<Met>,
    /// Whether one that must be refused was answered.
    forbidden: bool,
}

impl Tally {
    fn count(&mut self, check: &Check<'_>, sight: Sight) {
        let readings = [sight.reading, sight.second].into_iter().flatten();
        let met = readings.filter_map(|reading| Met::of(reading.outcome));
        for met in met.filter(|_| sight.gap.is_none()) {
            self.met.insert(met);
            self.personas.insert(check.persona);
            self.forbidden |= law::must_be_stopped(check.demand.expectation);
        }
    }

    fn concluded(&self) -> Option<Uniform> {
        if self.personas.len() < FEWEST {
            return None;
        }
        match self.met.first()? {
            Met::Through => self.forbidden.then_some(Uniform::Granted),
            Met::Refused => Some(Uniform::Refused),
            Met::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::Reading;
    use crate::plan::{Column, Row};
    use crate::scenario::{Demand, Expectation};

    /// A cell: what is demanded of one persona, and what it got.
    type Square = (Expectation, Outcome);

    /// One operation at one door, a persona each square.
    fn of(squares: &[Square]) -> Option<Uniform> {
        let row = |name: usize| Row {
            name: PersonaName::new(format!("p{name}")),
            roles: None,
            signs_in: true,
        };
        let demand = |square: &Square| {
            let expectation = square.0.clone();
            [
                Some(Demand {
                    expectation,
                    line: 1,
                }),
                None,
                None,
            ]
        };
        let matrix = Matrix {
            personas: (0..squares.len()).map(row).collect(),
            operations: vec![Column {
                name: OperationName::new("list"),
                mutates: false,
                demands: squares.iter().map(demand).collect(),
            }],
            doors: vec![Door::Rest],
            controls: Vec::new(),
            elsewhere: Vec::new(),
        };
        Uniform::of(&matrix, |index| Sight {
            reading: Some(Reading::plain(squares[index].1)),
            ..Sight::default()
        })
    }

    #[test]
    fn a_run_in_which_everybody_met_the_same_is_told() {
        use Expectation::{Allow, Forbidden, Unauthenticated};
        use Outcome as O;
        let table = [
            (
                vec![(Allow, O::Granted), (Forbidden, O::Granted)],
                Some(Uniform::Granted),
            ),
            (
                vec![(Allow, O::Granted), (Unauthenticated, O::PastTheGuard)],
                Some(Uniform::Granted),
            ),
            (vec![(Allow, O::Granted), (Allow, O::Granted)], None),
            (vec![(Forbidden, O::Granted)], None),
            (vec![(Allow, O::Granted), (Forbidden, O::Forbidden)], None),
            (
                vec![(Allow, O::Unauthenticated), (Forbidden, O::Unauthenticated)],
                Some(Uniform::Refused),
            ),
            (
                vec![(Allow, O::Intercepted), (Forbidden, O::Forbidden)],
                Some(Uniform::Refused),
            ),
            (
                vec![(Forbidden, O::Forbidden), (Forbidden, O::Hidden)],
                Some(Uniform::Refused),
            ),
            (vec![(Allow, O::Crashed), (Forbidden, O::Forbidden)], None),
            (vec![(Allow, O::NoAnswer), (Forbidden, O::Forbidden)], None),
            (vec![], None),
        ];
        for (cells, expected) in table {
            assert_eq!(of(&cells), expected, "{cells:?}");
        }
    }

    #[test]
    fn each_has_a_word_for_machines_and_one_that_nobody_overlooks() {
        for (uniform, name, shout) in [
            (
                Uniform::Granted,
                "everything-granted",
                "EVERYTHING WAS GRANTED: ",
            ),
            (
                Uniform::Refused,
                "everything-refused",
                "EVERYTHING WAS REFUSED: ",
            ),
        ] {
            assert_eq!(uniform.name(), name);
            assert!(uniform.words().starts_with(shout), "{name}");
        }
    }
}
