//! Observations in, outcomes, verdicts and findings out. Pure: no clock, no network, no async.

pub mod code;
pub mod finding;
pub mod outcome;
pub mod roll;
pub mod signature;
pub mod verdict;

pub use code::{Class, Code};
pub use finding::Finding;
pub use outcome::{Outcome, Reading, Setting, read};
pub use roll::{Effect, Gap, Roll, Sight};
pub use signature::Signature;
pub use verdict::{Verdict, VerdictKind};
