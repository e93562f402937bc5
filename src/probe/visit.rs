//! Everything that was asked of one door, and what came back.

use std::collections::BTreeMap;

use super::checked::{Place, State};
use super::trick::Trick;
use crate::cell::Door;
use crate::door::{Exchange, Irregular, Observation, Session};

/// Sessions that are opened to compare their ids.
pub const SESSIONS: usize = 5;

/// The revision from which on a foreign origin has a status of its own.
const ORIGIN_403: &str = "2025-11-25";
/// The revision that took batches back.
const NO_BATCHES: &str = "2025-06-18";

/// The harmless request that every irregular one is made of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Carrier {
    /// `tools/list`.
    #[default]
    List,
    /// What every server answers, where this one has no tools: `server/discover`, or `ping` in a session.
    Greeting,
}

impl Carrier {
    /// Its JSON-RPC method at a door.
    pub(super) const fn method(self, door: Door) -> &'static str {
        match (self, door) {
            (Self::List, _) => "tools/list",
            (Self::Greeting, Door::McpLegacy) => "ping",
            (Self::Greeting, Door::Rest | Door::Mcp) => "server/discover",
        }
    }
}

/// What came of one request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was sent.
    Came(Box<Exchange>),
    /// It was not, and what that makes of its requirement.
    Unsent(Place),
}

/// What was asked of one MCP door.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Which.
    pub door: Door,
    /// Whether any call of the matrix got through here.
    pub alive: bool,
    /// What every request is made of.
    pub carrier: Carrier,
    /// The answer to `server/discover`, or to the first `initialize`.
    pub opening: Answer,
    /// The carrier with a valid token: what every refusal is compared with.
    pub control: Answer,
    /// The sessions that were opened, in order; `None` for one that could not be.
    pub sessions: Vec<Option<Session>>,
    /// What came of each request.
    pub answers: BTreeMap<Trick, Answer>,
    /// The 403 answers that the matrix got here.
    pub refusals: Vec<Observation>,
}

impl Visit {
    /// A visit that has not asked anything yet, for the reason that this place gives.
    pub fn unasked(door: Door, alive: bool, refusals: Vec<Observation>, why: &Place) -> Self {
        Self {
            door,
            alive,
            carrier: Carrier::default(),
            opening: Answer::Unsent(why.clone()),
            control: Answer::Unsent(why.clone()),
            sessions: Vec::new(),
            answers: BTreeMap::new(),
            refusals,
        }
    }

    /// The carrier, regular in everything.
    pub fn carrier(&self) -> Irregular {
        self.request(self.carrier.method(self.door), self.session())
    }

    /// A request without parameters.
    pub(super) fn request(&self, method: &'static str, session: Option<&Session>) -> Irregular {
        let params = serde_json::json!({});
        match self.door {
            Door::McpLegacy => Irregular::legacy(method, &params, session),
            Door::Rest | Door::Mcp => Irregular::modern(method, params),
        }
    }

    /// The session that the caller's requests are made in.
    pub fn session(&self) -> Option<&Session> {
        self.sessions.first()?.as_ref()
    }

    /// The last session: one that can be ended.
    pub fn last_session(&self) -> Option<&Session> {
        self.sessions.iter().flatten().last()
    }

    /// Whether the server keeps sessions.
    pub(super) fn keeps_sessions(&self) -> bool {
        self.session().is_some_and(|session| session.id().is_some())
    }

    /// Whether the door declares to offer something, such as `resources`.
    pub(super) fn offers(&self, what: &str) -> bool {
        let Answer::Came(opening) = &self.opening else {
            return false;
        };
        let capabilities = opening
            .result
            .as_ref()
            .and_then(|result| result.get("capabilities"));
        capabilities.is_some_and(|capabilities| capabilities.get(what).is_some())
    }

    /// Whether its revision answers a foreign origin with 403 and nothing else.
    pub(super) fn has_origin_status(&self) -> bool {
        self.is_from(ORIGIN_403)
    }

    /// Whether its revision forbids batches.
    pub(super) fn forbids_batches(&self) -> bool {
        self.is_from(NO_BATCHES)
    }

    /// Revisions are dates; a door without a session to name one is taken for the newest.
    fn is_from(&self, revision: &str) -> bool {
        self.session()
            .is_none_or(|session| session.version() >= revision)
    }

    /// What came of a request; one that was never asked is unproven.
    pub(super) fn answer(&self, trick: Trick) -> Result<&Exchange, Place> {
        match self.answers.get(&trick) {
            Some(Answer::Came(exchange)) => Ok(exchange),
            Some(Answer::Unsent(place)) => Err(place.clone().at(self.door)),
            None => Err(Place::new(State::NotApplicable, "not asked here").at(self.door)),
        }
    }
}
