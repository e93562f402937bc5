//! A scenario's path and the values that were given in, a scenario or what is wrong with it out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Context;
use super::args::Values;
use super::variables;
use crate::exit::Exit;
use crate::plan::Only;
use crate::scenario::{Missing, Scenario, Sources};

/// Reads a scenario file for the environment that the values name; its secrets are taught to the redactor before anything
/// else happens.
///
/// # Errors
/// [`Exit::Usage`], after the complaints were said.
pub(super) fn load(
    path: &Path,
    values: &Values,
    missing: Missing,
    context: &Context,
) -> Result<Arc<Scenario>, Exit> {
    let (scenario, _) = load_with_variables(path, values, missing, context)?;
    Ok(scenario)
}

/// The same, and the variables that it was read with.
///
/// # Errors
/// [`Exit::Usage`], after the complaints were said.
pub(super) fn load_with_variables(
    path: &Path,
    values: &Values,
    missing: Missing,
    context: &Context,
) -> Result<(Arc<Scenario>, BTreeMap<String, String>), Exit> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        context.terminal.say(format!(
            "error: cannot read scenario {shown}: {}",
            reason(&error)
        ));
        Exit::Usage
    })?;
    let variables = variables::of(&shown, &text, values, missing, context)?;
    let scenario = read(&shown, &text, variables.clone(), missing, context)?;
    let scenario = Scenario {
        environment: values.environment.clone(),
        ..Arc::unwrap_or_clone(scenario)
    };
    Ok((Arc::new(scenario), variables))
}

/// Checks that each choice of cells names what one of the scenarios has.
///
/// # Errors
/// [`Exit::Usage`], after the first name that none has was said.
pub(super) fn known(
    only: &[Only],
    scenarios: &[Arc<Scenario>],
    context: &Context,
) -> Result<(), Exit> {
    for one in only {
        let unknown: Option<Vec<String>> = scenarios
            .iter()
            .map(|scenario| {
                let unknown = one.unknown_in(scenario)?;
                Some(format!("{}: --only: {unknown}", scenario.path))
            })
            .collect();
        if let Some(first) = unknown.and_then(|unknown| unknown.into_iter().next()) {
            context.terminal.say(format!("error: {first}"));
            return Err(Exit::Usage);
        }
    }
    Ok(())
}

/// Reads a scenario's text.
///
/// # Errors
/// [`Exit::Usage`], after the complaints were said.
pub(super) fn read(
    path: &str,
    text: &str,
    variables: BTreeMap<String, String>,
    missing: Missing,
    context: &Context,
) -> Result<Arc<Scenario>, Exit> {
    let sources = Sources {
        variables,
        missing,
        today: context.environment.today,
        read_file: |path| std::fs::read_to_string(path),
    };
    let scenario = Scenario::read(path, text, &sources).map_err(|complaints| {
        context.terminal.say(complaints);
        Exit::Usage
    })?;
    for secret in &scenario.secrets {
        context.redactor.learn(secret);
    }
    Ok(Arc::new(scenario))
}

/// Why a file cannot be read or written, in words of our own.
pub(super) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        kind => kind.to_string(),
    }
}
