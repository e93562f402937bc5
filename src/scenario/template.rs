//! Text with `{{ name.value }}` in it and bindings in, the filled text out.

use serde_json::Value;

/// Text with run-time values in it.
#[derive(Clone, Debug)]
pub struct Template {}

/// JSON whose strings may hold run-time values; a string that is one `{{ … }}` alone becomes the bound value with its own JSON type.
#[derive(Clone, Debug)]
pub struct JsonTemplate {}

/// Run-time values by dotted name: `run.id`, `tag`, `<fixture>.<capture>`.
#[derive(Clone, Debug, Default)]
pub struct Bindings {}

/// A template that is not well formed; says what is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Malformed(pub String);

/// A template that names a value which nothing binds; holds the name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unbound(pub String);

impl Bindings {
    /// The same bindings with one more; `name` is dotted, such as `product.id`.
    #[must_use]
    pub fn with(self, _name: &str, _value: Value) -> Self {
        self
    }
}

impl Template {
    /// Reads text with `{{ … }}` in it.
    pub fn parse(_text: &str) -> Result<Self, Malformed> {
        Ok(Self {})
    }

    /// The text as the author wrote it.
    pub fn source(&self) -> &str {
        ""
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The text with every value inserted as it is.
    pub fn fill(&self, _bindings: &Bindings) -> Result<String, Unbound> {
        Ok(String::new())
    }

    /// The text with every inserted value percent-encoded, for request targets (RFC 3986 §2.3: all but unreserved).
    pub fn fill_target(&self, _bindings: &Bindings) -> Result<String, Unbound> {
        Ok(String::new())
    }
}

impl JsonTemplate {
    /// Reads a JSON value whose strings may hold `{{ … }}`.
    pub fn parse(_value: &Value) -> Result<Self, Malformed> {
        Ok(Self {})
    }

    /// The value as the author wrote it.
    pub fn source(&self) -> &Value {
        &Value::Null
    }

    /// The dotted names that it needs, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The value with every template filled.
    pub fn fill(&self, _bindings: &Bindings) -> Result<Value, Unbound> {
        Ok(Value::Null)
    }
}
