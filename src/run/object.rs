//! Fixtures in, objects of this run out: made, read, found, removed, and never forgotten.

use std::cell::RefCell;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::event::Event;
use super::hall::Hall;
use super::step::Given;
use crate::scenario::Fixture;
use crate::scenario::template::Bindings;

/// An object that this run made.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// Index of its fixture.
    pub(super) fixture: usize,
    values: Vec<(String, Value)>,
    number: usize,
}

/// Every object that this run made.
#[derive(Debug)]
pub(super) struct Objects {
    shared: Vec<OnceCell<Option<Object>>>,
    made: RefCell<Vec<Made>>,
    failures: RefCell<Vec<(usize, String)>>,
    left: RefCell<Vec<String>>,
}

#[derive(Debug)]
struct Made {
    object: Object,
    gone: bool,
}

/// How an object looks when it is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// It is there, and says this.
    There(Option<Value>),
    /// It is not there.
    Gone,
    /// Nobody can tell.
    Unknown,
}

impl Object {
    /// The bindings with this object's values among them.
    pub(super) fn bind(&self, fixture: &Fixture, bindings: Bindings) -> Bindings {
        bind(fixture, &self.values, bindings)
    }

    /// Its captured values as one line, such as `id=7`.
    pub(super) fn shown(&self) -> String {
        let words: Vec<String> = self
            .values
            .iter()
            .map(|(name, value)| format!("{name}={}", plain(value)))
            .collect();
        words.join(" ")
    }
}

/// The bindings with a fixture's decoy values among them; `None` when it has none.
pub(super) fn bind_decoy(fixture: &Fixture, bindings: Bindings) -> Option<Bindings> {
    let decoy = fixture.decoy.as_ref()?;
    Some(bind(fixture, decoy, bindings))
}

