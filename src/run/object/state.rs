//! Readings of an object before and after a call in, the call's effect out.

use serde_json::Value;

use crate::cell::Door;
use crate::judge::Effect;

/// How an object looks when it is read.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::run) enum State {
    /// It is there, and says this through this door.
    There(Door, Option<Value>),
    /// It is not there.
    Gone,
    /// It was read, and nobody can tell.
    Unknown,
    /// Its fixture has no `read`.
    Unreadable,
}

impl State {
    /// Whether the object was seen.
    pub(in crate::run) const fn is_there(&self) -> bool {
        matches!(self, Self::There(..))
    }
}

/// The effect that a call had on one object. Only what was there before can tell.
pub(in crate::run) fn effect(before: &State, after: &State) -> Effect {
    match (before, after) {
        (State::Unreadable, _) => Effect::Unchecked,
        (State::There(..), State::Gone) => Effect::Changed,
        (State::There(door, Some(was)), State::There(by, Some(is))) if door == by => {
            if was == is {
                Effect::Unchanged
            } else {
                Effect::Changed
            }
        }
        (State::There(..) | State::Gone | State::Unknown, _) => Effect::Unread,
    }
}

/// The effect once a change was read a second time: what differs between two readings in a row, such as a request id
/// or the time, changes by itself.
pub(in crate::run) fn confirmed(before: &State, after: &State, again: &State) -> Effect {
    match (before, after, again) {
        (
            State::There(_, Some(was)),
            State::There(door, Some(is)),
            State::There(by, Some(still)),
        ) if door == by && agree(was, is, still) => Effect::Unchanged,
        _ => effect(before, after),
    }
}

/// The effect of a creation, by how its object looks.
pub(in crate::run) const fn existence(state: &State) -> Effect {
    match state {
        State::There(..) => Effect::Changed,
        State::Gone => Effect::Unchanged,
        State::Unknown => Effect::Unread,
        State::Unreadable => Effect::Unchecked,
    }
}

/// The effect on several objects: a change of one is a change, and one that cannot be told spoils the others.
pub(in crate::run) fn together(effects: impl IntoIterator<Item = Effect>) -> Effect {
    let weight = |effect: &Effect| match effect {
        Effect::Unchecked => 0,
        Effect::Unchanged => 1,
        Effect::Unread => 2,
        Effect::Changed => 3,
    };
    effects.into_iter().max_by_key(weight).unwrap_or_default()
}

/// Whether `was` and `is` agree wherever `is` and `still`, read in a row, do.
fn agree(was: &Value, is: &Value, still: &Value) -> bool {
    match (was, is, still) {
        (Value::Object(was), Value::Object(is), Value::Object(still)) => {
            let mut names = was.keys().chain(is.keys());
            names.all(
                |name| match (was.get(name), is.get(name), still.get(name)) {
                    (Some(was), Some(is), Some(still)) => agree(was, is, still),
                    (was, is, still) => is != still || was == is,
                },
            )
        }
        (Value::Array(was), Value::Array(is), Value::Array(still))
            if was.len() == is.len() && is.len() == still.len() =>
        {
            let mut items = was.iter().zip(is).zip(still);
            items.all(|((was, is), still)| agree(was, is, still))
        }
        _ => is != still || was == is,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there(said: &Value) -> State {
        State::There(Door::Rest, Some(said.clone()))
    }

    #[test]
    fn an_effect_is_a_difference_between_two_readings_of_what_was_there() {
        let (one, two) = (there(&json!({"price": 1})), there(&json!({"price": 2})));
        let elsewhere = State::There(Door::Mcp, Some(json!({"price": 1})));
        let mute = State::There(Door::Rest, None);
        let table = [
            (&one, &one, Effect::Unchanged),
            (&one, &two, Effect::Changed),
            (&one, &State::Gone, Effect::Changed),
            (&mute, &State::Gone, Effect::Changed),
            (&one, &State::Unknown, Effect::Unread),
            (&one, &elsewhere, Effect::Unread),
            (&mute, &mute, Effect::Unread),
            (&State::Gone, &State::Gone, Effect::Unread),
            (&State::Unknown, &State::Gone, Effect::Unread),
            (&State::Unreadable, &State::Unreadable, Effect::Unchecked),
        ];
        for (before, after, expected) in table {
            assert_eq!(effect(before, after), expected, "{before:?} to {after:?}");
        }
        assert_eq!(together([]), Effect::Unchecked);
        assert_eq!(
            together([Effect::Unread, Effect::Unchanged]),
            Effect::Unread
        );
    }

    #[test]
    fn what_changes_by_itself_is_no_effect() {
        let said = |price: u32, at: u32| json!({"price": price, "list": [{"at": at}], "at": at});
        for (was, is, still, expected) in [
            (said(1, 1), said(1, 2), said(1, 3), Effect::Unchanged),
            (said(1, 1), said(2, 2), said(2, 3), Effect::Changed),
            (said(1, 1), said(2, 1), said(2, 1), Effect::Changed),
            (json!([1]), json!([]), json!([]), Effect::Changed),
            (json!({"a": 1}), json!({}), json!({}), Effect::Changed),
        ] {
            let effect = confirmed(&there(&was), &there(&is), &there(&still));
            assert_eq!(effect, expected, "{was} to {is} to {still}");
        }
        let effect = confirmed(&there(&json!(1)), &State::Gone, &State::Gone);
        assert_eq!(effect, Effect::Changed);
    }
}
