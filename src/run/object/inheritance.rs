//! What an ended run left in, the same as objects of this hall out; each is removed once it shows whose it is.

use serde_json::Value;

use super::claim::shows_on;
use super::debt::Debt;
use super::removal::Left;
use super::{Likelihood, Made, Maker, Object, Objects, State};
use crate::run::cleanup::Remnant;
use crate::run::event::Event;
use crate::run::hall::Hall;
use crate::run::step::Stage;

impl Objects {
    /// Takes into the ledger what an earlier run left: objects that it knew, and creations whose end it did not live to see.
    pub(in crate::run) fn inherit(&self, hall: &Hall<'_>, remnants: &[Remnant]) {
        for remnant in remnants {
            let fixtures = &hall.plan.scenario.fixtures;
            let named = |fixture: &crate::scenario::Fixture| fixture.name == remnant.fixture;
            let Some(fixture) = fixtures.iter().position(named) else {
                continue;
            };
            let tag = Value::from(remnant.tag.as_str());
            if remnant.tag.is_empty() {
                self.tell_nameless(hall, remnant);
            } else if remnant.values.is_empty() {
                self.debts.borrow_mut().push(Debt {
                    fixture,
                    bindings: hall
                        .bindings("")
                        .with("run.id", Value::from(remnant.run_id.as_str()))
                        .with("tag", tag),
                    mark: remnant.mark.clone(),
                    likelihood: Likelihood::Possible,
                    words: "its creation had no clear end".to_owned(),
                });
            } else {
                let mut made = self.made.borrow_mut();
                let object = Object {
                    fixture,
                    values: remnant.values.clone(),
                    tag,
                    made_by: Some(remnant.run_id.clone()),
                    number: made.len(),
                };
                made.push(Made {
                    object,
                    gone: false,
                    seen: remnant.seen,
                    // The last call of that run may have removed it.
                    spent: true,
                    maker: Maker::Earlier,
                });
            }
        }
    }

    /// What carries no tag cannot be told from what others made.
    fn tell_nameless(&self, hall: &Hall<'_>, remnant: &Remnant) {
        let Remnant { fixture, mark, .. } = remnant;
        let detail = "it carries no tag of the run; remove it by hand".to_owned();
        self.left
            .borrow_mut()
            .push(format!("{fixture} {mark}: {detail}"));
        hall.tell(Event::Cleanup {
            fixture: fixture.clone(),
            object: mark.clone(),
            removed: false,
            detail,
        });
    }

    /// Removes an object; one that an earlier run made is read first, because by now its name may be somebody else's. Says
    /// why it is not known to be gone, when it is not.
    pub(super) async fn remove_own(&self, hall: &Hall<'_>, object: &Object) -> Option<Left> {
        let (maker, seen) = {
            let made = &self.made.borrow()[object.number];
            (made.maker, made.seen)
        };
        if maker == Maker::Present {
            return self.remove(hall, object).await;
        }
        let fixture = &hall.plan.scenario.fixtures[object.fixture];
        for door in hall.ways(fixture, Stage::Read) {
            hall.wake(fixture.owner, door).await;
        }
        let made_by = object.made_by.as_deref();
        let run_id = made_by.unwrap_or(&hall.settings.run_id);
        match self.state(hall, object).await {
            State::Gone if seen => {
                self.strike(object);
                None
            }
            State::There(_, Some(said)) if shows_on(&said, run_id, &object.values) => {
                self.remove(hall, object).await
            }
            // There is nothing to read it by, or reading never found it: the creation's own answer showed whose it is.
            State::Unreadable | State::Gone => self.remove(hall, object).await,
            State::There(..) => Some(Left {
                words: format!(
                    "reading it does not show {run_id}, so that it may be somebody else's by now"
                ),
                answered: true,
                lingers: false,
            }),
            State::Unknown => Some(unread(hall, object)),
        }
    }
}

/// Why an object that could not be read is not removed.
fn unread(hall: &Hall<'_>, object: &Object) -> Left {
    let owner = hall.plan.scenario.fixtures[object.fixture].owner;
    let persona = &hall.plan.scenario.personas[owner].name;
    let standing = hall.standing(owner);
    let why = match standing.faults.first() {
        Some((_, fault)) if standing.entrance.is_none() => format!("{persona}{fault}"),
        _ => "it could not be read, so that nobody can tell whose it is".to_owned(),
    };
    Left {
        words: why,
        answered: standing.entrance.is_some(),
        lingers: false,
    }
}
