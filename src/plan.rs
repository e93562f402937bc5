//! Scenario and selection in, the ordered list of checks out; pure, sends nothing.

pub mod matrix;

pub use matrix::{Check, Matrix};
