//! Text with `${NAME}` in it and the variables in, the text with their values out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use super::complaint::Kind;
use crate::day::Day;

/// Where values come from while a scenario is read.
pub struct Sources {
    /// Variables by name: the environment, then `--env-file`, then `--var`, later ones winning.
    pub variables: BTreeMap<String, String>,
    /// What a variable without a value is.
    pub missing: Missing,
    /// The day on which it is read, in UTC; handed in, so that the room itself knows no clock.
    pub today: Day,
    /// Reads a file that a secret names; handed in, so that the room itself touches no disk.
    pub read_file: fn(&Path) -> io::Result<String>,
}

/// What a variable without a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// An error: the run could not be what the author meant.
    Refused,
    /// Left standing as `${NAME}`, for a plan that sends nothing.
    Kept,
}

/// Mute about the variables: the environment holds secrets.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// Text with its variables resolved.
pub(super) struct Expanded<'t> {
    pub(super) text: Cow<'t, str>,
    /// Whether every variable had a value; if not, the text is not fit to be checked.
    pub(super) whole: bool,
}

impl Sources {
    /// Replaces `${NAME}` and `${NAME:-default}` (taken when unset or empty) and unescapes `$${`.
    ///
    /// # Errors
    /// The first malformed or missing variable, with the piece of text that is it.
    pub(super) fn expand<'t>(&self, text: &'t str) -> Result<Expanded<'t>, (&'t str, Kind)> {
        let mut expanded = Expanded {
            text: Cow::Borrowed(""),
            whole: true,
        };
        let mut rest = text;
        while let Some(start) = opening(rest) {
            let (before, from) = rest.split_at(start);
            if let Some(literal) = before.strip_suffix('$') {
                expanded.text += literal;
                expanded.text += "${";
                rest = &from[2..];
                continue;
            }
            expanded.text += before;
            let variable = Variable::parse(from).ok_or((from, Kind::MalformedVariable))?;
            match (self.value(&variable), self.missing) {
                (Some(value), _) => expanded.text.to_mut().push_str(value),
                (None, Missing::Refused) => {
                    return Err((
                        variable.source,
                        Kind::MissingVariable {
                            name: variable.name.to_owned(),
                        },
                    ));
                }
                (None, Missing::Kept) => {
                    expanded.text += variable.source;
                    expanded.whole = false;
                }
            }
            rest = &from[variable.source.len()..];
        }
        expanded.text += rest;
        Ok(expanded)
    }

    fn value<'v>(&'v self, variable: &Variable<'v>) -> Option<&'v str> {
        let value = self.variables.get(variable.name).map(String::as_str);
        match variable.default {
            Some(default) => Some(value.filter(|value| !value.is_empty()).unwrap_or(default)),
            None => value,
        }
    }
}

/// Where a variable begins. Texts are short: a searcher takes longer to make than to go through one.
fn opening(text: &str) -> Option<usize> {
    let mut pairs = text.as_bytes().windows(2);
    pairs.position(|pair| pair == b"${")
}

struct Variable<'t> {
    source: &'t str,
    name: &'t str,
    default: Option<&'t str>,
}

impl<'t> Variable<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let end = text.find('}')?;
        let inside = &text[2..end];
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        variable_name(name).then_some(Self {
            source: &text[..=end],
            name,
            default,
        })
    }
}

/// Whether the text is a name that a variable of the environment can have (POSIX.1-2024 §3.216).
pub(super) fn variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(missing: Missing) -> Sources {
        let variables = [("A", "1"), ("EMPTY", ""), ("NESTED", "${A}")];
        Sources {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            missing,
            today: "2026-06-01".parse().unwrap(),
            read_file: |_| Err(io::ErrorKind::NotFound.into()),
        }
    }

    #[test]
    fn variables_defaults_and_escapes_are_resolved_once() {
        for (text, expected) in [
            ("x${A}y${A}", "x1y1"),
            ("${EMPTY}", ""),
            ("${EMPTY:-d}", "d"),
            ("${NO:-https://a:1/b}", "https://a:1/b"),
            ("${NO:-}", ""),
            ("$${A}", "${A}"),
            ("$A $", "$A $"),
            ("${NESTED}", "${A}"),
        ] {
            let expanded = sources(Missing::Refused).expand(text).ok().unwrap();
            assert_eq!(expanded.text, expected, "{text}");
            assert!(expanded.whole);
        }
    }

    #[test]
    fn what_is_missing_or_malformed_is_pointed_at() {
        let refused = sources(Missing::Refused);
        assert!(matches!(
            refused.expand("a ${NO} b"),
            Err(("${NO}", Kind::MissingVariable { .. }))
        ));
        for text in ["${", "${}", "${1A}", "${A-B}", "${A:-x"] {
            assert!(
                matches!(refused.expand(text), Err((_, Kind::MalformedVariable))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_kept_variable_stays_as_it_is_written() {
        let expanded = sources(Missing::Kept).expand("${NO}/${A}").ok().unwrap();
        assert_eq!((&*expanded.text, expanded.whole), ("${NO}/1", false));
    }

    #[test]
    fn debugging_shows_no_variable() {
        assert_eq!(
            format!("{:?}", sources(Missing::Kept)),
            "Sources { missing: Kept, .. }"
        );
    }
}
