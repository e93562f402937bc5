//! Everything seen in, which refusals have a control out: no refusal proves anything while everyone is refused.

use super::existence;
use super::law::{self, Case, Ruling};
use super::outcome::{Outcome, Reading};
use super::roll::{Gap, Roll, Sight};
use crate::code::Code;
use crate::plan::{Check, Matrix};

/// Who got through where, by operation × door and by persona × door.
pub(super) struct Controls {
    personas: usize,
    doors: usize,
    /// An allowed call got through, by place.
    passage: Vec<bool>,
    /// An allowed call was due, by place.
    due: Vec<bool>,
    /// The persona got through somewhere at the door.
    at_home: Vec<bool>,
    /// The persona was to get through somewhere at the door; never set for one that does not sign in.
    awaited: Vec<bool>,
    /// Nobody may, by place: no call can be a control there.
    closed: Vec<bool>,
    /// Shown to exist beside another of its kind that got through, by place.
    vouched: Vec<bool>,
    /// The door granted nothing and allowed calls found nothing there: its address is wrong, and no 404 of it is a backend's.
    astray: Vec<bool>,
}

impl Controls {
    pub(super) fn of(roll: &Roll<'_>) -> Self {
        let (personas, doors) = (roll.matrix.personas.len(), roll.matrix.doors.len());
        let (places, entries) = (roll.matrix.operations.len() * doors, personas * doors);
        let mut controls = Self {
            personas,
            doors,
            passage: vec![false; places],
            due: vec![false; places],
            at_home: vec![false; entries],
            awaited: vec![false; entries],
            closed: closed(roll),
            vouched: vec![false; places],
            astray: astray(roll),
        };
        for (place, (operation, door)) in places_of(roll.matrix).enumerate() {
            for check in roll.matrix.lane(operation, door).flatten() {
                let entry = check.persona * doors + door;
                let signs_in = roll.matrix.personas[check.persona].signs_in;
                controls.hear((place, entry), &check, roll.sight(check.index), signs_in);
            }
        }
        controls.vouch(roll.shown);
        controls
    }

    fn hear(
        &mut self,
        (place, entry): (usize, usize),
        check: &Check<'_>,
        sight: Sight,
        signs_in: bool,
    ) {
        let through = self.got_through(check.index, sight);
        let due = check.demand.expectation.allows() && sight.gap != Some(Gap::NotPermitted);
        self.due[place] |= due;
        self.passage[place] |= due && through;
        self.at_home[entry] |= through;
        self.awaited[entry] |= due && signs_in;
    }

    /// A document or a list shows that something is there, not that the gateway has it there: that is shown by another that
    /// the same document or list names, and that somebody got through to at the same door.
    fn vouch(&mut self, shown: &[bool]) {
        let is_shown = |place: usize| shown.get(place).copied().unwrap_or_default();
        for door in 0..self.doors {
            let places = (door..self.passage.len()).step_by(self.doors);
            if places
                .clone()
                .any(|place| is_shown(place) && self.passage[place])
            {
                for place in places.filter(|place| is_shown(*place)) {
                    self.vouched[place] = self.closed[place];
                }
            }
        }
    }

    /// What becomes of an answer that no control stands against. Where nobody may there can be none: then the refusal that is
    /// demanded counts if the operation is shown to exist. No other answer proves anything about it.
    pub(super) fn without_control(&self, index: usize, case: Case<'_>) -> Ruling {
        let place = self.place(index);
        if !self.closed[place] || !self.of_persona(index) {
            return Ruling::Unproven(Code::NoControl);
        }
        let as_if_controlled = law::rule(Case {
            control: true,
            ..case
        });
        match as_if_controlled {
            _ if !self.vouched[place] => Ruling::Unproven(Code::NotShown),
            Ruling::Fail(_) => Ruling::Unproven(Code::NoControl),
            met @ (Ruling::Pass | Ruling::Unproven(_) | Ruling::Gap(_)) => met,
        }
    }

    /// Whether an allowed call of the cell's operation got through at its door.
    pub(super) fn of_operation(&self, index: usize) -> bool {
        self.passage[self.place(index)]
    }

    /// Whether the cell's persona got through somewhere at its door, or was to get through nowhere there.
    pub(super) fn of_persona(&self, index: usize) -> bool {
        let entry = self.entry(index);
        self.at_home[entry] || !self.awaited[entry]
    }

