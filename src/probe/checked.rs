//! What came of one requirement, place by place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cell::Door;
use crate::door::Observation;
use crate::requirement::Requirement;

/// The word on a requirement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Kept, and a call that got through proves that it means something.
    Held,
    /// Proven not to be kept.
    Violated,
    /// Could not be judged; never green.
    Unproven,
    /// There is nothing here that it could be about.
    NotApplicable,
    /// Not kept, or not judged, and the owner has accepted that.
    Waived,
}

impl State {
    /// The word's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated => "violated",
            Self::Unproven => "unproven",
            Self::NotApplicable => "not-applicable",
            Self::Waived => "waived",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What came of a requirement at one door, or at the URL as a whole.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Place {
    /// Which door; `None` for the URL as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<Door>,
    /// The word.
    pub state: State,
    /// Why, in a few words; redacted.
    pub why: String,
    /// Whether a call got through without a token.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hole: bool,
    /// Whether something else that the run tells is the reason that nothing is proven.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explained: bool,
    /// The requirement that is the reason, where it is one.
    #[serde(skip)]
    pub blamed: Option<Requirement>,
    /// The answer that violates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Box<Observation>>,
}

impl Place {
    /// A place with that word and the reason for it.
    pub fn new(state: State, why: impl Into<String>) -> Self {
        Self {
            door: None,
            state,
            why: why.into(),
            hole: false,
            explained: false,
            blamed: None,
            seen: None,
        }
    }

    /// It is kept.
    pub fn held(why: impl Into<String>) -> Self {
        Self::new(State::Held, why)
    }

    /// It is not kept, as this answer shows.
    pub fn violated(why: impl Into<String>, seen: Option<&Observation>) -> Self {
        Self {
            seen: seen.cloned().map(Box::new),
            ..Self::new(State::Violated, why)
        }
    }

    /// Nobody can tell, and nothing else says why.
    pub fn unproven(why: impl Into<String>) -> Self {
        Self::new(State::Unproven, why)
    }

    /// Nobody can tell, and something else that the run tells says why.
    pub fn explained(why: impl Into<String>) -> Self {
        Self {
            explained: true,
            ..Self::unproven(why)
        }
    }

    /// Nobody can tell, because another requirement is not kept.
    pub fn blamed_on(requirement: Requirement, why: &str) -> Self {
        Self {
            blamed: Some(requirement),
            ..Self::explained(format!("{why} ({requirement})"))
        }
    }

    /// There is nothing here that it could be about.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::new(State::NotApplicable, why)
    }

    /// The same at a door.
    #[must_use]
    pub fn at(mut self, door: Door) -> Self {
        self.door = Some(door);
        self
    }
}

/// What came of a requirement.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Checked {
    /// Which.
    pub requirement: Requirement,
    /// Place by place, in matrix order; never empty.
    pub places: Vec<Place>,
    /// Why the owner accepts that it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

impl Checked {
    /// The word on the whole: the gravest of its places; what is neither violated nor unproven is held where one is.
    /// A waiver covers what is violated or unproven.
    pub fn state(&self) -> State {
        let any = |state| self.places.iter().any(|place| place.state == state);
        let open = any(State::Violated) || any(State::Unproven);
        if open && self.waived.is_some() {
            State::Waived
        } else if any(State::Violated) {
            State::Violated
        } else if any(State::Unproven) {
            State::Unproven
        } else if any(State::Waived) {
            State::Waived
        } else if any(State::Held) {
            State::Held
        } else {
            State::NotApplicable
        }
    }

    /// What several who asked the same deployment know together: at each place the word of whoever could tell most. What is
    /// violated is, whatever others saw; what one could prove, others need not.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        for place in &other.places {
            let door = place.door;
            let known = self.places.iter().find(|known| known.door == door);
            if known.is_none_or(|known| weight(place) < weight(known)) {
                self.places.retain(|known| known.door != door);
                self.places.push(place.clone());
            }
        }
        self.places.sort_by_key(|place| place.door);
        self
    }

    /// Whether the owner waives what is kept.
    pub fn is_stale(&self) -> bool {
        self.waived.is_some() && self.state() == State::Held
    }

    /// The places with that word.
    pub fn at(&self, state: State) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.state == state)
    }

    /// Why, with the doors before each reason; doors with the same reason stand together.
    pub fn why(&self) -> String {
        let word = self.state();
        let telling = |place: &&Place| {
            place.state == word || word == State::Waived && place.state != State::Held
        };
        let places: Vec<&Place> = self.places.iter().filter(telling).collect();
        told(&places)
    }
}

