//! What happens in a run, as its record tells it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::beginning::Beginning;
use super::settling::Settled;
use crate::cell::{Door, OperationName, PersonaName};
use crate::door::Observation;
use crate::judge::{
    Attempt, Effect, Excluded, Finding, Gap, Listed, Reading, Repeats, Share, Verdict,
};
use crate::probe::Checked;
use crate::waiver::{Dated, Fate};

/// The schema that every line names; additive within its number.
pub const SCHEMA: &str = "rolecall.event/1";

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The run began.
    #[serde(rename = "run.started", skip_serializing)]
    RunStarted(Box<Beginning>),
    /// Somebody accepts a finding for a while.
    #[serde(rename = "waiver.stated")]
    WaiverStated(Dated),
    /// Whether a door answers.
    #[serde(rename = "door.found")]
    DoorFound {
        /// Which.
        door: Door,
        /// Whether it answers; `None` when nothing clear came back, and its cells are called all the same.
        answers: Option<bool>,
        /// What came back, in a few words.
        detail: String,
    },
    /// A persona signed in.
    #[serde(rename = "token.acquired")]
    TokenAcquired {
        /// Who.
        persona: PersonaName,
        /// Allow-listed claims.
        claims: serde_json::Value,
        /// First 8 hex digits of the token's SHA-256.
        fingerprint: String,
        /// Milliseconds.
        took_ms: u64,
    },
    /// A persona's token ran out, and another took its place.
    #[serde(rename = "token.renewed")]
    TokenRenewed {
        /// Who.
        persona: PersonaName,
        /// Allow-listed claims of the new token.
        claims: serde_json::Value,
        /// First 8 hex digits of the new token's SHA-256.
        fingerprint: String,
        /// Milliseconds.
        took_ms: u64,
    },
    /// A call that makes an object is about to be sent; whatever becomes of it is told under the same tag.
    #[serde(rename = "fixture.making")]
    FixtureMaking {
        /// Which fixture.
        fixture: String,
        /// What the call is tagged with.
        tag: String,
        /// What the object will show.
        mark: String,
    },
    /// A call that was to make an object made none.
    #[serde(rename = "fixture.unmade")]
    FixtureUnmade {
        /// Which fixture.
        fixture: String,
        /// What the call was tagged with.
        tag: String,
    },
    /// An object of the run was made.
    #[serde(rename = "fixture.made")]
    FixtureMade {
        /// Which fixture.
        fixture: String,
        /// Its captured values, as one line.
        object: String,
        /// What its call was tagged with.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        tag: String,
        /// Its captured values by name, for whoever removes it later.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        values: Vec<(String, serde_json::Value)>,
        /// Whether reading it showed it.
        #[serde(default)]
        seen: bool,
    },
    /// A cell was called.
    #[serde(rename = "cell.observed", skip_serializing)]
    CellObserved(Observed),
    /// Before the run the deployment was looked at, to see whether it answers as demanded yet.
    #[serde(rename = "deployment.looked-at")]
    Looked {
        /// Cells that were asked.
        asked: usize,
        /// What is not as demanded yet, in words.
        astray: Vec<String>,
    },
    /// The looks before the run ended.
    #[serde(rename = "deployment.settled")]
    Settled(Settled),
    /// A further round of calls began.
    #[serde(rename = "round.started")]
    RoundStarted {
        /// Which, from 2.
        round: u32,
    },
    /// In a further round a cell gave what was not demanded, or something else than before.
    #[serde(rename = "cell.repeated")]
    CellRepeated {
        /// Who.
        persona: PersonaName,
        /// What.
        operation: OperationName,
        /// Where.
        door: Door,
        /// Which round, from 2.
        round: u32,
        /// HTTP status, 0 when there was none.
        status: u16,
        /// What the answer means; absent when there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading: Option<Reading>,
        /// What the same call on another connection gave, where it was asked again and differed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<Reading>,
        /// What reading back showed.
        #[serde(default)]
        effect: Effect,
        /// Why there is nothing to judge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
        /// What came back, kept where it is the first of its kind.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Observation>,
    },
    /// The time was up by which a write's effect had to be seen.
    #[serde(rename = "cell.settled")]
    CellSettled {
        /// Who.
        persona: PersonaName,
        /// What.
        operation: OperationName,
        /// Where.
        door: Door,
        /// What reading back showed in the end.
        effect: Effect,
        /// Why there is nothing to judge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap: Option<Gap>,
        /// What came back, kept where the effect is not what was demanded.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<Observation>,
    },
    /// A cell was judged.
    #[serde(rename = "cell.finished")]
    CellFinished {
        /// Who.
        persona: PersonaName,
        /// What.
        operation: OperationName,
        /// Where.
        door: Door,
        /// The word.
        #[serde(flatten)]
        verdict: Verdict,
        /// How its answers compare, where one of several rounds was not as demanded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats: Option<Repeats>,
    },
    /// Cells were judged, and passed; every other has a line of its own.
    #[serde(rename = "cells.passed")]
    CellsPassed {
        /// Matrix indices, ascending: from one up to, and without, another.
        cells: Vec<Range<usize>>,
    },
    /// A persona was shown the tools of a door.
    #[serde(rename = "tools.listed")]
    ToolsListed(Listed),
    /// A tool that no operation names was called, where that does no harm.
    #[serde(rename = "tool.tried")]
    ToolTried(Attempt),
    /// Operations are on routes of the deployment's document; told where nobody may call some operation.
    #[serde(rename = "routes.known")]
    RoutesKnown {
        /// Their indices.
        operations: Vec<usize>,
    },
    /// The operations were compared with what the deployment says of itself.
    #[serde(rename = "coverage.compared")]
    CoverageCompared(Covered),
    /// A requirement of the MCP authorization chapter was checked.
    #[serde(rename = "requirement.checked")]
    RequirementChecked(Checked),
    /// A finding was made.
    #[serde(rename = "finding")]
    FindingMade(Finding),
    /// What a waiver covered was counted up.
    #[serde(rename = "waiver.weighed")]
    WaiverWeighed {
        /// Its place among those of the run, from 0.
        waiver: u16,
        /// What became of it.
        fate: Fate,
    },
    /// What an ended run left is now removed; what is told from here on is not of the run itself.
    #[serde(rename = "cleanup.started")]
    CleanupStarted {
        /// Version of rolecall.
        tool: String,
    },
    /// An object of the run was removed, by its owner or by a call that was allowed to, or could not be.
    #[serde(rename = "cleanup")]
    Cleanup {
        /// Which fixture.
        fixture: String,
        /// Its captured values, as one line.
        object: String,
        /// Whether it is gone.
        removed: bool,
        /// What came back when it is not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// The run ended; a record without this line is incomplete.
    #[serde(rename = "run.finished")]
    RunFinished {
        /// Whether every cell had its turn.
        complete: bool,
        /// How many failing cells were enough to end it, where that many were found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enough: Option<usize>,
        /// Milliseconds from the first line.
        took_ms: u64,
    },
}

