//! Text with `{{ name.value }}` in it and bindings in, the filled text out.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Text with run-time values in it.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

/// JSON whose strings may hold run-time values; a string that is one `{{ … }}` alone becomes the bound value with its own JSON type.
#[derive(Clone, Debug)]
pub struct JsonTemplate {
    source: Value,
    /// `None` where no string holds a run-time value.
    part: Option<Part>,
}

/// Run-time values by dotted name: `run.id`, `tag`, `<fixture>.<capture>`.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    values: BTreeMap<String, Value>,
}

/// A template that is not well formed; says what is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Malformed(pub String);

/// A template that names a value which nothing binds; holds the name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unbound(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing binds `{}`", self.0)
    }
}

impl std::error::Error for Malformed {}
impl std::error::Error for Unbound {}

/// Whether a value stays in its place in a request target even where somebody on the way decodes it: it is not blank,
/// and no part of it is a step to another path (RFC 3986 §5.2.4).
pub fn stays_in_place(value: &str) -> bool {
    let steps = |part: &str| matches!(part, "." | "..");
    !value.trim().is_empty() && !value.split(['/', '\\']).any(steps)
}

impl Bindings {
    /// The same bindings with one more; `name` is dotted, such as `product.id`. A later value replaces an earlier one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// The value bound to a dotted name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    fn need(&self, name: &str) -> Result<&Value, Unbound> {
        self.get(name).ok_or_else(|| Unbound(name.to_owned()))
    }
}

impl Template {
    /// Reads text with `{{ … }}` in it: a dotted name between two pairs of braces, the part of Jinja's expressions that
    /// cannot compute.
    ///
    /// # Errors
    /// What is wrong with the first template that is not well formed.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut pieces = Vec::new();
        let mut done = 0;
        while let Some(start) = text[done..].find("{{").map(|found| done + found) {
            let inside = start + 2;
            let end = text[inside..]
                .find("}}")
                .map(|found| inside + found)
                .ok_or_else(|| Malformed("a `{{` has no `}}` after it".to_owned()))?;
            if start > done {
                pieces.push(Piece::Text(done..start));
            }
            pieces.push(Piece::Name(name(&text[inside..end])?));
            done = end + 2;
        }
        if done < text.len() {
            pieces.push(Piece::Text(done..text.len()));
        }
        Ok(Self {
            source: text.to_owned(),
            pieces,
        })
    }

    /// The text as the author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        sorted(self.needs().map(str::to_owned).collect())
    }

    /// The text with every value inserted as it is.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill(&self, bindings: &Bindings) -> Result<String, Unbound> {
        self.fill_with(bindings, str::to_owned)
    }

    /// The text with every inserted value percent-encoded, for request targets (RFC 3986 §2.3: all but unreserved).
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_target(&self, bindings: &Bindings) -> Result<String, Unbound> {
        self.fill_with(bindings, percent_encoded)
    }

    /// The text with every inserted value percent-encoded, but for one that is the whole text: a captured URI.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_uri(&self, bindings: &Bindings) -> Result<String, Unbound> {
        match self.alone() {
            Some(_) => self.fill(bindings),
            None => self.fill_target(bindings),
        }
    }

    /// The same template with the author's own text percent-encoded and its names left standing.
    pub(super) fn into_encoded(self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(range) => text.push_str(&percent_encoded(&self.source[range.clone()])),
                Piece::Name(name) => text.extend(["{{ ", name, " }}"]),
            }
        }
        text
    }

    /// The author's own text, without the names.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(range) => Some(&self.source[range.clone()]),
            Piece::Name(_) => None,
        })
    }

    fn needs(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Name(name) => Some(name.as_str()),
        })
    }

    fn alone(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Name(name)] => Some(name),
            _ => None,
        }
    }

    fn fill_with(
        &self,
        bindings: &Bindings,
        encode: fn(&str) -> String,
    ) -> Result<String, Unbound> {
        let mut text = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(range) => text.push_str(&self.source[range.clone()]),
                Piece::Name(name) => text.push_str(&encode(&bare(bindings.need(name)?))),
            }
        }
        Ok(text)
    }
}

impl JsonTemplate {
    /// Reads a JSON value whose strings may hold `{{ … }}`; the keys of objects are taken as they stand.
    ///
    /// # Errors
    /// What is wrong with the first template that is not well formed.
    pub fn parse(value: &Value) -> Result<Self, Malformed> {
        let part = Part::parse(value)?;
        Ok(Self {
            source: value.clone(),
            part: Some(part).filter(|part| !part.fixed()),
        })
    }

    /// The value as the author wrote it.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(part) = &self.part {
            part.collect(&mut names);
        }
        sorted(names)
    }

    /// The value with every template filled.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill(&self, bindings: &Bindings) -> Result<Value, Unbound> {
        let part = self.part.as_ref();
        part.map_or_else(|| Ok(self.source.clone()), |part| part.fill(bindings))
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Range<usize>),
    Name(String),
}

