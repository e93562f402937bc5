//! The map of rolecall: modules in the order in which data flows; each imports only from those above it.
//!
//! A scenario (text) becomes a [`plan`], the plan's calls go through [`wire`] and a [`door`] with a
//! [`token`], what comes back is [`judge`]d, and every [`report`] is a rendering of the run's record.
//! `tests/it/corridor.rs` reads this list and fails on an import that runs upward.

pub mod json;
pub mod cell;
pub mod secret;
pub mod tree;
pub mod page;
pub mod requirement;
pub mod layer;
pub mod code;
pub mod day;
pub mod waiver;
pub mod scenario;
pub mod openapi;
pub mod plan;
pub mod wire;
pub mod token;
pub mod door;
pub mod judge;
pub mod probe;
pub mod run;
pub mod report;
pub mod merge;
pub mod exit;
pub mod cli;
#[cfg(feature = "reference")]
pub mod reference;
