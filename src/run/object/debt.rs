//! Creations without a clear answer in, the objects that they left out: looked for at once and once more at the end.

use tokio::time::Instant;

use super::claim::{captured, shows_on};
use super::removal::UNANSWERED;
use super::{Birth, Object, Objects, State};
use crate::run::event::Event;
use crate::run::hall::Hall;
use crate::run::pauses::Pauses;
use crate::run::step::{Given, Stage};
use crate::scenario::template::Bindings;

/// A creation whose object is not in the ledger.
#[derive(Clone, Debug)]
pub(super) struct Debt {
    pub(super) fixture: usize,
    pub(super) bindings: Bindings,
    pub(super) mark: String,
    pub(super) likelihood: Likelihood,
    pub(super) words: String,
}

impl Debt {
    fn birth(&self) -> Birth<'_> {
        Birth {
            fixture: self.fixture,
            bindings: &self.bindings,
            mark: self.mark.clone(),
        }
    }
}

/// How likely a creation without a known object made one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::run) enum Likelihood {
    /// It was refused.
    Slight,
    /// It had no clear answer.
    Possible,
    /// It was answered with success.
    Certain,
}

/// What a search for an object gave.
#[derive(Debug)]
pub(in crate::run) enum Sought {
    /// It is there, and in the ledger.
    Found(Object),
    /// It is not there.
    Nothing,
    /// There was no clear answer; in a few words.
    Unsure(String),
    /// Its fixture cannot be searched for.
    Unsearchable,
}

/// Objects of one creation that are looked for at most: a call and its repetition make two.
const TWINS: usize = 4;

impl Objects {
    /// Notes that a creation may have left an object which is not in the ledger.
    pub(in crate::run) fn owe(&self, birth: &Birth<'_>, likelihood: Likelihood, words: &str) {
        self.debts.borrow_mut().push(Debt {
            fixture: birth.fixture,
            bindings: birth.bindings.clone(),
            mark: birth.mark.clone(),
            likelihood,
            words: words.to_owned(),
        });
    }

    /// No more are made of a fixture once a creation cannot be accounted for: it made something that is not found, or may
    /// have made something that nobody can look for. What is searched for in vain is searched for once more at the end.
    pub(in crate::run) fn account(
        &self,
        birth: &Birth<'_>,
        likelihood: Likelihood,
        sought: &Sought,
        words: &str,
    ) {
        let accounted = match (likelihood, sought) {
            (_, Sought::Found(_)) | (Likelihood::Slight, _) => true,
            (Likelihood::Possible, Sought::Nothing) => true,
            (Likelihood::Possible | Likelihood::Certain, _) => false,
        };
        if !accounted {
            self.lose(birth.fixture, words);
        }
    }

    /// Looks for what a call made, and takes it into the ledger once reading it has shown the call's mark: a search
    /// may repeat what it was asked, and give something else.
    pub(in crate::run) async fn find(&self, hall: &Hall<'_>, birth: &Birth<'_>) -> Sought {
        let plan = &hall.plan.scenario.fixtures[birth.fixture];
        if plan.find.is_none() {
            return Sought::Unsearchable;
        }
        let answer = match hall.take_any(plan, Stage::Find, birth.bindings).await {
            Given::Done(answer) => answer,
            Given::Gone => return Sought::Nothing,
            Given::Failed(words) | Given::Unclear(words) | Given::Unanswered(words) => {
                return Sought::Unsure(words);
            }
        };
        let pointers = &plan.find_capture;
        if captured(pointers, answer.as_ref()).is_err() && is_empty(pointers, answer.as_ref()) {
            return Sought::Nothing;
        }
        let object = match self.named(hall, birth, pointers, answer.as_ref()) {
            Ok(object) => object,
            Err(words) => return Sought::Unsure(words),
        };
        let state = self.state(hall, &object).await;
        match &state {
            State::There(_, Some(said)) if shows_on(said, &birth.mark, &object.values) => {
                Sought::Found(self.adopt(hall, object, &state))
            }
            State::Gone => Sought::Nothing,
            _ => Sought::Unsure(format!(
                "the search gives {}, which does not show {} when it is read",
                object.shown(),
                birth.mark
            )),
        }
    }

