//! A reference to a secret in, the secret out; a secret that stands in the file itself is refused and not shown.

use super::Reader;
use crate::scenario::complaint::{Kind, Span};
use crate::scenario::raw::{Node, Value};
use crate::scenario::sources::{Missing, variable_name};
use crate::secret::Secret;

impl Reader<'_> {
    /// A secret, which the file names but does not hold.
    pub(in crate::scenario) fn secret(
        &mut self,
        node: &Node,
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
        let value = match source {
            Source::Env => self.variable(name.span, text),
            Source::File => self.file(name, text),
        }?;
        let secret = Secret::new(value);
        if !secret.is_empty() {
            self.secrets.push(secret.clone());
        } else if self.sources.missing == Missing::Refused {
            self.complain(name.span, Kind::EmptySecret { name: text.clone() });
            return None;
        }
        Some(secret)
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

    fn file(&mut self, node: &Node, text: &str) -> Option<String> {
        let path = self.expand(node, text)?.text;
        match (
            (self.sources.read_file)(&self.folder.join(&path)),
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
fn reference(node: &Node) -> Option<(Source, &Node)> {
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
