//! What a record holds of one cell, token, door or object.

use serde_json::Value;

use super::cells::Heard;
use crate::cell::Door;
use crate::plan::Check;
use crate::waiver::{self, Dated};

/// A check with what was heard of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'r> {
    /// Which cell, and what is demanded of it.
    pub check: Check<'r>,
    /// What was heard.
    pub heard: Heard<'r>,
}

/// What a persona's token said of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenFacts {
    /// Allow-listed claims.
    pub claims: Value,
    /// First 8 hex digits of the token's SHA-256.
    pub fingerprint: String,
    /// Milliseconds.
    pub took_ms: u64,
}

/// Whether a door answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DoorFacts {
    /// Which.
    pub door: Door,
    /// Whether it answers; `None` when nothing clear came back.
    pub answers: Option<bool>,
    /// What came back, in a few words.
    pub detail: String,
}

/// What somebody accepts for a while, and what became of that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WaiverFacts {
    /// What, who, why and until when.
    pub dated: Dated,
    /// What became of it; idle until it is weighed.
    pub fate: waiver::Fate,
}

/// An object of the run that is not known to be gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftBehind<'r> {
    /// Which fixture.
    pub fixture: &'r str,
    /// Its captured values, as one line.
    pub object: &'r str,
    /// What came back when it was to be removed.
    pub detail: &'r str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) complete: bool,
    pub(super) took_ms: u64,
}
