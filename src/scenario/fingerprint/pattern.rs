//! A regular expression in, whether it stands in a text out: in linear time, whatever the text.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::Flaw;

/// What a text must hold somewhere; anchors, flags and classes as the `regex` crate has them.
#[derive(Clone)]
pub struct Pattern(Regex);

/// Bytes that a compiled pattern takes at most.
const LARGEST: usize = 1 << 18;

/// Characters that words of a refusal have at least: fewer stand in any text.
const SHORTEST: usize = 4;

/// What is no refusal by authorization, and letters of every kind: a pattern that stands in one of these tells nothing apart.
const IMPOSTORS: [&str; 8] = [
    "",
    "0000000000000000",
    "aaaaaaaaaaaaaaaa",
    "AAAAAAAAAAAAAAAA",
    r#"{ "statusCode": 403, "message": "Forbidden" }"#,
    "<html>\n<head><title>403 Forbidden</title></head>\n<body>\n<center><h1>403 Forbidden</h1></center>\n</body>\n</html>\n",
    r#"{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }"#,
    "The request is blocked. Out of call volume quota. Your IP address is not allowed. Unauthorized",
];

/// Repeated, it is longer than what is kept of a body: a pattern of mere length stands in it.
const FILLER: &str = "Any text, of 42 words or so: <p>some</p>, {\"some\": 1}. ";

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Text that is no pattern, or one that is too large.
    pub(super) fn of(text: &str) -> Result<Self, Flaw> {
        let mut builder = RegexBuilder::new(text);
        let built = builder.size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Flaw::Large,
            _ => Flaw::NoPattern,
        })
    }

    /// Whether it stands somewhere in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Whether it is something that only some answers say.
    pub(super) fn tells(&self) -> bool {
        let letters = self
            .0
            .as_str()
            .chars()
            .filter(|sign| sign.is_alphanumeric());
        letters.count() >= SHORTEST
            && !IMPOSTORS.iter().any(|text| self.is_in(text))
            && !self.is_in(&FILLER.repeat(200))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}
