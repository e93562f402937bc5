//! A word in, the kind of report that it names out.

use std::fmt;
use std::str::FromStr;

/// A kind of report.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// The article's table, for a terminal.
    Table,
    /// `JUnit` XML, for CI.
    Junit,
    /// One JSON document.
    Json,
    /// The same grid in Markdown, for a job summary or a committed file.
    Markdown,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Table, Self::Junit, Self::Json, Self::Markdown];

    /// The kind's one spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Junit => "junit",
            Self::Json => "json",
            Self::Markdown => "markdown",
        }
    }

    /// The file's name where the user gives none. Azure Pipelines and GitHub's test reporters look for `TEST-*.xml`.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Table => "rolecall.txt",
            Self::Junit => "TEST-rolecall.xml",
            Self::Json => "rolecall.json",
            Self::Markdown => "rolecall.md",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

/// A word that names no kind of report; it holds the word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownKind(pub String);

impl UnknownKind {
    /// Likeness from which a kind is offered; below it the offer would be a guess.
    const ALIKE: f64 = 0.7;

    /// The kind that was probably meant.
    pub fn meant(&self) -> Option<Kind> {
        let word = self.0.to_lowercase();
        let likeness = |kind: Kind| strsim::jaro_winkler(&word, kind.name());
        let best = Kind::ALL
            .into_iter()
            .max_by(|one, other| likeness(*one).total_cmp(&likeness(*other)))?;
        (likeness(best) >= Self::ALIKE).then_some(best)
    }
}

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no kind of report; ",
            super::sanitizer::excerpt(&self.0, 40)
        )?;
        match self.meant() {
            Some(kind) => write!(f, "did you mean {kind}?"),
            None => f.write_str("the kinds are table, junit, json and markdown"),
        }
    }
}

impl std::error::Error for UnknownKind {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn a_misspelt_kind_is_answered_with_the_one_that_was_meant() {
        let table = [
            ("JUnit", Some(Kind::Junit)),
            ("markdwon", Some(Kind::Markdown)),
            ("md", Some(Kind::Markdown)),
            ("jsno", Some(Kind::Json)),
            ("tabel", Some(Kind::Table)),
            ("sarif", None),
            ("", None),
        ];
        for (word, meant) in table {
            assert_eq!(word.parse::<Kind>().unwrap_err().meant(), meant, "{word}");
        }
    }
}
