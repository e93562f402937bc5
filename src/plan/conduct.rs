//! Operation and deployment in, how its calls may be made out: the rule that nothing foreign is touched.

use serde::Serialize;

use crate::scenario::{Operation, Scenario};

/// How the calls of an operation may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conduct {
    /// It changes nothing: called as written, on a shared object of the run's own where it names one.
    Plain,
    /// It changes something: called on objects that this run made, which are read back and removed.
    Live,
    /// Called with values that name no object: 401/403 proves the refusal, the backend's 404/422 the passage.
    Decoy,
    /// Not called.
    Withheld,
}

/// The conduct of an operation. Only a disposable deployment gets objects made, and none when the run is read-only.
pub(super) fn of(scenario: &Scenario, operation: &Operation, read_only: bool) -> Conduct {
    let needs_objects = operation.creates.is_some() || !operation.uses.is_empty();
    if operation.mutates && read_only {
        Conduct::Withheld
    } else if !needs_objects && !operation.mutates {
        Conduct::Plain
    } else if scenario.deployment.disposable && !read_only {
        if operation.mutates {
            Conduct::Live
        } else {
            Conduct::Plain
        }
    } else if operation.creates.is_none() && has_decoys(scenario, operation) {
        Conduct::Decoy
    } else {
        Conduct::Withheld
    }
}

fn has_decoys(scenario: &Scenario, operation: &Operation) -> bool {
    operation
        .uses
        .iter()
        .all(|fixture| scenario.fixtures[*fixture].decoy.is_some())
}
