//! Everything that the calls of a run share: plan, ways in, objects, pace, what was seen, who is told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::beginning::Beginning;
use super::bell::Bell;
use super::document::Routes;
use super::doors::Doors;
use super::event::{Event, Observed};
use super::gallery::Gallery;
use super::limit::Limit;
use super::object::{Object, Objects};
use super::pace::Pace;
use super::standing::Standing;
use super::stop::{Reason, Stop};
use super::watch::Trace;
use super::{Means, Settings, asking, standing};
use crate::cell::Door;
use crate::day::Day;
use crate::door::discovery::Found;
use crate::door::{Answer, Ask, Entrance, Observation};
use crate::judge::{
    self, Attempt, Demanded, Effect, Gap, Layer, Listed, Reading, Repeats, Sight, Sightings,
    Waivers,
};
use crate::plan::{Check, Plan};
use crate::probe::Checked;
use crate::scenario::template::Bindings;
use crate::scenario::{McpMethod, RefusalShape};
use crate::secret::Redactor;
use crate::token::{Desk, RENEWALS};
use crate::waiver::Dated;

/// An operation and a door, and the call that all their cells make; `None` where each makes its own.
pub(super) type LastAsk = ((usize, Door), Option<Arc<Ask>>);

/// What the calls of a run share.
pub(super) struct Hall<'r> {
    pub(super) plan: Plan,
    /// What the scenario waives, as it stands today.
    waivers: Vec<Dated>,
    pub(super) standings: Vec<Standing>,
    /// By persona: where it stands by each token that took the place of one that ran out.
    pub(super) renewed: Vec<[OnceCell<Standing>; RENEWALS]>,
    pub(super) desk: Desk,
    pub(super) doors: Doors,
    pub(super) objects: Objects,
    pub(super) settings: &'r Settings,
    pub(super) stop: &'r Stop,
    /// Ends the waiting for calls under way.
    pub(super) bell: Bell,
    pub(super) gallery: Option<&'r Gallery>,
    pub(super) redactor: &'r Redactor,
    pub(super) pace: Pace,
    /// Time spent waiting between attempts, all calls together.
    pub(super) waited: Cell<Duration>,
    /// By door: whether the last call there got no answer at all.
    pub(super) silent: Cell<[bool; 3]>,
    /// By door: whether anything was granted there.
    pub(super) alive: Cell<[bool; 3]>,
    /// By persona, door and naming method: what cannot exist, and what asking for it gave.
    pub(super) unknown: Vec<[[Calibration; McpMethod::NAMING.len()]; 3]>,
    pub(super) sights: RefCell<Sightings>,
    /// Calls under way at once.
    turnstile: Semaphore,
    /// The last call of a cell that was made for an operation and a door; `None` where every cell has one of its own.
    pub(super) last_ask: RefCell<Option<LastAsk>>,
    /// What every call of the run binds, but for a tag of its own.
    pub(super) untagged: Bindings,
    /// Objects that were made for single cells ahead of their calls, by matrix index.
    pub(super) prepared: RefCell<HashMap<usize, Vec<Object>>>,
    /// By matrix index: answers as demanded that are evidence only if their calls turn out to have had another effect.
    held: RefCell<HashMap<usize, Vec<Observation>>>,
    /// Calls whose effects are still to be read.
    pub(super) traces: RefCell<Vec<Trace>>,
    /// Which round of calls is under way, from 1.
    pub(super) round: Cell<u32>,
    /// When enough has failed.
    pub(super) limit: Limit,
    /// Whoever presents nothing, on connections that no persona uses.
    pub(super) nobody: Entrance,
    /// By door: for each challenge that a 403 came with, or none, an answer that had it.
    refusals: RefCell<[BTreeMap<String, Observation>; 3]>,
    /// What came of the requirements.
    pub(super) checked: RefCell<Vec<Checked>>,
    /// What the lists of tools show.
    pub(super) lists: RefCell<Vec<Listed>>,
    /// What is known of the routes of the REST door.
    pub(super) routes: Routes,
    /// Calls of tools that no operation names.
    pub(super) attempts: RefCell<Vec<Attempt>>,
    started: Instant,
    tell: RefCell<&'r mut dyn FnMut(Event)>,
}

