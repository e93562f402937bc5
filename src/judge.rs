//! Observations in, outcomes, verdicts and findings out. Pure: no clock, no network, no async.
#![warn(clippy::wildcard_enum_match_arm)]

mod control;
mod coverage;
mod declared;
mod denial;
mod docket;
mod existence;
#[cfg(test)]
mod exhibit;
mod finding;
mod hint;
mod intermittent;
mod layer;
mod law;
mod lists;
mod mark;
mod outcome;
mod pairing;
mod parity;
mod reason;
mod repeats;
mod roll;
mod sightings;
mod roster;
mod signature;
mod uniform;
mod verdict;
mod waived;

pub use crate::code::{Class, Code, UnknownCode};
pub use crate::layer::Layer;
pub use coverage::{Coverage, Excluded, Inventory, Known, Share, unread};
pub use existence::{needs_showing, shown};
pub use finding::Finding;
pub use hint::Hint;
pub use law::as_demanded;
pub use lists::{Attempt, Listed, Lists, harmless};
pub use mark::Mark;
pub use outcome::{Outcome, Reading, Setting, read};
pub use pairing::Pair;
pub use repeats::{Demanded, Repeats};
pub use roll::{Conclusion, Effect, Gap, Roll, Sight};
pub use sightings::{Sightings, Sights};
pub use signature::Signature;
pub use uniform::Uniform;
pub use verdict::{Verdict, VerdictKind};
pub use waived::Waivers;
