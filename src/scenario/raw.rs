//! YAML text in, a tree of values with their places out, duplicates and oddities kept for whoever reads it.

mod syntax;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use serde_json::Number;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, StrInput};

use super::complaint::{Kind, Span};
use super::reader::Named;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    /// Where it starts.
    pub(super) span: Span,
    /// Its last line, for text that runs over several.
    pub(super) last_line: u32,
    /// What it is.
    pub(super) value: Value<'t>,
}

/// What a node is, after the YAML 1.2 core schema (§10.3.2).
#[derive(Clone, Debug)]
pub(super) enum Value<'t> {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that JSON has no form for, such as `.nan`.
    NoNumber,
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
}

/// One line of a map; its key is whatever the author wrote.
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: Node<'t>,
    pub(super) value: Node<'t>,
}

impl<'t> Node<'t> {
    /// The entries of a map; none when it is something else.
    pub(super) fn entries(&self) -> &[Entry<'t>] {
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

    /// The first value under a key of a map, with the key.
    pub(super) fn named<'n>(&'n self, key: &str) -> Option<Named<'n>> {
        let mut entries = self.entries().iter();
        let entry = entries.find(|entry| entry.key.as_text() == Some(key))?;
        Some(Named {
            name: entry.key.as_text()?,
            at: entry.key.span,
            node: &entry.value,
        })
    }

    /// Takes the entries of the map that is first under a key; none where there is no such map.
    fn take(&mut self, key: &str) -> Vec<Entry<'t>> {
        let Value::Map(entries) = &mut self.value else {
            return Vec::new();
        };
        let mut entries = entries.iter_mut();
        let first = entries.find(|entry| entry.key.as_text() == Some(key));
        match first.map(|entry| &mut entry.value.value) {
            Some(Value::Map(entries)) => std::mem::take(entries),
            _ => Vec::new(),
        }
    }

    /// Adds entries to a map.
    pub(super) fn extend(&mut self, more: Vec<Entry<'t>>) {
        if let Value::Map(entries) = &mut self.value {
            entries.extend(more);
        }
    }

    /// How deep its containers stand in each other.
    fn height(&self) -> usize {
        let below = match &self.value {
            Value::List(items) => items.iter().map(Self::height).max(),
            Value::Map(entries) => {
                let heights = entries.iter();
                let heights = heights.map(|entry| entry.key.height().max(entry.value.height()));
                heights.max()
            }
            _ => return 0,
        };
        below.unwrap_or_default() + 1
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

impl Value<'_> {
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

/// Why a text is no document: the first thing that is not YAML, that rolecall's files do not use (tags, directives, several
/// documents), or that exceeds the budget, with its place.
pub(super) type Unread = (Span, Kind);

/// The section whose entries are read one by one, because there may be very many of them.
const LONG: &str = "operations";

/// A document that is read from its beginning to its end: what stands above the entries of its long section, these one by
/// one, and what stands below them.
pub(super) struct Document<'t> {
    parser: Parser<'t, StrInput<'t>>,
    builder: Builder<'t>,
    /// Entries of the section that could not be told from the rest of the document as they were read.
    kept: VecDeque<Entry<'t>>,
}

impl<'t> Document<'t> {
    /// A document, of which nothing was read yet.
    pub(super) fn of(text: &'t str) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            disallow_directives: true,
            flow_nesting_limit: DEEPEST,
            block_nesting_limit: DEEPEST,
        };
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            builder: Builder::default(),
            kept: VecDeque::new(),
        }
    }

    /// The root with what stands above the long section; all of the document where it has no such map.
    pub(super) fn head(&mut self) -> Result<Node<'t>, Unread> {
        while !self.builder.is_in_long() {
            if !self.hear()? {
                let mut root = self.root();
                self.kept = root.take(LONG).into();
                return Ok(root);
            }
        }
        Ok(self.builder.so_far())
    }

    /// Where the long section's key stands, while its entries are being read.
    pub(super) fn long(&self) -> Option<Span> {
        let root = self.builder.open.first();
        match root.map(|open| &open.content) {
            Some(Content::Map(_, Some(key))) if self.builder.is_in_long() => Some(key.span),
            _ => None,
        }
    }

    /// The next entry of the long section.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'t>>, Unread> {
        while self.builder.is_in_long() {
            if let Some(entry) = self.builder.entry() {
                return Ok(Some(entry));
            }
            self.hear()?;
        }
        Ok(self.kept.pop_front())
    }

    /// The entries of the root that [`Document::head`] has not given, once those of the long section are read: its own, which
    /// is empty, first.
    pub(super) fn tail(&mut self) -> Result<Vec<Entry<'t>>, Unread> {
        while self.hear()? {}
        Ok(match self.root().value {
            Value::Map(entries) => entries,
            _ => Vec::new(),
        })
    }

    /// Reads on; whether there was anything left.
    fn hear(&mut self) -> Result<bool, Unread> {
        match self.parser.next() {
            None => Ok(false),
            Some(Ok((event, span))) => self.builder.hear(event, &span).map(|()| true),
            Some(Err(error)) => Err((place(error.marker()), syntax::complaint(error.kind()))),
        }
    }

    fn root(&mut self) -> Node<'t> {
        self.builder.root.take().unwrap_or(Node {
            span: Span::START,
            last_line: 1,
            value: Value::Null,
        })
    }
}