/// The name of what cannot exist and what asking for it gave, once it was asked; `None` inside when the run ended first.
pub(super) type Calibration = OnceCell<Option<(String, Observation)>>;

/// Challenges of 403 answers that are kept of one door.
const MOST_CHALLENGES: usize = 8;

/// What was seen of a cell, with what is told of it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) reading: Option<Reading>,
    pub(super) second: Option<Reading>,
    pub(super) effect: Effect,
    pub(super) gap: Option<Gap>,
    pub(super) retries: Vec<String>,
    pub(super) took_ms: u64,
    pub(super) evidence: Vec<Observation>,
}

impl Seen {
    /// A cell that was not called.
    pub(super) fn gap(gap: Gap) -> Self {
        Self {
            gap: Some(gap),
            ..Self::default()
        }
    }

    /// What of it is judged.
    fn sight(&self) -> Sight {
        Sight {
            reading: self.reading,
            status: self.status,
            second: self.second,
            effect: self.effect,
            gap: self.gap,
            by: Layer::of_answers(&self.evidence),
            repeats: Repeats::default(),
        }
    }
}

impl<'r> Hall<'r> {
    pub(super) fn open(
        plan: Plan,
        desk: Desk,
        standings: Vec<Standing>,
        doors: Doors,
        means: &Means<'r>,
        started: Instant,
        tell: &'r mut dyn FnMut(Event),
    ) -> Self {
        Self {
            waivers: dated(&plan, means.settings.today),
            objects: Objects::none_of(plan.scenario.fixtures.len()),
            renewed: standings.iter().map(|_| Default::default()).collect(),
            unknown: standings.iter().map(|_| Default::default()).collect(),
            sights: RefCell::new(Sightings::all(
                Sight {
                    gap: Some(Gap::NotReached),
                    ..Sight::default()
                },
                plan.matrix.len(),
            )),
            turnstile: Semaphore::new(means.settings.jobs.max(1)),
            prepared: RefCell::default(),
            held: RefCell::default(),
            traces: RefCell::default(),
            round: Cell::new(1),
            limit: Limit::new(means.settings.course.max_failures),
            pace: Pace::new(means.settings.rate),
            settings: means.settings,
            stop: means.stop,
            bell: Bell::of(means.stop),
            gallery: means.gallery,
            redactor: means.redactor,
            waited: Cell::new(Duration::ZERO),
            silent: Cell::default(),
            nobody: standing::nobody(&plan.scenario, means),
            refusals: RefCell::default(),
            last_ask: RefCell::default(),
            untagged: asking::bindings(means.settings, ""),
            checked: RefCell::default(),
            lists: RefCell::default(),
            attempts: RefCell::default(),
            routes: Routes::default(),
            alive: Cell::default(),
            started,
            tell: RefCell::new(tell),
            plan,
            desk,
            standings,
            doors,
        }
    }

    /// The same with whoever presents nothing, on connections that may be open already.
    pub(super) fn with_nobody(self, nobody: Entrance) -> Self {
        Self { nobody, ..self }
    }

    /// The same with what is known of the routes of the REST door.
    pub(super) fn knowing(self, routes: Routes) -> Self {
        Self { routes, ..self }
    }

