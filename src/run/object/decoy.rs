//! A decoy in, whether it names anything out: before it is sent in a call that changes something, and after one was accepted.

use super::{Objects, bind_decoy, plain};
use crate::run::event::Event;
use crate::run::hall::Hall;
use crate::run::step::{Given, Stage};

impl Objects {
    /// Whether calls of an operation that changes something may be made with the decoys of its fixtures. One that could be
    /// an object's is looked for as its owner, once a run.
    pub(in crate::run) async fn decoys_are_nobodys(
        &self,
        hall: &Hall<'_>,
        operation: usize,
    ) -> bool {
        for fixture in &hall.plan.scenario.operations[operation].uses {
            let doubt = self.decoys[*fixture].get_or_init(|| doubt(hall, *fixture));
            if doubt.await.is_some() {
                return false;
            }
        }
        true
    }

    /// Fixtures whose decoy was not sent, each with the reason in a sentence.
    pub(in crate::run) fn spoilt_decoys(&self) -> Vec<(usize, String)> {
        let decoys = self.decoys.iter().enumerate();
        decoys
            .filter_map(|(fixture, doubt)| Some((fixture, doubt.get()?.clone()?)))
            .collect()
    }

    /// Looks whether a call that was accepted with decoys has made what they name, as a PUT does that makes what it does not
    /// find (RFC 9110 §9.3.4), and tells it. It carries no tag, so it is not removed.
    pub(in crate::run) async fn look_at_decoys(&self, hall: &Hall<'_>, operation: usize) {
        let scenario = &hall.plan.scenario;
        let name = &scenario.operations[operation].name;
        for place in &scenario.operations[operation].uses {
            let fixture = &scenario.fixtures[*place];
            let known = self.written.borrow().contains(place);
            if known || !matches!(read(hall, *place).await, Some(Given::Done(_))) {
                continue;
            }
            self.written.borrow_mut().push(*place);
            let values = fixture.decoy.iter().flatten();
            let words: Vec<String> = values
                .map(|(name, value)| format!("{name}={}", plain(value)))
                .collect();
            let object = words.join(" ");
            let detail = format!("{name} was accepted with decoy values, and now it is there");
            self.left
                .borrow_mut()
                .push(format!("{} {object}: {detail}", fixture.name));
            hall.tell(Event::Cleanup {
                fixture: fixture.name.clone(),
                object,
                removed: false,
                detail,
            });
        }
    }
}

async fn doubt(hall: &Hall<'_>, place: usize) -> Option<String> {
    let fixture = &hall.plan.scenario.fixtures[place];
    if !fixture.decoy_may_exist {
        return None;
    }
    let why = match read(hall, place).await {
        Some(Given::Gone) => return None,
        Some(Given::Done(_)) => "names an object that is there".to_owned(),
        Some(Given::Failed(words) | Given::Unclear(words) | Given::Unanswered(words)) => {
            format!("may name an object that is there: {words}")
        }
        None => "may name an object that is there".to_owned(),
    };
    Some(format!("the decoy of {} {why}", fixture.name))
}

/// What reading gives for the decoy; `None` where there is nothing to read it by.
async fn read(hall: &Hall<'_>, place: usize) -> Option<Given> {
    let fixture = &hall.plan.scenario.fixtures[place];
    fixture.read.as_ref()?;
    let bindings = bind_decoy(fixture, hall.bindings("decoy"))?;
    let mut last = None;
    for door in hall.ways(fixture, Stage::Read) {
        hall.wake(fixture.owner, door).await;
        let given = hall.take(fixture, Stage::Read, door, &bindings).await;
        let clear = matches!(given, Given::Done(_) | Given::Gone);
        last = Some(given);
        if clear {
            break;
        }
    }
    last
}
