//! An MCP URL and a persona's entrance in, the eras that it answers out.

use super::Entrance;
use crate::cell::Door;

/// Whether a door answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Which.
    pub door: Door,
    /// Whether it answers; `None` when nothing clear came back.
    pub answers: Option<bool>,
    /// What came back, in a few words; redacted.
    pub detail: String,
}

/// Asks the MCP URL for both eras, independently; the legacy handshake is the persona's own and is kept.
pub async fn discover(_entrance: &Entrance) -> Vec<Found> {
    Vec::new()
}