/// Reads one document into a tree; its long section is left empty.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Unread> {
    let mut document = Document::of(text);
    let mut root = document.head()?;
    while document.next()?.is_some() {}
    root.extend(document.tail()?);
    Ok(root)
}

/// Containers within containers.
const DEEPEST: usize = 64;
/// Values in a file: 15,000 operations of some 40 values each stay far below.
const MOST_NODES: usize = 1_000_000;
/// Values that aliases may repeat: an alias bomb ends here.
const MOST_REPEATED: usize = 20_000;

#[derive(Default)]
struct Builder<'t> {
    open: Vec<Open<'t>>,
    anchors: HashMap<usize, (Node<'t>, usize)>,
    root: Option<Node<'t>>,
    nodes: usize,
    repeated: usize,
}

struct Open<'t> {
    span: Span,
    anchor: usize,
    before: usize,
    /// Whether it is the long section.
    is_long: bool,
    content: Content<'t>,
}

enum Content<'t> {
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>, Option<Node<'t>>),
}

impl Open<'_> {
    /// Whether it is a map of which the first value under a key comes next.
    fn is_first(&self, key: &str) -> bool {
        match &self.content {
            Content::Map(entries, Some(next)) => {
                let mut keys = entries.iter().map(|entry| &entry.key);
                next.as_text() == Some(key) && keys.all(|known| known.as_text() != Some(key))
            }
            _ => false,
        }
    }
}

impl<'t> Builder<'t> {
    /// Whether what is read are entries of the long section.
    fn is_in_long(&self) -> bool {
        self.open.get(1).is_some_and(|open| open.is_long)
    }

    /// The root with what was read of it, which is then given away.
    fn so_far(&mut self) -> Node<'t> {
        let open = self.open.first_mut();
        let (span, entries) = match open {
            Some(Open {
                span,
                content: Content::Map(entries, _),
                ..
            }) => (*span, std::mem::take(entries)),
            _ => (Span::START, Vec::new()),
        };
        Node {
            span,
            last_line: span.line,
            value: Value::Map(entries),
        }
    }

    /// The entry of the long section that was read last, unless more of it has to be read.
    fn entry(&mut self) -> Option<Entry<'t>> {
        match self.open.get_mut(1).map(|open| &mut open.content) {
            Some(Content::Map(entries, _)) => entries.pop(),
            _ => None,
        }
    }

    fn hear(&mut self, event: Event<'t>, at: &granit_parser::Span) -> Result<(), Unread> {
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
                    plain(text)
                } else {
                    Value::Text(text)
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

    fn count(&mut self, span: Span, more: usize) -> Result<(), Unread> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            Err((span, Kind::TooLarge))
        } else {
            Ok(())
        }
    }

    fn open(&mut self, span: Span, anchor: usize, content: Content<'t>) -> Result<(), Unread> {
        // What an alias repeats has to be kept, and a second section of the name is none.
        let is_map = matches!(content, Content::Map(..));
        let is_long = match self.open.as_slice() {
            [root] => is_map && anchor == 0 && root.is_first(LONG),
            _ => false,
        };
        self.open.push(Open {
            span,
            anchor,
            before: self.nodes,
            is_long,
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
            ..
        }) = self.open.pop()
        else {
            return;
        };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map(entries, _) => Value::Map(entries),
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

    fn repeat(&mut self, span: Span, anchor: usize) -> Result<(), Unread> {
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
        // One alias within another is deeper than anything that is written down.
        if self.repeated > MOST_REPEATED || self.open.len() + node.height() > DEEPEST {
            return Err((span, Kind::TooLarge));
        }
        self.count(span, size)?;
        self.place(node, 0, size);
        Ok(())
    }

    fn place(&mut self, node: Node<'t>, anchor: usize, size: usize) {
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

fn plain(text: Cow<'_, str>) -> Value<'_> {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(&text).unwrap_or(Value::Text(text)),
    }
}

fn number(text: &str) -> Option<Value<'static>> {
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
            assert_eq!(format!("{:?}", plain(text.into())), expected, "{text}");
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
