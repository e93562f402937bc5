//! A scenario's path and the values that were given in, a scenario or what is wrong with it out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Context;
use super::args::Values;
use crate::exit::Exit;
use crate::plan::Only;
use crate::scenario::{Missing, Scenario, Sources};

/// Reads a scenario file; its secrets are taught to the redactor before anything else happens.
///
/// # Errors
/// [`Exit::Usage`], after the complaints were said.
pub(super) fn load(
    path: &Path,
    values: &Values,
    missing: Missing,
    context: &Context,
) -> Result<Arc<Scenario>, Exit> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        context.terminal.say(format!(
            "error: cannot read scenario {shown}: {}",
            reason(&error)
        ));
        Exit::Usage
    })?;
    let variables = variables(values, context)?;
    read(&shown, &text, variables, missing, context)
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

/// The environment, then the file, then the flags; later ones win.
fn variables(values: &Values, context: &Context) -> Result<BTreeMap<String, String>, Exit> {
    let mut variables = context.environment.variables();
    if let Some(path) = &values.env_file {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            context.terminal.say(format!(
                "error: cannot read env file {shown}: {}",
                reason(&error)
            ));
            Exit::Usage
        })?;
        let lines = assignments(&text).map_err(|line| {
            context.terminal.say(format!(
                "error: {shown}:{line}: not a NAME=VALUE line; comments begin with #"
            ));
            Exit::Usage
        })?;
        variables.extend(lines);
    }
    variables.extend(values.variables.iter().cloned());
    Ok(variables)
}

/// `NAME=VALUE` lines; blank lines and comments are passed over, `export ` and matching quotes around a value dropped.
/// Read here and not by a library, because a library's error quotes the line, and the line holds a secret.
///
/// # Errors
/// The number of the first line that is none of these, from 1.
fn assignments(text: &str) -> Result<Vec<(String, String)>, usize> {
    let meaningful = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| meaningful(line));
    lines
        .map(|(index, line)| assignment(line).ok_or(index + 1))
        .collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line
        .strip_prefix("export ")
        .unwrap_or(line)
        .split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_names_and_values() {
        let text = "# comment\n\nA=1\nexport B=\"two words\"\n C = 'x=y' \nD=\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![
            pair("A", "1"),
            pair("B", "two words"),
            pair("C", "x=y"),
            pair("D", ""),
        ];
        assert_eq!(assignments(text), Ok(expected));
    }

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number() {
        assert_eq!(assignments("A=1\nnonsense\n"), Err(2));
        assert_eq!(assignments("=1\n"), Err(1));
        assert_eq!(assignments("A B=1\n"), Err(1));
    }
}
