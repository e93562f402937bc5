//! What can be wrong with a scenario, worded once, with line, column and caret.

mod kind;
mod remedy;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

pub use kind::Kind;

/// A place in the file: line and column from 1, columns and length in characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Span {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) length: u32,
}

impl Span {
    /// The first character of the file.
    pub(super) const START: Self = Self {
        line: 1,
        column: 1,
        length: 1,
    };
}

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// What is wrong, with its evidence.
    pub kind: Kind,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The file as the user gave it.
    pub file: Arc<str>,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1, in characters.
    pub column: u32,
    /// Characters that the caret marks, at least 1.
    pub length: u32,
    /// The remedy.
    pub help: String,
    /// The line itself, tabs as spaces; `None` where it may hold a secret.
    pub source: Option<String>,
}

/// Every complaint about one file: at least one, sorted by line and column. `Display` renders them all, as rustc would.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaints(Vec<Complaint>);

impl Complaints {
    /// The complaints, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Complaint> {
        self.0.iter()
    }

    /// How many there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Turns what was found into complaints; `hidden` are the lines that are not to be shown.
    pub(super) fn new(
        file: &Arc<str>,
        text: &str,
        mut found: Vec<(Span, Kind)>,
        hidden: &BTreeSet<u32>,
    ) -> Self {
        let lines = lines(text);
        found.sort_by_key(|(span, _)| *span);
        let mut complaints: Vec<Complaint> = found
            .into_iter()
            .map(|(span, kind)| Complaint {
                message: shown(&kind.to_string()),
                help: shown(&kind.help()),
                kind,
                file: Arc::clone(file),
                line: span.line,
                column: span.column,
                length: span.length.max(1),
                source: source(&lines, span.line, hidden),
            })
            .collect();
        // What an alias repeats is wrong once.
        let mut seen = HashSet::new();
        complaints.retain(|new| seen.insert((new.line, new.column, new.message.clone())));
        Self(complaints)
    }
}

impl<'c> IntoIterator for &'c Complaints {
    type Item = &'c Complaint;
    type IntoIter = std::slice::Iter<'c, Complaint>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Complaints {}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, complaint) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{complaint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            message,
            file,
            line,
            column,
            help,
            ..
        } = self;
        let number = line.to_string();
        let width = number.len();
        write!(
            f,
            "error: {message}\n{:width$}--> {}:{line}:{column}\n{:width$} |\n",
            "",
            shown(file),
            ""
        )?;
        match &self.source {
            None => write!(
                f,
                "{:width$} = help: {help}; the line is not shown, it may hold a secret",
                ""
            ),
            Some(source) => {
                let (source, before, length) = self.window(source);
                write!(
                    f,
                    "{number} | {source}\n{:width$} | {:before$}{} {help}",
                    "",
                    "",
                    "^".repeat(length)
                )
            }
        }
    }
}

impl Complaint {
    /// The part of a long line around the caret, with the caret's place and length in it.
    fn window(&self, source: &str) -> (String, usize, usize) {
        let column = self.column.saturating_sub(1) as usize;
        let count = source.chars().count();
        let start = if count > WIDEST {
            column.saturating_sub(LEAD)
        } else {
            0
        };
        let visible: String = source.chars().skip(start).take(WIDEST).collect();
        let room = visible.chars().count().saturating_sub(column - start);
        let (lead, tail) = (
            if start > 0 { "…" } else { "" },
            if start + WIDEST < count { "…" } else { "" },
        );
        let length = (self.length as usize).min(room).max(1);
        (
            format!("{lead}{visible}{tail}").trim_end().to_owned(),
            column - start + lead.chars().count(),
            length,
        )
    }
}

/// Characters of a line that are shown.
const WIDEST: usize = 160;
/// Characters shown before the caret in a longer line.
const LEAD: usize = 60;

/// The lines of a YAML text, which end with LF, CR LF or a lone CR (YAML 1.2.2 §5.4).
pub(super) fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        let (line, tail) = rest.split_at(end);
        lines.push(line);
        rest = tail.strip_prefix("\r\n").unwrap_or_else(|| &tail[1..]);
    }
    lines.push(rest);
    lines
}