    /// Whether the cell's persona got through somewhere at its door.
    pub(super) fn at_home(&self, index: usize) -> bool {
        self.at_home[self.entry(index)]
    }

    /// Whether a refusal in this cell proves something.
    pub(super) fn stand(&self, index: usize) -> bool {
        self.of_operation(index) && self.of_persona(index)
    }

    /// Whether a missing control has a reason of its own: a due call that failed is told by its own finding.
    pub(super) fn explained(&self, index: usize) -> bool {
        self.due[self.place(index)] || !self.of_persona(index)
    }

    /// The outcome as it counts: what looks like a missing path is only hidden where others find it.
    pub(super) fn settle(&self, index: usize, outcome: Outcome) -> Outcome {
        let astray = outcome == Outcome::PastTheGuard && self.astray[self.door(index)];
        let nowhere = outcome == Outcome::Hidden && !self.of_operation(index);
        if astray || nowhere {
            Outcome::Rejected
        } else {
            outcome
        }
    }

    fn got_through(&self, index: usize, sight: Sight) -> bool {
        let through = |reading: Reading| {
            let astray = reading.outcome == Outcome::PastTheGuard && self.astray[self.door(index)];
            reading.outcome.got_through() && !astray
        };
        let mut readings = [sight.reading, sight.second].into_iter().flatten();
        sight.gap.is_none() && readings.any(through)
    }

    fn door(&self, index: usize) -> usize {
        self.place(index) % self.doors
    }

    /// Operation × door, as one number.
    pub(super) fn place(&self, index: usize) -> usize {
        index / self.personas
    }

    /// Persona × door, as one number.
    pub(super) fn entry(&self, index: usize) -> usize {
        index % self.personas * self.doors + self.place(index) % self.doors
    }
}

/// Operation and door of every place, one after the other.
fn places_of(matrix: &Matrix) -> impl Iterator<Item = (usize, usize)> {
    let doors = matrix.doors.len();
    (0..matrix.operations.len())
        .flat_map(move |operation| (0..doors).map(move |door| (operation, door)))
}

/// By place: whether nobody may.
fn closed(roll: &Roll<'_>) -> Vec<bool> {
    let columns = roll.matrix.operations.iter();
    let doors = &roll.matrix.doors;
    columns
        .flat_map(|column| {
            doors
                .iter()
                .map(|door| existence::nobody_may(column, *door))
        })
        .collect()
}

