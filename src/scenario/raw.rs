//! YAML text in, a tree of values with their places out, duplicates and oddities kept for whoever reads it.

mod syntax;

use std::collections::HashMap;

use serde_json::Number;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle};

use super::complaint::{Kind, Span};

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it starts.
    pub(super) span: Span,
    /// Its last line, for text that runs over several.
    pub(super) last_line: u32,
    /// What it is.
    pub(super) value: Value,
}

/// What a node is, after the YAML 1.2 core schema (§10.3.2).
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that JSON has no form for, such as `.nan`.
    NoNumber,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One line of a map; its key is whatever the author wrote.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) value: Node,
}

impl Node {
    /// The entries of a map; none when it is something else.
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value {
            entries
        } else {
            &[]
        }
    }

    /// The first value under a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|entry| entry.key.as_text() == Some(key))
            .map(|entry| &entry.value)
    }

    /// Text as it stands in the file.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }
}

impl Value {
    /// The value's sort, as complaints name it.
    pub(super) fn sort(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) | Self::NoNumber => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads one document into a tree.
///
/// # Errors
/// The place and the kind of the first thing that is not YAML, that rolecall's files do not use (tags, directives,
/// several documents), or that exceeds the budget.
pub(super) fn parse(text: &str) -> Result<Node, (Span, Kind)> {
    let options = granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.hear(event, &span)?,
            Err(error) => return Err((place(error.marker()), syntax::complaint(error.kind()))),
        }
    }
    Ok(builder.root.unwrap_or(Node {
        span: Span::START,
        last_line: 1,
        value: Value::Null,
    }))
}

/// Containers within containers.
const DEEPEST: usize = 64;
/// Values in a file: 15,000 operations of some 40 values each stay far below.
const MOST_NODES: usize = 1_000_000;
/// Values that aliases may repeat: an alias bomb ends here.
const MOST_REPEATED: usize = 20_000;

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
    repeated: usize,
}

struct Open {
    span: Span,
    anchor: usize,
    before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>, Option<Node>),
}

impl Builder {
    fn hear(&mut self, event: Event<'_>, at: &granit_parser::Span) -> Result<(), (Span, Kind)> {
        let span = extent(at);
        if event.tag().is_some() {
            return Err((
                span,
                Kind::Syntax {
                    what: "a tag stands before this value; scenarios use none",
                    help: "leave it out",
                },
            ));
        }
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err((
                span,
                Kind::Syntax {
                    what: "a second document starts here",
                    help: "write one scenario a file",
                },
            )),
            Event::Scalar(text, style, anchor, _) => {
                let value = if style == ScalarStyle::Plain {
                    plain(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                let last_line = line(at.end.line());
                self.count(span, 1)?;
                self.place(
                    Node {
                        span,
                        last_line,
                        value,
                    },
                    anchor,
                    1,
                );
                Ok(())
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(span, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(span, anchor, Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(line(at.end.line()));
                Ok(())
            }
            Event::Alias(anchor) => self.repeat(span, anchor),
            _ => Ok(()),
        }
    }

    fn count(&mut self, span: Span, more: usize) -> Result<(), (Span, Kind)> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            Err((span, Kind::TooLarge))
        } else {
            Ok(())
        }
    }

    fn open(&mut self, span: Span, anchor: usize, content: Content) -> Result<(), (Span, Kind)> {
        self.open.push(Open {
            span,
            anchor,
            before: self.nodes,
            content,
        });
        self.count(span, 1)
    }

    fn close(&mut self, last_line: u32) {
        let Some(Open {
            span,
            anchor,
            before,
            content,
        }) = self.open.pop()
        else {
            return;
        };
        // A file of 12,500 operations has 80,000 of them, and each would hold room for more.
        let value = match content {
            Content::List(mut items) => {
                items.shrink_to_fit();
                Value::List(items)
            }
            Content::Map(mut entries, _) => {
                entries.shrink_to_fit();
                Value::Map(entries)
            }
        };
        self.place(
            Node {
                span,
                last_line,
                value,
            },
            anchor,
            self.nodes - before,
        );
    }

    fn repeat(&mut self, span: Span, anchor: usize) -> Result<(), (Span, Kind)> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err((
                span,
                Kind::Syntax {
                    what: "an alias stands inside what it names",
                    help: "write the value out",
                },
            ));
        };
        let (node, size) = (node.clone(), *size);
        self.repeated += size;
        if self.repeated > MOST_REPEATED {
            return Err((span, Kind::TooLarge));
        }
        self.count(span, size)?;
        self.place(node, 0, size);
        Ok(())
    }

    fn place(&mut self, node: Node, anchor: usize, size: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push(Entry { key, value: node }),
            },
        }
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX).max(1)
}

fn place(marker: &granit_parser::Marker) -> Span {
    Span {
        line: line(marker.line()),
        column: line(marker.col() + 1),
        length: 1,
    }
}

fn extent(span: &granit_parser::Span) -> Span {
    let start = place(&span.start);
    let length = if span.start.line() == span.end.line() {
        span.end.col().saturating_sub(span.start.col())
    } else {
        1
    };
    Span {
        length: line(length),
        ..start
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Value::NoNumber);
    }
    if let Some(parsed) = based(text) {
        return Some(Value::Number(parsed.into()));
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !numeric {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Number(whole.into()));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Value::Number(whole.into()));
    }
    let float: f64 = text.parse().ok()?;
    Some(Number::from_f64(float).map_or(Value::NoNumber, Value::Number))
}

fn based(text: &str) -> Option<u64> {
    let (digits, radix) = match text.split_at_checked(2)? {
        ("0x", digits) => (digits, 16),
        ("0o", digits) => (digits, 8),
        _ => return None,
    };
    if digits.starts_with('+') {
        None
    } else {
        u64::from_str_radix(digits, radix).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_becomes_what_the_core_schema_says() {
        for (text, expected) in [
            ("yes", "Text(\"yes\")"),
            ("True", "Bool(true)"),
            ("12", "Number(Number(12))"),
            ("-1.5e3", "Number(Number(-1500.0))"),
            ("0x1F", "Number(Number(31))"),
            (".inf", "NoNumber"),
            ("1e999", "NoNumber"),
            ("1.2.3", "Text(\"1.2.3\")"),
            ("infinity", "Text(\"infinity\")"),
            ("2026-07-28", "Text(\"2026-07-28\")"),
            ("~", "Null"),
        ] {
            assert_eq!(format!("{:?}", plain(text)), expected, "{text}");
        }
    }

    #[test]
    fn an_alias_bomb_ends_at_the_budget() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = level - 1;
            let list = vec![format!("*a{before}"); 9].join(", ");
            text.extend([format!("a{level}: &a{level} [{list}]\n")]);
        }
        assert!(matches!(parse(&text), Err((_, Kind::TooLarge))));
    }

    #[test]
    fn an_alias_repeats_its_anchor_but_not_inside_itself() {
        assert!(
            matches!(parse("a: &x [1]\nb: *x\n"), Ok(Node { value: Value::Map(entries), .. }) if entries.len() == 2)
        );
        assert!(matches!(
            parse("a: &x [*x]\n"),
            Err((_, Kind::Syntax { .. }))
        ));
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(100_000)).is_err());
    }
}
