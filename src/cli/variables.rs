//! The environment, files of variables, the scenario's `environments` and the flags in, the variables that a scenario is read with out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Context;
use super::args::Values;
use super::environment::Environment;
use super::loading::reason;
use crate::exit::Exit;
use crate::scenario::{Missing, Scenario, Sources, nearest};

/// What stands for the environment's name in the path of a file.
const PLACE: &str = "{env}";

/// The process's environment, then a file that all environments share, then what the scenario says of the environment, then
/// the environment's own file, then the flags; later ones win. So nothing that is set around it can send the runs of two
/// environments to one deployment.
///
/// # Errors
/// [`Exit::Usage`], after the reason was said.
pub(super) fn of(
    shown: &str,
    text: &str,
    values: &Values,
    missing: Missing,
    context: &Context,
) -> Result<BTreeMap<String, String>, Exit> {
    let resolved = resolve(shown, text, values, missing, &context.environment);
    resolved.map_err(|words| {
        context.terminal.say(format!("error: {words}"));
        Exit::Usage
    })
}

fn resolve(
    shown: &str,
    text: &str,
    values: &Values,
    missing: Missing,
    environment: &Environment,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables = environment.variables();
    let file = values.env_file.as_deref();
    let own = file.filter(|path| path.to_string_lossy().contains(PLACE));
    if let Some(shared) = file.filter(|_| own.is_none()) {
        variables.extend(read(shared)?);
    }
    let Some(name) = &values.environment else {
        if let Some(own) = own {
            return Err(format!(
                "--env-file {}: {PLACE} stands for the name after --env, and there is none",
                own.display()
            ));
        }
        variables.extend(values.variables.iter().cloned());
        return Ok(variables);
    };
    let sources = Sources {
        variables: variables.clone(),
        missing,
        today: environment.today,
        read_file: |path| fs::read_to_string(path),
    };
    let stated = Scenario::environment(text, name, &sources);
    let stated = stated.map_err(|error| format!("{shown}: {error}"))?;
    if stated.is_none() && own.is_none() {
        return Err(format!(
            "{shown}: nothing tells `{name}` from any other environment; name it under `environments`, or give --env-file {PLACE}.env"
        ));
    }
    variables.extend(stated.unwrap_or_default());
    if let Some(own) = own {
        variables.extend(read(&placed(own, name)).map_err(|words| suggested(own, name, words))?);
    }
    variables.extend(values.variables.iter().cloned());
    Ok(variables)
}

fn placed(pattern: &Path, name: &str) -> PathBuf {
    PathBuf::from(pattern.to_string_lossy().replace(PLACE, name))
}

/// With the environment whose file is there and whose name is nearest.
fn suggested(pattern: &Path, name: &str, words: String) -> String {
    if placed(pattern, name).exists() {
        return words;
    }
    let there = others(pattern).unwrap_or_default();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    match nearest(name, &there) {
        Some(near) => format!("{words}; did you mean `{near}`?"),
        None => words,
    }
}

/// The names for which the pattern's file is there.
fn others(pattern: &Path) -> Option<Vec<String>> {
    let file = pattern.file_name()?.to_str()?;
    let (before, after) = file.split_once(PLACE)?;
    let folder = pattern
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or_else(|| Path::new("."))).ok()?;
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let inside = name.to_str()?.strip_prefix(before)?.strip_suffix(after)?;
        Some(inside.to_owned())
    };
    let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
    names.sort_unstable();
    Some(names)
}

fn read(path: &Path) -> Result<Vec<(String, String)>, String> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read env file {shown}: {}", reason(&error)))?;
    assignments(&text)
        .map_err(|line| format!("{shown}:{line}: not a NAME=VALUE line; comments begin with #"))
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

    const STATED: &str = "environments: { prod-eu: { A: stated, B: stated } }";

    fn with(values: &Values) -> Result<BTreeMap<String, String>, String> {
        let around = Environment::of(&[("A", "around"), ("B", "around"), ("C", "around")]);
        resolve("x.yaml", STATED, values, Missing::Refused, &around)
    }

    fn values(env_file: Option<PathBuf>, environment: Option<&str>) -> Values {
        Values {
            variables: vec![("C".to_owned(), "flag".to_owned())],
            env_file,
            environment: environment.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_said_of_an_environment_wins_over_what_is_set_around_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["shared", "prod-eu"] {
            let text = format!("B={name}\nC={name}\nD={name}\n");
            fs::write(folder.path().join(format!("{name}.env")), text).unwrap();
        }
        let told = |file: &str, environment| {
            let file = Some(folder.path().join(file));
            let known = with(&values(file, environment)).unwrap();
            ["A", "B", "C", "D"].map(|name| known[name].clone())
        };
        assert_eq!(
            told("shared.env", None),
            ["around", "shared", "flag", "shared"]
        );
        assert_eq!(
            told("shared.env", Some("prod-eu")),
            ["stated", "stated", "flag", "shared"]
        );
        assert_eq!(
            told("{env}.env", Some("prod-eu")),
            ["stated", "prod-eu", "flag", "prod-eu"]
        );
    }

    #[test]
    fn an_environment_that_nobody_knows_is_told_with_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("prod-eu.env"), "A=1\n").unwrap();
        let pattern = Some(folder.path().join("{env}.env"));
        let words = with(&values(None, Some("prod-ue"))).unwrap_err();
        assert!(words.ends_with("did you mean `prod-eu`?"), "{words}");
        let words = with(&values(pattern.clone(), None)).unwrap_err();
        assert!(words.ends_with("and there is none"), "{words}");
        let none = |values: &Values| {
            let nothing = Environment::of(&[]);
            resolve("x.yaml", "name: x", values, Missing::Refused, &nothing).unwrap_err()
        };
        let words = none(&values(pattern, Some("prod-ue")));
        assert!(
            words.ends_with("there is no such file; did you mean `prod-eu`?"),
            "{words}"
        );
        let words = none(&values(None, Some("prod-eu")));
        assert!(words.contains("give --env-file {env}.env"), "{words}");
    }
}
