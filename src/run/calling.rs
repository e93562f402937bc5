//! One call in, its answer after retries out, read for what it means.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use super::hall::Hall;
use super::retry;
use super::standing::Standing;
use crate::cell::Door;
use crate::door::{Answer, Answered, Ask, Observation, Rpc};
use crate::judge::{self, Gap, Outcome, Reading, Setting};
use crate::scenario::McpMethod;

/// All waits between attempts of a run together stay below this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call to be made.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions about a call, each answered on its own"
)]
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
    /// How many renewals of its persona's token it is worth.
    pub(super) renewals: usize,
    /// Whether it shows that calls get through at its door when it does: a list that is given proves nothing of the cells.
    pub(super) shows: bool,
}

/// A call whose answer may be that of a token that is refused: whoever renewed the token would change the question.
pub(super) const NO_RENEWAL: usize = 0;
/// Any other call of the matrix.
pub(super) const ONE_RENEWAL: usize = 1;

/// What came of it.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) answered: Answered,
    pub(super) reading: Reading,
    pub(super) retries: Vec<String>,
    /// Why the answer says nothing; it is a 401 to a token that had run out.
    pub(super) gap: Option<Gap>,
    /// Whether the call named what cannot exist.
    pub(super) decoy: bool,
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
            // What the scenario declares to mean something else may still have been executed.
            _ if self.reading.fingerprint.is_some() => !matches!(self.status(), 400..=499),
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
    /// Makes the call. Where the persona's token has run out, it is renewed first; where that shows only in the answer, the
    /// call is made once more with another token, and the second answer counts.
    ///
    /// # Errors
    /// Why the call was not made; [`Gap::NotReached`] also where the run was stopped before it was answered.
    pub(super) async fn call(&self, calling: Calling<'_>) -> Result<Called, Gap> {
        // A token may run out while its call waits for its turn.
        self.pace.turn().await;
        let standing = self.fit(calling.persona, calling.renewals).await?;
        let first = self.attempts(standing, calling, Vec::new()).await?;
        if first.gap.is_none() || !is_repeatable(calling, &first) {
            return Ok(first);
        }
        let renewal = self.renew(calling.persona, standing, calling.renewals);
        match Box::pin(renewal).await {
            Ok(renewed) => {
                let mut retries = first.retries;
                retries.push("401 to a token that had run out, which was renewed".to_owned());
                self.pace.turn().await;
                Box::pin(self.attempts(renewed, calling, retries)).await
            }
            Err(gap) => Ok(Called {
                gap: Some(gap),
                ..first
            }),
        }
    }

    /// The call with one token, as often as its answers ask for it.
    async fn attempts(
        &self,
        standing: &Standing,
        calling: Calling<'_>,
        mut retries: Vec<String>,
    ) -> Result<Called, Gap> {
        let mut attempt = 0;
        loop {
            let answered = self.send(standing, calling).await?;
            let pause = retry::wait(&answered.observation.answer, attempt, calling.changes)
                .filter(|pause| attempt < self.settings.retries && self.may_wait(*pause));
            let Some(pause) = pause else {
                let late = answered.observation.status() == Some(401)
                    && standing.may_have_run_out(SystemTime::now());
                let unknown = self.calibration(calling, &answered.observation).await;
                return Ok(self.heard(calling, answered, unknown, retries, late));
            };
            retries.push(format!(
                "{}, waited {} ms",
                spoken(&answered.observation.answer),
                pause.as_millis()
            ));
            tokio::time::sleep(pause).await;
            self.pace.turn().await;
            attempt += 1;
        }
    }

    async fn send(&self, standing: &Standing, calling: Calling<'_>) -> Result<Answered, Gap> {
        let entrance = standing.entrance.as_ref().ok_or(Gap::PersonaStopped)?;
        let _place = self.place().await;
        // Pinned where it stands: whoever waits for it would move it otherwise.
        let answer = pin!(async {
            if calling.afresh {
                Box::pin(entrance.call_afresh(calling.door, calling.ask)).await
            } else {
                entrance.call(calling.door, calling.ask).await
            }
        });
        let answered = self.bell.heard_by(answer).await.ok_or(Gap::NotReached)?;
        let mut silent = self.silent.get();
        silent[calling.door.index()] = matches!(answered.observation.answer, Answer::None(_));
        self.silent.set(silent);
        Ok(answered)
    }

    pub(super) fn may_wait(&self, pause: Duration) -> bool {
        let waited = self.waited.get() + pause;
        let affordable = waited <= PATIENCE && !self.stop.is_stopped();
        if affordable {
            self.waited.set(waited);
        }
        affordable
    }

    /// What an answer is compared with that says no to what was named.
    async fn calibration(
        &self,
        calling: Calling<'_>,
        observation: &Observation,
    ) -> Option<&(String, Observation)> {
        match calling.ask {
            Ask::Mcp { method, .. } if needs_calibration(observation) => {
                Box::pin(self.unknown(calling, *method)).await
            }
            Ask::Mcp { .. } | Ask::Rest { .. } => None,
        }
    }

    /// What an answer to a token means; a 401 says nothing where it came too late, because the token had run out by then.
    fn heard(
        &self,
        calling: Calling<'_>,
        answered: Answered,
        unknown: Option<&(String, Observation)>,
        retries: Vec<String>,
        late: bool,
    ) -> Called {
        let observation = &answered.observation;
        let reading = self.read(calling, observation, unknown);
        if reading.outcome == Outcome::Granted && calling.shows {
            let mut alive = self.alive.get();
            alive[calling.door.index()] = true;
            self.alive.set(alive);
        }
        if reading.outcome == Outcome::Forbidden {
            self.note_refusal(calling.door, observation);
        }
        Called {
            gap: late.then_some(Gap::TokenRanOut),
            answered,
            reading,
            retries,
            decoy: calling.decoy,
        }
    }

    fn read(
        &self,
        calling: Calling<'_>,
        observation: &Observation,
        unknown: Option<&(String, Observation)>,
    ) -> Reading {
        let (method, name) = match calling.ask {
            Ask::Mcp { method, name, .. } => (Some(*method), name.as_deref()),
            Ask::Rest { .. } => (None, None),
        };
        let deployment = &self.plan.scenario.deployment;
        let setting = Setting {
            decoy: calling.decoy,
            method,
            name,
            unknown: unknown.map(|(name, observation)| (name.as_str(), observation)),
            denials: Some(&deployment.mcp_denials),
            known: Some((calling.door, &deployment.fingerprints)),
        };
        judge::read(observation, &setting)
    }

    /// What the persona gets for what cannot exist; asked once a persona, door and method.
    async fn unknown(
        &self,
        calling: Calling<'_>,
        method: McpMethod,
    ) -> Option<&(String, Observation)> {
        let Calling { persona, door, .. } = calling;
        let standing = self.fit(persona, calling.renewals).await.ok()?;
        let entrance = standing.entrance.as_ref()?;
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

/// A 401 says that its call was not executed (RFC 9110 §15.5.2). Of a call that changes something that is believed of the guard
/// alone: see [`retry::wait`].
fn is_repeatable(calling: Calling<'_>, called: &Called) -> bool {
    !calling.changes || called.reading.outcome == Outcome::Unauthenticated
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
