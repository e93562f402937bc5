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

#[cfg(test)]
mod tests {
    use super::Conduct::{self, Decoy, Live, Plain, Withheld};
    use crate::plan::Selection;
    use crate::plan::tests::plan;

    const READ: &str = "rest: GET /things";
    const READ_ONE: &str = "uses: thing, rest: \"GET /things/{{ thing.id }}\"";
    const CHANGE: &str = "uses: thing, rest: \"PUT /things/{{ thing.id }}\"";
    const CREATE: &str = "creates: thing, rest: \"POST /things/{{ tag }}\"";

    fn conduct(operation: &str, decoy: bool, disposable: bool, read_only: bool) -> Conduct {
        let decoy = if decoy { ", decoy: { id: none }" } else { "" };
        let text = format!(
            "rolecall: 1\n\
             name: Things\n\
             deployment: {{ rest: \"http://127.0.0.1\", disposable: {disposable} }}\n\
             identity: {{ endpoints: {{ token: \"http://127.0.0.1/token\" }} }}\n\
             personas:\n  admin: {{ sign_in: {{ client_credentials: {{ client_id: a, client_secret: {{ env: A }} }} }} }}\n\
             fixtures:\n  thing: {{ as: admin, create: {{ rest: \"POST /things/{{{{ tag }}}}\", capture: {{ id: /id }} }}, \
             remove: {{ rest: \"DELETE /things/{{{{ thing.id }}}}\" }}{decoy} }}\n\
             operations:\n  it: {{ allow: [admin], {operation} }}\n"
        );
        let selection = Selection {
            read_only,
            ..Selection::default()
        };
        let plan = plan(&text, &[], selection);
        plan.groups[0].conduct
    }

    #[test]
    fn nothing_foreign_is_touched_and_a_read_only_run_changes_nothing() {
        // With a decoy and without one: on a disposable deployment, read-only there, elsewhere, read-only elsewhere.
        let table = [
            (READ, [Plain; 4], [Plain; 4]),
            (
                READ_ONE,
                [Plain, Decoy, Decoy, Decoy],
                [Plain, Withheld, Withheld, Withheld],
            ),
            (
                CHANGE,
                [Live, Withheld, Decoy, Withheld],
                [Live, Withheld, Withheld, Withheld],
            ),
            (
                CREATE,
                [Live, Withheld, Withheld, Withheld],
                [Live, Withheld, Withheld, Withheld],
            ),
        ];
        let settings = [(true, false), (true, true), (false, false), (false, true)];
        for (operation, with_decoy, without) in table {
            for (decoy, expected) in [(true, with_decoy), (false, without)] {
                let got = settings.map(|(disposable, read_only)| {
                    conduct(operation, decoy, disposable, read_only)
                });
                assert_eq!(got, expected, "{operation}, decoy: {decoy}");
            }
        }
    }
}
