//! Text with `{{ name.value }}` in it and bindings in, the filled text out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Text with run-time values in it. Only the text is kept: a plan has many, and most hold no such value.
#[derive(Clone, Debug)]
pub struct Template(Box<str>);

/// JSON whose strings may hold run-time values; a string that is one `{{ … }}` alone becomes the bound value with its own JSON type.
/// It is kept as text, which takes a tenth of the room that a tree does.
#[derive(Clone, Debug)]
pub struct JsonTemplate(Box<str>);

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
        needs(text)?;
        Ok(Self(text.into()))
    }

    /// The text as the author wrote it.
    pub fn source(&self) -> &str {
        &self.0
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        sorted(names(&self.0).map(str::to_owned).collect())
    }

    /// The text with every value inserted as it is.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill(&self, bindings: &Bindings) -> Result<String, Unbound> {
        fill(&self.0, bindings, str::to_owned)
    }

    /// The text with every inserted value percent-encoded, for request targets (RFC 3986 §2.3: all but unreserved).
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_target(&self, bindings: &Bindings) -> Result<String, Unbound> {
        fill(&self.0, bindings, percent_encoded)
    }

    /// The text with every inserted value percent-encoded, but for one that is the whole text: a captured URI.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill_uri(&self, bindings: &Bindings) -> Result<String, Unbound> {
        match alone(&self.0) {
            Some(_) => self.fill(bindings),
            None => self.fill_target(bindings),
        }
    }

    /// The same template with the author's own text percent-encoded and its names left standing.
    pub(super) fn into_encoded(self) -> String {
        let mut text = String::new();
        for piece in pieces(&self.0) {
            match piece {
                Piece::Text(literal) => text.push_str(&percent_encoded(literal)),
                Piece::Name(name) => text.extend(["{{ ", name, " }}"]),
            }
        }
        text
    }

    /// The author's own text, without the names.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        pieces(&self.0).filter_map(|piece| match piece {
            Piece::Text(literal) => Some(literal),
            Piece::Name(_) => None,
        })
    }
}

impl JsonTemplate {
    /// Takes JSON text in which every `{{ … }}` of a string is well formed; the keys of objects are taken as they stand.
    pub(super) fn written(text: String) -> Self {
        Self(text.into())
    }

    /// The JSON as the author wrote it, in one line.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The value as the author wrote it.
    pub fn source(&self) -> Value {
        serde_json::from_str(&self.0).expect("it was written as JSON, not too deep to be read")
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.may_need() {
            collect(&self.source(), &mut names);
        }
        sorted(names)
    }

    /// The JSON with every template filled, in one line.
    ///
    /// # Errors
    /// The first name that nothing binds.
    pub fn fill(&self, bindings: &Bindings) -> Result<Cow<'_, str>, Unbound> {
        if !self.may_need() {
            return Ok(Cow::Borrowed(&self.0));
        }
        let mut value = self.source();
        fill_value(&mut value, bindings)?;
        Ok(Cow::Owned(value.to_string()))
    }

    /// Whether a string of it may hold a run-time value.
    fn may_need(&self) -> bool {
        self.0.contains(OPEN)
    }
}

/// What a template begins with.
const OPEN: &str = "{{";

#[derive(Clone, Copy)]
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The pieces of a text, the author's own and names in turn.
struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Result<Piece<'t>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(inside) = self.rest.strip_prefix(OPEN) {
            let closed = inside.split_once("}}");
            self.rest = closed.map_or("", |(_, rest)| rest);
            let piece = closed.ok_or_else(|| Malformed("a `{{` has no `}}` after it".to_owned()));
            return Some(piece.and_then(|(inside, _)| name(inside).map(Piece::Name)));
        }
        // Texts are short: a searcher takes longer to make than to go through one.
        let mut pairs = self.rest.as_bytes().windows(OPEN.len());
        let end = pairs.position(|pair| pair == OPEN.as_bytes());
        let end = end.unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!text.is_empty()).then_some(Ok(Piece::Text(text)))
    }
}

/// The pieces of a text that is well formed.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    Pieces { rest: text }.map_while(Result::ok)
}

/// The dotted names that a text needs, as often as it names them.
///
/// # Errors
/// What is wrong with the first template that is not well formed.
pub(super) fn needs(text: &str) -> Result<Vec<&str>, Malformed> {
    let mut names = Vec::new();
    for piece in (Pieces { rest: text }) {
        if let Piece::Name(name) = piece? {
            names.push(name);
        }
    }
    Ok(names)
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Name(name) => Some(name),
    })
}

/// The name of which a text consists.
fn alone(text: &str) -> Option<&str> {
    let mut pieces = pieces(text);
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Name(name)), None) => Some(name),
        _ => None,
    }
}

fn fill(text: &str, bindings: &Bindings, encode: fn(&str) -> String) -> Result<String, Unbound> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(literal) => filled.push_str(literal),
            Piece::Name(name) => filled.push_str(&encode(&bare(bindings.need(name)?))),
        }
    }
    Ok(filled)
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(names(text).map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(entries) => entries.values().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill_value(value: &mut Value, bindings: &Bindings) -> Result<(), Unbound> {
    match value {
        Value::String(text) => {
            *value = match alone(text) {
                Some(name) => bindings.need(name)?.clone(),
                None => Value::String(fill(text, bindings, str::to_owned)?),
            };
            Ok(())
        }
        Value::Array(items) => {
            let mut items = items.iter_mut();
            items.try_for_each(|item| fill_value(item, bindings))
        }
        Value::Object(entries) => {
            let mut values = entries.values_mut();
            values.try_for_each(|value| fill_value(value, bindings))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
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

fn name(inside: &str) -> Result<&str, Malformed> {
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
        Ok(name)
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
        let template = JsonTemplate::written(json.to_string());
        assert_eq!(template.names(), ["product.price", "tag"]);
        assert_eq!(template.source(), json);
        assert_eq!(
            template.fill(&bindings()).unwrap(),
            json!({ "price": 2.5, "name": "n r-1 2.5", "deep": [1, { "a": "r-1" }] }).to_string()
        );
    }

    #[test]
    fn the_keys_of_json_and_what_is_bound_are_taken_as_they_stand() {
        let json = json!({ "{{ up }}": "{{ braces }}", "plain": 0.1 });
        let template = JsonTemplate::written(json.to_string());
        assert_eq!(template.names(), ["braces"]);
        let bindings = bindings().with("braces", json!("{{ tag }}"));
        assert_eq!(
            template.fill(&bindings).unwrap(),
            json!({ "{{ up }}": "{{ tag }}", "plain": 0.1 }).to_string()
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
        fn a_number_is_what_the_author_wrote(number: f64) {
            let json = json!({ "n": number });
            prop_assert_eq!(JsonTemplate::written(json.to_string()).source(), json);
        }

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
