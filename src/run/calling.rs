//! One call in, its answer after retries out, read for what it means.

use std::time::Duration;

use super::hall::Hall;
use super::retry;
use crate::cell::Door;
use crate::door::{Answer, Answered, Ask, Observation, Rpc};
use crate::judge::{self, Outcome, Reading, Setting};
use crate::scenario::McpMethod;

/// All waits between attempts of a run together stay below this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calling<'c> {
    /// Index of the persona that makes it.
    pub(super) persona: usize,
    /// Where.
    pub(super) door: Door,
    /// What.
    pub(super) ask: &'c Ask,
    /// Whether it changes something when it gets through.
    pub(super) changes: bool,
    /// Whether it is made on a connection of its own.
    pub(super) afresh: bool,
    /// Whether it names what cannot exist.
    pub(super) decoy: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) answered: Answered,
    pub(super) reading: Reading,
    pub(super) retries: Vec<String>,
}

impl Called {
    /// The HTTP status, 0 when there was none.
    pub(super) fn status(&self) -> u16 {
        match &self.answered.observation.answer {
            Answer::Http(http) => http.status,
            Answer::None(_) => 0,
        }
    }

    /// Whether a call that did not get through may have been executed all the same: nobody said that it was not.
    pub(super) fn may_have_happened(&self) -> bool {
        match self.reading.outcome {
            Outcome::NoAnswer => match &self.answered.observation.answer {
                // A gateway that found nobody behind it has handed nothing on.
                Answer::Http(http) => !matches!(http.status, 502 | 503),
                Answer::None(silence) => silence.may_follow_execution(),
            },
            Outcome::Crashed => self.reading.signature.is_none(),
            Outcome::ToolError => true,
            // An empty page, or the way to what was made (303, RFC 9110 §15.4.4).
            Outcome::Intercepted => matches!(self.status(), 200..=299),
            Outcome::Rejected => matches!(self.status(), 300..=399),
            Outcome::Granted
            | Outcome::PastTheGuard
            | Outcome::Unauthenticated
            | Outcome::Forbidden
            | Outcome::RefusedInBand
            | Outcome::Hidden
            | Outcome::Redirected => false,
        }
    }
}

impl Hall<'_> {
    /// Makes the call; `None` when the run was stopped before it was answered, or the persona has no way in.
    pub(super) async fn call(&self, calling: Calling<'_>) -> Option<Called> {
        let mut retries = Vec::new();
        let mut attempt = 0;
        loop {
            let answered = self.send(calling).await?;
            let pause = retry::wait(&answered.observation.answer, attempt, calling.changes);
            match pause.filter(|pause| attempt < self.settings.retries && self.may_wait(*pause)) {
                Some(pause) => {
                    retries.push(format!(
                        "{}, waited {} ms",
                        spoken(&answered.observation.answer),
                        pause.as_millis()
                    ));
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                None => return Some(self.read(calling, answered, retries).await),
            }
        }
    }

    async fn send(&self, calling: Calling<'_>) -> Option<Answered> {
        let entrance = self.standings[calling.persona].entrance.as_ref()?;
        self.pace.turn().await;
        let answer = async {
            if calling.afresh {
                entrance.call_afresh(calling.door, calling.ask).await
            } else {
                entrance.call(calling.door, calling.ask).await
            }
        };
        let answered = tokio::select! {
            answered = answer => Some(answered),
            () = self.stop.hurried() => None,
        }?;
        let mut silent = self.silent.get();
        silent[calling.door.index()] = matches!(answered.observation.answer, Answer::None(_));
        self.silent.set(silent);
        Some(answered)
    }

    fn may_wait(&self, pause: Duration) -> bool {
        let waited = self.waited.get() + pause;
        let affordable = waited <= PATIENCE && !self.stop.is_stopped();
        if affordable {
            self.waited.set(waited);
        }
        affordable
    }

    async fn read(&self, calling: Calling<'_>, answered: Answered, retries: Vec<String>) -> Called {
        let (method, name) = match calling.ask {
            Ask::Mcp { method, name, .. } => (Some(*method), name.as_deref()),
            Ask::Rest { .. } => (None, None),
        };
        let calibration = match method {
            Some(method) if needs_calibration(&answered.observation) => {
                self.unknown(calling.persona, calling.door, method).await
            }
            Some(_) | None => None,
        };
        let setting = Setting {
            decoy: calling.decoy,
            method,
            name,
            unknown: calibration.map(|(name, observation)| (name.as_str(), observation)),
            denials: Some(&self.plan.scenario.deployment.mcp_denials),
        };
        let reading = judge::read(&answered.observation, &setting);
        if reading.outcome == Outcome::Granted {
            let mut alive = self.alive.get();
            alive[calling.door.index()] = true;
            self.alive.set(alive);
        }
        Called {
            answered,
            reading,
            retries,
        }
    }

    /// What the persona gets for what cannot exist; asked once a persona, door and method.
    async fn unknown(
        &self,
        persona: usize,
        door: Door,
        method: McpMethod,
    ) -> Option<&(String, Observation)> {
        let entrance = self.standings[persona].entrance.as_ref()?;
        let known = &self.unknown[persona][door.index()][method.naming()?];
        let asked = known.get_or_init(|| async {
            let (name, answered) = tokio::select! {
                asked = entrance.call_unknown(door, method) => asked,
                () = self.stop.hurried() => None,
            }?;
            Some((name, answered.observation))
        });
        asked.await.as_ref()
    }
}

/// Whether an MCP answer says no in a way in which it might be said of what does not exist, too.
fn needs_calibration(observation: &Observation) -> bool {
    let Answer::Http(http) = &observation.answer else {
        return false;
    };
    match &http.rpc {
        Some(Rpc::Error { .. }) => !matches!(http.status, 401 | 403),
        Some(Rpc::Result { is_error, .. }) => *is_error,
        Some(Rpc::Absent) | None => false,
    }
}

fn spoken(answer: &Answer) -> String {
    match answer {
        Answer::Http(http) => http.status.to_string(),
        Answer::None(silence) => silence.to_string(),
    }
}