fn bind(fixture: &Fixture, values: &[(String, Value)], bindings: Bindings) -> Bindings {
    values.iter().fold(bindings, |bindings, (name, value)| {
        bindings.with(&format!("{}.{name}", fixture.name), value.clone())
    })
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl Objects {
    /// A ledger with nothing in it, for so many fixtures.
    pub(super) fn none_of(fixtures: usize) -> Self {
        Self {
            shared: (0..fixtures).map(|_| OnceCell::new()).collect(),
            made: RefCell::default(),
            failures: RefCell::default(),
            left: RefCell::default(),
        }
    }

    /// The one object that all reads of a fixture share; `None` when it could not be made.
    pub(super) async fn shared(&self, hall: &Hall<'_>, fixture: usize) -> Option<Object> {
        self.shared[fixture]
            .get_or_init(|| self.make(hall, fixture, format!("f{fixture}")))
            .await
            .clone()
    }

    /// A new object, its owner's; `None` when it could not be made. The tag is unique within the run.
    pub(super) async fn make(
        &self,
        hall: &Hall<'_>,
        fixture: usize,
        tag: String,
    ) -> Option<Object> {
        let plan = &hall.plan.scenario.fixtures[fixture];
        let bindings = hall.bindings(&tag);
        let failure = match created(hall, plan, &bindings).await {
            Given::Done(payload) => match captured(&plan.capture, payload.as_ref()) {
                Ok(values) => return Some(self.adopt(hall, fixture, values)),
                Err(pointer) => {
                    if let Some(object) = self.find(hall, fixture, &bindings).await {
                        return Some(object);
                    }
                    format!("it was made, but its answer has nothing at `{pointer}`")
                }
            },
            Given::Gone => "its owner was told that there is no such thing".to_owned(),
            // Without an answer it may stand all the same.
            Given::Failed(words) => match self.find(hall, fixture, &bindings).await {
                Some(object) => return Some(object),
                None => words,
            },
        };
        self.failures.borrow_mut().push((fixture, failure));
        None
    }

    /// Whether an object that a call of the matrix makes can be expected to be removable: its owner has a way in, and
    /// either has made one of its own or is at least answered where it would remove it.
    pub(super) async fn removable(&self, hall: &Hall<'_>, fixture: usize) -> bool {
        let plan = &hall.plan.scenario.fixtures[fixture];
        let made = self.shared(hall, fixture).await.is_some();
        let may_enter = hall.standings[plan.owner].entrance.is_some();
        may_enter && (made || !hall.is_silent(&plan.remove))
    }

    /// Takes an object that a call of the matrix made into the ledger.
    pub(super) fn adopt(
        &self,
        hall: &Hall<'_>,
        fixture: usize,
        values: Vec<(String, Value)>,
    ) -> Object {
        let mut made = self.made.borrow_mut();
        let object = Object {
            fixture,
            values,
            number: made.len(),
        };
        made.push(Made {
            object: object.clone(),
            gone: false,
        });
        hall.tell(Event::FixtureMade {
            fixture: hall.plan.scenario.fixtures[fixture].name.clone(),
            object: object.shown(),
        });
        object
    }

    /// Takes the object that an answer describes into the ledger; `None` when the answer does not.
    pub(super) fn adopt_answer(
        &self,
        hall: &Hall<'_>,
        fixture: usize,
        payload: Option<&Value>,
    ) -> Option<Object> {
        let capture = &hall.plan.scenario.fixtures[fixture].capture;
        captured(capture, payload)
            .ok()
            .map(|values| self.adopt(hall, fixture, values))
    }

    /// Looks for an object by the tag in the bindings, and takes it into the ledger when it is there.
    pub(super) async fn find(
        &self,
        hall: &Hall<'_>,
        fixture: usize,
        bindings: &Bindings,
    ) -> Option<Object> {
        let plan = &hall.plan.scenario.fixtures[fixture];
        let Given::Done(payload) = hall.take_any(plan, plan.find.as_ref()?, bindings).await else {
            return None;
        };
        let values = captured(&plan.find_capture, payload.as_ref()).ok()?;
        Some(self.adopt(hall, fixture, values))
    }

    /// How an object looks now.
    pub(super) async fn state(&self, hall: &Hall<'_>, object: &Object) -> State {
        let fixture = &hall.plan.scenario.fixtures[object.fixture];
        let Some(read) = &fixture.read else {
            return State::Unknown;
        };
        match hall
            .take_any(fixture, read, &object.bind(fixture, hall.bindings("read")))
            .await
        {
            Given::Done(payload) => State::There(payload),
            Given::Gone => State::Gone,
            Given::Failed(_) => State::Unknown,
        }
    }

    /// Strikes an object that is known to be gone.
    pub(super) fn strike(&self, object: &Object) {
        self.made.borrow_mut()[object.number].gone = true;
    }

    /// Removes what is still there and tells of each object what became of it.
    pub(super) async fn remove_all(&self, hall: &Hall<'_>) {
        let standing: Vec<Object> = self
            .made
            .borrow()
            .iter()
            .filter(|made| !made.gone)
            .map(|made| made.object.clone())
            .collect();
        for object in standing {
            let left = self.remove(hall, &object).await;
            let fixture = hall.plan.scenario.fixtures[object.fixture].name.clone();
            if let Some(words) = &left {
                self.left
                    .borrow_mut()
                    .push(format!("{fixture} {}: {words}", object.shown()));
            }
            hall.tell(Event::Cleanup {
                fixture,
                object: object.shown(),
                removed: left.is_none(),
                detail: left.unwrap_or_default(),
            });
        }
    }

    /// Objects that could not be removed, one line each.
    pub(super) fn left_behind(&self) -> Vec<String> {
        self.left.borrow().clone()
    }

    /// Fixtures of which an object could not be made, with the reason; the first one of each.
    pub(super) fn failures(&self) -> Vec<(usize, String)> {
        let mut failures = self.failures.borrow().clone();
        failures.sort();
        failures.dedup_by_key(|(fixture, _)| *fixture);
        failures
    }

    /// Removes one object through each door in turn until reading it shows that it is gone; else says why it is not.
    async fn remove(&self, hall: &Hall<'_>, object: &Object) -> Option<String> {
        let fixture = &hall.plan.scenario.fixtures[object.fixture];
        let bindings = object.bind(fixture, hall.bindings("remove"));
        let mut words = "no door to remove it through".to_owned();
        for door in hall.ways(&fixture.remove) {
            let given = hall.take(fixture, &fixture.remove, door, &bindings).await;
            words = match (given, self.state(hall, object).await) {
                (_, State::Gone) | (Given::Done(_) | Given::Gone, State::Unknown) => {
                    self.strike(object);
                    return None;
                }
                (Given::Failed(reason), _) => reason,
                (Given::Done(_), State::There(_)) => {
                    "its removal was accepted, and it is still there".to_owned()
                }
                (Given::Gone, State::There(_)) => {
                    format!("{door} says that there is no such thing, and it is still there")
                }
            };
        }
        Some(words)
    }
}

/// Takes `create` through the first door that says something clear, but no further once every door of `remove` is silent.
async fn created(hall: &Hall<'_>, fixture: &Fixture, bindings: &Bindings) -> Given {
    let mut last = Given::Failed("no door to make it through".to_owned());
    for door in hall.ways(&fixture.create) {
        last = hall.take(fixture, &fixture.create, door, bindings).await;
        if !matches!(last, Given::Failed(_)) || hall.is_silent(&fixture.remove) {
            break;
        }
    }
    last
}

/// The values at the pointers (RFC 6901), or the first pointer that has nothing.
fn captured(
    pointers: &[(String, String)],
    payload: Option<&Value>,
) -> Result<Vec<(String, Value)>, String> {
    let value = |pointer: &str| {
        payload
            .and_then(|payload| payload.pointer(pointer))
            .filter(|value| !value.is_null())
    };
    pointers
        .iter()
        .map(|(name, pointer)| {
            value(pointer)
                .map(|value| (name.clone(), value.clone()))
                .ok_or_else(|| pointer.clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn captures_need_every_pointer_to_hit() {
        let pointers = [
            ("id".to_owned(), "/id".to_owned()),
            ("etag".to_owned(), "/meta/etag".to_owned()),
        ];
        let whole = json!({"id": 7, "meta": {"etag": "x"}});
        let values = captured(&pointers, Some(&whole)).unwrap();
        assert_eq!(
            values,
            [("id".to_owned(), json!(7)), ("etag".to_owned(), json!("x"))]
        );
        assert_eq!(
            captured(&pointers, Some(&json!({"id": 7}))),
            Err("/meta/etag".to_owned())
        );
        assert_eq!(captured(&pointers, None), Err("/id".to_owned()));
        assert_eq!(
            captured(&pointers, Some(&json!({"id": null}))),
            Err("/id".to_owned())
        );
    }
}