/// A cell that was called. There are more of these than of anything else, so [`Written`](super::line::Written) puts its line
/// together itself.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Observed {
    /// Who.
    pub persona: PersonaName,
    /// What.
    pub operation: OperationName,
    /// Where.
    pub door: Door,
    /// HTTP status, 0 when there was none.
    pub status: u16,
    /// What the answer means; absent when there was none.
    #[serde(default)]
    pub reading: Option<Reading>,
    /// What the same call on a fresh connection gave, where it was asked again and differed.
    #[serde(default)]
    pub second: Option<Reading>,
    /// What reading back showed.
    #[serde(default)]
    pub effect: Effect,
    /// Why there is nothing to judge.
    #[serde(default)]
    pub gap: Option<Gap>,
    /// Attempts before the one that counts: each with its wait and reason, in words.
    #[serde(default)]
    pub retries: Vec<String>,
    /// Milliseconds of the attempt that counts.
    pub took_ms: u64,
    /// What came back, kept where it is not what was demanded.
    #[serde(default)]
    pub evidence: Vec<Observation>,
}

/// How much of the deployment the operations name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Covered {
    /// The OpenAPI document, as people know it; absent where none was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Of its routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Share>,
    /// Of the tools that somebody is shown; absent where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Share>,
    /// What the owner leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Excluded>,
}

impl Event {
    /// What is told of a first token, as it is told of one that takes its place; `None` for any other event.
    pub(super) fn renewed(self) -> Option<Self> {
        let Self::TokenAcquired {
            persona,
            claims,
            fingerprint,
            took_ms,
        } = self
        else {
            return None;
        };
        Some(Self::TokenRenewed {
            persona,
            claims,
            fingerprint,
            took_ms,
        })
    }
}