    /// Looks once more for what creations without a clear answer may have left, removes it, and tells what can be
    /// neither found nor ruled out.
    ///
    /// From a deployment that is `silent`, or becomes so, nothing more is asked.
    pub(super) async fn settle_debts(&self, hall: &Hall<'_>, silent: bool) {
        let mut unsure = if silent { UNANSWERED } else { 0 };
        for debt in self.debts.take() {
            let last = if unsure < UNANSWERED {
                self.search_by_its_time(hall, &debt).await
            } else {
                Sought::Unsure("not looked for: the deployment no longer answers".to_owned())
            };
            unsure = match last {
                Sought::Unsure(_) => unsure + 1,
                Sought::Found(_) | Sought::Nothing | Sought::Unsearchable => 0,
            };
            match self.remains_of(&debt, last) {
                Some(words) => self.tell_owed(hall, &debt, &words),
                None if !self.has(&debt) => Self::renounce(hall, &debt.birth()),
                None => {}
            }
        }
    }

    /// The same until something is found, as long as what may have been made takes to be found.
    async fn search_by_its_time(&self, hall: &Hall<'_>, debt: &Debt) -> Sought {
        let settle = hall.plan.scenario.fixtures[debt.fixture].settle;
        let mut pauses = Pauses::until(Instant::now() + settle);
        loop {
            let sought = self.search(hall, debt).await;
            let is_open = matches!(sought, Sought::Nothing) && !self.has(debt);
            let is_likely = debt.likelihood != Likelihood::Slight;
            if !(is_open && is_likely && pauses.next_to_the_end().await) {
                return sought;
            }
        }
    }

    /// Removes what a debt's creation left, one object after the other; what the last search gave.
    async fn search(&self, hall: &Hall<'_>, debt: &Debt) -> Sought {
        let birth = debt.birth();
        let mut sought = self.find(hall, &birth).await;
        for _twin in 1..TWINS {
            let Sought::Found(object) = &sought else {
                break;
            };
            if !self.remove_and_tell(hall, object).await {
                break;
            }
            sought = self.find(hall, &birth).await;
        }
        sought
    }

    /// Why a debt stays open; `None` when it is settled, told with its object, or was none.
    fn remains_of(&self, debt: &Debt, last: Sought) -> Option<String> {
        let likely = debt.likelihood != Likelihood::Slight;
        match last {
            Sought::Found(_) => None,
            Sought::Nothing => (debt.likelihood == Likelihood::Certain && !self.has(debt))
                .then(|| debt.words.clone()),
            Sought::Unsure(words) => likely.then(|| format!("{}; {words}", debt.words)),
            Sought::Unsearchable => likely.then(|| debt.words.clone()),
        }
    }

    /// Whether an object with that tag is, or was, in the ledger.
    fn has(&self, debt: &Debt) -> bool {
        let tag = debt.bindings.get("tag");
        let made = self.made.borrow();
        made.iter()
            .any(|made| made.object.fixture == debt.fixture && Some(&made.object.tag) == tag)
    }

    fn tell_owed(&self, hall: &Hall<'_>, debt: &Debt, words: &str) {
        let fixture = &hall.plan.scenario.fixtures[debt.fixture].name;
        let detail = format!("may still be there: {words}");
        self.left
            .borrow_mut()
            .push(format!("{fixture} {}: {detail}", debt.mark));
        hall.tell(Event::Cleanup {
            fixture: fixture.clone(),
            object: debt.mark.clone(),
            removed: false,
            detail,
        });
    }
}

/// Whether the search gave nothing at all where its first capture should be, rather than something unusable.
fn is_empty(pointers: &[(String, String)], answer: Option<&serde_json::Value>) -> bool {
    let found = |pointer: &str| answer.and_then(|answer| answer.pointer(pointer));
    pointers
        .iter()
        .all(|(_, pointer)| found(pointer).is_none_or(serde_json::Value::is_null))
}
