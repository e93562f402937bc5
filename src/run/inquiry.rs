//! The open MCP doors in, what each requirement of the authorization chapter comes to out.

use std::time::SystemTime;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::asking;
use super::calling::ONE_RENEWAL;
use super::doors;
use super::event::Event;
use super::hall::Hall;
use super::retry;
use crate::cell::Door;
use crate::door::{Ask, Entrance, Exchange, Irregular};
use crate::judge::Outcome;
use crate::probe::{
    self, Answer, Carrier, Checked, Hosts, Metadata, Party, Place, SESSIONS, Site, State, Trick,
    Tried, Visit, Voice,
};
use crate::requirement::Requirement;
use crate::scenario::McpMethod;
use crate::secret::Secret;
use crate::token::{Credential, forgery};
use crate::waiver::Waiver;

/// How often a valid token that gets 401 is shown again: where one of several gateways has not caught up, the 401 says
/// nothing about what was irregular.
const PATIENCE: u32 = 6;

/// A JSON-RPC error that says that the server has no such method (JSON-RPC 2.0 §5.1).
const NO_METHOD: i64 = -32601;

/// Enters every MCP door and asks what a caller without a token is to be refused, where nothing else is asked: other requests
/// need a control that was made just before them, and a session that nobody has ended meanwhile. A door where anything of it is
/// unclear is entered anew when it is known whether calls get through there.
pub(super) async fn approach(hall: &Hall<'_>) -> Vec<Visit> {
    if hall.plan.scenario.deployment.mcp.is_none() {
        return Vec::new();
    }
    let inquiry = Inquiry::of(hall).await;
    let others = |trick: &&Trick| !trick.is_always_made();
    let mut others = Trick::ALL.iter().filter(others);
    if others.any(|trick| inquiry.checks(trick.requirement())) {
        return Vec::new();
    }
    let Some(caller) = inquiry.caller else {
        return Vec::new();
    };
    let doors = inquiry.doors();
    let approached = doors
        .into_iter()
        .map(|door| inquiry.enter_and_ask(door, caller));
    join_all(approached).await
}

/// Asks everything else about the requirements, and tells and keeps what they come to. Calls without a token come first: a
/// hole that was seen is told at once.
pub(super) async fn inquire(hall: &Hall<'_>, mut begun: Vec<Visit>) {
    let Some(entry) = &hall.plan.scenario.deployment.mcp else {
        return;
    };
    let inquiry = Inquiry::of(hall).await;
    let mut site = Site {
        url: entry.url.clone(),
        visits: Vec::new(),
        metadata: Metadata::default(),
        lists: hall.lists.borrow().clone(),
    };
    for door in inquiry.doors() {
        let known = begun.iter().position(|visit| visit.door == door);
        let known = known.map(|at| begun.swap_remove(at));
        site.visits.push(match known {
            Some(visit) if is_clear(&visit) => inquiry.informed(visit),
            Some(visit) => inquiry.open_again(visit).await,
            None => inquiry.open(door).await,
        });
    }
    if site.visits.is_empty() {
        return;
    }
    // Where no persona may call, the deployment is not called at all.
    if !inquiry.may_call() {
        inquiry.tell(&site, Requirement::ALL);
        return;
    }
    inquiry.ask(&mut site, Trick::is_always_made).await;
    inquiry.tell(&site, &[Requirement::TokenDemanded]);
    let ends = |trick| trick == Trick::Deletes;
    inquiry
        .ask(&mut site, |trick| !trick.is_always_made() && !ends(trick))
        .await;
    inquiry.ask(&mut site, ends).await;
    site.metadata = inquiry.metadata(&site).await;
    inquiry.tell(&site, &Requirement::ALL[1..]);
}

struct Inquiry<'h, 'r> {
    hall: &'h Hall<'r>,
    /// The persona that is allowed most.
    caller: Option<usize>,
    /// Personas with a way in, those that are allowed most first.
    personas: Vec<usize>,
    /// The one that signs in for another audience.
    foreigner: Option<usize>,
    /// Whoever presents nothing of its own. It carries what the caller's client does: a gateway may ask for that first.
    nobody: Entrance,
}