    /// What somebody accepts for a while.
    pub(super) fn waivers(&self) -> Waivers<'_> {
        Waivers(&self.waivers)
    }

    pub(super) fn tell(&self, event: Event) {
        (self.tell.borrow_mut())(event);
    }

    /// Milliseconds since the run began.
    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What is told before any cell is called.
    pub(super) fn tell_opening(&self) {
        let beginning = Beginning::of(&self.plan, self.settings);
        self.tell(Event::RunStarted(Box::new(beginning)));
        for dated in &self.waivers {
            self.tell(Event::WaiverStated(dated.clone()));
        }
        for found in &self.doors.found {
            self.tell_door(found);
        }
        for event in self
            .standings
            .iter()
            .filter_map(|standing| standing.event.clone())
        {
            self.tell(event);
        }
    }

    /// What came of asking an MCP door for its era.
    pub(super) fn tell_door(&self, found: &Found) {
        self.tell(Event::DoorFound {
            door: found.door,
            answers: found.answers,
            detail: found.detail.clone(),
        });
    }

    /// The bindings that every call of this run has; see [`asking::bindings`].
    pub(super) fn bindings(&self, tag: &str) -> Bindings {
        asking::bindings(self.settings, tag)
    }

    /// The tag of a cell's calls, unique to the cell and the round.
    pub(super) fn tag_of(&self, check: &Check<'_>) -> String {
        match self.round.get() {
            1 => check.index.to_string(),
            round => format!("{}r{round}", check.index),
        }
    }

    /// Keeps what was seen of a cell and tells it; in a further round together with what was seen before.
    pub(super) fn keep(&self, check: &Check<'_>, seen: Seen) {
        if self.round.get() > 1 {
            self.keep_again(check, seen);
        } else {
            self.keep_first(check, seen);
        }
        self.limit.weigh(self, check);
    }

    fn keep_first(&self, check: &Check<'_>, seen: Seen) {
        self.sights.borrow_mut().set(check.index, seen.sight());
        let cell = self.plan.matrix.cell(check);
        self.tell(Event::CellObserved(Observed {
            persona: cell.persona,
            operation: cell.operation,
            door: cell.door,
            status: seen.status,
            reading: seen.reading,
            second: seen.second,
            effect: seen.effect,
            gap: seen.gap,
            retries: seen.retries,
            took_ms: seen.took_ms,
            evidence: seen.evidence,
        }));
    }

    /// Keeps the evidence of a cell back until its effect is known, where nothing but that can be wrong with it.
    pub(super) fn hold_evidence(&self, check: &Check<'_>, seen: &mut Seen) {
        let met = seen
            .reading
            .is_some_and(|reading| self.as_demanded(check, reading, seen.status));
        if met && seen.second.is_none() {
            let evidence = std::mem::take(&mut seen.evidence);
            self.held
                .borrow_mut()
                .entry(check.index)
                .or_insert(evidence);
        }
    }

    /// Keeps what reading back showed of a cell in the end, and tells it.
    pub(super) fn keep_effect(&self, check: &Check<'_>, effect: Effect) {
        let held = self.held.borrow_mut().remove(&check.index);
        let evidence = held
            .filter(|_| effect.is_doubtful(check.demand.expectation))
            .unwrap_or_default();
        let gap = {
            let mut sights = self.sights.borrow_mut();
            let mut sight = sights[check.index];
            sight.effect = effect;
            sight.by = sight.by.or_else(|| Layer::of_answers(&evidence));
            if effect == Effect::Changed && !check.demand.expectation.allows() {
                // Whatever the token was, what it did is to be judged.
                sight.gap = None;
            }
            sights.set(check.index, sight);
            sight.gap
        };
        let cell = self.plan.matrix.cell(check);
        self.tell(Event::CellSettled {
            persona: cell.persona,
            operation: cell.operation,
            door: cell.door,
            effect,
            gap,
            evidence,
        });
        self.limit.weigh(self, check);
    }

    /// Waits for one of the places that calls have; `None` never comes while the hall is open.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // Most often one is free, and who waits for one is given it before it is free again.
        match self.turnstile.try_acquire() {
            Ok(place) => Some(place),
            Err(_) => self.turnstile.acquire().await.ok(),
        }
    }

    /// Waits for a while; whether the run goes on after that.
    pub(super) async fn rest(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.stop.is_stopped(),
            () = self.stop.ended() => false,
        }
    }

    /// Of a further round only what is news is told.
    fn keep_again(&self, check: &Check<'_>, seen: Seen) {
        let before = self.sights.borrow()[check.index];
        let after = before.and_then(seen.sight(), self.demanded(check));
        self.sights.borrow_mut().set(check.index, after);
        let counted = Sight {
            repeats: before.repeats,
            ..after
        };
        if after.repeats.astray == before.repeats.astray && counted == before {
            return;
        }
        let cell = self.plan.matrix.cell(check);
        self.tell(Event::CellRepeated {
            persona: cell.persona,
            operation: cell.operation,
            door: cell.door,
            round: self.round.get(),
            status: seen.status,
            reading: seen.reading,
            second: seen.second,
            effect: seen.effect,
            gap: seen.gap,
            evidence: if counted == before {
                Vec::new()
            } else {
                seen.evidence
            },
        });
    }

    /// What a cell demands, and how its door refuses.
    pub(super) fn demanded<'c>(&self, check: &Check<'c>) -> Demanded<'c> {
        let shape = match check.door {
            Door::Rest => RefusalShape::Http,
            Door::Mcp | Door::McpLegacy => self.plan.scenario.deployment.mcp_refuses,
        };
        Demanded {
            expectation: check.demand.expectation,
            shape,
        }
    }

    /// Whether an answer is what its cell demands, controls and effects aside.
    pub(super) fn as_demanded(&self, check: &Check<'_>, reading: Reading, status: u16) -> bool {
        let Demanded { expectation, shape } = self.demanded(check);
        judge::as_demanded(expectation, reading.outcome, status, shape)
    }

    /// Keeps a 403 of an MCP door, one for each challenge: of several the one to the first request by name, so that the order
    /// of arrival decides nothing.
    pub(super) fn note_refusal(&self, door: Door, observation: &Observation) {
        let Answer::Http(http) = &observation.answer else {
            return;
        };
        if !door.speaks_mcp() || http.status != 403 {
            return;
        }
        let challenge = http.header("www-authenticate").unwrap_or_default();
        let mut refusals = self.refusals.borrow_mut();
        let known = &mut refusals[door.index()];
        match known.get_mut(challenge) {
            Some(first) if observation.request < first.request => *first = observation.clone(),
            Some(_) => {}
            None => {
                if known.len() < MOST_CHALLENGES {
                    known.insert(challenge.to_owned(), observation.clone());
                }
            }
        }
    }

    /// The 403 answers of a door, one for each challenge.
    pub(super) fn refusals_at(&self, door: Door) -> Vec<Observation> {
        self.refusals.borrow()[door.index()]
            .values()
            .cloned()
            .collect()
    }

    /// Ends the sessions that the run opened, all at once. What the server says to it is nobody's finding; a run whose time
    /// is up leaves them to the server's own patience.
    pub(super) async fn end_sessions(&self) {
        if self.stop.reason() == Some(Reason::Deadline) {
            return;
        }
        // The newest token: what an older one opened is known there too.
        let personas = 0..self.standings.len();
        let entrances = personas.filter_map(|persona| self.standing(persona).entrance.as_ref());
        let entrances = entrances.chain([&self.nobody]);
        let ended = join_all(entrances.map(Entrance::end_sessions));
        tokio::select! {
            _all = ended => {}
            () = self.stop.hurried() => {}
        }
    }

    /// Nothing more is changed once the run was stopped, except to clean up.
    pub(super) fn still_running(&self) -> Result<(), Gap> {
        if self.stop.is_stopped() {
            Err(Gap::NotReached)
        } else {
            Ok(())
        }
    }

    /// Why a persona's cells at a door cannot be called, when they cannot.
    pub(super) fn barred(&self, persona: usize, door: Door) -> Option<Gap> {
        if self.doors.closed.contains(&door) {
            return Some(Gap::DoorClosed);
        }
        if self.stop.is_stopped() || self.limit.is_reached() {
            return Some(Gap::NotReached);
        }
        self.standing(persona).gap
    }
}

fn dated(plan: &Plan, today: Day) -> Vec<Dated> {
    let waivers = plan.scenario.waivers.iter().cloned();
    waivers.map(|waiver| waiver.on(today)).collect()
}

impl fmt::Debug for Hall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hall")
            .field("plan", &self.plan.digest)
            .finish_non_exhaustive()
    }
}
