//! What was typed and the environment in, the selection out, or the words that keep production from being changed.

use super::Context;
use super::args;
use crate::exit::Exit;
use crate::plan::{Guard, Guarded, Selection};
use crate::scenario::Scenario;
use crate::scenario::production::{HostPattern, NoHostPattern};

/// Names hosts of production for every scenario of whoever sets it.
const PRODUCTION: &str = "ROLECALL_PRODUCTION";

/// The selection that a command's flags and the environment ask for.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn selection(typed: &args::Selection, context: &Context) -> Result<Selection, Exit> {
    Ok(Selection {
        production: production(context)?,
        meant: typed.meant.hosts.clone(),
        ..typed.read()
    })
}

/// The hosts of production that the environment names.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn production(context: &Context) -> Result<Vec<HostPattern>, Exit> {
    let stated = context.environment.variable(PRODUCTION).unwrap_or_default();
    let patterns = stated.split(',').map(str::trim);
    patterns
        .filter(|pattern| !pattern.is_empty())
        .map(|pattern| {
            HostPattern::parse(pattern).map_err(|NoHostPattern| {
                context.terminal.say(format!(
                    "error: {PRODUCTION}: `{pattern}` is no host pattern; write names such as api.example.com,*.example.org"
                ));
                Exit::Usage
            })
        })
        .collect()
}

/// Refuses a run that would change production which the user did not name.
///
/// # Errors
/// [`Exit::Usage`], after the hosts, their places and the remedy were said.
pub(super) fn admit(
    scenario: &Scenario,
    selection: &Selection,
    context: &Context,
) -> Result<(), Exit> {
    let guard = Guard::of(scenario, selection);
    let refusals: Vec<String> = guard
        .forbids()
        .map(|guarded| {
            refusal(
                scenario,
                guarded,
                "this run",
                "run it with --read-only, or ",
            )
        })
        .collect();
    refuse(&refusals, context)
}

/// Refuses a clean-up at production which the user did not name: it removes objects there.
///
/// # Errors
/// As [`admit`].
pub(super) fn admit_removal(
    scenario: &Scenario,
    selection: &Selection,
    context: &Context,
) -> Result<(), Exit> {
    let guard = Guard::of(scenario, selection);
    let unmeant = guard.hosts.iter().filter(|guarded| !guarded.meant);
    let refusals: Vec<String> = unmeant
        .map(|guarded| refusal(scenario, guarded, "this clean-up", ""))
        .collect();
    refuse(&refusals, context)
}

fn refuse(refusals: &[String], context: &Context) -> Result<(), Exit> {
    if refusals.is_empty() {
        return Ok(());
    }
    context.terminal.say(refusals.join("\n\n"));
    Err(Exit::Usage)
}

fn refusal(scenario: &Scenario, guarded: &Guarded, what: &str, instead: &str) -> String {
    let Guarded { host, line, .. } = guarded;
    let path = &scenario.path;
    format!(
        "error: {host} is production, and {what} would change things there; nothing was sent\n --> {path}:{line}\n  = {host} matches {}\n  = help: {instead}name the host exactly: --i-mean {host}",
        origin(guarded)
    )
}

/// Which pattern says that a host is production, and where it stands.
pub(super) fn origin(guarded: &Guarded) -> String {
    let pattern = &guarded.pattern;
    match pattern.line {
        Some(line) => format!("`{pattern}` of `production`, line {line}"),
        None => format!("`{pattern}` of {PRODUCTION}"),
    }
}