impl<'h, 'r> Inquiry<'h, 'r> {
    /// Whoever's token ran out during the matrix has it renewed, once.
    async fn of(hall: &'h Hall<'r>) -> Self {
        let personas = doors::eager(&hall.plan, &hall.standings);
        for persona in &personas {
            // Why one cannot be renewed is told with its standing.
            let _told_elsewhere = hall.fit(*persona, ONE_RENEWAL).await;
        }
        let foreigner = probe::foreigner(&hall.plan);
        let mut callers = personas.iter().copied();
        let caller = callers.find(|persona| Some(*persona) != foreigner);
        let entrance = caller.and_then(|persona| hall.standing(persona).entrance.as_ref());
        Self {
            nobody: entrance
                .unwrap_or(&hall.nobody)
                .renewed(Credential::default())
                .over(&hall.nobody),
            personas,
            foreigner,
            caller,
            hall,
        }
    }

    fn entrance(&self, persona: usize) -> Option<&'h Entrance> {
        self.hall.standing(persona).entrance.as_ref()
    }

    fn may_call(&self) -> bool {
        let mut personas = 0..self.hall.standings.len();
        personas.any(|persona| self.entrance(persona).is_some())
    }

    /// Whether the caller's token ran out in the meantime, so that a 401 says nothing about the request.
    fn is_spent(&self) -> bool {
        let standing = self.caller.map(|caller| self.hall.standing(caller));
        standing.is_some_and(|standing| standing.may_have_run_out(SystemTime::now()))
    }

    fn doors(&self) -> Vec<Door> {
        let doors = self.hall.plan.matrix.doors.iter().copied();
        let open = |door: &Door| door.speaks_mcp() && !self.hall.doors.closed.contains(door);
        doors.filter(open).collect()
    }

    fn checks(&self, requirement: Requirement) -> bool {
        let terms = &self.hall.plan.scenario.deployment.requirements;
        terms.checks(requirement)
    }

    /// One session is enough where ids are not compared.
    fn sessions(&self) -> usize {
        if self.checks(Requirement::SessionUnguessable) {
            SESSIONS
        } else {
            1
        }
    }

    /// Enters a door as the caller, and meanwhile asks as nobody what can be asked of any door.
    async fn enter_and_ask(&self, door: Door, caller: usize) -> Visit {
        let unasked = Visit::unasked(door, false, Vec::new(), &Place::explained("not asked"));
        let mut visit = unasked.clone();
        let ((), answers) = tokio::join!(self.enter(&mut visit, caller), self.ask_unseen(&unasked));
        visit.answers.extend(answers);
        if visit.carrier != unasked.carrier {
            visit.answers.remove(&Trick::NobodyLists);
            let answers = self.ask_unseen(&visit).await;
            visit.answers.extend(answers);
        }
        visit
    }

    async fn ask_unseen(&self, visit: &Visit) -> Vec<(Trick, Answer)> {
        let visits = std::slice::from_ref(visit);
        let answers = self.answers(visits, Trick::is_made_unseen).await;
        let of_one = |(_, trick, answer)| (trick, answer);
        answers.into_iter().map(of_one).collect()
    }

    /// A visit that was begun beside the cells, with what those have shown.
    fn informed(&self, visit: Visit) -> Visit {
        Visit {
            alive: self.hall.alive.get()[visit.door.index()],
            refusals: self.hall.refusals_at(visit.door),
            ..visit
        }
    }

    /// Opens a door anew that was not clear; what let nobody in then did so, whatever it says now.
    async fn open_again(&self, begun: Visit) -> Visit {
        let mut answers = begun.answers;
        answers.retain(|_, answer| is_granted(answer));
        Visit {
            answers,
            ..self.open(begun.door).await
        }
    }

    /// Opens a door as the caller: what it offers, sessions, and the request that every other is made of.
    async fn open(&self, door: Door) -> Visit {
        let hall = self.hall;
        let alive = hall.alive.get()[door.index()];
        let refusals = hall.refusals_at(door);
        let silent = hall.silent.get()[door.index()] && !alive;
        let why = match self.caller {
            _ if hall.stop.is_stopped() => ended(),
            _ if silent => Place::explained("the door does not answer"),
            None => Voice::Caller.missing(),
            Some(_) => Place::explained("not asked"),
        };
        let mut visit = Visit::unasked(door, alive, refusals, &why);
        if let Some(caller) = self.caller
            && !silent
        {
            self.enter(&mut visit, caller).await;
        }
        visit
    }

    async fn enter(&self, visit: &mut Visit, caller: usize) {
        let Some(entrance) = self.entrance(caller) else {
            return;
        };
        if visit.door == Door::McpLegacy {
            for number in 0..self.sessions() {
                let opened = self
                    .send(visit, entrance, &Irregular::initialize(), true)
                    .await;
                if let Answer::Came(exchange) = &opened {
                    visit.sessions.push(exchange.session.clone());
                }
                if number == 0 {
                    visit.opening = opened;
                    // A door that opens no session at all is not asked for more of them.
                    let Some(session) = visit.session() else {
                        break;
                    };
                    let ready = Irregular::initialized(session);
                    drop(self.send(visit, entrance, &ready, false).await);
                }
            }
            visit.control = self.send(visit, entrance, &visit.carrier(), true).await;
        } else {
            let greeting = Irregular::modern("server/discover", serde_json::json!({}));
            let carrier = visit.carrier();
            (visit.opening, visit.control) = tokio::join!(
                self.send(visit, entrance, &greeting, true),
                self.send(visit, entrance, &carrier, true),
            );
        }
        if let Answer::Came(exchange) = &visit.control
            && exchange.error == Some(NO_METHOD)
        {
            visit.carrier = Carrier::Greeting;
            visit.control = self.send(visit, entrance, &visit.carrier(), true).await;
        }
    }

    /// Makes every request of that sort at every door, side by side. What needs a control that is not there is left out.
    async fn ask(&self, site: &mut Site, wanted: impl Fn(Trick) -> bool) {
        let answers = self.answers(&site.visits, wanted).await;
        for (place, trick, answer) in answers {
            site.visits[place].answers.insert(trick, answer);
        }
    }

    /// What comes of those that were not made yet, with the place of their visit.
    async fn answers(
        &self,
        visits: &[Visit],
        wanted: impl Fn(Trick) -> bool,
    ) -> Vec<(usize, Trick, Answer)> {
        let mut todo = Vec::new();
        for (place, visit) in visits.iter().enumerate() {
            let party = self.party(visit);
            let tricks = Trick::ALL.iter().copied().filter(|trick| {
                let asked = trick.is_always_made() || got_through(&visit.control);
                trick.is_at(visit.door)
                    && wanted(*trick)
                    && !visit.answers.contains_key(trick)
                    && asked
                    && self.checks(trick.requirement())
            });
            todo.extend(tricks.map(|trick| (place, trick, trick.made(visit, &party))));
        }
        let asked = stream::iter(todo).map(|(place, trick, made)| async move {
            let answer = match made {
                Ok(irregular) => self.make(&visits[place], trick, &irregular).await,
                Err(unsent) => Answer::Unsent(unsent),
            };
            (place, trick, answer)
        });
        let jobs = self.hall.settings.jobs.max(1);
        asked.buffer_unordered(jobs).collect().await
    }

    async fn make(&self, visit: &Visit, trick: Trick, irregular: &Irregular) -> Answer {
        let voice = trick.voice();
        let persona = match voice {
            Voice::Nobody => {
                return self.send(visit, &self.nobody, irregular, false).await;
            }
            Voice::Caller => self.caller,
            Voice::Other => self.other(visit.door),
            Voice::Foreigner => self.foreigner,
        };
        let entrance = persona.and_then(|persona| self.entrance(persona));
        match entrance {
            Some(entrance) => {
                self.send(visit, entrance, irregular, voice == Voice::Caller)
                    .await
            }
            None => Answer::Unsent(voice.missing()),
        }
    }

    /// Sends a request; one with a `valid` token is shown again where it gets 401.
    async fn send(
        &self,
        visit: &Visit,
        entrance: &Entrance,
        irregular: &Irregular,
        valid: bool,
    ) -> Answer {
        let hall = self.hall;
        if visit.door != Door::Rest && hall.silent.get()[visit.door.index()] && !visit.alive {
            return Answer::Unsent(Place::explained("the door does not answer"));
        }
        let (mut attempt, mut refused) = (0, 0);
        loop {
            hall.pace.turn().await;
            if hall.stop.is_stopped() {
                return Answer::Unsent(ended());
            }
            let exchange = {
                let _place = hall.place().await;
                tokio::select! {
                    exchange = entrance.exchange(irregular) => exchange,
                    () = hall.stop.hurried() => return Answer::Unsent(ended()),
                }
            };
            let pause = retry::wait(&exchange.observation.answer, attempt, false);
            let worth = |_: &_| visit.alive && attempt < hall.settings.retries;
            match pause.filter(worth) {
                Some(pause) if hall.may_wait(pause) => {
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                _ if valid && exchange.status() == Some(401) && self.is_spent() => {
                    return Answer::Unsent(Place::unproven("the token ran out"));
                }
                _ if valid
                    && visit.alive
                    && exchange.status() == Some(401)
                    && refused < PATIENCE =>
                {
                    refused += 1;
                }
                _ => return Answer::Came(Box::new(exchange)),
            }
        }
    }

    /// What the requests at a door need; every token in it is known to the redactor.
    fn party(&self, visit: &Visit) -> Party {
        let authorization = |persona: usize| {
            let entrance = self.entrance(persona);
            entrance.and_then(|entrance| entrance.authorization().cloned())
        };
        let token = self.caller.and_then(authorization);
        let forged = |forge: fn(&http::HeaderValue) -> Option<Secret>| {
            let forged = forge(token.as_ref()?)?;
            self.hall.redactor.learn(&forged);
            forgery::presented(&forged)
        };
        Party {
            edited: forged(forgery::edited),
            unsigned: forged(forgery::unsigned),
            expired: self
                .hall
                .plan
                .scenario
                .deployment
                .requirements
                .expired
                .as_ref()
                .and_then(forgery::presented),
            query: self
                .least(visit.door)
                .and_then(authorization)
                .and_then(|authorization| forgery::token(&authorization))
                .map(|token| self.query(&token)),
            read: self.read(visit.door),
        }
    }

    /// A token in a URL may end in logs of the deployment's, so it is the owner's word that lets it be sent.
    fn query(&self, token: &Secret) -> Result<Secret, Place> {
        let deployment = &self.hall.plan.scenario.deployment;
        if self.waived(Requirement::QueryIgnored).is_some() {
            return Err(Place::new(State::Waived, "not sent"));
        }
        // The day on which a waiver runs out is no word that a token may be sent.
        if self.hall.plan.scenario.waives(Requirement::QueryIgnored) {
            return Err(Place::explained("not sent: its waiver has run out"));
        }
        if !deployment.disposable || self.hall.plan.guard.holds() {
            let why = "a token in a URL may be logged; it is sent to disposable deployments only";
            return Err(Place::not_applicable(why));
        }
        Ok(Secret::new(format!("access_token={}", token.expose())))
    }

    /// A tool that the caller got through to and that changes nothing, with its arguments.
    fn read(&self, door: Door) -> Option<(String, Value)> {
        let hall = self.hall;
        let caller = self.caller?;
        let sights = hall.sights.borrow();
        let mut checks = hall.plan.matrix.checks().filter(|check| {
            let operation = &hall.plan.scenario.operations[check.operation];
            let reading = sights[check.index].reading;
            check.persona == caller
                && check.door == door
                && !operation.mutates
                && operation.uses.is_empty()
                && reading.is_some_and(|reading| reading.outcome == Outcome::Granted)
        });
        checks.find_map(|check| {
            let operation = &hall.plan.scenario.operations[check.operation];
            let bindings = hall.bindings("requirement");
            let deployment = &hall.plan.scenario.deployment;
            match asking::of_operation(deployment, operation, door, &bindings)? {
                Ok(Ask::Mcp {
                    method: McpMethod::CallTool,
                    name: Some(tool),
                    params,
                    ..
                }) => Some((tool, arguments(&params)?)),
                Ok(_) | Err(_) => None,
            }
        })
    }

    /// The persona after the caller that gets through at a door. Whoever signs in by several clients is one person.
    fn other(&self, door: Door) -> Option<usize> {
        let line = |persona: usize| self.hall.plan.scenario.personas[persona].line;
        let caller = line(self.caller?);
        let mut others = self.personas.iter().copied();
        others.find(|persona| line(*persona) != caller && self.gets_through(*persona, door))
    }

    /// The persona that is allowed least of those that get through at a door.
    fn least(&self, door: Door) -> Option<usize> {
        let mut fewest_first = self.personas.iter().rev().copied();
        fewest_first
            .find(|persona| self.gets_through(*persona, door))
            .or(self.caller)
    }

    fn gets_through(&self, persona: usize, door: Door) -> bool {
        let sights = self.hall.sights.borrow();
        let mut checks = self.hall.plan.matrix.checks();
        checks.any(|check| {
            let reading = sights[check.index].reading;
            check.persona == persona
                && check.door == door
                && reading.is_some_and(|reading| reading.outcome.got_through())
        })
    }

    async fn metadata(&self, site: &Site) -> Metadata {
        let mut metadata = Metadata::default();
        let dead = site.visits.iter().all(|visit| {
            let silent = self.hall.silent.get()[visit.door.index()];
            silent && !visit.alive
        });
        if dead || !self.checks(Requirement::MetadataServed) {
            return metadata;
        }
        let addresses = probe::addresses_of_resource(&site.url, &site.visits);
        metadata.resource = self.look(addresses).await;
        for issuer in metadata.issuers() {
            let tried = self.look(probe::addresses_of_issuer(&issuer)).await;
            metadata.servers.push((issuer, tried));
        }
        metadata
    }

    /// Looks for a document at one address after the other, until one gives it.
    async fn look(&self, addresses: Vec<String>) -> Vec<Tried> {
        let hosts = Hosts::of(&self.hall.plan.scenario);
        let mut tried: Vec<Tried> = Vec::new();
        for url in addresses {
            let came = if hosts.name(&url) {
                self.fetch(&url).await
            } else {
                None
            };
            tried.push(Tried { url, came });
            if tried.last().and_then(Tried::document).is_some() {
                break;
            }
        }
        tried
    }

    async fn fetch(&self, url: &str) -> Option<Exchange> {
        let hall = self.hall;
        hall.pace.turn().await;
        if hall.stop.is_stopped() {
            return None;
        }
        tokio::select! {
            exchange = self.nobody.fetch(url) => Some(exchange),
            () = hall.stop.hurried() => None,
        }
    }

    /// Why somebody accepts that a requirement is not kept; `None` where it is to be kept today.
    fn waived(&self, requirement: Requirement) -> Option<String> {
        let terms = &self.hall.plan.scenario.deployment.requirements;
        let always = terms.waiver(requirement).map(str::to_owned);
        let today = || self.hall.waivers().of_requirement(requirement);
        always.or_else(|| today().map(Waiver::words))
    }

    fn tell(&self, site: &Site, requirements: &[Requirement]) {
        for requirement in requirements {
            if !self.checks(*requirement) {
                continue;
            }
            let mut places = probe::check(*requirement, site);
            // What follows from something that is accepted is accepted with it.
            for place in &mut places {
                let blamed = place.blamed.and_then(|blamed| self.waived(blamed));
                if blamed.is_some() {
                    place.state = State::Waived;
                }
            }
            let checked = Checked {
                requirement: *requirement,
                places,
                waived: self.waived(*requirement),
            };
            self.hall.tell(Event::RequirementChecked(checked.clone()));
            self.hall.checked.borrow_mut().push(checked);
        }
    }
}

/// The arguments in the params of a tool's call.
fn arguments(params: &str) -> Option<Value> {
    let mut params: Value = serde_json::from_str(params).ok()?;
    Some(params["arguments"].take())
}

fn got_through(control: &Answer) -> bool {
    match control {
        Answer::Came(exchange) => {
            exchange.result.is_some() && matches!(exchange.status(), Some(200..=299))
        }
        Answer::Unsent(_) => false,
    }
}

/// Whether the caller was let in, and everybody was answered by someone who decides: no door that is known better could have
/// been asked more patiently.
fn is_clear(visit: &Visit) -> bool {
    let is_decided = |answer: &Answer| match answer {
        Answer::Came(exchange) => !matches!(exchange.status(), None | Some(429 | 500..)),
        Answer::Unsent(_) => false,
    };
    is_granted(&visit.opening)
        && got_through(&visit.control)
        && visit.answers.values().all(is_decided)
}

fn is_granted(answer: &Answer) -> bool {
    match answer {
        Answer::Came(exchange) => matches!(exchange.status(), Some(200..=299)),
        Answer::Unsent(_) => false,
    }
}

fn ended() -> Place {
    Place::explained("the run ended before its turn")
}
