//! What is told of a run's objects in, those that are not known to be gone out.

use std::collections::VecDeque;

use serde_json::Value;

use super::facts::LeftBehind;
use crate::run::cleanup::Remnant;

/// Objects of the run that are not known to be gone, and creations without a known end, in the order in which they were told.
/// In a joined record each run has its own, of which only it speaks; the joined run, which is the first, speaks of all.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: VecDeque<Entry>,
    speaker: usize,
}

/// The run that the record is of.
const ITSELF: usize = 0;

#[derive(Debug)]
struct Entry {
    /// Whose it is, of the runs that the record tells of.
    speaker: usize,
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
    /// What is told from here on is told by that run.
    pub(super) fn hear(&mut self, speaker: usize) {
        self.speaker = speaker;
    }

    fn is_spoken_of(&self, entry: &Entry) -> bool {
        self.speaker == ITSELF || entry.speaker == self.speaker
    }

    /// A creation is about to be sent.
    pub(super) fn making(&mut self, fixture: &str, tag: &str, mark: &str) {
        self.entries.push_back(Entry {
            speaker: self.speaker,
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
            self.is_spoken_of(entry)
                && entry.values.is_empty()
                && entry.tag == tag
                && !tag.is_empty()
                && entry.fixture == fixture
        };
        if let Some(place) = self.entries.iter().rposition(is_it) {
            self.entries.remove(place);
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
            self.entries.push_back(Entry {
                speaker: self.speaker,
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
            self.entries.remove(place);
        }
    }

    /// An object could not be removed.
    pub(super) fn left(&mut self, fixture: &str, name: &str, detail: &str) {
        let fate = Fate::Left(detail.to_owned());
        let speaker = self.speaker;
        let named = |entry: &&mut Entry| {
            let spoken_of = speaker == ITSELF || entry.speaker == speaker;
            spoken_of && entry.name == name && entry.fixture == fixture
        };
        // Creations that carry only the run's id have one name.
        let untold = |entry: &&mut Entry| named(entry) && !matches!(entry.fate, Fate::Left(_));
        let place = match self.entries.iter_mut().find(untold) {
            None => self.entries.iter_mut().find(named),
            untold => untold,
        };
        match place {
            Some(entry) => entry.fate = fate,
            None => self.entries.push_back(Entry {
                speaker,
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
    pub(super) fn left_behind(
        &self,
        killed: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = LeftBehind<'_>> {
        self.entries.iter().filter_map(move |entry| {
            let killed = killed(entry.speaker);
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

    /// The same for whoever removes it, with the id of the run that made it.
    pub(super) fn remnants(
        &self,
        killed: impl Fn(usize) -> bool,
        run_id: impl Fn(usize) -> String,
    ) -> Vec<Remnant> {
        let open = self
            .entries
            .iter()
            .filter(|entry| killed(entry.speaker) || matches!(entry.fate, Fate::Left(_)));
        open.map(|entry| Remnant {
            run_id: run_id(entry.speaker),
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
        self.entries.iter().position(|entry| {
            self.is_spoken_of(entry) && entry.name == name && entry.fixture == fixture
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remains(ledger: &Ledger, killed: impl Fn(usize) -> bool) -> Vec<Remnant> {
        ledger.remnants(killed, |speaker| format!("r{speaker}"))
    }

    fn left(ledger: &Ledger, killed: bool) -> Vec<(&str, &str)> {
        let left = ledger.left_behind(|_| killed);
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
        assert_eq!(remains(&ledger, |_| true).len(), 3);
        assert_eq!(remains(&ledger, |_| false), []);
        ledger.ended("thing", "r-1");
        ledger.made("thing", "id=2", "r-2", &id(2), true);
        let remnants = remains(&ledger, |_| true);
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
        assert_eq!(remains(&ledger, |_| true), []);
    }

    #[test]
    fn twins_of_one_creation_are_two_objects() {
        let mut ledger = Ledger::default();
        ledger.making("thing", "r-1", "r-1");
        ledger.made("thing", "id=1", "r-1", &id(1), true);
        ledger.made("thing", "id=2", "r-1", &id(2), true);
        assert_eq!(remains(&ledger, |_| true).len(), 2);
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

    #[test]
    fn a_run_of_a_joined_record_speaks_of_its_own_objects_and_the_joined_one_of_all() {
        let mut ledger = Ledger::default();
        for speaker in [1, 2] {
            ledger.hear(speaker);
            ledger.made("thing", "id=7", "", &id(7), true);
        }
        ledger.removed("thing", "id=7");
        let remains_of = remains(&ledger, |speaker| speaker == 1);
        assert_eq!((remains_of.len(), remains_of[0].run_id.as_str()), (1, "r1"));
        assert_eq!(remains(&ledger, |speaker| speaker == 2), []);
        ledger.hear(ITSELF);
        ledger.removed("thing", "id=7");
        assert_eq!(remains(&ledger, |_| true), []);
    }
}
