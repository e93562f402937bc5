//! `environments` of a scenario in, the variables of one of them out.

use std::error::Error;
use std::fmt;

use super::Scenario;
use super::complaint::Kind;
use super::raw::{self, Node, Value};
use super::reader::{Named, Reader};
use super::sources::{Missing, Sources, variable_name};
use super::spelling::{listed, nearest};

/// Why a scenario has no variables for an environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoEnvironment {
    /// It names others.
    Unknown {
        /// The name that was asked for.
        name: String,
        /// One that is spelt almost so.
        near: Option<String>,
        /// Those that it names.
        known: String,
    },
    /// One of its variables is another variable's value, and that one has none.
    Unset {
        /// The variable.
        variable: String,
        /// The other.
        source: String,
    },
}

impl fmt::Display for NoEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, near, known } => {
                write!(f, "there is no environment `{name}`; ")?;
                match near {
                    Some(near) => write!(f, "did you mean `{near}`?"),
                    None => write!(f, "the scenario names {known}"),
                }
            }
            Self::Unset { variable, source } => write!(
                f,
                "{variable} is the value of {source} there, which has none; set {source} in the environment or in an --env-file"
            ),
        }
    }
}

impl Error for NoEnvironment {}

impl Scenario {
    /// The variables that a scenario's text gives an environment, by name; `None` where it names no environments at all. Text
    /// that is no scenario has none: whoever reads it gets its complaints.
    ///
    /// # Errors
    /// It names other environments, or a value that is to come from another variable does not.
    pub fn environment(
        text: &str,
        name: &str,
        sources: &Sources,
    ) -> Result<Option<Vec<(String, String)>>, NoEnvironment> {
        let root = raw::parse(text).ok();
        let Some(named) = root.as_ref().and_then(|root| root.get("environments")) else {
            return Ok(None);
        };
        let Some(variables) = named.get(name) else {
            let entries = named.entries().iter();
            let known: Vec<&str> = entries.filter_map(|entry| entry.key.as_text()).collect();
            return Err(NoEnvironment::Unknown {
                name: name.to_owned(),
                near: nearest(name, &known).map(str::to_owned),
                known: listed(&known),
            });
        };
        let mut values = Vec::new();
        for entry in variables.entries() {
            let Some(variable) = entry.key.as_text() else {
                continue;
            };
            if let Some(value) = value(variable, &entry.value, sources)? {
                values.push((variable.to_owned(), value));
            }
        }
        Ok(Some(values))
    }
}

fn value(
    variable: &str,
    node: &Node<'_>,
    sources: &Sources,
) -> Result<Option<String>, NoEnvironment> {
    if let Some(text) = node.as_text() {
        let expanded = sources.expand(text);
        // What cannot be resolved is complained of when the scenario is read, with its place.
        return Ok(Some(expanded.map_or_else(
            |_| text.to_owned(),
            |known| known.text.into_owned(),
        )));
    }
    let Some(source) = node.get("env").and_then(Node::as_text) else {
        return Ok(None);
    };
    match sources.variables.get(source) {
        Some(value) => Ok(Some(value.clone())),
        None if sources.missing == Missing::Kept => Ok(None),
        None => Err(NoEnvironment::Unset {
            variable: variable.to_owned(),
            source: source.to_owned(),
        }),
    }
}

/// Looks whether `environments` is what it must be, and notes which variables have values that stand in the file: no secret
/// may come from one.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) {
    let places = reader.names(named.node, "`environments`", "an environment");
    for environment in places.unwrap_or_default() {
        let variables = reader.entries(environment.node, "an environment");
        for variable in variables.unwrap_or_default() {
            if !variable_name(variable.name) {
                reader.complain(variable.at, Kind::BadVariable);
            }
            match &variable.node.value {
                Value::Text(text) => {
                    drop(reader.expand(variable.node, text));
                    let lines = reader.stated.entry(variable.name.to_owned());
                    lines
                        .or_default()
                        .extend(variable.at.line..=variable.node.last_line);
                }
                Value::Map(_) => {
                    let fields = reader.fields(variable.at, variable.node, "a variable", &["env"]);
                    let source = fields.and_then(|fields| fields.need(reader, "env"));
                    if let Some(source) = source {
                        drop(reader.text(source.node, "`env`"));
                    }
                }
                _ => reader.wrong(variable.node, "a variable", "text"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: &str = "rolecall: 1
name: Catalog
deployment: { rest: \"${REST}\" }
identity: { oidc: { issuer: https://id.example } }
environments:
  prod-eu: { REST: \"https://eu.${DOMAIN}\", SECRET: { env: EU_SECRET } }
  prod-us: { REST: https://us.example, SECRET: { env: US_SECRET } }
personas:
  reader: { sign_in: { client_credentials: { client_id: a, client_secret: { env: SECRET } } } }
operations:
  list: { allow: [reader], rest: GET /things }
";

    fn sources(missing: Missing, variables: &[(&str, &str)]) -> Sources {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sources {
            variables: variables.iter().map(owned).collect(),
            missing,
            today: "2026-06-01".parse().unwrap(),
            read_file: |_| Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn of(name: &str) -> Result<Option<Vec<(String, String)>>, NoEnvironment> {
        let known = [("DOMAIN", "example"), ("EU_SECRET", "hush")];
        Scenario::environment(SHAPE, name, &sources(Missing::Refused, &known))
    }

    #[test]
    fn an_environment_is_variables_by_name() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![pair("REST", "https://eu.example"), pair("SECRET", "hush")];
        assert_eq!(of("prod-eu"), Ok(Some(expected)));
        let none = Scenario::environment("name: x", "any", &sources(Missing::Refused, &[]));
        assert_eq!(none, Ok(None));
    }

    #[test]
    fn what_is_not_there_is_told_with_the_remedy() {
        let words = |name| of(name).unwrap_err().to_string();
        assert_eq!(
            words("prod-ue"),
            "there is no environment `prod-ue`; did you mean `prod-eu`?"
        );
        assert_eq!(
            words("x"),
            "there is no environment `x`; the scenario names prod-eu, prod-us"
        );
        assert!(
            words("prod-us").starts_with("SECRET is the value of US_SECRET there, which has none")
        );
    }

    fn complaints(text: &str) -> String {
        let known = [
            ("DOMAIN", "example"),
            ("SECRET", "hush"),
            ("REST", "https://a.example"),
        ];
        let read = Scenario::read("x.yaml", text, &sources(Missing::Refused, &known));
        read.map_or_else(|complaints| complaints.to_string(), |_| String::new())
    }

    #[test]
    fn a_secret_does_not_stand_in_an_environment() {
        assert_eq!(complaints(SHAPE), "");
        let inline = SHAPE.replace("{ env: EU_SECRET }", "hunter2");
        let words = complaints(&inline);
        assert!(
            words.contains("SECRET") && words.contains("{ env: NAME }"),
            "{words}"
        );
        assert!(!words.contains("hunter2"), "{words}");
    }

    #[test]
    fn what_is_no_environment_is_complained_of() {
        for (old, new, wanted) in [
            ("REST: https://us.example", "REST: 7", "quote it"),
            (
                "REST: https://us.example",
                "\"RE ST\": x",
                "no name for a variable",
            ),
            ("{ env: US_SECRET }", "{ file: x }", "unknown key `file`"),
            ("${DOMAIN}", "${DOMAINE}", "`DOMAINE` has no value"),
            ("  prod-us:", "  prod/us:", "no name for an environment"),
        ] {
            let words = complaints(&SHAPE.replacen(old, new, 1));
            assert!(words.contains(wanted), "{words}");
        }
    }
}