/// By door: whether all that allowed calls got there says that there is no such path.
fn astray(roll: &Roll<'_>) -> Vec<bool> {
    let doors = roll.matrix.doors.len();
    let (mut granted, mut missing) = (vec![false; doors], vec![false; doors]);
    for (operation, door) in places_of(roll.matrix) {
        for check in roll.matrix.lane(operation, door).flatten() {
            let sight = roll.sight(check.index);
            for reading in [sight.reading, sight.second].into_iter().flatten() {
                granted[door] |= reading.outcome == Outcome::Granted;
                missing[door] |=
                    check.demand.expectation.allows() && reading.outcome == Outcome::Hidden;
            }
        }
    }
    granted
        .iter()
        .zip(missing)
        .map(|(granted, missing)| missing && !granted)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Door, OperationName, PersonaName};
    use crate::judge::exhibit::{self, saw};
    use crate::plan::{Column, Row};
    use crate::scenario::{Demand, Expectation};

    const LIST: usize = 0;
    const PURGE: usize = 1;

    /// `guest` may purge and not list, `owner` may list and not purge; at one door.
    fn matrix(guest_signs_in: bool) -> Matrix {
        let row = |name: &str, signs_in| Row {
            name: PersonaName::new(name),
            roles: None,
            signs_in,
        };
        let column = |name: &str, expectations: [Expectation; 2]| Column {
            name: OperationName::new(name),
            mutates: false,
            demands: expectations
                .map(|expectation| {
                    let line = 1;
                    let demand = Some(Demand { expectation, line });
                    [demand.clone(), demand, None]
                })
                .into(),
        };
        Matrix {
            personas: vec![row("guest", guest_signs_in), row("owner", true)],
            operations: vec![
                column("list", [Expectation::Deny, Expectation::Allow]),
                column("purge", [Expectation::Allow, Expectation::Deny]),
            ],
            doors: vec![Door::Rest],
            ..Matrix::default()
        }
    }

    fn controls(matrix: &Matrix, sights: &[Sight]) -> Controls {
        Controls::of(&exhibit::roll(matrix, sights))
    }

    /// Whether the refusal of `guest` at `list` proves something, after these sights of `purge`.
    fn guest_stands(guest_signs_in: bool, purge: [Sight; 2]) -> bool {
        let matrix = matrix(guest_signs_in);
        let list = [saw(Outcome::Forbidden), saw(Outcome::Granted)];
        controls(&matrix, &[list, purge].concat()).stand(matrix.index(LIST, 0, 0))
    }

    #[test]
    fn a_persona_that_was_to_get_through_somewhere_and_did_not_proves_nothing() {
        let refused = saw(Outcome::Forbidden);
        assert!(guest_stands(true, [saw(Outcome::Granted), refused]));
        assert!(!guest_stands(true, [refused, refused]));
    }

    #[test]
    fn a_persona_that_does_not_sign_in_has_no_token_to_doubt() {
        let refused = saw(Outcome::Unauthenticated);
        assert!(guest_stands(false, [refused, refused]));
    }

    #[test]
    fn a_call_that_may_not_be_made_is_not_awaited() {
        let withheld = Sight {
            gap: Some(Gap::NotPermitted),
            ..Sight::default()
        };
        assert!(guest_stands(true, [withheld, withheld]));
    }

    #[test]
    fn a_leak_is_no_control() {
        let matrix = matrix(true);
        let sights = [
            saw(Outcome::Forbidden),
            saw(Outcome::Forbidden),
            saw(Outcome::Forbidden),
            saw(Outcome::Granted),
        ];
        let controls = controls(&matrix, &sights);
        assert!(!controls.of_operation(matrix.index(PURGE, 0, 0)));
        assert!(controls.explained(matrix.index(PURGE, 0, 0)));
    }

    #[test]
    fn a_persona_is_at_home_where_it_got_through_whether_it_may_or_not() {
        let matrix = matrix(true);
        let [refused, granted] = [Outcome::Forbidden, Outcome::Granted].map(saw);
        for (sights, guest, owner) in [
            ([refused, refused, refused, refused], false, false),
            ([refused, refused, granted, refused], true, false),
            ([refused, refused, refused, granted], false, true),
        ] {
            let controls = controls(&matrix, &sights);
            let at_home = [0, 1].map(|persona| controls.at_home(matrix.index(LIST, 0, persona)));
            assert_eq!(at_home, [guest, owner], "{sights:?}");
        }
    }

    /// Where nothing is found and nothing granted, the address is wrong, and the 404 for a decoy is not the backend's either.
    #[test]
    fn a_404_for_a_decoy_is_passage_unless_its_door_only_says_that_nothing_is_there() {
        use Outcome::{Forbidden, Granted, Hidden};
        let table = [
            ("owner, who may, finds nothing", Forbidden, Hidden, true),
            (
                "guest, who may not, finds nothing",
                Hidden,
                Forbidden,
                false,
            ),
            (
                "nobody is told that nothing is there",
                Forbidden,
                Forbidden,
                false,
            ),
            ("owner gets through", Hidden, Granted, false),
            (
                "owner finds nothing, and guest something",
                Granted,
                Hidden,
                false,
            ),
        ];
        let usual = [saw(Forbidden), saw(Granted)];
        let decoy = [saw(Outcome::PastTheGuard), saw(Forbidden)];
        for (case, guest, owner, astray) in table {
            for door in [0, 1] {
                let mut matrix = matrix(true);
                matrix.doors = vec![Door::Rest, Door::Mcp];
                let mut list = [usual, usual];
                list[door] = [saw(guest), saw(owner)];
                let sights = [list, [decoy, decoy]].concat().concat();
                let controls = controls(&matrix, &sights);
                for at in [0, 1] {
                    let index = matrix.index(PURGE, at, 0);
                    let passed =
                        controls.settle(index, Outcome::PastTheGuard) == Outcome::PastTheGuard;
                    let expected = !(astray && at == door);
                    assert_eq!(passed, expected, "{case}, at {door}, seen at {at}");
                    assert_eq!(controls.of_operation(index), expected, "{case}, at {door}");
                }
            }
        }
    }
}