/// How much a place tells, the most first; what nothing else explains before what something does.
fn weight(place: &Place) -> (u8, bool, bool) {
    let word = match place.state {
        State::Violated => 0,
        State::Held => 1,
        State::Waived => 2,
        State::Unproven => 3,
        State::NotApplicable => 4,
    };
    (word, !place.hole, place.explained)
}

/// "mcp and mcp-legacy: no challenge; …".
pub(super) fn told(places: &[&Place]) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for place in places {
        let door = place.door.map(Door::name);
        match reasons.iter_mut().find(|(why, _)| *why == place.why) {
            Some((_, doors)) => doors.extend(door),
            None => reasons.push((&place.why, door.into_iter().collect())),
        }
    }
    let clauses = reasons.iter().map(|(why, doors)| {
        if doors.is_empty() {
            (*why).to_owned()
        } else {
            format!("{}: {why}", doors.join(" and "))
        }
    });
    clauses.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(states: &[State], waived: bool) -> Checked {
        let place = |(at, state): (usize, &State)| Place {
            door: Door::ALL.get(at + 1).copied(),
            ..Place::new(*state, state.name())
        };
        Checked {
            requirement: Requirement::OriginChecked,
            places: states.iter().enumerate().map(place).collect(),
            waived: waived.then(|| "known".to_owned()),
        }
    }

    #[test]
    fn the_gravest_place_decides_and_a_waiver_covers_what_is_not_held() {
        use State::{Held, NotApplicable, Unproven, Violated, Waived};
        let table = [
            (&[Held, Held][..], Held, Held),
            (&[Held, NotApplicable], Held, Held),
            (
                &[NotApplicable, NotApplicable],
                NotApplicable,
                NotApplicable,
            ),
            (&[Held, Unproven], Unproven, Waived),
            (&[Unproven, Violated], Violated, Waived),
            (&[Held, Waived], Waived, Waived),
            (&[Waived, Violated], Violated, Waived),
        ];
        for (states, plain, with_waiver) in table {
            assert_eq!(checked(states, false).state(), plain, "{states:?}");
            assert_eq!(checked(states, true).state(), with_waiver, "{states:?}");
        }
        assert!(checked(&[Held], true).is_stale());
        assert!(!checked(&[NotApplicable], true).is_stale());
    }

    #[test]
    fn of_what_several_know_the_word_of_whoever_could_tell_most_counts() {
        use State::{Held, NotApplicable, Unproven, Violated};
        let states = |one: &Checked| {
            one.places
                .iter()
                .map(|place| place.state)
                .collect::<Vec<_>>()
        };
        let table = [
            ([Held, Unproven], [Unproven, Held], [Held, Held]),
            ([Held, Held], [Violated, NotApplicable], [Violated, Held]),
            (
                [NotApplicable, Unproven],
                [Unproven, Unproven],
                [Unproven, Unproven],
            ),
        ];
        for (one, other, together) in table {
            let (one, other) = (checked(&one, false), checked(&other, false));
            assert_eq!(states(&one.clone().joined(&other)), together);
            assert_eq!(states(&other.joined(&one)), together);
        }
    }

    #[test]
    fn doors_with_the_same_reason_stand_together() {
        let both = checked(&[State::Violated, State::Violated], false);
        assert_eq!(both.why(), "mcp and mcp-legacy: violated");
        let one = checked(&[State::Held, State::Violated], false);
        assert_eq!(one.why(), "mcp-legacy: violated");
        let whole = Checked {
            places: vec![Place::held("fine")],
            ..one
        };
        assert_eq!(whole.why(), "fine");
    }
}
