//! What is told of a run's objects in, those that are not known to be gone out.

use std::collections::VecDeque;

use serde_json::Value;

use super::facts::LeftBehind;
use crate::run::cleanup::Remnant;

/// Objects of the run that are not known to be gone, and creations without a known end, in the order in which they were told.
#[derive(Debug, Default)]
pub(super) struct Ledger(VecDeque<Entry>);

#[derive(Debug)]
struct Entry {
    fixture: String,
    /// The object's captured values, as one line; before it is known, what it will show.
    name: String,
    tag: String,
    values: Vec<(String, Value)>,
    seen: bool,
    fate: Fate,
}

#[derive(Debug, Eq, PartialEq)]
enum Fate {
    /// Its creation was about to be sent.
    Making,
    /// It was made.
    Made,
    /// It could not be removed, and why.
    Left(String),
}

impl Ledger {
    /// A creation is about to be sent.
    pub(super) fn making(&mut self, fixture: &str, tag: &str, mark: &str) {
        self.0.push_back(Entry {
            fixture: fixture.to_owned(),
            name: mark.to_owned(),
            tag: tag.to_owned(),
            values: Vec::new(),
            seen: false,
            fate: Fate::Making,
        });
    }

    /// The creation has come to an end: it made nothing, or what it made is told.
    pub(super) fn ended(&mut self, fixture: &str, tag: &str) {
        let is_it = |entry: &Entry| {
            entry.values.is_empty()
                && entry.tag == tag
                && !tag.is_empty()
                && entry.fixture == fixture
        };
        if let Some(place) = self.0.iter().rposition(is_it) {
            self.0.remove(place);
        }
    }

    /// An object was made.
    pub(super) fn made(
        &mut self,
        fixture: &str,
        name: &str,
        tag: &str,
        values: &[(String, Value)],
        seen: bool,
    ) {
        self.ended(fixture, tag);
        if self.place(fixture, name).is_none() {
            self.0.push_back(Entry {
                fixture: fixture.to_owned(),
                name: name.to_owned(),
                tag: tag.to_owned(),
                values: values.to_vec(),
                seen,
                fate: Fate::Made,
            });
        }
    }

    /// An object was removed.
    pub(super) fn removed(&mut self, fixture: &str, name: &str) {
        if let Some(place) = self.place(fixture, name) {
            self.0.remove(place);
        }
    }

    /// An object could not be removed.
    pub(super) fn left(&mut self, fixture: &str, name: &str, detail: &str) {
        let fate = Fate::Left(detail.to_owned());
        let named = |entry: &&mut Entry| entry.name == name && entry.fixture == fixture;
        // Creations that carry only the run's id have one name.
        let untold = |entry: &&mut Entry| named(entry) && !matches!(entry.fate, Fate::Left(_));
        let place = match self.0.iter_mut().find(untold) {
            None => self.0.iter_mut().find(named),
            untold => untold,
        };
        match place {
            Some(entry) => entry.fate = fate,
            None => self.0.push_back(Entry {
                fixture: fixture.to_owned(),
                name: name.to_owned(),
                tag: String::new(),
                values: Vec::new(),
                seen: false,
                fate,
            }),
        }
    }

    /// What is left, with the reason. A run that came to its end has told of all that it could not remove; one that was
    /// `killed` has not.
    pub(super) fn left_behind(&self, killed: bool) -> impl Iterator<Item = LeftBehind<'_>> {
        self.0.iter().filter_map(move |entry| {
            let detail = match &entry.fate {
                Fate::Left(detail) => detail,
                Fate::Made if killed => "may still be there: the run ended before its clean-up",
                Fate::Making if killed => "may be there: the run ended while it was made",
                Fate::Made | Fate::Making => return None,
            };
            Some(LeftBehind {
                fixture: &entry.fixture,
                object: &entry.name,
                detail,
            })
        })
    }

    /// The same for whoever removes it.
    pub(super) fn remnants(&self, killed: bool) -> Vec<Remnant> {
        let open = self
            .0
            .iter()
            .filter(|entry| killed || matches!(entry.fate, Fate::Left(_)));
        open.map(|entry| Remnant {
            fixture: entry.fixture.clone(),
            tag: entry.tag.clone(),
            mark: if entry.values.is_empty() {
                entry.name.clone()
            } else {
                entry.tag.clone()
            },
            values: entry.values.clone(),
            seen: entry.seen,
        })
        .collect()
    }

    fn place(&self, fixture: &str, name: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|entry| entry.name == name && entry.fixture == fixture)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(ledger: &Ledger, killed: bool) -> Vec<(&str, &str)> {
        let left = ledger.left_behind(killed);
        left.map(|left| (left.object, left.detail)).collect()
    }

    fn id(value: u32) -> Vec<(String, Value)> {
        vec![("id".to_owned(), json!(value))]
    }

    #[test]
    fn a_creation_leaves_its_trace_until_it_has_an_end() {
        let mut ledger = Ledger::default();
        ledger.making("thing", "r-1", "r-1");
        ledger.making("thing", "r-2", "r-2");
        ledger.making("thing", "r-3", "r-3");
        assert_eq!(ledger.remnants(true).len(), 3);
        assert_eq!(ledger.remnants(false), []);
        ledger.ended("thing", "r-1");
        ledger.made("thing", "id=2", "r-2", &id(2), true);
        let remnants = ledger.remnants(true);
        assert_eq!(remnants.len(), 2);
        assert_eq!(
            (remnants[0].tag.as_str(), remnants[0].values.len()),
            ("r-3", 0)
        );
        assert_eq!(
            (remnants[1].tag.as_str(), remnants[1].values.clone()),
            ("r-2", id(2))
        );
        ledger.removed("thing", "id=2");
        ledger.ended("thing", "r-3");
        assert_eq!(ledger.remnants(true), []);
    }

    #[test]
    fn twins_of_one_creation_are_two_objects() {
        let mut ledger = Ledger::default();
        ledger.making("thing", "r-1", "r-1");
        ledger.made("thing", "id=1", "r-1", &id(1), true);
        ledger.made("thing", "id=2", "r-1", &id(2), true);
        assert_eq!(ledger.remnants(true).len(), 2);
    }

    #[test]
    fn what_could_not_be_removed_is_left_until_it_is() {
        let mut ledger = Ledger::default();
        ledger.making("thing", "r-1", "r-1");
        ledger.left("thing", "r-1", "nobody knows");
        ledger.made("thing", "id=2", "r-2", &id(2), true);
        ledger.left("thing", "id=2", "403");
        ledger.left("thing", "id=7", "of an older version");
        let expected = [
            ("r-1", "nobody knows"),
            ("id=2", "403"),
            ("id=7", "of an older version"),
        ];
        for killed in [true, false] {
            assert_eq!(left(&ledger, killed), expected);
        }
        // A later search found what the first object is.
        ledger.made("thing", "id=1", "r-1", &id(1), true);
        ledger.removed("thing", "id=1");
        ledger.removed("thing", "id=2");
        assert_eq!(left(&ledger, false), expected[2..]);
    }
}