fn source(lines: &[&str], line: u32, hidden: &BTreeSet<u32>) -> Option<String> {
    let place = line.saturating_sub(1) as usize;
    let text = lines.get(place).copied().unwrap_or_default();
    let above = place
        .checked_sub(1)
        .and_then(|above| lines.get(above))
        .copied()
        .unwrap_or_default();
    let kept = hidden.contains(&line) || holds_secret(text) || opens_secret(above);
    (!kept).then(|| shown(text))
}

/// Words whose values are not for the screen, in keys and header names.
const SECRETIVE: [&str; 7] = [
    "authorization",
    "cookie",
    "key",
    "passphrase",
    "password",
    "secret",
    "token",
];

/// Whether a line has a key that sounds secret with a value that is neither a map nor a URL. A misspelt key is not
/// known to be one for a secret, so the line's own words decide.
fn holds_secret(line: &str) -> bool {
    secretive(line).any(|value| {
        let map = value.starts_with('{') && value.contains(':');
        let bare = value.trim_start_matches(['"', '\'']);
        !value.is_empty() && !map && !bare.starts_with("http")
    })
}

fn opens_secret(line: &str) -> bool {
    secretive(line).any(|value| value.is_empty() || value.starts_with(['|', '>']))
}

/// What follows each secret-sounding key of a line.
fn secretive(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices(':').filter_map(move |(colon, _)| {
        let key = line[..colon].trim_end_matches(['"', '\'', ' ']);
        let word = key.rsplit([' ', '{', ',', '"', '\'', '?']).next()?;
        sounds_secret(word).then(|| line[colon + 1..].trim())
    })
}

/// Whether a key or header name is, contains, or is spelt almost like a word for a secret.
pub(super) fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRETIVE.iter().any(|word| name.contains(word))
        || ["client_secret", "password", "secret"]
            .iter()
            .any(|word| name.len() > 4 && strsim::osa_distance(&name, word) <= 2)
}

/// Text without anything that could steer a terminal or turn the reading order.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complain(text: &str, span: Span) -> String {
        Complaints::new(
            &Arc::from("x.yaml"),
            text,
            vec![(span, Kind::NoShape)],
            &BTreeSet::new(),
        )
        .to_string()
    }

    #[test]
    fn the_caret_stands_below_what_is_wrong() {
        let text = complain(
            "a: 1\nbé: two\n",
            Span {
                line: 2,
                column: 5,
                length: 3,
            },
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], " --> x.yaml:2:5");
        assert_eq!(lines[3], "2 | bé: two");
        assert!(lines[4].starts_with("  |     ^^^ "), "{}", lines[4]);
    }

    #[test]
    fn a_line_that_sounds_secret_is_not_shown() {
        let span = Span {
            line: 1,
            column: 1,
            length: 1,
        };
        for line in [
            "client_secrt_password: hunter2",
            "x: { api-key: hunter2 }",
            "\"Secret\": 'hunter2'",
        ] {
            assert!(!complain(line, span).contains("hunter2"), "{line}");
        }
        assert!(
            !complain("client_secret: |\n  hunter2", Span { line: 2, ..span }).contains("hunter2")
        );
        for line in [
            "x: { client_secret: { env: SHOWN } }",
            "sign_in: { password: { client_id: SHOWN } }",
            "token: https://SHOWN",
        ] {
            assert!(complain(line, span).contains("SHOWN"), "{line}");
        }
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        let text = complain(
            &format!("{}here{}", "a".repeat(5000), "b".repeat(5000)),
            Span {
                line: 1,
                column: 5001,
                length: 4,
            },
        );
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[4].chars().position(|c| c == '^').unwrap();
        assert_eq!(
            lines[3].chars().skip(caret).take(4).collect::<String>(),
            "here"
        );
        assert!(lines[3].chars().count() < 200);
    }

    #[test]
    fn nothing_in_a_line_steers_the_terminal() {
        let text = complain("a: \u{1b}[2J\u{202e}b", Span::START);
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }
}
