//! A reference to a secret in, the secret out; a secret that stands in the file itself is refused and not shown.

use std::path::{Path, PathBuf};

use super::Reader;
use crate::scenario::complaint::{Kind, Span};
use crate::scenario::raw::{Node, Value};
use crate::scenario::sources::{Missing, variable_name};
use crate::secret::Secret;

impl Reader<'_> {
    /// A secret, which the file names but does not hold.
    pub(in crate::scenario) fn secret(
        &mut self,
        node: &Node<'_>,
        place: impl Into<String>,
    ) -> Option<Secret> {
        let Some((source, name)) = reference(node) else {
            self.hidden.extend(node.span.line..=node.last_line);
            self.complain(
                node.span,
                Kind::InlineSecret {
                    place: place.into(),
                },
            );
            return None;
        };
        let Value::Text(text) = &name.value else {
            return None;
        };
        if let (Source::Env, Some(lines)) = (source, self.stated.get(&**text)) {
            self.hidden.extend(lines);
            self.complain(
                name.span,
                Kind::StatedSecret {
                    name: text.to_string(),
                },
            );
            return None;
        }
        let value = match source {
            Source::Env => self.variable(name.span, text),
            Source::File => self.file(name, text),
        }?;
        let secret = Secret::new(value);
        if !secret.is_empty() {
            self.secrets.push(secret.clone());
        } else if self.sources.missing == Missing::Refused {
            self.complain(
                name.span,
                Kind::EmptySecret {
                    name: text.to_string(),
                },
            );
            return None;
        }
        Some(secret)
    }

    /// The scenario's folder; empty for the current one.
    pub(in crate::scenario) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file that a value names, relative to the scenario's folder.
    pub(in crate::scenario) fn beside(&mut self, node: &Node<'_>, text: &str) -> Option<PathBuf> {
        let path = self.expand(node, text)?.text;
        Some(self.folder.join(&*path))
    }

    /// A variable that the platform sets; without a value, what would make it do so is the remedy.
    pub(in crate::scenario) fn ambient(
        &mut self,
        at: Span,
        name: &'static str,
        needs: &'static str,
    ) -> Option<String> {
        let value = self.variable_or_none(name);
        if value.is_none() && self.sources.missing == Missing::Refused {
            self.complain(at, Kind::MissingAmbient { name, needs });
            return None;
        }
        Some(value.unwrap_or_default())
    }

    /// A variable's value; `None` when it is not set or empty.
    pub(in crate::scenario) fn variable_or_none(&self, name: &str) -> Option<String> {
        self.sources
            .variables
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    fn variable(&mut self, at: Span, name: &str) -> Option<String> {
        match (self.sources.variables.get(name), self.sources.missing) {
            (Some(value), _) => Some(value.clone()),
            (None, Missing::Kept) => Some(String::new()),
            (None, Missing::Refused) => {
                self.complain(
                    at,
                    Kind::MissingSecret {
                        name: name.to_owned(),
                    },
                );
                None
            }
        }
    }

    fn file(&mut self, node: &Node<'_>, text: &str) -> Option<String> {
        let path = self.expand(node, text)?.text;
        match (
            (self.sources.read_file)(&self.folder.join(&*path)),
            self.sources.missing,
        ) {
            (Ok(value), _) => {
                let value = value.strip_suffix('\n').unwrap_or(&value);
                Some(value.strip_suffix('\r').unwrap_or(value).to_owned())
            }
            (Err(_), Missing::Kept) => Some(String::new()),
            (Err(error), Missing::Refused) => {
                self.complain(
                    node.span,
                    Kind::UnreadableSecret {
                        path: text.to_owned(),
                        why: error.kind(),
                    },
                );
                None
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Source {
    Env,
    File,
}

/// `{ env: NAME }` or `{ file: path }`; anything else may be the secret itself.
fn reference<'n>(node: &'n Node<'n>) -> Option<(Source, &'n Node<'n>)> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let [entry] = entries.as_slice() else {
        return None;
    };
    match (&entry.key.value, &entry.value.value) {
        (Value::Text(key), Value::Text(name)) if key == "env" && variable_name(name) => {
            Some((Source::Env, &entry.value))
        }
        (Value::Text(key), Value::Text(path)) if key == "file" && !path.is_empty() => {
            Some((Source::File, &entry.value))
        }
        _ => None,
    }
}