/// A JSON value with its templates read; what holds none is kept whole.
#[derive(Clone, Debug)]
enum Part {
    Fixed(Value),
    Text(Template),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Part {
    fn parse(value: &Value) -> Result<Self, Malformed> {
        let part = match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(items) => {
                Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Self::parse(value)?)))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(value.clone()),
        };
        Ok(if part.fixed() {
            Self::Fixed(value.clone())
        } else {
            part
        })
    }

    fn fixed(&self) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Text(template) => template.needs().next().is_none(),
            Self::List(parts) => parts.iter().all(Self::fixed),
            Self::Map(parts) => parts.iter().all(|(_, part)| part.fixed()),
        }
    }

    fn collect(&self, names: &mut Vec<String>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => names.extend(template.needs().map(str::to_owned)),
            Self::List(parts) => parts.iter().for_each(|part| part.collect(names)),
            Self::Map(parts) => parts.iter().for_each(|(_, part)| part.collect(names)),
        }
    }

    fn fill(&self, bindings: &Bindings) -> Result<Value, Unbound> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(template) => match template.alone() {
                Some(name) => bindings.need(name).cloned(),
                None => template.fill(bindings).map(Value::String),
            },
            Self::List(parts) => parts.iter().map(|part| part.fill(bindings)).collect(),
            Self::Map(parts) => parts
                .iter()
                .map(|(key, part)| Ok((key.clone(), part.fill(bindings)?)))
                .collect(),
        }
    }
}

/// RFC 3986 §2.3: letters, digits, hyphen, period, underscore and tilde need no encoding.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value as it may stand between the delimiters of a target.
pub(super) fn percent_encoded(text: &str) -> String {
    match text {
        // A segment of dots alone would be a step in the path, not a value (RFC 3986 §3.3).
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(text, RESERVED).to_string(),
    }
}

/// A bound value as text: a string without its quotes, everything else as JSON.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn name(inside: &str) -> Result<String, Malformed> {
    let name = inside.trim();
    if name.is_empty() {
        return Err(Malformed("`{{ }}` names nothing".to_owned()));
    }
    let well_formed = name.split('.').all(|word| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    });
    if well_formed {
        Ok(name.to_owned())
    } else {
        Err(Malformed(
            "`{{ … }}` holds more than a dotted name".to_owned(),
        ))
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn bindings() -> Bindings {
        Bindings::default()
            .with("tag", json!("r-1"))
            .with("product.id", json!("a/b ü"))
            .with("product.price", json!(2.5))
            .with("up", json!(".."))
    }

    #[test]
    fn values_are_inserted_as_they_are_or_percent_encoded_in_targets() {
        for (text, filled, target) in [
            (
                "/p/{{ product.id }}?q={{tag}}",
                "/p/a/b ü?q=r-1",
                "/p/a%2Fb%20%C3%BC?q=r-1",
            ),
            ("/p/{{ up }}", "/p/..", "/p/%2E%2E"),
            ("/./%2e/{{ product.price }}", "/./%2e/2.5", "/./%2e/2.5"),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.fill(&bindings()).unwrap(), filled);
            assert_eq!(template.fill_target(&bindings()).unwrap(), target);
            assert_eq!(template.source(), text);
        }
    }

    #[test]
    fn names_are_given_once_and_sorted() {
        let template = Template::parse("{{ tag }} {{ product.id }} {{ tag }}").unwrap();
        assert_eq!(template.names(), ["product.id", "tag"]);
    }

    #[test]
    fn what_is_no_dotted_name_is_malformed() {
        for text in [
            "{{",
            "{{ }}",
            "{{ a b }}",
            "{{ a|upper }}",
            "{{ a..b }}",
            "{{ a( }}",
            "{{ \"a\" }}",
            "a {{ b",
            "{{{{ a }}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_nothing_binds_is_named() {
        let template = Template::parse("{{ tag }}{{ loan.id }}").unwrap();
        assert_eq!(
            template.fill(&bindings()),
            Err(Unbound("loan.id".to_owned()))
        );
    }

    #[test]
    fn a_json_string_that_is_one_template_takes_the_value_with_its_type() {
        let json = json!({ "price": "{{ product.price }}", "name": "n {{ tag }} {{ product.price }}", "deep": [1, { "a": "{{ tag }}" }] });
        let template = JsonTemplate::parse(&json).unwrap();
        assert_eq!(template.names(), ["product.price", "tag"]);
        assert_eq!(template.source(), &json);
        assert_eq!(
            template.fill(&bindings()).unwrap(),
            json!({ "price": 2.5, "name": "n r-1 2.5", "deep": [1, { "a": "r-1" }] })
        );
    }

    #[test]
    fn a_value_that_steps_up_or_is_blank_does_not_stay_in_place() {
        for (value, stays) in [
            ("7", true),
            ("a/b ü", true),
            ("report.v1..pdf", true),
            ("", false),
            (" ", false),
            (".", false),
            ("..", false),
            ("../admin", false),
            ("a/../b", false),
            ("a\\..", false),
        ] {
            assert_eq!(stays_in_place(value), stays, "{value}");
        }
    }

    proptest! {
        #[test]
        fn filling_text_without_templates_changes_nothing(text in "[^{]*(\\{[^{]+)*") {
            prop_assume!(!text.contains("{{"));
            let template = Template::parse(&text).unwrap();
            prop_assert_eq!(&template.fill(&Bindings::default()).unwrap(), &text);
            prop_assert_eq!(template.fill_target(&Bindings::default()).unwrap(), text);
        }

        #[test]
        fn parsing_never_panics(text in "(\\PC|[{}. ]){0,40}") {
            drop(Template::parse(&text));
        }

        #[test]
        fn an_inserted_value_never_leaves_its_place_in_a_target(value in "\\PC{0,20}") {
            let target = Template::parse("/p/{{ v }}/x").unwrap().fill_target(&Bindings::default().with("v", json!(value))).unwrap();
            prop_assert_eq!(target.matches('/').count(), 3);
            prop_assert!(!target.contains(['?', '#', ' ', '\r', '\n']) && target.is_ascii());
        }
    }
}
